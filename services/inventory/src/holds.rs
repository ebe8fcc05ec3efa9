//! Answers held between commit and reply: the moment of doubt, frozen.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::extract::State;
use campuscafe_api::Problem;
use campuscafe_api::inventory::{Cut, Hold, Holds as HoldList, Released};
use campuscafe_service::{
    Json, Lifecycle, PathParam, ProblemResponse, WorkKind, WorkLimit, valid_request_id,
};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};
use tokio::time::Instant;

use crate::App;

/// How many answers may be held at one time: half of what slow work may use, so
/// that held answers, which last up to 60 s, do not keep out what is only slow.
pub(crate) const fn most_holds(max_work: usize) -> usize {
    let most = WorkLimit::share(max_work, WorkKind::Slow) / 2;
    if most == 0 { 1 } else { most }
}

/// The answers that are held now.
#[derive(Debug)]
pub(crate) struct Holds {
    held: Mutex<BTreeMap<u64, Held>>,
    permits: Arc<Semaphore>,
    most: usize,
    lifecycle: Lifecycle,
}

/// The right to hold one answer. It is taken before the commit: if there is none left,
/// the request is refused while it is certain that nothing was reserved.
#[derive(Debug)]
pub(crate) struct HoldPermit {
    _permit: OwnedSemaphorePermit,
}

#[derive(Debug)]
struct Held {
    hold: Hold,
    since: Instant,
    end: oneshot::Sender<HoldEnd>,
}

/// How a hold ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum HoldEnd {
    /// The answer leaves.
    Released,
    /// The answer never leaves: the connection is to be cut.
    Cut,
}

impl Holds {
    /// Holds so many answers at most.
    pub(crate) fn new(most: usize, lifecycle: Lifecycle) -> Self {
        Self { held: Mutex::default(), permits: Arc::new(Semaphore::new(most)), most, lifecycle }
    }

    /// A permit, if there is one left. It does not wait, so it can be asked for under a lock.
    pub(crate) fn try_acquire(&self) -> Option<HoldPermit> {
        self.permits.clone().try_acquire_owned().ok().map(|_permit| HoldPermit { _permit })
    }

    /// The refusal of a request for which there is no permit.
    pub(crate) fn exhausted(&self) -> Problem {
        Problem::new(503, "too-many-holds", "Too many held answers").detail(format!(
            "{} answers are held, which is the limit. Nothing was reserved. Release some: see \
             GET /inventory/holds",
            self.most
        ))
    }

    /// Resolves when somebody ends the hold; or releases the answer when the time is up
    /// or the service ends.
    pub(crate) async fn hold(&self, _permit: HoldPermit, hold: Hold) -> HoldEnd {
        let limit = Duration::from_millis(hold.limit_ms);
        let reservation_id = hold.reservation.reservation_id.clone();
        let (end, ended) = oneshot::channel();
        let held = Held { hold, since: Instant::now(), end };
        let number = {
            let mut all = self.all();
            let number = all.last_key_value().map_or(0, |(newest, _)| newest + 1);
            all.insert(number, held);
            number
        };
        let end = tokio::select! {
            end = ended => end.unwrap_or(HoldEnd::Released),
            () = tokio::time::sleep(limit) => HoldEnd::Released,
            () = self.lifecycle.draining() => HoldEnd::Released,
        };
        // Only an answer whose hold nobody ended is still listed, and its number
        // may have been given anew after that: compare before removing.
        let mut all = self.all();
        let reserved = |held: &Held| held.hold.reservation.reservation_id == reservation_id;
        if all.get(&number).is_some_and(reserved) {
            all.remove(&number);
        }
        end
    }

    fn list(&self) -> Vec<Hold> {
        let list =
            |held: &Held| Hold { held_ms: milliseconds(held.since.elapsed()), ..held.hold.clone() };
        self.all().values().map(list).collect()
    }

    /// Ends the hold of every answer to a request; returns how many.
    fn end(&self, request_id: &str, end: HoldEnd) -> u64 {
        let mut all = self.all();
        let ended = all.extract_if(.., |_, held| held.hold.request_id == request_id);
        // A send fails only when the hold has just ended by itself.
        ended.map(|(_, held)| u64::from(held.end.send(end).is_ok())).sum()
    }

    fn all(&self) -> MutexGuard<'_, BTreeMap<u64, Held>> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// As the calls tell times.
pub(crate) fn milliseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

/// The committed reservations whose answers are held, oldest first.
#[utoipa::path(get, path = "/inventory/holds", tag = "holds",
    responses((status = 200, body = HoldList, description = "The held answers")))]
pub(crate) async fn list_holds(State(app): State<Arc<App>>) -> Json<HoldList> {
    Json(HoldList { holds: app.holds.list() })
}

/// Releases the answers held for a request. If both attempts are held, it releases both.
#[utoipa::path(post, path = "/inventory/holds/{requestId}/release", tag = "holds",
    params(("requestId" = String, Path, min_length = 1, max_length = 128, pattern = "^[ -~]+$",
        description = "The X-Request-Id of the held request")),
    responses((status = 200, body = Released, description = "Released"),
        (status = 400, body = Problem, content_type = "application/problem+json", description = "The path does not name an X-Request-Id: 1 to 128 printable ASCII characters"),
        (status = 404, body = Problem, content_type = "application/problem+json", description = "No answer is held for this request", example = json!({"type": "urn:problem-type:campuscafe:no-such-hold", "title": "No such hold", "status": 404, "detail": "no answer is held for this request; see GET /inventory/holds"}))))]
pub(crate) async fn release_hold(
    State(app): State<Arc<App>>,
    PathParam(request_id): PathParam,
) -> Result<Json<Released>, ProblemResponse> {
    let (request_id, released) = end_holds(&app, &request_id, HoldEnd::Released)?;
    tracing::info!(request_id, released, "Released held answers");
    Ok(Json(Released { request_id, released }))
}

/// Cuts the connections of the answers held for a request. The reservations stay, and
/// no answer leaves. If both attempts are held, it cuts both.
#[utoipa::path(post, path = "/inventory/holds/{requestId}/cut", tag = "holds",
    params(("requestId" = String, Path, min_length = 1, max_length = 128, pattern = "^[ -~]+$",
        description = "The X-Request-Id of the held request")),
    responses((status = 200, body = Cut, description = "Cut"),
        (status = 400, body = Problem, content_type = "application/problem+json", description = "The path does not name an X-Request-Id: 1 to 128 printable ASCII characters"),
        (status = 404, body = Problem, content_type = "application/problem+json", description = "No answer is held for this request", example = json!({"type": "urn:problem-type:campuscafe:no-such-hold", "title": "No such hold", "status": 404, "detail": "no answer is held for this request; see GET /inventory/holds"}))))]
pub(crate) async fn cut_hold(
    State(app): State<Arc<App>>,
    PathParam(request_id): PathParam,
) -> Result<Json<Cut>, ProblemResponse> {
    let (request_id, cut) = end_holds(&app, &request_id, HoldEnd::Cut)?;
    tracing::info!(request_id, cut, "Cut the connections of held answers");
    Ok(Json(Cut { request_id, cut }))
}

/// Ends the holds of a request. There must be one at least.
fn end_holds(app: &App, request_id: &str, end: HoldEnd) -> Result<(String, u64), ProblemResponse> {
    let request_id = valid_request_id(request_id.as_bytes())?;
    match app.holds.end(&request_id, end) {
        0 => Err(Problem::new(404, "no-such-hold", "No such hold")
            .detail("no answer is held for this request; see GET /inventory/holds")
            .into()),
        ended => Ok((request_id, ended)),
    }
}
