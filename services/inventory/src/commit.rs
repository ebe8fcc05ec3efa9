//! The commit of a reservation, and its evidence.

use campuscafe_api::Problem;
use campuscafe_api::inventory::{Reservation, Reserve};
use campuscafe_chaos::Fault;
use campuscafe_service::ids;
use campuscafe_telemetry::{ClientPresence, SPAN_TARGET, attribute, set_attribute};
use tokio::time::Instant;
use tracing::{Span, info_span};

use crate::App;
use crate::history::CommitKey;
use crate::stock::ReserveError;
use crate::store::{Committed, ReserveCommand};

/// The most of an item's name that is logged, in bytes: a name that is not in
/// stock is as long as its sender likes.
const MAX_LOGGED: usize = 256;

/// Reserves, and records what happened.
pub(crate) async fn commit(
    app: &App,
    request_id: &str,
    key: CommitKey,
    request: &Reserve,
    fault: &Fault,
    client: &ClientPresence,
) -> Result<Reservation, Problem> {
    let command = ReserveCommand {
        reservation_id: ids::random(),
        item_id: request.item_id.clone(),
        quantity: request.quantity,
        key,
        at: Instant::now(),
    };
    let changed = app.store.reserve(command).await.map_err(|error| {
        let item = &request.item_id[..request.item_id.floor_char_boundary(MAX_LOGGED)];
        tracing::info!(request_id, item, "refused; nothing was committed");
        set_attribute(&Span::current(), attribute::RESERVATION_REFUSED, true);
        problem(&error, &request.item_id)
    })?;
    let late = client.has_disconnected();
    let committed = changed.record(|committed| evidence(app, committed, fault, late)).await;
    log(request_id, &committed, late);
    let Committed { reservation_id, change, .. } = committed;
    Ok(Reservation { reservation_id, item_id: change.item, quantity: change.quantity })
}

fn evidence(app: &App, committed: &Committed, fault: &Fault, late: bool) {
    let _commit = info_span!(
        target: SPAN_TARGET,
        "commit reservation",
        { attribute::RESERVATION_ID } = committed.reservation_id,
        { attribute::RESERVATION_ITEM } = committed.change.item,
        { attribute::STOCK_BEFORE } = committed.change.before.cast_signed(),
        { attribute::STOCK_AFTER } = committed.change.after.cast_signed(),
        { attribute::RESERVATION_LATE } = late,
        { attribute::RESERVATION_DUPLICATE } = committed.duplicate,
    );
    app.metrics.committed(committed, fault, late);
}

fn log(request_id: &str, committed: &Committed, late: bool) {
    tracing::info!(
        request_id,
        reservation_id = committed.reservation_id,
        item = committed.change.item,
        left = committed.change.after,
        late,
        duplicate = committed.duplicate,
        "{}",
        match (late, committed.duplicate) {
            (true, _) => "reserved after the caller had left",
            (false, true) => "reserved again for the same request",
            (false, false) => "reserved",
        }
    );
}

/// What a client is told when nothing is reserved.
pub(crate) fn problem(error: &ReserveError, item: &str) -> Problem {
    match error {
        ReserveError::NotPositive => {
            Problem::new(400, "quantity-not-positive", "Quantity not positive")
                .detail("expected a quantity of 1 or more")
                .with("message", "quantity must be > 0")
        }
        ReserveError::OutOfStock { left } => Problem::new(409, "out-of-stock", "Out of stock")
            .detail(format!("{left} left; nothing was reserved"))
            .with("message", "out of stock")
            .with("itemId", item)
            .with("currentStock", *left),
    }
}
