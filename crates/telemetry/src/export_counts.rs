//! What became of the spans and of the log records of this process: exported, dropped,
//! or still queued.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use crate::metrics::{Metric, Metrics};
use crate::shortened;
use crate::token_bucket::TokenBucket;

/// What is counted, and in which words.
#[derive(Debug)]
pub(crate) struct Signal {
    /// As the subject of a sentence.
    pub(crate) things: &'static str,
    /// What a loss does, as the end of a sentence.
    pub(crate) harm: &'static str,
    /// A collector that answers 404 gets no more of them. It may well take only spans,
    /// but one that takes no spans is not yet ready, or the wrong one.
    optional: bool,
    /// How many may come in a second.
    bound: Option<TokenBucket>,
    exported: Metric,
    dropped: Metric,
    queued: Metric,
}

/// Spans that ended.
pub(crate) const SPANS: Signal = Signal {
    things: "spans",
    harm: "traces are incomplete",
    optional: false,
    bound: None,
    exported: Metric {
        name: "telemetry_spans_exported_total",
        help: "Spans that the collector accepted.",
    },
    dropped: Metric {
        name: "telemetry_spans_dropped_total",
        help: "Spans that were lost, by reason; their traces are incomplete.",
    },
    queued: Metric {
        name: "telemetry_spans_queued",
        help: "Spans that ended and are not yet exported.",
    },
};

/// Log lines on their way to the collector.
pub(crate) const LOG_RECORDS: Signal = Signal {
    things: "log records",
    harm: "the logs of traces are incomplete",
    optional: true,
    // An order makes a few lines in each service, so this is enough for everything that
    // a person reads. Under load each record costs the services and the collector time.
    bound: Some(TokenBucket::new(200, 400)),
    exported: Metric {
        name: "telemetry_log_records_exported_total",
        help: "Log records that the collector accepted.",
    },
    dropped: Metric {
        name: "telemetry_log_records_dropped_total",
        help: "Log records that did not reach the collector, by reason; stderr has their lines.",
    },
    queued: Metric {
        name: "telemetry_log_records_queued",
        help: "Log records that are not yet exported.",
    },
};

/// Why a span or a log record was dropped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reason {
    /// The queue had no room.
    QueueFull,
    /// More came in a second than may leave the process.
    RateLimited,
    /// The collector did not confirm the export. It may have taken them: an
    /// answer that is lost or late says nothing.
    ExportFailed,
    /// The collector confirmed the export without these.
    Rejected,
    /// The program ended first.
    Shutdown,
}

impl Reason {
    pub(crate) const ALL: [Self; 5] =
        [Self::QueueFull, Self::RateLimited, Self::ExportFailed, Self::Rejected, Self::Shutdown];

    /// The value of the label `reason`.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::QueueFull => "queue_full",
            Self::RateLimited => "rate_limited",
            Self::ExportFailed => "export_failed",
            Self::Rejected => "rejected",
            Self::Shutdown => "shutdown",
        }
    }

    /// As the end of a sentence.
    const fn because(self) -> &'static str {
        match self {
            Self::QueueFull => "because the queue was full",
            Self::RateLimited => "because there were too many in a second",
            Self::ExportFailed => "because the export failed",
            Self::Rejected => "because the collector rejected them",
            Self::Shutdown => "because the program ended before they were exported",
        }
    }
}

/// How many were dropped for each reason.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Dropped([u64; Reason::ALL.len()]);

impl Dropped {
    pub(crate) const fn by(&self, reason: Reason) -> u64 {
        self.0[reason as usize]
    }

    /// Whether something was dropped since `earlier` for any other reason than that it
    /// was too much: that one is no fault of the collector's or of the settings.
    pub(crate) fn is_fault_since(&self, earlier: &Self) -> bool {
        let mut others = Reason::ALL.into_iter().filter(|it| *it != Reason::RateLimited);
        others.any(|reason| self.by(reason) > earlier.by(reason))
    }

    fn add(&mut self, reason: Reason, number: usize) {
        self.0[reason as usize] += number as u64;
    }

    /// What was dropped since `earlier`, as the rest of a sentence; `None`
    /// if nothing was.
    pub(crate) fn since(&self, earlier: &Self) -> Option<String> {
        let lost = |reason: &Reason| self.by(*reason) - earlier.by(*reason);
        let parts: Vec<_> = Reason::ALL
            .iter()
            .filter(|reason| lost(reason) > 0)
            .map(|reason| format!("{} {}", lost(reason), reason.because()))
            .collect();
        (!parts.is_empty()).then(|| parts.join(", "))
    }
}

/// All counts at one moment. What ended is what was exported, dropped and
/// queued together, always.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    pub(crate) exported: u64,
    pub(crate) dropped: Dropped,
    /// Handed to the batch processor, and not yet taken by the exporter.
    waiting: usize,
    /// In an export that is under way.
    exporting: usize,
    /// Nothing is let in any more.
    closed: bool,
}

impl Counts {
    pub(crate) const fn queued(&self) -> usize {
        self.waiting + self.exporting
    }
}

#[derive(Debug, Default)]
struct State {
    counts: Counts,
    bound: Option<TokenBucket>,
    /// What the last export that failed said.
    error: Option<String>,
    /// Somebody waits for the next loss.
    awaited: bool,
    /// Nobody waits for anything any more.
    ending: bool,
}

/// The counts of one signal of a process; shared by the processor, the exporter and the
/// warnings.
#[derive(Debug)]
pub(crate) struct ExportCounts {
    pub(crate) signal: Signal,
    /// The most that may wait for an export.
    capacity: usize,
    state: Mutex<State>,
    changed: Condvar,
    given_up: AtomicBool,
}

impl ExportCounts {
    pub(crate) fn of(signal: Signal, capacity: usize) -> Arc<Self> {
        let state = State { bound: signal.bound, ..State::default() };
        Arc::new(Self {
            signal,
            capacity,
            state: Mutex::new(state),
            changed: Condvar::default(),
            given_up: AtomicBool::default(),
        })
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn now(&self) -> Counts {
        self.lock().counts
    }

    /// The collector takes no such things, so nobody need make them.
    pub(crate) fn given_up(&self) -> bool {
        self.given_up.load(Ordering::Relaxed)
    }

    /// Whether one more may be queued; counts it in any case, until [`Self::given_up`].
    pub(crate) fn admit(&self) -> bool {
        if self.given_up() {
            return false;
        }
        let mut state = self.lock();
        let reason = if state.counts.closed {
            Reason::Shutdown
        } else if state.counts.waiting >= self.capacity {
            Reason::QueueFull
        } else if state.bound.as_mut().is_some_and(|bound| !bound.take(Instant::now())) {
            Reason::RateLimited
        } else {
            state.counts.waiting += 1;
            return true;
        };
        self.drop_some(&mut state, reason, 1);
        false
    }

    /// Notes that an export of so many that wait begins; `None` once everything
    /// that waited is written off.
    pub(crate) fn begin_export(&self, number: usize) -> Option<Export<'_>> {
        let counts = &mut self.lock().counts;
        if counts.closed {
            return None;
        }
        counts.waiting = counts.waiting.saturating_sub(number);
        counts.exporting += number;
        Some(Export { counts: self, number, ended: false })
    }

    fn end_export(&self, number: usize, rejected: usize, error: Option<String>) {
        let mut state = self.lock();
        // Written off already: what came of it then comes too late to count.
        if state.counts.closed {
            return;
        }
        state.counts.exporting = state.counts.exporting.saturating_sub(number);
        if error.is_some() {
            state.error = error;
            self.drop_some(&mut state, Reason::ExportFailed, number);
            return;
        }
        let rejected = rejected.min(number);
        state.counts.exported += (number - rejected) as u64;
        self.drop_some(&mut state, Reason::Rejected, rejected);
    }

    /// Writes off what is queued: nothing will be exported any more.
    pub(crate) fn close(&self) {
        self.write_off(&mut self.lock(), Reason::Shutdown);
    }

    fn write_off(&self, state: &mut State, reason: Reason) {
        if !state.counts.closed {
            state.counts.closed = true;
            let left = state.counts.queued();
            (state.counts.waiting, state.counts.exporting) = (0, 0);
            self.drop_some(state, reason, left);
        }
    }

    fn drop_some(&self, state: &mut State, reason: Reason, number: usize) {
        if number > 0 {
            state.counts.dropped.add(reason, number);
            // Only the first of many: waking a thread costs more than a span.
            if std::mem::take(&mut state.awaited) {
                self.changed.notify_all();
            }
        }
    }

    /// Ends every wait.
    pub(crate) fn end_waits(&self) {
        self.lock().ending = true;
        self.changed.notify_all();
    }

    /// Waits until something is lost that is not `known`, or until the waits
    /// are ended.
    pub(crate) fn wait_for_loss(&self, known: &Dropped) {
        let mut state = self.lock();
        state.awaited = true;
        let waits = |state: &mut State| !state.ending && state.counts.dropped == *known;
        drop(self.changed.wait_while(state, waits));
    }

    /// Waits for that long; `false` if the waits are ended.
    pub(crate) fn wait(&self, time: Duration) -> bool {
        let waits = |state: &mut State| !state.ending;
        let waited = self.changed.wait_timeout_while(self.lock(), time, waits);
        !waited.unwrap_or_else(PoisonError::into_inner).0.ending
    }

    /// What was dropped so far, and what the last failed export said.
    pub(crate) fn losses(&self) -> (Dropped, Option<String>) {
        let mut state = self.lock();
        (state.counts.dropped, state.error.take())
    }

    /// Shows the counts in these metrics, from 0 on.
    pub(crate) fn show_in(self: &Arc<Self>, metrics: &Metrics) {
        let Signal { exported, dropped, queued, bound, .. } = self.signal;
        let exported = metrics.counter(exported, &[]);
        let queued = metrics.gauge(queued, &[]);
        let reasons = Reason::ALL.into_iter();
        let reasons = reasons.filter(|it| bound.is_some() || *it != Reason::RateLimited);
        let dropped: Vec<_> =
            reasons.map(|r| (r, metrics.counter(dropped, &[("reason", r.as_str())]))).collect();
        let counts = self.clone();
        metrics.before_render(move || {
            let now = counts.now();
            exported.absolute(now.exported);
            queued.set(now.queued() as f64);
            for (reason, counter) in &dropped {
                counter.absolute(now.dropped.by(*reason));
            }
        });
    }
}

/// An export that is under way. Dropped without a result it counts as failed.
#[derive(Debug)]
pub(crate) struct Export<'a> {
    counts: &'a ExportCounts,
    number: usize,
    ended: bool,
}

impl Export<'_> {
    /// The collector has confirmed it, without so many of it.
    pub(crate) fn confirmed(mut self, rejected: usize) {
        self.ended = true;
        self.counts.end_export(self.number, rejected, None);
    }

    /// The collector does not know where to put it.
    pub(crate) fn not_found(self, error: &str) {
        let counts = self.counts;
        // Before the loss is counted, so that no warning speaks of more to come.
        counts.given_up.store(counts.signal.optional, Ordering::Relaxed);
        self.failed(error);
        if counts.signal.optional {
            counts.write_off(&mut counts.lock(), Reason::ExportFailed);
        }
    }

    /// The collector has not confirmed it.
    pub(crate) fn failed(mut self, error: &str) {
        self.ended = true;
        self.counts.end_export(self.number, 0, Some(shortened(error).into_owned()));
    }
}

impl Drop for Export<'_> {
    fn drop(&mut self) {
        if !self.ended {
            self.counts.end_export(self.number, 0, Some("the export broke off".to_owned()));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_warning_names_each_reason_with_the_number_lost_since_the_last_one() {
        let (mut now, none) = (Dropped::default(), Dropped::default());
        assert_eq!(now.since(&none), None);
        now.add(Reason::QueueFull, 3);
        let before = now;
        assert_eq!(now.since(&none).as_deref(), Some("3 because the queue was full"));
        now.add(Reason::QueueFull, 2);
        now.add(Reason::ExportFailed, 512);
        assert_eq!(
            now.since(&before).as_deref(),
            Some("2 because the queue was full, 512 because the export failed")
        );
        assert_eq!(now.since(&now), None);
    }
}
