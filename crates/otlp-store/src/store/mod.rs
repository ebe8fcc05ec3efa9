//! The newest traces, within bounds of number and size.

mod evicted;
mod snapshot;
mod summary;
mod trace;

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use opentelemetry_proto::tonic::trace::v1::TracesData;
use tokio::sync::Notify;

use crate::encoded::EncodedSpan;
use crate::error::Rejection;
use crate::export::{Export, ExportedSpan};
use crate::id::{SpanId, TraceId};
use crate::limits::Limits;

use evicted::Evicted;
use trace::Trace;

pub(crate) use snapshot::{ResourceGroup, ScopeGroup, Snapshot};
pub use summary::TraceSummary;

/// How many spans are stored, and how many bytes of them, before the lock is
/// released.
const MAX_CHUNK: (usize, usize) = (256, 256 * 1024);

/// How many traces are summed up before the lock is released.
const SUMMARIES_AT_ONCE: usize = 16;

/// What became of an export's spans.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Inserted {
    /// Spans that were taken.
    pub accepted: usize,
    /// Spans refused for their trace id or span id.
    pub malformed: usize,
    /// Spans refused because their trace was full.
    pub over_limit: usize,
    /// Spans refused because they, their resource or their scope are too large.
    pub too_large: usize,
    /// Spans that came after their trace had been evicted. Their sender is
    /// not told: had they come in time, they would have been evicted as well.
    pub evicted: usize,
    /// Traces evicted to make room.
    pub evicted_traces: usize,
}

impl Inserted {
    /// Spans that were not taken and that their sender is told of.
    #[must_use]
    pub const fn rejected(self) -> usize {
        self.malformed + self.over_limit + self.too_large
    }

    pub(crate) const fn refused(&self, unfit: Rejection) -> usize {
        match unfit {
            Rejection::Malformed => self.malformed,
            Rejection::TooLarge => self.too_large,
            Rejection::TraceFull => self.over_limit,
            Rejection::TraceEvicted => self.evicted,
        }
    }

    fn add(&mut self, stored: Result<(), Rejection>) {
        let count = match stored {
            Ok(()) => &mut self.accepted,
            Err(Rejection::Malformed) => &mut self.malformed,
            Err(Rejection::TooLarge) => &mut self.too_large,
            Err(Rejection::TraceFull) => &mut self.over_limit,
            Err(Rejection::TraceEvicted) => &mut self.evicted,
        };
        *count += 1;
    }
}

/// A condition was not met in time.
#[derive(Debug, thiserror::Error)]
#[error("the expected spans did not arrive in time")]
pub struct DeadlinePassed {
    /// The trace at the deadline; None if nothing of it had arrived.
    pub last: Option<TracesData>,
}

/// The newest traces, within [`Limits`]; the trace whose first span arrived
/// earliest is evicted first. Later spans of an evicted trace are refused, so that
/// every trace in the store is whole.
#[derive(Debug)]
pub struct TraceStore {
    limits: Limits,
    contents: Mutex<Contents>,
}

impl Default for TraceStore {
    fn default() -> Self {
        Self::new(Limits::default())
    }
}

#[derive(Debug, Default)]
struct Contents {
    traces: HashMap<TraceId, Trace>,
    /// The ids of `traces` by arrival of their first span.
    arrivals: VecDeque<TraceId>,
    bytes: usize,
    evicted: Evicted,
    /// The traces that callers wait for, with the number of callers.
    awaited: HashMap<TraceId, (Arc<Notify>, usize)>,
}

impl TraceStore {
    /// An empty store.
    #[must_use]
    pub fn new(limits: Limits) -> Self {
        Self { limits, contents: Mutex::default() }
    }

    /// The bounds of this store.
    #[must_use]
    pub const fn limits(&self) -> Limits {
        self.limits
    }

    /// Takes the spans of one export. A span whose trace id and span id are
    /// known replaces the one that had them.
    pub(crate) fn insert(&self, export: &Export) -> Inserted {
        let mut inserted = Inserted { too_large: export.too_large, ..Inserted::default() };
        let mut changed = HashMap::new();
        let mut spans = export.spans();
        loop {
            // Copied before the lock is taken, so that nobody waits for that.
            let chunk = chunk(&mut spans);
            if chunk.is_empty() {
                break;
            }
            let mut evicted = Vec::new();
            let mut contents = self.contents();
            for span in chunk {
                let stored = span.and_then(|(id, span_id, span)| {
                    contents.put(id, span_id, span, self.limits)?;
                    if let Some((waiting, _)) = contents.awaited.get(&id) {
                        changed.entry(id).or_insert_with(|| Arc::clone(waiting));
                    }
                    Ok(())
                });
                inserted.add(stored);
                contents.evict(self.limits, &mut evicted);
            }
            drop(contents);
            // Freeing a large trace takes time as well, so it comes after the lock.
            inserted.evicted_traces += evicted.len();
        }
        changed.values().for_each(|waiting| waiting.notify_waiters());
        inserted
    }

    /// What is known of a trace: spans by start, grouped by resource and scope.
    #[must_use]
    pub fn trace(&self, id: TraceId) -> Option<TracesData> {
        self.snapshot(id).map(Snapshot::decoded)
    }

    /// A trace as it is now, still encoded.
    pub(crate) fn snapshot(&self, id: TraceId) -> Option<Snapshot> {
        self.contents().traces.get(&id).map(Trace::snapshot)
    }

    /// How many bytes of memory a trace uses.
    pub(crate) fn weight(&self, id: TraceId) -> Option<usize> {
        self.contents().traces.get(&id).map(Trace::bytes)
    }

    /// The newest traces, newest first, at most `limit` of them.
    #[must_use]
    pub fn recent(&self, limit: usize) -> Vec<TraceSummary> {
        self.summaries(&self.newest(limit))
    }

    /// The ids of the newest traces, newest first, at most `limit` of them.
    pub(crate) fn newest(&self, limit: usize) -> Vec<TraceId> {
        self.contents().arrivals.iter().rev().take(limit).copied().collect()
    }

    /// Sums up traces, a few under each lock. A trace that is evicted meanwhile is
    /// left out.
    pub(crate) fn summaries(&self, ids: &[TraceId]) -> Vec<TraceSummary> {
        let mut summaries = Vec::with_capacity(ids.len());
        for some in ids.chunks(SUMMARIES_AT_ONCE) {
            let contents = self.contents();
            let summary = |id: &TraceId| TraceSummary::of(*id, contents.traces.get(id)?);
            summaries.extend(some.iter().filter_map(summary));
        }
        summaries
    }

    /// Waits until `check` finds what it looks for in a trace, and returns it.
    ///
    /// `check` sees the trace as it is now and again after every export with a
    /// span of it; spans arrive from several processes, so it must expect to see
    /// a trace in part.
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
        let waiting = self.waiting(id);
        let found = async {
            loop {
                // Before the check: an export between the two must wake us.
                let changed = waiting.changed.notified();
                if let Some(found) = self.trace(id).as_ref().and_then(&check) {
                    return found;
                }
                changed.await;
            }
        };
        let found = tokio::time::timeout(deadline, found).await;
        found.map_err(|_| DeadlinePassed { last: self.trace(id) })
    }

    fn waiting(&self, id: TraceId) -> Waiting<'_> {
        let mut contents = self.contents();
        let (changed, waiters) = contents.awaited.entry(id).or_default();
        *waiters += 1;
        Waiting { store: self, id, changed: Arc::clone(changed) }
    }

    fn contents(&self) -> MutexGuard<'_, Contents> {
        self.contents.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A caller that waits for a trace, until this is dropped.
struct Waiting<'a> {
    store: &'a TraceStore,
    id: TraceId,
    changed: Arc<Notify>,
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        let mut contents = self.store.contents();
        let Some((_, waiters)) = contents.awaited.get_mut(&self.id) else { return };
        *waiters -= 1;
        if *waiters == 0 {
            contents.awaited.remove(&self.id);
        }
    }
}

/// The next spans, as many as are stored at once.
fn chunk(spans: &mut impl Iterator<Item = ExportedSpan>) -> Vec<ExportedSpan> {
    let (mut chunk, mut bytes) = (Vec::new(), 0);
    while chunk.len() < MAX_CHUNK.0
        && bytes < MAX_CHUNK.1
        && let Some(span) = spans.next()
    {
        bytes += span.as_ref().map_or(0, |(_, _, span)| span.weight());
        chunk.push(span);
    }
    chunk
}

impl Contents {
    fn put(
        &mut self,
        id: TraceId,
        span_id: SpanId,
        span: EncodedSpan,
        limits: Limits,
    ) -> Result<(), Rejection> {
        if !self.traces.contains_key(&id) && self.evicted.contains(&id) {
            return Err(Rejection::TraceEvicted);
        }
        let trace = self.traces.entry(id).or_insert_with(|| {
            let trace = Trace::default();
            self.arrivals.push_back(id);
            self.bytes += trace.bytes();
            trace
        });
        self.bytes -= trace.bytes();
        let stored = trace.put(span_id, span, limits);
        self.bytes += trace.bytes();
        stored
    }

    fn evict(&mut self, limits: Limits, evicted: &mut Vec<Trace>) {
        while self.arrivals.len() > limits.traces || self.bytes > limits.bytes {
            let Some(oldest) = self.arrivals.pop_front() else { return };
            if let Some(trace) = self.traces.remove(&oldest) {
                self.bytes -= trace.bytes();
                evicted.push(trace);
            }
            self.evicted.add(oldest);
        }
    }
}

#[cfg(test)]
mod tests;
