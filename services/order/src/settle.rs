//! Settlement: the order service asks the inventory what became of an order under its key,
//! until it knows.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use campuscafe_api::Problem;
use campuscafe_api::inventory::{Key, KeyState, Reservation};
use campuscafe_cures::attempts::Knowledge;
use campuscafe_cures::backoff::Backoff;
use campuscafe_cures::order::Event;
use campuscafe_cures::{IdempotencyKey, OrderId, OrderState};
use campuscafe_telemetry::{Baggage, SPAN_TARGET, SpanLink, attribute, set_attribute};
use http::Method;
use reqwest::Response;
use tokio::time::Instant;
use tracing::{Instrument as _, Span, info_span};

use crate::App;
use crate::attempts::body;
use crate::calls::{CANCEL_KEY, Call, SETTLE, cancel_reservation};
use crate::notify::tell_listener;
use crate::orders::{Note, Question};
use crate::store::Unavailable;

/// How many orders are asked for at one time.
pub(crate) const MAX_ASKED: usize = 16;

pub(crate) const BACKOFF: Backoff =
    Backoff { base: Duration::from_millis(100), most: Duration::from_secs(1) };

/// What is being asked of the inventory, so that nobody asks twice.
#[derive(Debug, Default)]
pub(crate) struct Asked(Mutex<BTreeSet<(OrderId, Question)>>);

/// Asks from its beginning to its end.
struct Asking {
    app: Arc<App>,
    about: (OrderId, Question),
}

impl Asking {
    /// None if somebody asks already.
    fn begin(app: &Arc<App>, id: OrderId, question: Question) -> Option<Self> {
        let about = (id, question);
        app.asked.all().insert(about).then(|| Self { app: app.clone(), about })
    }
}

impl Drop for Asking {
    fn drop(&mut self) {
        self.app.asked.all().remove(&self.about);
    }
}

impl Asked {
    /// The lock is held for a few instructions.
    fn all(&self) -> MutexGuard<'_, BTreeSet<(OrderId, Question)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Question {
    fn call(self, key: &IdempotencyKey) -> Call {
        match self {
            Self::Settle => {
                Call::new(Method::POST, SETTLE, format!("/inventory/keys/{key}/settle"))
            }
            Self::Cancel => Call::new(Method::DELETE, CANCEL_KEY, format!("/inventory/keys/{key}")),
        }
    }

    const fn event(self, state: KeyState) -> Event {
        match (self, state) {
            (Self::Cancel, _) => Event::CancelConfirmed,
            (Self::Settle, KeyState::Reserved) => Event::Learnt(Knowledge::Reserved),
            (Self::Settle, KeyState::Refused | KeyState::Cancelled | KeyState::Void) => {
                Event::Learnt(Knowledge::NotReserved)
            }
        }
    }
}

/// What one question came to.
pub(crate) enum Told {
    Known(Known),
    /// It cannot be known any more, for this reason.
    Never(Note),
    /// No answer, or one that says nothing about the order.
    Nothing,
}

/// What the inventory knows of an order.
pub(crate) struct Known {
    state: KeyState,
    reservation: Option<Reservation>,
}

/// Settles an order in a task of its own, unless there is one. `first` is the span that was
/// left without an answer.
pub(crate) fn settle_later(
    app: &Arc<App>,
    id: OrderId,
    question: Question,
    baggage: Baggage,
    first: &Span,
) {
    let Some(asking) = Asking::begin(app, id, question) else { return };
    let span = info_span!(
        target: SPAN_TARGET,
        parent: None,
        "settle order",
        { attribute::ORDER_ID } = id.to_string(),
    );
    SpanLink::to(first).link(&span);
    let task = settle(asking, baggage).instrument(span);
    app.lifecycle.spawn_background(task);
}

async fn settle(asking: Asking, baggage: Baggage) {
    let Asking { app, about: (id, question) } = &asking;
    let (id, question) = (*id, *question);
    let since = Instant::now();
    let mut asked = 0;
    loop {
        let told = ask(app, id, question, None, &baggage).await;
        asked += 1;
        // What the store does not take is asked for again.
        let recorded = match told {
            Told::Known(known) => {
                let learnt = learn(app, id, question, &known, asked, since.elapsed()).await;
                learnt.map(|()| tell_listener(app, id, &baggage, &Span::current())).is_ok()
            }
            Told::Never(why) => give_up(app, id, why).await.is_ok(),
            Told::Nothing => false,
        };
        if recorded {
            return;
        }
        tokio::time::sleep(BACKOFF.wait(asked, rand::random())).await;
    }
}

async fn give_up(app: &App, id: OrderId, why: Note) -> Result<(), Unavailable> {
    app.orders.give_up(id, why).await?;
    app.metrics.gave_up();
    let request_id = IdempotencyKey::of_order(id);
    tracing::warn!(%request_id, "Cannot settle: {}", why.text());
    Ok(())
}

async fn learn(
    app: &App,
    id: OrderId,
    question: Question,
    known: &Known,
    asked: u32,
    after: Duration,
) -> Result<(), Unavailable> {
    let event = question.event(known.state);
    let state = app.orders.learn(id, event, known.reservation.as_ref(), (app.now)()).await?;
    let Some(state) = state else { return Ok(()) };
    // A cancel that came meanwhile is settled by its own question, or its customer was told.
    if question == Question::Cancel || matches!(state, OrderState::Confirmed | OrderState::Failed) {
        app.metrics.settled(state, after);
    }
    set_attribute(&Span::current(), attribute::ORDER_OUTCOME, state.as_str());
    let request_id = IdempotencyKey::of_order(id);
    tracing::info!(
        %request_id,
        state = state.as_str(),
        asked,
        "Settled: {}, the inventory says {}",
        state.as_str(),
        known.state.as_str()
    );
    Ok(())
}

/// Asks the inventory about an order. A cancel also finds a confirmed order whose key the
/// inventory has forgotten: by its reservation. The `fault` is of the first request only.
pub(crate) async fn ask(
    app: &App,
    id: OrderId,
    question: Question,
    fault: Option<String>,
    baggage: &Baggage,
) -> Told {
    let Ok(_asking) = app.asking.acquire().await else { return Told::Nothing };
    let call = question.call(&IdempotencyKey::of_order(id));
    let call = match fault {
        Some(fault) => call.with("chaos", fault),
        None => call,
    };
    let told = app.send(&call, baggage).await.map_or(Told::Nothing, |answer| of_key(&answer));
    if question == Question::Settle || !matches!(told, Told::Never(_)) {
        return told;
    }
    let Ok(order) = app.orders.get(id).await else { return Told::Nothing };
    let Some(reservation) = order.and_then(|order| order.reserved) else { return told };
    let answer = app.send(&cancel_reservation(reservation), baggage).await;
    answer.map_or(Told::Nothing, |answer| of_reservation(&answer))
}

/// What an answer says about a key.
fn of_key(answer: &Response) -> Told {
    match answer.status().as_u16() {
        200 => body(answer).map_or(Told::Nothing, |Key { state, reservation, .. }| {
            Told::Known(Known { state, reservation })
        }),
        404 | 410 if says(answer, &[":idempotency-key-expired", ":never-keyed"]) => {
            Told::Never(Note::KeyForgotten)
        }
        _ => Told::Nothing,
    }
}

/// What the answer to a cancel by reservation says.
fn of_reservation(answer: &Response) -> Told {
    match answer.status().as_u16() {
        200 => body(answer).map_or(Told::Nothing, |reservation| {
            Told::Known(Known { state: KeyState::Cancelled, reservation: Some(reservation) })
        }),
        404 if says(answer, &[":no-such-reservation"]) => Told::Never(Note::ReservationForgotten),
        _ => Told::Nothing,
    }
}

/// Whether an answer is one of these problems: only the inventory itself can say so.
pub(crate) fn says(answer: &Response, kinds: &[&str]) -> bool {
    body::<Problem>(answer).is_some_and(|said| kinds.iter().any(|kind| said.kind.ends_with(kind)))
}
