//! What the order service counts.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use campuscafe_api::inventory::NotificationState;
use campuscafe_api::order::{AttemptResult, Lane, Outcome};
use campuscafe_chaos::Step;
use campuscafe_cures::retry::Refusal;
use campuscafe_cures::{OrderState, UnixMillis};
use campuscafe_service::WorkMetrics;
use campuscafe_telemetry::{Counter, Gauge, Histogram, Metric, Metrics, http_client, http_server};

use crate::calls::{
    CANCEL_KEY, CANCEL_OF_REQUEST, CANCEL_RESERVATION, MAX_PINGS, NOTIFY, PING, RESERVE, SETTLE,
};
use crate::store::Store;

const OUTCOMES: Metric = Metric {
    name: "order_outcomes_total",
    help: "Orders by outcome, as the customer was told at first; unknown is not failed.",
};
const ATTEMPTS: Metric = Metric {
    name: "order_attempts_total",
    help: "Attempts to reserve, by result and by the fault that was asked for.",
};
const RETRIES: Metric =
    Metric { name: "order_retries_total", help: "Attempts that followed one that timed out." };
const RETRIES_REFUSED: Metric = Metric {
    name: "order_retries_refused_total",
    help: "Retries of orders with an idempotency key that were not sent, by reason: the retry budget \
           was used up, or the order's deadline came first.",
};
const REORDERED: Metric = Metric {
    name: "order_reordered_replies_total",
    help: "Replies that arrived before the reply to an earlier request.",
};
const LAST_REORDERING: Metric = Metric {
    name: "order_last_reordering_position",
    help: "Where the reply to each ping of the last reordering arrived, by where the ping was \
           sent; both count from 0, and -1 means that there was no such ping.",
};

const UNKNOWN: Metric = Metric {
    name: "order_unknown",
    help: "Orders with an idempotency key whose attempts have no answer, and which are being settled.",
};
const REPLAYS: Metric = Metric {
    name: "order_idempotent_replays_total",
    help: "Orders that a customer placed again with the same Idempotency-Key: nothing was placed.",
};
const CANCELS: Metric = Metric {
    name: "order_cancels_total",
    help: "Cancels, by whether the inventory said yes (unknown if it gave no answer) and by the \
           state of the order before.",
};
const OLDEST_UNKNOWN: Metric = Metric {
    name: "order_oldest_unknown_seconds",
    help: "How long the oldest of these orders has been unknown; 0 if there is none.",
};
const SETTLED: Metric = Metric {
    name: "order_settled_total",
    help: "Orders and cancels that were without an answer and are settled, by how the order \
           stands now; given_up if the inventory has forgotten the key, so that nobody can know.",
};
const SETTLEMENT_DURATION: Metric = Metric {
    name: "order_settlement_duration_seconds",
    help: "Time from when an order, or its cancel, was without an answer until it was settled.",
};

const STORE_ERRORS: Metric = Metric {
    name: "order_store_errors_total",
    help: "Changes of orders, and looks at them, that failed because the store takes no changes.",
};

/// The states in which an order can be cancelled, and what a cancel comes to.
const CANCELLED_FROM: [OrderState; 4] =
    [OrderState::Placing, OrderState::Unknown, OrderState::Confirmed, OrderState::Cancelling];
const CANCEL_RESULTS: [&str; 2] = ["cancelled", "unknown"];

/// The result of a settlement that told nothing.
const GIVEN_UP: &str = "given_up";

const NOTIFICATIONS: Metric = Metric {
    name: "order_notifications_total",
    help: "Messages about orders to the listener, by what they say and how they ended; not_sent \
           means that too many were under way.",
};

/// How a message ended for which there was no room.
const NO_ROOM: &str = "not_sent";

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
               (late) because the request waited too long until it was read, or (early) because \
               the client did not wait after such an answer.",
    },
};

/// The counters, all of them at 0 from the start.
pub(crate) struct OrderMetrics {
    outcomes: [[Counter; Outcome::ALL.len()]; Lane::ALL.len()],
    attempts: [[[Counter; Step::NAMES.len()]; AttemptResult::ALL.len()]; Lane::ALL.len()],
    retries: [Counter; Lane::ALL.len()],
    retries_refused: [(Refusal, Counter); Refusal::ALL.len()],
    settled: [(OrderState, Counter); 3],
    given_up: Counter,
    settlement_duration: Histogram,
    replays: Counter,
    store_errors: Counter,
    cancels: [[[Counter; CANCEL_RESULTS.len()]; CANCELLED_FROM.len()]; Lane::ALL.len()],
    notifications: Vec<(NotificationState, Option<AttemptResult>, Counter)>,
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
        server.preregister("GET", "/orders", &[200, 400, 503]);
        server.preregister("GET", "/orders/{orderId}", &[200, 400, 404, 503]);
        let cancelled = [200, 202, 400, 404, 409, 503, 504];
        server.preregister("DELETE", "/orders/{orderId}", &cancelled);
        server.preregister(
            "POST",
            "/orders",
            &[200, 202, 400, 408, 409, 410, 413, 415, 422, 501, 502, 503, 504],
        );
        server.preregister("GET", "/demo/out-of-order", &[200, 400, 502, 503]);
        let client = http_client::Observe::new(metrics);
        for (lane, statuses) in [
            (Lane::Naive, &[200, 400, 408, 409, 413, 415, 503][..]),
            (Lane::Cured, &[200, 400, 408, 409, 410, 413, 415, 422, 503]),
        ] {
            client.preregister("POST", RESERVE.0, lane.as_str(), statuses);
        }
        client.preregister("POST", NOTIFY.0, "", &[200, 400, 408, 413, 415, 503]);
        client.preregister("POST", SETTLE.0, "", &[200, 400, 404, 410, 503]);
        client.preregister("DELETE", CANCEL_KEY.0, "", &[200, 400, 404, 410, 503]);
        for cancel in [CANCEL_RESERVATION, CANCEL_OF_REQUEST] {
            client.preregister("DELETE", cancel.0, "", &[200, 400, 404, 503]);
        }
        client.preregister("GET", PING.0, "", &[200, 400, 503]);
        let outcomes = |lane: Lane| {
            Outcome::ALL.map(|outcome| {
                let labels = [("outcome", outcome.as_str()), ("lane", lane.as_str())];
                metrics.counter(OUTCOMES, &labels)
            })
        };
        let attempts = |lane: Lane| {
            AttemptResult::ALL.map(|result| {
                Step::NAMES.map(|fault| {
                    let of = [("result", result.as_str()), ("fault", fault)];
                    metrics.counter(ATTEMPTS, &[of[0], of[1], ("lane", lane.as_str())])
                })
            })
        };
        let cancels = |lane: Lane| {
            CANCELLED_FROM.map(|state| {
                CANCEL_RESULTS.map(|result| {
                    let of = [("result", result), ("state", state.as_str())];
                    metrics.counter(CANCELS, &[of[0], of[1], ("lane", lane.as_str())])
                })
            })
        };
        let settled = |result| metrics.counter(SETTLED, &[("result", result)]);
        let notification = |state: NotificationState| {
            let ends = AttemptResult::ALL.into_iter().map(Some).chain([None]);
            ends.map(move |end| {
                let result = end.map_or(NO_ROOM, AttemptResult::as_str);
                let labels = [("state", state.as_str()), ("result", result)];
                (state, end, metrics.counter(NOTIFICATIONS, &labels))
            })
        };
        let last_reordering: [Gauge; MAX_PINGS] = std::array::from_fn(|sent| {
            metrics.gauge(LAST_REORDERING, &[("sent", &sent.to_string())])
        });
        last_reordering.iter().for_each(|position| position.set(NOT_SENT));
        Self {
            outcomes: Lane::ALL.map(outcomes),
            attempts: Lane::ALL.map(attempts),
            retries: Lane::ALL.map(|lane| metrics.counter(RETRIES, &[("lane", lane.as_str())])),
            // Nothing refuses a retry of the naive lane, so it has no series.
            retries_refused: Refusal::ALL.map(|reason| {
                let labels = [("reason", reason.as_str()), ("lane", Lane::Cured.as_str())];
                (reason, metrics.counter(RETRIES_REFUSED, &labels))
            }),
            settled: [OrderState::Confirmed, OrderState::Failed, OrderState::Cancelled]
                .map(|state| (state, settled(state.as_str()))),
            given_up: settled(GIVEN_UP),
            settlement_duration: metrics.histogram_family(SETTLEMENT_DURATION).with_labels(&[]),
            replays: metrics.counter(REPLAYS, &[]),
            store_errors: metrics.counter(STORE_ERRORS, &[]),
            cancels: Lane::ALL.map(cancels),
            notifications: NotificationState::ALL.into_iter().flat_map(notification).collect(),
            reordered: metrics.counter(REORDERED, &[]),
            last_reordering: Mutex::new(last_reordering),
        }
    }

    pub(crate) fn ended(&self, outcome: Outcome, lane: Lane) {
        let outcomes = of(&self.outcomes, &Lane::ALL, &lane);
        if let Some(counter) = outcomes.and_then(|all| of(all, &Outcome::ALL, &outcome)) {
            counter.increment(1);
        }
    }

    /// Counts an attempt under the step of the plan that it took, not under what
    /// the step came to: that is the inventory's to know.
    pub(crate) fn attempted(&self, result: AttemptResult, step: Step, lane: Lane) {
        let results = of(&self.attempts, &Lane::ALL, &lane);
        let faults = results.and_then(|all| of(all, &AttemptResult::ALL, &result));
        if let Some(counter) = faults.and_then(|all| of(all, &Step::NAMES, &step.name())) {
            counter.increment(1);
        }
    }

    pub(crate) fn retried(&self, lane: Lane) {
        if let Some(counter) = of(&self.retries, &Lane::ALL, &lane) {
            counter.increment(1);
        }
    }

    pub(crate) fn retry_refused(&self, reason: Refusal) {
        for (_, counter) in self.retries_refused.iter().filter(|(of, _)| *of == reason) {
            counter.increment(1);
        }
    }

    pub(crate) fn replayed(&self) {
        self.replays.increment(1);
    }

    /// An operation failed because the store takes no changes.
    pub(crate) fn store_failed(&self) {
        self.store_errors.increment(1);
    }

    /// A cancel of an order in this state ended, and the inventory has said yes or nothing.
    pub(crate) fn cancelled(&self, confirmed: bool, before: OrderState, lane: Lane) {
        let states = of(&self.cancels, &Lane::ALL, &lane);
        let results = states.and_then(|all| of(all, &CANCELLED_FROM, &before));
        let result = CANCEL_RESULTS[usize::from(!confirmed)];
        if let Some(counter) = results.and_then(|all| of(all, &CANCEL_RESULTS, &result)) {
            counter.increment(1);
        }
    }

    /// An order or a cancel was settled, so long after it was left without an answer.
    pub(crate) fn settled(&self, state: OrderState, after: Duration) {
        for (_, counter) in self.settled.iter().filter(|(of, _)| *of == state) {
            counter.increment(1);
        }
        self.settlement_duration.record(after);
    }

    /// Nobody can settle an order any more.
    pub(crate) fn gave_up(&self) {
        self.given_up.increment(1);
    }

    /// A message ended so, or there was no room to send it.
    pub(crate) fn notified(&self, state: NotificationState, end: Option<AttemptResult>) {
        let same = |(of, ends, _): &&(_, _, Counter)| (*of, *ends) == (state, end);
        if let Some((_, _, counter)) = self.notifications.iter().find(same) {
            counter.increment(1);
        }
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

/// Shows which orders are unknown as of each scrape: the age of the oldest grows although
/// nothing happens.
pub(crate) fn show_unknown(metrics: &Metrics, orders: Arc<Store>, now: fn() -> UnixMillis) {
    let (count, oldest) = (metrics.gauge(UNKNOWN, &[]), metrics.gauge(OLDEST_UNKNOWN, &[]));
    metrics.before_render(move || {
        let (unknown, since) = orders.unknown();
        count.set(f64::from(u32::try_from(unknown).unwrap_or(u32::MAX)));
        let age = since.map_or(0, |since| now().saturating_sub(since));
        oldest.set(Duration::from_millis(age).as_secs_f64());
    });
}

/// What stands in the place of `which` among all of its kind.
fn of<'a, T, K: PartialEq>(places: &'a [T], all: &[K], which: &K) -> Option<&'a T> {
    all.iter().position(|kind| kind == which).and_then(|place| places.get(place))
}

#[cfg(test)]
mod tests {
    use campuscafe_api::inventory::Reserve;
    use campuscafe_chaos::Fault;
    use campuscafe_cures::OrderId;
    use campuscafe_cures::attempts::Knowledge;
    use campuscafe_cures::order::Event;

    use super::*;
    use crate::orders::{Begun, Order};

    fn moved(page: &str) -> Vec<&str> {
        let ours = page.lines().filter(|line| line.starts_with("order_"));
        ours.filter(|line| line.contains("lane=") && !line.ends_with(" 0")).collect()
    }

    #[test]
    fn an_order_and_its_attempts_count_in_their_lane_alone() {
        let registry = Metrics::new("1");
        let metrics = OrderMetrics::new(&registry);
        assert!(moved(&registry.render()).is_empty());
        metrics.retried(Lane::Cured);
        metrics.ended(Outcome::Unknown, Lane::Cured);
        metrics.attempted(AttemptResult::Timeout, Step::Fixed(Fault::None), Lane::Cured);
        metrics.cancelled(false, OrderState::Unknown, Lane::Cured);
        let expected = [
            "order_attempts_total{result=\"timeout\",fault=\"none\",lane=\"cured\"} 1",
            "order_cancels_total{result=\"unknown\",state=\"unknown\",lane=\"cured\"} 1",
            "order_outcomes_total{outcome=\"unknown\",lane=\"cured\"} 1",
            "order_retries_total{lane=\"cured\"} 1",
        ];
        let page = registry.render();
        let mut moved = moved(&page);
        moved.sort_unstable();
        assert_eq!(moved, expected);
    }

    #[tokio::test]
    async fn each_scrape_shows_the_age_of_the_oldest_unknown_order() {
        let (registry, orders) = (Metrics::new("1"), Arc::new(Store::in_memory()));
        show_unknown(&registry, orders.clone(), || 42_500);
        let shown = || {
            let page = registry.render();
            ["order_unknown ", "order_oldest_unknown_seconds "].map(|name| {
                let line = page.lines().find_map(|line| line.strip_prefix(name));
                line.and_then(|value| value.parse::<f64>().ok())
            })
        };
        assert_eq!(shown(), [Some(0.0), Some(0.0)]);
        let reserve = Reserve { item_id: "cake".to_owned(), quantity: 1 };
        for since in [2_000, 1_000] {
            let id = OrderId::new(since, [0; 10]);
            let order = Order::new(&reserve, Lane::Cured, None, since);
            assert_eq!(orders.begin(id, order, None, since).await, Ok(Ok(Begun::New)));
            orders.learn(id, Event::Learnt(Knowledge::Unknown), None, since).await.unwrap();
        }
        assert_eq!(shown(), [Some(2.0), Some(41.5)]);
        let oldest = OrderId::new(1_000, [0; 10]);
        orders.learn(oldest, Event::Learnt(Knowledge::Reserved), None, 3_000).await.unwrap();
        assert_eq!(shown(), [Some(1.0), Some(40.5)]);
    }
}
