//! What the handlers share.

use std::sync::Arc;

use campuscafe_telemetry::Metrics;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

use super::budget::{Budget, Busy, WAIT};
use super::metrics::Counts;
use super::store::TraceStore;

/// How many exports are unpacked, checked and stored at one time. One would
/// keep up with any load; two keep a large export from holding up small ones.
const TURNS: usize = 2;

/// A store, and the bounds and counters of what is done with it.
#[derive(Debug)]
pub(super) struct Receiver {
    pub(super) store: Arc<TraceStore>,
    pub(super) budget: Budget,
    pub(super) counts: Counts,
    turns: Arc<Semaphore>,
}

impl Receiver {
    pub(super) fn new(store: Arc<TraceStore>, metrics: &Metrics) -> Self {
        let counts = Counts::new(metrics);
        let turns = Arc::new(Semaphore::new(TURNS));
        Self { store, budget: Budget::default(), counts, turns }
    }

    /// Waits for a turn to work on an export, and keeps it until the permit is
    /// dropped.
    ///
    /// # Errors
    ///
    /// When it did not come within [`WAIT`].
    pub(super) async fn turn(&self) -> Result<OwnedSemaphorePermit, Busy> {
        let turn = timeout(WAIT, self.turns.clone().acquire_owned()).await;
        turn.ok().and_then(Result::ok).ok_or(Busy)
    }
}
