//! What the handlers share.

use std::sync::Arc;

use campuscafe_telemetry::Metrics;

use super::budget::Budget;
use super::metrics::Counts;
use super::store::TraceStore;
use super::worker::Worker;

/// A store, and the bounds and counters of what is done with it.
#[derive(Debug)]
pub(super) struct Receiver {
    pub(super) store: Arc<TraceStore>,
    pub(super) budget: Budget,
    pub(super) worker: Worker,
    pub(super) counts: Counts,
}

impl Receiver {
    pub(super) fn new(store: Arc<TraceStore>, metrics: &Metrics) -> Self {
        let (budget, worker) = (Budget::default(), Worker::start());
        Self { store, budget, worker, counts: Counts::new(metrics) }
    }
}
