//! `POST /orders`: from an order to what the customer is told.

use std::sync::Arc;

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use campuscafe_api::inventory::{Reservation, Reserve};
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
use crate::attempts::{AttemptLog, Errand, RESERVE};
use crate::outcome::{outcome, status};

/// The longest text from outside that is kept on a span, in characters.
const MAX_ATTRIBUTE: usize = 64;

/// Places an order: one attempt, and one more after a timeout if asked for.
#[utoipa::path(post, path = "/orders", tag = "orders",
    request_body = PlaceOrder,
    responses((status = 200, body = Confirmation),
        (status = 400, body = Problem, description = "The order cannot be meant"),
        (status = 409, body = Problem, description = "Out of stock"),
        (status = 413, body = Problem, description = "Body over 16 KiB"),
        (status = 415, body = Problem, description = "Not application/json"),
        (status = 502, body = Problem, description = "Failed for certain; outcome `failed`"),
        (status = 504, body = Problem, description = "Not known whether it was reserved; outcome `unknown`")))]
pub(crate) async fn place_order(
    State(app): State<Arc<App>>,
    RequestId(_checked): RequestId,
    Json(order): Json<PlaceOrder>,
) -> Result<Response, Refusal> {
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
    // The body is in memory already, so this fails for no new reason.
    let body = match answer {
        Ok(response) => response.bytes().await.unwrap_or_default(),
        Err(_) => Default::default(),
    };

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
    match (report.outcome, serde_json::from_slice::<Reservation>(&body)) {
        (Outcome::Confirmed, Ok(reserved)) => {
            let note = if report.attempts.len() > 1 {
                "reserved (after timeout retry) ⚠️"
            } else {
                "reserved (first try) ✅"
            };
            Ok(Json(Confirmation { reserved, note: note.to_owned(), report }).into_response())
        }
        _ => Err(told_no(&report, &body, app.limit).into()),
    }
}

/// What a customer is told who gets no cake, as far as anyone here knows.
fn told_no(report: &OrderReport, body: &[u8], limit: std::time::Duration) -> Problem {
    let last = report.attempts.last();
    let title =
        if report.attempts.len() > 1 { "Retry also failed 💥" } else { "Order failed 💥" };
    let status = match report.outcome {
        // Confirmed, but by something that is no reservation.
        Outcome::Confirmed => 502,
        other => status(other, last.and_then(|attempt| attempt.status)),
    };
    // The inventory's own words and members, where it said no itself.
    let said = serde_json::from_slice::<Problem>(body).ok();
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

fn unknown(attempts: &[Attempt], limit: std::time::Duration) -> String {
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
