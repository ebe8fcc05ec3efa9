//! A trace as it was at one moment, put in order without keeping the store waiting.

use std::collections::HashMap;
use std::sync::Arc;

use opentelemetry_proto::tonic::logs::v1::{LogsData, ResourceLogs, ScopeLogs};
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, TracesData};

use crate::encoded::{EncodedMessage, Fingerprint, ResourceKey, ScopeKey};

/// A span or a log record of a snapshot.
#[derive(Debug)]
pub(crate) struct SnapshotItem {
    /// Its time, in nanoseconds since 1970, and what decides between equal times.
    pub(crate) order: (u64, u64),
    pub(crate) message: EncodedMessage,
    pub(crate) scope: Arc<ScopeKey>,
}

/// The spans of one trace, or its log records, in no order.
#[derive(Debug)]
pub(crate) struct Snapshot {
    pub(crate) items: Vec<SnapshotItem>,
}

/// The items of one resource.
#[derive(Debug)]
pub(crate) struct ResourceGroup {
    pub(crate) resource: Arc<ResourceKey>,
    pub(crate) scopes: Vec<ScopeGroup>,
}

/// The items of one scope.
#[derive(Debug)]
pub(crate) struct ScopeGroup {
    pub(crate) scope: Arc<ScopeKey>,
    pub(crate) items: Vec<EncodedMessage>,
}

impl Snapshot {
    /// The items by resource and scope, each in the order of its first item.
    pub(crate) fn grouped(mut self) -> Vec<ResourceGroup> {
        self.items.sort_unstable_by_key(|item| item.order);
        let mut groups: Vec<ResourceGroup> = Vec::new();
        let mut resources: HashMap<Fingerprint, usize> = HashMap::new();
        let mut scopes: HashMap<Fingerprint, (usize, usize)> = HashMap::new();
        for SnapshotItem { message, scope, .. } in self.items {
            let (resource, scope) = *scopes.entry(scope.fingerprint).or_insert_with(|| {
                let resource = *resources.entry(scope.resource.fingerprint).or_insert_with(|| {
                    let resource = Arc::clone(&scope.resource);
                    groups.push(ResourceGroup { resource, scopes: Vec::new() });
                    groups.len() - 1
                });
                let scopes = &mut groups[resource].scopes;
                scopes.push(ScopeGroup { scope, items: Vec::new() });
                (resource, scopes.len() - 1)
            });
            groups[resource].scopes[scope].items.push(message);
        }
        groups
    }

    /// The trace as OTLP has it, decoded.
    pub(super) fn decoded(self) -> TracesData {
        let scope_spans = |ScopeGroup { scope, items }: ScopeGroup| ScopeSpans {
            scope: scope.head.message.as_ref().and_then(EncodedMessage::decode),
            spans: items.iter().filter_map(EncodedMessage::decode).collect(),
            schema_url: scope.head.schema_url.clone(),
        };
        let resource_spans = |ResourceGroup { resource, scopes }: ResourceGroup| ResourceSpans {
            resource: resource.head.message.as_ref().and_then(EncodedMessage::decode),
            scope_spans: scopes.into_iter().map(scope_spans).collect(),
            schema_url: resource.head.schema_url.clone(),
        };
        TracesData { resource_spans: self.grouped().into_iter().map(resource_spans).collect() }
    }

    /// The log records as OTLP has them, decoded.
    pub(super) fn decoded_logs(self) -> LogsData {
        let scope_logs = |ScopeGroup { scope, items }: ScopeGroup| ScopeLogs {
            scope: scope.head.message.as_ref().and_then(EncodedMessage::decode),
            log_records: items.iter().filter_map(EncodedMessage::decode).collect(),
            schema_url: scope.head.schema_url.clone(),
        };
        let resource_logs = |ResourceGroup { resource, scopes }: ResourceGroup| ResourceLogs {
            resource: resource.head.message.as_ref().and_then(EncodedMessage::decode),
            scope_logs: scopes.into_iter().map(scope_logs).collect(),
            schema_url: resource.head.schema_url.clone(),
        };
        LogsData { resource_logs: self.grouped().into_iter().map(resource_logs).collect() }
    }
}
