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
        Self { counts, thread: thread.spawn(move || watch(&watched, GATHER, WARN_EVERY)).ok() }
    }

    /// Ends the thread, and warns of what it has not yet told.
    pub(crate) fn end(self) {
        self.counts.end_waits();
        let told = self.thread.and_then(|thread| thread.join().ok()).unwrap_or_default();
        warn(&self.counts, told);
    }
}

/// Gives back what it has told, when the waits are ended.
fn watch(counts: &SpanCounts, gather: Duration, every: Duration) -> Dropped {
    let mut told = Dropped::default();
    loop {
        counts.wait_for_loss(&told);
        if !counts.wait(gather) {
            return told;
        }
        loop {
            let before = told;
            told = warn(counts, before);
            if told == before {
                tracing::info!("no more spans were dropped in the last minute");
                break;
            }
            if !counts.wait(every) {
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

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::fmt::Debug;
    use std::sync::mpsc::{Receiver, Sender, channel};

    use tracing::field::{Field, Visit};
    use tracing::{Event, Subscriber};
    use tracing_subscriber::layer::{Context, Layer, SubscriberExt as _};

    use super::*;

    const LONG: Duration = Duration::from_secs(30);
    const NONE: Duration = Duration::ZERO;

    /// Sends every message on.
    struct Messages(Sender<String>);

    impl<S: Subscriber> Layer<S> for Messages {
        fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
            event.record(&mut Message(&self.0));
        }
    }

    struct Message<'a>(&'a Sender<String>);

    impl Visit for Message<'_> {
        fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
            if field.name() == "message" {
                let _ = self.0.send(format!("{value:?}"));
            }
        }
    }

    /// The warnings of a thread of that pace, and what it says.
    fn warnings(every: Duration) -> (LossWarnings, Receiver<String>) {
        let (said, messages) = channel();
        let counts = Arc::<SpanCounts>::default();
        let watched = counts.clone();
        let thread = thread::spawn(move || {
            let subscriber = tracing_subscriber::registry().with(Messages(said));
            tracing::subscriber::with_default(subscriber, || watch(&watched, NONE, every))
        });
        (LossWarnings { counts, thread: Some(thread) }, messages)
    }

    fn lose(warnings: &LossWarnings, spans: u64) {
        for _ in 0..spans {
            assert!(!warnings.counts.admit(0));
        }
    }

    /// The number in a warning.
    fn lost(message: &str) -> u64 {
        let rest = message.strip_prefix("spans were dropped: ").unwrap();
        let (number, rest) = rest.split_once(' ').unwrap();
        assert!(rest.starts_with("because the queue was full; "), "{message}");
        number.parse().unwrap()
    }

    #[test]
    fn losses_that_last_are_told_again_with_what_was_lost_since_and_so_is_their_end() {
        let (warnings, messages) = warnings(Duration::from_millis(1));
        for _ in 0..2 {
            lose(&warnings, 3);
            let mut told = 0;
            while told < 3 {
                let message = messages.recv_timeout(LONG).unwrap();
                told += if message.starts_with("no more") { 0 } else { lost(&message) };
            }
            assert_eq!(told, 3);
            let end = messages.recv_timeout(LONG).unwrap();
            assert_eq!(end, "no more spans were dropped in the last minute");
        }
        warnings.end();
    }

    #[test]
    fn a_flood_of_losses_is_told_once_a_minute_and_the_rest_at_the_end() {
        let (said, rest) = channel();
        let (warnings, messages) = warnings(Duration::from_hours(1));
        lose(&warnings, 1);
        assert_eq!(lost(&messages.recv_timeout(LONG).unwrap()), 1);
        lose(&warnings, 1_000);
        let subscriber = tracing_subscriber::registry().with(Messages(said));
        tracing::subscriber::with_default(subscriber, || warnings.end());
        assert_eq!(messages.try_iter().count(), 0, "the minute is not over");
        assert_eq!(rest.iter().map(|message| lost(&message)).collect::<Vec<_>>(), [1_000]);
    }
}
