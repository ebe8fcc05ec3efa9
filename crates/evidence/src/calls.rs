//! The calls that a script made and everything they set off, told from the spans of one or
//! several traces. All times in nanoseconds.
//!
//! A script plays a customer or the order service. It sends no spans, so it brings one for
//! each of its own calls, as the service that it plays would have made it.

mod read;

use campuscafe_attributes::CONNECTION_REFUSED;
use serde::Serialize;

use crate::diagram::Lane;
use crate::flaw::{Flaw, Part};
use crate::from_spans::FromSpans;
use crate::order_trace::{Commit, End};
use crate::refusal::{Decided, Refusal};
use crate::span::Span;

/// Calls that are read of one script.
pub const MAX_CALLS: usize = 200;

/// Calls of the script itself of which a picture shows all.
pub const MOST_DRAWN: usize = 8;

/// How many of them it shows if there are more.
const DRAWN_OF_MANY: usize = 3;

/// The attribute by which a script notes what an answer said in a word.
pub const SAYS: &str = "campuscafe.script.says";

/// All calls of a script.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Calls {
    /// When the first of them was sent.
    pub start: u64,
    /// In the order in which they were sent.
    pub calls: Vec<Call>,
    /// What is missing or contradicts itself; empty where nothing does.
    pub flaws: Vec<Flaw>,
}

/// One call, on both sides.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    /// 1 for the first that was sent.
    pub number: u32,
    /// The id of its caller's span: 16 hexadecimal digits.
    pub span_id: String,
    /// The number of the script's own call that set it off; its own number if it is one.
    pub root: u32,
    /// Who made it.
    pub from: Lane,
    /// Who was meant to get it.
    pub to: Lane,
    /// What was asked for.
    pub request: Request,
    /// When it was sent.
    pub sent: u64,
    /// When its caller had an answer, or gave up.
    pub ended: u64,
    /// How it ended for its caller.
    pub end: End,
    /// What the answer said in a word, such as `void`.
    pub says: Option<String>,
    /// What the called side did, if the request reached it.
    pub served: Option<Served>,
}

/// What a call asks for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Request {
    /// The HTTP method.
    pub method: String,
    /// The path; its variable parts are names in braces where the called side told them.
    pub route: String,
}

/// A call, as the called side saw it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Served {
    /// When it was done with it, whether or not anyone waited.
    pub ended: u64,
    /// When it noticed that its caller had left.
    pub abandoned: Option<u64>,
    /// The HTTP status that it answered with, whether or not anyone heard it.
    pub status: Option<i64>,
    /// Whether a fault cut the connection instead of answering.
    pub cut: bool,
    /// The fault that was decided on, with its argument; `none` if none.
    pub fault: String,
    /// Whether the answer was decided earlier under the same idempotency key.
    pub replayed: bool,
    /// Why the called side refused, if it says so.
    pub refusal: Option<Refusal>,
    /// What changed at the inventory.
    pub effects: Vec<Effect>,
}

impl Served {
    /// Whether its idempotency key was void or cancelled, so that nothing could be reserved
    /// under it any more.
    #[must_use]
    pub const fn is_void(&self) -> bool {
        matches!(self.refusal, Some(Refusal::KeyVoid | Refusal::Cancelled))
    }

    /// What was decided before, or refused. A refusal that is told again is a replay.
    #[must_use]
    pub fn decided(&self) -> Option<Decided> {
        let replayed = self.replayed.then_some(Decided::Replayed);
        replayed.or(self.refusal.map(Decided::Refused))
    }
}

/// What changed at the inventory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Effect {
    /// A reservation was made.
    Reserved(Commit),
    /// A number changed.
    Changed(Change),
    /// A message about an order arrived.
    Told(Arrival),
}

/// A message about an order that arrived at the board.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Arrival {
    /// When.
    pub at: u64,
    /// The state of its order that it tells.
    pub state: String,
    /// Whether the board dropped it, because it shows a newer one.
    pub dropped: bool,
}

impl Effect {
    /// When.
    #[must_use]
    pub const fn at(&self) -> u64 {
        match self {
            Self::Reserved(commit) => commit.at,
            Self::Changed(change) => change.at,
            Self::Told(arrival) => arrival.at,
        }
    }
}

/// A number that changed at the inventory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// When.
    pub at: u64,
    /// What it was.
    pub kind: ChangeKind,
    /// The item that it is about.
    pub item: String,
    /// The number before.
    pub before: i64,
    /// The number after.
    pub after: i64,
}

/// What a change is, other than a reservation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum ChangeKind {
    /// A reservation was cancelled, and its pieces are in the stock again.
    Cancelled,
    /// The price of an item was changed.
    Priced,
}

impl Call {
    /// Whether no connection could be made, so that nothing was sent.
    #[must_use]
    pub fn never_left(&self) -> bool {
        matches!(&self.end, End::Unanswered(reason) if reason == CONNECTION_REFUSED)
    }

    /// The HTTP status of its answer, if its caller got one.
    #[must_use]
    pub const fn status(&self) -> Option<i64> {
        match self.end {
            End::Answered(status) => Some(status),
            End::Unanswered(_) => None,
        }
    }

    /// Whether it asks for this.
    #[must_use]
    pub fn asks(&self, method: &str, route: &str) -> bool {
        self.request.method == method && self.request.route == route
    }
}

impl Calls {
    /// Those that ask for this, in the order in which they were sent.
    pub fn that_ask<'a>(
        &'a self,
        method: &'a str,
        route: &'a str,
    ) -> impl Iterator<Item = &'a Call> {
        self.calls.iter().filter(move |call| call.asks(method, route))
    }

    /// Those that a picture shows: all, or of many the first and what they set off.
    pub fn drawn(&self) -> impl Iterator<Item = &Call> {
        let mut own = self.own();
        let last = match self.left_out() {
            0 => u32::MAX,
            _ => own.nth(DRAWN_OF_MANY - 1).map_or(u32::MAX, |call| call.number),
        };
        self.calls.iter().filter(move |call| call.root <= last)
    }

    /// How many calls of the script itself a picture does not show.
    #[must_use]
    pub fn left_out(&self) -> usize {
        match self.own().count() {
            own if own > MOST_DRAWN => own - DRAWN_OF_MANY,
            _ => 0,
        }
    }

    /// Those of the script itself.
    fn own(&self) -> impl Iterator<Item = &Call> {
        self.calls.iter().filter(|call| call.root == call.number)
    }

    /// What changed at the inventory, each with its call's number, in the order of time.
    #[must_use]
    pub fn effects(&self) -> Vec<(u32, &Effect)> {
        let mut all: Vec<_> = self
            .calls
            .iter()
            .filter_map(|call| Some((call.number, call.served.as_ref()?)))
            .flat_map(|(number, served)| served.effects.iter().map(move |it| (number, it)))
            .collect();
        all.sort_by_key(|(_, effect)| effect.at());
        all
    }

    /// Every commit with its call's number, in the order of time.
    #[must_use]
    pub fn commits(&self) -> Vec<(u32, &Commit)> {
        self.effects()
            .into_iter()
            .filter_map(|(number, effect)| match effect {
                Effect::Reserved(commit) => Some((number, commit)),
                Effect::Changed(_) | Effect::Told(_) => None,
            })
            .collect()
    }

    /// The messages that arrived at the board, in the order of their arrival.
    pub fn arrivals(&self) -> impl Iterator<Item = &Arrival> {
        self.effects().into_iter().filter_map(|(_, effect)| match effect {
            Effect::Told(arrival) => Some(arrival),
            Effect::Reserved(_) | Effect::Changed(_) => None,
        })
    }

    /// A moment in whole milliseconds after the first call.
    #[must_use]
    pub const fn ms(&self, at: u64) -> u64 {
        at.saturating_sub(self.start) / 1_000_000
    }
}

impl FromSpans for Calls {
    /// A span for each call that the script made itself.
    type Answer = Vec<Span>;

    fn of(spans: &[Span], made: &Vec<Span>) -> Option<Self> {
        read::calls(spans, made)
    }

    fn incomplete(calls: Option<&Self>) -> Vec<Flaw> {
        match calls {
            None => vec![Flaw::Missing(Part::Call(1))],
            Some(calls) => calls.flaws.clone(),
        }
    }
}

#[cfg(test)]
mod tests;
