//! `POST /inventory/deliveries`: pieces that arrive.

use std::sync::Arc;

use axum::extract::State;
use campuscafe_api::Problem;
use campuscafe_api::inventory::{self, Delivery};
use campuscafe_service::{Json, ProblemResponse};
use campuscafe_telemetry::{SPAN_TARGET, attribute};
use tracing::info_span;

use crate::App;
use crate::state::body;
use crate::stock::{DeliverError, MAX_PIECES, StockChange};
use crate::store::{Snapshot, StoreOutcomeUnknown};

/// Adds pieces to the stock. Reservations and fault plans stay as they are.
#[utoipa::path(post, path = "/inventory/deliveries", tag = "stock",
    request_body = Delivery,
    responses((status = 200, body = inventory::State, description = "The stock after the delivery, and its reservations"),
        (status = 400, body = Problem, content_type = "application/problem+json", description = "The request is invalid"),
        (status = 404, body = Problem, content_type = "application/problem+json", description = "The initial stock does not contain the item", example = json!({"type": "urn:problem-type:campuscafe:no-such-item", "title": "No such item", "status": 404, "detail": "expected an item of the initial stock; see GET /inventory/state", "itemId": "tea"})),
        (status = 408, body = Problem, content_type = "application/problem+json", description = "The body took longer than 10 s"),
        (status = 409, body = Problem, content_type = "application/problem+json", description = "The stock would exceed its limit; `currentStock` says how many pieces are left", example = json!({"type": "urn:problem-type:campuscafe:stock-full", "title": "Stock full", "status": 409, "detail": "999999999 left, and the limit is 1000000000; expected a quantity of at most 1; nothing was delivered", "itemId": "cake", "currentStock": 999999999})),
        (status = 413, body = Problem, content_type = "application/problem+json", description = "Body over 16 KiB"),
        (status = 415, body = Problem, content_type = "application/problem+json", description = "Not application/json"),
        (status = 503, body = Problem, content_type = "application/problem+json", headers(("Retry-After" = u64, description = "Seconds")), description = "The store does not take changes now. Nothing was changed"),
        StoreOutcomeUnknown))]
pub(crate) async fn deliver(
    State(app): State<Arc<App>>,
    Json(Delivery { item_id, quantity }): Json<Delivery>,
) -> Result<Json<inventory::State>, ProblemResponse> {
    let lifecycle = app.lifecycle.clone();
    let delivered = lifecycle.complete(async move {
        let changed = app.store.deliver(&item_id, quantity).await?;
        let changed = changed.map_err(|error| problem(error, &item_id))?;
        let (change, state) = changed.record(|(change, _)| evidence(&app, change)).await;
        let (item, quantity, left) = (change.item, change.quantity, change.after);
        tracing::info!(
            item,
            quantity,
            left,
            "Delivered: {item} x{quantity} ({} -> {left})",
            left.saturating_sub(quantity)
        );
        Ok::<Snapshot, ProblemResponse>(state)
    });
    Ok(Json(body(delivered.await??)))
}

fn evidence(app: &App, change: &StockChange) {
    let _delivery = info_span!(
        target: SPAN_TARGET,
        "deliver stock",
        { attribute::DELIVERY_ITEM } = change.item,
        { attribute::DELIVERY_QUANTITY } = change.quantity.cast_signed(),
        { attribute::DELIVERY_STOCK_BEFORE } = change.before.cast_signed(),
        { attribute::DELIVERY_STOCK_AFTER } = change.after.cast_signed(),
    );
    app.metrics.delivered(change);
}

fn problem(error: DeliverError, item: &str) -> Problem {
    match error {
        DeliverError::NotPositive => {
            Problem::new(400, "quantity-not-positive", "Quantity not positive")
                .detail("expected a quantity of 1 or more")
                .with("message", "quantity must be > 0")
        }
        DeliverError::NoSuchItem => Problem::new(404, "no-such-item", "No such item")
            .detail("expected an item of the initial stock; see GET /inventory/state")
            .with("itemId", item),
        DeliverError::Full { item, left } => Problem::new(409, "stock-full", "Stock full")
            .detail(format!(
                "{left} left, and the limit is {MAX_PIECES}; expected a quantity of at most {}; \
                 nothing was delivered",
                MAX_PIECES.saturating_sub(left)
            ))
            .with("itemId", item)
            .with("currentStock", left),
    }
}
