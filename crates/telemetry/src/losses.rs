//! Says that spans or log records were dropped: soon after it begins, and once a minute
//! while it lasts. A line for each would bury everything else, and no line would hide
//! that traces are incomplete.

use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use crate::export_counts::{Dropped, ExportCounts, Signal};

/// So long the first losses are gathered, so that the number says something.
const GATHER: Duration = Duration::from_secs(1);

/// At most one warning in this time.
const WARN_EVERY: Duration = Duration::from_mins(1);

/// A thread that warns of losses until it is ended.
#[derive(Debug)]
pub(crate) struct LossWarnings {
    counts: Arc<ExportCounts>,
    thread: Option<JoinHandle<Dropped>>,
}

impl LossWarnings {
    pub(crate) fn start(counts: Arc<ExportCounts>) -> Self {
        let watched = counts.clone();
        let thread = thread::Builder::new().name("losses".to_owned());
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
fn watch(counts: &ExportCounts, gather: Duration, every: Duration) -> Dropped {
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
                if !counts.given_up() {
                    let things = counts.signal.things;
                    tracing::info!("no more {things} were dropped in the last minute");
                }
                break;
            }
            if !counts.wait(every) {
                return told;
            }
        }
    }
}

/// Warns of what was lost since `told`; gives back what is told now.
fn warn(counts: &ExportCounts, told: Dropped) -> Dropped {
    let (dropped, error) = counts.losses();
    let Signal { things, harm, .. } = &counts.signal;
    match dropped.since(&told) {
        Some(_) if counts.given_up() => {
            tracing::warn!(error, "the collector takes no {things}, so none are sent any more");
        }
        Some(lost) if !dropped.is_fault_since(&told) => {
            tracing::info!("{things} were not sent: {lost}; stderr has their lines");
        }
        Some(lost) => tracing::warn!(
            error,
            "{things} were dropped: {lost}; requests are not affected, but {harm}"
        ),
        None => {}
    }
    dropped
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::fmt::Debug;
    use std::sync::mpsc::{Receiver, Sender, channel};

    use tracing::field::{Field, Visit};
    use tracing::{Event, Level, Subscriber};
    use tracing_subscriber::layer::{Context, Layer, SubscriberExt as _};

    use super::*;
    use crate::export_counts::{LOG_RECORDS, SPANS};

    const LONG: Duration = Duration::from_secs(30);
    const NONE: Duration = Duration::ZERO;

    /// Sends every message on.
    struct Messages(Sender<String>);

    impl<S: Subscriber> Layer<S> for Messages {
        fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
            let level = *event.metadata().level();
            event.record(&mut Message(level, &self.0));
        }
    }

    struct Message<'a>(Level, &'a Sender<String>);

    impl Visit for Message<'_> {
        fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
            if field.name() == "message" {
                let text = format!("{value:?}");
                let _ = self.1.send(format!("{} {text}", self.0));
            }
        }
    }

    /// The warnings of a thread of that pace, and what it says.
    fn warnings(
        signal: Signal,
        capacity: usize,
        every: Duration,
    ) -> (LossWarnings, Receiver<String>) {
        let (said, messages) = channel();
        let counts = ExportCounts::of(signal, capacity);
        let watched = counts.clone();
        let thread = thread::spawn(move || {
            let subscriber = tracing_subscriber::registry().with(Messages(said));
            tracing::subscriber::with_default(subscriber, || watch(&watched, NONE, every))
        });
        (LossWarnings { counts, thread: Some(thread) }, messages)
    }

    fn lose(warnings: &LossWarnings, spans: u64) {
        for _ in 0..spans {
            assert!(!warnings.counts.admit());
        }
    }

    /// The number in a warning.
    fn lost(message: &str) -> u64 {
        let rest = message.strip_prefix("WARN spans were dropped: ").unwrap();
        let (number, rest) = rest.split_once(' ').unwrap();
        assert!(rest.starts_with("because the queue was full; "), "{message}");
        number.parse().unwrap()
    }

    #[test]
    fn losses_that_last_are_told_again_with_what_was_lost_since_and_so_is_their_end() {
        let (warnings, messages) = warnings(SPANS, 0, Duration::from_millis(1));
        for _ in 0..2 {
            lose(&warnings, 3);
            let mut told = 0;
            while told < 3 {
                let message = messages.recv_timeout(LONG).unwrap();
                told += if message.starts_with("INFO no more") { 0 } else { lost(&message) };
            }
            assert_eq!(told, 3);
            let end = messages.recv_timeout(LONG).unwrap();
            assert_eq!(end, "INFO no more spans were dropped in the last minute");
        }
        warnings.end();
    }

    #[test]
    fn a_flood_of_losses_is_told_once_a_minute_and_the_rest_at_the_end() {
        let (said, rest) = channel();
        let (warnings, messages) = warnings(SPANS, 0, Duration::from_hours(1));
        lose(&warnings, 1);
        assert_eq!(lost(&messages.recv_timeout(LONG).unwrap()), 1);
        lose(&warnings, 1_000);
        let subscriber = tracing_subscriber::registry().with(Messages(said));
        tracing::subscriber::with_default(subscriber, || warnings.end());
        assert_eq!(messages.try_iter().count(), 0, "the minute is not over");
        assert_eq!(rest.iter().map(|message| lost(&message)).collect::<Vec<_>>(), [1_000]);
    }

    #[test]
    fn that_a_collector_takes_no_log_records_is_told_once_and_nothing_follows() {
        let (warnings, messages) = warnings(LOG_RECORDS, 2, Duration::from_millis(1));
        let counts = warnings.counts.clone();
        assert!(counts.admit() && counts.admit());
        counts.begin_export(1).unwrap().not_found("404");
        let warning = messages.recv_timeout(LONG).unwrap();
        assert_eq!(warning, "WARN the collector takes no log records, so none are sent any more");
        assert!(!counts.admit());
        warnings.end();
        assert_eq!(messages.iter().collect::<Vec<_>>(), [""; 0]);
    }

    #[test]
    fn log_records_beyond_the_bound_are_told_as_no_fault() {
        let (said, messages) = channel();
        let counts = ExportCounts::of(LOG_RECORDS, 10_000);
        while counts.admit() {}
        let subscriber = tracing_subscriber::registry().with(Messages(said));
        let told = tracing::subscriber::with_default(subscriber, || {
            let told = warn(&counts, Dropped::default());
            counts.close();
            warn(&counts, told)
        });
        let messages: Vec<_> = messages.try_iter().collect();
        let [of_bound, of_end] = &messages[..] else { panic!("{messages:?}") };
        assert_eq!(
            of_bound,
            "INFO log records were not sent: 1 because there were too many in a second; stderr \
             has their lines"
        );
        assert!(of_end.starts_with("WARN log records were dropped: "), "{of_end}");
        assert!(told.is_fault_since(&Dropped::default()));
    }

    #[test]
    fn a_collector_that_does_not_find_where_spans_go_is_asked_again() {
        let counts = ExportCounts::of(SPANS, 2);
        assert!(counts.admit());
        counts.begin_export(1).unwrap().not_found("404");
        assert!(!counts.given_up() && counts.admit());
    }
}
