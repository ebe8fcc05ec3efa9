//! What a load does: many orders at a given rate.

mod mix;

use std::time::Duration;

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
    /// Orders that may be under way at one time.
    pub(crate) max_in_flight: u32,
    /// Makes the choice of faults repeatable.
    pub(crate) seed: u64,
}
