//! An order, or the calls of a script, as a space–time diagram that nobody has drawn yet:
//! lanes, bars, messages, marks and notes, each with its time.
//!
//! It holds no words and no columns. The code that draws it, as text or as a page and
//! in any language, chooses those.

mod build;
mod of_calls;

use serde::Serialize;

use crate::calls::{Arrival, Calls, Change, Request};
use crate::from_spans::FromSpans as _;
use crate::order_trace::{Commit, OrderTrace, UnderKey};
use crate::refusal::Decided;
use crate::so_far::SoFar;

/// Who takes part, from left to right.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lane {
    /// Who ordered.
    Customer,
    /// The order service.
    Order,
    /// The inventory.
    Inventory,
}

impl Lane {
    /// The name of its service; a customer has one too, for the spans that it makes.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Customer => "customer",
            Self::Order => "order",
            Self::Inventory => "inventory",
        }
    }
}

/// Everything there is to draw.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagram {
    /// When the order arrived, or the first call was sent. All times are nanoseconds since 1970.
    pub start: u64,
    /// In the order of time.
    pub steps: Vec<Step>,
    /// In the order of the attempts, one for each; or of the calls to the inventory.
    pub bars: Vec<Bar>,
    /// Whether the attempts carry an idempotency key, so that they reserve once.
    pub once: bool,
}

/// What happens at one moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// When. Clocks of two machines may disagree, so it may lie before the start.
    pub at: u64,
    /// What runs from one lane to another.
    pub message: Option<Message>,
    /// What stands in one lane.
    pub mark: Option<Mark>,
    /// What there is to say about it.
    pub note: Option<Note>,
}

/// What runs from one lane to another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// Who sends it.
    pub from: Lane,
    /// Who is meant to get it.
    pub to: Lane,
    /// Whether it reaches it.
    pub arrives: bool,
    /// What it is.
    pub content: Content,
}

/// What a message carries.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Content {
    /// The customer's order.
    Order,
    /// The customer's question what became of it.
    Question,
    /// The order service's attempt of this number.
    Attempt(u32),
    /// The inventory's answer to an attempt.
    Answer {
        /// The attempt's number.
        attempt: u32,
        /// The HTTP status.
        status: i64,
    },
    /// What the customer is told.
    Outcome {
        /// The HTTP status, if one was sent.
        status: Option<i64>,
        /// `confirmed`, `failed` or `unknown`.
        outcome: String,
    },
    /// A call of a script.
    Call {
        /// Its number.
        call: u32,
        /// What it asks for.
        request: Request,
    },
    /// The answer to a call.
    Reply {
        /// The call's number.
        call: u32,
        /// The HTTP status.
        status: i64,
        /// What had been decided before, or why it is a refusal.
        decided: Option<Decided>,
        /// What it said in a word, such as `void`.
        says: Option<String>,
    },
}

impl Content {
    /// The number of the attempt or of the call that it belongs to, if it belongs to one.
    #[must_use]
    pub const fn number(&self) -> Option<u32> {
        match self {
            Self::Attempt(number)
            | Self::Answer { attempt: number, .. }
            | Self::Call { call: number, .. }
            | Self::Reply { call: number, .. } => Some(*number),
            Self::Order | Self::Question | Self::Outcome { .. } => None,
        }
    }
}

/// What stands in one lane.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mark {
    /// Where.
    pub lane: Lane,
    /// The number of the attempt, or of the call, that it belongs to.
    pub attempt: u32,
    /// What it is.
    pub kind: MarkKind,
}

/// What a mark stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MarkKind {
    /// A reservation became a fact.
    Commit,
    /// The connection was cut instead of an answer.
    Cut,
    /// The process was killed.
    Killed,
    /// The attempt ended without an answer.
    GivenUp,
    /// Something else than a reservation changed.
    Change,
    /// Nothing was done, because something had been decided before.
    Refused,
}

/// What there is to say about a step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Note {
    /// The fault that this attempt meets, with its argument.
    Fault(String),
    /// What was committed.
    Committed(Commit),
    /// The attempt found a decision under its key, and took nothing.
    UnderKey {
        /// Its number.
        attempt: u32,
        /// What it found.
        found: UnderKey,
        /// Whether nobody was waiting for it any more.
        late: bool,
    },
    /// The order service learnt what became of the order: `confirmed` or `failed`.
    Settled(String),
    /// The inventory cut the connection of this attempt.
    Cut(u32),
    /// The process of the inventory was killed in the middle of this attempt.
    Killed(u32),
    /// Another process of the inventory takes requests.
    Restarted {
        /// Whether it has what the killed one had committed for the order.
        kept: bool,
    },
    /// The order service gave an attempt up.
    GivenUp {
        /// Its number.
        attempt: u32,
        /// `timeout`, `connection_lost` or `connection_refused`.
        reason: String,
    },
    /// The inventory noticed that the caller of this attempt had left.
    CallerLeft(u32),
    /// The inventory's answer to this attempt reached nobody.
    AnswerDropped(u32),
    /// Something about a call.
    Call(CallNote),
}

/// What there is to say about a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallNote {
    /// The call's number.
    pub call: u32,
    /// Who can know it.
    pub lane: Lane,
    /// What it is.
    pub event: CallEvent,
}

/// What happens to a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CallEvent {
    /// Its caller gave it up: `timeout`, `connection_lost` or `connection_refused`.
    GivenUp(String),
    /// The called side noticed that its caller had left.
    CallerLeft,
    /// The called side cut its connection.
    Cut,
    /// The answer reached nobody.
    AnswerDropped,
    /// It did nothing, for what was decided before or is there now.
    Decided(Decided),
    /// It changed a number.
    Changed(Change),
    /// It is a message about an order, and was shown or dropped.
    Told(Arrival),
}

impl Note {
    /// Who can know it.
    #[must_use]
    pub const fn lane(&self) -> Lane {
        match self {
            Self::GivenUp { .. } | Self::Settled(_) => Lane::Order,
            Self::Call(note) => note.lane,
            _ => Lane::Inventory,
        }
    }
}

/// The inventory's work on one attempt, or on one call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bar {
    /// The attempt's number, or the call's.
    pub attempt: u32,
    /// Its place beside the others, from 0. Bars that are not there at the same time may
    /// share one.
    pub column: usize,
    /// In the order of time; none if the inventory has no span of it.
    pub phases: Vec<Phase>,
}

/// A part of a bar, between two steps. Their places in [`Diagram::steps`] say
/// which came first even where their times are the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Phase {
    /// The step that begins it.
    pub from: usize,
    /// The step that ends it, or the number of all steps if none does.
    pub to: usize,
    /// Whether the caller waits meanwhile.
    pub awaited: bool,
}

impl Diagram {
    /// The diagram of an order.
    #[must_use]
    pub fn of(order_trace: &OrderTrace) -> Self {
        build::diagram(order_trace)
    }

    /// The diagram of an order of which spans are still to come.
    #[must_use]
    pub fn so_far(order: &SoFar<'_>) -> Self {
        let read = order.answer.and_then(|answer| OrderTrace::of(order.spans, answer.answered));
        let start = read.as_ref().map_or(order.sent_at, |read| read.start);
        let (over, committed) = order.attempts(read.as_ref());
        let restart = order.crash.and_then(|crash| crash.restart);
        build::so_far(start, &over, &committed, restart, read.or_else(|| order.told()).as_ref())
    }

    /// The diagram of the calls of a script.
    #[must_use]
    pub fn of_calls(calls: &Calls) -> Self {
        of_calls::diagram(calls)
    }

    /// How many columns the bars take.
    #[must_use]
    pub fn columns(&self) -> usize {
        self.bars.iter().map(|bar| bar.column + 1).max().unwrap_or_default()
    }

    /// A moment in whole milliseconds after the start.
    #[must_use]
    pub const fn ms(&self, at: u64) -> u64 {
        at.saturating_sub(self.start) / 1_000_000
    }

    /// What one party can know of it: what it sent, what reached it, and what it
    /// did itself.
    #[must_use]
    pub fn history(&self, lane: Lane) -> Vec<Step> {
        self.steps.iter().filter_map(|step| step.known_to(lane)).collect()
    }
}

impl Step {
    /// The part of it that one party can know, if it can know any.
    #[must_use]
    pub fn known_to(&self, lane: Lane) -> Option<Self> {
        let of_lane =
            |message: &Message| message.from == lane || message.to == lane && message.arrives;
        let known = Self {
            at: self.at,
            message: self.message.clone().filter(of_lane),
            mark: self.mark.filter(|mark| mark.lane == lane),
            note: self.note.clone().filter(|note| note.lane() == lane),
        };
        let says = known.message.is_some() || known.mark.is_some() || known.note.is_some();
        says.then_some(known)
    }
}

#[cfg(test)]
mod tests;
