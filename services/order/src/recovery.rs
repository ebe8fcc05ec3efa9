//! What goes on after the process has ended, or its store has failed.
//!
//! An attempt ends with its process, and nobody hears its answer: its order is unknown, and
//! is settled like any other. A store that has failed is read anew, because the orders in
//! memory are ahead of it; what is known and was not recorded is recorded then.

pub(crate) mod database;

use std::sync::Arc;

use campuscafe_api::inventory::Reservation;
use campuscafe_api::order::Lane;
use campuscafe_cures::order::Event;
use campuscafe_cures::{IdempotencyKey, OrderId, OrderState};
use campuscafe_telemetry::{Baggage, SpanLink};
use tokio::time::sleep;
use tracing::Span;

use crate::App;
use crate::notify::{IfNoRoom, tell, tell_listener};
use crate::orders::{Note, Question};
use crate::settle::{BACKOFF, settle_later};
use crate::store::{FileOrders, Unavailable};

/// Takes over the orders that nobody works on, at the start and whenever the store has
/// failed and takes changes again. Runs until the service ends.
pub(crate) async fn keep(app: Arc<App>) {
    if let Some(store) = app.orders.file() {
        keep_file(&app, store).await;
    } else if let Some(store) = app.orders.database() {
        database::keep(&app, store).await;
    }
}

async fn keep_file(app: &Arc<App>, store: &FileOrders) {
    loop {
        // If the store fails meanwhile, this is done once more.
        if let Ok((open, untold)) = store.read(|orders| (orders.open(), orders.with_untold())).await
        {
            take_over(app, open, untold);
        }
        let reason = store.failed().await;
        tracing::error!("The store takes no changes: {reason}");
        app.lifecycle.set_unavailable(Some(Unavailable::File.problem(NOTHING_ORDERED)));
        let mut tries = 0;
        let mut known = reason;
        while let Err(reason) = store.recover((app.now)()).await {
            if reason != known {
                tracing::error!("The store still takes no changes: {reason}");
                known = reason;
            }
            tries += 1;
            sleep(BACKOFF.wait(tries, rand::random())).await;
        }
        app.lifecycle.set_unavailable(None);
        tracing::info!("The store takes changes again");
    }
}

const NOTHING_ORDERED: &str = "nothing can be ordered";

/// Goes on with orders: asks about those that are open, and tells the listeners of those that
/// have untold states.
fn take_over(app: &Arc<App>, open: Vec<(OrderId, Question)>, untold: Vec<OrderId>) {
    for (id, question) in open {
        settle_later(app, id, question, Baggage::default(), &Span::none());
    }
    if untold.is_empty() {
        return;
    }
    let (app, lifecycle) = (app.clone(), app.lifecycle.clone());
    lifecycle.spawn_background(async move {
        for id in untold {
            tell(&app, id, &Baggage::default(), &SpanLink::to(&Span::none()), IfNoRoom::Wait).await;
        }
    });
}

/// What is known of an order and could not be recorded.
#[derive(Debug, Clone)]
pub(crate) enum Known {
    /// It happened, and this is reserved.
    Event(Event, Option<Reservation>),
    /// Nothing more will be known.
    Never(Note),
}

/// Records what is known of an order as soon as the store takes changes again, in a task of
/// its own. If the process ends before, the order is settled after its next start.
pub(crate) fn record_later(app: &Arc<App>, id: OrderId, known: Known, baggage: Baggage) {
    app.lifecycle.spawn_background(record(app.clone(), id, known, baggage));
}

async fn record(app: Arc<App>, id: OrderId, known: Known, baggage: Baggage) {
    let mut tries = 0;
    let state = loop {
        tries += 1;
        sleep(BACKOFF.wait(tries, rand::random())).await;
        let recorded = match &known {
            Known::Event(event, reserved) => {
                app.orders.learn(id, *event, reserved.as_ref(), (app.now)()).await
            }
            Known::Never(note) => app.orders.give_up(id, *note).await.map(|()| None),
        };
        if let Ok(state) = recorded {
            break state;
        }
    };
    let request_id = IdempotencyKey::of_order(id);
    tracing::info!(%request_id, "Recorded what the store did not take before");
    tell_listener(&app, id, &baggage, &Span::none());
    let lane = app.orders.get(id).await.ok().flatten().map(|order| order.lane);
    if let (Some(OrderState::Unknown), Some(Lane::Cured)) = (state, lane) {
        settle_later(&app, id, Question::Settle, baggage, &Span::none());
    }
}

#[cfg(test)]
mod tests;
