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
    /// Orders whose customer was told yes, as the order service counts them.
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
        let sum = |name: &str| -> u64 {
            let ours = deltas.iter().filter(|(series, _)| series.split('{').next() == Some(name));
            ours.map(|(_, by)| by).sum()
        };
        let confirmed =
            deltas.get("order_outcomes_total{outcome=\"confirmed\"}").copied().unwrap_or(0);
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
