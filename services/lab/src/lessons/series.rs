//! Many orders, of which each is one line of a table.

use std::time::Duration;

use campuscafe_api::order::{AttemptResult, Outcome, PlaceOrder};
use campuscafe_evidence::counters::Counters;
use campuscafe_evidence::flaw::Flaw;
use campuscafe_evidence::order::{CustomerResponse, Delivered};

use super::words::{flaws, instead};
use super::{Verdict, percentile};
use crate::messages::Message;

/// Which orders are sent, and how they are told.
#[derive(Debug, Clone, Copy)]
pub(crate) struct SeriesPlan {
    /// The orders of an item for a seed.
    pub(crate) orders: fn(item: &str, seed: u64) -> Vec<SeriesOrder>,
    /// Orders that may be under way at one time.
    pub(crate) at_once: usize,
    pub(crate) layout: Layout,
}

/// How a series is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Layout {
    /// A bar for each order, against the limit of an attempt.
    Bars,
    /// A line for each group of orders.
    Groups,
}

/// An order of a series.
#[derive(Debug, Clone)]
pub(crate) struct SeriesOrder {
    /// What it has in common with others; the name of a message.
    pub(crate) group: &'static str,
    pub(crate) order: PlaceOrder,
}

/// What came of one of them.
#[derive(Debug)]
pub(crate) struct SeriesResult {
    pub(crate) sent: SeriesOrder,
    pub(crate) response: CustomerResponse,
    /// Commits in its trace, if no span of it is missing.
    pub(crate) commits: Option<u64>,
    /// When the last of them came, counted from the order.
    pub(crate) last_commit: Option<Duration>,
    /// What its spans make of the counters; nothing without its own span.
    pub(crate) counters: Counters,
    /// What is missing of its trace.
    pub(crate) incomplete: Vec<Flaw>,
}

/// What came of a series.
#[derive(Debug)]
pub(crate) struct Series {
    pub(crate) layout: Layout,
    pub(crate) results: Vec<SeriesResult>,
    pub(crate) delivered: Option<Delivered>,
}

impl SeriesResult {
    pub(crate) fn outcome(&self) -> Outcome {
        self.response.report.outcome
    }

    /// Whether its inventory reserved more often than once.
    pub(crate) fn is_doubled(&self) -> bool {
        self.commits.is_some_and(|commits| commits > 1)
    }

    pub(crate) fn timed_out(&self) -> bool {
        let mut attempts = self.response.report.attempts.iter();
        attempts.any(|attempt| attempt.result == AttemptResult::Timeout)
    }
}

/// What a group of orders comes to.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct GroupSummary {
    pub(crate) name: &'static str,
    pub(crate) orders: usize,
    pub(crate) confirmed: usize,
    pub(crate) failed: usize,
    pub(crate) unknown: usize,
    pub(crate) doubled: usize,
    /// 95 of 100 customers had their answer within this time.
    pub(crate) p95: Duration,
    /// Calls of the inventory.
    pub(crate) attempts: usize,
    /// Reservations that it made.
    pub(crate) reservations: u64,
}

impl Series {
    /// The groups in the order in which they were first sent.
    pub(crate) fn groups(&self) -> Vec<GroupSummary> {
        let mut names: Vec<&'static str> = Vec::new();
        for result in &self.results {
            if !names.contains(&result.sent.group) {
                names.push(result.sent.group);
            }
        }
        names.into_iter().map(|name| self.group(name)).collect()
    }

    fn group(&self, name: &'static str) -> GroupSummary {
        let of: Vec<_> = self.results.iter().filter(|one| one.sent.group == name).collect();
        let count = |outcome| of.iter().filter(|one| one.outcome() == outcome).count();
        let mut times: Vec<_> = of.iter().map(|one| one.response.after).collect();
        times.sort_unstable();
        GroupSummary {
            name,
            orders: of.len(),
            confirmed: count(Outcome::Confirmed),
            failed: count(Outcome::Failed),
            unknown: count(Outcome::Unknown),
            doubled: of.iter().filter(|one| one.is_doubled()).count(),
            p95: percentile(&times, 95),
            attempts: of.iter().map(|one| one.response.report.attempts.len()).sum(),
            reservations: of.iter().filter_map(|one| one.commits).sum(),
        }
    }

    /// A verdict on what customers were told (`told`) and what the inventory holds
    /// (`held`), which missing spans leave open.
    pub(super) fn judged(&self, told: bool, held: bool, why: impl FnOnce() -> Message) -> Verdict {
        let mut incomplete: Vec<_> =
            self.results.iter().flat_map(|one| flaws(&one.incomplete)).collect();
        let unread = self.results.iter().filter(|one| one.commits.is_none()).count();
        if incomplete.is_empty() && unread > 0 {
            incomplete.push(Message::new("flaw-orders").with("count", unread));
        }
        Verdict::of(told, held, incomplete, || if told && held { why() } else { instead(why()) })
    }
}

#[cfg(test)]
pub(crate) mod testing {
    use campuscafe_api::order::{Attempt, OrderReport};

    use super::*;

    /// An order that ended like this after so many milliseconds.
    pub(crate) fn result(
        sent: SeriesOrder,
        outcome: Outcome,
        attempts: &[AttemptResult],
        ms: u64,
        commits: u64,
    ) -> SeriesResult {
        let attempts = attempts.iter().zip(1..).map(|(result, number)| Attempt {
            number,
            result: *result,
            duration_ms: ms,
            status: None,
        });
        let report = OrderReport {
            order_id: String::new(),
            outcome,
            attempts: attempts.collect(),
            trace_id: None,
        };
        let (status, words, after) = (0, String::new(), Duration::from_millis(ms));
        let response = CustomerResponse { status, words, report, after };
        SeriesResult {
            sent,
            response,
            commits: Some(commits),
            last_commit: None,
            counters: Counters::new(),
            incomplete: Vec::new(),
        }
    }

    pub(crate) fn series(results: Vec<SeriesResult>) -> Series {
        Series { layout: Layout::Bars, results, delivered: None }
    }
}
