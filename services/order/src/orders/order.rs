//! One order, as it is remembered.

use campuscafe_api::inventory::Reserve;
use campuscafe_api::order::{self as api, Lane};
use campuscafe_chaos::{Plan, Step};
use campuscafe_cures::{OrderState, UnixMillis};
use campuscafe_telemetry::shortened;
use serde::{Deserialize, Serialize};

use super::Question;

/// One order, in few bytes: there are many.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Order {
    pub(crate) lane: Lane,
    pub(crate) state: OrderState,
    pub(crate) history: Vec<(OrderState, UnixMillis)>,
    pub(crate) item: Box<str>,
    pub(crate) quantity: i64,
    /// The id of its reservation, which is of the item and quantity that were ordered.
    pub(crate) reserved: Option<u128>,
    pub(crate) trace: Option<u128>,
    /// Why nothing more will be known of it.
    pub(crate) note: Option<Note>,
    /// What its listener is told, if it has one.
    pub(crate) listener: Option<Box<Listener>>,
}

/// Why nothing more will be known of an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Note {
    /// The inventory has forgotten the order's key.
    KeyForgotten,
    /// The inventory has forgotten the order's key and its reservation.
    ReservationForgotten,
    /// A naive order's cancel has no answer.
    CancelUnanswered,
    /// The order service ended while it placed a naive order.
    Interrupted,
}

impl Note {
    /// In words for the customer.
    pub(crate) const fn text(self) -> &'static str {
        match self {
            Self::KeyForgotten => {
                "the inventory has forgotten the key of this order; nobody can settle it"
            }
            Self::ReservationForgotten => {
                "the inventory has forgotten the key of this order and its reservation; nobody \
                 can cancel it"
            }
            Self::CancelUnanswered => {
                "the cancel has no answer; a naive order has no idempotency key, so nobody can \
                 ask what became of it"
            }
            Self::Interrupted => {
                "the order service ended while an attempt was under way; a naive order has no \
                 idempotency key, so nobody can ask what became of it"
            }
        }
    }
}

/// The messages to an order's listener: one for each state that it came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Listener {
    pub(crate) plan: Plan,
    /// How many messages were sent, or are under way.
    sent: usize,
    /// Which messages have ended, one bit for each place: 1 for the first.
    ended: u32,
}

/// A message that is to be sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Message {
    /// The place of the state in the order's history, from 1.
    pub(crate) place: u32,
    pub(crate) state: OrderState,
    /// The same place. The naive lane does not number its messages.
    pub(crate) sequence: Option<u64>,
    /// What it meets on its way.
    pub(crate) step: Step,
}

impl Order {
    /// `trace` is the id of its trace in hexadecimal digits.
    pub(crate) fn new(reserve: &Reserve, lane: Lane, trace: Option<&str>, now: UnixMillis) -> Self {
        Self {
            lane,
            state: OrderState::Placing,
            history: history_of(now),
            item: shortened(&reserve.item_id).into_owned().into(),
            quantity: reserve.quantity,
            reserved: None,
            trace: trace.and_then(hexadecimal),
            note: None,
            listener: None,
        }
    }

    /// The same order with a listener, whose messages meet these delays.
    pub(crate) fn with_listener(self, plan: Option<Plan>) -> Self {
        Self { listener: plan.map(|plan| Box::new(Listener::new(plan, 0))), ..self }
    }

    /// The states that the listener was not told of yet; they count as told from now on.
    pub(super) fn untold(&mut self) -> Vec<Message> {
        let Some(listener) = &mut self.listener else { return Vec::new() };
        let numbered = self.lane == Lane::Cured;
        let sent = listener.sent;
        let states = (1_u32..).zip(&self.history).skip(sent);
        let states = states.filter(|(place, _)| !listener.has_ended(*place));
        let message = |(place, (state, _)): (u32, &(OrderState, UnixMillis))| Message {
            place,
            state: *state,
            sequence: numbered.then_some(place.into()),
            step: listener.plan.step(place),
        };
        let messages = states.map(message).collect();
        listener.sent = self.history.len();
        messages
    }

    /// Whether a message to its listener was not sent yet.
    pub(super) fn has_untold(&self) -> bool {
        let Some(listener) = &self.listener else { return false };
        let places = (1_u32..).zip(&self.history).skip(listener.sent);
        places.into_iter().any(|(place, _)| !listener.has_ended(place))
    }

    /// What the inventory must be asked about it.
    pub(crate) fn question(&self) -> Option<Question> {
        if self.lane == Lane::Naive || self.note.is_some() {
            return None;
        }
        match self.state {
            OrderState::Unknown => Some(Question::Settle),
            OrderState::Cancelling => Some(Question::Cancel),
            _ => None,
        }
    }

    /// Whether nobody works on it, and its listener was told everything.
    pub(crate) fn is_done(&self) -> bool {
        let ended = |listener: &Listener| {
            (1_u32..).zip(&self.history).all(|(place, _)| listener.has_ended(place))
        };
        self.is_at_rest() && self.listener.as_deref().is_none_or(ended)
    }

    /// When it came to its state.
    pub(crate) fn changed_at(&self) -> UnixMillis {
        self.history.last().map_or(0, |(_, at)| *at)
    }

    /// Whether nobody works on it: a naive order that is unknown stays unknown.
    pub(super) fn is_at_rest(&self) -> bool {
        match self.state {
            OrderState::Placing => false,
            OrderState::Cancelling => self.note.is_some(),
            OrderState::Unknown => self.lane == Lane::Naive || self.note.is_some(),
            OrderState::Confirmed | OrderState::Failed | OrderState::Cancelled => true,
        }
    }
}

impl Listener {
    /// A listener to whom these messages were sent.
    pub(crate) const fn new(plan: Plan, ended: u32) -> Self {
        Self { plan, sent: 0, ended }
    }

    /// The same, of whom so many messages were sent or are under way.
    pub(crate) fn with_sent(self, sent: usize) -> Self {
        Self { sent, ..self }
    }

    /// How many messages were sent, or are under way.
    pub(crate) const fn sent(&self) -> usize {
        self.sent
    }

    /// Which messages have ended, one bit for each.
    pub(crate) const fn ended(&self) -> u32 {
        self.ended
    }

    /// A message has ended, whatever came of it.
    pub(super) fn end(&mut self, place: u32) {
        self.ended |= bit(place);
    }

    const fn has_ended(&self, place: u32) -> bool {
        self.ended & bit(place) != 0
    }
}

/// An order comes to five states at most.
const fn bit(place: u32) -> u32 {
    1_u32.wrapping_shl(place.saturating_sub(1))
}

/// Most orders come to two states.
fn history_of(placed: UnixMillis) -> Vec<(OrderState, UnixMillis)> {
    let mut history = Vec::with_capacity(2);
    history.push((OrderState::Placing, placed));
    history
}

pub(super) fn hexadecimal(text: &str) -> Option<u128> {
    u128::from_str_radix(text, 16).ok()
}

/// A state as it stands on the wire.
pub(crate) const fn on_the_wire(state: OrderState) -> api::OrderState {
    match state {
        OrderState::Placing => api::OrderState::Placing,
        OrderState::Confirmed => api::OrderState::Confirmed,
        OrderState::Failed => api::OrderState::Failed,
        OrderState::Unknown => api::OrderState::Unknown,
        OrderState::Cancelling => api::OrderState::Cancelling,
        OrderState::Cancelled => api::OrderState::Cancelled,
    }
}
