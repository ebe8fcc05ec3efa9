//! The orders, and those who wait for one of them.

use std::collections::BTreeMap;
use std::sync::Arc;

use campuscafe_cures::{OrderId, OrderState};
use tokio::sync::Notify;
use tokio::sync::futures::OwnedNotified;

use crate::orders::{Changes, Orders};

/// What stands under the lock of a store.
#[derive(Debug)]
pub(super) struct State {
    pub(super) orders: Orders,
    /// Those who wait until an order is placed.
    waiting: BTreeMap<OrderId, Arc<Notify>>,
}

impl State {
    pub(super) const fn new(orders: Orders) -> Self {
        Self { orders, waiting: BTreeMap::new() }
    }

    /// Changes the orders: what came of it, and what changed.
    pub(super) fn apply<T>(&mut self, change: impl FnOnce(&mut Orders) -> T) -> (T, Changes) {
        let done = change(&mut self.orders);
        let changes = self.orders.take_changes();
        for id in &changes.orders {
            if !self.is_placing(*id)
                && let Some(waiting) = self.waiting.remove(id)
            {
                waiting.notify_waiters();
            }
        }
        (done, changes)
    }

    /// Other orders from now on. Whoever waits looks again.
    pub(super) fn replace(&mut self, orders: Orders) {
        self.orders = orders;
        for waiting in std::mem::take(&mut self.waiting).into_values() {
            waiting.notify_waiters();
        }
    }

    /// Resolves when the order is placed; none if it is already, or is not known.
    pub(super) fn wait_until_placed(&mut self, id: OrderId) -> Option<OwnedNotified> {
        let waiting = self.is_placing(id).then(|| self.waiting.entry(id).or_default());
        waiting.map(|waiting| waiting.clone().notified_owned())
    }

    fn is_placing(&self, id: OrderId) -> bool {
        self.orders.get(id).is_some_and(|order| order.state == OrderState::Placing)
    }

    #[cfg(test)]
    pub(super) fn nobody_waits(&self) -> bool {
        self.waiting.is_empty()
    }
}
