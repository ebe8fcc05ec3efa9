//! A trace in one line.

use std::collections::HashMap;

use serde::{Serialize, Serializer};
use utoipa::ToSchema;

use super::trace::Trace;
use crate::encoded::{EncodedSpan, Fingerprint, ResourceKey};
use crate::id::{SpanId, TraceId};

/// How many services of a trace are named in its summary.
const MAX_SERVICES: usize = 64;

/// A trace in one line.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct TraceSummary {
    /// The trace's id.
    #[serde(serialize_with = "as_text")]
    #[schema(value_type = String)]
    pub trace_id: TraceId,
    /// The name of the root: the earliest span whose parent is not in the trace.
    /// Names of more than 256 bytes are cut.
    pub root: String,
    /// The root's service.
    pub service: String,
    /// When the earliest span began, in nanoseconds since 1970; a string in
    /// JSON, like OTLP's own, because it does not fit JavaScript's numbers.
    #[serde(serialize_with = "as_text")]
    #[schema(value_type = String)]
    pub start_unix_nano: u64,
    /// From the earliest begin to the latest end, in milliseconds.
    pub duration_ms: f64,
    /// How many spans are kept.
    pub spans: usize,
    /// How many spans were refused because the trace was full.
    pub dropped_spans: usize,
    /// The services, in the order of their first spans; at most 64 of them.
    pub services: Vec<String>,
}

impl TraceSummary {
    /// None for a trace without spans.
    pub(super) fn of(trace_id: TraceId, trace: &Trace) -> Option<Self> {
        let (_, earliest) = trace.spans.iter().min_by_key(by_start)?;
        let root = root(trace).unwrap_or(earliest);
        let start = earliest.start_unix_nano;
        let end = trace.spans.values().map(|span| span.end_unix_nano).max().unwrap_or(start);
        Some(Self {
            trace_id,
            root: root.name().to_owned(),
            service: root.scope.resource.service.clone(),
            start_unix_nano: start,
            duration_ms: end.saturating_sub(start) as f64 / 1e6,
            spans: trace.spans.len(),
            dropped_spans: trace.dropped(),
            services: services(trace),
        })
    }
}

/// By id where spans start together, as in the trace itself.
fn by_start((id, span): &(&SpanId, &EncodedSpan)) -> (u64, SpanId) {
    (span.start_unix_nano, **id)
}

/// The earliest span whose parent is not in the trace. None where spans are
/// each other's parents, which only a broken exporter does.
fn root(trace: &Trace) -> Option<&EncodedSpan> {
    let is_child = |span: &EncodedSpan| span.parent.is_some_and(|id| trace.spans.contains_key(&id));
    let roots = trace.spans.iter().filter(|(_, span)| !is_child(span));
    roots.min_by_key(by_start).map(|(_, root)| root)
}

fn services(trace: &Trace) -> Vec<String> {
    let mut firsts: HashMap<Fingerprint, ((u64, SpanId), &ResourceKey)> = HashMap::new();
    for found in &trace.spans {
        let resource = &*found.1.scope.resource;
        let first = firsts.entry(resource.fingerprint).or_insert((by_start(&found), resource));
        first.0 = by_start(&found).min(first.0);
    }
    let mut resources: Vec<_> = firsts.into_values().collect();
    resources.sort_unstable_by_key(|(first, _)| *first);
    let mut services: Vec<String> = Vec::new();
    for (_, ResourceKey { service, .. }) in resources {
        if services.len() < MAX_SERVICES && !services.contains(service) {
            services.push(service.clone());
        }
    }
    services
}

fn as_text<S: Serializer>(value: &impl ToString, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&value.to_string())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, Span};

    use super::*;
    use crate::testing::{TRACE, encoded, export, of_service, span, with_parent};
    use crate::{Limits, TraceStore};

    fn summary(requests: Vec<ResourceSpans>) -> TraceSummary {
        let store = TraceStore::new(Limits::default());
        store.insert(&encoded(&export(requests)));
        store.recent(1).pop().unwrap()
    }

    #[test]
    fn the_root_is_the_earliest_span_whose_parent_is_absent() {
        let summary = summary(vec![
            of_service("inventory", vec![with_parent(span(TRACE, 3, "reserve", 30..40), 2)]),
            of_service(
                "order",
                vec![
                    with_parent(span(TRACE, 2, "call", 20..50), 1),
                    with_parent(span(TRACE, 1, "POST /orders", 10..3_000_010), 9),
                ],
            ),
        ]);
        assert_eq!((summary.root.as_str(), summary.service.as_str()), ("POST /orders", "order"));
        assert_eq!(summary.services, ["order", "inventory"]);
        assert_eq!((summary.spans, summary.dropped_spans), (3, 0));
        assert_eq!((summary.start_unix_nano, summary.duration_ms), (10, 3.0));
    }

    #[test]
    fn a_child_that_a_skewed_clock_put_first_is_not_the_root() {
        let child = with_parent(span(TRACE, 2, "child", 10..20), 1);
        let summary =
            summary(vec![of_service("order", vec![child, span(TRACE, 1, "root", 15..30)])]);
        assert_eq!((summary.root.as_str(), summary.start_unix_nano), ("root", 10));
    }

    #[test]
    fn spans_in_a_circle_still_have_a_summary_under_the_earliest() {
        let summary = summary(vec![of_service(
            "order",
            vec![
                with_parent(span(TRACE, 1, "later", 20..30), 2),
                with_parent(span(TRACE, 2, "earlier", 10..30), 1),
            ],
        )]);
        assert_eq!(summary.root, "earlier");
    }

    #[test]
    fn a_span_that_ends_before_it_begins_and_names_no_service_is_summed_up_all_the_same() {
        let backwards = Span { end_time_unix_nano: 10, ..span(TRACE, 1, "odd", 20..30) };
        let mut anonymous = of_service("", vec![backwards]);
        anonymous.resource = None;
        let summary = summary(vec![anonymous]);
        assert_eq!((summary.service.as_str(), summary.duration_ms), ("unknown_service", 0.0));
    }
}
