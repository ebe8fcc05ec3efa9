//! One trace as it is kept: its spans, and where each came from.

use std::collections::HashMap;
use std::sync::Arc;

use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span, TracesData};

use super::elements::MAX_ELEMENTS;
use super::id::SpanId;
use super::packed::{Origin, Packed, PackedSpan, Source};

/// A span with its origin.
#[derive(Debug)]
struct Stored {
    start_unix_nano: u64,
    packed: Packed,
    origin: Arc<Origin>,
}

impl Stored {
    fn weight(&self) -> usize {
        size_of::<(SpanId, Self)>() + self.packed.weight()
    }
}

/// The spans of one trace id.
#[derive(Debug, Default)]
pub(super) struct Trace {
    spans: HashMap<SpanId, Stored>,
    /// Exactly the origins of `spans`, each once, however many exports they came in.
    origins: Vec<Arc<Origin>>,
    bytes: usize,
    /// What the trace unpacks to, so that reading it is bounded too.
    elements: usize,
    dropped: usize,
}

impl Trace {
    /// Adds a span, or replaces the one with its id; says whether there was room.
    pub(super) fn put(
        &mut self,
        id: SpanId,
        span: PackedSpan,
        origin: &Arc<Origin>,
        max_spans: usize,
    ) -> bool {
        let full = self.spans.len() >= max_spans && !self.spans.contains_key(&id);
        let elements = self.elements + span.packed.elements + origin.elements();
        if full || elements > MAX_ELEMENTS {
            self.dropped += 1;
            return false;
        }
        let PackedSpan { start_unix_nano, packed, .. } = span;
        let stored = Stored { start_unix_nano, packed, origin: self.shared(origin) };
        self.bytes += stored.weight();
        self.elements += stored.packed.elements;
        if let Some(replaced) = self.spans.insert(id, stored) {
            self.bytes -= replaced.weight();
            self.elements -= replaced.packed.elements;
            self.forget_unless_used(&replaced.origin);
        }
        true
    }

    /// What the trace counts against the store's bound, in bytes.
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    /// How many spans were refused because the trace was full.
    pub(super) fn dropped(&self) -> usize {
        self.dropped
    }

    /// The spans by start; by id where they start together, so that the order
    /// never depends on who exported first.
    pub(super) fn by_start(&self) -> Vec<(&Arc<Origin>, Span)> {
        let mut spans: Vec<_> = self.spans.iter().collect();
        spans.sort_unstable_by_key(|(id, stored)| (stored.start_unix_nano, **id));
        let unpacked = |stored: &Stored| stored.packed.decode();
        spans.into_iter().filter_map(|(_, it)| Some((&it.origin, unpacked(it)?))).collect()
    }

    /// The trace as OTLP has it: one `ResourceSpans` per resource, in the order
    /// of their first spans.
    pub(super) fn assembled(&self) -> TracesData {
        let mut groups: Vec<(&Arc<Origin>, Vec<Span>)> = Vec::new();
        for (origin, span) in self.by_start() {
            match groups.iter_mut().find(|(known, _)| Arc::ptr_eq(known, origin)) {
                Some((_, spans)) => spans.push(span),
                None => groups.push((origin, vec![span])),
            }
        }
        let mut sources: Vec<(&Arc<Source>, Vec<ScopeSpans>)> = Vec::new();
        for (origin, spans) in groups {
            let scope = origin.scope.as_ref().and_then(Packed::decode);
            let spans = ScopeSpans { scope, spans, schema_url: origin.schema_url.clone() };
            match sources.iter_mut().find(|(known, _)| **known == origin.source) {
                Some((_, scopes)) => scopes.push(spans),
                None => sources.push((&origin.source, vec![spans])),
            }
        }
        let resource_spans = sources.into_iter().map(|(source, scope_spans)| ResourceSpans {
            resource: source.resource.as_ref().and_then(Packed::decode),
            scope_spans,
            schema_url: source.schema_url.clone(),
        });
        TracesData { resource_spans: resource_spans.collect() }
    }

    fn shared(&mut self, origin: &Arc<Origin>) -> Arc<Origin> {
        let known =
            self.origins.iter().find(|known| Arc::ptr_eq(known, origin) || *known == origin);
        if let Some(known) = known {
            return Arc::clone(known);
        }
        self.bytes += origin.weight();
        self.elements += origin.elements();
        self.origins.push(Arc::clone(origin));
        Arc::clone(origin)
    }

    fn forget_unless_used(&mut self, origin: &Arc<Origin>) {
        if self.spans.values().any(|stored| Arc::ptr_eq(&stored.origin, origin)) {
            return;
        }
        self.origins.retain(|known| !Arc::ptr_eq(known, origin));
        self.bytes -= origin.weight();
        self.elements -= origin.elements();
    }
}
