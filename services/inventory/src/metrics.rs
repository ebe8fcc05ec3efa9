//! What the inventory counts.

use std::collections::BTreeMap;

use campuscafe_api::inventory::{KeyState, NotificationState};
use campuscafe_api::order::Lane;
use campuscafe_chaos::Fault;
use campuscafe_cures::versions::Conflict;
use campuscafe_service::WorkMetrics;
use campuscafe_telemetry::{Counter, Gauge, Metric, Metrics, http_server};

use crate::price_list::PriceError;
use crate::stock::StockChange;
use crate::store::Committed;

const RESERVATIONS: Metric = Metric {
    name: "inventory_reservations_total",
    help: "Committed reservations, whether or not their customers were told.",
};
const DUPLICATES: Metric = Metric {
    name: "inventory_duplicate_reservations_total",
    help: "Second reservations for a request that was committed before.",
};
const LATE_COMMITS: Metric = Metric {
    name: "inventory_late_commits_total",
    help: "Reservations committed after the caller had left.",
};
const STOCK: Metric = Metric { name: "inventory_stock", help: "Pieces left." };
const FAULTS: Metric =
    Metric { name: "inventory_faults_total", help: "Faults that the inventory applied, by name." };
const FAULT_RESERVATIONS: Metric = Metric {
    name: "inventory_fault_reservations_total",
    help: "Reservations committed by requests to which a fault was applied, by its name.",
};
const DELIVERIES: Metric = Metric {
    name: "inventory_deliveries_total",
    help: "Deliveries that added pieces to the stock.",
};
const EVICTED: Metric = Metric {
    name: "inventory_history_evicted_total",
    help: "Requests that were forgotten too early because the history was full: their duplicates \
           are not counted (commits), or their fault plans start again (attempts).",
};

const REPLAYS: Metric = Metric {
    name: "inventory_idempotent_replays_total",
    help: "Requests that were told what had been decided earlier under their idempotency key.",
};
const VOIDED: Metric = Metric {
    name: "inventory_voided_commits_total",
    help: "Requests that could not reserve because their idempotency key was void or cancelled.",
};
const SETTLED: Metric = Metric {
    name: "inventory_settled_keys_total",
    help: "Idempotency keys that were asked for or cancelled, by what was decided under them.",
};
const CANCELLED: Metric = Metric {
    name: "inventory_cancelled_reservations_total",
    help: "Reservations that were removed by a cancel.",
};
const KEYS: Metric = Metric {
    name: "inventory_idempotency_keys",
    help: "Idempotency keys that are remembered, as of the last commit or settlement with a key.",
};
const QUEUE: Metric = Metric {
    name: "inventory_queue_length",
    help: "Reserve requests that wait for their turn, including those whose caller has left; always 0 \
           without a capacity.",
};

const NOTIFICATIONS: Metric = Metric {
    name: "inventory_notifications_total",
    help: "Messages about orders, by what they say, and whether the board showed them or \
           dropped them because it showed a newer one.",
};
const FORGOTTEN: Metric = Metric {
    name: "inventory_notifications_forgotten_total",
    help: "Orders that the board forgot because it was full: an older message would be shown again.",
};
const PRICE_CHANGES: Metric = Metric {
    name: "inventory_price_changes_total",
    help: "Requests to change a price, by what became of them: stale, if If-Match named another \
           version; unnamed, if it named none and had to.",
};

/// The metrics of the bound on work.
pub(crate) const WORK: WorkMetrics = WorkMetrics {
    in_progress: Metric {
        name: "inventory_work_in_progress",
        help: "Requests to reserve or to change a price, and late messages, that are under way, \
               including those whose caller has left.",
    },
    shed: Metric {
        name: "inventory_shed_requests_total",
        help: "Requests to reserve or to change a price, and messages, that were answered 503 because \
               too much work was under way, or (late) because the request waited too long until \
               it was read, or (early) because the client did not wait after such an answer.",
    },
};

/// What each route answers, short of what was asked for by a fault.
const ROUTES: &[(&str, &str, &[u16])] = &[
    ("POST", "/inventory/reserve", &[200, 400, 408, 409, 410, 413, 415, 422, 503]),
    ("DELETE", "/inventory/reservations", &[200, 400, 404, 503, 504]),
    ("DELETE", "/inventory/reservations/{reservationId}", &[200, 400, 404, 503, 504]),
    ("POST", "/inventory/deliveries", &[200, 400, 404, 408, 409, 413, 415, 503, 504]),
    ("GET", "/inventory/state", &[200, 503]),
    ("POST", "/inventory/reset", &[200, 503, 504]),
    ("GET", "/inventory/ping", &[200, 400]),
    ("GET", "/inventory/holds", &[200]),
    ("POST", "/inventory/holds/{requestId}/release", &[200, 400, 404]),
    ("POST", "/inventory/holds/{requestId}/cut", &[200, 400, 404]),
    ("GET", "/inventory/items/{item}/price", &[200, 400, 404, 503]),
    ("PUT", "/inventory/items/{item}/price", &[200, 400, 404, 408, 412, 413, 415, 428, 503, 504]),
    ("GET", "/inventory/keys", &[200, 400, 503]),
    ("POST", "/inventory/keys/{key}/settle", &[200, 400, 404, 410, 503, 504]),
    ("DELETE", "/inventory/keys/{key}", &[200, 400, 404, 410, 503, 504]),
    ("POST", "/inventory/notifications", &[200, 400, 408, 413, 415, 503]),
    ("GET", "/inventory/notifications/{orderId}", &[200, 400, 404]),
];

/// The counters, all of them at 0 from the start.
///
/// Items become labels only when they are in the initial stock: other names
/// come from outside and would grow without bound.
pub(crate) struct InventoryMetrics {
    items: BTreeMap<String, ItemMetrics>,
    faults: BTreeMap<&'static str, FaultMetrics>,
    evicted_attempts: Counter,
    evicted_commits: Counter,
    replays: Counter,
    voided: Counter,
    settled: [(KeyState, Counter); 4],
    keys: Gauge,
    queue: Gauge,
    notifications: Vec<(NotificationState, [Counter; 2])>,
    forgotten: Counter,
    price_changes: PriceMetrics,
}

struct PriceMetrics {
    changed: Counter,
    no_such_item: Counter,
    stale: Counter,
    unnamed: Counter,
}

struct FaultMetrics {
    applied: Counter,
    reservations: Counter,
}

struct ItemMetrics {
    /// In the order of [`Lane::ALL`].
    lanes: [LaneMetrics; Lane::ALL.len()],
    deliveries: Counter,
    stock: Gauge,
}

struct LaneMetrics {
    reservations: Counter,
    duplicates: Counter,
    late_commits: Counter,
    cancelled: Counter,
}

impl std::fmt::Debug for InventoryMetrics {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("InventoryMetrics").finish_non_exhaustive()
    }
}

impl InventoryMetrics {
    pub(crate) fn new(metrics: &Metrics, stock: &BTreeMap<String, u64>) -> Self {
        let server = http_server::Observe::new(metrics);
        for &(method, route, statuses) in ROUTES {
            server.preregister(method, route, statuses);
        }
        let lane = |name: &str, lane: Lane| {
            let labels = [("item", name), ("lane", lane.as_str())];
            LaneMetrics {
                reservations: metrics.counter(RESERVATIONS, &labels),
                duplicates: metrics.counter(DUPLICATES, &labels),
                late_commits: metrics.counter(LATE_COMMITS, &labels),
                cancelled: metrics.counter(CANCELLED, &labels),
            }
        };
        let item = |name: &String| {
            let labels = [("item", name.as_str())];
            let item = ItemMetrics {
                lanes: Lane::ALL.map(|of| lane(name, of)),
                deliveries: metrics.counter(DELIVERIES, &labels),
                stock: metrics.gauge(STOCK, &labels),
            };
            (name.clone(), item)
        };
        let fault = |word| {
            let labels = [("fault", word)];
            let fault = FaultMetrics {
                applied: metrics.counter(FAULTS, &labels),
                reservations: metrics.counter(FAULT_RESERVATIONS, &labels),
            };
            (word, fault)
        };
        let notification = |state: NotificationState| {
            let counter = |result| {
                metrics.counter(NOTIFICATIONS, &[("state", state.as_str()), ("result", result)])
            };
            (state, ["shown", "dropped"].map(counter))
        };
        let price = |result| metrics.counter(PRICE_CHANGES, &[("result", result)]);
        let new = Self {
            price_changes: PriceMetrics {
                changed: price("changed"),
                no_such_item: price("no_such_item"),
                stale: price("stale"),
                unnamed: price("unnamed"),
            },
            items: stock.keys().map(item).collect(),
            faults: Fault::NAMES.into_iter().map(fault).collect(),
            evicted_attempts: metrics.counter(EVICTED, &[("history", "attempts")]),
            evicted_commits: metrics.counter(EVICTED, &[("history", "commits")]),
            replays: metrics.counter(REPLAYS, &[]),
            voided: metrics.counter(VOIDED, &[]),
            settled: [KeyState::Reserved, KeyState::Refused, KeyState::Cancelled, KeyState::Void]
                .map(|state| (state, metrics.counter(SETTLED, &[("result", state.as_str())]))),
            keys: metrics.gauge(KEYS, &[]),
            queue: metrics.gauge(QUEUE, &[]),
            notifications: NotificationState::ALL.map(notification).into(),
            forgotten: metrics.counter(FORGOTTEN, &[]),
        };
        new.stock(stock);
        new
    }

    pub(crate) fn fault(&self, fault: &Fault) {
        if let Some(metrics) = self.faults.get(fault.name()) {
            metrics.applied.increment(1);
        }
    }

    pub(crate) fn committed(&self, committed: &Committed, fault: &Fault, lane: Lane, late: bool) {
        self.evicted_commits.absolute(committed.evicted);
        if lane == Lane::Cured {
            committed.keys.into_iter().for_each(|keys| self.keys(keys));
        }
        if let Some(metrics) = self.faults.get(fault.name()) {
            metrics.reservations.increment(1);
        }
        let Some(item) = self.items.get(&committed.change.item) else { return };
        let of_lane = &item.lanes[lane as usize];
        of_lane.reservations.increment(1);
        of_lane.duplicates.increment(u64::from(committed.duplicate));
        of_lane.late_commits.increment(u64::from(late));
        item.stock.set(gauge(committed.change.after));
    }

    pub(crate) fn replayed(&self) {
        self.replays.increment(1);
    }

    pub(crate) fn voided(&self) {
        self.voided.increment(1);
    }

    pub(crate) fn settled(&self, state: KeyState) {
        for (_, counter) in self.settled.iter().filter(|(of, _)| *of == state) {
            counter.increment(1);
        }
    }

    pub(crate) fn keys(&self, remembered: usize) {
        self.keys.set(gauge(remembered as u64));
    }

    /// A request joined the queue (1) or left it (-1).
    pub(crate) fn queued(&self, by: i32) {
        self.queue.increment(f64::from(by));
    }

    /// A message arrived, and so many orders were forgotten, ever.
    pub(crate) fn notified(&self, state: NotificationState, dropped: bool, forgotten: u64) {
        for (_, [shown, not_shown]) in self.notifications.iter().filter(|(of, _)| *of == state) {
            (if dropped { not_shown } else { shown }).increment(1);
        }
        self.forgotten.absolute(forgotten);
    }

    pub(crate) fn cancelled(&self, change: &StockChange, lane: Lane) {
        let Some(item) = self.items.get(&change.item) else { return };
        item.lanes[lane as usize].cancelled.increment(1);
        item.stock.set(gauge(change.after));
    }

    pub(crate) fn price_changed(&self) {
        self.price_changes.changed.increment(1);
    }

    pub(crate) fn price_refused(&self, error: PriceError) {
        let refused = match error {
            PriceError::NoSuchItem => &self.price_changes.no_such_item,
            PriceError::Conflict(Conflict::Stale(_)) => &self.price_changes.stale,
            PriceError::Conflict(Conflict::Unnamed(_)) => &self.price_changes.unnamed,
        };
        refused.increment(1);
    }

    pub(crate) fn delivered(&self, change: &StockChange) {
        let Some(item) = self.items.get(&change.item) else { return };
        item.deliveries.increment(1);
        item.stock.set(gauge(change.after));
    }

    /// How many attempts were forgotten too early, ever.
    pub(crate) fn evicted_attempts(&self, ever: u64) {
        self.evicted_attempts.absolute(ever);
    }

    pub(crate) fn stock(&self, left: &BTreeMap<String, u64>) {
        for (name, pieces) in left {
            if let Some(item) = self.items.get(name) {
                item.stock.set(gauge(*pieces));
            }
        }
    }
}

/// Exact: a stock has far fewer than 2^53 pieces.
const fn gauge(pieces: u64) -> f64 {
    pieces as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_commit_counts_in_its_lane_alone_and_only_one_with_a_key_tells_how_many_keys_there_are() {
        let registry = Metrics::new("1");
        let metrics = InventoryMetrics::new(&registry, &[("cake".to_owned(), 9)].into());
        let change = StockChange { item: "cake".to_owned(), quantity: 1, before: 9, after: 8 };
        let committed = Committed {
            reservation_id: 7,
            change,
            duplicate: true,
            evicted: 0,
            keys: Some(5),
            overwritten: None,
        };
        let count = |lane| {
            metrics.committed(&committed, &Fault::None, lane, true);
            let page = registry.render();
            let value = |series: &str| {
                let line = page.lines().find_map(|line| line.strip_prefix(series));
                line.map(|value| value.trim().to_owned()).unwrap_or_default()
            };
            let of = |lane: Lane| {
                ["reservations", "duplicate_reservations", "late_commits"].map(|what| {
                    value(&format!(
                        "inventory_{what}_total{{item=\"cake\",lane=\"{}\"}}",
                        lane.as_str()
                    ))
                })
            };
            (of(Lane::Naive), of(Lane::Cured), value("inventory_idempotency_keys "))
        };
        let (none, once) = (["0"; 3].map(str::to_owned), ["1"; 3].map(str::to_owned));
        assert_eq!(count(Lane::Naive), (once.clone(), none, "0".to_owned()));
        assert_eq!(count(Lane::Cured), (once.clone(), once, "5".to_owned()));
    }
}
