//! What came of an experiment.

use std::sync::Arc;

use campuscafe_evidence::counters::{self, Counters};
use campuscafe_evidence::message_order::{PingBatch, PingRounds};
use campuscafe_evidence::order::Order;
use campuscafe_evidence::pod_replacement::PodReplacement;

use serde::Serialize;
use utoipa::ToSchema;

use super::{
    Conclusion, Experiment, LocalAndRemote, Played, SameView, Series, Storm, Trial, Verdict,
};
use crate::messages::Message;

/// What a trial left behind.
pub(crate) enum Evidence {
    Order(Box<Order>),
    Pings(Box<PingBatch>),
    Rounds(Box<PingRounds>),
    Calls(Box<LocalAndRemote>),
    Series(Box<Series>),
    Script(Box<Played>),
    Storm(Box<Storm>),
    PodReplacement(Box<PodReplacement>),
}

/// A trial that was carried out and judged.
pub(crate) struct Finding {
    /// The message that says what was done.
    pub(crate) caption: &'static str,
    pub(crate) evidence: Evidence,
    pub(crate) verdict: Verdict,
    /// Whether there was a place to read spans from.
    pub(crate) had_span_source: bool,
    /// Where the lab hands its trace out, if the spans were read from a lab.
    pub(crate) in_lab: Option<String>,
    /// Where its trace can be looked at.
    pub(crate) in_jaeger: Option<Link>,
    /// Where the counters can be looked at, at its time.
    pub(crate) in_grafana: Option<Link>,
}

/// Where to look, or why one cannot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Link {
    To(String),
    Nowhere(Message),
}

impl Link {
    /// The link itself, for machines.
    pub(crate) fn url(&self) -> Option<&str> {
        match self {
            Self::To(url) => Some(url),
            Self::Nowhere(_) => None,
        }
    }
}

/// A line of a ledger.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct Tally {
    /// Reservations that customers know of.
    pub(crate) told: u64,
    /// Reservations that the inventory made.
    pub(crate) reserved: u64,
    /// Reservations that no customer knows of; negative if a customer was told of one that
    /// is not there.
    pub(crate) gap: i64,
}

impl Finding {
    /// Its line in the ledger, if it has one.
    pub(crate) fn tally(&self) -> Option<Tally> {
        match &self.evidence {
            Evidence::Order(order) => {
                let ledger = &order.ledger;
                Some(Tally { told: ledger.known, reserved: ledger.reservations, gap: ledger.gap })
            }
            Evidence::Script(played) => {
                let (told, reserved) = (played.known, played.reservations());
                Some(Tally { told, reserved, gap: played.gap() })
            }
            _ => None,
        }
    }

    /// What its own spans make of the counters, whatever others do meanwhile.
    pub(crate) fn span_counters(&self) -> Counters {
        match &self.evidence {
            Evidence::Order(order) => {
                order.order_trace.as_ref().map(counters::of_order).unwrap_or_default()
            }
            Evidence::Pings(batch) => {
                batch.pings.as_ref().map(counters::of_pings).unwrap_or_default()
            }
            Evidence::Series(series) => {
                counters::sum(series.results.iter().map(|one| one.counters.clone()))
            }
            Evidence::Rounds(rounds) => rounds.counters.clone(),
            Evidence::Script(played) => {
                played.calls.as_ref().map(counters::of_calls).unwrap_or_default()
            }
            // Of these the answers are kept, and no spans are read.
            Evidence::Calls(_) | Evidence::Storm(_) | Evidence::PodReplacement(_) => {
                Counters::new()
            }
        }
    }

    pub(crate) fn trace_id(&self) -> Option<&str> {
        match &self.evidence {
            Evidence::Order(order) => order.response.report.trace_id.as_deref(),
            Evidence::Pings(batch) => batch.report.trace_id.as_deref(),
            Evidence::Rounds(rounds) => rounds.trace_id.as_deref(),
            Evidence::Calls(calls) => calls.trace_id.as_deref(),
            Evidence::Series(series) => {
                let mut late = series.results.iter().filter(|one| one.timed_out());
                late.next().or(series.results.first())?.response.report.trace_id.as_deref()
            }
            Evidence::Script(played) => played.traces.first().map(String::as_str),
            Evidence::Storm(_) => None,
            Evidence::PodReplacement(pod_replacement) => {
                pod_replacement.last_of_old_pods()?.trace_id.as_deref()
            }
        }
    }
}

/// An experiment that was carried out.
pub(crate) struct Findings {
    pub(crate) experiment: &'static Experiment,
    /// What the spans of its run have in common: 32 hexadecimal digits.
    pub(crate) run: String,
    /// Shared with whoever was told of them.
    pub(crate) all: Vec<Arc<Finding>>,
    /// Trials that were left out, because they need a database and there is none for them.
    pub(crate) skipped: Vec<&'static Trial>,
}

impl Findings {
    /// What all of them together come to: the worst of them.
    pub(crate) fn conclusion(&self) -> Conclusion {
        let all = self.all.iter().map(|finding| finding.verdict.conclusion);
        let same_view = self.same_view().map(|view| view.conclusion());
        all.chain(same_view).max().unwrap_or(Conclusion::Shown)
    }

    /// Those of its orders that must look the same to the order service, if it has any.
    pub(crate) fn same_view(&self) -> Option<SameView> {
        SameView::of(self.experiment, &self.all)
    }

    /// Whether spans of any of them were missing.
    pub(crate) fn is_incomplete(&self) -> bool {
        self.all.iter().any(|finding| !finding.verdict.incomplete.is_empty())
    }
}
