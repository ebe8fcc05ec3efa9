//! Answers held between commit and reply: the moment of doubt, frozen.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::extract::State;
use campuscafe_api::Problem;
use campuscafe_api::inventory::{Hold, Holds as HoldList, Released, Reservation};
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
    request_id: String,
    reservation: Reservation,
    since: Instant,
    limit: Duration,
    release: oneshot::Sender<()>,
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

    /// Resolves when the answer is released, the time is up, or the service ends.
    pub(crate) async fn hold(
        &self,
        _permit: HoldPermit,
        request_id: &str,
        reservation: &Reservation,
        limit: Duration,
    ) {
        let (release, released) = oneshot::channel();
        let held = Held {
            request_id: request_id.to_owned(),
            reservation: reservation.clone(),
            since: Instant::now(),
            limit,
            release,
        };
        let number = {
            let mut all = self.all();
            let number = all.last_key_value().map_or(0, |(newest, _)| newest + 1);
            all.insert(number, held);
            number
        };
        tokio::select! {
            _ = released => {}
            () = tokio::time::sleep(limit) => {}
            () = self.lifecycle.draining() => {}
        }
        // Only an answer that nobody released is still listed, and its number
        // may have been given anew after that: compare before removing.
        let mut all = self.all();
        if all.get(&number).is_some_and(|held| held.reservation == *reservation) {
            all.remove(&number);
        }
    }

    fn list(&self) -> Vec<Hold> {
        let list = |held: &Held| Hold {
            request_id: held.request_id.clone(),
            reservation: held.reservation.clone(),
            held_ms: milliseconds(held.since.elapsed()),
            limit_ms: milliseconds(held.limit),
        };
        self.all().values().map(list).collect()
    }

    /// Releases every answer held for a request; returns how many.
    fn release(&self, request_id: &str) -> u64 {
        let mut all = self.all();
        let released = all.extract_if(.., |_, held| held.request_id == request_id);
        // A send fails only when the hold has just ended by itself.
        released.map(|(_, held)| u64::from(held.release.send(()).is_ok())).sum()
    }

    fn all(&self) -> MutexGuard<'_, BTreeMap<u64, Held>> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn milliseconds(duration: Duration) -> u64 {
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
    let request_id = valid_request_id(request_id.as_bytes())?;
    match app.holds.release(&request_id) {
        0 => Err(Problem::new(404, "no-such-hold", "No such hold")
            .detail("no answer is held for this request; see GET /inventory/holds")
            .into()),
        released => {
            tracing::info!(request_id, released, "released held answers");
            Ok(Json(Released { request_id, released }))
        }
    }
}
