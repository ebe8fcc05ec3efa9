//! What the inventory counts.

use std::collections::BTreeMap;

use campuscafe_chaos::Fault;
use campuscafe_telemetry::{Counter, Gauge, Metric, Metrics, http_server};

use crate::stock::Taken;

const RESERVATIONS: Metric = Metric {
    name: "inventory_reservations_total",
    help: "Reservations committed, whether or not anyone heard of them.",
};
const DUPLICATES: Metric = Metric {
    name: "inventory_duplicate_reservations_total",
    help: "Reservations committed for a request that was committed before: the second cake.",
};
const LATE_COMMITS: Metric = Metric {
    name: "inventory_late_commits_total",
    help: "Reservations committed after the caller had hung up.",
};
const STOCK: Metric = Metric { name: "inventory_stock", help: "Pieces left." };
const FAULTS: Metric =
    Metric { name: "inventory_faults_total", help: "Faults that acted, by the fault's word." };

const IN_PROGRESS: Metric = Metric {
    name: "inventory_work_in_progress",
    help: "Reserve requests at work now, whether or not their callers still wait.",
};

/// The counters, all of them at 0 from the start.
///
/// Items become labels only when they are in the opening stock: other names
/// come from outside and would grow without bound.
pub(crate) struct InventoryMetrics {
    items: BTreeMap<String, ItemMetrics>,
    faults: BTreeMap<&'static str, Counter>,
    in_progress: Gauge,
}

struct ItemMetrics {
    reservations: Counter,
    duplicates: Counter,
    late_commits: Counter,
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
        server.expect("POST", "/inventory/reserve", &[200, 400, 409, 503]);
        server.expect("GET", "/inventory/ping", &[200]);
        let item = |name: &String| {
            let labels = [("item", name.as_str())];
            let item = ItemMetrics {
                reservations: metrics.counter(RESERVATIONS, &labels),
                duplicates: metrics.counter(DUPLICATES, &labels),
                late_commits: metrics.counter(LATE_COMMITS, &labels),
                stock: metrics.gauge(STOCK, &labels),
            };
            (name.clone(), item)
        };
        let fault = |word| (word, metrics.counter(FAULTS, &[("fault", word)]));
        let new = Self {
            items: stock.keys().map(item).collect(),
            faults: Fault::WORDS.into_iter().map(fault).collect(),
            in_progress: metrics.gauge(IN_PROGRESS, &[]),
        };
        new.stock(stock);
        new
    }

    /// Counts a piece of work as in progress until the guard is dropped.
    pub(crate) fn working(&self) -> Working {
        self.in_progress.increment(1.0);
        Working(self.in_progress.clone())
    }

    pub(crate) fn fault(&self, fault: &Fault) {
        if let Some(counter) = self.faults.get(fault.word()) {
            counter.increment(1);
        }
    }

    pub(crate) fn committed(&self, taken: &Taken, late: bool, duplicate: bool) {
        let Some(item) = self.items.get(&taken.item) else { return };
        item.reservations.increment(1);
        item.duplicates.increment(u64::from(duplicate));
        item.late_commits.increment(u64::from(late));
        item.stock.set(gauge(taken.after));
    }

    pub(crate) fn stock(&self, left: &BTreeMap<String, u64>) {
        for (name, pieces) in left {
            if let Some(item) = self.items.get(name) {
                item.stock.set(gauge(*pieces));
            }
        }
    }
}

pub(crate) struct Working(Gauge);

impl Drop for Working {
    fn drop(&mut self) {
        self.0.decrement(1.0);
    }
}

/// Exact: a stock has far fewer than 2^53 pieces.
const fn gauge(pieces: u64) -> f64 {
    pieces as f64
}
