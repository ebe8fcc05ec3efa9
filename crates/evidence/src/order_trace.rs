//! An order, told from its spans: who sent what when, what was committed, and
//! from which moment nobody listened any more. All times in nanoseconds.

mod read;

use std::time::Duration;

use campuscafe_api::order::OrderReport;
use campuscafe_attributes::CONNECTION_REFUSED;
use campuscafe_chaos::Plan;

use super::flaw::{Flaw, Part};
use super::from_spans::FromSpans;
use super::span::Span;

pub(crate) use read::{attempt_number, is_of_order};

/// What the order service answered, and the faults that the order was to meet:
/// together they say which spans there must be.
#[derive(Debug, Clone)]
pub struct Answered {
    /// The answer.
    pub report: OrderReport,
    /// The faults that were asked for.
    pub plan: Plan,
}

/// One order and everything it set off.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrderTrace {
    /// When the order arrived.
    pub start: u64,
    /// When the customer was told.
    pub told_at: u64,
    /// `confirmed`, `failed` or `unknown`.
    pub outcome: String,
    /// The HTTP status the customer got.
    pub status: Option<i64>,
    /// In the order they were made.
    pub attempts: Vec<Attempt>,
    /// Which replica of the order service took it, if it says so.
    pub instance: Option<String>,
    /// What is missing or contradicts the answer; empty where nothing does.
    pub flaws: Vec<Flaw>,
}

/// One attempt, on both sides.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attempt {
    /// 1 for the first.
    pub number: u32,
    /// When the order service sent it.
    pub sent: u64,
    /// When the order service had its answer, or gave up.
    pub ended: u64,
    /// How it ended for the order service.
    pub end: End,
    /// What the inventory did, if the request reached it.
    pub served: Option<ServerAttempt>,
}

impl Attempt {
    /// Whether no connection could be made, so that nothing was sent.
    #[must_use]
    pub fn never_left(&self) -> bool {
        matches!(&self.end, End::Unanswered(reason) if reason == CONNECTION_REFUSED)
    }
}

/// How an attempt ended for the one who made it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum End {
    /// With this HTTP status.
    Answered(i64),
    /// Without an answer; `timeout`, `connection_lost` or `connection_refused`.
    Unanswered(String),
}

/// An attempt, as the inventory saw it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServerAttempt {
    /// When the inventory was done with it, whether or not anyone waited.
    pub ended: u64,
    /// When the inventory noticed that the caller had left.
    pub abandoned: Option<u64>,
    /// The HTTP status that it answered with, whether or not anyone heard it.
    pub status: Option<i64>,
    /// Whether a fault cut the connection instead of answering.
    pub cut: bool,
    /// The fault that was decided on, with its argument; `none` if none.
    pub fault: String,
    /// When the fault began to act and when it was over.
    pub fault_acted: Option<(u64, u64)>,
    /// What was committed, if anything.
    pub commit: Option<Commit>,
    /// Which replica of the inventory served it, if it says so.
    pub instance: Option<String>,
}

/// The moment a reservation became a fact.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Commit {
    /// When.
    pub at: u64,
    /// What was taken.
    pub item: String,
    /// Pieces left before.
    pub before: i64,
    /// Pieces left after.
    pub after: i64,
    /// Whether the caller was gone by then.
    pub late: bool,
    /// Whether the same request had been committed before.
    pub duplicate: bool,
}

impl FromSpans for OrderTrace {
    type Answer = Answered;

    fn of(spans: &[Span], answer: &Answered) -> Option<Self> {
        read::order_trace(spans, answer)
    }

    fn incomplete(order_trace: Option<&Self>) -> Vec<String> {
        match order_trace {
            None => vec![Flaw::Missing(Part::Order).to_string()],
            Some(order_trace) => order_trace.flaws.iter().map(Flaw::to_string).collect(),
        }
    }
}

impl OrderTrace {
    /// Every commit with its attempt's number, in the order of time.
    #[must_use]
    pub fn commits(&self) -> Vec<(u32, &Commit)> {
        let mut commits: Vec<_> = self
            .attempts
            .iter()
            .filter_map(|attempt| Some((attempt.number, attempt.served.as_ref()?.commit.as_ref()?)))
            .collect();
        commits.sort_by_key(|(_, commit)| commit.at);
        commits
    }

    /// When the last commit came, counted from the order.
    #[must_use]
    pub fn last_commit(&self) -> Option<Duration> {
        let (_, commit) = *self.commits().last()?;
        Some(Duration::from_millis(self.ms(commit.at)))
    }

    /// A moment in whole milliseconds after the order arrived. Clocks of two
    /// machines may disagree, so a moment can seem to lie before the start.
    #[must_use]
    pub fn ms(&self, at: u64) -> u64 {
        at.saturating_sub(self.start) / 1_000_000
    }
}

#[cfg(test)]
mod tests;
