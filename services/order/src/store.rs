//! Where the orders that were taken are kept, each from before its first attempt.
//!
//! Each operation is one transaction: it checks and changes in one step, and no lock is
//! held when it returns. What it returns, nothing takes back: not the end of the process
//! either, where the store outlives it. The rules are in [`crate::orders`]. Another kind of
//! store is another variant of [`Store`].

mod database;
mod file;
mod fingerprint;
mod memory;
mod rows;
mod state;

use std::path::Path;
use std::time::Duration;

use campuscafe_api::Problem;
use campuscafe_api::inventory::Reservation;
use campuscafe_cures::order::{Event, NothingToCancel};
use campuscafe_cures::{IdempotencyKey, OrderId, OrderState, Replica, UnixMillis};
use campuscafe_database::Reason;

use crate::orders::{
    Begun, CUSTOMERS_KEYS, DURABLE_CUSTOMERS_KEYS, Message, NotBegun, Note, Order, Orders,
};

pub(crate) use database::DatabaseOrders;
use file::FileError;
pub(crate) use file::FileOrders;
use memory::MemoryStore;

/// The store of one order service.
#[derive(Debug)]
pub(crate) enum Store {
    /// In the memory of this process.
    Memory(MemoryStore),
    /// In a file.
    File(FileOrders),
    /// In a database, which other order services may use as well.
    // Its futures are boxed where they are awaited. They are five times as large as the others,
    // and each request would carry and copy that much, whatever its store.
    Database(DatabaseOrders),
}

/// The store takes no changes now. After the operation nothing has changed, as far as anybody
/// is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unavailable {
    /// The file cannot be written, or more changes wait for it than it can take soon.
    File,
    /// The database did not do it.
    Database(Reason),
}

impl Unavailable {
    /// The problem that a client is told, and what it means for the client.
    pub(crate) fn problem(self, meaning: &str) -> Problem {
        let (kind, title) = match self {
            Self::File => ("store-unavailable", "Store unavailable"),
            Self::Database(reason) => reason.problem(),
        };
        Problem::new(503, kind, title).detail(format!("{}; {meaning}", self.sentence()))
    }

    /// As a part of a sentence.
    pub(crate) const fn sentence(self) -> &'static str {
        match self {
            Self::File => "the file of the orders cannot be written",
            Self::Database(reason) => reason.sentence(),
        }
    }
}

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

    /// The file, if it is one.
    pub(crate) const fn file(&self) -> Option<&FileOrders> {
        match self {
            Self::File(store) => Some(store),
            Self::Memory(_) | Self::Database(_) => None,
        }
    }

    /// In a file on a disk of a test's own.
    #[cfg(test)]
    pub(crate) fn on_disk(disk: &campuscafe_file_store::testing::Disk) -> Self {
        Self::File(file::tests::open(disk, 0))
    }

    /// The database, if it is one.
    pub(crate) const fn database(&self) -> Option<&DatabaseOrders> {
        match self {
            Self::Memory(_) | Self::File(_) => None,
            Self::Database(store) => Some(store),
        }
    }

    /// Which process this is, among all that ever take orders. With a file it is the same
    /// after a restart.
    pub(crate) fn replica(&self) -> Replica {
        match self {
            Self::Memory(_) | Self::Database(_) => Replica(rand::random()),
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
            Self::Database(store) => Box::pin(store.begin(id, order, key, now)).await,
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
            Self::Database(store) => Box::pin(store.placed(id, limit)).await,
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
            Self::Database(store) => Box::pin(store.begin_cancel(id, now)).await,
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
        self.change(id, |orders| orders.learn(id, event, reserved, now)).await
    }

    /// Notes why nothing more will be known of an order.
    pub(crate) async fn give_up(&self, id: OrderId, note: Note) -> Result<(), Unavailable> {
        self.change(id, |orders| orders.give_up(id, note)).await
    }

    /// The messages that are due to an order's listener; they count as under way from now on.
    pub(crate) async fn untold(&self, id: OrderId) -> Result<Vec<Message>, Unavailable> {
        match self {
            Self::Memory(store) => Ok(store.transaction(|orders| orders.untold(id))),
            Self::File(store) => store.transaction(|orders| orders.untold(id)).await,
            Self::Database(store) => Box::pin(store.untold(id)).await,
        }
    }

    /// A message to an order's listener has ended, whatever came of it. If this is lost the
    /// message may be sent again.
    pub(crate) async fn end_message(&self, id: OrderId, place: u32) {
        let end = |orders: &mut Orders| orders.end_message(id, place);
        match self {
            Self::Memory(store) => store.transaction(end),
            Self::File(store) => store.note(end),
            Self::Database(store) => Box::pin(store.change(id, end)).await.unwrap_or_default(),
        }
    }

    pub(crate) async fn get(&self, id: OrderId) -> Result<Option<Order>, Unavailable> {
        let get = |orders: &Orders| orders.get(id).cloned();
        match self {
            Self::Memory(store) => Ok(store.read(get)),
            Self::File(store) => store.read(get).await,
            Self::Database(store) => Box::pin(store.get(id)).await,
        }
    }

    /// Some orders in a state, oldest first, after this one.
    pub(crate) async fn list(
        &self,
        state: Option<OrderState>,
        after: Option<OrderId>,
        limit: usize,
    ) -> Result<Vec<(OrderId, Order)>, Unavailable> {
        let list = |orders: &Orders| orders.list(state, after, limit);
        match self {
            Self::Memory(store) => Ok(store.read(list)),
            Self::File(store) => store.read(list).await,
            Self::Database(store) => Box::pin(store.list(state, after, limit)).await,
        }
    }

    async fn change<T>(
        &self,
        id: OrderId,
        change: impl Fn(&mut Orders) -> T,
    ) -> Result<T, Unavailable> {
        match self {
            Self::Memory(store) => Ok(store.transaction(change)),
            Self::File(store) => store.transaction(change).await,
            Self::Database(store) => Box::pin(store.change(id, change)).await,
        }
    }

    /// How many orders of the cured lane are unknown now and can be settled, and since when
    /// the oldest of them is. With a database, those that this process works on. For gauges: it
    /// does not wait.
    pub(crate) fn unknown(&self) -> (usize, Option<UnixMillis>) {
        match self {
            Self::Memory(store) => store.read(Orders::unknown),
            Self::File(store) => store.peek(Orders::unknown),
            Self::Database(store) => store.unknown(),
        }
    }
}

#[cfg(test)]
mod script;
