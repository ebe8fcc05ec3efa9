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
use campuscafe_api::inventory::{Hold, Reservation, Reserve};
use campuscafe_api::{
    CHAOS_APPLIED_HEADER, IDEMPOTENT_REPLAYED_HEADER, Problem, REQUEST_ID_HEADER,
};
use campuscafe_chaos::{After, Before, Fault, Plan};
use campuscafe_cures::IdempotencyKey;
use campuscafe_service::{
    Connection, Json, KeyHeader, ProblemResponse, Query, RequestId, Waiting, WorkKind, WorkPermit,
};
use campuscafe_telemetry::{Baggage, ClientPresence, attribute, set_attribute};
use serde::Deserialize;
use tokio::time::Instant;
use tracing::Span;
use utoipa::IntoParams;

use crate::App;
use crate::capacity::Turn;
use crate::commit::{Decided, Due, commit, problem};
use crate::faulted::{cut, failed_on_request, observed, unknown_fault};
use crate::history::{AttemptKey, CommitKey};
use crate::holds::{HoldEnd, HoldPermit, milliseconds};
use crate::stock::positive;
use crate::store::StoreError;

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
pub(crate) struct ReserveQuery {
    /// The faults to apply, one step for each attempt with the same X-Request-Id,
    /// such as `slow,none`. The last step repeats. The faults are `none`, `slow`, `fail`,
    /// `slowfail`, `abort`, `flaky`, `lostreply`, `slowreply`, `hold` and `race`; a time or a
    /// status may follow, as in `slow:500`. `race` reads the stock, waits, and writes back what
    /// it computed from that read: reservations, deliveries and resets in between are lost.
    #[param(example = "slow", nullable = false, max_length = 256, format = "fault-plan")]
    chaos: Option<String>,
}

/// A request that is admitted.
struct Work {
    request_id: String,
    key: CommitKey,
    /// The key under which it is decided once, if it has one.
    once: Option<IdempotencyKey>,
    request: Reserve,
    fault: Fault,
    client: ClientPresence,
    /// The run of an experiment that it belongs to.
    run: Option<String>,
    permits: Permits,
    /// Its place in the queue, if requests wait for their turn.
    turn: Option<Turn>,
}

/// The right to the work that a fault makes.
struct Permits {
    _work: WorkPermit,
    hold: Option<HoldPermit>,
}

/// Of which permits there is none left.
enum Exhausted {
    Work(WorkKind),
    Holds,
}

/// How the work ended.
enum Answer {
    Decided(Decided),
    /// No answer may leave: the connection is to be cut.
    None,
}

/// Reserves pieces, or refuses to. Applies the fault that the request asks for.
///
/// Requests with the same `Idempotency-Key` reserve once. The first decision wins, a
/// refusal included, and every other request with the key is told the same. Whoever
/// wants to try again after a refusal takes a new key. Two requests at the same time need no
/// answer of their own, because the key and the reservation are recorded in one step. That
/// holds for the fault `race` as well: it reads the stock before that step and not in it, so
/// it can sell too much, but once under one key.
#[utoipa::path(post, path = "/inventory/reserve", tag = "stock",
    params(ReserveQuery,
        ("X-Request-Id" = Option<String>, Header, nullable = false, min_length = 1, max_length = 128, pattern = "^[!-~]([ -~]*[!-~])?$", description = "The same for all attempts of one order; 1 to 128 printable ASCII characters"),
        ("Idempotency-Key" = Option<String>, Header, nullable = false, min_length = 1, max_length = 255, pattern = "^[!#-~][!-~]*$",
            description = "Requests with the same key reserve once. 1 to 255 visible ASCII characters, in quotes as draft-ietf-httpapi-idempotency-key-header-07 writes it, or bare. A key that is `order-` and a UUID of version 7 as 32 hexadecimal digits carries the time of the order; it is refused when it is older than the horizon")),
    request_body = Reserve,
    responses((status = 200, body = Reservation, description = "Reserved", headers(("X-Chaos-Applied" = String, description = "The fault that was applied"), ("Idempotent-Replayed" = bool, description = "Present and `true` if it was decided for an earlier request with the same key"))),
        (status = 400, body = Problem, content_type = "application/problem+json", description = "The request is invalid"),
        (status = 408, body = Problem, content_type = "application/problem+json", description = "The body took longer than 10 s"),
        (status = 409, body = Problem, content_type = "application/problem+json", description = "Out of stock; `currentStock` says how many pieces are left", example = json!({"type": "urn:problem-type:campuscafe:out-of-stock", "title": "Out of stock", "status": 409, "detail": "0 left; nothing was reserved", "message": "out of stock", "itemId": "cake", "currentStock": 0})),
        (status = 410, body = Problem, content_type = "application/problem+json", description = "The key is void or expired, or its reservation is cancelled. Nothing was reserved, and nothing can be under this key", example = json!({"type": "urn:problem-type:campuscafe:idempotency-key-void", "title": "Idempotency-Key is void", "status": 410, "detail": "the key is void: its order was settled or cancelled before this request came; nothing was reserved"})),
        (status = 413, body = Problem, content_type = "application/problem+json", description = "Body over 16 KiB"),
        (status = 415, body = Problem, content_type = "application/problem+json", description = "Not application/json"),
        (status = 422, body = Problem, content_type = "application/problem+json", description = "The key was used for a different item or quantity", example = json!({"type": "urn:problem-type:campuscafe:idempotency-key-reused", "title": "Idempotency-Key is already used", "status": 422, "detail": "the key was used for a different request; nothing was reserved"})),
        (status = 503, body = Problem, content_type = "application/problem+json", description = "The fault `fail` or `slowfail`, or too much work is under way, or the store does not take changes now. Nothing was reserved. If `Retry-After` is present, send the request again after that time",
            headers(("Retry-After" = u64, description = "Seconds; absent if a fault refused the request")),
            example = json!({"type": "urn:problem-type:campuscafe:fault-on-request", "title": "Failed on request", "status": 503, "detail": "the fault fail:503 was requested; nothing was reserved", "message": "failed on request"}))))]
pub(crate) async fn reserve(
    State(app): State<Arc<App>>,
    Extension(client): Extension<ClientPresence>,
    Extension(connection): Extension<Connection>,
    baggage: Option<Extension<Baggage>>,
    ids: (RequestId, KeyHeader),
    Query(query): Query<ReserveQuery>,
    Json(request): Json<Reserve>,
) -> Result<Response, ProblemResponse> {
    let (RequestId(request_id), KeyHeader(once)) = ids;
    let span = Span::current();
    set_attribute(&span, attribute::REQUEST_ID, request_id.clone());
    let plan: Plan = query.chaos.as_deref().unwrap_or_default().parse().map_err(unknown_fault)?;
    positive(request.quantity).map_err(|error| problem(&error, &request.item_id))?;

    app.work.on_time(&connection)?;
    let (fault, permits) = admit(&app, &plan, app.attempts.attempt_key(&request_id))?;
    set_attribute(&span, attribute::CHAOS_STEP, fault.to_string());

    let key = app.keys()?.commit_key(&request_id);
    let run = baggage.and_then(|Extension(baggage)| baggage.run().map(str::to_owned));
    let id = request_id.clone();
    let turn = app.capacity.as_ref().map(|capacity| capacity.next_turn(Instant::now()));
    let work = Work { request_id: id, key, once, request, fault, client, run, permits, turn };
    let waiting = Waiting::for_request(&request_id);
    let answer = app.lifecycle.complete(carry_out(app.clone(), work)).await?;
    waiting.answered();
    let (mut response, replayed) = match answer {
        Answer::Decided(Decided { result, replayed }) => {
            (result.map(Json).into_response(), replayed)
        }
        Answer::None => return Ok(cut(&connection)),
    };
    for (name, value) in
        [(CHAOS_APPLIED_HEADER, fault.to_string()), (REQUEST_ID_HEADER, request_id)]
    {
        if let Ok(value) = HeaderValue::try_from(value) {
            response.headers_mut().insert(HeaderName::from_static(name), value);
        }
    }
    if replayed {
        let name = HeaderName::from_static(IDEMPOTENT_REPLAYED_HEADER);
        response.headers_mut().insert(name, HeaderValue::from_static("true"));
    }
    Ok(response)
}

/// Decides on the fault and takes the permits for its work, both or neither: see
/// [`crate::plans::Plans::next_fault`].
fn admit(app: &App, plan: &Plan, request: AttemptKey) -> Result<(Fault, Permits), ProblemResponse> {
    let now = Instant::now();
    let admitted = {
        let mut plans = app.plans();
        let admitted = plans.next_fault(plan, request, now, |fault| acquire(app, fault));
        app.metrics.evicted_attempts(plans.evicted());
        admitted
    };
    admitted.map_err(|exhausted| match exhausted {
        Exhausted::Work(kind) => app.work.shed(kind),
        Exhausted::Holds => app.work.shed_with(WorkKind::Slow, app.holds.exhausted()),
    })
}

fn acquire(app: &App, fault: &Fault) -> Result<Permits, Exhausted> {
    // In a queue a request waits for the clock too, so its bound is the memory.
    let waits = fault.waits() || app.capacity.is_some();
    let kind = if waits { WorkKind::Slow } else { WorkKind::Ordinary };
    let _work = app.work.try_admit(kind).ok_or(Exhausted::Work(kind))?;
    let hold = match fault.after_commit() {
        After::HoldThenReply(_) => Some(app.holds.try_acquire().ok_or(Exhausted::Holds)?),
        _ => None,
    };
    Ok(Permits { _work, hold })
}

/// The permit stays with the work to its end: the work goes on when its caller
/// has left, and so it must count as long as it is there.
async fn carry_out(app: Arc<App>, work: Work) -> Answer {
    let Work { request_id, key, once, request, fault, client, run, permits, turn } = work;
    let Permits { _work, hold } = permits;
    if let Some(turn) = turn {
        turn.wait(&app.metrics).await;
    }
    let (before, after) = (fault.before_commit(), fault.after_commit());
    let read = match before {
        Before::ReadThenWait(_) => match app.store.left_of(&request.item_id).await {
            Ok(left) => Some(left),
            Err(error) => return store_failed(&request_id, error),
        },
        _ => None,
    };
    if fault.is_active() {
        app.metrics.fault(&fault);
    }

    match before {
        Before::Commit => {}
        Before::WaitThenCommit(wait) | Before::ReadThenWait(wait) => {
            observed(&fault, tokio::time::sleep(wait)).await
        }
        Before::WaitThenFail(wait, status) => {
            observed(&fault, tokio::time::sleep(wait)).await;
            tracing::info!(request_id, %fault, status, "Refused with {status} because of {fault}; nothing is reserved");
            return Answer::Decided(Decided::refused(failed_on_request(
                &fault, status, "reserved",
            )));
        }
        Before::Cut => {
            observed(&fault, std::future::ready(())).await;
            tracing::info!(request_id, %fault, "Cut the connection before the commit ({fault})");
            return Answer::None;
        }
    }

    let due = Due {
        request_id: &request_id,
        key,
        once,
        request: &request,
        read,
        fault: &fault,
        client: &client,
        run: run.as_deref(),
    };
    let decided = match commit(&app, due).await {
        Ok(decided) => decided,
        Err(error) => return store_failed(&request_id, error),
    };
    let Ok(reservation) = &decided.result else { return Answer::Decided(decided) };

    match (after, hold) {
        (After::WaitThenReply(wait), _) => observed(&fault, tokio::time::sleep(wait)).await,
        (After::HoldThenReply(limit), Some(permit)) => {
            let hold = Hold {
                request_id: request_id.clone(),
                run,
                reservation: reservation.clone(),
                held_ms: 0,
                limit_ms: milliseconds(limit),
            };
            let held = app.holds.hold(permit, hold);
            if observed(&fault, held).await == HoldEnd::Cut {
                tracing::info!(request_id, %fault, "Cut the connection of the held answer ({fault}): the reply is lost");
                return Answer::None;
            }
        }
        (After::Cut, _) => {
            observed(&fault, std::future::ready(())).await;
            tracing::info!(request_id, %fault, "Cut the connection after the commit ({fault}): the reply is lost");
            return Answer::None;
        }
        (After::Reply | After::HoldThenReply(_), _) => {}
    }
    Answer::Decided(decided)
}

/// What a request is told when the store did not do its work. If it is not known whether it
/// did, no answer may leave: every status would say more than is known.
fn store_failed(request_id: &str, error: StoreError) -> Answer {
    match error {
        StoreError::Unavailable(reason) => {
            let why = reason.sentence();
            tracing::warn!(
                request_id,
                reason = reason.as_str(),
                "Refused: {why}; nothing is reserved"
            );
            Answer::Decided(Decided::refused(error))
        }
        StoreError::Unknown(reason) => {
            let why = reason.sentence();
            tracing::warn!(
                request_id,
                reason = reason.as_str(),
                "Cut the connection: the answer to the commit is missing, because {why}; nobody \
                 knows whether anything is reserved"
            );
            Answer::None
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
