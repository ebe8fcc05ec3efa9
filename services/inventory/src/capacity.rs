//! A queue in front of the work: requests are worked in order of arrival, at a fixed rate.
//!
//! Nobody is taken out of the queue. A request whose caller has left is worked all the same,
//! since a queue does not know who still waits. That is the waste by which an inventory can
//! be busy and useless at the same time.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use campuscafe_telemetry::SPAN_TARGET;
use tokio::time::{Instant, sleep_until};
use tracing::{Instrument as _, info_span};

use crate::metrics::InventoryMetrics;

/// So many requests a second, one after the other.
#[derive(Debug)]
pub(crate) struct Capacity {
    /// How long one request takes.
    each: Duration,
    /// When the last one of the queue is done. The lock is held for a few instructions.
    busy_until: Mutex<Option<Instant>>,
}

/// The place of a request in the queue: when its own work is done.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Turn(Instant);

impl Capacity {
    /// `a_second` is at least 1.
    pub(crate) fn new(a_second: u32) -> Self {
        Self { each: Duration::from_secs(1) / a_second.max(1), busy_until: Mutex::new(None) }
    }

    /// The turn of a request that arrives now: after all that arrived before.
    pub(crate) fn next_turn(&self, now: Instant) -> Turn {
        let mut busy_until = self.busy_until.lock().unwrap_or_else(PoisonError::into_inner);
        let begins = busy_until.map_or(now, |until| until.max(now));
        let done = begins + self.each;
        *busy_until = Some(done);
        Turn(done)
    }
}

impl Turn {
    /// Waits in the queue, and then as long as the work takes.
    pub(crate) async fn wait(self, metrics: &InventoryMetrics) {
        metrics.queued(1);
        let span = info_span!(target: SPAN_TARGET, "queue");
        sleep_until(self.0).instrument(span).await;
        metrics.queued(-1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_are_done_in_order_of_arrival_at_the_rate() {
        let (capacity, begun) = (Capacity::new(20), Instant::now());
        let mut arrive = |ms| {
            let Turn(done) = capacity.next_turn(begun + Duration::from_millis(ms));
            (done - begun).as_millis()
        };
        // The first four come at once; then there is a pause in which the queue runs empty.
        let done = [0, 0, 0, 10, 400, 420, 500].map(&mut arrive);
        assert_eq!(done, [50, 100, 150, 200, 450, 500, 550]);
    }

    #[test]
    fn a_second_of_requests_takes_a_second_at_every_rate() {
        let now = Instant::now();
        for rate in [1, 3, 40, 1_000] {
            let capacity = Capacity::new(rate);
            let last = (0..rate).map(|_| capacity.next_turn(now)).last();
            let took = last.map(|Turn(done)| done - now).unwrap_or_default();
            assert_eq!(took.as_millis().div_ceil(10), 100, "{rate}: {took:?}");
        }
    }
}
