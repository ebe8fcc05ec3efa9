//! Spans and requests for the tests of this crate.
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
use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue};
use opentelemetry_proto::tonic::logs::v1::{LogRecord, LogsData, ResourceLogs, ScopeLogs};
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span, TracesData};
use prost::Message as _;
use tower::ServiceExt as _;
use utoipa_axum::router::OpenApiRouter;

use crate::buffer::Buffer;
use crate::error::ExportError;
use crate::export::Export;
use crate::signal::Signal;
use crate::{TraceId, TraceStore, router};

/// The trace of tests that need one only.
pub(crate) const TRACE: u128 = 0x0af7_6519_16cd_43dd_8448_eb21_1c80_319c;

pub(crate) fn trace_id(id: u128) -> TraceId {
    id.to_be_bytes().as_slice().try_into().unwrap()
}

pub(crate) fn span(trace: u128, id: u64, name: &str, nanos: Range<u64>) -> Span {
    Span {
        trace_id: trace.to_be_bytes().to_vec(),
        span_id: id.to_be_bytes().to_vec(),
        name: name.to_owned(),
        start_time_unix_nano: nanos.start,
        end_time_unix_nano: nanos.end,
        ..Span::default()
    }
}

pub(crate) fn with_parent(span: Span, parent: u64) -> Span {
    Span { parent_span_id: parent.to_be_bytes().to_vec(), ..span }
}

pub(crate) fn attribute(key: &str, value: Value) -> KeyValue {
    KeyValue { key: key.to_owned(), value: Some(AnyValue { value: Some(value) }), key_strindex: 0 }
}

fn service(name: &str) -> Resource {
    let attributes = vec![attribute("service.name", Value::StringValue(name.to_owned()))];
    Resource { attributes, ..Resource::default() }
}

pub(crate) fn of_service(name: &str, spans: Vec<Span>) -> ResourceSpans {
    ResourceSpans {
        resource: Some(service(name)),
        scope_spans: vec![ScopeSpans { spans, ..ScopeSpans::default() }],
        schema_url: String::new(),
    }
}

pub(crate) fn export(resource_spans: Vec<ResourceSpans>) -> ExportTraceServiceRequest {
    ExportTraceServiceRequest { resource_spans }
}

/// One span of one trace, from the order service.
pub(crate) fn of_trace(trace: u128, span_id: u64) -> ExportTraceServiceRequest {
    export(vec![of_service("order", vec![span(trace, span_id, "POST /orders", 1..2)])])
}

/// The export as it arrives.
pub(crate) fn encoded(export: &ExportTraceServiceRequest) -> Export {
    checked(&export.encode_to_vec()).unwrap()
}

pub(crate) fn checked(body: &[u8]) -> Result<Export, ExportError> {
    checked_of(Signal::Spans, body)
}

pub(crate) fn checked_of(signal: Signal, body: &[u8]) -> Result<Export, ExportError> {
    let mut buffer = Buffer::new(body.len()).unwrap();
    assert!(buffer.add(body));
    Export::checked(signal, buffer)
}

/// What a span of a trace logs.
pub(crate) fn record(trace: u128, span_id: u64, message: &str, at: u64) -> LogRecord {
    LogRecord {
        time_unix_nano: at,
        trace_id: trace.to_be_bytes().to_vec(),
        span_id: span_id.to_be_bytes().to_vec(),
        severity_text: "INFO".to_owned(),
        body: Some(AnyValue { value: Some(Value::StringValue(message.to_owned())) }),
        ..LogRecord::default()
    }
}

pub(crate) fn logs(name: &str, log_records: Vec<LogRecord>) -> ExportLogsServiceRequest {
    let scope_logs = vec![ScopeLogs { log_records, ..ScopeLogs::default() }];
    let (resource, schema_url) = (Some(service(name)), String::new());
    ExportLogsServiceRequest {
        resource_logs: vec![ResourceLogs { resource, scope_logs, schema_url }],
    }
}

/// The export as it arrives.
pub(crate) fn encoded_logs(export: &ExportLogsServiceRequest) -> Export {
    checked_of(Signal::Logs, &export.encode_to_vec()).unwrap()
}

pub(crate) fn messages(logs: &LogsData) -> Vec<String> {
    let scopes = logs.resource_logs.iter().flat_map(|resource| &resource.scope_logs);
    let records = scopes.flat_map(|scope| &scope.log_records);
    let text = |record: &LogRecord| match record.body.as_ref()?.value.as_ref()? {
        Value::StringValue(text) => Some(text.clone()),
        _ => None,
    };
    records.filter_map(text).collect()
}

pub(crate) fn span_names(trace: &TracesData) -> Vec<String> {
    let scopes = trace.resource_spans.iter().flat_map(|resource| &resource.scope_spans);
    scopes.flat_map(|scope| &scope.spans).map(|span| span.name.clone()).collect()
}

pub(crate) fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut compressed = Vec::new();
    GzEncoder::new(bytes, Compression::best()).read_to_end(&mut compressed).unwrap();
    compressed
}

/// A whole answer.
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Answer {
    pub(crate) fn content_type(&self) -> &str {
        self.headers[CONTENT_TYPE].to_str().unwrap()
    }
}

pub(crate) async fn answer(store: &Arc<TraceStore>, request: Request<Body>) -> Answer {
    answer_of(&router(Arc::clone(store), &Metrics::new("1")), request).await
}

pub(crate) async fn answer_of(router: &OpenApiRouter, request: Request<Body>) -> Answer {
    let response = Router::from(router.clone()).oneshot(request).await.unwrap();
    let (parts, body) = response.into_parts();
    let body = to_bytes(body, usize::MAX).await.unwrap();
    Answer { status: parts.status, headers: parts.headers, body }
}

pub(crate) async fn get(store: &Arc<TraceStore>, path: &str) -> Answer {
    answer(store, Request::get(path).body(Body::empty()).unwrap()).await
}
