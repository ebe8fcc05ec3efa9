//! The store in a PostgreSQL database, which several inventories may share.
//!
//! The rules are those of memory: a transaction locks and reads the few rows that an operation
//! is about, decides with the same [`InventoryState`], and writes back what has changed. Rows
//! are locked in one order (key, reservation, stock), so that two transactions do not wait for
//! each other.

mod rows;
mod statements;

use std::future::Future;
use std::sync::{Mutex, OnceLock, PoisonError};

use campuscafe_cures::decisions::Bounds;
use campuscafe_cures::versions::Condition;
use campuscafe_cures::{IdempotencyKey, UnixMillis};
use campuscafe_database::{
    Database, DatabaseUrl, Error, Failed, Limits, MigrateError, Migration, Transaction,
};
use campuscafe_telemetry::Metrics;
use tokio::time::Instant;

use super::file::StoreErrors;
use super::keyed::KeyRecord;
use super::memory::InventoryState;
use super::reservations::Which;
use super::turn::{Changed, Turns};
use super::{
    Cancelled, Committed, NotCommitted, NotSettled, NothingToCancel, Reason, ReserveCommand,
    Settle, Settled, Snapshot, StoreError,
};
use crate::history::CommitKey;
use crate::price_list::{PriceChange, PriceError, Priced};
use crate::stock::{DeliverError, InitialStock, StockChange};

use rows::Loaded;

/// Its schema in the database.
const SCHEMA: &str = "inventory";

const MIGRATIONS: [Migration; 1] = [Migration(include_str!("database/1.sql"))];

/// A stock in a database.
#[derive(Debug)]
pub(crate) struct DatabaseInventory {
    database: Database,
    initial: InitialStock,
    bounds: Bounds,
    now: fn() -> UnixMillis,
    turns: Mutex<Turns>,
    errors: StoreErrors,
    /// None until it is prepared.
    settings: OnceLock<Settings>,
}

/// What the database says of itself, apart from its rows.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Settings {
    /// Request ids become hashes with it: the same in every inventory over this stock.
    pub(crate) secret: u128,
    /// Keys of orders that were taken until then count as expired.
    expired_until: Option<UnixMillis>,
}

impl DatabaseInventory {
    /// Nothing is sent yet.
    pub(crate) fn new(
        url: &DatabaseUrl,
        (connections, limits): (usize, Limits),
        initial: InitialStock,
        bounds: Bounds,
        now: fn() -> UnixMillis,
        metrics: &Metrics,
    ) -> Self {
        // There is no need to bound keys by this machine's memory.
        let bounds = Bounds { keys: usize::MAX, voids: usize::MAX, ..bounds };
        Self {
            database: Database::new(url, SCHEMA, connections, limits, metrics),
            initial,
            bounds,
            now,
            turns: Mutex::default(),
            errors: StoreErrors::new(metrics),
            settings: OnceLock::new(),
        }
    }

    /// Brings the schema up to date, and adds items that have no row yet. Call it until it
    /// succeeds; before that no operation does. Call it again when tables are missing.
    pub(crate) async fn prepare(&self) -> Result<Settings, MigrateError> {
        self.database.migrate(&MIGRATIONS).await?;
        let now = (self.now)();
        let secret = self.settings.get().map(|settings| settings.secret);
        let prepared = self.database.transaction(|transaction| async move {
            rows::add_items(&transaction, &self.initial).await?;
            rows::settings(&transaction, self.bounds.horizon, now, secret).await
        });
        let settings =
            prepared.await.map_err(|failed| MigrateError::Unavailable(failed.error().reason()))?;
        Ok(*self.settings.get_or_init(|| settings))
    }

    /// Removes what is older than a key may be. Returns whether there may be more of it.
    pub(crate) async fn forget(&self) -> Result<bool, StoreError> {
        let (now, horizon) = ((self.now)(), self.bounds.horizon);
        self.transaction(
            |transaction| async move { rows::forget(&transaction, now, horizon).await },
        )
        .await
    }

    pub(crate) async fn reserve(
        &self,
        command: ReserveCommand,
    ) -> Result<Result<Changed<Committed>, NotCommitted>, StoreError> {
        let command = &command;
        let work = |transaction: Transaction| async move {
            let mut loaded = self.load(transaction, command.now);
            let decided = match &command.once {
                Some(once) => loaded.key(&once.key).await?,
                None => false,
            };
            loaded.commits(command.key, command.at).await?;
            if !decided {
                loaded.stock_of(&command.item_id).await?;
            }
            let result = loaded.state.reserve(command.clone());
            let result = result.map(|committed| Committed { keys: None, ..committed });
            loaded.save(Some(command.key)).await?;
            Ok(result)
        };
        let result = match self.database.transaction(work).await {
            Err(Failed::Unknown(error, result)) => self.learn(command, &work, error, result).await,
            other => other,
        };
        Ok(self.in_turn(self.counted(result)?))
    }

    /// What became of a commit whose answer was lost. A reservation that is there is ours: nobody
    /// else has its id. If it is not there, the commit may still be under way; under a key it is
    /// safe to try again, because the database lets one of the two in.
    async fn learn<T, F>(
        &self,
        command: &ReserveCommand,
        work: impl Fn(Transaction) -> F,
        error: Error,
        result: T,
    ) -> Result<T, Failed<T>>
    where
        F: Future<Output = Result<T, Error>>,
    {
        let id = command.reservation_id;
        let found = self
            .database
            .transaction(|transaction| async move { rows::is_there(&transaction, id).await });
        match found.await {
            Ok(true) => Ok(result),
            _ if command.once.is_some() => {
                let again = self.database.transaction(work).await;
                again.map_err(|_| Failed::Unknown(error, result))
            }
            _ => Err(Failed::Unknown(error, result)),
        }
    }

    pub(crate) async fn settle(
        &self,
        key: &IdempotencyKey,
        request: CommitKey,
        now: UnixMillis,
        at: Instant,
        settle: Settle,
    ) -> Result<Result<Changed<Settled>, NotSettled>, StoreError> {
        let settled = self.transaction(|transaction| async move {
            let mut loaded = self.load(transaction, now);
            // In this order: a request that commits in between has a key that is seen.
            loaded.commits(request, at).await?;
            loaded.key(key).await?;
            if settle == Settle::Cancel
                && let Some(kept) = loaded.reserved_under(key)
            {
                loaded.reservation(kept.id).await?;
                loaded.stock_of(&kept.item).await?;
            }
            let result = loaded.state.settle(key, request, now, at, settle);
            let result = result.map(|settled| Settled { keys: None, ..settled });
            loaded.save(None).await?;
            Ok(result)
        });
        Ok(self.in_turn(settled.await?))
    }

    pub(crate) async fn cancel(
        &self,
        which: Which,
    ) -> Result<Result<Changed<Cancelled>, NothingToCancel>, StoreError> {
        let now = (self.now)();
        let cancelled = self.transaction(|transaction| async move {
            let mut loaded = self.load(transaction, now);
            let items = match which {
                Which::Reservation(id) => {
                    // The key is locked first, as everywhere.
                    if let Some(key) = loaded.key_of(id).await? {
                        loaded.key(&key).await?;
                    }
                    loaded.reservation(id).await?
                }
                Which::OfRequest(request) => loaded.reservations_of(request).await?,
            };
            for item in items {
                loaded.stock_of(&item).await?;
            }
            let result = loaded.state.cancel(which);
            loaded.save(None).await?;
            Ok(result)
        });
        Ok(self.in_turn(cancelled.await?))
    }

    pub(crate) async fn deliver(
        &self,
        item: &str,
        quantity: i64,
    ) -> Result<Result<Changed<(StockChange, Snapshot)>, DeliverError>, StoreError> {
        let now = (self.now)();
        let delivered = self.transaction(|transaction| async move {
            let mut loaded = self.load(transaction, now);
            loaded.stock().await?;
            let result = loaded.state.deliver(item, quantity);
            loaded.save(None).await?;
            Ok(result)
        });
        Ok(self.in_turn(delivered.await?))
    }

    pub(crate) async fn reset(&self) -> Result<Changed<Snapshot>, StoreError> {
        let now = (self.now)();
        let reset = self.transaction(|transaction| async move {
            let mut loaded = self.load(transaction, now);
            loaded.stock().await?;
            let snapshot = loaded.state.reset();
            loaded.save(None).await?;
            Ok(snapshot)
        });
        Ok(self.next(reset.await?))
    }

    pub(crate) async fn change_price(
        &self,
        item: &str,
        price: u64,
        condition: &Condition,
    ) -> Result<Result<Changed<PriceChange>, PriceError>, StoreError> {
        let now = (self.now)();
        let changed = self.transaction(|transaction| async move {
            let mut loaded = self.load(transaction, now);
            loaded.price(item).await?;
            let result = loaded.state.change_price(item, price, condition);
            loaded.save(None).await?;
            Ok(result)
        });
        Ok(self.in_turn(changed.await?))
    }

    pub(crate) async fn price(&self, item: &str) -> Result<Option<Priced>, StoreError> {
        let now = (self.now)();
        self.transaction(|transaction| async move {
            let mut loaded = self.load(transaction, now);
            loaded.price(item).await?;
            Ok(loaded.state.price(item))
        })
        .await
    }

    pub(crate) async fn state(&self) -> Result<Snapshot, StoreError> {
        let initial = &self.initial;
        self.transaction(|transaction| async move { rows::snapshot(&transaction, initial).await })
            .await
    }

    pub(crate) async fn left_of(&self, item: &str) -> Result<u64, StoreError> {
        let snapshot = self.state().await?;
        Ok(snapshot.left.get(&item.to_lowercase()).copied().unwrap_or_default())
    }

    pub(crate) async fn keys(
        &self,
        after: Option<&IdempotencyKey>,
        limit: usize,
        now: UnixMillis,
    ) -> Result<Vec<KeyRecord>, StoreError> {
        self.transaction(|transaction| async move {
            let mut loaded = self.load(transaction, now);
            loaded.keys_after(after, limit).await?;
            Ok(loaded.state.keys(None, limit, now))
        })
        .await
    }

    /// How many keys are remembered, if they are fewer than 200,000.
    pub(crate) async fn count_keys(&self) -> Result<usize, StoreError> {
        self.transaction(|transaction| async move { rows::count_keys(&transaction).await }).await
    }

    fn load(&self, transaction: Transaction, now: UnixMillis) -> Loaded {
        let mut state = InventoryState::new(self.initial.clone(), self.bounds);
        let expired_until = self.settings.get().and_then(|settings| settings.expired_until);
        state.restore_times(now, expired_until);
        Loaded::new(transaction, state, self.bounds, now)
    }

    async fn transaction<T, F>(&self, work: impl Fn(Transaction) -> F) -> Result<T, StoreError>
    where
        F: Future<Output = Result<T, Error>>,
    {
        self.counted(self.database.transaction(work).await)
    }

    fn counted<T>(&self, result: Result<T, Failed<T>>) -> Result<T, StoreError> {
        result.map_err(|failed| {
            self.errors.count(match failed {
                Failed::NotDone(error) => {
                    tracing::debug!(%error, "The database did not do a transaction");
                    StoreError::Unavailable(Reason::Database(error.reason()))
                }
                Failed::Unknown(error, _) => {
                    tracing::debug!(%error, "The database did not answer to a commit");
                    StoreError::Unknown(Reason::Database(error.reason()))
                }
            })
        })
    }

    /// Evidence in the order in which this process heard of its commits.
    fn in_turn<T, E>(&self, result: Result<T, E>) -> Result<Changed<T>, E> {
        result.map(|change| self.next(change))
    }

    fn next<T>(&self, change: T) -> Changed<T> {
        self.turns.lock().unwrap_or_else(PoisonError::into_inner).next(change)
    }
}

#[cfg(test)]
mod tests;
