//! `POST /inventory/deliveries`: pieces that arrive.

use std::sync::Arc;

use axum::extract::State;
use campuscafe_api::Problem;
use campuscafe_api::inventory::{self, Delivery};
use campuscafe_service::{Json, Refusal};
use campuscafe_telemetry::{SPAN_TARGET, attribute};
use tracing::info_span;

use crate::App;
use crate::state::snapshot;
use crate::stock::{Delivered, MAX_PIECES, Undelivered};

/// Adds pieces to the stock, and changes nothing else: reservations stay as they
/// are, and no plan of faults begins again.
#[utoipa::path(post, path = "/inventory/deliveries", tag = "stock",
    request_body = Delivery,
    responses((status = 200, body = inventory::State, description = "The stock with what was delivered, and its reservations"),
        (status = 400, body = Problem, content_type = "application/problem+json", description = "The request is invalid"),
        (status = 404, body = Problem, content_type = "application/problem+json", description = "The opening stock does not name the item"),
        (status = 408, body = Problem, content_type = "application/problem+json", description = "The body took longer than 10 s"),
        (status = 409, body = Problem, content_type = "application/problem+json", description = "More pieces than there is room for; `currentStock` is what is left"),
        (status = 413, body = Problem, content_type = "application/problem+json", description = "Body over 16 KiB"),
        (status = 415, body = Problem, content_type = "application/problem+json", description = "Not application/json")))]
pub(crate) async fn deliver(
    State(app): State<Arc<App>>,
    Json(Delivery { item_id, quantity }): Json<Delivery>,
) -> Result<Json<inventory::State>, Refusal> {
    let (delivered, state) =
        add(&app, &item_id, quantity).map_err(|refused| problem(refused, &item_id))?;
    let (item, quantity, left) = (delivered.item, delivered.quantity, delivered.after);
    tracing::info!(item, quantity, left, "delivered");
    Ok(Json(state))
}

/// As with a commit, change and evidence stand under one lock.
fn add(app: &App, item: &str, quantity: i64) -> Result<(Delivered, inventory::State), Undelivered> {
    let mut books = app.books();
    let delivered = books.stock.deliver(item, quantity)?;
    let span = info_span!(
        target: SPAN_TARGET,
        "deliver stock",
        { attribute::DELIVERY_ITEM } = delivered.item,
        { attribute::DELIVERY_QUANTITY } = delivered.quantity.cast_signed(),
        { attribute::DELIVERY_STOCK_BEFORE } = delivered.before.cast_signed(),
        { attribute::DELIVERY_STOCK_AFTER } = delivered.after.cast_signed(),
    );
    app.metrics.delivered(&delivered);
    let state = snapshot(&books);
    drop(books);
    drop(span);
    Ok((delivered, state))
}

fn problem(refused: Undelivered, item: &str) -> Problem {
    match refused {
        Undelivered::NotPositive => {
            Problem::new(400, "quantity-not-positive", "Quantity not positive")
                .detail("expected a quantity of 1 or more")
                .with("message", "quantity must be > 0")
        }
        Undelivered::NoSuchItem => Problem::new(404, "no-such-item", "No such item")
            .detail("expected an item of the opening stock; GET /inventory/state lists them")
            .with("itemId", item),
        Undelivered::Full { item, left } => Problem::new(409, "stock-full", "Stock full")
            .detail(format!(
                "{left} left; expected a quantity of at most {}, so that there are at most \
                 {MAX_PIECES}; nothing was delivered",
                MAX_PIECES.saturating_sub(left)
            ))
            .with("itemId", item)
            .with("currentStock", left),
    }
}
