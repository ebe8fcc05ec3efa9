//! The newest traces, within bounds of number and size.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use opentelemetry_proto::tonic::trace::v1::TracesData;
use tokio::sync::{Notify, Semaphore, SemaphorePermit};

use super::id::TraceId;
use super::packed::{Batch, Origin, PackedExport, PackedSpan};
use super::summary::TraceSummary;
use super::trace::Trace;

/// How many traces a store keeps, unless told otherwise.
pub const MAX_TRACES: usize = 2_000;

/// How much a store keeps, unless told otherwise: 64 MiB, as it stands in memory.
pub const MAX_BYTES: usize = 64 * 1024 * 1024;

/// How many spans a store keeps of one trace, unless told otherwise.
pub const MAX_SPANS_PER_TRACE: usize = 2_000;

/// How many exports are read and decoded at one time; the others wait.
const MAX_EXPORTS: usize = 4;

/// The bounds of a store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// How many traces are kept.
    pub traces: usize,
    /// How many bytes are kept: of spans, resources and scopes, in memory.
    pub bytes: usize,
    /// How many spans of one trace are kept.
    pub spans_per_trace: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { traces: MAX_TRACES, bytes: MAX_BYTES, spans_per_trace: MAX_SPANS_PER_TRACE }
    }
}

/// What became of an export's spans.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Inserted {
    /// Spans that were taken.
    pub accepted: usize,
    /// Spans refused for their trace id or span id.
    pub malformed: usize,
    /// Spans refused because their trace was full.
    pub over_limit: usize,
}

impl Inserted {
    /// Spans that were not taken.
    #[must_use]
    pub const fn rejected(self) -> usize {
        self.malformed + self.over_limit
    }
}

/// A condition was not met in time.
#[derive(Debug, thiserror::Error)]
#[error("the trace did not become what was waited for in time")]
pub struct DeadlinePassed {
    /// The trace at the deadline; None if nothing of it had arrived.
    pub last: Option<TracesData>,
}

/// The newest traces, within [`Limits`]; the trace whose first span arrived
/// earliest goes first.
#[derive(Debug)]
pub struct TraceStore {
    limits: Limits,
    held: Mutex<Held>,
    changed: Notify,
    turns: Semaphore,
}

impl Default for TraceStore {
    fn default() -> Self {
        Self::new(Limits::default())
    }
}

#[derive(Debug, Default)]
struct Held {
    traces: HashMap<TraceId, Trace>,
    /// The ids of `traces` by arrival of their first span.
    arrivals: VecDeque<TraceId>,
    bytes: usize,
}

impl TraceStore {
    /// An empty store.
    #[must_use]
    pub fn new(limits: Limits) -> Self {
        Self {
            limits,
            held: Mutex::default(),
            changed: Notify::new(),
            turns: Semaphore::new(MAX_EXPORTS),
        }
    }

    /// The bounds of this store.
    #[must_use]
    pub const fn limits(&self) -> Limits {
        self.limits
    }

    /// Waits for a turn to export, and keeps it until the permit is dropped.
    pub(super) async fn turn(&self) -> Option<SemaphorePermit<'_>> {
        // It is never closed, so there is always a turn in the end.
        self.turns.acquire().await.ok()
    }

    /// Takes the spans of one export. A span whose trace id and span id are
    /// known replaces the one that had them.
    pub(super) fn insert(&self, export: PackedExport) -> Inserted {
        let mut inserted = Inserted::default();
        let mut held = self.held();
        for Batch { origin, spans } in export.batches {
            for span in spans {
                held.put(span, &origin, self.limits, &mut inserted);
            }
        }
        held.evict(self.limits);
        drop(held);
        self.changed.notify_waiters();
        inserted
    }

    /// What is known of a trace: spans by start, grouped by resource and scope.
    #[must_use]
    pub fn trace(&self, id: TraceId) -> Option<TracesData> {
        self.held().traces.get(&id).map(Trace::assembled)
    }

    /// The newest traces, newest first, at most `limit` of them.
    #[must_use]
    pub fn recent(&self, limit: usize) -> Vec<TraceSummary> {
        let held = self.held();
        let newest = held.arrivals.iter().rev().take(limit);
        newest.filter_map(|id| TraceSummary::of(*id, held.traces.get(id)?)).collect()
    }

    /// Waits until `check` finds what it looks for in a trace, and gives that.
    ///
    /// `check` sees the trace as it is now and again after every export; spans
    /// arrive from several processes, so it must expect to see a trace in part.
    ///
    /// # Errors
    ///
    /// When `deadline` has passed; the error has the trace as it then was.
    pub async fn wait_for<T>(
        &self,
        id: TraceId,
        deadline: Duration,
        check: impl Fn(&TracesData) -> Option<T>,
    ) -> Result<T, DeadlinePassed> {
        let found = async {
            loop {
                // Before the check: an export between the two must wake us.
                let changed = self.changed.notified();
                if let Some(found) = self.trace(id).as_ref().and_then(&check) {
                    return found;
                }
                changed.await;
            }
        };
        let found = tokio::time::timeout(deadline, found).await;
        found.map_err(|_| DeadlinePassed { last: self.trace(id) })
    }

    fn held(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Held {
    fn put(
        &mut self,
        span: PackedSpan,
        origin: &Arc<Origin>,
        limits: Limits,
        inserted: &mut Inserted,
    ) {
        let Some((trace_id, span_id)) = span.ids else {
            inserted.malformed += 1;
            return;
        };
        let trace = self.traces.entry(trace_id).or_insert_with(|| {
            self.arrivals.push_back(trace_id);
            Trace::default()
        });
        self.bytes -= trace.bytes();
        if trace.put(span_id, span, origin, limits.spans_per_trace) {
            inserted.accepted += 1;
        } else {
            inserted.over_limit += 1;
        }
        self.bytes += trace.bytes();
    }

    fn evict(&mut self, limits: Limits) {
        while self.arrivals.len() > limits.traces || self.bytes > limits.bytes {
            let Some(oldest) = self.arrivals.pop_front() else { return };
            let evicted = self.traces.remove(&oldest);
            self.bytes -= evicted.map_or(0, |trace| trace.bytes());
        }
    }
}

#[cfg(test)]
mod tests;
