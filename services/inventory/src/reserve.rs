//! `POST /inventory/reserve`: where a fault meets the commit.
//!
//! The work is a task of its own. A server drops a handler when its client
//! hangs up, and what was dropped would never commit; but an inventory that is
//! slow in earnest, behind a database or a queue, does not notice that nobody
//! listens any more. That is the lesson, so the work must survive its caller.

use std::sync::Arc;

use axum::Extension;
use axum::extract::State;
use axum::http::{HeaderName, HeaderValue};
use axum::response::{IntoResponse, Response};
use campuscafe_api::inventory::{Reservation, Reserve};
use campuscafe_api::{CHAOS_APPLIED_HEADER, Problem, REQUEST_ID_HEADER};
use campuscafe_chaos::{After, Before, Fault, Plan};
use campuscafe_service::{Connection, Json, Query, Refusal, RequestId, WorkKind, WorkPermit, ids};
use campuscafe_telemetry::{Caller, NoAnswer, SPAN_TARGET, attribute, set_attribute, set_error};
use serde::Deserialize;
use tokio::time::Instant;
use tracing::{Instrument as _, Span, info_span};
use utoipa::IntoParams;

use crate::App;
use crate::history::RequestKey;
use crate::holds::Place;
use crate::stock::{Refused, positive};

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
pub(crate) struct ReserveQuery {
    /// The faults to meet, a step for each attempt with the same X-Request-Id:
    /// `slow,none`. The last step repeats.
    #[param(example = "slow", nullable = false, max_length = 256, format = "fault-plan")]
    chaos: Option<String>,
}

/// A request that is taken on.
struct Work {
    request_id: String,
    request: RequestKey,
    wish: Reserve,
    fault: Fault,
    caller: Caller,
    room: Room,
}

/// The right to the work that a fault makes.
struct Room {
    _permit: WorkPermit,
    place: Option<Place>,
}

/// What there is no room for.
enum NoRoom {
    Work(WorkKind),
    Hold,
}

/// The most of an item's name that is logged, in bytes: a name that is not in
/// stock is as long as its sender likes.
const MAX_LOGGED: usize = 256;

/// How the work ended.
enum Answer {
    Reserved(Reservation),
    Refused(Problem),
    /// No answer may leave: the connection is to be cut.
    None,
}

/// Sets pieces aside, or refuses, or misbehaves as asked.
#[utoipa::path(post, path = "/inventory/reserve", tag = "stock",
    params(ReserveQuery,
        ("X-Request-Id" = Option<String>, Header, nullable = false, min_length = 1, max_length = 128, pattern = "^[!-~]([ -~]*[!-~])?$", description = "The same for every attempt at one thing; 1 to 128 printable ASCII characters")),
    request_body = Reserve,
    responses((status = 200, body = Reservation, description = "Reserved", headers(("X-Chaos-Applied" = String, description = "The fault that was decided on"))),
        (status = 400, body = Problem, content_type = "application/problem+json", description = "The request cannot be meant"),
        (status = 408, body = Problem, content_type = "application/problem+json", description = "The body took longer than 10 s"),
        (status = 409, body = Problem, content_type = "application/problem+json", description = "Out of stock; `currentStock` is what is left"),
        (status = 413, body = Problem, content_type = "application/problem+json", description = "Body over 16 KiB"),
        (status = 415, body = Problem, content_type = "application/problem+json", description = "Not application/json"),
        (status = 503, body = Problem, content_type = "application/problem+json", description = "The fault `fail` or `slowfail`; or too much work is under way: nothing was reserved, try again after `Retry-After`",
            headers(("Retry-After" = u64, description = "Seconds; absent where the fault was asked for")))))]
pub(crate) async fn reserve(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    Extension(connection): Extension<Connection>,
    RequestId(request_id): RequestId,
    Query(query): Query<ReserveQuery>,
    Json(wish): Json<Reserve>,
) -> Result<Response, Refusal> {
    let span = Span::current();
    set_attribute(&span, attribute::REQUEST_ID, request_id.clone());
    let plan: Plan = query.chaos.as_deref().unwrap_or_default().parse().map_err(unknown_fault)?;
    positive(wish.quantity).map_err(|refused| refusal(&refused, &wish.item_id))?;

    app.work.on_time(&connection)?;
    let request = app.request_keys.of(&request_id);
    let (fault, room) = admit(&app, &plan, request)?;
    set_attribute(&span, attribute::CHAOS_STEP, fault.to_string());

    let work = Work { request_id: request_id.clone(), request, wish, fault, caller, room };
    let work = carry_out(app.clone(), work).instrument(span);
    let answer = app.lifecycle.spawn(work).await.map_err(|_| broken())?;
    let mut response = match answer {
        Answer::Reserved(reservation) => Json(reservation).into_response(),
        Answer::Refused(problem) => Refusal::from(problem).into_response(),
        Answer::None => {
            connection.cut();
            let mut response = Response::default();
            response.extensions_mut().insert(NoAnswer);
            return Ok(response);
        }
    };
    for (name, value) in
        [(CHAOS_APPLIED_HEADER, fault.to_string()), (REQUEST_ID_HEADER, request_id)]
    {
        if let Ok(value) = HeaderValue::try_from(value) {
            response.headers_mut().insert(HeaderName::from_static(name), value);
        }
    }
    Ok(response)
}

/// Decides on the fault and takes the room for its work, both or neither: see
/// [`crate::plans::Plans::decide`].
fn admit(app: &App, plan: &Plan, request: RequestKey) -> Result<(Fault, Room), Refusal> {
    let now = Instant::now();
    let admitted = {
        let mut plans = app.plans();
        let admitted = plans.decide(plan, request, now, |fault| room(app, fault));
        app.metrics.evicted_attempts(plans.evicted());
        admitted
    };
    admitted.map_err(|none| match none {
        NoRoom::Work(kind) => app.work.shed(kind),
        NoRoom::Hold => app.work.shed_with(WorkKind::Slow, app.holds.no_place()),
    })
}

fn room(app: &App, fault: &Fault) -> Result<Room, NoRoom> {
    let kind = if fault.waits() { WorkKind::Slow } else { WorkKind::Ordinary };
    let _permit = app.work.try_admit(kind).ok_or(NoRoom::Work(kind))?;
    let place = match fault.after_commit() {
        After::HoldThenReply(_) => Some(app.holds.take_place().ok_or(NoRoom::Hold)?),
        _ => None,
    };
    Ok(Room { _permit, place })
}

/// The permit stays with the work to its end: the work goes on when its caller
/// has left, and so it must count as long as it is there.
async fn carry_out(app: Arc<App>, work: Work) -> Answer {
    let Work { request_id, request, wish, fault, caller, room: Room { _permit, place } } = work;
    if fault.acts() {
        app.metrics.fault(&fault);
    }
    let after = fault.after_commit();

    match fault.before_commit() {
        Before::Commit => {}
        Before::WaitThenCommit(wait) => act(&fault, tokio::time::sleep(wait)).await,
        Before::WaitThenFail(wait, status) => {
            act(&fault, tokio::time::sleep(wait)).await;
            tracing::info!(request_id, %fault, status, "refused on request, nothing is committed");
            return Answer::Refused(failed_on_request(&fault, status));
        }
        Before::Cut => {
            act(&fault, std::future::ready(())).await;
            tracing::info!(request_id, %fault, "cut before the commit");
            return Answer::None;
        }
    }

    let reservation = match commit(&app, &request_id, request, &wish, &caller) {
        Ok(reservation) => reservation,
        Err(problem) => return Answer::Refused(problem),
    };

    match (after, place) {
        (After::WaitThenReply(wait), _) => act(&fault, tokio::time::sleep(wait)).await,
        (After::HoldThenReply(limit), Some(place)) => {
            act(&fault, app.holds.hold(place, &request_id, &reservation, limit)).await;
        }
        (After::Cut, _) => {
            act(&fault, std::future::ready(())).await;
            tracing::info!(request_id, %fault, "cut after the commit: the reply is lost");
            return Answer::None;
        }
        (After::Reply | After::HoldThenReply(_), _) => {}
    }
    Answer::Reserved(reservation)
}

/// Lets a fault take its time under a span of its own.
async fn act(fault: &Fault, time: impl Future<Output = ()>) {
    let span = info_span!(
        target: SPAN_TARGET,
        "chaos",
        otel.name = format!("chaos {}", fault.word()),
        { attribute::CHAOS_STEP } = fault.to_string(),
    );
    time.instrument(span).await;
}

/// The commit point. Check, change and evidence stand under one lock, so that
/// the spans and counters tell the commits in the order in which they happened.
fn commit(
    app: &App,
    request_id: &str,
    request: RequestKey,
    wish: &Reserve,
    caller: &Caller,
) -> Result<Reservation, Problem> {
    let reservation_id = ids::random();
    let now = Instant::now();
    let mut books = app.books();
    let taken = match books.stock.reserve(&wish.item_id, wish.quantity) {
        Ok(taken) => taken,
        Err(refused) => {
            drop(books);
            let item = &wish.item_id[..wish.item_id.floor_char_boundary(MAX_LOGGED)];
            tracing::info!(request_id, item, "refused, nothing is committed");
            set_attribute(&Span::current(), attribute::RESERVATION_REFUSED, true);
            return Err(refusal(&refused, &wish.item_id));
        }
    };
    let late = caller.has_left();
    let duplicate = books.commits.note(request, now);
    let span = info_span!(
        target: SPAN_TARGET,
        "commit reservation",
        { attribute::RESERVATION_ID } = reservation_id,
        { attribute::RESERVATION_ITEM } = taken.item,
        { attribute::STOCK_BEFORE } = taken.before.cast_signed(),
        { attribute::STOCK_AFTER } = taken.after.cast_signed(),
        { attribute::RESERVATION_LATE } = late,
        { attribute::RESERVATION_DUPLICATE } = duplicate,
    );
    app.metrics.committed(&taken, late, duplicate);
    app.metrics.evicted_commits(books.commits.evicted());
    drop(books);
    drop(span);
    tracing::info!(
        request_id,
        reservation_id,
        item = taken.item,
        left = taken.after,
        late,
        duplicate,
        "{}",
        match (late, duplicate) {
            (true, _) => "reserved, but the caller is gone",
            (false, true) => "reserved once more for the same request",
            (false, false) => "reserved",
        }
    );
    Ok(Reservation { reservation_id, item_id: taken.item, quantity: taken.quantity })
}

fn refusal(refused: &Refused, item: &str) -> Problem {
    match refused {
        Refused::NotPositive => Problem::new(400, "quantity-not-positive", "Quantity not positive")
            .detail("expected a quantity of 1 or more")
            .with("message", "quantity must be > 0"),
        Refused::OutOfStock { left } => Problem::new(409, "out-of-stock", "Out of stock")
            .detail(format!("{left} left; nothing was reserved"))
            .with("message", "out of stock")
            .with("itemId", item)
            .with("currentStock", *left),
    }
}

fn unknown_fault(error: campuscafe_chaos::ParseError) -> Refusal {
    Problem::new(400, "unknown-fault", "Unknown fault").detail(error.to_string()).into()
}

fn failed_on_request(fault: &Fault, status: u16) -> Problem {
    Problem::new(status, "fault-on-request", "Failed on request")
        .detail(format!("the fault {fault} was asked for; nothing was reserved"))
        .with("message", "failed on request")
}

/// A bug, not a lesson: the task ended without an answer.
fn broken() -> Refusal {
    set_error(&Span::current(), "500");
    Problem::new(500, "internal", "Internal error").detail("this is a bug in CampusCafe").into()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
