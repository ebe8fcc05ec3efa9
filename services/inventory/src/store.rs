//! Where the stock and its reservations are kept.
//!
//! Each operation is one transaction: it checks and changes in one step, and no
//! lock is held when it returns. What it returns is enough to make spans,
//! counters and log lines from, so the store makes none. Another kind of store
//! is another variant of [`Store`].

mod memory;
mod turn;

use std::collections::BTreeMap;
use std::convert::Infallible;

use tokio::time::Instant;

use crate::history::CommitKey;
use crate::stock::{DeliverError, InitialStock, ReserveError, StockChange};

use memory::{InventoryState, MemoryStore};
pub(crate) use turn::Changed;

/// The store of one inventory.
#[derive(Debug)]
pub(crate) enum Store {
    /// In the memory of this process.
    Memory(MemoryStore),
}

/// A reservation to be committed.
#[derive(Debug, Clone)]
pub(crate) struct ReserveCommand {
    pub(crate) reservation_id: String,
    pub(crate) item_id: String,
    pub(crate) quantity: i64,
    /// A second commit with the same key is a duplicate.
    pub(crate) key: CommitKey,
    pub(crate) at: Instant,
}

/// A reservation that is committed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Committed {
    pub(crate) reservation_id: String,
    pub(crate) change: StockChange,
    /// Whether a commit with the same key came before.
    pub(crate) duplicate: bool,
    /// How many keys were forgotten too early, ever.
    pub(crate) evicted: u64,
}

/// The stock at one moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Snapshot {
    pub(crate) left: BTreeMap<String, u64>,
    pub(crate) reservations: u64,
}

impl Store {
    pub(crate) fn in_memory(initial: InitialStock) -> Self {
        Self::Memory(MemoryStore::new(initial))
    }

    /// Reserves all pieces or none. It does not refuse a duplicate: it reports it.
    ///
    /// # Errors
    ///
    /// When the quantity is not positive or more than is left; nothing has changed then.
    pub(crate) async fn reserve(
        &self,
        command: ReserveCommand,
    ) -> Result<Changed<Committed>, ReserveError> {
        match self {
            Self::Memory(store) => store.transaction(|state| state.reserve(command)),
        }
    }

    /// Adds all pieces or none, and gives the stock after that.
    ///
    /// # Errors
    ///
    /// As [`Stock::deliver`](crate::stock::Stock::deliver); nothing has changed then.
    pub(crate) async fn deliver(
        &self,
        item: &str,
        quantity: i64,
    ) -> Result<Changed<(StockChange, Snapshot)>, DeliverError> {
        match self {
            Self::Memory(store) => store.transaction(|state| state.deliver(item, quantity)),
        }
    }

    /// Returns to the initial stock, with no reservations. Commits are remembered.
    pub(crate) async fn reset(&self) -> Changed<Snapshot> {
        let Ok(changed) = match self {
            Self::Memory(store) => store.transaction(|state| Ok::<_, Infallible>(state.reset())),
        };
        changed
    }

    pub(crate) async fn state(&self) -> Snapshot {
        match self {
            Self::Memory(store) => store.read(InventoryState::snapshot),
        }
    }

    /// Whether nobody holds a lock now.
    #[cfg(test)]
    pub(crate) fn is_unlocked(&self) -> bool {
        match self {
            Self::Memory(store) => store.is_unlocked(),
        }
    }
}
