#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod limits;
mod logs;

use axum::body::{Body, Bytes};
use campuscafe_telemetry::Metrics;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceResponse;
use opentelemetry_proto::tonic::trace::v1::TracesData;
use prost::Message as _;
use serde_json::{Value, json};

use super::*;
use crate::testing::{
    Answer, TRACE, answer, answer_of, export as request, gzip, logs, of_service, of_trace, record,
    span, trace_id,
};
use crate::{MAX_DECOMPRESSED, TraceStore, router, write_otlp_json};

const PROTOBUF: &str = "application/x-protobuf";
const JSON: &str = "application/json";

fn store() -> Arc<TraceStore> {
    Arc::default()
}

async fn post(store: &Arc<TraceStore>, headers: &[(&str, &str)], body: impl Into<Body>) -> Answer {
    post_to("/v1/traces", store, headers, body).await
}

async fn post_to(
    path: &str,
    store: &Arc<TraceStore>,
    headers: &[(&str, &str)],
    body: impl Into<Body>,
) -> Answer {
    let mut request = axum::http::Request::post(path);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    answer(store, request.body(body.into()).unwrap()).await
}

async fn post_as(store: &Arc<TraceStore>, media_type: &str, body: impl Into<Body>) -> Answer {
    post(store, &[("content-type", media_type)], body).await
}

async fn post_gzip(store: &Arc<TraceStore>, media_type: &str, body: Vec<u8>) -> Answer {
    post(store, &[("content-type", media_type), ("content-encoding", "gzip")], body).await
}

/// A request for a router that several requests share.
fn request_of(body: impl Into<Body>) -> Request {
    request_to("/v1/traces", body)
}

fn request_to(path: &str, body: impl Into<Body>) -> Request {
    let request = axum::http::Request::post(path).header("content-type", PROTOBUF);
    request.body(body.into()).unwrap()
}

fn protobuf() -> Vec<u8> {
    of_trace(TRACE, 1).encode_to_vec()
}

fn json() -> Vec<u8> {
    let resource_spans = of_trace(TRACE, 1).resource_spans;
    write_otlp_json(&TracesData { resource_spans }).unwrap()
}

/// The failure in an answer, which is in the format of the request.
fn failure(answer: &Answer, media_type: &str) -> RpcStatus {
    assert_eq!(answer.content_type(), media_type);
    if media_type == PROTOBUF {
        return RpcStatus::decode(&answer.body[..]).unwrap();
    }
    let status: Value = serde_json::from_slice(&answer.body).unwrap();
    RpcStatus {
        code: i32::try_from(status["code"].as_i64().unwrap()).unwrap(),
        message: status["message"].as_str().unwrap().to_owned(),
    }
}

#[tokio::test]
async fn an_export_is_taken_in_both_formats_compressed_or_not_and_answered_in_its_own() {
    for (media_type, body, success) in [(PROTOBUF, protobuf(), &b""[..]), (JSON, json(), b"{}")] {
        let (plain, compressed) = (store(), store());
        let answers = [
            post_as(&plain, media_type, body.clone()).await,
            post_gzip(&compressed, media_type, gzip(&body)).await,
        ];
        for answer in answers {
            assert_eq!((answer.status, answer.content_type()), (StatusCode::OK, media_type));
            assert_eq!(answer.body, success);
        }
        let expected = of_trace(TRACE, 1).resource_spans;
        for store in [plain, compressed] {
            assert_eq!(store.trace(trace_id(TRACE)).unwrap().resource_spans, expected);
        }
    }
}

#[tokio::test]
async fn a_media_type_may_have_parameters_and_any_letter_case() {
    for (media_type, body) in [
        ("Application/X-Protobuf", protobuf()),
        ("APPLICATION/JSON;charset=utf-8", json()),
        ("application/json ; charset=UTF-8", json()),
    ] {
        let store = store();
        assert_eq!(post_as(&store, media_type, body).await.status, StatusCode::OK, "{media_type}");
        assert!(store.trace(trace_id(TRACE)).is_some());
    }
}

#[tokio::test]
async fn any_other_media_type_is_a_415_problem_that_says_what_is_accepted() {
    let kinds =
        ["text/plain", "application/protobuf", "application/jsonx", "", "application/json, x"];
    let headers = kinds.map(|kind| vec![("content-type", kind)]).into_iter().chain([vec![]]);
    for headers in headers {
        let answer = post(&store(), &headers, json()).await;
        assert_eq!(answer.status, StatusCode::UNSUPPORTED_MEDIA_TYPE, "{headers:?}");
        assert_eq!(answer.content_type(), Problem::MEDIA_TYPE);
        assert_eq!(answer.headers["accept"], "application/x-protobuf, application/json");
        let problem: Problem = serde_json::from_slice(&answer.body).unwrap();
        assert!(problem.detail.unwrap().contains("application/x-protobuf, application/json"));
    }
}

#[tokio::test]
async fn any_other_encoding_is_a_415_that_says_what_is_accepted() {
    for media_type in [PROTOBUF, JSON] {
        let headers = [("content-type", media_type), ("content-encoding", "br")];
        let answer = post(&store(), &headers, json()).await;
        assert_eq!(answer.status, StatusCode::UNSUPPORTED_MEDIA_TYPE);
        assert_eq!(answer.headers["accept-encoding"], "gzip");
        assert!(failure(&answer, media_type).message.contains("gzip"));
    }
}

#[tokio::test]
async fn every_count_exists_at_zero_and_says_what_became_of_spans_and_log_records() {
    let metrics = Metrics::new("1");
    let limits = Limits { traces: 1, spans_per_trace: 1, logs_per_trace: 1, ..Limits::default() };
    let router = router(Arc::new(TraceStore::new(limits)), &metrics);
    let counts = || -> Vec<String> {
        let page = metrics.render();
        let ours = page.lines().filter(|line| line.starts_with("lab_"));
        let mut counts: Vec<_> =
            ours.map(|line| line.trim_start_matches("lab_").to_owned()).collect();
        counts.sort();
        counts
    };
    let words = [
        "exports_refused_total{reason=\"busy\"}",
        "exports_refused_total{reason=\"interrupted\"}",
        "exports_refused_total{reason=\"malformed\"}",
        "exports_refused_total{reason=\"too_large\"}",
        "exports_refused_total{reason=\"too_slow\"}",
        "exports_refused_total{reason=\"unsupported\"}",
        "log_records_received_total",
        "log_records_refused_total{reason=\"no_trace\"}",
        "log_records_refused_total{reason=\"too_large\"}",
        "log_records_refused_total{reason=\"trace_evicted\"}",
        "log_records_refused_total{reason=\"trace_full\"}",
        "spans_received_total",
        "spans_refused_total{reason=\"malformed\"}",
        "spans_refused_total{reason=\"too_large\"}",
        "spans_refused_total{reason=\"trace_evicted\"}",
        "spans_refused_total{reason=\"trace_full\"}",
        "traces_evicted_total",
    ];
    let with = |values: [u64; 17]| -> Vec<String> {
        words.iter().zip(values).map(|(word, value)| format!("{word} {value}")).collect()
    };
    assert_eq!(counts(), with([0; 17]));

    let long = "x".repeat(MAX_PART_BYTES);
    let spans = vec![
        span(1, 1, "taken", 1..2),
        span(0, 1, "malformed", 1..2),
        span(1, 2, "beyond the spans of a trace", 1..2),
        span(1, 3, &long, 1..2),
        span(2, 1, "taken", 1..2),
        span(1, 4, "after its trace was evicted", 1..2),
    ];
    let export = request(vec![of_service("order", spans)]).encode_to_vec();
    assert_eq!(answer_of(&router, request_of(export)).await.status, StatusCode::OK);
    let records = vec![
        record(2, 1, "taken", 1),
        record(0, 1, "of no trace", 1),
        record(2, 1, "beyond the records of a trace", 1),
        record(2, 1, &long, 1),
        record(1, 1, "after its trace was evicted", 1),
        record(3, 1, "before its trace came", 1),
    ];
    let export = request_to("/v1/logs", logs("order", records).encode_to_vec());
    assert_eq!(answer_of(&router, export).await.status, StatusCode::OK);
    let no_type = axum::http::Request::post("/v1/traces").body(Body::empty()).unwrap();
    for (refused, status) in [
        (no_type, StatusCode::UNSUPPORTED_MEDIA_TYPE),
        (request_of("no protobuf"), StatusCode::BAD_REQUEST),
        (request_of(vec![0; MAX_DECOMPRESSED + 1]), StatusCode::PAYLOAD_TOO_LARGE),
    ] {
        assert_eq!(answer_of(&router, refused).await.status, status);
    }
    assert_eq!(counts(), with([0, 0, 1, 1, 0, 1, 2, 1, 1, 1, 1, 2, 1, 1, 1, 1, 1]));
}

#[tokio::test]
async fn garbage_is_refused_with_400_in_the_format_of_the_request() {
    let deep = |open: &str, close: &str| {
        format!("{{\"x\":{}{}}}", open.repeat(10_000), close.repeat(10_000)).into_bytes()
    };
    let random: Vec<u8> =
        (0..999_u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 13) as u8).collect();
    let truncated = |body: Vec<u8>| body[..body.len() - 3].to_vec();
    for (media_type, garbage) in [
        (PROTOBUF, random.clone()),
        (PROTOBUF, truncated(protobuf())),
        (PROTOBUF, json()),
        (PROTOBUF, gzip(&protobuf())),
        (JSON, random),
        (JSON, truncated(json())),
        (JSON, protobuf()),
        (JSON, Vec::new()),
        (JSON, b"[]".to_vec()),
        (JSON, b"[{\"resourceSpans\":[]}]".to_vec()),
        (JSON, b"{\"resourceSpans\":5}".to_vec()),
        (JSON, deep("[", "]")),
        (JSON, deep("{\"x\":", "}")),
    ] {
        let store = store();
        let answer = post_as(&store, media_type, garbage.clone()).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{media_type} {garbage:?}");
        let status = failure(&answer, media_type);
        assert_eq!((status.code, status.message.is_empty()), (3, false));
        assert!(store.recent(1).is_empty());
    }
}

#[tokio::test]
async fn what_claims_to_be_gzip_and_is_not_is_refused_with_400() {
    for media_type in [PROTOBUF, JSON] {
        let answer = post_gzip(&store(), media_type, json()).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST);
        assert!(failure(&answer, media_type).message.contains("not gzip"));
    }
}

#[tokio::test]
async fn no_bytes_are_an_export_of_zero_spans_in_protobuf() {
    let answer = post_as(&store(), PROTOBUF, Bytes::new()).await;
    assert_eq!((answer.status, answer.body.len()), (StatusCode::OK, 0));
}

#[tokio::test]
async fn spans_that_were_refused_are_counted_and_explained_in_a_200() {
    let limits = Limits { spans_per_trace: 1, ..Limits::default() };
    let spans =
        vec![span(TRACE, 1, "kept", 1..2), span(TRACE, 2, "over", 1..2), span(0, 1, "zero", 1..2)];
    let export = request(vec![of_service("order", spans)]);

    let store = Arc::new(TraceStore::new(limits));
    let answer = post_as(&store, PROTOBUF, export.encode_to_vec()).await;
    assert_eq!(answer.status, StatusCode::OK);
    let response = ExportTraceServiceResponse::decode(&answer.body[..]).unwrap();
    let partial = response.partial_success.unwrap();
    let why = "spans refused: 1 without a trace id of 16 bytes and a span id of 8 bytes that are \
               not all zero; 1 beyond the limits of one trace: 1 spans, 4194304 bytes, or 25165824 \
               bytes decoded";
    assert_eq!((partial.rejected_spans, partial.error_message.as_str()), (2, why));

    let store = Arc::new(TraceStore::new(limits));
    let traces = TracesData { resource_spans: export.resource_spans };
    let answer = post_as(&store, JSON, write_otlp_json(&traces).unwrap()).await;
    assert_eq!(answer.status, StatusCode::OK);
    let response: Value = serde_json::from_slice(&answer.body).unwrap();
    assert_eq!(response, json!({"partialSuccess": {"rejectedSpans": "2", "errorMessage": why}}));
}
