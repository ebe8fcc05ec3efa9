//! An order, told from its spans: who sent what when, what was committed, and
//! from which moment nobody listened any more. All times in nanoseconds.

mod answered;
mod read;

use std::time::Duration;

use campuscafe_api::order::{Lane, OrderReport};
use campuscafe_attributes::CONNECTION_REFUSED;
use campuscafe_chaos::Plan;
use serde::Serialize;

use super::flaw::{Flaw, Part};
use super::from_spans::FromSpans;
use super::span::Span;

pub(crate) use read::{attempt_number, commit, is_of_order, served};

/// What the order service answered, and the faults that the order was to meet:
/// together they say which spans there must be.
#[derive(Debug, Clone)]
pub struct Answered {
    /// The answer.
    pub report: OrderReport,
    /// The faults that were asked for.
    pub plan: Plan,
    /// Whether the inventory was killed meanwhile, as whoever killed it tells.
    pub crash: Option<Crash>,
}

/// The end of the inventory's process by SIGKILL, while it had an attempt to answer, and the
/// start of another one in its place. No span can tell of it, because a span is sent when it
/// has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Crash {
    /// When the process was killed.
    pub killed_at: u64,
    /// The other process, once it takes requests.
    pub restart: Option<Restart>,
}

impl Crash {
    /// Whether the process was killed while this attempt of the order service was under way.
    pub(crate) fn is_during(&self, client: &Span) -> bool {
        (client.start..=client.end).contains(&self.killed_at)
    }
}

/// A process in the place of one that was killed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Restart {
    /// When it takes requests.
    pub at: u64,
    /// Whether it still has what the other one had committed for the order.
    pub kept: bool,
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
    /// Whether its attempts had an idempotency key, if it says so.
    pub lane: Option<Lane>,
    /// In the order they were made.
    pub attempts: Vec<Attempt>,
    /// Whether the inventory was killed meanwhile.
    pub crash: Option<Crash>,
    /// When the order service learnt from the inventory what became of the order, and what.
    pub settled: Option<Settled>,
    /// What the customer did whom the answer left in doubt.
    pub later: Option<Exchange>,
    /// Which replica of the order service took it, if it says so.
    pub instance: Option<String>,
    /// What is missing or contradicts the answer; empty where nothing does.
    pub flaws: Vec<Flaw>,
}

/// What an order came to after its answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settled {
    /// When.
    pub at: u64,
    /// `confirmed` or `failed`.
    pub outcome: String,
}

/// What a customer sends who does not know what became of an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Asked {
    /// The same order again, which is another order to the service.
    Again,
    /// The question what became of it.
    State,
}

/// A second question of the customer, and its answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exchange {
    /// What the customer sent.
    pub asked: Asked,
    /// When.
    pub asked_at: u64,
    /// When the customer was told.
    pub told_at: u64,
    /// The HTTP status.
    pub status: Option<i64>,
    /// What the customer was told.
    pub outcome: String,
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
    /// When its process was killed, so that it has no span of this attempt.
    pub killed: Option<u64>,
    /// The fault that was decided on, with its argument; `none` if none.
    pub fault: String,
    /// When the fault began to act and when it was over.
    pub fault_acted: Option<(u64, u64)>,
    /// What was committed, if anything.
    pub commit: Option<Commit>,
    /// What had been decided before under the key of this attempt, so that it took nothing.
    pub under_key: Option<UnderKey>,
    /// Which replica of the inventory served it, if it says so.
    pub instance: Option<String>,
}

/// What an attempt finds under its idempotency key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum UnderKey {
    /// The decision of an earlier attempt, which is told again.
    Replayed,
    /// That nothing can be reserved any more: the order is settled or cancelled.
    Void,
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
    /// Whether it has an idempotency key, if its span says so.
    pub lane: Option<Lane>,
}

impl FromSpans for OrderTrace {
    type Answer = Answered;

    fn of(spans: &[Span], answer: &Answered) -> Option<Self> {
        read::order_trace(spans, answer)
    }

    fn incomplete(order_trace: Option<&Self>) -> Vec<Flaw> {
        match order_trace {
            None => vec![Flaw::Missing(Part::Order)],
            Some(order_trace) => order_trace.flaws.clone(),
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

    /// How many reservations for it the inventory holds: its commits, but those that a killed
    /// process had in its memory only.
    #[must_use]
    pub fn held(&self) -> u64 {
        match self.crash.and_then(|crash| crash.restart) {
            Some(Restart { kept: false, .. }) => 0,
            _ => self.commits().len() as u64,
        }
    }

    /// Whether its attempts carry an idempotency key, so that they reserve once.
    #[must_use]
    pub fn once(&self) -> bool {
        self.lane == Some(Lane::Cured)
    }

    /// With another order of the same customer for the same thing. Its attempts are numbered
    /// on.
    #[must_use]
    pub fn followed_by(mut self, next: Self) -> Self {
        let before = self.attempts.last().map_or(0, |last| last.number);
        let flaws = next.flaws.iter().map(|flaw| flaw.of_later_attempt(before));
        self.flaws.extend(flaws);
        self.later = Some(Exchange {
            asked: Asked::Again,
            asked_at: next.start,
            told_at: next.told_at,
            status: next.status,
            outcome: next.outcome,
        });
        self.attempts.extend(
            next.attempts.into_iter().map(|attempt| Attempt {
                number: attempt.number.saturating_add(before),
                ..attempt
            }),
        );
        self
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
#[cfg(test)]
mod tests_of_crashes;
#[cfg(test)]
mod tests_of_keys;
