//! `POST /orders`: from an order to what the customer is told.

use std::sync::Arc;
use std::time::Duration;

use axum::Extension;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use campuscafe_api::inventory::Reserve;
use campuscafe_api::order::{Attempt, Confirmation, Lane, OrderReport, Outcome, PlaceOrder};
use campuscafe_api::{IDEMPOTENCY_KEY_HEADER, Problem, REQUEST_ID_HEADER};
use campuscafe_chaos::Plan;
use campuscafe_cures::attempts::{Knowledge, knowledge};
use campuscafe_cures::order::Event;
use campuscafe_cures::{IdempotencyKey, OrderId, OrderState};
use campuscafe_service::{
    Connection, Json, KeyHeader, ProblemResponse, RequestId, Waiting, WorkPermit, seconds,
};
use campuscafe_telemetry::{
    Baggage, attribute, current_trace_id, http_client, set_attribute, set_header,
};
use http::{Extensions, HeaderMap};
use reqwest::Url;
use reqwest_middleware::ClientWithMiddleware;
use tokio::time::Instant;
use tracing::Span;

use crate::App;
use crate::admission::{unknown_fault, work_kind};
use crate::answers::{
    accepted, not_begun, order_cancelled, outcome_of, outcome_of_state, unavailable,
};
use crate::attempts::{AttemptContext, body};
use crate::calls::RESERVE;
use crate::notify::{plan_of_messages, tell_listener};
use crate::order_problem::order_problem;
use crate::orders::{Begun, Order, Question};
use crate::outcome::{MAX_ATTEMPTS, MAX_CURED_ATTEMPTS, outcome};
use crate::recovery::{Known, record_later};
use crate::replay::replay;
use crate::replicas::refuse_customer_key;
use crate::settle::settle_later;
use crate::store::Unavailable;

/// Places an order. It makes one attempt, and retries once after a timeout if asked.
///
/// With `idempotent` all attempts carry the order's key, so they reserve once. Such an
/// order has failed only when that is certain; if no answer came it is answered 202, and
/// `GET /orders/{orderId}` tells what became of it. If asked, it is retried up to twice, each
/// time after a longer random wait, within a deadline (3 s unless set) and only while the
/// retries of all orders stay within a budget (a tenth of their first attempts unless set, and a
/// reserve of 10).
///
/// With an `Idempotency-Key` of the customer's own the order is placed once, however often it
/// is sent, and has `idempotent` too. Whoever sends it again waits until it is placed, and is
/// told how it stands now, which may not be what was told first: it can be settled or
/// cancelled since.
#[utoipa::path(post, path = "/orders", tag = "orders",
    params(("X-Request-Id" = Option<String>, Header, min_length = 1, max_length = 128, pattern = "^[!-~]([ -~]*[!-~])?$",
        description = "The customer's own id of the request: the order's span has it as `http.request.header.x-request-id`. 1 to 128 printable ASCII characters"),
        ("Idempotency-Key" = Option<String>, Header, nullable = false, min_length = 1, max_length = 255, pattern = "^[!#-~][!-~]*$",
            description = "The customer's own key: orders with the same key are one order, for 10 minutes, or for 24 hours where the service keeps its orders in a file or a database. 1 to 255 visible ASCII characters, in quotes as draft-ietf-httpapi-idempotency-key-header-07 writes it, or bare")),
    request_body = PlaceOrder,
    responses((status = 200, body = Confirmation, description = "Reserved", headers(("Idempotent-Replayed" = bool, description = "Present and `true` if the order was placed before with the same Idempotency-Key; then `attempts` is empty"))),
        (status = 202, body = OrderReport, description = "The order has `idempotent`, and no answer came: the service asks the inventory until it knows. `Location` leads to the order", headers(("Location" = String, description = "Path of the order"), ("Retry-After" = u64, description = "Seconds"))),
        (status = 400, body = Problem, content_type = "application/problem+json", description = "The order is invalid"),
        (status = 408, body = Problem, content_type = "application/problem+json", description = "The body did not arrive within 10 s"),
        (status = 409, body = Problem, content_type = "application/problem+json", description = "Out of stock; or the order with this Idempotency-Key has failed or is cancelled", example = json!({"type": "urn:problem-type:campuscafe:order-failed", "title": "Order failed 💥", "status": 409, "detail": "the inventory refused: 0 left; nothing was reserved", "message": "out of stock", "itemId": "cake", "currentStock": 0, "orderId": "5f0c6c0e7a4b4f7f9a3b1c2d3e4f5a6b", "outcome": "failed", "attempts": [{"number": 1, "result": "rejected", "durationMs": 2, "status": 409}]})),
        (status = 410, body = Problem, content_type = "application/problem+json", description = "The Idempotency-Key has expired, or its order is forgotten; nothing was placed now", example = json!({"type": "urn:problem-type:campuscafe:order-forgotten", "title": "Order forgotten", "status": 410, "detail": "an order was placed with this Idempotency-Key, and the service has forgotten what became of it; nothing was placed now", "orderId": "019ad4c1f4007b4f8f9a3b1c2d3e4f5a"})),
        (status = 413, body = Problem, content_type = "application/problem+json", description = "Body over 16 KiB"),
        (status = 415, body = Problem, content_type = "application/problem+json", description = "Not application/json"),
        (status = 422, body = Problem, content_type = "application/problem+json", description = "The Idempotency-Key was used for a different item or quantity", example = json!({"type": "urn:problem-type:campuscafe:idempotency-key-reused", "title": "Idempotency-Key is already used", "status": 422, "detail": "the key was used for a different request; nothing was placed"})),
        (status = 501, body = Problem, content_type = "application/problem+json", description = "The request has an `Idempotency-Key`, and the service is one of several replicas (`--customer-keys=refuse`)", example = json!({"type": "urn:problem-type:campuscafe:customer-keys-refused", "title": "Idempotency-Key is refused here", "status": 501, "detail": "several replicas take orders here, and each knows only the keys that it has seen itself, so the same key could place two orders; nothing was ordered"})),
        (status = 502, body = Problem, content_type = "application/problem+json", description = "The order failed; nothing was reserved. Outcome `failed`", example = json!({"type": "urn:problem-type:campuscafe:order-failed", "title": "Order failed 💥", "status": 502, "detail": "the inventory refused: the fault fail:503 was requested; nothing was reserved", "message": "failed on request", "orderId": "5f0c6c0e7a4b4f7f9a3b1c2d3e4f5a6b", "outcome": "failed", "attempts": [{"number": 1, "result": "rejected", "durationMs": 2, "status": 503}]})),
        (status = 503, body = Problem, content_type = "application/problem+json", headers(("Retry-After" = u64, description = "Seconds")),
            description = "Too many orders are under way, or too many Idempotency-Keys are remembered, or the order could not be recorded (`store-unavailable`, `store-busy`, `store-timeout`); nothing was sent to the inventory for this one. If the problem has an `outcome`, an attempt was sent, and what came of it could not be recorded"),
        (status = 504, body = Problem, content_type = "application/problem+json", description = "No answer came; the order may be reserved or not. Outcome `unknown`", example = json!({"type": "urn:problem-type:campuscafe:order-unknown", "title": "Order failed 💥", "status": 504, "detail": "no answer within 1s; the order may be reserved or not", "orderId": "5f0c6c0e7a4b4f7f9a3b1c2d3e4f5a6b", "outcome": "unknown", "attempts": [{"number": 1, "result": "timeout", "durationMs": 1001}]}))))]
pub(crate) async fn place_order(
    State(app): State<Arc<App>>,
    Extension(connection): Extension<Connection>,
    headers: HeaderMap,
    ids: (RequestId, KeyHeader),
    baggage: Option<Extension<Baggage>>,
    Json(order): Json<PlaceOrder>,
) -> Result<Response, ProblemResponse> {
    let (RequestId(customers), KeyHeader(customers_key)) = ids;
    if headers.contains_key(REQUEST_ID_HEADER) {
        set_header(&Span::current(), attribute::CUSTOMERS_REQUEST_ID, customers);
    }
    refuse_customer_key(&app, customers_key.as_ref())?;
    let plan = order.chaos.as_deref().map(str::parse::<Plan>).transpose();
    let plan = plan.map_err(|error| unknown_fault(error.to_string()))?;
    let listener = order.notify.as_deref().map(plan_of_messages).transpose()?;
    let timeout = order.attempt_timeout()?.unwrap_or(app.attempt_timeout);
    let cured = order.idempotent || customers_key.is_some();
    let lane = if cured { Lane::Cured } else { Lane::Naive };
    let attempts = match (order.retry_on_timeout, lane) {
        (false, _) => 1,
        (true, Lane::Naive) => MAX_ATTEMPTS,
        (true, Lane::Cured) => MAX_CURED_ATTEMPTS,
    };
    app.work.on_time(&connection)?;
    let permit = app.work.admit(work_kind(plan.as_ref(), attempts))?;
    // A task of its own: an order that was taken is carried out and counted,
    // whether or not the customer waits for the answer.
    let reserve = Reserve { item_id: order.item_id, quantity: order.quantity };
    let now = (app.now)();
    let order_id = OrderId::taken_by(app.replica, now, rand::random());
    let record = Order::new(&reserve, lane, current_trace_id().as_deref(), now);
    if let Some(plan) = &listener {
        set_attribute(&Span::current(), attribute::ORDER_NOTIFY, plan.to_string());
    }
    let has_listener = listener.is_some();
    let record = record.with_listener(listener);
    // One id for one order: the inventory and the log know it by this one too.
    let key = IdempotencyKey::of_order(order_id);
    let request_id = key.to_string();
    let waiting = Waiting::for_request(&request_id);
    let key = (lane == Lane::Cured).then_some(key);
    let context = AttemptContext::new(reserve, plan, request_id, key, order.retry_on_timeout);
    let task = Task { order_id, timeout, context, has_listener, baggage };
    let work = place(app.clone(), record, customers_key, task, permit);
    let placed = app.lifecycle.complete(work).await;
    waiting.answered();
    match placed?? {
        Placed::Answer(answer) => Ok(answer),
        Placed::Before(first, _permit) => replay(&app, first, timeout).await,
    }
}

/// An order that was accepted.
struct Task {
    order_id: OrderId,
    timeout: Duration,
    context: AttemptContext,
    /// Most orders have none, and need not ask for messages.
    has_listener: bool,
    baggage: Option<Extension<Baggage>>,
}

enum Placed {
    /// What the customer is told.
    Answer(Response),
    /// It was placed before with the same customer's key.
    Before(OrderId, WorkPermit),
}

/// Records an order, and carries it out.
async fn place(
    app: Arc<App>,
    record: Order,
    customers_key: Option<IdempotencyKey>,
    task: Task,
    permit: WorkPermit,
) -> Result<Placed, ProblemResponse> {
    let begun = app.orders.begin(task.order_id, record, customers_key.as_ref(), (app.now)()).await;
    let begun = begun.map_err(|it| unavailable(&app, it, "nothing was placed"))?;
    if let Begun::Known(first) = begun.map_err(not_begun)? {
        return Ok(Placed::Before(first, permit));
    }
    carry_out(app, task).await.map(Placed::Answer)
}

async fn carry_out(app: Arc<App>, task: Task) -> Result<Response, ProblemResponse> {
    let Task { order_id, timeout, context, has_listener, baggage } = task;
    let (begun, span) = (Instant::now(), Span::current());
    set_attribute(&span, attribute::REQUEST_ID, context.request_id.clone());
    set_attribute(&span, attribute::ORDER_ID, order_id.to_string());
    set_attribute(&span, attribute::ORDER_ITEM, context.reserve.item_id.clone());
    set_attribute(&span, attribute::ORDER_QUANTITY, context.reserve.quantity);
    set_attribute(&span, attribute::ORDER_CHAOS, context.faults());
    set_attribute(&span, attribute::ORDER_LANE, context.lane().as_str());
    let ms = i64::try_from(timeout.as_millis()).unwrap_or(i64::MAX);
    set_attribute(&span, attribute::ORDER_ATTEMPT_TIMEOUT, ms);

    let client = match (&context.key, context.retry) {
        (Some(_), _) => &app.clients.cured,
        (None, true) => &app.clients.retrying,
        (None, false) => &app.clients.once,
    };
    let context = Arc::new(context);
    // Not `RequestBuilder::send`: its future keeps the request three times.
    let mut extensions = Extensions::new();
    extensions.insert(RESERVE);
    extensions.insert(http_client::Lane(context.lane().as_str()));
    extensions.insert(context.clone());
    let baggage = baggage.unwrap_or_default().0;
    extensions.insert(baggage.clone());
    if has_listener {
        tell_listener(&app, order_id, &baggage, &span);
    }
    let answer = match build_request(client, app.url(RESERVE), timeout, &context) {
        Ok(request) => client.execute_with_extensions(request, &mut extensions).await,
        Err(error) => Err(error.into()),
    };
    let attempts = context.attempts();
    let known = match context.key {
        Some(_) => knowledge(&context.answers()),
        None => naive_knowledge(&attempts),
    };
    let answer = answer.as_ref().ok();
    let reserved = context.reserved();
    let learnt = Event::Learnt(known);
    let recorded = app.orders.learn(order_id, learnt, reserved.as_ref(), (app.now)()).await;
    let (state, unrecorded) = match recorded {
        Ok(state) => (state, None),
        Err(unavailable) => {
            let known = Known::Event(learnt, reserved.clone());
            record_later(&app, order_id, known, baggage.clone());
            // What is not recorded is told to nobody: it could be taken back.
            (Some(OrderState::Unknown), Some(unavailable))
        }
    };
    if has_listener && unrecorded.is_none() {
        tell_listener(&app, order_id, &baggage, &span);
    }
    // What the customer of the cured lane is told follows from the order, which may be
    // cancelled meanwhile. The naive lane looks at its attempts only.
    let state = state.filter(|_| context.key.is_some() || unrecorded.is_some());
    let report = OrderReport {
        order_id: order_id.to_string(),
        outcome: state.map_or_else(|| outcome_of(known), outcome_of_state),
        attempts,
        trace_id: current_trace_id(),
    };
    set_attribute(&span, attribute::ORDER_OUTCOME, report.outcome.as_str());
    app.metrics.ended(report.outcome, context.lane());
    tracing::info!(
        request_id = context.request_id,
        outcome = report.outcome.as_str(),
        attempts = report.attempts.len(),
        "Answers the customer after {}: {}",
        seconds(begun.elapsed()),
        report.outcome.as_str(),
    );
    if let Some(unrecorded) = unrecorded {
        return unrecorded_order(&app, unrecorded, context.lane(), &report);
    }
    match state {
        Some(OrderState::Cancelled) => return Err(order_cancelled(&report).into()),
        Some(OrderState::Unknown) => {
            settle_later(&app, order_id, Question::Settle, baggage, &span);
            return Ok(accepted(&report));
        }
        Some(OrderState::Cancelling) => return Ok(accepted(&report)),
        _ => {}
    }
    match reserved {
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

/// What the customer is told of an order whose attempts have ended, while the store does not
/// take what came of them.
fn unrecorded_order(
    app: &App,
    unrecorded: Unavailable,
    lane: Lane,
    report: &OrderReport,
) -> Result<Response, ProblemResponse> {
    let meaning = "an attempt was sent, and what came of it is not recorded yet";
    let mut response = unavailable(app, unrecorded, meaning);
    match lane {
        // The order itself is recorded, so it will be known.
        Lane::Cured => Ok(accepted(report)),
        Lane::Naive => {
            response.problem = response.problem.with_all(report);
            Err(response)
        }
    }
}

/// What the results of the attempts say in the naive lane, where no answer is about more
/// than its own attempt.
fn naive_knowledge(attempts: &[Attempt]) -> Knowledge {
    let results: Vec<_> = attempts.iter().map(|attempt| attempt.result).collect();
    match outcome(&results) {
        Outcome::Confirmed => Knowledge::Reserved,
        Outcome::Failed => Knowledge::NotReserved,
        Outcome::Unknown => Knowledge::Unknown,
    }
}

fn build_request(
    client: &ClientWithMiddleware,
    url: Url,
    timeout: Duration,
    context: &AttemptContext,
) -> reqwest::Result<reqwest::Request> {
    let request = client.post(url).timeout(timeout).header(REQUEST_ID_HEADER, &context.request_id);
    let request = match &context.key {
        // In quotes, as the draft writes a structured field's string.
        Some(key) => request.header(IDEMPOTENCY_KEY_HEADER, format!("\"{key}\"")),
        None => request,
    };
    request.json(&context.reserve).build()
}
