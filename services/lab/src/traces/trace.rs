//! One trace as it is kept: its spans, and where each came from.

use std::collections::HashMap;
use std::sync::Arc;

use opentelemetry_proto::tonic::common::v1::InstrumentationScope;
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span, TracesData};
use prost::Message as _;

use super::id::SpanId;
use super::weight;

/// Who exported a span. One value serves all spans of one export.
#[derive(Debug, PartialEq)]
pub(super) struct Source {
    pub(super) resource: Option<Resource>,
    pub(super) schema_url: String,
}

/// Which instrumentation, within a [`Source`], made a span.
#[derive(Debug, PartialEq)]
pub(super) struct Origin {
    pub(super) source: Arc<Source>,
    pub(super) scope: Option<InstrumentationScope>,
    pub(super) schema_url: String,
}

impl Origin {
    /// What a trace is charged for coming from here, in bytes: an export with
    /// a huge resource and a tiny span must not slip past the store's bound.
    fn weight(&self) -> usize {
        let resource = self.source.resource.as_ref();
        let resource = resource.map_or(0, |it| it.encoded_len() + weight::of_pairs(&it.attributes));
        let scope = self.scope.as_ref();
        let scope = scope.map_or(0, |it| it.encoded_len() + weight::of_pairs(&it.attributes));
        resource + self.source.schema_url.len() + scope + self.schema_url.len()
    }
}

/// A span with its origin.
#[derive(Debug)]
pub(super) struct Stored {
    pub(super) span: Span,
    pub(super) origin: Arc<Origin>,
}

/// The spans of one trace id.
#[derive(Debug, Default)]
pub(super) struct Trace {
    spans: HashMap<SpanId, Stored>,
    /// Exactly the origins of `spans`, each once, however many exports they came in.
    origins: Vec<Arc<Origin>>,
    bytes: usize,
    dropped: usize,
}

impl Trace {
    /// Adds a span, or replaces the one with its id; says whether there was room.
    pub(super) fn put(
        &mut self,
        id: SpanId,
        span: Span,
        origin: &Arc<Origin>,
        max_spans: usize,
    ) -> bool {
        if self.spans.len() >= max_spans && !self.spans.contains_key(&id) {
            self.dropped += 1;
            return false;
        }
        self.bytes += weight::of_span(&span);
        let origin = self.shared(origin);
        if let Some(replaced) = self.spans.insert(id, Stored { span, origin }) {
            self.bytes -= weight::of_span(&replaced.span);
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
    pub(super) fn by_start(&self) -> Vec<&Stored> {
        let mut spans: Vec<_> = self.spans.iter().collect();
        spans.sort_unstable_by_key(|(id, stored)| (stored.span.start_time_unix_nano, **id));
        spans.into_iter().map(|(_, stored)| stored).collect()
    }

    /// The trace as OTLP has it: one `ResourceSpans` per resource, in the order
    /// of their first spans.
    pub(super) fn assembled(&self) -> TracesData {
        let mut groups: Vec<(&Arc<Origin>, Vec<Span>)> = Vec::new();
        for Stored { span, origin } in self.by_start() {
            match groups.iter_mut().find(|(known, _)| Arc::ptr_eq(known, origin)) {
                Some((_, spans)) => spans.push(span.clone()),
                None => groups.push((origin, vec![span.clone()])),
            }
        }
        let mut sources: Vec<(&Arc<Source>, Vec<ScopeSpans>)> = Vec::new();
        for (origin, spans) in groups {
            let (scope, schema_url) = (origin.scope.clone(), origin.schema_url.clone());
            let spans = ScopeSpans { scope, spans, schema_url };
            match sources.iter_mut().find(|(known, _)| **known == origin.source) {
                Some((_, scopes)) => scopes.push(spans),
                None => sources.push((&origin.source, vec![spans])),
            }
        }
        let resource_spans = sources.into_iter().map(|(source, scope_spans)| ResourceSpans {
            resource: source.resource.clone(),
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
        self.origins.push(Arc::clone(origin));
        Arc::clone(origin)
    }

    fn forget_unless_used(&mut self, origin: &Arc<Origin>) {
        if self.spans.values().any(|stored| Arc::ptr_eq(&stored.origin, origin)) {
            return;
        }
        self.origins.retain(|known| !Arc::ptr_eq(known, origin));
        self.bytes -= origin.weight();
    }
}
