//! Where the orders that were taken are kept, each from before its first attempt.
//!
//! Each operation is one transaction: it checks and changes in one step, and no lock is
//! held when it returns. What it returns, nothing takes back: not the end of the process
//! either, where the store outlives it. The rules are in [`crate::orders`]. Another kind of
//! store is another variant of [`Store`].

mod file;
mod fingerprint;
mod memory;
mod rows;
mod state;

use std::path::Path;
use std::time::Duration;

use campuscafe_api::inventory::Reservation;
use campuscafe_cures::order::{Event, NothingToCancel};
use campuscafe_cures::{IdempotencyKey, OrderId, OrderState, Replica, UnixMillis};

use crate::orders::{
    Begun, CUSTOMERS_KEYS, DURABLE_CUSTOMERS_KEYS, Message, NotBegun, Note, Order, Orders, Question,
};

use file::{FileError, FileOrders};
use memory::MemoryStore;

/// The store of one order service.
#[derive(Debug)]
pub(crate) enum Store {
    /// In the memory of this process.
    Memory(MemoryStore),
    /// In a file.
    File(FileOrders),
}

/// The store takes no changes now. After the operation nothing has changed, as far as anybody
/// is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the store takes no changes now")]
pub(crate) struct Unavailable;

impl Store {
    pub(crate) fn in_memory() -> Self {
        Self::Memory(MemoryStore::new(Orders::new(CUSTOMERS_KEYS), rand::random()))
    }

    /// Opens the file in a directory; makes both if they are not there. It blocks.
    ///
    /// # Errors
    ///
    /// When the file cannot be used.
    pub(crate) fn in_file(directory: &Path, now: UnixMillis) -> Result<Self, FileError> {
        FileOrders::open(directory, DURABLE_CUSTOMERS_KEYS, now).map(Self::File)
    }

    /// In a file on a disk of a test's own.
    #[cfg(test)]
    pub(crate) fn on_disk(disk: &campuscafe_file_store::testing::Disk) -> Self {
        Self::File(file::tests::open(disk, 0))
    }

    pub(crate) const fn outlives_the_process(&self) -> bool {
        matches!(self, Self::File(_))
    }

    /// Which process this is, among all that ever take orders. With a file it is the same
    /// after a restart.
    pub(crate) fn replica(&self) -> Replica {
        match self {
            Self::Memory(_) => Replica(rand::random()),
            Self::File(store) => store.replica(),
        }
    }

    /// Records an order. Nothing has been sent for it yet. With a customer's `key` it is
    /// recorded once.
    ///
    /// # Errors
    ///
    /// When there is no room, or the key was used for another order; or [`Unavailable`].
    pub(crate) async fn begin(
        &self,
        id: OrderId,
        order: Order,
        key: Option<&IdempotencyKey>,
        now: UnixMillis,
    ) -> Result<Result<Begun, NotBegun>, Unavailable> {
        match self {
            Self::Memory(store) => Ok({
                let once = key.map(|key| (key, store.fingerprint(&order)));
                store.transaction(|orders| orders.begin(id, order, once, now))
            }),
            Self::File(store) => store.begin(id, order, key, now).await,
        }
    }

    /// The order when it is placed, or as it stands when the time is up. None if it is
    /// forgotten.
    pub(crate) async fn placed(
        &self,
        id: OrderId,
        limit: Duration,
    ) -> Result<Option<Order>, Unavailable> {
        match self {
            Self::Memory(store) => Ok(store.placed(id, limit).await),
            Self::File(store) => store.placed(id, limit).await,
        }
    }

    /// The customer wants the order cancelled: its state before, and the order. None if the
    /// order is not known.
    pub(crate) async fn begin_cancel(
        &self,
        id: OrderId,
        now: UnixMillis,
    ) -> Result<Option<Result<(OrderState, Order), NothingToCancel>>, Unavailable> {
        match self {
            Self::Memory(store) => Ok(store.transaction(|orders| orders.begin_cancel(id, now))),
            Self::File(store) => store.begin_cancel(id, now).await,
        }
    }

    /// The state of an order after an event. None if the order is not known.
    pub(crate) async fn learn(
        &self,
        id: OrderId,
        event: Event,
        reserved: Option<&Reservation>,
        now: UnixMillis,
    ) -> Result<Option<OrderState>, Unavailable> {
        let change = |orders: &mut Orders| orders.learn(id, event, reserved, now);
        self.transaction(change).await
    }

    /// Notes why nothing more will be known of an order.
    pub(crate) async fn give_up(&self, id: OrderId, note: Note) -> Result<(), Unavailable> {
        self.transaction(|orders| orders.give_up(id, note)).await
    }

    /// The messages that are due to an order's listener; they count as under way from now on.
    pub(crate) async fn untold(&self, id: OrderId) -> Result<Vec<Message>, Unavailable> {
        self.transaction(|orders| orders.untold(id)).await
    }

    /// A message to an order's listener has ended, whatever came of it. It does not wait: if
    /// this is lost the message is sent again.
    pub(crate) fn end_message(&self, id: OrderId, place: u32) {
        match self {
            Self::Memory(store) => store.transaction(|orders| orders.end_message(id, place)),
            Self::File(store) => store.note(|orders| orders.end_message(id, place)),
        }
    }

    pub(crate) async fn get(&self, id: OrderId) -> Result<Option<Order>, Unavailable> {
        self.read(|orders| orders.get(id).cloned()).await
    }

    /// Some orders in a state, oldest first, after this one.
    pub(crate) async fn list(
        &self,
        state: Option<OrderState>,
        after: Option<OrderId>,
        limit: usize,
    ) -> Result<Vec<(OrderId, Order)>, Unavailable> {
        self.read(|orders| orders.list(state, after, limit)).await
    }

    /// The orders that the inventory must be asked about.
    pub(crate) async fn open(&self) -> Result<Vec<(OrderId, Question)>, Unavailable> {
        self.read(Orders::open).await
    }

    /// The orders whose listener was not told everything.
    pub(crate) async fn with_untold(&self) -> Result<Vec<OrderId>, Unavailable> {
        self.read(Orders::with_untold).await
    }

    async fn transaction<T>(
        &self,
        change: impl FnOnce(&mut Orders) -> T,
    ) -> Result<T, Unavailable> {
        match self {
            Self::Memory(store) => Ok(store.transaction(change)),
            Self::File(store) => store.transaction(change).await,
        }
    }

    async fn read<T>(&self, look: impl FnOnce(&Orders) -> T) -> Result<T, Unavailable> {
        match self {
            Self::Memory(store) => Ok(store.read(look)),
            Self::File(store) => store.read(look).await,
        }
    }

    /// How many orders of the cured lane are unknown now and can be settled, and since when
    /// the oldest of them is. For gauges: it does not wait.
    pub(crate) fn unknown(&self) -> (usize, Option<UnixMillis>) {
        match self {
            Self::Memory(store) => store.read(Orders::unknown),
            Self::File(store) => store.peek(Orders::unknown),
        }
    }

    /// Resolves when the store takes no changes any more: why.
    pub(crate) async fn failed(&self) -> String {
        match self {
            Self::Memory(_) => std::future::pending().await,
            Self::File(store) => store.failed().await,
        }
    }

    /// Lets a store that has failed take changes again. Orders that nobody was told of are
    /// removed.
    ///
    /// # Errors
    ///
    /// When it cannot yet: why.
    pub(crate) async fn recover(&self, now: UnixMillis) -> Result<(), String> {
        match self {
            Self::Memory(_) => Ok(()),
            Self::File(store) => store.recover(now).await,
        }
    }
}
