//! The experiments: what each does, and what its evidence must show.
//!
//! An experiment is a file beside this one and a line in `ALL`. There are data
//! and pure judges here; `run` carries them out, and `view` says what they showed.

mod compare;
mod crash;
mod cut;
mod double;
mod doubleclick;
mod doubt;
mod event;
mod finding;
mod free;
mod idempotent;
mod jitter;
mod kill;
pub(crate) mod load;
mod local;
mod nature;
mod notify;
mod oversell;
mod overtake;
mod policy;
mod recover;
mod reorder;
mod rollout;
mod same_view;
mod script;
mod series;
mod settle;
mod slow;
mod stale;
mod storm;
mod verdict;
mod words;

use std::time::Duration;

use campuscafe_api::order::{AttemptResult, Lane};
use campuscafe_evidence::message_order::{PingBatch, PingRounds};
use campuscafe_evidence::order::{Order, OrderPlan};
use campuscafe_evidence::pod_replacement::{PodReplacement, PodReplacementPlan};

use crate::messages::{Message, Value};
pub(crate) use campuscafe_service::seconds;
pub(crate) use compare::{comparison, comparisons};
pub(crate) use crash::Store;
pub(crate) use doubt::{ATTEMPT_TIMEOUT, Decision};
pub(crate) use event::{Event, HeldAnswer};
pub(crate) use finding::{Evidence, Finding, Findings, Link, Tally};
pub(crate) use free::EXPERIMENT as FREE;
pub(crate) use local::{Calls, LocalAndRemote};
pub(crate) use oversell::{CUSTOMERS, THERE_ARE};
#[cfg(test)]
pub(crate) use same_view::testing;
pub(crate) use same_view::{SameView, compared};
#[cfg(test)]
pub(crate) use script::testing as script_testing;
pub(crate) use script::{Asked, Played, Script};
#[cfg(test)]
pub(crate) use series::testing as series_testing;
pub(crate) use series::{Layout, Series, SeriesOrder, SeriesPlan, SeriesResult};
#[cfg(test)]
pub(crate) use storm::testing as storm_testing;
pub(crate) use storm::{Storm, StormLane, StormPhase, StormPlan, tenths};
pub(crate) use verdict::{Conclusion, Verdict};
pub(crate) use words::flaws;
pub(crate) use words::{outcome, reservations};

/// Every experiment, in the order in which a course meets them.
pub(crate) const ALL: [&Experiment; 21] = [
    &local::EXPERIMENT,
    &slow::EXPERIMENT,
    &jitter::EXPERIMENT,
    &cut::EXPERIMENT,
    &doubt::EXPERIMENT,
    &recover::EXPERIMENT,
    &reorder::EXPERIMENT,
    &nature::EXPERIMENT,
    &double::EXPERIMENT,
    &idempotent::EXPERIMENT,
    &policy::EXPERIMENT,
    &doubleclick::EXPERIMENT,
    &settle::EXPERIMENT,
    &overtake::EXPERIMENT,
    &notify::EXPERIMENT,
    &stale::EXPERIMENT,
    &oversell::EXPERIMENT,
    &storm::EXPERIMENT,
    &crash::EXPERIMENT,
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
    /// What it does, one after the other.
    pub(crate) trials: &'static [Trial],
    /// What its orders show only side by side.
    pub(crate) side_by_side: &'static [Row],
    /// The faults whose orders the order service cannot tell apart.
    pub(crate) same_view: &'static [&'static str],
}

/// A row of a table that has a column for each order.
pub(crate) struct Row {
    /// The message that names it.
    pub(crate) name: &'static str,
    pub(crate) cell: fn(&Order) -> Value,
}

impl Experiment {
    /// What it is about, in a line.
    pub(crate) fn title(&self) -> Message {
        Message::new(format!("title-{}", self.name))
    }

    /// Whether it is short, needs neither a cluster nor a word of its reader nor services of
    /// its own, and leaves room for the traces of others.
    pub(crate) fn runs_with_all(&self) -> bool {
        !self.is_large()
            && !self.needs_cluster()
            && !self.asks_its_reader()
            && !self.starts_services()
    }

    /// Whether it makes so many traces that those of others are soon forgotten.
    pub(crate) fn is_large(&self) -> bool {
        self.any(|act| match act {
            Act::Calls { .. } => true,
            Act::Series(plan, _) => plan.layout == Layout::Groups,
            _ => false,
        })
    }

    /// Its storm, if it is one: that needs services of its own with settings of its own.
    pub(crate) fn storm(&self) -> Option<&StormPlan> {
        self.trials.iter().find_map(|trial| match &trial.act {
            Act::Storm(plan, _) => Some(plan),
            _ => None,
        })
    }

    /// Whether it runs at services that are started for it alone.
    pub(crate) fn starts_services(&self) -> bool {
        self.storm().is_some() || self.any(|act| matches!(act, Act::Crash(..)))
    }

    /// Whether a running lab can carry it out by itself, without somebody at a cluster.
    pub(crate) fn runs_in_lab(&self) -> bool {
        !self.needs_cluster()
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
    /// The message that says what is about to happen, to somebody who has never seen it.
    pub(crate) caption: &'static str,
    pub(crate) act: Act,
}

impl Trial {
    /// Whether it needs a database for services of its own.
    pub(crate) const fn needs_database(&self) -> bool {
        matches!(self.act, Act::Crash(_, Store::Database, _))
    }
}

pub(crate) enum Act {
    Order(OrderPlan, fn(&Order) -> Verdict),
    /// An order whose answer is held until somebody decides what becomes of it.
    HeldOrder(OrderPlan, fn(&Order) -> Verdict),
    /// An order whose inventory, which has this store, is killed between the commit and the
    /// answer.
    Crash(OrderPlan, Store, fn(&Order) -> Verdict),
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
    /// Calls of a customer, or of the order service, that the lab makes itself.
    Script(Script, Lane, fn(&Played) -> Verdict),
    /// The same customers in both lanes, for a while too many.
    Storm(StormPlan, fn(&Storm) -> Verdict),
    /// Somebody else replaces pods meanwhile.
    PodReplacement(PodReplacementPlan, fn(&PodReplacement) -> Verdict),
}

fn results(order: &Order) -> Vec<AttemptResult> {
    order.response.report.attempts.iter().map(|attempt| attempt.result).collect()
}

/// The time within which so many of 100 ended; the times are in rising order.
fn percentile(times: &[Duration], percent: usize) -> Duration {
    let index = times.len().saturating_mul(percent).div_ceil(100).saturating_sub(1);
    times.get(index).copied().unwrap_or_default()
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
