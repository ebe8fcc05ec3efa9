//! `DELETE /orders/{orderId}`: from a cancel to what the customer is told.
//!
//! The cured lane cancels under the order's key: if nothing is reserved yet, the key is void,
//! and a reserve request that the cancel has overtaken is refused. When the inventory has
//! forgotten the key, it cancels the reservation that it knows. The naive lane can only take
//! back what it finds.

use std::sync::Arc;

use axum::Extension;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use campuscafe_api::Problem;
use campuscafe_api::inventory::{Cancelled, Reservation};
use campuscafe_api::order::{Lane, OrderRecord};
use campuscafe_cures::order::{Event, NothingToCancel};
use campuscafe_cures::{IdempotencyKey, OrderId, OrderState};
use campuscafe_service::{Connection, Json, PathParam, ProblemResponse, Query};
use campuscafe_telemetry::{Baggage, attribute, set_attribute};
use http::{Method, StatusCode, header};
use serde::Deserialize;
use tokio::time::timeout;
use tracing::Span;
use utoipa::IntoParams;

use crate::App;
use crate::admission::{plan_of_change, unknown_fault, work_kind};
use crate::answers::unavailable;
use crate::attempts::body;
use crate::calls::{CANCEL_OF_REQUEST, Call, cancel_reservation};
use crate::notify::tell_listener;
use crate::orders::{Note, Order, Question};
use crate::records::record;
use crate::recovery::{Known, record_later};
use crate::replicas::not_remembered;
use crate::settle::{Told, ask, says, settle_later};

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
pub(crate) struct CancelQuery {
    /// The fault that the cancel meets at the inventory, such as `lostreply` or `slow:500`;
    /// every fault but `hold` and `race`, which are of a reservation.
    #[param(example = "none", nullable = false, max_length = 256, format = "change-fault-plan")]
    chaos: Option<String>,
}

/// Cancels an order, also while it is being placed. To cancel twice is to cancel once.
///
/// An order with an idempotency key is cancelled for good: whatever of it is still under
/// way reserves nothing. If the inventory does not answer, the service asks until it does. If
/// the inventory has forgotten the key for its age, the service removes the reservation that it
/// knows; if it knows none, the order stays `cancelling` and has a note that says why.
/// For an order without a key the service removes the reservation that it knows, or else
/// those that the inventory has now; a reserve request that comes later reserves all the same.
#[utoipa::path(delete, path = "/orders/{orderId}", tag = "orders",
    params(("orderId" = String, Path, pattern = "^[0-9a-f]{32}$", description = "The id that the answer to the order gave"), CancelQuery),
    responses((status = 200, body = OrderRecord, description = "The order is cancelled"),
        (status = 202, body = OrderRecord, description = "The inventory has not answered yet: the service asks until it does. `Location` leads to the order", headers(("Location" = String, description = "Path of the order"), ("Retry-After" = u64, description = "Seconds"))),
        (status = 400, body = Problem, content_type = "application/problem+json", description = "The path is invalid, or the fault is unknown", example = json!({"type": "urn:problem-type:campuscafe:malformed-path", "title": "Malformed path", "status": 400, "detail": "expected percent-encoded UTF-8"})),
        (status = 404, body = Problem, content_type = "application/problem+json", description = "The service does not know this order", example = json!({"type": "urn:problem-type:campuscafe:no-such-order", "title": "No such order", "status": 404, "detail": "this service has taken no such order, or has forgotten it"})),
        (status = 409, body = Problem, content_type = "application/problem+json", description = "The order has failed", example = json!({"type": "urn:problem-type:campuscafe:nothing-to-cancel", "title": "Nothing to cancel", "status": 409, "detail": "the order has failed; there is nothing to cancel", "orderId": "019ad4c1f4007b4f8f9a3b1c2d3e4f5a"})),
        (status = 503, body = Problem, content_type = "application/problem+json", headers(("Retry-After" = u64, description = "Seconds")), description = "Too many orders are under way, or another process of the order service took this order (see `GET /orders/{orderId}`); nothing was cancelled. With `store-unavailable` the cancel may not be recorded: cancel again"),
        (status = 504, body = Problem, content_type = "application/problem+json", description = "The order has no idempotency key, and the inventory does not answer: nobody knows whether it is cancelled", example = json!({"type": "urn:problem-type:campuscafe:cancel-unknown", "title": "Cancel unknown", "status": 504, "detail": "the inventory gave no answer to the cancel; cancel the order again", "orderId": "019ad4c1f4007b4f8f9a3b1c2d3e4f5a"}))))]
pub(crate) async fn cancel_order(
    State(app): State<Arc<App>>,
    Extension(connection): Extension<Connection>,
    baggage: Option<Extension<Baggage>>,
    PathParam(id): PathParam,
    Query(CancelQuery { chaos }): Query<CancelQuery>,
) -> Result<Response, ProblemResponse> {
    let plan = chaos.as_deref().map(plan_of_change).transpose().map_err(unknown_fault)?;
    let id: OrderId = id.parse().map_err(|_| not_remembered(&app, None))?;
    app.work.on_time(&connection)?;
    let permit = app.work.admit(work_kind(plan.as_ref(), 1))?;
    let baggage = baggage.unwrap_or_default().0;
    let service = app.clone();
    let work = async move {
        let _permit = permit;
        cancel(&service, id, plan.map(|plan| plan.step(1).to_string()), baggage).await
    };
    app.lifecycle.complete(work).await?
}

async fn cancel(
    app: &Arc<App>,
    id: OrderId,
    fault: Option<String>,
    baggage: Baggage,
) -> Result<Response, ProblemResponse> {
    let span = Span::current();
    set_attribute(&span, attribute::ORDER_ID, id.to_string());
    let begun = app.orders.begin_cancel(id, (app.now)()).await;
    let begun = begun
        .map_err(|it| unavailable(app, it, "the cancel may not be recorded, so cancel again"))?;
    let begun = begun.ok_or_else(|| not_remembered(app, Some(id)))?;
    let (before, order) = begun.map_err(|NothingToCancel| nothing_to_cancel(id))?;
    if before == OrderState::Cancelled {
        return Ok(told(id, order));
    }
    tell_listener(app, id, &baggage, &span);
    let cancelled = match order.lane {
        Lane::Cured => {
            let asked = ask(app, id, Question::Cancel, fault, &baggage);
            // Others may wait to ask: the customer is answered in time, and the task asks on.
            match timeout(app.attempt_timeout, asked).await {
                Ok(Told::Known(_)) => true,
                // What the inventory has forgotten is settled by the task that asks again.
                Ok(Told::Never(_) | Told::Nothing) | Err(_) => false,
            }
        }
        Lane::Naive => naive(app, &naive_call(id, &order, fault), &baggage).await,
    };
    app.metrics.cancelled(cancelled, before, order.lane);
    let request_id = IdempotencyKey::of_order(id).to_string();
    if cancelled {
        let learnt = app.orders.learn(id, Event::CancelConfirmed, None, (app.now)()).await;
        if learnt.is_err() {
            let known = Known::Event(Event::CancelConfirmed, None);
            record_later(app, id, known, baggage);
            return Ok(told(id, order));
        }
        tell_listener(app, id, &baggage, &span);
        tracing::info!(request_id, "Cancelled the order");
    } else if order.lane == Lane::Naive {
        let note = Note::CancelUnanswered;
        if app.orders.give_up(id, note).await.is_err() {
            record_later(app, id, Known::Never(note), baggage);
        }
        let why = note.text();
        tracing::warn!(request_id, "Does not know whether the order is cancelled: {why}");
        return Err(cancel_unknown(id).into());
    } else {
        tracing::info!(request_id, "The cancel has no answer: asks until it has one");
        // Whoever cancels once more finds a task that asks already, or a note.
        if order.note.is_none() {
            settle_later(app, id, Question::Cancel, baggage, &span);
        }
    }
    let order = app.orders.get(id).await;
    let order = order.map_err(|it| unavailable(app, it, "nothing can be told of the order"))?;
    let order = order.ok_or_else(|| not_remembered(app, Some(id)))?;
    Ok(told(id, order))
}

/// What the naive lane asks of the inventory.
fn naive_call(id: OrderId, order: &Order, fault: Option<String>) -> Call {
    let call = match order.reserved {
        Some(reservation) => cancel_reservation(reservation),
        None => Call::new(Method::DELETE, CANCEL_OF_REQUEST, CANCEL_OF_REQUEST.0.to_owned())
            .with("requestId", IdempotencyKey::of_order(id).to_string()),
    };
    match fault {
        Some(fault) => call.with("chaos", fault),
        None => call,
    }
}

/// Whether the inventory has removed the reservation, or says that there is none. That there
/// is none yet does not mean that none can come: so the naive lane is wrong here.
async fn naive(app: &App, call: &Call, baggage: &Baggage) -> bool {
    let Some(answer) = app.send(call, baggage).await else { return false };
    match answer.status().as_u16() {
        200 => body::<Cancelled>(&answer).is_some() || body::<Reservation>(&answer).is_some(),
        404 => says(&answer, &[":nothing-to-cancel", ":no-such-reservation"]),
        _ => false,
    }
}

fn told(id: OrderId, order: Order) -> Response {
    let state = order.state;
    let document = Json(record(id, order));
    if state == OrderState::Cancelled {
        return document.into_response();
    }
    let headers =
        [(header::LOCATION, format!("/orders/{id}")), (header::RETRY_AFTER, "1".to_owned())];
    (StatusCode::ACCEPTED, headers, document).into_response()
}

fn nothing_to_cancel(id: OrderId) -> ProblemResponse {
    Problem::new(409, "nothing-to-cancel", "Nothing to cancel")
        .detail(NothingToCancel.to_string())
        .with("orderId", id.to_string())
        .into()
}

fn cancel_unknown(id: OrderId) -> Problem {
    Problem::new(504, "cancel-unknown", "Cancel unknown")
        .detail("the inventory gave no answer to the cancel; cancel the order again")
        .with("orderId", id.to_string())
}
