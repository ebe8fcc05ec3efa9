//! Orders in the memory of this process: they end with it.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use campuscafe_cures::OrderId;
use tokio::time::timeout;

use crate::orders::{Fingerprint, Order, Orders};

use super::fingerprint::Fingerprints;
use super::state::State;

/// The orders under a lock.
#[derive(Debug)]
pub(crate) struct MemoryStore {
    state: Mutex<State>,
    fingerprints: Fingerprints,
}

impl MemoryStore {
    pub(super) fn new(orders: Orders, secret: u128) -> Self {
        let state = Mutex::new(State::new(orders));
        Self { state, fingerprints: Fingerprints::new(secret) }
    }

    pub(super) fn fingerprint(&self, order: &Order) -> Fingerprint {
        self.fingerprints.of(order)
    }

    pub(super) fn transaction<T>(&self, change: impl FnOnce(&mut Orders) -> T) -> T {
        self.state().apply(change).0
    }

    pub(super) fn read<T>(&self, look: impl FnOnce(&Orders) -> T) -> T {
        look(&self.state().orders)
    }

    pub(super) async fn placed(&self, id: OrderId, limit: Duration) -> Option<Order> {
        let placed = self.state().wait_until_placed(id);
        if let Some(placed) = placed {
            // As it stands, if the time is up.
            let _ = timeout(limit, placed).await;
        }
        self.read(|orders| orders.get(id).cloned())
    }

    /// The lock is held for a few instructions, never across an await. Its holders cannot
    /// leave an order half written, so poison is no danger.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::sync::Arc;

    use campuscafe_api::inventory::Reserve;
    use campuscafe_api::order::Lane;
    use campuscafe_cures::OrderState;
    use campuscafe_cures::attempts::Knowledge;
    use campuscafe_cures::order::Event;

    use super::*;
    use crate::orders::CUSTOMERS_KEYS;

    #[tokio::test(start_paused = true)]
    async fn whoever_presses_again_waits_until_the_order_is_placed_and_no_longer() {
        let store = Arc::new(MemoryStore::new(Orders::new(CUSTOMERS_KEYS), 0));
        let (id, limit) = (OrderId::new(1, [0; 10]), Duration::from_secs(1));
        let reserve = Reserve { item_id: "cake".to_owned(), quantity: 1 };
        let order = Order::new(&reserve, Lane::Cured, None, 7);
        store.transaction(|orders| orders.begin(id, order, None, 7)).unwrap();
        let placing = store.placed(id, limit).await.unwrap();
        assert_eq!(placing.state, OrderState::Placing, "the time is up");
        let waiting = tokio::spawn({
            let store = store.clone();
            async move { store.placed(id, limit).await }
        });
        tokio::task::yield_now().await;
        assert!(!waiting.is_finished());
        let event = Event::Learnt(Knowledge::Reserved);
        store.transaction(|orders| orders.learn(id, event, None, 8));
        assert_eq!(waiting.await.unwrap().unwrap().state, OrderState::Confirmed);
        assert_eq!(store.placed(id, limit).await.unwrap().state, OrderState::Confirmed);
        assert!(store.placed(OrderId::new(2, [0; 10]), limit).await.is_none());
        assert!(store.state().nobody_waits());
    }
}
