//! The answer to a customer who places the same order again, under the same key.
//!
//! It tells how the order stands now, and not what was told the first time: after a cancel
//! the first answer would be wrong.

use std::time::Duration;

use axum::response::{IntoResponse, Response};
use campuscafe_api::inventory::Reservation;
use campuscafe_api::order::{Confirmation, OrderReport};
use campuscafe_api::{IDEMPOTENT_REPLAYED_HEADER, Problem};
use campuscafe_cures::{IdempotencyKey, OrderId, OrderState};
use campuscafe_service::{Json, ProblemResponse};
use campuscafe_telemetry::{attribute, set_attribute};
use http::{HeaderName, HeaderValue};
use tracing::Span;

use crate::App;
use crate::answers::{accepted, order_cancelled, outcome_of_state, unavailable};
use crate::orders::Order;
use crate::records::record;

/// Waits until the order is placed, within the limit, and tells how it stands.
pub(crate) async fn replay(
    app: &App,
    id: OrderId,
    limit: Duration,
) -> Result<Response, ProblemResponse> {
    let span = Span::current();
    let request_id = IdempotencyKey::of_order(id).to_string();
    set_attribute(&span, attribute::ORDER_ID, id.to_string());
    set_attribute(&span, attribute::REQUEST_ID, request_id.clone());
    set_attribute(&span, attribute::IDEMPOTENT_REPLAYED, true);
    app.metrics.replayed();
    let order = app.orders.placed(id, limit).await;
    let order = order.map_err(|it| unavailable(app, it, "nothing was placed now"))?;
    let order = order.ok_or_else(|| forgotten(id))?;
    let state = order.state;
    tracing::info!(request_id, "Answers with the order that has this key: {}", state.as_str());
    let mut response = answer(id, order);
    let name = HeaderName::from_static(IDEMPOTENT_REPLAYED_HEADER);
    response.headers_mut().insert(name, HeaderValue::from_static("true"));
    Ok(response)
}

fn answer(id: OrderId, order: Order) -> Response {
    let state = order.state;
    let known = record(id, order);
    let report = OrderReport {
        order_id: known.order_id,
        outcome: outcome_of_state(state),
        attempts: Vec::new(),
        trace_id: known.trace_id,
    };
    match (state, known.reserved) {
        (OrderState::Confirmed, Some(reserved)) => confirmed(reserved, report),
        (OrderState::Cancelled, _) => {
            ProblemResponse::from(order_cancelled(&report)).into_response()
        }
        (OrderState::Failed, _) => ProblemResponse::from(failed(&report)).into_response(),
        _ => accepted(&report),
    }
}

fn confirmed(reserved: Reservation, report: OrderReport) -> Response {
    let note = "reserved (the same order as before)".to_owned();
    Json(Confirmation { reserved, note, report }).into_response()
}

fn failed(report: &OrderReport) -> Problem {
    Problem::new(409, "order-failed", "Order failed 💥")
        .detail(
            "the order with this Idempotency-Key has failed: nothing was reserved; to order \
             again, take a new key",
        )
        .with_all(report)
}

fn forgotten(id: OrderId) -> Problem {
    Problem::new(410, "order-forgotten", "Order forgotten")
        .detail(
            "an order was placed with this Idempotency-Key, and the service has forgotten what \
             became of it; nothing was placed now",
        )
        .with("orderId", id.to_string())
}
