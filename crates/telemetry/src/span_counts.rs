//! What became of the spans that ended: exported, dropped, or still queued.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::metrics::{Metric, Metrics};
use crate::shortened;

/// Spans that a collector has accepted.
pub(crate) const EXPORTED: Metric =
    Metric { name: "telemetry_spans_exported_total", help: "Spans that the collector accepted." };

/// Spans that are lost, as far as this process knows.
pub(crate) const DROPPED: Metric = Metric {
    name: "telemetry_spans_dropped_total",
    help: "Spans that were lost, by reason; their traces are incomplete.",
};

/// Spans that wait for an export or are in one.
pub(crate) const QUEUED: Metric =
    Metric { name: "telemetry_spans_queued", help: "Spans that ended and are not yet exported." };

/// Why a span was dropped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reason {
    /// The queue had no room.
    QueueFull,
    /// The collector did not confirm the export. It may have taken the spans:
    /// an answer that is lost or late says nothing.
    ExportFailed,
    /// The collector confirmed the export without these spans.
    Rejected,
    /// The program ended first.
    Shutdown,
}

impl Reason {
    pub(crate) const ALL: [Self; 4] =
        [Self::QueueFull, Self::ExportFailed, Self::Rejected, Self::Shutdown];

    /// The value of the label `reason`.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::QueueFull => "queue_full",
            Self::ExportFailed => "export_failed",
            Self::Rejected => "rejected",
            Self::Shutdown => "shutdown",
        }
    }

    /// As the end of a sentence.
    const fn because(self) -> &'static str {
        match self {
            Self::QueueFull => "because the queue was full",
            Self::ExportFailed => "because the export failed",
            Self::Rejected => "because the collector rejected them",
            Self::Shutdown => "because the program ended before they were exported",
        }
    }
}

/// How many spans were dropped for each reason.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Dropped([u64; Reason::ALL.len()]);

impl Dropped {
    pub(crate) const fn by(&self, reason: Reason) -> u64 {
        self.0[reason as usize]
    }

    fn add(&mut self, reason: Reason, spans: usize) {
        self.0[reason as usize] += spans as u64;
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
    /// What the last export that failed said.
    error: Option<String>,
    /// Somebody waits for the next loss.
    awaited: bool,
    /// Nobody waits for anything any more.
    ending: bool,
}

/// The counts of one process; shared by the processor, the exporter and the
/// warnings.
#[derive(Debug, Default)]
pub(crate) struct SpanCounts {
    state: Mutex<State>,
    changed: Condvar,
}

impl SpanCounts {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn now(&self) -> Counts {
        self.lock().counts
    }

    /// Whether a span that ended may be queued; counts it in any case.
    pub(crate) fn admit(&self, capacity: usize) -> bool {
        let mut state = self.lock();
        let reason = if state.counts.closed {
            Reason::Shutdown
        } else if state.counts.waiting >= capacity {
            Reason::QueueFull
        } else {
            state.counts.waiting += 1;
            return true;
        };
        self.drop_spans(&mut state, reason, 1);
        false
    }

    /// Notes that an export of waiting spans begins; `None` once everything
    /// that waited is written off.
    pub(crate) fn begin_export(&self, spans: usize) -> Option<Export<'_>> {
        let counts = &mut self.lock().counts;
        if counts.closed {
            return None;
        }
        counts.waiting = counts.waiting.saturating_sub(spans);
        counts.exporting += spans;
        Some(Export { counts: self, spans, ended: false })
    }

    fn end_export(&self, spans: usize, rejected: usize, error: Option<String>) {
        let mut state = self.lock();
        // Written off already: what came of it then comes too late to count.
        if state.counts.closed {
            return;
        }
        state.counts.exporting = state.counts.exporting.saturating_sub(spans);
        if error.is_some() {
            state.error = error;
            self.drop_spans(&mut state, Reason::ExportFailed, spans);
            return;
        }
        let rejected = rejected.min(spans);
        state.counts.exported += (spans - rejected) as u64;
        self.drop_spans(&mut state, Reason::Rejected, rejected);
    }

    /// Writes off what is queued: nothing will be exported any more.
    pub(crate) fn close(&self) {
        let mut state = self.lock();
        if !state.counts.closed {
            state.counts.closed = true;
            let left = state.counts.queued();
            (state.counts.waiting, state.counts.exporting) = (0, 0);
            self.drop_spans(&mut state, Reason::Shutdown, left);
        }
    }

    fn drop_spans(&self, state: &mut State, reason: Reason, spans: usize) {
        if spans > 0 {
            state.counts.dropped.add(reason, spans);
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
        let exported = metrics.counter(EXPORTED, &[]);
        let queued = metrics.gauge(QUEUED, &[]);
        let dropped = Reason::ALL.map(|r| (r, metrics.counter(DROPPED, &[("reason", r.as_str())])));
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
    counts: &'a SpanCounts,
    spans: usize,
    ended: bool,
}

impl Export<'_> {
    /// The collector has confirmed it, without these many spans.
    pub(crate) fn confirmed(mut self, rejected: usize) {
        self.ended = true;
        self.counts.end_export(self.spans, rejected, None);
    }

    /// The collector has not confirmed it.
    pub(crate) fn failed(mut self, error: &str) {
        self.ended = true;
        self.counts.end_export(self.spans, 0, Some(shortened(error).into_owned()));
    }
}

impl Drop for Export<'_> {
    fn drop(&mut self) {
        if !self.ended {
            self.counts.end_export(self.spans, 0, Some("the export broke off".to_owned()));
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
