//! What happens while experiments run, told as text, as JSON or as a
//! page.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use campuscafe_api::inventory::Hold;
use campuscafe_api::order::{PlaceOrder, Reordering};
use campuscafe_evidence::order::{CustomerResponse, Delivered};
use campuscafe_evidence::order_trace::Crash;
use campuscafe_evidence::pod_replacement::{Customer, PodReplacementPlan};

use super::{Decision, Experiment, Finding, Findings, Storm, Trial};

/// An answer that is held until somebody decides what becomes of it.
pub(crate) struct HeldAnswer {
    pub(crate) hold: Hold,
    /// When the order service gives up, counted from the order.
    pub(crate) limit: Duration,
    /// What becomes of it if nobody can be asked.
    pub(crate) decided: Option<Decision>,
}

/// One thing that happened.
#[derive(Clone, Copy)]
pub(crate) enum Event<'a> {
    ExperimentBegan(&'static Experiment),
    TrialBegan {
        trial: &'static Trial,
        seed: u64,
    },
    /// It was left out, because it needs a database and there is none for it.
    TrialSkipped(&'static Trial),
    /// The stock was too low, so pieces were delivered before the order.
    Delivered {
        item: &'a str,
        delivered: Delivered,
    },
    /// A lesson needs an exact stock, so the surplus was ordered before it begins.
    SurplusOrdered {
        item: &'a str,
        pieces: u64,
    },
    OrderSent(&'a PlaceOrder),
    /// The reservation of the order is made, and its answer is held.
    AnswerHeld(&'a HeldAnswer),
    /// The order service gave up before anybody had decided.
    Undecided,
    /// The process of the inventory is killed.
    InventoryKilled(Crash),
    /// Another process takes requests in its place.
    InventoryRestarted(Crash),
    OrderAnswered(&'a CustomerResponse),
    SeriesSent {
        orders: usize,
    },
    PingsSent {
        count: u32,
    },
    PingsAnswered(&'a Reordering),
    /// One customer of many has an answer, or knows that there is none.
    CustomerAnswered(&'a Customer),
    /// Another second of a storm is over. The counts of the services are read at its end only.
    StormGrew(&'a Storm),
    /// A person must now replace the pods, which are these.
    CommandNeeded {
        plan: PodReplacementPlan,
        pods: &'a BTreeSet<String>,
    },
    /// The spans have come, or are not waited for any longer.
    SpansArrived {
        complete: bool,
    },
    /// The services are at rest, and all of their counts are read.
    Settled,
    Judged(&'a Arc<Finding>),
    ExperimentEnded(&'a Findings),
    AllEnded(&'a [Findings]),
}
