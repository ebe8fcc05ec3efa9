//! `/inventory/keys`: what was decided under idempotency keys, to ask and to close them.

use std::sync::Arc;

use axum::Extension;
use axum::extract::State;
use axum::response::Response;
use campuscafe_api::Problem;
use campuscafe_api::inventory::{Key, KeyState, Keys};
use campuscafe_api::order::Lane;
use campuscafe_cures::{Decision, IdempotencyKey, KeyError, UnixMillis};
use campuscafe_service::{
    Connection, Json, PathParam, ProblemResponse, Query, list_limit, malformed_key,
};
use campuscafe_telemetry::{SPAN_TARGET, attribute};
use serde::Deserialize;
use tokio::time::Instant;
use tracing::info_span;
use utoipa::IntoParams;

use crate::App;
use crate::faulted::{self, FaultQuery};
use crate::stock::StockChange;
use crate::store::{KeyRecord, NotSettled, Settle, Settled, StoreOutcomeUnknown};

/// After how long memory for keys may be free again, in seconds: some of them expire in
/// every minute.
const RETRY_AFTER_FULL: u64 = 60;

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
pub(crate) struct KeysQuery {
    /// How many keys to list.
    #[param(minimum = 1, maximum = 1000, default = 100, nullable = false)]
    limit: Option<usize>,
    /// Lists the keys after this one, in the order of their bytes.
    #[param(nullable = false, min_length = 1, max_length = 255, pattern = "^[!-~]+$")]
    after: Option<String>,
}

/// Idempotency keys, what was decided under them, and how long ago.
#[utoipa::path(get, path = "/inventory/keys", tag = "keys", params(KeysQuery),
    responses((status = 200, body = Keys, description = "Sorted by key"),
        (status = 400, body = Problem, content_type = "application/problem+json", description = "The query is invalid"),
        (status = 503, body = Problem, content_type = "application/problem+json", headers(("Retry-After" = u64, description = "Seconds")), description = "The store does not work now", example = json!({"type": "urn:problem-type:campuscafe:store-unavailable", "title": "Store unavailable", "status": 503, "detail": "the file of the stock cannot be written; nothing was changed"}))))]
pub(crate) async fn list_keys(
    State(app): State<Arc<App>>,
    Query(KeysQuery { limit, after }): Query<KeysQuery>,
) -> Result<Json<Keys>, ProblemResponse> {
    let limit = list_limit(limit)?;
    let after = after.as_deref().map(key).transpose()?;
    let now = (app.now)();
    let records = app.store.keys(after.as_ref(), limit, now).await?;
    let next = records.last().filter(|_| records.len() == limit).map(|it| it.key.to_string());
    Ok(Json(Keys { keys: records.iter().map(|record| document(record, now)).collect(), next }))
}

/// Asks what was decided under a key. If nothing was, the key is void from now on: a
/// request that comes later is answered 410, so the answer stays true.
#[utoipa::path(post, path = "/inventory/keys/{key}/settle", tag = "keys",
    params(("key" = String, Path, min_length = 1, max_length = 255, pattern = "^[!-~]+$", description = "The idempotency key")),
    responses((status = 200, body = Key, description = "What was decided, or `void`"),
        (status = 400, body = Problem, content_type = "application/problem+json", description = "The path names no idempotency key, or the time in the key is more than 5 minutes ahead", example = json!({"type": "urn:problem-type:campuscafe:malformed-idempotency-key", "title": "Malformed Idempotency-Key", "status": 400, "detail": "the key has a character that is not visible ASCII; expected 1 to 255 visible ASCII characters, in quotes or without"})),
        (status = 404, body = Problem, content_type = "application/problem+json", description = "A request with this `X-Request-Id` has committed without a key", example = json!({"type": "urn:problem-type:campuscafe:never-keyed", "title": "Never keyed", "status": 404, "detail": "a request with this id has committed without an Idempotency-Key; what it did cannot be settled under a key"})),
        (status = 410, body = Problem, content_type = "application/problem+json", description = "The key is older than the horizon", example = json!({"type": "urn:problem-type:campuscafe:idempotency-key-expired", "title": "Idempotency-Key has expired", "status": 410, "detail": "the key is older than 10m; what was decided under it is forgotten; nothing was changed"})),
        (status = 503, body = Problem, content_type = "application/problem+json", headers(("Retry-After" = u64, description = "Seconds")), description = "No more keys can be remembered, or the store does not take changes now", example = json!({"type": "urn:problem-type:campuscafe:idempotency-keys-full", "title": "Too many Idempotency-Keys", "status": 503, "detail": "165000 keys are remembered, and no more can be; nothing was changed"})),
        StoreOutcomeUnknown))]
pub(crate) async fn settle_key(
    State(app): State<Arc<App>>,
    PathParam(path): PathParam,
) -> Result<Json<Key>, ProblemResponse> {
    let (key, lifecycle) = (key(&path)?, app.lifecycle.clone());
    lifecycle.complete(close(app, key, Settle::Keep)).await?
}

/// Removes the reservation under a key. Applies the fault that the request asks for.
///
/// If there is none yet, there never will be: the
/// key is void, and a reserve request that was overtaken is answered 410. To cancel twice
/// is to cancel once.
#[utoipa::path(delete, path = "/inventory/keys/{key}", tag = "keys",
    params(("key" = String, Path, min_length = 1, max_length = 255, pattern = "^[!-~]+$", description = "The idempotency key"), FaultQuery),
    responses((status = 200, body = Key, description = "`cancelled` or `void`; `refused` if the stock had been too low"),
        (status = 400, body = Problem, content_type = "application/problem+json", description = "The path names no idempotency key, or the time in the key is more than 5 minutes ahead", example = json!({"type": "urn:problem-type:campuscafe:malformed-idempotency-key", "title": "Malformed Idempotency-Key", "status": 400, "detail": "the key has a character that is not visible ASCII; expected 1 to 255 visible ASCII characters, in quotes or without"})),
        (status = 404, body = Problem, content_type = "application/problem+json", description = "A request with this `X-Request-Id` has committed without a key", example = json!({"type": "urn:problem-type:campuscafe:never-keyed", "title": "Never keyed", "status": 404, "detail": "a request with this id has committed without an Idempotency-Key; what it did cannot be settled under a key"})),
        (status = 410, body = Problem, content_type = "application/problem+json", description = "The key is older than the horizon", example = json!({"type": "urn:problem-type:campuscafe:idempotency-key-expired", "title": "Idempotency-Key has expired", "status": 410, "detail": "the key is older than 10m; what was decided under it is forgotten; nothing was changed"})),
        (status = 503, body = Problem, content_type = "application/problem+json", headers(("Retry-After" = u64, description = "Seconds")), description = "No more keys can be remembered, or the store does not take changes now", example = json!({"type": "urn:problem-type:campuscafe:idempotency-keys-full", "title": "Too many Idempotency-Keys", "status": 503, "detail": "165000 keys are remembered, and no more can be; nothing was changed"})),
        StoreOutcomeUnknown))]
pub(crate) async fn cancel_key(
    State(app): State<Arc<App>>,
    Extension(connection): Extension<Connection>,
    PathParam(path): PathParam,
    Query(FaultQuery { chaos }): Query<FaultQuery>,
) -> Result<Response, ProblemResponse> {
    let change = close(app.clone(), key(&path)?, Settle::Cancel);
    faulted::change(&app, chaos.as_deref(), &connection, change).await
}

async fn close(
    app: Arc<App>,
    key: IdempotencyKey,
    settle: Settle,
) -> Result<Json<Key>, ProblemResponse> {
    let now = (app.now)();
    // The naive lane has no keys. Its requests are known by their ids, which look the same.
    let request = app.keys()?.commit_key(key.as_str());
    let changed = app.store.settle(&key, request, now, Instant::now(), settle).await?;
    let changed = changed.map_err(|not| match not {
        NotSettled::NeverKeyed => never_keyed().into(),
        NotSettled::Key(error) => key_problem(error, "changed"),
    })?;
    let settled = changed.record(|settled| evidence(&app, settled)).await;
    let told = document(&settled.record, now);
    app.metrics.settled(told.state);
    tracing::info!(
        key = told.key,
        state = told.state.as_str(),
        "Settled the key {}: {}",
        told.key,
        told.state.as_str()
    );
    Ok(Json(told))
}

fn evidence(app: &App, settled: &Settled) {
    settled.keys.into_iter().for_each(|keys| app.metrics.keys(keys));
    if let Some(change) = &settled.released {
        released(app, change, Lane::Cured);
    }
}

/// The evidence of a reservation that was taken back.
pub(crate) fn released(app: &App, change: &StockChange, lane: Lane) {
    let StockChange { item, before, after, .. } = change;
    let _cancel = info_span!(
        target: SPAN_TARGET,
        "cancel reservation",
        { attribute::RESERVATION_ITEM } = item,
        { attribute::STOCK_BEFORE } = before.cast_signed(),
        { attribute::STOCK_AFTER } = after.cast_signed(),
    );
    app.metrics.cancelled(change, lane);
}

fn document(record: &KeyRecord, now: UnixMillis) -> Key {
    let (state, kept) = match &record.decision {
        Decision::Done(kept) => (KeyState::Reserved, Some(kept)),
        Decision::Refused(_) => (KeyState::Refused, None),
        Decision::Cancelled(kept) => (KeyState::Cancelled, Some(kept)),
        Decision::Void => (KeyState::Void, None),
    };
    Key {
        key: record.key.to_string(),
        state,
        age_ms: now.saturating_sub(record.since),
        reservation: kept.map(crate::store::Kept::reservation),
    }
}

fn key(text: &str) -> Result<IdempotencyKey, ProblemResponse> {
    IdempotencyKey::new(text).map_err(|error| malformed_key(&error))
}

fn never_keyed() -> Problem {
    Problem::new(404, "never-keyed", "Never keyed").detail(
        "a request with this id has committed without an Idempotency-Key; what it did cannot be \
         settled under a key",
    )
}

/// What a client is told when nothing may be decided under its key; `done` says what was not
/// done. What was reserved under the key earlier may still be there.
pub(crate) fn key_problem(error: KeyError, done: &str) -> ProblemResponse {
    let (status, kind, title) = match error {
        KeyError::OtherRequest => {
            (422, "idempotency-key-reused", "Idempotency-Key is already used")
        }
        KeyError::Void => (410, "idempotency-key-void", "Idempotency-Key is void"),
        KeyError::Cancelled => (410, "reservation-cancelled", "Reservation is cancelled"),
        KeyError::Expired { .. } => (410, "idempotency-key-expired", "Idempotency-Key has expired"),
        KeyError::FromTheFuture { .. } => {
            (400, "idempotency-key-from-the-future", "Idempotency-Key is from the future")
        }
        KeyError::Full { .. } => (503, "idempotency-keys-full", "Too many Idempotency-Keys"),
    };
    let problem = Problem::new(status, kind, title).detail(format!("{error}; nothing was {done}"));
    match error {
        KeyError::Full { .. } => ProblemResponse::from(problem).retry_after(RETRY_AFTER_FULL),
        _ => problem.into(),
    }
}
