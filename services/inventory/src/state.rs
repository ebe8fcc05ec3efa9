//! `GET /inventory/state` and `POST /inventory/reset`.

use std::sync::Arc;

use axum::extract::State;
use campuscafe_api::{Problem, inventory};
use campuscafe_service::{Json, ProblemResponse};

use crate::App;
use crate::store::{Snapshot, StoreError, StoreOutcomeUnknown};

/// The stock that is left, and the number of reservations.
#[utoipa::path(get, path = "/inventory/state", tag = "stock",
    responses((status = 200, body = inventory::State, description = "The stock and its reservations"),
        (status = 503, body = Problem, content_type = "application/problem+json", headers(("Retry-After" = u64, description = "Seconds")), description = "The store does not work now", example = json!({"type": "urn:problem-type:campuscafe:store-unavailable", "title": "Store unavailable", "status": 503, "detail": "the file of the stock cannot be written; nothing was changed"}))))]
pub(crate) async fn get_state(
    State(app): State<Arc<App>>,
) -> Result<Json<inventory::State>, ProblemResponse> {
    Ok(Json(body(app.store.state().await?)))
}

/// Restores the initial stock, removes all reservations and starts every fault plan
/// again. Prices stay as they are. Work under way continues. If it commits later, its reservation counts after
/// the reset; it is a duplicate if its request had committed before the reset.
#[utoipa::path(post, path = "/inventory/reset", tag = "stock",
    responses((status = 200, body = inventory::State, description = "The stock and its reservations"),
        (status = 503, body = Problem, content_type = "application/problem+json", headers(("Retry-After" = u64, description = "Seconds")), description = "The store does not take changes now. Nothing was changed"),
        StoreOutcomeUnknown))]
pub(crate) async fn reset(
    State(app): State<Arc<App>>,
) -> Result<Json<inventory::State>, ProblemResponse> {
    let lifecycle = app.lifecycle.clone();
    let reset = async move {
        let changed = app.store.reset().await?;
        let state = changed.record(|state| app.metrics.stock(&state.left)).await;
        app.plans().restart();
        tracing::info!("the stock is reset");
        Ok::<_, StoreError>(state)
    };
    Ok(Json(body(lifecycle.complete(reset).await??)))
}

pub(crate) fn body(Snapshot { left, reservations }: Snapshot) -> inventory::State {
    inventory::State { stock: left, reservations }
}
