//! The experiments: what each does, and what its evidence must show.
//!
//! An experiment is a file beside this one and a line in `ALL`. There are data
//! and pure judges here; `run` carries them out, and `view` says what they showed.

mod cut;
mod double;
mod doubt;
mod event;
mod finding;
mod free;
mod jitter;
mod kill;
pub(crate) mod load;
mod local;
mod nature;
mod policy;
mod recover;
mod reorder;
mod rollout;
mod same_view;
mod series;
mod slow;
mod verdict;
use std::time::Duration;

use campuscafe_api::order::{AttemptResult, Outcome};
use campuscafe_evidence::message_order::{PingBatch, PingRounds};
use campuscafe_evidence::order::{Order, OrderPlan};
use campuscafe_evidence::order_trace::OrderTrace;
use campuscafe_evidence::pod_replacement::{PodReplacement, PodReplacementPlan};

pub(crate) use campuscafe_service::seconds;
pub(crate) use doubt::{ATTEMPT_TIMEOUT, Decision};
pub(crate) use event::{Event, HeldAnswer};
pub(crate) use finding::{Evidence, Finding, Findings, Link};
pub(crate) use free::EXPERIMENT as FREE;
pub(crate) use local::{Calls, LocalAndRemote};
#[cfg(test)]
pub(crate) use same_view::testing;
pub(crate) use same_view::{SameView, compared};
pub(crate) use series::{Layout, Series, SeriesOrder, SeriesPlan, SeriesResult};
pub(crate) use verdict::{Conclusion, Verdict};

/// Every experiment, in the order in which a course meets them.
pub(crate) const ALL: [&Experiment; 12] = [
    &local::EXPERIMENT,
    &slow::EXPERIMENT,
    &jitter::EXPERIMENT,
    &cut::EXPERIMENT,
    &doubt::EXPERIMENT,
    &recover::EXPERIMENT,
    &reorder::EXPERIMENT,
    &nature::EXPERIMENT,
    &double::EXPERIMENT,
    &policy::EXPERIMENT,
    &kill::EXPERIMENT,
    &rollout::EXPERIMENT,
];

/// What the experiments are called.
pub(crate) fn names() -> impl Iterator<Item = &'static str> {
    ALL.iter().map(|experiment| experiment.name)
}

/// A lesson: what is done, and how its evidence is judged.
pub(crate) struct Experiment {
    pub(crate) name: &'static str,
    pub(crate) title: &'static str,
    /// What it does, one after the other.
    pub(crate) trials: &'static [Trial],
    /// What its orders show only side by side.
    pub(crate) side_by_side: &'static [Row],
    /// The faults whose orders the order service cannot tell apart.
    pub(crate) same_view: &'static [&'static str],
    pub(crate) look_at: LookAt,
}

/// What to look at in the tools around the services.
pub(crate) struct LookAt {
    pub(crate) jaeger: &'static str,
    pub(crate) grafana: &'static str,
}

/// A row of a table that has a column for each order.
pub(crate) struct Row {
    pub(crate) name: &'static str,
    pub(crate) cell: fn(&Order) -> String,
}

impl Experiment {
    /// Whether it is short, needs neither a cluster nor a word of its reader, and leaves
    /// room for the traces of others.
    pub(crate) fn runs_with_all(&self) -> bool {
        !self.is_large() && !self.needs_cluster() && !self.asks_its_reader()
    }

    /// Whether it makes so many traces that those of others are soon forgotten.
    pub(crate) fn is_large(&self) -> bool {
        self.any(|act| match act {
            Act::Calls { .. } => true,
            Act::Series(plan, _) => plan.layout == Layout::Groups,
            _ => false,
        })
    }

    fn asks_its_reader(&self) -> bool {
        self.any(|act| matches!(act, Act::HeldOrder(..)))
    }

    fn any(&self, is: fn(&Act) -> bool) -> bool {
        self.trials.iter().any(|trial| is(&trial.act))
    }

    /// Whether somebody must be able to replace pods meanwhile.
    pub(crate) fn needs_cluster(&self) -> bool {
        self.any(|act| matches!(act, Act::PodReplacement(..)))
    }
}

/// One thing that an experiment does, and what it must show.
pub(crate) struct Trial {
    /// What is about to happen, for somebody who has never seen it.
    pub(crate) caption: &'static str,
    pub(crate) act: Act,
}

pub(crate) enum Act {
    Order(OrderPlan, fn(&Order) -> Verdict),
    /// An order whose answer is held until somebody decides what becomes of it.
    HeldOrder(OrderPlan, fn(&Order) -> Verdict),
    /// The order that the run brings.
    FreeOrder(fn(&Order) -> Verdict),
    Pings {
        count: u32,
        judge: fn(&PingBatch) -> Verdict,
    },
    /// Pings without delays, round after round.
    Rounds {
        rounds: usize,
        count: u32,
        judge: fn(&PingRounds) -> Verdict,
    },
    /// Reservations as local calls, and through both services.
    Calls {
        calls: usize,
        judge: fn(&LocalAndRemote) -> Verdict,
    },
    /// Many orders, told as one table.
    Series(SeriesPlan, fn(&Series) -> Verdict),
    /// Somebody else replaces pods meanwhile.
    PodReplacement(PodReplacementPlan, fn(&PodReplacement) -> Verdict),
}

/// What was seen instead, and what may be the reason.
fn seen(order: &Order) -> String {
    let response = &order.response;
    if order.ledger.taken_by_others() > 0 && order.ledger.stock_after == 0 {
        return "the stock ran out, because others took from it meanwhile. Run this again"
            .to_owned();
    }
    let results: Vec<_> = results(order).into_iter().map(AttemptResult::as_str).collect();
    let seen = format!(
        "the order was {} after {}, its attempts ended {}, and the inventory made {}",
        response.report.outcome.as_str(),
        seconds(response.after),
        results.join(", "),
        reservations(order.ledger.reservations),
    );
    if results.contains(&AttemptResult::Timeout.as_str()) || !order.chaos().contains("slow") {
        seen
    } else if response.report.outcome == Outcome::Confirmed {
        format!("{seen}; nothing timed out: is --attempt-timeout of the order service 2 s or more?")
    } else {
        format!("{seen}; nothing timed out")
    }
}

fn results(order: &Order) -> Vec<AttemptResult> {
    order.response.report.attempts.iter().map(|attempt| attempt.result).collect()
}

pub(crate) fn reservations(count: u64) -> String {
    if count == 1 { "1 reservation".to_owned() } else { format!("{count} reservations") }
}

fn customers(count: u64) -> String {
    if count == 1 { "1 customer".to_owned() } else { format!("{count} customers") }
}

/// How many customers' spans are missing, as a sentence if there are any.
fn missing_customers(pod_replacement: &PodReplacement) -> Vec<String> {
    let lost = pod_replacement.customers.iter().filter(|customer| customer.lacks_spans()).count();
    let all = customers(pod_replacement.customers.len() as u64);
    let of = |lost| format!("spans of {lost} of {all} are missing");
    (lost > 0).then(|| of(lost)).into_iter().collect()
}

/// What was seen of a pod replacement instead of the lesson.
fn seen_of_pod_replacement(pod_replacement: &PodReplacement) -> String {
    let service = pod_replacement.plan.service.name();
    if pod_replacement.replaced {
        let silent =
            pod_replacement.customers.iter().filter(|one| !one.result.is_certain()).count();
        format!(
            "The expected effect did not happen: every {service} pod was replaced. Of {}, {} were \
             told yes, {silent} do not know the outcome of their order, and the inventory made {}.",
            customers(pod_replacement.customers.len() as u64),
            pod_replacement.told_yes(),
            reservations(pod_replacement.remembered),
        )
    } else {
        format!(
            "The expected effect did not happen: old {service} pods still served, or no pod served \
             any more. Was the command run in the right cluster?"
        )
    }
}

/// The time within which so many of 100 ended; the times are in rising order.
fn percentile(times: &[Duration], percent: usize) -> Duration {
    let index = times.len().saturating_mul(percent).div_ceil(100).saturating_sub(1);
    times.get(index).copied().unwrap_or_default()
}

/// When the last commit came, counted from the order; for sentences. Without
/// complete spans nobody knows which was the last.
fn moment_of_last_commit(order: &Order) -> String {
    let last = order.complete_story().and_then(OrderTrace::last_commit);
    last.map_or_else(|| "later".to_owned(), |at| format!("at {}", seconds(at)))
}

#[cfg(test)]
mod tests {
    use campuscafe_telemetry::attribute::EXPERIMENTS;

    use super::*;

    #[test]
    fn the_services_know_the_name_of_every_experiment() {
        for name in names() {
            assert!(EXPERIMENTS.contains(&name), "{name}: its traces could not be found by it");
        }
    }
}
