//! What each party knows at a moment of an order.
//!
//! Each part is read from the party's own [`LocalHistory`] up to that moment and from
//! nothing else, so it cannot hold what only another party knows. There are no words
//! here; whoever shows it, and in any language, chooses those.

mod read;

use serde::Serialize;

use crate::diagram::{Diagram, Lane};
use crate::local_history::LocalHistory;
use crate::order_trace::UnderKey;

/// What all three parties know at one moment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Knowledge {
    /// Who ordered.
    pub customer: Customer,
    /// The order service.
    pub order: OrderService,
    /// The inventory.
    pub inventory: Inventory,
}

/// Whether something is so, as far as a party can know.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Certainty {
    /// It is so for certain.
    Yes,
    /// It is certainly not so.
    No,
    /// The party cannot know.
    Unknown,
}

/// What the customer knows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Customer {
    /// When the order was sent, if it was.
    pub asked_ms: Option<u64>,
    /// What the customer was told, if anything.
    pub told: Option<Told>,
    /// Whether there is a reservation for the order, one or more.
    pub reserved: Certainty,
}

/// What the customer was told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Told {
    /// When.
    pub at_ms: u64,
    /// The HTTP status, if one was sent.
    pub status: Option<i64>,
    /// `confirmed`, `failed` or `unknown`.
    pub outcome: String,
}

/// What the order service knows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct OrderService {
    /// When the order arrived, if it has.
    pub asked_ms: Option<u64>,
    /// In the order of sending.
    pub attempts: Vec<SentAttempt>,
    /// How many reservations there are for certain.
    pub certain: usize,
    /// How many there may be, those included.
    pub possible: usize,
    /// What it learnt from the inventory after its answer: `confirmed` or `failed`.
    pub settled: Option<String>,
    /// What it told the customer, if anything.
    pub told: Option<Told>,
}

/// An attempt, as the order service knows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SentAttempt {
    /// 1 for the first.
    pub number: u32,
    /// When it was sent.
    pub sent_ms: u64,
    /// How it ended, if it has.
    pub end: Option<End>,
    /// Whether it made a reservation.
    pub reserved: Certainty,
}

/// How an attempt ended for the order service.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum End {
    /// With this HTTP status.
    Answer {
        /// When.
        at_ms: u64,
        /// The HTTP status.
        status: i64,
    },
    /// Without an answer.
    NoAnswer {
        /// When.
        at_ms: u64,
        /// `timeout`, `connection_lost` or `connection_refused`.
        reason: String,
    },
}

/// What the inventory knows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Inventory {
    /// In the order in which they arrived.
    pub attempts: Vec<ReceivedAttempt>,
    /// How many reservations it made.
    pub reservations: usize,
    /// Whether its process was killed, and what that left.
    pub process: Process,
}

/// The process of the inventory.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Process {
    /// It is the one that was there at the beginning.
    First,
    /// It was killed, and no other one takes requests yet. There is nobody who knows anything.
    Killed,
    /// Another one is there, which has what the killed one had committed and nothing else of it.
    Kept,
    /// Another one is there, which has nothing of the killed one.
    Forgot,
}

/// An attempt, as the inventory knows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ReceivedAttempt {
    /// 1 for the first.
    pub number: u32,
    /// When it arrived: the first that the inventory can tell of it.
    pub received_ms: u64,
    /// The fault that it meets, with its argument; `none` if none.
    pub fault: Option<String>,
    /// What it committed, if it has.
    pub commit: Option<Committed>,
    /// What it found under the key of the attempt, so that it took nothing.
    pub found: Option<UnderKey>,
    /// When the inventory noticed that the caller was gone. Until then it cannot know
    /// whether anyone waits.
    pub caller_left_ms: Option<u64>,
    /// What became of the answer.
    pub answer: Answer,
}

/// A reservation that became a fact.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Committed {
    /// When.
    pub at_ms: u64,
    /// Whether the caller was known to be gone.
    pub late: bool,
    /// Whether the same request had been committed before.
    pub duplicate: bool,
}

/// What became of the inventory's answer, as the inventory knows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum Answer {
    /// It has sent none yet.
    NotYet,
    /// The process that may have sent one was killed.
    NobodyKnows,
    /// It was sent; whether anyone heard it the inventory cannot know.
    Sent {
        /// When.
        at_ms: u64,
        /// The HTTP status.
        status: i64,
    },
    /// The connection was cut instead.
    Cut {
        /// When.
        at_ms: u64,
    },
    /// There was nobody left to answer.
    NobodyLeft {
        /// When.
        at_ms: u64,
    },
}

impl Knowledge {
    /// What each party knows once this step of the diagram has happened.
    #[must_use]
    pub fn at(diagram: &Diagram, step: usize) -> Self {
        let until = |party| LocalHistory::until(diagram, party, step);
        Self {
            customer: read::customer(&until(Lane::Customer)),
            order: read::order_service(&until(Lane::Order), diagram.once),
            inventory: read::inventory(&until(Lane::Inventory)),
        }
    }
}

#[cfg(test)]
mod tests;
