//! `GET /api/traces`, `GET /api/traces/{id}` and `GET /api/traces/{id}/logs`.

use std::num::IntErrorKind;
use std::sync::Arc;

use axum::body::Body;
use axum::extract::rejection::{PathRejection, QueryRejection};
use axum::extract::{Path, Query, State};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use campuscafe_api::Problem;
use campuscafe_service::ProblemResponse;
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};

use super::Receiver;
use super::pages::{self, Pages};
use super::trace_pages::trace_pages;
use crate::budget::ReaderShare;
use crate::error::Busy;
use crate::id::TraceId;
use crate::limits::MAX_TRACES;
use crate::signal::Signal;
use crate::store::TraceSummary;

/// How many traces are listed by default.
const DEFAULT_LIMIT: usize = 20;

/// What a list takes of the budget, in bytes: the ids of its traces, and the
/// summaries of some.
const LIST_SHARE: usize = 64 * 1024;

/// JSON takes at most about this many times the bytes of what it is written
/// from: an event that says nothing is 2 bytes of protobuf, and 31 of JSON.
const JSON_PER_BYTE: usize = 16;

/// The most bytes of one page in memory: a large span as JSON, and decoded.
const MAX_PAGE: usize = 4 * 1024 * 1024;

/// What the list looks like; it is written a page at a time.
#[derive(ToSchema)]
#[allow(dead_code, reason = "it is read for its schema only")]
struct TraceList {
    traces: Vec<TraceSummary>,
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct ListQuery {
    /// How many traces; a number out of range means the nearest bound.
    #[param(value_type = Option<String>, nullable = false, pattern = "^[+-]?[0-9]+$", example = "20", default = "20")]
    limit: Option<String>,
}

/// Lists the newest traces, in one line each.
#[utoipa::path(get, path = "/api/traces", tag = "traces", params(ListQuery),
    responses((status = 200, body = TraceList, description = "The newest first"),
        (status = 400, body = Problem, content_type = "application/problem+json", description = "The limit is no whole number"),
        (status = 503, body = Problem, content_type = "application/problem+json", description = "Too many requests are being answered",
            headers(("Retry-After" = u64, description = "Seconds")))))]
pub(super) async fn list(
    State(receiver): State<Arc<Receiver>>,
    query: Result<Query<ListQuery>, QueryRejection>,
) -> Result<Response, ProblemResponse> {
    let Query(query) = query.map_err(|rejection| malformed_limit(&rejection.body_text()))?;
    let limit = match query.limit {
        None => DEFAULT_LIMIT,
        Some(text) => limit(&text).ok_or_else(|| malformed_limit(&format!("not {text:?}")))?,
    };
    let share = receiver.budget.reader(LIST_SHARE).await.map_err(busy)?;
    let list = pages::list(Arc::clone(&receiver.store), receiver.store.newest(limit));
    Ok(json(list, share))
}

/// One trace as OTLP JSON: a TracesData.
#[utoipa::path(get, path = "/api/traces/{id}", tag = "traces",
    params(("id" = String, Path, description = "32 hexadecimal digits that are not all zero", pattern = "^[0-9a-fA-F]{31}[1-9a-fA-F]$", example = "0af7651916cd43dd8448eb211c80319c")),
    responses((status = 200, body = Value, description = "The trace"),
        (status = 400, body = Problem, content_type = "application/problem+json", description = "The id is malformed", example = json!({"type": "urn:problem-type:campuscafe:malformed-trace-id", "title": "Malformed trace id", "status": 400, "detail": "expected 32 hexadecimal digits that are not all zero"})),
        (status = 404, body = Problem, content_type = "application/problem+json", description = "No span of this trace is kept", example = json!({"type": "urn:problem-type:campuscafe:no-such-trace", "title": "No such trace", "status": 404, "detail": "no span of this trace is kept"})),
        (status = 503, body = Problem, content_type = "application/problem+json", description = "Too many requests are being answered",
            headers(("Retry-After" = u64, description = "Seconds")))))]
pub(super) async fn trace(
    State(receiver): State<Arc<Receiver>>,
    id: Result<Path<String>, PathRejection>,
) -> Result<Response, ProblemResponse> {
    items(&receiver, Signal::Spans, id).await
}

/// The log records of one trace as OTLP JSON: a LogsData.
///
/// They may be there before the first span is.
#[utoipa::path(get, path = "/api/traces/{id}/logs", tag = "traces",
    params(("id" = String, Path, description = "32 hexadecimal digits that are not all zero", pattern = "^[0-9a-fA-F]{31}[1-9a-fA-F]$", example = "0af7651916cd43dd8448eb211c80319c")),
    responses((status = 200, body = Value, description = "The log records; none if the trace has only spans"),
        (status = 400, body = Problem, content_type = "application/problem+json", description = "The id is malformed"),
        (status = 404, body = Problem, content_type = "application/problem+json", description = "Nothing of this trace is kept", example = json!({"type": "urn:problem-type:campuscafe:no-such-trace", "title": "No such trace", "status": 404, "detail": "no span of this trace is kept"})),
        (status = 503, body = Problem, content_type = "application/problem+json", description = "Too many requests are being answered",
            headers(("Retry-After" = u64, description = "Seconds")))))]
pub(super) async fn trace_logs(
    State(receiver): State<Arc<Receiver>>,
    id: Result<Path<String>, PathRejection>,
) -> Result<Response, ProblemResponse> {
    items(&receiver, Signal::Logs, id).await
}

async fn items(
    receiver: &Receiver,
    of: Signal,
    id: Result<Path<String>, PathRejection>,
) -> Result<Response, ProblemResponse> {
    let Path(id) = id.map_err(|rejection| malformed_id(rejection.body_text()))?;
    let id: TraceId = id.parse().map_err(malformed_id)?;
    let unknown = || unknown(of, id, receiver.store.limits().traces);
    let weight = receiver.store.weight(of, id).ok_or_else(unknown)?;
    // The encoded trace, which may be evicted meanwhile, and a page of it.
    let share = weight + (JSON_PER_BYTE * weight).min(MAX_PAGE);
    let share = receiver.budget.reader(share).await.map_err(busy)?;
    let snapshot = receiver.store.snapshot(of, id).ok_or_else(unknown)?;
    Ok(json(trace_pages(of, snapshot), share))
}

/// An answer in JSON that is written as it is read.
fn json(
    pages: impl Iterator<Item = Vec<u8>> + Send + Unpin + 'static,
    share: ReaderShare,
) -> Response {
    let body = Body::new(Pages::new(pages, share));
    ([(header::CONTENT_TYPE, "application/json")], body).into_response()
}

/// A number out of range means the nearest bound; None if it is not a number.
fn limit(text: &str) -> Option<usize> {
    match text.parse::<i64>() {
        Ok(number) => Some(usize::try_from(number).unwrap_or(1).clamp(1, MAX_TRACES)),
        Err(error) if *error.kind() == IntErrorKind::PosOverflow => Some(MAX_TRACES),
        Err(error) if *error.kind() == IntErrorKind::NegOverflow => Some(1),
        Err(_) => None,
    }
}

fn busy(_: Busy) -> ProblemResponse {
    let problem = Problem::new(503, "overloaded", "Overloaded")
        .detail("too many requests are under way; send this one again after 1 s");
    ProblemResponse::from(problem).retry_after(1)
}

fn malformed_limit(detail: &str) -> Problem {
    Problem::new(400, "malformed-query", "Malformed query")
        .detail(format!("expected limit to be a whole number from 1 to {MAX_TRACES}; {detail}"))
}

fn malformed_id(detail: impl ToString) -> Problem {
    Problem::new(400, "malformed-trace-id", "Malformed trace id").detail(detail.to_string())
}

fn unknown(of: Signal, id: TraceId, kept: usize) -> Problem {
    let items = match of {
        Signal::Spans => "span",
        Signal::Logs => "span and no log record",
    };
    Problem::new(404, "no-such-trace", "No such trace")
        .detail(format!("the lab has no {items} of trace {id}; it keeps the newest {kept} traces"))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use axum::http::StatusCode;
    use serde_json::{Value, json};

    use super::*;
    use crate::testing::{Answer, TRACE, encoded, get, of_trace, trace_id};
    use crate::{Limits, TraceStore, parse_otlp_json};

    const ID: &str = "0af7651916cd43dd8448eb211c80319c";

    fn store() -> Arc<TraceStore> {
        let store = TraceStore::new(Limits::default());
        store.insert(&encoded(&of_trace(TRACE, 1)));
        Arc::new(store)
    }

    fn problem(answer: &Answer) -> (StatusCode, String) {
        assert_eq!(answer.content_type(), Problem::MEDIA_TYPE);
        let problem: Problem = serde_json::from_slice(&answer.body).unwrap();
        (answer.status, problem.detail.unwrap())
    }

    #[tokio::test]
    async fn a_trace_is_given_as_otlp_json_whatever_the_case_of_its_id() {
        let store = store();
        for id in [ID.to_owned(), ID.to_uppercase()] {
            let answer = get(&store, &format!("/api/traces/{id}")).await;
            assert_eq!(
                (answer.status, answer.content_type()),
                (StatusCode::OK, "application/json")
            );
            assert_eq!(Some(parse_otlp_json(&answer.body).unwrap()), store.trace(trace_id(TRACE)));
        }
    }

    #[tokio::test]
    async fn an_unknown_trace_is_a_404_that_says_what_is_kept() {
        let answer = get(&store(), "/api/traces/ffffffffffffffffffffffffffffffff").await;
        let (status, detail) = problem(&answer);
        assert_eq!(status, StatusCode::NOT_FOUND);
        assert!(detail.ends_with("it keeps the newest 2000 traces"), "{detail}");
    }

    #[tokio::test]
    async fn a_malformed_id_is_a_400_that_says_what_was_expected() {
        for id in
            ["1", &ID[1..], "zaf7651916cd43dd8448eb211c80319c", &"0".repeat(32), "%20", "%C3%A4"]
        {
            let (status, detail) = problem(&get(&store(), &format!("/api/traces/{id}")).await);
            assert_eq!(status, StatusCode::BAD_REQUEST);
            assert_eq!(detail, "expected 32 hexadecimal digits that are not all zero");
        }
        let (status, _) = problem(&get(&store(), "/api/traces/%ff").await);
        assert_eq!(status, StatusCode::BAD_REQUEST);
    }

    #[tokio::test]
    async fn the_list_has_the_newest_first_in_one_line_each() {
        let store = store();
        store.insert(&encoded(&of_trace(1, 1)));
        let answer = get(&store, "/api/traces").await;
        assert_eq!(answer.status, StatusCode::OK);
        let list: Value = serde_json::from_slice(&answer.body).unwrap();
        assert_eq!(list["traces"].as_array().unwrap().len(), 2);
        assert_eq!(list["traces"][0]["traceId"], "00000000000000000000000000000001");
        assert_eq!(
            list["traces"][1],
            json!({
                "traceId": ID, "root": "POST /orders", "service": "order", "startUnixNano": "1",
                "durationMs": 0.000_001, "spans": 1, "droppedSpans": 0, "services": ["order"],
            })
        );
    }

    #[tokio::test]
    async fn the_list_is_as_long_as_asked_for_within_bounds() {
        let store = store();
        for trace in 1..=2_100 {
            store.insert(&encoded(&of_trace(trace, 1)));
        }
        let far = "9".repeat(30);
        for (query, length) in [
            ("", 20),
            ("?limit=3", 3),
            ("?limit=0", 1),
            ("?limit=-7", 1),
            (&format!("?limit=-{far}"), 1),
            ("?limit=5000", 2_000),
            (&format!("?limit={far}"), 2_000),
            ("?other=1", 20),
        ] {
            let answer = get(&store, &format!("/api/traces{query}")).await;
            let list: Value = serde_json::from_slice(&answer.body).unwrap();
            assert_eq!(list["traces"].as_array().unwrap().len(), length, "{query}");
        }
    }

    #[tokio::test]
    async fn a_limit_that_is_no_number_is_a_400() {
        for query in ["limit=", "limit=many", "limit=1.5", "limit=1&limit=2", "limit=%ff"] {
            let (status, detail) = problem(&get(&store(), &format!("/api/traces?{query}")).await);
            assert_eq!(status, StatusCode::BAD_REQUEST, "{query}");
            assert!(detail.starts_with("expected limit to be a whole number from 1 to 2000"));
        }
    }
}
