//! `/inventory/notifications`: messages about orders, and what the board shows of them.
//!
//! The board stands for any listener: a page of the customer's, a mail, another service.
//! It is here so that the order service sends messages to no other address.

use std::sync::Arc;
use std::time::{Duration, UNIX_EPOCH};

use axum::Extension;
use axum::extract::State;
use axum::response::Response;
use campuscafe_api::Problem;
use campuscafe_api::inventory::{
    ArrivedNotification, Notification, NotificationState, Notifications, Notified,
};
use campuscafe_cures::{IdempotencyKey, OrderId};
use campuscafe_service::{Connection, Json, PathParam, ProblemResponse, Query};
use campuscafe_telemetry::{SPAN_TARGET, attribute, set_attribute};
use humantime::format_rfc3339_millis;
use tracing::{Span, info_span};

use crate::App;
use crate::board::{Arrival, Outcome};
use crate::faulted::{self, FaultQuery};

/// The highest sequence number.
const MAX_SEQUENCE: u64 = 1_000_000;

/// A message that is checked.
#[derive(Debug, Clone, Copy)]
struct Message {
    id: OrderId,
    state: NotificationState,
    sequence: Option<u64>,
}

/// Takes a message about an order, and shows it.
///
/// Messages can overtake each other. Without sequence numbers the last message to arrive is
/// shown, however old it is. With them a message is dropped that is older than what is shown,
/// or a copy of it.
#[utoipa::path(post, path = "/inventory/notifications", tag = "notifications", params(FaultQuery),
    request_body = Notification,
    responses((status = 200, body = Notified, description = "It is shown, or dropped because a newer one is"),
        (status = 400, body = Problem, content_type = "application/problem+json", description = "The request is invalid"),
        (status = 408, body = Problem, content_type = "application/problem+json", description = "The body took longer than 10 s"),
        (status = 413, body = Problem, content_type = "application/problem+json", description = "Body over 16 KiB"),
        (status = 415, body = Problem, content_type = "application/problem+json", description = "Not application/json"),
        (status = 503, body = Problem, content_type = "application/problem+json", headers(("Retry-After" = u64, description = "Seconds; absent if a fault refused the request")),
            description = "The fault `fail` or `slowfail`, or too much work is under way. The message was not shown")))]
pub(crate) async fn notify(
    State(app): State<Arc<App>>,
    Extension(connection): Extension<Connection>,
    Query(FaultQuery { chaos }): Query<FaultQuery>,
    Json(notification): Json<Notification>,
) -> Result<Response, ProblemResponse> {
    let message = checked(&notification)?;
    let request_id = IdempotencyKey::of_order(message.id).to_string();
    set_attribute(&Span::current(), attribute::REQUEST_ID, request_id.clone());
    let inventory = app.clone();
    let change = async move { Ok(Json(arrive(&inventory, &request_id, message))) };
    faulted::change(&app, chaos.as_deref(), &connection, change).await
}

/// What the board shows of an order, and the messages by which it came to that.
#[utoipa::path(get, path = "/inventory/notifications/{orderId}", tag = "notifications",
    params(("orderId" = String, Path, pattern = "^[0-9a-f]{32}$", description = "The order")),
    responses((status = 200, body = Notifications, description = "What is shown"),
        (status = 400, body = Problem, content_type = "application/problem+json", description = "The path is invalid", example = json!({"type": "urn:problem-type:campuscafe:malformed-path", "title": "Malformed path", "status": 400, "detail": "expected percent-encoded UTF-8"})),
        (status = 404, body = Problem, content_type = "application/problem+json", description = "The board shows nothing of this order", example = json!({"type": "urn:problem-type:campuscafe:no-notification", "title": "No notification", "status": 404, "detail": "no message about this order has arrived, or the board has forgotten it"}))))]
pub(crate) async fn get_notifications(
    State(app): State<Arc<App>>,
    PathParam(id): PathParam,
) -> Result<Json<Notifications>, ProblemResponse> {
    let order = id.parse().ok().and_then(|id| app.board.get(id)).ok_or_else(|| {
        Problem::new(404, "no-notification", "No notification")
            .detail("no message about this order has arrived, or the board has forgotten it")
    })?;
    let history = order.history.iter().map(arrived).collect();
    Ok(Json(Notifications { order_id: id, shown: order.shown(), history }))
}

fn arrived(arrival: &Arrival) -> ArrivedNotification {
    let Arrival { state, sequence, at, dropped } = *arrival;
    let at = format_rfc3339_millis(UNIX_EPOCH + Duration::from_millis(at)).to_string();
    ArrivedNotification { state, sequence, at, dropped }
}

fn checked(notification: &Notification) -> Result<Message, ProblemResponse> {
    let Notification { order_id, state, sequence } = notification;
    let id = order_id.parse::<OrderId>().map_err(|error| {
        Problem::new(400, "malformed-order-id", "Malformed order id")
            .detail(format!("orderId: {error}"))
    })?;
    if let Some(number) = sequence.filter(|number| !(1..=MAX_SEQUENCE).contains(number)) {
        return Err(Problem::new(400, "invalid-sequence", "Invalid sequence number")
            .detail(format!("sequence is {number}; expected 1 to {MAX_SEQUENCE}"))
            .into());
    }
    Ok(Message { id, state: *state, sequence: *sequence })
}

fn arrive(app: &App, request_id: &str, message: Message) -> Notified {
    let Message { id, state, sequence } = message;
    let outcome = app.board.arrive(id, state, sequence, (app.now)());
    let Outcome { shown, dropped, forgotten } = outcome;
    app.metrics.notified(state, dropped, forgotten);
    let span = info_span!(
        target: SPAN_TARGET,
        "show",
        otel.name = span_name(dropped),
        { attribute::ORDER_ID } = id.to_string(),
        { attribute::NOTIFICATION_STATE } = state.as_str(),
        { attribute::NOTIFICATION_SEQUENCE } = sequence.map(u64::cast_signed),
        { attribute::NOTIFICATION_DROPPED } = dropped,
    );
    span.in_scope(|| log(request_id, message, outcome));
    Notified { order_id: id.to_string(), shown, dropped }
}

/// A list of spans shows names only.
const fn span_name(dropped: bool) -> &'static str {
    if dropped { "show notification (dropped)" } else { "show notification" }
}

fn log(request_id: &str, Message { state, sequence, .. }: Message, outcome: Outcome) {
    let state = state.as_str();
    let number = sequence.map(|number| format!(" (message {number})")).unwrap_or_default();
    if outcome.dropped {
        let shown = outcome.shown.as_str();
        tracing::info!(
            request_id,
            state,
            sequence,
            "Drops the message {state}{number}: the board shows a newer one, {shown}"
        );
    } else {
        tracing::info!(request_id, state, sequence, "The board shows {state}{number}");
    }
}
