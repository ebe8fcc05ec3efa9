//! What many orders came to, counted: by customers, and by the services.

pub mod metrics;
pub mod tally;

use std::time::Duration;

use serde::Serialize;

use crate::counters::Counters;
use metrics::MetricsReading;
use tally::Tally;

/// The result of a load.
#[derive(Debug, Clone)]
pub struct LoadReport {
    /// What customers were told, and after how long.
    pub tally: Tally,
    /// Orders that were due.
    pub arrivals: u64,
    /// Orders that were sent and not over when we stopped waiting for them.
    pub under_way: u64,
    /// From the first arrival to the last.
    pub took: Duration,
    /// What the load delivered, so that the stock did not run out.
    pub delivered: Delivered,
    /// What the services counted at the start.
    pub before: MetricsReading,
    /// And at the end; why not, if they could not be asked.
    pub after: Result<MetricsReading, String>,
    /// Whether late work was still going on when we stopped waiting for it.
    pub unsettled: bool,
    /// Orders with a key that were unknown at the end; none if nobody asked for them.
    pub still_unknown: Option<u64>,
}

/// What became of orders with a key that were unknown at first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Settlements {
    /// A reservation was there.
    pub confirmed: u64,
    /// There was none, and none can come.
    pub failed: u64,
    /// Nobody knows yet.
    pub still_unknown: u64,
}

impl LoadReport {
    /// What became of the orders that were unknown at first, if they have keys and the
    /// services told it.
    #[must_use]
    pub fn settlements(&self) -> Option<Settlements> {
        let deltas = self.after.as_ref().ok()?.deltas(&self.before);
        let settled = |result: &str| {
            deltas.get(&format!("order_settled_total{{result=\"{result}\"}}")).copied()
        };
        Some(Settlements {
            confirmed: settled("confirmed").unwrap_or(0),
            failed: settled("failed").unwrap_or(0),
            still_unknown: self.still_unknown?,
        })
    }
}

/// What was delivered, and what stood in the way.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Delivered {
    /// How many pieces.
    pub pieces: u64,
    /// Why the last delivery that failed did.
    pub failure: Option<String>,
}

/// The ledger of many orders, from the services' counters.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct LoadLedger {
    /// Orders whose customer was told yes, at once or by a settlement, as the order service
    /// counts them.
    pub confirmed: u64,
    /// Reservations that the inventory made.
    pub reservations: u64,
    /// Of those, how many came after the caller had left.
    pub late: u64,
    /// And how many were not the first of their order.
    pub duplicates: u64,
    /// Reservations that no customer knows of.
    pub gap: i64,
}

impl LoadLedger {
    /// The ledger of these counters.
    #[must_use]
    pub fn of(deltas: &Counters) -> Self {
        let sum_of = |name: &str, label: &str| -> u64 {
            let ours = deltas.iter().filter(|(series, _)| {
                series.split('{').next() == Some(name) && series.contains(label)
            });
            ours.map(|(_, by)| by).sum()
        };
        let sum = |name| sum_of(name, "");
        let confirmed = sum_of("order_outcomes_total", "outcome=\"confirmed\"")
            + sum_of("order_settled_total", "result=\"confirmed\"");
        let reservations = sum("inventory_reservations_total");
        Self {
            confirmed,
            reservations,
            late: sum("inventory_late_commits_total"),
            duplicates: sum("inventory_duplicate_reservations_total"),
            gap: reservations.cast_signed() - confirmed.cast_signed(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ledger_adds_up_both_lanes_and_knows_of_orders_that_were_settled() {
        let deltas = [
            ("order_outcomes_total{outcome=\"confirmed\",lane=\"naive\"}", 5),
            ("order_outcomes_total{outcome=\"confirmed\",lane=\"cured\"}", 3),
            ("order_outcomes_total{outcome=\"unknown\",lane=\"cured\"}", 4),
            ("order_settled_total{result=\"confirmed\"}", 2),
            ("order_settled_total{result=\"failed\"}", 2),
            ("inventory_reservations_total{item=\"cake\",lane=\"naive\"}", 7),
            ("inventory_reservations_total{item=\"cake\",lane=\"cured\"}", 5),
            ("inventory_duplicate_reservations_total{item=\"cake\",lane=\"naive\"}", 2),
        ];
        let deltas = deltas.map(|(series, by)| (series.to_owned(), by)).into();
        let ledger = LoadLedger::of(&deltas);
        assert_eq!((ledger.confirmed, ledger.reservations, ledger.gap), (10, 12, 2));
        assert_eq!((ledger.duplicates, ledger.late), (2, 0));
    }
}
