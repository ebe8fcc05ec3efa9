//! What the inventory counts.

use std::collections::BTreeMap;

use campuscafe_chaos::Fault;
use campuscafe_service::WorkMetrics;
use campuscafe_telemetry::{Counter, Gauge, Metric, Metrics, http_server};

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

/// The metrics of the bound on work.
pub(crate) const WORK: WorkMetrics = WorkMetrics {
    in_progress: Metric {
        name: "inventory_work_in_progress",
        help: "Reserve requests under way, including those whose caller has left.",
    },
    shed: Metric {
        name: "inventory_shed_requests_total",
        help: "Reserve requests answered 503 because too much work was under way, or (early) \
               because the client did not wait after such an answer.",
    },
};

/// What each route answers, short of what was asked for by a fault.
const ROUTES: [(&str, &str, &[u16]); 8] = [
    ("POST", "/inventory/reserve", &[200, 400, 408, 409, 413, 415, 503]),
    ("POST", "/inventory/deliveries", &[200, 400, 404, 408, 409, 413, 415]),
    ("GET", "/inventory/state", &[200]),
    ("POST", "/inventory/reset", &[200]),
    ("GET", "/inventory/ping", &[200, 400]),
    ("GET", "/inventory/holds", &[200]),
    ("POST", "/inventory/holds/{requestId}/release", &[200, 400, 404]),
    ("POST", "/inventory/holds/{requestId}/cut", &[200, 400, 404]),
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
}

struct FaultMetrics {
    applied: Counter,
    reservations: Counter,
}

struct ItemMetrics {
    reservations: Counter,
    duplicates: Counter,
    late_commits: Counter,
    deliveries: Counter,
    stock: Gauge,
}

impl std::fmt::Debug for InventoryMetrics {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("InventoryMetrics").finish_non_exhaustive()
    }
}

impl InventoryMetrics {
    pub(crate) fn new(metrics: &Metrics, stock: &BTreeMap<String, u64>) -> Self {
        let server = http_server::Observe::new(metrics);
        for (method, route, statuses) in ROUTES {
            server.preregister(method, route, statuses);
        }
        let item = |name: &String| {
            let labels = [("item", name.as_str())];
            let item = ItemMetrics {
                reservations: metrics.counter(RESERVATIONS, &labels),
                duplicates: metrics.counter(DUPLICATES, &labels),
                late_commits: metrics.counter(LATE_COMMITS, &labels),
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
        let new = Self {
            items: stock.keys().map(item).collect(),
            faults: Fault::NAMES.into_iter().map(fault).collect(),
            evicted_attempts: metrics.counter(EVICTED, &[("history", "attempts")]),
            evicted_commits: metrics.counter(EVICTED, &[("history", "commits")]),
        };
        new.stock(stock);
        new
    }

    pub(crate) fn fault(&self, fault: &Fault) {
        if let Some(metrics) = self.faults.get(fault.name()) {
            metrics.applied.increment(1);
        }
    }

    pub(crate) fn committed(&self, committed: &Committed, fault: &Fault, late: bool) {
        self.evicted_commits.absolute(committed.evicted);
        if let Some(metrics) = self.faults.get(fault.name()) {
            metrics.reservations.increment(1);
        }
        let Some(item) = self.items.get(&committed.change.item) else { return };
        item.reservations.increment(1);
        item.duplicates.increment(u64::from(committed.duplicate));
        item.late_commits.increment(u64::from(late));
        item.stock.set(gauge(committed.change.after));
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
