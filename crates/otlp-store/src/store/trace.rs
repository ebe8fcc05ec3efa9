//! One trace as it is kept: its spans and log records, and where each came from.

use std::collections::HashMap;
use std::sync::Arc;

use super::snapshot::{Snapshot, SnapshotItem};
use crate::encoded::{EncodedMessage, EncodedRecord, EncodedSpan, Fingerprint, ScopeKey};
use crate::error::Rejection;
use crate::id::{SpanId, TraceId};
use crate::limits::Limits;
use crate::signal::Signal;

/// A hash table has up to twice as many places as entries.
const TABLE_SLACK: usize = 2;

/// The spans and log records of one trace id.
#[derive(Debug)]
pub(super) struct Trace {
    pub(super) spans: HashMap<SpanId, EncodedSpan>,
    /// In the order of their arrival.
    records: Vec<EncodedRecord>,
    /// Exactly the scopes of both, however many exports they came in, each with the
    /// number of its spans and records.
    scopes: HashMap<Fingerprint, (Arc<ScopeKey>, usize)>,
    bytes: usize,
    /// What the records take of that.
    record_bytes: usize,
    /// How many bytes it takes once it is decoded, so that reading it is bounded too.
    decoded_size: usize,
    dropped: usize,
}

impl Default for Trace {
    fn default() -> Self {
        // The trace in the store's table, its id in the order of arrival, and
        // the smallest tables of its own.
        let bytes = TABLE_SLACK * (size_of::<(TraceId, Self)>() + size_of::<TraceId>()) + 256;
        let (spans, scopes) = (HashMap::new(), HashMap::new());
        let records = Vec::new();
        Self { spans, records, scopes, bytes, record_bytes: 0, decoded_size: 0, dropped: 0 }
    }
}

/// What an item takes, with its scope where the trace does not have it yet.
struct Cost {
    bytes: usize,
    decoded_size: usize,
}

impl Trace {
    /// Adds a span, or replaces the one with its id.
    ///
    /// # Errors
    ///
    /// When there is no room for it.
    pub(super) fn put(
        &mut self,
        id: SpanId,
        mut span: EncodedSpan,
        limits: Limits,
    ) -> Result<(), Rejection> {
        let cost = self.cost(weight(&span), &span.message, &mut span.scope);
        let full = self.spans.len() >= limits.spans_per_trace && !self.spans.contains_key(&id);
        if full || !self.has_room(&cost, limits) {
            self.dropped += 1;
            return Err(Rejection::TraceFull);
        }
        self.add(&cost, &span.scope);
        if let Some(replaced) = self.spans.insert(id, span) {
            self.bytes -= weight(&replaced);
            self.decoded_size -= replaced.message.decoded_size;
            self.forget_unless_used(&replaced.scope);
        }
        Ok(())
    }

    /// Adds a log record. One that is sent twice is there twice: it has no id.
    ///
    /// # Errors
    ///
    /// When there is no room for it.
    pub(super) fn put_record(
        &mut self,
        mut record: EncodedRecord,
        limits: Limits,
    ) -> Result<(), Rejection> {
        let weight = TABLE_SLACK * size_of::<EncodedRecord>() + record.weight();
        let cost = self.cost(weight, &record.message, &mut record.scope);
        let full = self.records.len() >= limits.logs_per_trace
            || self.record_bytes + cost.bytes > limits.log_bytes_per_trace;
        if full || !self.has_room(&cost, limits) {
            return Err(Rejection::TraceFull);
        }
        self.add(&cost, &record.scope);
        self.record_bytes += cost.bytes;
        self.records.push(record);
        Ok(())
    }

    fn cost(&self, weight: usize, message: &EncodedMessage, scope: &mut Arc<ScopeKey>) -> Cost {
        let mut cost = Cost { bytes: weight, decoded_size: message.decoded_size };
        match self.scopes.get(&scope.fingerprint) {
            // Its export may have come with a copy of its own.
            Some((known, _)) => *scope = Arc::clone(known),
            None => {
                cost.bytes += scope_weight(scope);
                cost.decoded_size += scope.decoded_size();
            }
        }
        cost
    }

    fn has_room(&self, cost: &Cost, limits: Limits) -> bool {
        self.decoded_size + cost.decoded_size <= limits.decoded_bytes_per_trace
            && self.bytes + cost.bytes <= limits.bytes_per_trace
    }

    fn add(&mut self, cost: &Cost, scope: &Arc<ScopeKey>) {
        self.bytes += cost.bytes;
        self.decoded_size += cost.decoded_size;
        let (_, uses) =
            self.scopes.entry(scope.fingerprint).or_insert_with(|| (Arc::clone(scope), 0));
        *uses += 1;
    }

    /// What the trace counts against the store's bound, in bytes.
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    /// How many spans were refused because the trace was full.
    pub(super) fn dropped(&self) -> usize {
        self.dropped
    }

    /// How many bytes its spans take, or its log records.
    pub(super) fn weight(&self, of: Signal) -> usize {
        match of {
            Signal::Spans => self.bytes - self.record_bytes,
            Signal::Logs => self.record_bytes,
        }
    }

    /// The spans as they are now, or the log records.
    ///
    /// Spans are ordered by start; by id where they start together, so that the order
    /// never depends on who exported first. Log records of one time are in the order of
    /// their arrival.
    pub(super) fn snapshot(&self, of: Signal) -> Snapshot {
        let item = |order, message: &EncodedMessage, scope: &Arc<ScopeKey>| SnapshotItem {
            order,
            message: message.clone(),
            scope: Arc::clone(scope),
        };
        let span = |(id, span): (&SpanId, &EncodedSpan)| {
            let id = u64::from_be_bytes(*id.as_bytes());
            item((span.start_unix_nano, id), &span.message, &span.scope)
        };
        let record = |(place, record): (u64, &EncodedRecord)| {
            item((record.at_unix_nano, place), &record.message, &record.scope)
        };
        let items = match of {
            Signal::Spans => self.spans.iter().map(span).collect(),
            Signal::Logs => (0..).zip(&self.records).map(record).collect(),
        };
        Snapshot { items }
    }

    fn forget_unless_used(&mut self, scope: &ScopeKey) {
        let Some((_, uses)) = self.scopes.get_mut(&scope.fingerprint) else { return };
        *uses -= 1;
        if *uses == 0 {
            self.scopes.remove(&scope.fingerprint);
            self.bytes -= scope_weight(scope);
            self.decoded_size -= scope.decoded_size();
        }
    }
}

fn weight(span: &EncodedSpan) -> usize {
    TABLE_SLACK * size_of::<(SpanId, EncodedSpan)>() + span.weight()
}

fn scope_weight(scope: &ScopeKey) -> usize {
    TABLE_SLACK * size_of::<(Fingerprint, (Arc<ScopeKey>, usize))>() + scope.weight()
}
