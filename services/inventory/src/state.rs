//! `GET /inventory/state` and `POST /inventory/reset`.

use std::sync::Arc;

use axum::extract::State;
use campuscafe_api::inventory;
use campuscafe_service::{Json, ProblemResponse};

use crate::App;
use crate::store::Snapshot;

/// What is left and how many reservations there are.
#[utoipa::path(get, path = "/inventory/state", tag = "stock",
    responses((status = 200, body = inventory::State, description = "The stock and its reservations")))]
pub(crate) async fn get_state(State(app): State<Arc<App>>) -> Json<inventory::State> {
    Json(body(app.store.state().await))
}

/// Returns to the opening stock with no reservations, and begins every plan of
/// faults again. Work under way is not recalled: what commits later counts after
/// the reset, and is a duplicate if its request has committed before the reset.
#[utoipa::path(post, path = "/inventory/reset", tag = "stock",
    responses((status = 200, body = inventory::State, description = "The stock and its reservations")))]
pub(crate) async fn reset(
    State(app): State<Arc<App>>,
) -> Result<Json<inventory::State>, ProblemResponse> {
    let lifecycle = app.lifecycle.clone();
    let reset = async move {
        let changed = app.store.reset().await;
        let state = changed.record(|state| app.metrics.stock(&state.left)).await;
        app.plans().restart();
        tracing::info!("the stock is reset");
        state
    };
    Ok(Json(body(lifecycle.complete(reset).await?)))
}

pub(crate) fn body(Snapshot { left, reservations }: Snapshot) -> inventory::State {
    inventory::State { stock: left, reservations }
}
