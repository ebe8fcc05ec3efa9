//! `POST /orders`: from an order to what the customer is told.

use std::sync::Arc;
use std::time::Duration;

use axum::Extension;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use campuscafe_api::inventory::Reserve;
use campuscafe_api::order::{AttemptResult, Confirmation, OrderReport, Outcome, PlaceOrder};
use campuscafe_api::{Problem, REQUEST_ID_HEADER};
use campuscafe_chaos::Plan;
use campuscafe_service::{
    Connection, Json, ProblemResponse, RequestId, Waiting, WorkPermit, ids, seconds,
};
use campuscafe_telemetry::{Baggage, attribute, current_trace_id, set_attribute, set_header};
use http::{Extensions, HeaderMap};
use reqwest::Url;
use reqwest_middleware::ClientWithMiddleware;
use tokio::time::Instant;
use tracing::Span;

use crate::App;
use crate::admission::work_kind;
use crate::attempts::{AttemptContext, RESERVE, body};
use crate::order_problem::order_problem;
use crate::outcome::{MAX_ATTEMPTS, outcome};

/// Places an order. It makes one attempt, and retries once after a timeout if asked.
#[utoipa::path(post, path = "/orders", tag = "orders",
    params(("X-Request-Id" = Option<String>, Header, min_length = 1, max_length = 128, pattern = "^[!-~]([ -~]*[!-~])?$",
        description = "The customer's own id of the request: the order's span has it as `http.request.header.x-request-id`. 1 to 128 printable ASCII characters")),
    request_body = PlaceOrder,
    responses((status = 200, body = Confirmation, description = "Reserved"),
        (status = 400, body = Problem, content_type = "application/problem+json", description = "The order is invalid"),
        (status = 408, body = Problem, content_type = "application/problem+json", description = "The body did not arrive within 10 s"),
        (status = 409, body = Problem, content_type = "application/problem+json", description = "Out of stock", example = json!({"type": "urn:problem-type:campuscafe:order-failed", "title": "Order failed 💥", "status": 409, "detail": "the inventory refused: 0 left; nothing was reserved", "message": "out of stock", "itemId": "cake", "currentStock": 0, "orderId": "5f0c6c0e7a4b4f7f9a3b1c2d3e4f5a6b", "outcome": "failed", "attempts": [{"number": 1, "result": "rejected", "durationMs": 2, "status": 409}]})),
        (status = 413, body = Problem, content_type = "application/problem+json", description = "Body over 16 KiB"),
        (status = 415, body = Problem, content_type = "application/problem+json", description = "Not application/json"),
        (status = 502, body = Problem, content_type = "application/problem+json", description = "The order failed; nothing was reserved. Outcome `failed`", example = json!({"type": "urn:problem-type:campuscafe:order-failed", "title": "Order failed 💥", "status": 502, "detail": "the inventory refused: the fault fail:503 was requested; nothing was reserved", "message": "failed on request", "orderId": "5f0c6c0e7a4b4f7f9a3b1c2d3e4f5a6b", "outcome": "failed", "attempts": [{"number": 1, "result": "rejected", "durationMs": 2, "status": 503}]})),
        (status = 503, body = Problem, content_type = "application/problem+json", headers(("Retry-After" = u64, description = "Seconds")),
            description = "Too many orders are under way; nothing was sent to the inventory for this one"),
        (status = 504, body = Problem, content_type = "application/problem+json", description = "No answer came; the order may be reserved or not. Outcome `unknown`", example = json!({"type": "urn:problem-type:campuscafe:order-unknown", "title": "Order failed 💥", "status": 504, "detail": "no answer within 1s; the order may be reserved or not", "orderId": "5f0c6c0e7a4b4f7f9a3b1c2d3e4f5a6b", "outcome": "unknown", "attempts": [{"number": 1, "result": "timeout", "durationMs": 1001}]}))))]
pub(crate) async fn place_order(
    State(app): State<Arc<App>>,
    Extension(connection): Extension<Connection>,
    headers: HeaderMap,
    RequestId(customers): RequestId,
    baggage: Option<Extension<Baggage>>,
    Json(order): Json<PlaceOrder>,
) -> Result<Response, ProblemResponse> {
    let order_id = ids::random();
    // One id for one order: the inventory and the log know it by this one too.
    let request_id = format!("order-{order_id}");
    set_attribute(&Span::current(), attribute::REQUEST_ID, request_id.clone());
    if headers.contains_key(REQUEST_ID_HEADER) {
        set_header(&Span::current(), attribute::CUSTOMERS_REQUEST_ID, customers);
    }
    let plan = order.chaos.as_deref().map(str::parse::<Plan>).transpose().map_err(|error| {
        Problem::new(400, "unknown-fault", "Unknown fault").detail(error.to_string())
    })?;
    let timeout = order.attempt_timeout()?.unwrap_or(app.attempt_timeout);
    let attempts = if order.retry_on_timeout { MAX_ATTEMPTS } else { 1 };
    app.work.on_time(&connection)?;
    let permit = app.work.admit(work_kind(plan.as_ref(), attempts))?;
    // A task of its own: an order that was taken is carried out and counted,
    // whether or not the customer waits for the answer.
    let waiting = Waiting::for_request(&request_id);
    let reserve = Reserve { item_id: order.item_id, quantity: order.quantity };
    let context = AttemptContext::new(reserve, plan, request_id);
    let retry = order.retry_on_timeout;
    let task = Task { order_id, retry, timeout, context, baggage, _permit: permit };
    let answer = app.lifecycle.complete(carry_out(app.clone(), task)).await?;
    waiting.answered();
    answer
}

/// An order that was accepted.
struct Task {
    order_id: String,
    retry: bool,
    timeout: Duration,
    context: AttemptContext,
    baggage: Option<Extension<Baggage>>,
    _permit: WorkPermit,
}

async fn carry_out(app: Arc<App>, task: Task) -> Result<Response, ProblemResponse> {
    let Task { order_id, retry, timeout, context, baggage, _permit } = task;
    let (begun, span) = (Instant::now(), Span::current());
    set_attribute(&span, attribute::ORDER_ID, order_id.clone());
    set_attribute(&span, attribute::ORDER_ITEM, context.reserve.item_id.clone());
    set_attribute(&span, attribute::ORDER_QUANTITY, context.reserve.quantity);
    set_attribute(&span, attribute::ORDER_CHAOS, context.faults());
    let ms = i64::try_from(timeout.as_millis()).unwrap_or(i64::MAX);
    set_attribute(&span, attribute::ORDER_ATTEMPT_TIMEOUT, ms);

    let client = if retry { &app.clients.retrying } else { &app.clients.once };
    let context = Arc::new(context);
    // Not `RequestBuilder::send`: its future keeps the request three times.
    let mut extensions = Extensions::new();
    extensions.insert(RESERVE);
    extensions.insert(context.clone());
    extensions.insert(baggage.unwrap_or_default().0);
    let answer = match build_request(client, app.url(RESERVE), timeout, &context) {
        Ok(request) => client.execute_with_extensions(request, &mut extensions).await,
        Err(error) => Err(error.into()),
    };
    let attempts = context.attempts();
    let results: Vec<AttemptResult> = attempts.iter().map(|attempt| attempt.result).collect();
    let report = OrderReport {
        order_id,
        outcome: outcome(&results),
        attempts,
        trace_id: current_trace_id(),
    };
    set_attribute(&span, attribute::ORDER_OUTCOME, report.outcome.as_str());
    app.metrics.ended(report.outcome);
    tracing::info!(
        request_id = context.request_id,
        outcome = report.outcome.as_str(),
        attempts = report.attempts.len(),
        "Answers the customer after {}: {}",
        seconds(begun.elapsed()),
        report.outcome.as_str(),
    );
    let answer = answer.as_ref().ok();
    match answer.and_then(|response| context.reservation(response)) {
        Some(reserved) if report.outcome == Outcome::Confirmed => {
            let note = if report.attempts.len() > 1 {
                "reserved (after timeout retry) ⚠️"
            } else {
                "reserved (first try) ✅"
            };
            Ok(Json(Confirmation { reserved, note: note.to_owned(), report }).into_response())
        }
        _ => {
            // The inventory's own words, where it said no itself.
            let said = answer.filter(|answer| !answer.status().is_success()).and_then(body);
            Err(order_problem(&report, said, timeout).into())
        }
    }
}

fn build_request(
    client: &ClientWithMiddleware,
    url: Url,
    timeout: Duration,
    context: &AttemptContext,
) -> reqwest::Result<reqwest::Request> {
    client
        .post(url)
        .timeout(timeout)
        .header(REQUEST_ID_HEADER, &context.request_id)
        .json(&context.reserve)
        .build()
}
