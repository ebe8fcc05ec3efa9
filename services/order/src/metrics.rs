//! What the order service counts.

use campuscafe_api::order::{AttemptResult, Outcome};
use campuscafe_service::WorkMetrics;
use campuscafe_telemetry::{Counter, Metric, Metrics, http_client, http_server};

use crate::attempts::{PING, RESERVE};

const OUTCOMES: Metric = Metric {
    name: "order_outcomes_total",
    help: "Orders by outcome, as the customer was told; unknown is not failed.",
};
const ATTEMPTS: Metric =
    Metric { name: "order_attempts_total", help: "Attempts to reserve, by result." };
const RETRIES: Metric =
    Metric { name: "order_retries_total", help: "Second attempts after a timeout." };
const REORDERED: Metric = Metric {
    name: "order_reordered_replies_total",
    help: "Replies that arrived before the reply to an earlier request.",
};

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
    attempts: [Counter; AttemptResult::ALL.len()],
    retries: Counter,
    reordered: Counter,
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
        Self {
            outcomes: Outcome::ALL.map(|o| metrics.counter(OUTCOMES, &[("outcome", o.as_str())])),
            attempts: AttemptResult::ALL
                .map(|r| metrics.counter(ATTEMPTS, &[("result", r.as_str())])),
            retries: metrics.counter(RETRIES, &[]),
            reordered: metrics.counter(REORDERED, &[]),
        }
    }

    pub(crate) fn ended(&self, outcome: Outcome) {
        increment(&self.outcomes, &Outcome::ALL, outcome);
    }

    pub(crate) fn attempted(&self, result: AttemptResult) {
        increment(&self.attempts, &AttemptResult::ALL, result);
    }

    pub(crate) fn retried(&self) {
        self.retries.increment(1);
    }

    pub(crate) fn reordered(&self, replies: u64) {
        self.reordered.increment(replies);
    }
}

fn increment<T: PartialEq>(counters: &[Counter], all: &[T], which: T) {
    for (counter, value) in counters.iter().zip(all) {
        if *value == which {
            counter.increment(1);
        }
    }
}
