//! One trace as it is kept: its spans, and where each came from.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::Arc;

use super::elements::MAX_ELEMENTS;
use super::id::{SpanId, TraceId};
use super::metrics::Unfit;
use super::packed::{Origin, Packed, PackedSpan};
use super::snapshot::{Snapshot, Taken};
use super::store::Limits;

/// A hash table has up to twice as many places as entries.
const TABLE_SLACK: usize = 2;

/// A span with its origin.
#[derive(Debug)]
pub(super) struct Stored {
    pub(super) start_unix_nano: u64,
    pub(super) end_unix_nano: u64,
    pub(super) parent: Option<SpanId>,
    /// Where its name stands in it.
    pub(super) name: Range<u32>,
    pub(super) packed: Packed,
    pub(super) origin: Arc<Origin>,
}

impl Stored {
    fn weight(&self) -> usize {
        TABLE_SLACK * size_of::<(SpanId, Self)>() + self.packed.weight()
    }
}

/// The spans of one trace id.
#[derive(Debug)]
pub(super) struct Trace {
    pub(super) spans: HashMap<SpanId, Stored>,
    /// Exactly the origins of `spans`, however many exports they came in, each
    /// with the number of its spans.
    pub(super) origins: HashMap<Arc<Origin>, usize>,
    bytes: usize,
    /// What the trace unpacks to, so that reading it is bounded too.
    elements: usize,
    dropped: usize,
}

impl Default for Trace {
    fn default() -> Self {
        // The trace in the store's table, its id in the order of arrival, and
        // the smallest tables of its own.
        let bytes = TABLE_SLACK * (size_of::<(TraceId, Self)>() + size_of::<TraceId>()) + 256;
        let (spans, origins) = (HashMap::new(), HashMap::new());
        Self { spans, origins, bytes, elements: 0, dropped: 0 }
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
        span: PackedSpan,
        origin: &Arc<Origin>,
        limits: Limits,
    ) -> Result<(), Unfit> {
        let PackedSpan { span_id, parent, start_unix_nano, end_unix_nano, name, packed, .. } = span;
        let known = self.origins.get_key_value(origin).map(|(known, _)| Arc::clone(known));
        let (bytes, elements) = match known {
            Some(_) => (0, 0),
            None => (origin_weight(origin), origin.elements()),
        };
        let origin = known.unwrap_or_else(|| Arc::clone(origin));
        let stored = Stored { start_unix_nano, end_unix_nano, parent, name, packed, origin };
        let (bytes, elements) = (bytes + stored.weight(), elements + stored.packed.elements);
        let full = self.spans.len() >= limits.spans_per_trace && !self.spans.contains_key(&span_id);
        if full
            || self.elements + elements > MAX_ELEMENTS
            || self.bytes + bytes > limits.bytes_per_trace
        {
            self.dropped += 1;
            return Err(Unfit::TraceFull);
        }
        self.bytes += bytes;
        self.elements += elements;
        *self.origins.entry(Arc::clone(&stored.origin)).or_default() += 1;
        if let Some(replaced) = self.spans.insert(span_id, stored) {
            self.bytes -= replaced.weight();
            self.elements -= replaced.packed.elements;
            self.forget_unless_used(&replaced.origin);
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
        let taken = |(id, stored): (&SpanId, &Stored)| Taken {
            start_unix_nano: stored.start_unix_nano,
            id: *id,
            packed: stored.packed.clone(),
            origin: Arc::clone(&stored.origin),
        };
        Snapshot { spans: self.spans.iter().map(taken).collect() }
    }

    fn forget_unless_used(&mut self, origin: &Arc<Origin>) {
        let Some(uses) = self.origins.get_mut(origin) else { return };
        *uses -= 1;
        if *uses == 0 {
            self.origins.remove(origin);
            self.bytes -= origin_weight(origin);
            self.elements -= origin.elements();
        }
    }
}

fn origin_weight(origin: &Origin) -> usize {
    TABLE_SLACK * size_of::<(Arc<Origin>, usize)>() + origin.weight()
}
