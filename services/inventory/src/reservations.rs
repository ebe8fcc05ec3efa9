//! `/inventory/reservations`: to cancel what was reserved, by the id of the reservation or of
//! the request.

use std::sync::Arc;

use axum::Extension;
use axum::extract::State;
use axum::response::Response;
use campuscafe_api::Problem;
use campuscafe_api::inventory::{Cancelled, Reservation};
use campuscafe_api::order::Lane;
use campuscafe_service::{Connection, Json, PathParam, ProblemResponse, Query, valid_request_id};
use serde::Deserialize;
use utoipa::IntoParams;

use crate::App;
use crate::faulted::{self, FaultQuery};
use crate::keys::released;
use crate::store::{Kept, NothingToCancel, Released, StoreError, StoreOutcomeUnknown, Which};

#[derive(Debug, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct CancelOfRequestQuery {
    /// The X-Request-Id of the requests that reserved.
    #[param(min_length = 1, max_length = 128, pattern = "^[!-~]([ -~]*[!-~])?$")]
    request_id: String,
    /// The fault to apply, such as `lostreply` or `slow:500`; every fault but `hold` and
    /// `race`.
    #[param(example = "none", nullable = false, max_length = 256, format = "change-fault-plan")]
    chaos: Option<String>,
}

/// Removes one reservation. To cancel twice is to cancel once.
///
/// A reservation with an `Idempotency-Key` is cancelled under its key too, if the key is still
/// remembered: a reserve request that comes later under it is answered 410.
#[utoipa::path(delete, path = "/inventory/reservations/{reservationId}", tag = "stock",
    params(("reservationId" = String, Path, pattern = "^[0-9a-f]{32}$", description = "The id that the answer to the reserve request gave"), FaultQuery),
    responses((status = 200, body = Reservation, description = "Its pieces are in stock again"),
        (status = 400, body = Problem, content_type = "application/problem+json", description = "The path names no reservation, or the fault is unknown"),
        (status = 404, body = Problem, content_type = "application/problem+json", description = "No such reservation", example = json!({"type": "urn:problem-type:campuscafe:no-such-reservation", "title": "No such reservation", "status": 404, "detail": "no reservation has this id, or it is forgotten"})),
        (status = 503, body = Problem, content_type = "application/problem+json", headers(("Retry-After" = u64, description = "Seconds; absent if a fault refused the request")), description = "The fault `fail` or `slowfail`, or too much work is under way, or the store does not take changes now. Nothing was cancelled"),
        StoreOutcomeUnknown))]
pub(crate) async fn cancel_reservation(
    State(app): State<Arc<App>>,
    Extension(connection): Extension<Connection>,
    PathParam(id): PathParam,
    Query(FaultQuery { chaos }): Query<FaultQuery>,
) -> Result<Response, ProblemResponse> {
    let digits = id.len() == 32 && id.bytes().all(|byte| byte.is_ascii_hexdigit());
    let id = u128::from_str_radix(&id, 16).ok().filter(|_| digits).ok_or_else(no_such)?;
    let inventory = app.clone();
    let change = async move {
        let cancelled = cancel(&inventory, Which::Reservation(id)).await?;
        cancelled.and_then(|mut one| one.pop()).map(Json).ok_or_else(no_such)
    };
    faulted::change(&app, chaos.as_deref(), &connection, change).await
}

/// Removes what the requests with an id have reserved until now without an `Idempotency-Key`.
/// A request that comes later reserves all the same: to prevent that needs a key.
#[utoipa::path(delete, path = "/inventory/reservations", tag = "stock", params(CancelOfRequestQuery),
    responses((status = 200, body = Cancelled, description = "Their pieces are in stock again"),
        (status = 400, body = Problem, content_type = "application/problem+json", description = "The query is invalid"),
        (status = 404, body = Problem, content_type = "application/problem+json", description = "Nothing is reserved", example = json!({"type": "urn:problem-type:campuscafe:nothing-to-cancel", "title": "Nothing to cancel", "status": 404, "detail": "no request with this id has reserved anything without an Idempotency-Key until now"})),
        (status = 503, body = Problem, content_type = "application/problem+json", headers(("Retry-After" = u64, description = "Seconds; absent if a fault refused the request")), description = "The fault `fail` or `slowfail`, or too much work is under way, or the store does not take changes now. Nothing was cancelled"),
        StoreOutcomeUnknown))]
pub(crate) async fn cancel_of_request(
    State(app): State<Arc<App>>,
    Extension(connection): Extension<Connection>,
    Query(CancelOfRequestQuery { request_id, chaos }): Query<CancelOfRequestQuery>,
) -> Result<Response, ProblemResponse> {
    let request_id = valid_request_id(request_id.as_bytes())?;
    let which = Which::OfRequest(app.keys()?.commit_key(&request_id));
    let inventory = app.clone();
    let change = async move {
        let cancelled = cancel(&inventory, which).await?;
        if let Some(cancelled) = cancelled {
            return Ok(Json(Cancelled { cancelled }));
        }
        tracing::info!(request_id, "Nothing to cancel: the request has reserved nothing");
        Err(Problem::new(404, "nothing-to-cancel", "Nothing to cancel")
            .detail(
                "no request with this id has reserved anything without an Idempotency-Key until \
                 now",
            )
            .into())
    };
    faulted::change(&app, chaos.as_deref(), &connection, change).await
}

fn no_such() -> ProblemResponse {
    Problem::new(404, "no-such-reservation", "No such reservation")
        .detail("no reservation has this id, or it is forgotten")
        .into()
}

async fn cancel(app: &App, which: Which) -> Result<Option<Vec<Reservation>>, StoreError> {
    let changed = match app.store.cancel(which).await? {
        Ok(changed) => changed,
        Err(NothingToCancel) => return Ok(None),
    };
    let cancelled = changed
        .record(|cancelled| {
            for Released { change, keyed } in &cancelled.released {
                released(app, change, if *keyed { Lane::Cured } else { Lane::Naive });
            }
        })
        .await;
    let reservations: Vec<_> = cancelled.reservations.iter().map(Kept::reservation).collect();
    for Reservation { reservation_id, item_id, quantity } in &reservations {
        tracing::info!(reservation_id, "Cancelled: {item_id} x{quantity}");
    }
    Ok(Some(reservations))
}
