//! The newest traces, within bounds of number and size.

mod evicted;
mod kept;
mod snapshot;
mod summary;
mod trace;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use opentelemetry_proto::tonic::logs::v1::LogsData;
use opentelemetry_proto::tonic::trace::v1::TracesData;
use tokio::sync::Notify;

use crate::encoded::{EncodedRecord, EncodedSpan};
use crate::error::Rejection;
use crate::export::Export;
use crate::id::{SpanId, TraceId};
use crate::limits::{Limits, MAX_WAITING, MAX_WAITING_BYTES};
use crate::signal::Signal;

use evicted::Evicted;
use kept::Kept;
use trace::Trace;

pub(crate) use snapshot::{ResourceGroup, ScopeGroup, Snapshot};
pub use summary::TraceSummary;

/// How many items are stored, and how many bytes of them, before the lock is
/// released.
const MAX_CHUNK: (usize, usize) = (256, 256 * 1024);

/// How many traces are summed up before the lock is released.
const SUMMARIES_AT_ONCE: usize = 16;

/// What became of an export's spans or log records.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Inserted {
    /// Items that were taken.
    pub accepted: usize,
    /// Spans refused for their trace id or span id.
    pub malformed: usize,
    /// Items refused because their trace was full.
    pub over_limit: usize,
    /// Items refused because they, their resource or their scope are too large.
    pub too_large: usize,
    /// Log records that belong to no trace. Their sender is not told: it has no part in
    /// that.
    pub without_trace: usize,
    /// Items that came after their trace had been evicted. Their sender is
    /// not told: had they come in time, they would have been evicted as well.
    pub evicted: usize,
    /// Traces evicted to make room.
    pub evicted_traces: usize,
}

impl Inserted {
    /// Items that were not taken and that their sender is told of.
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
            Rejection::NoTrace => self.without_trace,
        }
    }

    fn add(&mut self, stored: Result<(), Rejection>) {
        let count = match stored {
            Ok(()) => &mut self.accepted,
            Err(Rejection::Malformed) => &mut self.malformed,
            Err(Rejection::TooLarge) => &mut self.too_large,
            Err(Rejection::TraceFull) => &mut self.over_limit,
            Err(Rejection::TraceEvicted) => &mut self.evicted,
            Err(Rejection::NoTrace) => &mut self.without_trace,
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
/// earliest is evicted first, with its log records. Later spans of an evicted trace are
/// refused, so that every trace in the store is whole. Log records that come before the
/// first span wait for it, in a place of their own: they evict no trace.
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
    /// Those that have spans, by arrival of the first one.
    traces: Kept,
    /// Those that have only log records.
    waiting: Kept,
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
        let mut changed = HashMap::new();
        let weight = |(_, _, span): &(_, _, EncodedSpan)| span.weight();
        let inserted = self.store(export, export.spans(), weight, |contents, item| {
            let (id, span_id, span) = item;
            contents.put(id, span_id, span, self.limits)?;
            if let Some((waiting, _)) = contents.awaited.get(&id) {
                changed.entry(id).or_insert_with(|| Arc::clone(waiting));
            }
            Ok(())
        });
        changed.values().for_each(|waiting| waiting.notify_waiters());
        inserted
    }

    /// Takes the log records of one export.
    pub(crate) fn insert_logs(&self, export: &Export) -> Inserted {
        let weight = |(_, record): &(_, EncodedRecord)| record.weight();
        self.store(export, export.records(), weight, |contents, (id, record)| {
            contents.put_record(id, record, self.limits)
        })
    }

    fn store<T>(
        &self,
        export: &Export,
        mut items: impl Iterator<Item = Result<T, Rejection>>,
        weight: impl Fn(&T) -> usize,
        mut put: impl FnMut(&mut Contents, T) -> Result<(), Rejection>,
    ) -> Inserted {
        let mut inserted = Inserted { too_large: export.too_large, ..Inserted::default() };
        loop {
            // Copied before the lock is taken, so that nobody waits for that.
            let chunk = chunk(&mut items, &weight);
            if chunk.is_empty() {
                break;
            }
            let mut removed = Vec::new();
            let mut contents = self.contents();
            for item in chunk {
                inserted.add(item.and_then(|item| put(&mut contents, item)));
                inserted.evicted_traces += contents.evict(self.limits, &mut removed);
            }
            drop(contents);
            // Freeing a large trace takes time as well, so it comes after the lock.
            drop(removed);
        }
        inserted
    }

    /// What is known of a trace: spans by start, grouped by resource and scope.
    #[must_use]
    pub fn trace(&self, id: TraceId) -> Option<TracesData> {
        self.snapshot(Signal::Spans, id).map(Snapshot::decoded)
    }

    /// The log records of a trace by time, grouped by resource and scope; None if nothing
    /// of the trace is known.
    #[must_use]
    pub fn logs(&self, id: TraceId) -> Option<LogsData> {
        self.snapshot(Signal::Logs, id).map(Snapshot::decoded_logs)
    }

    /// The spans of a trace, or its log records, as they are now, still encoded.
    pub(crate) fn snapshot(&self, of: Signal, id: TraceId) -> Option<Snapshot> {
        self.contents().find(of, id).map(|trace| trace.snapshot(of))
    }

    /// How many bytes of memory they use.
    pub(crate) fn weight(&self, of: Signal, id: TraceId) -> Option<usize> {
        self.contents().find(of, id).map(|trace| trace.weight(of))
    }

    /// The newest traces, newest first, at most `limit` of them.
    #[must_use]
    pub fn recent(&self, limit: usize) -> Vec<TraceSummary> {
        self.summaries(&self.newest(limit))
    }

    /// The newest trace of which this is true, if it is among so many of the newest.
    pub fn find(&self, among: usize, is: impl Fn(&TracesData) -> bool) -> Option<TraceId> {
        let found = |id: &TraceId| self.trace(*id).as_ref().is_some_and(&is);
        self.newest(among).into_iter().find(found)
    }

    /// The ids of the newest traces, newest first, at most `limit` of them.
    pub(crate) fn newest(&self, limit: usize) -> Vec<TraceId> {
        self.contents().traces.newest().take(limit).collect()
    }

    /// Sums up traces, a few under each lock. A trace that is evicted meanwhile is
    /// left out.
    pub(crate) fn summaries(&self, ids: &[TraceId]) -> Vec<TraceSummary> {
        let mut summaries = Vec::with_capacity(ids.len());
        for some in ids.chunks(SUMMARIES_AT_ONCE) {
            let contents = self.contents();
            let summary = |id: &TraceId| TraceSummary::of(*id, contents.traces.get(*id)?);
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

/// The next items, as many as are stored at once.
fn chunk<T>(
    items: &mut impl Iterator<Item = Result<T, Rejection>>,
    weight: impl Fn(&T) -> usize,
) -> Vec<Result<T, Rejection>> {
    let (mut chunk, mut bytes) = (Vec::new(), 0);
    while chunk.len() < MAX_CHUNK.0
        && bytes < MAX_CHUNK.1
        && let Some(item) = items.next()
    {
        bytes += item.as_ref().map_or(0, &weight);
        chunk.push(item);
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
        if self.is_evicted(id) {
            return Err(Rejection::TraceEvicted);
        }
        let waiting = &mut self.waiting;
        let begin = || waiting.take(id).unwrap_or_default();
        self.traces.change(id, begin, |trace| trace.put(span_id, span, limits))
    }

    fn put_record(
        &mut self,
        id: TraceId,
        record: EncodedRecord,
        limits: Limits,
    ) -> Result<(), Rejection> {
        if self.is_evicted(id) {
            return Err(Rejection::TraceEvicted);
        }
        let has_spans = self.traces.get(id).is_some();
        let place = if has_spans { &mut self.traces } else { &mut self.waiting };
        place.change(id, Trace::default, |trace| trace.put_record(record, limits))
    }

    fn is_evicted(&self, id: TraceId) -> bool {
        self.traces.get(id).is_none() && self.evicted.contains(&id)
    }

    /// A trace that has some of these.
    fn find(&self, of: Signal, id: TraceId) -> Option<&Trace> {
        let waiting = || self.waiting.get(id).filter(|_| of == Signal::Logs);
        self.traces.get(id).or_else(waiting)
    }

    /// Makes room, and says how many traces that have spans were evicted for it.
    fn evict(&mut self, limits: Limits, removed: &mut Vec<Trace>) -> usize {
        let mut evicted = 0;
        while let Some((id, trace)) = self.traces.evict(limits.traces, limits.bytes) {
            self.evicted.add(id);
            removed.extend(trace);
            evicted += 1;
        }
        // Their spans may still come, so these are not noted as evicted.
        while let Some((_, trace)) = self.waiting.evict(MAX_WAITING, MAX_WAITING_BYTES) {
            removed.extend(trace);
        }
        evicted
    }
}

#[cfg(test)]
mod tests;
