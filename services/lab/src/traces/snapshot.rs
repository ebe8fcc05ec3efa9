//! A trace as it was at one moment, put in order without keeping the store waiting.

use std::collections::HashMap;
use std::sync::Arc;

use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, TracesData};

use super::id::SpanId;
use super::packed::{Origin, Packed, Source};

/// A span of a snapshot.
#[derive(Debug)]
pub(super) struct Taken {
    pub(super) start_unix_nano: u64,
    pub(super) id: SpanId,
    pub(super) packed: Packed,
    pub(super) origin: Arc<Origin>,
}

/// The spans of one trace, in no order.
#[derive(Debug)]
pub(super) struct Snapshot {
    pub(super) spans: Vec<Taken>,
}

/// The spans of one resource.
#[derive(Debug)]
pub(super) struct OfSource {
    pub(super) source: Arc<Source>,
    pub(super) scopes: Vec<OfOrigin>,
}

/// The spans of one scope.
#[derive(Debug)]
pub(super) struct OfOrigin {
    pub(super) origin: Arc<Origin>,
    pub(super) spans: Vec<Packed>,
}

impl Snapshot {
    /// The spans by resource and scope, each in the order of its first span.
    ///
    /// Spans are ordered by start; by id where they start together, so that the
    /// order never depends on who exported first.
    pub(super) fn grouped(mut self) -> Vec<OfSource> {
        self.spans.sort_unstable_by_key(|span| (span.start_unix_nano, span.id));
        let mut sources: Vec<OfSource> = Vec::new();
        let mut places: HashMap<Arc<Source>, usize> = HashMap::new();
        let mut places_in_source: HashMap<Arc<Origin>, (usize, usize)> = HashMap::new();
        for Taken { packed, origin, .. } in self.spans {
            let (source, scope) =
                *places_in_source.entry(Arc::clone(&origin)).or_insert_with(|| {
                    let source = *places.entry(Arc::clone(&origin.source)).or_insert_with(|| {
                        let source = Arc::clone(&origin.source);
                        sources.push(OfSource { source, scopes: Vec::new() });
                        sources.len() - 1
                    });
                    let scopes = &mut sources[source].scopes;
                    scopes.push(OfOrigin { origin, spans: Vec::new() });
                    (source, scopes.len() - 1)
                });
            sources[source].scopes[scope].spans.push(packed);
        }
        sources
    }

    /// The trace as OTLP has it, unpacked.
    pub(super) fn assembled(self) -> TracesData {
        let scope_spans = |OfOrigin { origin, spans }: OfOrigin| ScopeSpans {
            scope: origin.scope.as_ref().and_then(Packed::decode),
            spans: spans.iter().filter_map(Packed::decode).collect(),
            schema_url: origin.schema_url.clone(),
        };
        let resource_spans = |OfSource { source, scopes }: OfSource| ResourceSpans {
            resource: source.resource.as_ref().and_then(Packed::decode),
            scope_spans: scopes.into_iter().map(scope_spans).collect(),
            schema_url: source.schema_url.clone(),
        };
        TracesData { resource_spans: self.grouped().into_iter().map(resource_spans).collect() }
    }
}
