//! The commit of a reservation, and its evidence.

use std::time::Duration;

use campuscafe_api::Problem;
use campuscafe_api::inventory::{Reservation, Reserve};
use campuscafe_api::order::Lane;
use campuscafe_chaos::Fault;
use campuscafe_cures::{IdempotencyKey, KeyError};
use campuscafe_service::{ProblemResponse, seconds};
use campuscafe_telemetry::{ClientPresence, SPAN_TARGET, attribute, set_attribute};
use tokio::time::Instant;
use tracing::{Span, info_span};

use crate::App;
use crate::history::CommitKey;
use crate::keys::key_problem;
use crate::stock::{ReserveError, StockChange};
use crate::store::{Committed, Fingerprint, Kept, NotCommitted, Once, ReserveCommand, StoreError};

/// What a request is told.
#[derive(Debug)]
pub(crate) struct Decided {
    pub(crate) result: Result<Reservation, ProblemResponse>,
    /// Whether it was decided for an earlier request with the same key.
    pub(crate) replayed: bool,
}

impl Decided {
    pub(crate) fn refused(problem: impl Into<ProblemResponse>) -> Self {
        Self { result: Err(problem.into()), replayed: false }
    }
}

/// A request that has come to its commit.
#[derive(Debug)]
pub(crate) struct Due<'a> {
    pub(crate) request_id: &'a str,
    pub(crate) key: CommitKey,
    /// The key under which it is decided once, if it has one.
    pub(crate) once: Option<IdempotencyKey>,
    pub(crate) request: &'a Reserve,
    /// What was read of the stock before, if the change is to be computed from that.
    pub(crate) read: Option<u64>,
    pub(crate) fault: &'a Fault,
    pub(crate) client: &'a ClientPresence,
    /// The run of an experiment that it belongs to.
    pub(crate) run: Option<&'a str>,
}

/// Reserves, and records what happened.
///
/// # Errors
///
/// When the store does not work, or does not tell whether it has committed.
pub(crate) async fn commit(app: &App, due: Due<'_>) -> Result<Decided, StoreError> {
    let Due { request_id, key, once, request, read, fault, client, run } = due;
    let lane = if once.is_some() { Lane::Cured } else { Lane::Naive };
    let keys = app.keys()?;
    let once = once.map(|key| Once { key, fingerprint: Fingerprint::of(request, keys) });
    let command = ReserveCommand {
        reservation_id: rand::random(),
        item_id: request.item_id.clone(),
        quantity: request.quantity,
        read,
        key,
        // The time of the commit, not of the request: slow work may outlast its key.
        at: Instant::now(),
        now: (app.now)(),
        once,
    };
    let changed = match app.store.reserve(command).await? {
        Ok(changed) => changed,
        Err(not) => return Ok(told(app, request_id, request, not)),
    };
    let left = client.disconnected_for();
    let late = left.is_some();
    let record = |committed: &Committed| {
        let span = evidence(app, committed, fault, lane, late, run);
        span.in_scope(|| log(request_id, committed, left));
    };
    let committed = changed.record(record).await;
    let Committed { reservation_id, change, .. } = committed;
    let reservation = Reservation {
        reservation_id: format!("{reservation_id:032x}"),
        item_id: change.item,
        quantity: change.quantity,
    };
    Ok(Decided { result: Ok(reservation), replayed: false })
}

/// What a request is told for which nothing is committed now.
fn told(app: &App, request_id: &str, request: &Reserve, not: NotCommitted) -> Decided {
    let (item, quantity) = (short(&request.item_id), request.quantity);
    let refused = |error: &ReserveError| {
        set_attribute(&Span::current(), attribute::RESERVATION_REFUSED, true);
        let problem = problem(error, &request.item_id);
        mark_refusal(&problem);
        problem
    };
    match not {
        NotCommitted::Refused(error) => {
            let problem = refused(&error);
            let why = problem.detail.as_deref().unwrap_or_default();
            tracing::info!(request_id, item, "Refused: {item} x{quantity}, {why}");
            Decided::refused(problem)
        }
        NotCommitted::Replayed(decision) => {
            set_attribute(&Span::current(), attribute::IDEMPOTENT_REPLAYED, true);
            app.metrics.replayed();
            let result = decision.map(|kept: Kept| kept.reservation()).map_err(|it| refused(&it));
            let first = if result.is_ok() { "reserved" } else { "refused" };
            tracing::info!(
                request_id,
                item,
                "Replays the first answer under the key, {first}: {item} x{quantity}; takes nothing"
            );
            Decided { result: result.map_err(Into::into), replayed: true }
        }
        NotCommitted::Key(error) => {
            if matches!(error, KeyError::Void | KeyError::Cancelled) {
                set_attribute(&Span::current(), attribute::KEY_VOID, true);
                app.metrics.voided();
            }
            tracing::info!(request_id, item, "Refused: {item} x{quantity}, {error}");
            let answer = key_problem(error, "reserved");
            mark_refusal(&answer.problem);
            Decided::refused(answer)
        }
    }
}

/// Says on the span of the request why it is refused, whether or not anyone hears the answer.
pub(crate) fn mark_refusal(problem: &Problem) {
    let kind = problem.kind.rsplit(':').next().unwrap_or_default();
    if let Some(refusal) = attribute::REFUSALS.into_iter().find(|refusal| *refusal == kind) {
        set_attribute(&Span::current(), attribute::REFUSAL, refusal);
    }
}

/// The span of a commit; what is logged within it belongs to it. It names the run, because
/// it is sent long before that of the request if an answer is slow or held.
fn evidence(
    app: &App,
    committed: &Committed,
    fault: &Fault,
    lane: Lane,
    late: bool,
    run: Option<&str>,
) -> Span {
    let commit = info_span!(
        target: SPAN_TARGET,
        "commit",
        otel.name = span_name(late, committed.duplicate),
        { attribute::ORDER_LANE } = lane.as_str(),
        { attribute::RESERVATION_ID } = format!("{:032x}", committed.reservation_id),
        { attribute::RESERVATION_ITEM } = committed.change.item,
        { attribute::STOCK_BEFORE } = committed.change.before.cast_signed(),
        { attribute::STOCK_AFTER } = committed.change.after.cast_signed(),
        { attribute::STOCK_OVERWRITTEN } = committed.overwritten.map(u64::cast_signed),
        { attribute::RESERVATION_LATE } = late,
        { attribute::RESERVATION_DUPLICATE } = committed.duplicate,
        { attribute::RUN } = run,
    );
    app.metrics.committed(committed, fault, lane, late);
    commit
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
    let Committed { reservation_id, change, overwritten, duplicate, .. } = committed;
    let StockChange { item, quantity, before, after } = change;
    tracing::info!(
        request_id,
        reservation_id = format!("{reservation_id:032x}"),
        item,
        left = after,
        late = left.is_some(),
        duplicate,
        "Reserved{}: {} x{quantity} ({before} -> {after}){}{}",
        if *duplicate { " AGAIN" } else { "" },
        short(item),
        overwritten.map(|left| format!(", OVERWRITES {left} left")).unwrap_or_default(),
        left.map(|left| format!(", LATE: the caller left {} ago", seconds(left)))
            .unwrap_or_default(),
    );
}

/// As much of an item's name as leaves room for the rest of a line.
pub(crate) fn short(item: &str) -> &str {
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
