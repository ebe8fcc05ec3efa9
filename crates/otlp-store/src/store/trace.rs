//! One trace as it is kept: its spans, and where each came from.

use std::collections::HashMap;
use std::sync::Arc;

use super::snapshot::{Snapshot, SnapshotSpan};
use crate::encoded::{EncodedSpan, Fingerprint, ScopeKey};
use crate::error::Rejection;
use crate::id::{SpanId, TraceId};
use crate::limits::Limits;

/// A hash table has up to twice as many places as entries.
const TABLE_SLACK: usize = 2;

/// The spans of one trace id.
#[derive(Debug)]
pub(super) struct Trace {
    pub(super) spans: HashMap<SpanId, EncodedSpan>,
    /// Exactly the scopes of `spans`, however many exports they came in, each
    /// with the number of its spans.
    scopes: HashMap<Fingerprint, (Arc<ScopeKey>, usize)>,
    bytes: usize,
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
        Self { spans, scopes, bytes, decoded_size: 0, dropped: 0 }
    }
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
        let (mut bytes, mut decoded_size) = (weight(&span), span.message.decoded_size);
        match self.scopes.get(&span.scope.fingerprint) {
            // Its export may have come with a copy of its own.
            Some((known, _)) => span.scope = Arc::clone(known),
            None => {
                bytes += scope_weight(&span.scope);
                decoded_size += span.scope.decoded_size();
            }
        }
        let full = self.spans.len() >= limits.spans_per_trace && !self.spans.contains_key(&id);
        if full
            || self.decoded_size + decoded_size > limits.decoded_bytes_per_trace
            || self.bytes + bytes > limits.bytes_per_trace
        {
            self.dropped += 1;
            return Err(Rejection::TraceFull);
        }
        self.bytes += bytes;
        self.decoded_size += decoded_size;
        let scope = self.scopes.entry(span.scope.fingerprint);
        scope.or_insert_with(|| (Arc::clone(&span.scope), 0)).1 += 1;
        if let Some(replaced) = self.spans.insert(id, span) {
            self.bytes -= weight(&replaced);
            self.decoded_size -= replaced.message.decoded_size;
            self.forget_unless_used(&replaced.scope);
        }
        Ok(())
    }

    /// What the trace counts against the store's bound, in bytes.
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    /// How many spans were refused because the trace was full.
    pub(super) fn dropped(&self) -> usize {
        self.dropped
    }

    /// The trace as it is now.
    pub(super) fn snapshot(&self) -> Snapshot {
        let taken = |(id, span): (&SpanId, &EncodedSpan)| SnapshotSpan {
            start_unix_nano: span.start_unix_nano,
            id: *id,
            message: span.message.clone(),
            scope: Arc::clone(&span.scope),
        };
        Snapshot { spans: self.spans.iter().map(taken).collect() }
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
