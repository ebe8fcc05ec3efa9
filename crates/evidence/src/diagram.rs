//! An order as a space–time diagram that nobody has drawn yet: lanes, bars,
//! messages, marks and notes, each with its time.
//!
//! It holds no words and no columns. The code that draws it, as text or as a page and
//! in any language, chooses those.

mod build;

use serde::Serialize;

use crate::order_trace::{Commit, OrderTrace};

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

/// Everything there is to draw.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagram {
    /// When the order arrived. All times are nanoseconds since 1970.
    pub start: u64,
    /// In the order of time.
    pub steps: Vec<Step>,
    /// In the order of the attempts, one for each.
    pub bars: Vec<Bar>,
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
}

/// What stands in one lane.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mark {
    /// Where.
    pub lane: Lane,
    /// The number of the attempt that it belongs to.
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
    /// The attempt ended without an answer.
    GivenUp,
}

/// What there is to say about a step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Note {
    /// The fault that this attempt meets, with its argument.
    Fault(String),
    /// What was committed.
    Committed(Commit),
    /// The inventory cut the connection of this attempt.
    Cut(u32),
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
}

impl Note {
    /// Who can know it.
    #[must_use]
    pub const fn lane(&self) -> Lane {
        match self {
            Self::GivenUp { .. } => Lane::Order,
            _ => Lane::Inventory,
        }
    }
}

/// The inventory's work on one attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bar {
    /// The attempt's number.
    pub attempt: u32,
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

    /// A moment in whole milliseconds after the order arrived.
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
    pub(crate) fn known_to(&self, lane: Lane) -> Option<Self> {
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
