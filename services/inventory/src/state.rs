//! `GET /inventory/state` and `POST /inventory/reset`.

use std::sync::Arc;

use axum::extract::State;
use campuscafe_api::inventory;
use campuscafe_service::Json;

use crate::App;
use crate::app::Books;

/// What is left and how many reservations there are.
#[utoipa::path(get, path = "/inventory/state", tag = "stock",
    responses((status = 200, body = inventory::State, description = "The stock and its reservations")))]
pub(crate) async fn get_state(State(app): State<Arc<App>>) -> Json<inventory::State> {
    Json(snapshot(&app.books()))
}

/// Returns to the opening stock with no reservations, and begins every plan of
/// faults again. Work under way is not recalled: what commits later counts after
/// the reset, and is a duplicate if its request has committed before the reset.
#[utoipa::path(post, path = "/inventory/reset", tag = "stock",
    responses((status = 200, body = inventory::State, description = "The stock and its reservations")))]
pub(crate) async fn reset(State(app): State<Arc<App>>) -> Json<inventory::State> {
    let state = {
        let mut books = app.books();
        books.stock.reset();
        app.metrics.stock(books.stock.left());
        snapshot(&books)
    };
    app.plans().restart();
    tracing::info!("the stock is reset");
    Json(state)
}

pub(crate) fn snapshot(books: &Books) -> inventory::State {
    inventory::State { stock: books.stock.left().clone(), reservations: books.stock.reservations() }
}
