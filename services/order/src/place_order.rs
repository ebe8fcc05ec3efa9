//! `POST /orders`: from an order to what the customer is told.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use campuscafe_api::inventory::Reserve;
use campuscafe_api::order::{
    Attempt, AttemptResult, Confirmation, OrderReport, Outcome, PlaceOrder,
};
use campuscafe_api::{Problem, REQUEST_ID_HEADER};
use campuscafe_chaos::Plan;
use campuscafe_service::{Json, Refusal, RequestId, ids};
use campuscafe_telemetry::{attribute, current_trace_id, set_attribute};
use humantime::format_duration;
use tracing::{Instrument as _, Span};

use crate::App;
use crate::attempts::{AttemptLog, Errand, RESERVE, reservation};
use crate::outcome::{outcome, status};

/// The longest text from outside that is kept on a span, in characters.
const MAX_ATTRIBUTE: usize = 64;

/// Places an order: one attempt, and one more after a timeout if asked for.
#[utoipa::path(post, path = "/orders", tag = "orders",
    params(("X-Request-Id" = Option<String>, Header, description = "The customer's own id of the request, for the trace; 1 to 128 printable ASCII characters")),
    request_body = PlaceOrder,
    responses((status = 200, body = Confirmation, description = "Reserved"),
        (status = 400, body = Problem, content_type = "application/problem+json", description = "The order cannot be meant"),
        (status = 409, body = Problem, content_type = "application/problem+json", description = "Out of stock"),
        (status = 413, body = Problem, content_type = "application/problem+json", description = "Body over 16 KiB"),
        (status = 415, body = Problem, content_type = "application/problem+json", description = "Not application/json"),
        (status = 502, body = Problem, content_type = "application/problem+json", description = "Failed for certain; outcome `failed`"),
        (status = 504, body = Problem, content_type = "application/problem+json", description = "Not known whether it was reserved; outcome `unknown`")))]
pub(crate) async fn place_order(
    State(app): State<Arc<App>>,
    RequestId(customers_id): RequestId,
    Json(order): Json<PlaceOrder>,
) -> Result<Response, Refusal> {
    set_attribute(&Span::current(), attribute::REQUEST_ID, customers_id);
    let plan = order.chaos.as_deref().map(str::parse::<Plan>).transpose().map_err(|error| {
        Problem::new(400, "unknown-fault", "Unknown fault").detail(error.to_string())
    })?;
    // A task of its own: an order that was taken is carried out and counted,
    // whether or not the customer waits for the answer.
    let work = carry_out(app.clone(), order, plan).instrument(Span::current());
    app.lifecycle.spawn(work).await.unwrap_or_else(|_| {
        Err(Problem::new(500, "internal", "Internal error")
            .detail("this is a bug in CampusCafe")
            .into())
    })
}

async fn carry_out(
    app: Arc<App>,
    order: PlaceOrder,
    plan: Option<Plan>,
) -> Result<Response, Refusal> {
    let order_id = ids::random();
    let span = Span::current();
    set_attribute(&span, attribute::ORDER_ID, order_id.clone());
    set_attribute(&span, attribute::ORDER_ITEM, shortened(&order.item_id));
    set_attribute(&span, attribute::ORDER_QUANTITY, order.quantity);
    set_attribute(
        &span,
        attribute::ORDER_CHAOS,
        plan.as_ref().map_or_else(|| "none".to_owned(), Plan::to_string),
    );

    let log = AttemptLog::default();
    let request_id = format!("order-{order_id}");
    let client = if order.retry_on_timeout { &app.clients.retrying } else { &app.clients.once };
    let answer = client
        .post(app.url(RESERVE))
        .timeout(app.limit)
        .header(REQUEST_ID_HEADER, &request_id)
        .json(&Reserve { item_id: order.item_id, quantity: order.quantity })
        .with_extension(RESERVE)
        .with_extension(log.clone())
        .with_extension(Errand { plan, request_id: request_id.clone() })
        .send()
        .await;
    let attempts = log.attempts();
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
        request_id,
        outcome = report.outcome.as_str(),
        attempts = report.attempts.len(),
        "order ended"
    );
    match answer.as_ref().ok().and_then(reservation) {
        Some(reserved) if report.outcome == Outcome::Confirmed => {
            let note = if report.attempts.len() > 1 {
                "reserved (after timeout retry) ⚠️"
            } else {
                "reserved (first try) ✅"
            };
            Ok(Json(Confirmation { reserved, note: note.to_owned(), report }).into_response())
        }
        _ => Err(told_no(&report, said_no(answer).await, app.limit).into()),
    }
}

/// The inventory's own words, where it said no itself.
async fn said_no(answer: reqwest_middleware::Result<reqwest::Response>) -> Option<Problem> {
    answer.ok()?.json().await.ok()
}

/// What a customer is told who gets no cake, as far as anyone here knows.
fn told_no(report: &OrderReport, said: Option<Problem>, limit: Duration) -> Problem {
    let last = report.attempts.last();
    let title =
        if report.attempts.len() > 1 { "Retry also failed 💥" } else { "Order failed 💥" };
    let status = status(report.outcome, last.and_then(|attempt| attempt.status));
    let detail = match (report.outcome, last.map(|attempt| attempt.result), &said) {
        (Outcome::Unknown, ..) => unknown(&report.attempts, limit),
        (Outcome::Failed, Some(AttemptResult::Rejected), Some(said)) => {
            format!("the inventory said no: {}", said.detail.as_deref().unwrap_or(&said.title))
        }
        (Outcome::Failed, Some(AttemptResult::Refused), _) => {
            "the inventory could not be reached; nothing was sent, so nothing was reserved"
                .to_owned()
        }
        _ => {
            "what answered in the inventory's place is no inventory; see --inventory-url".to_owned()
        }
    };
    let kind = if report.outcome == Outcome::Unknown { "order-unknown" } else { "order-failed" };
    let mut problem = Problem::new(status, kind, title).detail(detail);
    if let (Outcome::Failed, Some(said)) = (report.outcome, said) {
        problem.extensions.extend(said.extensions);
    }
    problem.with_all(report)
}

fn unknown(attempts: &[Attempt], limit: Duration) -> String {
    let what = match attempts.last().map(|attempt| attempt.result) {
        Some(AttemptResult::Timeout) => format!("no answer within {}", format_duration(limit)),
        Some(AttemptResult::ConnectionLost) => "the connection broke before an answer".to_owned(),
        _ => format!("an earlier attempt had no answer within {}", format_duration(limit)),
    };
    format!("{what}; the inventory may or may not have reserved, and nobody here can know")
}

fn shortened(text: &str) -> String {
    text.chars().take(MAX_ATTRIBUTE).collect()
}
