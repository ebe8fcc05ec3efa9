//! Says that spans were dropped: soon after it begins, and once a minute while
//! it lasts. A line per span would bury everything else, and no line would hide
//! that traces are incomplete.

use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use crate::span_counts::{Dropped, SpanCounts};

/// So long the first losses are gathered, so that the number says something.
const GATHER: Duration = Duration::from_secs(1);

/// At most one warning in this time.
const WARN_EVERY: Duration = Duration::from_mins(1);

/// A thread that warns of losses until it is ended.
#[derive(Debug)]
pub(crate) struct LossWarnings {
    counts: Arc<SpanCounts>,
    thread: Option<JoinHandle<Dropped>>,
}

impl LossWarnings {
    pub(crate) fn start(counts: Arc<SpanCounts>) -> Self {
        let watched = counts.clone();
        let thread = thread::Builder::new().name("span-losses".to_owned());
        // Without a thread all losses are told at the end.
        Self { counts, thread: thread.spawn(move || watch(&watched)).ok() }
    }

    /// Ends the thread, and warns of what it has not yet told.
    pub(crate) fn end(self) {
        self.counts.end_waits();
        let told = self.thread.and_then(|thread| thread.join().ok()).unwrap_or_default();
        warn(&self.counts, told);
    }
}

/// Gives back what it has told, when the waits are ended.
fn watch(counts: &SpanCounts) -> Dropped {
    let mut told = Dropped::default();
    loop {
        counts.wait_for_loss(&told);
        if !counts.wait(GATHER) {
            return told;
        }
        loop {
            let before = told;
            told = warn(counts, before);
            if told == before {
                tracing::info!("no more spans were dropped in the last minute");
                break;
            }
            if !counts.wait(WARN_EVERY) {
                return told;
            }
        }
    }
}

/// Warns of what was lost since `told`; gives back what is told now.
fn warn(counts: &SpanCounts, told: Dropped) -> Dropped {
    let (dropped, error) = counts.losses();
    if let Some(lost) = dropped.since(&told) {
        tracing::warn!(
            error,
            "spans were dropped: {lost}; requests are not affected, but traces are incomplete"
        );
    }
    dropped
}
