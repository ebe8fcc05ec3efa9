//! A trace as it was at one moment, put in order without keeping the store waiting.

use std::collections::HashMap;
use std::sync::Arc;

use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, TracesData};

use crate::encoded::{EncodedMessage, Fingerprint, ResourceKey, ScopeKey};
use crate::id::SpanId;

/// A span of a snapshot.
#[derive(Debug)]
pub(crate) struct SnapshotSpan {
    pub(crate) start_unix_nano: u64,
    pub(crate) id: SpanId,
    pub(crate) message: EncodedMessage,
    pub(crate) scope: Arc<ScopeKey>,
}

/// The spans of one trace, in no order.
#[derive(Debug)]
pub(crate) struct Snapshot {
    pub(crate) spans: Vec<SnapshotSpan>,
}

/// The spans of one resource.
#[derive(Debug)]
pub(crate) struct ResourceGroup {
    pub(crate) resource: Arc<ResourceKey>,
    pub(crate) scopes: Vec<ScopeGroup>,
}

/// The spans of one scope.
#[derive(Debug)]
pub(crate) struct ScopeGroup {
    pub(crate) scope: Arc<ScopeKey>,
    pub(crate) spans: Vec<EncodedMessage>,
}

impl Snapshot {
    /// The spans by resource and scope, each in the order of its first span.
    ///
    /// Spans are ordered by start; by id where they start together, so that the
    /// order never depends on who exported first.
    pub(crate) fn grouped(mut self) -> Vec<ResourceGroup> {
        self.spans.sort_unstable_by_key(|span| (span.start_unix_nano, span.id));
        let mut groups: Vec<ResourceGroup> = Vec::new();
        let mut resources: HashMap<Fingerprint, usize> = HashMap::new();
        let mut scopes: HashMap<Fingerprint, (usize, usize)> = HashMap::new();
        for SnapshotSpan { message, scope, .. } in self.spans {
            let (resource, scope) = *scopes.entry(scope.fingerprint).or_insert_with(|| {
                let resource = *resources.entry(scope.resource.fingerprint).or_insert_with(|| {
                    let resource = Arc::clone(&scope.resource);
                    groups.push(ResourceGroup { resource, scopes: Vec::new() });
                    groups.len() - 1
                });
                let scopes = &mut groups[resource].scopes;
                scopes.push(ScopeGroup { scope, spans: Vec::new() });
                (resource, scopes.len() - 1)
            });
            groups[resource].scopes[scope].spans.push(message);
        }
        groups
    }

    /// The trace as OTLP has it, decoded.
    pub(super) fn decoded(self) -> TracesData {
        let scope_spans = |ScopeGroup { scope, spans }: ScopeGroup| ScopeSpans {
            scope: scope.head.message.as_ref().and_then(EncodedMessage::decode),
            spans: spans.iter().filter_map(EncodedMessage::decode).collect(),
            schema_url: scope.head.schema_url.clone(),
        };
        let resource_spans = |ResourceGroup { resource, scopes }: ResourceGroup| ResourceSpans {
            resource: resource.head.message.as_ref().and_then(EncodedMessage::decode),
            scope_spans: scopes.into_iter().map(scope_spans).collect(),
            schema_url: resource.head.schema_url.clone(),
        };
        TracesData { resource_spans: self.grouped().into_iter().map(resource_spans).collect() }
    }
}
