//! What a load does: many orders at a given rate.

mod mix;

use std::time::Duration;

use campuscafe_evidence::load::LoadLedger;
use campuscafe_evidence::load::tally::Tally;

pub(crate) use mix::Mix;

/// Which orders arrive, and how.
#[derive(Debug, Clone)]
pub(crate) struct LoadPlan {
    /// Orders a second.
    pub(crate) rate: f64,
    /// How long; until somebody ends it if there is none.
    pub(crate) duration: Option<Duration>,
    /// Which faults, and how often.
    pub(crate) mix: Mix,
    /// Whether to try again after a timeout.
    pub(crate) retry: bool,
    /// Whether the attempts of an order carry a key, so that an order without an answer
    /// is settled.
    pub(crate) idempotent: bool,
    /// Orders that may be under way at one time.
    pub(crate) max_in_flight: u32,
    /// Makes the choice of faults repeatable.
    pub(crate) seed: u64,
}

/// What happens while a load goes on.
#[derive(Debug, Clone, Copy)]
pub(crate) enum LoadEvent<'a> {
    /// It goes on.
    Progress(Progress<'a>),
    /// No order arrives any more; those under way are waited for.
    Waiting { under_way: u64, limit: Duration },
    /// All orders are answered; those that are unknown are settled, and waited for.
    Settling { unknown: u64, limit: Duration },
    /// Nothing is waited for any more.
    Over,
}

/// How a load goes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Progress<'a> {
    /// Since the first order was due.
    pub(crate) elapsed: Duration,
    /// Orders that ended in a second, of late.
    pub(crate) rate: f64,
    pub(crate) under_way: u64,
    pub(crate) tally: &'a Tally,
    /// None if the services do not answer.
    pub(crate) gap: Option<LoadLedger>,
}
