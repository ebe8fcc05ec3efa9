//! Spans for the tests of this module.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::io::Read as _;
use std::ops::Range;
use std::sync::Arc;

use axum::Router;
use axum::body::{Body, Bytes, to_bytes};
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderMap, Request, StatusCode};
use campuscafe_telemetry::Metrics;
use flate2::Compression;
use flate2::read::GzEncoder;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue};
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span, TracesData};
use prost::Message as _;
use tower::ServiceExt as _;

use super::buffer::Buffer;
use super::elements::MAX_ELEMENTS;
use super::export::Export;
use super::otlp::Failure;
use super::{TraceId, TraceStore, router};

/// The trace of tests that need one only.
pub(super) const TRACE: u128 = 0x0af7_6519_16cd_43dd_8448_eb21_1c80_319c;

pub(super) fn trace_id(id: u128) -> TraceId {
    id.to_be_bytes().as_slice().try_into().unwrap()
}

pub(super) fn span(trace: u128, id: u64, name: &str, nanos: Range<u64>) -> Span {
    Span {
        trace_id: trace.to_be_bytes().to_vec(),
        span_id: id.to_be_bytes().to_vec(),
        name: name.to_owned(),
        start_time_unix_nano: nanos.start,
        end_time_unix_nano: nanos.end,
        ..Span::default()
    }
}

pub(super) fn with_parent(span: Span, parent: u64) -> Span {
    Span { parent_span_id: parent.to_be_bytes().to_vec(), ..span }
}

pub(super) fn attribute(key: &str, value: Value) -> KeyValue {
    KeyValue { key: key.to_owned(), value: Some(AnyValue { value: Some(value) }), key_strindex: 0 }
}

pub(super) fn of_service(name: &str, spans: Vec<Span>) -> ResourceSpans {
    let attributes = vec![attribute("service.name", Value::StringValue(name.to_owned()))];
    ResourceSpans {
        resource: Some(Resource { attributes, ..Resource::default() }),
        scope_spans: vec![ScopeSpans { spans, ..ScopeSpans::default() }],
        schema_url: String::new(),
    }
}

pub(super) fn export(resource_spans: Vec<ResourceSpans>) -> ExportTraceServiceRequest {
    ExportTraceServiceRequest { resource_spans }
}

/// One span of one trace, from the order service.
pub(super) fn of_trace(trace: u128, span_id: u64) -> ExportTraceServiceRequest {
    export(vec![of_service("order", vec![span(trace, span_id, "POST /orders", 1..2)])])
}

/// The export as it arrives.
pub(super) fn packed(export: &ExportTraceServiceRequest) -> Export {
    checked(&export.encode_to_vec(), MAX_ELEMENTS).unwrap()
}

pub(super) fn checked(body: &[u8], limit: usize) -> Result<Export, Failure> {
    let mut buffer = Buffer::new(body.len()).unwrap();
    assert!(buffer.add(body));
    Export::checked(buffer, limit)
}

pub(super) fn span_names(trace: &TracesData) -> Vec<String> {
    let scopes = trace.resource_spans.iter().flat_map(|resource| &resource.scope_spans);
    scopes.flat_map(|scope| &scope.spans).map(|span| span.name.clone()).collect()
}

pub(super) fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut packed = Vec::new();
    GzEncoder::new(bytes, Compression::best()).read_to_end(&mut packed).unwrap();
    packed
}

/// A whole answer.
pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
}

impl Answer {
    pub(super) fn content_type(&self) -> &str {
        self.headers[CONTENT_TYPE].to_str().unwrap()
    }
}

pub(super) async fn answer(store: &Arc<TraceStore>, request: Request<Body>) -> Answer {
    answer_of(&router(Arc::clone(store), &Metrics::new("1")), request).await
}

pub(super) async fn answer_of(router: &Router, request: Request<Body>) -> Answer {
    let response = router.clone().oneshot(request).await.unwrap();
    let (parts, body) = response.into_parts();
    let body = to_bytes(body, usize::MAX).await.unwrap();
    Answer { status: parts.status, headers: parts.headers, body }
}

pub(super) async fn get(store: &Arc<TraceStore>, path: &str) -> Answer {
    answer(store, Request::get(path).body(Body::empty()).unwrap()).await
}
