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
use campuscafe_api::{CHAOS_APPLIED_HEADER, Problem, REQUEST_ID_HEADER};
use campuscafe_chaos::{After, Before, Fault, Plan};
use campuscafe_service::{
    Connection, Json, ProblemResponse, Query, RequestId, Waiting, WorkKind, WorkPermit,
};
use campuscafe_telemetry::{
    Baggage, ClientPresence, SPAN_TARGET, SuppressedResponse, attribute, set_attribute,
};
use serde::Deserialize;
use tokio::time::Instant;
use tracing::{Instrument as _, Span, info_span};
use utoipa::IntoParams;

use crate::App;
use crate::commit::{commit, problem};
use crate::history::{AttemptKey, CommitKey};
use crate::holds::{HoldEnd, HoldPermit, milliseconds};
use crate::stock::positive;

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
pub(crate) struct ReserveQuery {
    /// The faults to apply, one step for each attempt with the same X-Request-Id,
    /// such as `slow,none`. The last step repeats. The faults are `none`, `slow`, `fail`,
    /// `slowfail`, `abort`, `flaky`, `lostreply`, `slowreply` and `hold`; a time or a status
    /// may follow, as in `slow:500`.
    #[param(example = "slow", nullable = false, max_length = 256, format = "fault-plan")]
    chaos: Option<String>,
}

/// A request that is admitted.
struct Work {
    request_id: String,
    key: CommitKey,
    request: Reserve,
    fault: Fault,
    client: ClientPresence,
    /// The run of an experiment that it belongs to.
    run: Option<String>,
    permits: Permits,
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
    Reserved(Reservation),
    Refused(Problem),
    /// No answer may leave: the connection is to be cut.
    None,
}

/// Reserves pieces, or refuses to. Applies the fault that the request asks for.
#[utoipa::path(post, path = "/inventory/reserve", tag = "stock",
    params(ReserveQuery,
        ("X-Request-Id" = Option<String>, Header, nullable = false, min_length = 1, max_length = 128, pattern = "^[!-~]([ -~]*[!-~])?$", description = "The same for all attempts of one order; 1 to 128 printable ASCII characters")),
    request_body = Reserve,
    responses((status = 200, body = Reservation, description = "Reserved", headers(("X-Chaos-Applied" = String, description = "The fault that was applied"))),
        (status = 400, body = Problem, content_type = "application/problem+json", description = "The request is invalid"),
        (status = 408, body = Problem, content_type = "application/problem+json", description = "The body took longer than 10 s"),
        (status = 409, body = Problem, content_type = "application/problem+json", description = "Out of stock; `currentStock` says how many pieces are left", example = json!({"type": "urn:problem-type:campuscafe:out-of-stock", "title": "Out of stock", "status": 409, "detail": "0 left; nothing was reserved", "message": "out of stock", "itemId": "cake", "currentStock": 0})),
        (status = 413, body = Problem, content_type = "application/problem+json", description = "Body over 16 KiB"),
        (status = 415, body = Problem, content_type = "application/problem+json", description = "Not application/json"),
        (status = 503, body = Problem, content_type = "application/problem+json", description = "The fault `fail` or `slowfail`, or too much work is under way. Nothing was reserved. If `Retry-After` is present, send the request again after that time",
            headers(("Retry-After" = u64, description = "Seconds; absent if a fault refused the request")),
            example = json!({"type": "urn:problem-type:campuscafe:fault-on-request", "title": "Failed on request", "status": 503, "detail": "the fault fail:503 was requested; nothing was reserved", "message": "failed on request"}))))]
pub(crate) async fn reserve(
    State(app): State<Arc<App>>,
    Extension(client): Extension<ClientPresence>,
    Extension(connection): Extension<Connection>,
    baggage: Option<Extension<Baggage>>,
    RequestId(request_id): RequestId,
    Query(query): Query<ReserveQuery>,
    Json(request): Json<Reserve>,
) -> Result<Response, ProblemResponse> {
    let span = Span::current();
    set_attribute(&span, attribute::REQUEST_ID, request_id.clone());
    let plan: Plan = query.chaos.as_deref().unwrap_or_default().parse().map_err(unknown_fault)?;
    positive(request.quantity).map_err(|error| problem(&error, &request.item_id))?;

    app.work.on_time(&connection)?;
    let (fault, permits) = admit(&app, &plan, app.keys.attempt_key(&request_id))?;
    set_attribute(&span, attribute::CHAOS_STEP, fault.to_string());

    let key = app.keys.commit_key(&request_id);
    let run = baggage.and_then(|Extension(baggage)| baggage.run().map(str::to_owned));
    let work = Work { request_id: request_id.clone(), key, request, fault, client, run, permits };
    let waiting = Waiting::for_request(&request_id);
    let answer = app.lifecycle.complete(carry_out(app.clone(), work)).await?;
    waiting.answered();
    let mut response = match answer {
        Answer::Reserved(reservation) => Json(reservation).into_response(),
        Answer::Refused(problem) => ProblemResponse::from(problem).into_response(),
        Answer::None => {
            connection.cut();
            let mut response = Response::default();
            response.extensions_mut().insert(SuppressedResponse);
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
    let kind = if fault.waits() { WorkKind::Slow } else { WorkKind::Ordinary };
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
    let Work { request_id, key, request, fault, client, run, permits } = work;
    let Permits { _work, hold } = permits;
    if fault.is_active() {
        app.metrics.fault(&fault);
    }
    let after = fault.after_commit();

    match fault.before_commit() {
        Before::Commit => {}
        Before::WaitThenCommit(wait) => observed(&fault, tokio::time::sleep(wait)).await,
        Before::WaitThenFail(wait, status) => {
            observed(&fault, tokio::time::sleep(wait)).await;
            tracing::info!(request_id, %fault, status, "Refused with {status} because of {fault}; nothing is reserved");
            return Answer::Refused(failed_on_request(&fault, status));
        }
        Before::Cut => {
            observed(&fault, std::future::ready(())).await;
            tracing::info!(request_id, %fault, "Cut the connection before the commit ({fault})");
            return Answer::None;
        }
    }

    let reservation = match commit(&app, &request_id, key, &request, &fault, &client).await {
        Ok(reservation) => reservation,
        Err(problem) => return Answer::Refused(problem),
    };

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
    Answer::Reserved(reservation)
}

/// Applies a fault under a span of its own.
async fn observed<T>(fault: &Fault, effect: impl Future<Output = T>) -> T {
    let span = info_span!(
        target: SPAN_TARGET,
        "chaos",
        otel.name = format!("chaos {}", fault.name()),
        { attribute::CHAOS_STEP } = fault.to_string(),
    );
    effect.instrument(span).await
}

fn unknown_fault(error: campuscafe_chaos::ParseError) -> ProblemResponse {
    Problem::new(400, "unknown-fault", "Unknown fault").detail(error.to_string()).into()
}

fn failed_on_request(fault: &Fault, status: u16) -> Problem {
    Problem::new(status, "fault-on-request", "Failed on request")
        .detail(format!("the fault {fault} was requested; nothing was reserved"))
        .with("message", "failed on request")
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
