//! What the order service counts.

use std::sync::{Mutex, PoisonError};

use campuscafe_api::order::{AttemptResult, Outcome};
use campuscafe_chaos::Step;
use campuscafe_service::WorkMetrics;
use campuscafe_telemetry::{Counter, Gauge, Metric, Metrics, http_client, http_server};

use crate::attempts::{PING, RESERVE};
use crate::reorder::MAX_PINGS;

const OUTCOMES: Metric = Metric {
    name: "order_outcomes_total",
    help: "Orders by outcome, as the customer was told; unknown is not failed.",
};
const ATTEMPTS: Metric = Metric {
    name: "order_attempts_total",
    help: "Attempts to reserve, by result and by the fault that was asked for.",
};
const RETRIES: Metric =
    Metric { name: "order_retries_total", help: "Second attempts after a timeout." };
const REORDERED: Metric = Metric {
    name: "order_reordered_replies_total",
    help: "Replies that arrived before the reply to an earlier request.",
};
const LAST_REORDERING: Metric = Metric {
    name: "order_last_reordering_position",
    help: "Where the reply to each ping of the last reordering arrived, by where the ping was \
           sent; both count from 0, and -1 means that there was no such ping.",
};

/// What the gauge of a ping shows that was not sent.
const NOT_SENT: f64 = -1.0;

pub(crate) const WORK: WorkMetrics = WorkMetrics {
    in_progress: Metric {
        name: "order_work_in_progress",
        help: "Orders and pings under way, including those whose customer has left.",
    },
    shed: Metric {
        name: "order_shed_requests_total",
        help: "Requests answered 503 because too many orders or pings were under way, or \
               (early) because the client did not wait after such an answer.",
    },
};

/// The counters, all of them at 0 from the start.
pub(crate) struct OrderMetrics {
    outcomes: [Counter; Outcome::ALL.len()],
    attempts: [[Counter; Step::NAMES.len()]; AttemptResult::ALL.len()],
    retries: Counter,
    reordered: Counter,
    /// All of one reordering, even if two end at the same moment.
    last_reordering: Mutex<[Gauge; MAX_PINGS]>,
}

impl std::fmt::Debug for OrderMetrics {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("OrderMetrics").finish_non_exhaustive()
    }
}

impl OrderMetrics {
    pub(crate) fn new(metrics: &Metrics) -> Self {
        let server = http_server::Observe::new(metrics);
        server.preregister("POST", "/orders", &[200, 400, 408, 409, 413, 415, 502, 503, 504]);
        server.preregister("GET", "/demo/out-of-order", &[200, 400, 502, 503]);
        let client = http_client::Observe::new(metrics);
        client.preregister("POST", RESERVE.0, &[200, 400, 408, 409, 413, 415, 503]);
        client.preregister("GET", PING.0, &[200, 400, 503]);
        let attempts = |result: AttemptResult| {
            Step::NAMES.map(|fault| {
                metrics.counter(ATTEMPTS, &[("result", result.as_str()), ("fault", fault)])
            })
        };
        let last_reordering: [Gauge; MAX_PINGS] = std::array::from_fn(|sent| {
            metrics.gauge(LAST_REORDERING, &[("sent", &sent.to_string())])
        });
        last_reordering.iter().for_each(|position| position.set(NOT_SENT));
        Self {
            outcomes: Outcome::ALL.map(|o| metrics.counter(OUTCOMES, &[("outcome", o.as_str())])),
            attempts: AttemptResult::ALL.map(attempts),
            retries: metrics.counter(RETRIES, &[]),
            reordered: metrics.counter(REORDERED, &[]),
            last_reordering: Mutex::new(last_reordering),
        }
    }

    pub(crate) fn ended(&self, outcome: Outcome) {
        if let Some(counter) = of(&self.outcomes, &Outcome::ALL, &outcome) {
            counter.increment(1);
        }
    }

    /// Counts an attempt under the step of the plan that it took, not under what
    /// the step came to: that is the inventory's to know.
    pub(crate) fn attempted(&self, result: AttemptResult, step: Step) {
        let faults = of(&self.attempts, &AttemptResult::ALL, &result);
        if let Some(counter) = faults.and_then(|all| of(all, &Step::NAMES, &step.name())) {
            counter.increment(1);
        }
    }

    pub(crate) fn retried(&self) {
        self.retries.increment(1);
    }

    /// Notes how the replies of a reordering arrived, by each one's place in the
    /// order of sending.
    pub(crate) fn reordered(&self, arrived: &[u32], overtakers: u64) {
        self.reordered.increment(overtakers);
        let gauges = self.last_reordering.lock().unwrap_or_else(PoisonError::into_inner);
        for (sent, gauge) in (0..).zip(&*gauges) {
            let position = (0_u32..).zip(arrived).find(|(_, of)| **of == sent);
            gauge.set(position.map_or(NOT_SENT, |(position, _)| f64::from(position)));
        }
    }
}

/// What stands in the place of `which` among all of its kind.
fn of<'a, T, K: PartialEq>(places: &'a [T], all: &[K], which: &K) -> Option<&'a T> {
    all.iter().position(|kind| kind == which).and_then(|place| places.get(place))
}
