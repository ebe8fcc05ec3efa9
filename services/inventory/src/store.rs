//! Where the stock and its reservations are kept.
//!
//! Each operation is one transaction: it checks and changes in one step, and no
//! lock is held when it returns. What it returns is enough to make spans,
//! counters and log lines from, so the store makes none. Another kind of store
//! is another variant of [`Store`].

mod database;
mod file;
mod keyed;
mod memory;
mod reason;
mod reservations;
mod rows;
mod turn;

use std::collections::BTreeMap;
use std::convert::Infallible;

use campuscafe_api::Problem;
use campuscafe_cures::decisions::Bounds;
use campuscafe_cures::versions::Condition;
use campuscafe_cures::{IdempotencyKey, KeyError, UnixMillis};
use campuscafe_service::ProblemResponse;
use tokio::time::Instant;

use crate::history::CommitKey;
use crate::price_list::{PriceChange, PriceError, Priced};
use crate::stock::{DeliverError, InitialStock, ReserveError, StockChange};

pub(crate) use database::DatabaseInventory;
pub(crate) use file::{FileInventory, Found, StoreErrors};
pub(crate) use keyed::{Fingerprint, Kept, KeyRecord};
use memory::{InventoryState, MemoryStore};
pub(crate) use reason::Reason;
pub(crate) use reservations::Which;
pub(crate) use rows::LoadError;
pub(crate) use turn::Changed;

/// After how many seconds a store that does not work may work again.
const RETRY_AFTER: u64 = 1;

/// The store of one inventory.
#[derive(Debug)]
#[expect(clippy::large_enum_variant, reason = "a process has one of them")]
pub(crate) enum Store {
    /// This process decides alone.
    Own(Own),
    /// In a database, which other inventories may use as well.
    // Its futures are boxed where they are awaited. They are five times as large as the others,
    // and each request would carry and copy that much, whatever its store.
    Database(DatabaseInventory),
}

/// The store of one process.
#[derive(Debug)]
#[expect(clippy::large_enum_variant, reason = "a process has one of them")]
pub(crate) enum Own {
    /// In its memory.
    Memory(MemoryStore),
    /// In its memory, and in a file, which outlives it.
    File(FileInventory),
}

/// Why an operation has no result.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum StoreError {
    /// The store does not work now. Nothing has changed.
    Unavailable(Reason),
    /// The store was told to commit and did not answer: whether anything has changed is not
    /// known.
    Unknown(Reason),
}

impl StoreError {
    pub(crate) const fn reason(self) -> Reason {
        match self {
            Self::Unavailable(reason) | Self::Unknown(reason) => reason,
        }
    }

    /// What a client is told.
    pub(crate) fn problem(self) -> Problem {
        let (status, kind, title, detail) = match self {
            Self::Unavailable(reason) => {
                let (kind, title) = reason.problem();
                (503, kind, title, format!("{}; nothing was changed", reason.sentence()))
            }
            Self::Unknown(reason) => (
                504,
                "store-outcome-unknown",
                "Outcome unknown",
                format!(
                    "the answer to a commit is missing, because {}; nobody knows whether anything \
                     was changed",
                    reason.sentence()
                ),
            ),
        };
        Problem::new(status, kind, title).detail(detail)
    }
}

/// In the OpenAPI document: what a call that changes something answers to [`StoreError::Unknown`].
/// `POST /inventory/reserve` gives no answer then.
#[derive(utoipa::IntoResponses)]
#[response(
    status = 504,
    content_type = "application/problem+json",
    description = "The store was told to commit and did not say whether it has. It is not known whether anything was changed",
    example = json!({"type": "urn:problem-type:campuscafe:store-outcome-unknown", "title": "Outcome unknown", "status": 504, "detail": "the answer to a commit is missing, because the file of the stock cannot be written; nobody knows whether anything was changed"}),
)]
#[expect(dead_code, reason = "its derived description is what is used")]
pub(crate) struct StoreOutcomeUnknown(Problem);

impl From<StoreError> for ProblemResponse {
    fn from(error: StoreError) -> Self {
        let response = Self::from(error.problem());
        match error {
            StoreError::Unavailable(_) => response.retry_after(RETRY_AFTER),
            StoreError::Unknown(_) => response,
        }
    }
}

/// A reservation to be committed.
#[derive(Debug, Clone)]
pub(crate) struct ReserveCommand {
    pub(crate) reservation_id: u128,
    pub(crate) item_id: String,
    pub(crate) quantity: i64,
    /// What was read of the stock before, if the change is to be computed from that.
    pub(crate) read: Option<u64>,
    /// A second commit with the same key is a duplicate.
    pub(crate) key: CommitKey,
    pub(crate) at: Instant,
    /// The same as a time of day, which outlasts this process.
    pub(crate) now: UnixMillis,
    /// The key under which it is decided once, if it has one.
    pub(crate) once: Option<Once>,
}

/// Under which key something is decided once.
#[derive(Debug, Clone)]
pub(crate) struct Once {
    pub(crate) key: IdempotencyKey,
    pub(crate) fingerprint: Fingerprint,
}

/// A reservation that is committed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Committed {
    pub(crate) reservation_id: u128,
    pub(crate) change: StockChange,
    /// What was left in truth, if that was overwritten with what followed from an older read.
    pub(crate) overwritten: Option<u64>,
    /// Whether a commit with the same key came before.
    pub(crate) duplicate: bool,
    /// How many keys were forgotten too early, ever.
    pub(crate) evicted: u64,
    /// How many idempotency keys are remembered; none where that is not counted each time.
    pub(crate) keys: Option<usize>,
}

/// Why nothing is committed now; the stock has not changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum NotCommitted {
    /// The stock refuses.
    Refused(ReserveError),
    /// It was decided before under the same key.
    Replayed(Result<Kept, ReserveError>),
    /// Nothing may be decided under this key.
    Key(KeyError),
}

/// What a settled key says, and what settling it changed in the stock: a cancel gives
/// the pieces back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Settled {
    pub(crate) record: KeyRecord,
    pub(crate) released: Option<StockChange>,
    /// As in [`Committed`].
    pub(crate) keys: Option<usize>,
}

/// Why a key was not settled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NotSettled {
    /// A request with this id has committed without a key, so a key says nothing about it.
    NeverKeyed,
    /// Nothing may be decided under this key.
    Key(KeyError),
}

/// Whether a settled key keeps its reservation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Settle {
    Keep,
    Cancel,
}

/// Reservations that are cancelled, and what this changed in the stock: one that was
/// cancelled before, or that a reset has removed, changes nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Cancelled {
    pub(crate) reservations: Vec<Kept>,
    pub(crate) released: Vec<Released>,
}

/// Pieces that a cancel gave back to the stock.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Released {
    pub(crate) change: StockChange,
    /// Whether they were reserved under an idempotency key.
    pub(crate) keyed: bool,
}

/// There is no such reservation, or it is forgotten.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct NothingToCancel;

/// The stock at one moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Snapshot {
    pub(crate) left: BTreeMap<String, u64>,
    pub(crate) reservations: u64,
}

impl Store {
    pub(crate) fn in_memory(initial: InitialStock, keys: Bounds) -> Self {
        Self::Own(Own::Memory(MemoryStore::new(initial, keys)))
    }

    /// The file, if it is one.
    pub(crate) const fn file(&self) -> Option<&FileInventory> {
        match self {
            Self::Own(Own::File(store)) => Some(store),
            Self::Own(Own::Memory(_)) | Self::Database(_) => None,
        }
    }

    /// The database, if it is one.
    pub(crate) const fn database(&self) -> Option<&DatabaseInventory> {
        match self {
            Self::Own(_) => None,
            Self::Database(store) => Some(store),
        }
    }

    /// Reserves all pieces or none, once for all commands with the same idempotency key.
    /// Without one it does not refuse a duplicate: it reports it.
    ///
    /// # Errors
    ///
    /// When the store does not work. Within: when nothing is committed now; see
    /// [`NotCommitted`].
    pub(crate) async fn reserve(
        &self,
        command: ReserveCommand,
    ) -> Result<Result<Changed<Committed>, NotCommitted>, StoreError> {
        match self {
            Self::Own(store) => store.transaction(|state| state.reserve(command)).await,
            Self::Database(store) => Box::pin(store.reserve(command)).await,
        }
    }

    /// What was decided under a key; void from now on if nothing was. `request` is the
    /// commit of the naive request that would have this id.
    ///
    /// # Errors
    ///
    /// When the store does not work. Within: when it has no decision to tell, and cannot be
    /// made void.
    pub(crate) async fn settle(
        &self,
        key: &IdempotencyKey,
        request: CommitKey,
        now: UnixMillis,
        at: Instant,
        settle: Settle,
    ) -> Result<Result<Changed<Settled>, NotSettled>, StoreError> {
        match self {
            Self::Own(store) => {
                store.transaction(|state| state.settle(key, request, now, at, settle)).await
            }
            Self::Database(store) => Box::pin(store.settle(key, request, now, at, settle)).await,
        }
    }

    /// Some keys and what is remembered under them at this time, by key, after this one.
    ///
    /// # Errors
    ///
    /// When the store does not work.
    pub(crate) async fn keys(
        &self,
        after: Option<&IdempotencyKey>,
        limit: usize,
        now: UnixMillis,
    ) -> Result<Vec<KeyRecord>, StoreError> {
        match self {
            Self::Own(store) => store.read(|state| state.keys(after, limit, now)).await,
            Self::Database(store) => Box::pin(store.keys(after, limit, now)).await,
        }
    }

    /// Takes reservations back. A key under which one was made is cancelled in the same step;
    /// without a key it does nothing against a reservation that is still to come.
    ///
    /// # Errors
    ///
    /// When the store does not work. Within: when there is none.
    pub(crate) async fn cancel(
        &self,
        which: Which,
    ) -> Result<Result<Changed<Cancelled>, NothingToCancel>, StoreError> {
        match self {
            Self::Own(store) => store.transaction(|state| state.cancel(which)).await,
            Self::Database(store) => Box::pin(store.cancel(which)).await,
        }
    }

    /// Adds all pieces or none, and gives the stock after that.
    ///
    /// # Errors
    ///
    /// When the store does not work. Within: as
    /// [`Stock::deliver`](crate::stock::Stock::deliver); nothing has changed then.
    pub(crate) async fn deliver(
        &self,
        item: &str,
        quantity: i64,
    ) -> Result<Result<Changed<(StockChange, Snapshot)>, DeliverError>, StoreError> {
        match self {
            Self::Own(store) => store.transaction(|state| state.deliver(item, quantity)).await,
            Self::Database(store) => Box::pin(store.deliver(item, quantity)).await,
        }
    }

    /// Returns to the initial stock, with no reservations. Commits are remembered.
    ///
    /// # Errors
    ///
    /// When the store does not work.
    pub(crate) async fn reset(&self) -> Result<Changed<Snapshot>, StoreError> {
        match self {
            Self::Own(store) => {
                let reset = store.transaction(|state| Ok::<_, Infallible>(state.reset()));
                let Ok(changed) = reset.await?;
                Ok(changed)
            }
            Self::Database(store) => Box::pin(store.reset()).await,
        }
    }

    /// Pieces left of one item now. Whoever computes from that later does not see what
    /// changes in between.
    ///
    /// # Errors
    ///
    /// When the store does not work.
    pub(crate) async fn left_of(&self, item: &str) -> Result<u64, StoreError> {
        match self {
            Self::Own(store) => store.read(|state| state.left_of(item)).await,
            Self::Database(store) => Box::pin(store.left_of(item)).await,
        }
    }

    /// Changes a price if its condition holds; see [`Condition`].
    ///
    /// # Errors
    ///
    /// When the store does not work. Within: when there is no such item, or the condition
    /// does not hold.
    pub(crate) async fn change_price(
        &self,
        item: &str,
        price: u64,
        condition: &Condition,
    ) -> Result<Result<Changed<PriceChange>, PriceError>, StoreError> {
        match self {
            Self::Own(store) => {
                store.transaction(|state| state.change_price(item, price, condition)).await
            }
            Self::Database(store) => Box::pin(store.change_price(item, price, condition)).await,
        }
    }

    /// The price of an item, if there is such an item.
    ///
    /// # Errors
    ///
    /// When the store does not work.
    pub(crate) async fn price(&self, item: &str) -> Result<Option<Priced>, StoreError> {
        match self {
            Self::Own(store) => store.read(|state| state.price(item)).await,
            Self::Database(store) => Box::pin(store.price(item)).await,
        }
    }

    /// The stock and the number of reservations.
    ///
    /// # Errors
    ///
    /// When the store does not work.
    pub(crate) async fn state(&self) -> Result<Snapshot, StoreError> {
        match self {
            Self::Own(store) => store.read(InventoryState::snapshot).await,
            Self::Database(store) => Box::pin(store.state()).await,
        }
    }

    /// Whether nobody holds a lock now.
    #[cfg(test)]
    pub(crate) fn is_unlocked(&self) -> bool {
        match self {
            Self::Own(Own::Memory(store)) => store.is_unlocked(),
            Self::Own(Own::File(store)) => store.is_unlocked(),
            Self::Database(_) => true,
        }
    }
}

impl Own {
    async fn transaction<T, E>(
        &self,
        operation: impl FnOnce(&mut InventoryState) -> Result<T, E>,
    ) -> Result<Result<Changed<T>, E>, StoreError> {
        match self {
            Self::Memory(store) => Ok(store.transaction(operation)),
            Self::File(store) => store.transaction(operation).await,
        }
    }

    async fn read<T>(&self, operation: impl FnOnce(&InventoryState) -> T) -> Result<T, StoreError> {
        match self {
            Self::Memory(store) => Ok(store.read(operation)),
            Self::File(store) => store.read(operation).await,
        }
    }
}

#[cfg(test)]
mod cancel_tests;
#[cfg(test)]
mod script;
