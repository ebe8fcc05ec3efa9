//! The commit of a reservation, and its evidence.

use std::time::Duration;

use campuscafe_api::Problem;
use campuscafe_api::inventory::{Reservation, Reserve};
use campuscafe_chaos::Fault;
use campuscafe_service::{ids, seconds};
use campuscafe_telemetry::{ClientPresence, SPAN_TARGET, attribute, set_attribute};
use tokio::time::Instant;
use tracing::{Span, info_span};

use crate::App;
use crate::history::CommitKey;
use crate::stock::{ReserveError, StockChange};
use crate::store::{Committed, ReserveCommand};

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
        let problem = problem(&error, &request.item_id);
        let (item, quantity) = (&*request.item_id, request.quantity);
        let why = problem.detail.as_deref().unwrap_or_default();
        tracing::info!(request_id, item, "Refused: {} x{quantity}, {why}", short(item));
        set_attribute(&Span::current(), attribute::RESERVATION_REFUSED, true);
        problem
    })?;
    let left = client.disconnected_for();
    let late = left.is_some();
    let committed = changed.record(|committed| evidence(app, committed, fault, late)).await;
    log(request_id, &committed, left);
    let Committed { reservation_id, change, .. } = committed;
    Ok(Reservation { reservation_id, item_id: change.item, quantity: change.quantity })
}

fn evidence(app: &App, committed: &Committed, fault: &Fault, late: bool) {
    let _commit = info_span!(
        target: SPAN_TARGET,
        "commit",
        otel.name = span_name(late, committed.duplicate),
        { attribute::RESERVATION_ID } = committed.reservation_id,
        { attribute::RESERVATION_ITEM } = committed.change.item,
        { attribute::STOCK_BEFORE } = committed.change.before.cast_signed(),
        { attribute::STOCK_AFTER } = committed.change.after.cast_signed(),
        { attribute::RESERVATION_LATE } = late,
        { attribute::RESERVATION_DUPLICATE } = committed.duplicate,
    );
    app.metrics.committed(committed, fault, late);
}

/// A list of spans shows names only, so what is special about a commit is in its name.
const fn span_name(late: bool, duplicate: bool) -> &'static str {
    match (late, duplicate) {
        (false, false) => "commit reservation",
        (true, false) => "commit reservation (late)",
        (false, true) => "commit reservation (duplicate)",
        (true, true) => "commit reservation (late, duplicate)",
    }
}

fn log(request_id: &str, committed: &Committed, left: Option<Duration>) {
    let Committed { reservation_id, change, duplicate, .. } = committed;
    let StockChange { item, quantity, before, after } = change;
    tracing::info!(
        request_id,
        reservation_id,
        item,
        left = after,
        late = left.is_some(),
        duplicate,
        "Reserved{}: {} x{quantity} ({before} -> {after}){}",
        if *duplicate { " AGAIN" } else { "" },
        short(item),
        left.map(|left| format!(", LATE: the caller left {} ago", seconds(left)))
            .unwrap_or_default(),
    );
}

/// As much of an item's name as leaves room for the rest of a line.
fn short(item: &str) -> &str {
    &item[..item.floor_char_boundary(24)]
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
