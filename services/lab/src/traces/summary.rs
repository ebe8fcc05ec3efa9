//! A trace in one line.

use std::collections::HashSet;
use std::sync::Arc;

use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::Span;
use serde::{Serialize, Serializer};

use super::id::TraceId;
use super::packed::{Origin, Packed};
use super::trace::Trace;

/// What OpenTelemetry's resource conventions call a service that gives no name.
const UNKNOWN_SERVICE: &str = "unknown_service";

/// A trace in one line.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct TraceSummary {
    /// The trace's id.
    #[serde(serialize_with = "as_text")]
    pub trace_id: TraceId,
    /// The name of the root: the earliest span whose parent is not in the trace.
    pub root: String,
    /// The root's service.
    pub service: String,
    /// When the earliest span began, in nanoseconds since 1970; a string in
    /// JSON, like OTLP's own, because it does not fit JavaScript's numbers.
    #[serde(serialize_with = "as_text")]
    pub start_unix_nano: u64,
    /// From the earliest begin to the latest end, in milliseconds.
    pub duration_ms: f64,
    /// How many spans are kept.
    pub spans: usize,
    /// How many spans were refused because the trace was full.
    pub dropped_spans: usize,
    /// The services, in the order of their first spans.
    pub services: Vec<String>,
}

impl TraceSummary {
    /// None for a trace without spans.
    pub(super) fn of(trace_id: TraceId, trace: &Trace) -> Option<Self> {
        let spans = trace.by_start();
        let earliest = spans.first()?;
        let (origin, root) = root(&spans).unwrap_or(earliest);
        let start = earliest.1.start_time_unix_nano;
        let end = spans.iter().map(|(_, span)| span.end_time_unix_nano).max().unwrap_or(start);
        Some(Self {
            trace_id,
            root: root.name.clone(),
            service: service(origin),
            start_unix_nano: start,
            duration_ms: end.saturating_sub(start) as f64 / 1e6,
            spans: spans.len(),
            dropped_spans: trace.dropped(),
            services: services(&spans),
        })
    }
}

/// A span, and where it came from.
type Found<'a> = (&'a Arc<Origin>, Span);

/// The earliest span whose parent is not in the trace. None where spans are
/// each other's parents, which only a broken exporter does.
fn root<'a, 'b>(by_start: &'b [Found<'a>]) -> Option<&'b Found<'a>> {
    let ids: HashSet<_> = by_start.iter().map(|(_, span)| span.span_id.as_slice()).collect();
    by_start.iter().find(|(_, span)| !ids.contains(span.parent_span_id.as_slice()))
}

fn services(by_start: &[Found<'_>]) -> Vec<String> {
    // A trace has each origin once, and reading its name means unpacking it.
    let mut origins = HashSet::new();
    let distinct = by_start.iter().filter(|(origin, _)| origins.insert(Arc::as_ptr(origin)));
    let mut seen = HashSet::new();
    let names = distinct.map(|(origin, _)| service(origin));
    names.filter(|name| seen.insert(name.clone())).collect()
}

fn service(origin: &Origin) -> String {
    let resource: Option<Resource> = origin.source.resource.as_ref().and_then(Packed::decode);
    let name = resource.as_ref().and_then(service_name).unwrap_or(UNKNOWN_SERVICE);
    name.to_owned()
}

fn service_name(resource: &Resource) -> Option<&str> {
    let attribute = resource.attributes.iter().find(|attribute| attribute.key == "service.name")?;
    match attribute.value.as_ref()?.value.as_ref()? {
        Value::StringValue(name) => Some(name),
        _ => None,
    }
}

fn as_text<S: Serializer>(value: &impl ToString, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&value.to_string())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, Span};

    use super::super::testing::{TRACE, export, of_service, packed, span, with_parent};
    use super::super::{Limits, TraceStore};
    use super::*;

    fn summary(requests: Vec<ResourceSpans>) -> TraceSummary {
        let store = TraceStore::new(Limits::default());
        store.insert(packed(&export(requests)));
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
