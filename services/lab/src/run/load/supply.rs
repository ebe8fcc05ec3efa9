//! Keeps the stock from running out: reads it now and then, off the way of the
//! arrivals, and has delivered what is missing.

use std::sync::Mutex;
use std::sync::PoisonError;
use std::time::Duration;

use campuscafe_api::inventory::State;
use campuscafe_evidence::load::Delivered;
use campuscafe_service::ExitError;
use tokio::sync::Notify;
use tokio::time::{interval, sleep};

use crate::run::Runner;

/// How often the stock is read.
const LOOK_EVERY: Duration = Duration::from_millis(250);

/// How soon it may be read again when an order found it empty.
const LOOK_AGAIN: Duration = Duration::from_millis(20);

/// Seconds of demand that the stock covers.
const COVER: f64 = 3.0;

/// Pieces that an order may take: one for each attempt.
const PIECES: f64 = 2.0;

/// The stock of the item that is ordered.
#[derive(Debug)]
pub(crate) struct Supply {
    runner: Runner,
    item: String,
    target: u64,
    empty: Notify,
    delivered: Mutex<Delivered>,
}

impl Supply {
    /// Chooses the item of which there is most, and fills it up.
    pub(crate) async fn open(runner: Runner, rate: f64) -> Result<Self, ExitError> {
        let (item, opening) = fullest(&runner.state().await?)?;
        let target = target(opening, rate);
        let delivered = Mutex::default();
        let supply = Self { runner, item, target, empty: Notify::new(), delivered };
        supply.fill_up(opening).await?;
        Ok(supply)
    }

    pub(crate) fn item(&self) -> &str {
        &self.item
    }

    pub(crate) fn delivered(&self) -> Delivered {
        self.delivered.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// An order found nothing left: somebody may have reset the stock.
    pub(crate) fn ran_out(&self) {
        self.empty.notify_one();
    }

    /// Never returns.
    pub(crate) async fn keep(&self) {
        let mut look = interval(LOOK_EVERY);
        loop {
            tokio::select! {
                _ = look.tick() => {}
                () = self.empty.notified() => {}
            }
            if let Err(failure) = self.look().await {
                let mut delivered = self.delivered.lock().unwrap_or_else(PoisonError::into_inner);
                delivered.failure = Some(failure.to_string());
            }
            sleep(LOOK_AGAIN).await;
        }
    }

    async fn look(&self) -> Result<(), ExitError> {
        let state = self.runner.state().await?;
        self.fill_up(state.stock.get(&self.item).copied().unwrap_or(0)).await
    }

    async fn fill_up(&self, left: u64) -> Result<(), ExitError> {
        let Some(pieces) = missing(left, self.target) else { return Ok(()) };
        self.runner.deliver(&self.item, pieces).await?;
        self.delivered.lock().unwrap_or_else(PoisonError::into_inner).pieces += pieces;
        Ok(())
    }
}

/// The stock to keep: what there was, or a few seconds' demand if that is more.
fn target(opening: u64, rate: f64) -> u64 {
    opening.max((rate * PIECES * COVER).ceil() as u64)
}

/// What to deliver, once a third is gone: a delivery for every piece would
/// leave more traces than the orders.
fn missing(left: u64, target: u64) -> Option<u64> {
    let missing = target.saturating_sub(left);
    (missing > 0 && missing >= target / 3).then_some(missing)
}

/// The item of which there is most, and how much of it.
fn fullest(state: &State) -> Result<(String, u64), ExitError> {
    let most = state.stock.iter().max_by_key(|(_, left)| **left);
    most.map(|(item, left)| (item.clone(), *left)).ok_or_else(|| {
        ExitError::Failed("the inventory has no items; see INVENTORY_STOCK".to_owned())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_stock_is_kept_between_the_opening_stock_and_a_few_seconds_of_demand() {
        assert_eq!((target(20, 100.0), target(1_000, 100.0)), (600, 1_000));
        assert_eq!((target(0, 0.01), target(20, 100_000.0)), (1, 600_000));
        for (left, target, delivery) in [
            (20, 600, Some(580)),
            (400, 600, Some(200)),
            (401, 600, None),
            (600, 600, None),
            (9_000, 600, None),
            (0, 1, Some(1)),
            (1, 1, None),
        ] {
            assert_eq!(missing(left, target), delivery, "{left} of {target}");
        }
    }
}
