//! The store in a file: the same values in memory, and every change as rows of a file.
//!
//! An answer leaves when what it tells is durable. That holds for a refusal and for the state
//! as well: they tell what others have changed, and a crash must not take that back.

use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};

use campuscafe_cures::UnixMillis;
use campuscafe_cures::decisions::Bounds;
use campuscafe_file_store::{FileStore, Ticket, WriteError};
use campuscafe_telemetry::{Counter, Metric, Metrics};

use super::memory::{InventoryState, Locked};
use super::rows::{self, FORMAT, LoadError, Loaded};
use super::turn::Changed;
use super::{Reason, Snapshot, StoreError};
use crate::stock::InitialStock;

/// The name of the file, without its ending.
const NAME: &str = "inventory";

const ERRORS: Metric = Metric {
    name: "inventory_store_errors_total",
    help: "Requests for which the store did not do its work, by why, and by whether it is known \
           that nothing was changed (not_done) or not (unknown).",
};

/// A stock in memory and in a file.
#[derive(Debug)]
pub(crate) struct FileInventory {
    file: FileStore,
    locked: Mutex<Locked>,
    setup: Setup,
    errors: StoreErrors,
}

/// What the values begin with.
#[derive(Debug, Clone)]
struct Setup {
    initial: InitialStock,
    bounds: Bounds,
    now: fn() -> UnixMillis,
    secret: u128,
}

/// The requests for which the store did not do its work.
pub(crate) struct StoreErrors([[Counter; 2]; Reason::ALL.len()]);

impl std::fmt::Debug for StoreErrors {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("StoreErrors").finish_non_exhaustive()
    }
}

/// What was found when a file was opened.
#[derive(Debug)]
pub(crate) struct Found {
    /// Request ids become hashes with it: the same after a restart.
    pub(crate) secret: u128,
    /// Whether the file was made just now.
    pub(crate) is_new: bool,
    /// Items of the file that the initial stock does not name.
    pub(crate) unknown_items: Vec<String>,
    pub(crate) snapshot: Snapshot,
    pub(crate) keys: usize,
}

impl FileInventory {
    /// Opens the file of a directory, and reads the stock from it. It blocks, so it is meant
    /// for the start. `now` is the time of day.
    pub(crate) fn open(
        directory: &Path,
        initial: InitialStock,
        bounds: Bounds,
        now: fn() -> UnixMillis,
        metrics: &Metrics,
    ) -> Result<(Self, Found), LoadError> {
        let file = FileStore::open(directory, NAME, FORMAT)?;
        Self::in_file(file, initial, bounds, now, metrics)
    }

    /// The same in a file that is open.
    pub(super) fn in_file(
        file: FileStore,
        initial: InitialStock,
        bounds: Bounds,
        now: fn() -> UnixMillis,
        metrics: &Metrics,
    ) -> Result<(Self, Found), LoadError> {
        let loaded = rows::load(&file, &initial, bounds, now(), rand::random())?;
        let Loaded { mut state, secret, unknown_items, is_new, mut rows } = loaded;
        state.note_touched();
        if is_new {
            // What the stock began with is part of what the file must tell.
            state.touch_stock();
            rows.extend(rows::changed(&mut state, now()));
        }
        // They are the first rows that wait, so they are there before the first answer.
        drop(file.write(rows));
        let found = Found {
            secret,
            is_new,
            unknown_items,
            snapshot: state.snapshot(),
            keys: state.decisions().len(),
        };
        let setup = Setup { initial, bounds, now, secret };
        let locked = Mutex::new(Locked::new(state));
        Ok((Self { file, locked, setup, errors: StoreErrors::new(metrics) }, found))
    }

    /// One transaction: checks and changes in one step, and returns when that is durable.
    pub(super) async fn transaction<T, E>(
        &self,
        operation: impl FnOnce(&mut InventoryState) -> Result<T, E>,
    ) -> Result<Result<Changed<T>, E>, StoreError> {
        if self.file.is_busy() {
            return Err(self.errors.count(StoreError::Unavailable(Reason::FileBusy)));
        }
        let now = (self.setup.now)();
        let (result, ticket) = {
            let mut locked = self.lock();
            let result = operation(&mut locked.state);
            let ticket = self.file.write(rows::changed(&mut locked.state, now));
            (result.map(|change| locked.turns.next(change)), ticket)
        };
        self.durable(ticket).await?;
        Ok(result)
    }

    /// Reads what is durable.
    pub(super) async fn read<T>(
        &self,
        operation: impl FnOnce(&InventoryState) -> T,
    ) -> Result<T, StoreError> {
        let (read, ticket) = {
            let locked = self.lock();
            (operation(&locked.state), self.file.write(Vec::new()))
        };
        self.durable(ticket).await.map_err(|error| match error {
            // A read changes nothing.
            StoreError::Unknown(reason) => StoreError::Unavailable(reason),
            error @ StoreError::Unavailable(_) => error,
        })?;
        Ok(read)
    }

    async fn durable(&self, ticket: Ticket) -> Result<(), StoreError> {
        ticket.durable().await.map_err(|error| {
            self.errors.count(match error {
                WriteError::NotWritten(_) => StoreError::Unavailable(Reason::FileFailed),
                WriteError::Unknown(_) => StoreError::Unknown(Reason::FileFailed),
            })
        })
    }

    /// Resolves when a commit has failed: the values in memory are ahead of the file then.
    pub(crate) async fn failed(&self) {
        self.file.failed().await;
    }

    /// Replaces the values by those of the file, and goes on. It blocks.
    ///
    /// # Errors
    ///
    /// When the file still cannot be written.
    pub(crate) fn recover(&self) -> Result<Snapshot, LoadError> {
        let Setup { initial, bounds, now, secret } = &self.setup;
        let recovery = self.file.recover()?;
        // They are ahead of the file, and both would not fit into a small machine. Whoever
        // meets the empty ones is refused all the same.
        self.lock().state = InventoryState::new(initial.clone(), *bounds);
        let Loaded { mut state, rows, .. } =
            rows::load(&recovery, initial, *bounds, now(), *secret)?;
        state.note_touched();
        let snapshot = state.snapshot();
        let mut locked = self.lock();
        locked.state = state;
        recovery.resume();
        drop(self.file.write(rows));
        Ok(snapshot)
    }

    #[cfg(test)]
    pub(super) fn is_unlocked(&self) -> bool {
        self.locked.try_lock().is_ok()
    }

    /// No operation can leave the values half written, so poison is no danger.
    fn lock(&self) -> MutexGuard<'_, Locked> {
        self.locked.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl StoreErrors {
    /// Every series is there from the start, with any store.
    pub(crate) fn new(metrics: &Metrics) -> Self {
        let counter = |reason: Reason, result| {
            metrics.counter(ERRORS, &[("reason", reason.as_str()), ("result", result)])
        };
        Self(
            Reason::ALL.map(|reason| ["not_done", "unknown"].map(|result| counter(reason, result))),
        )
    }

    pub(super) fn count(&self, error: StoreError) -> StoreError {
        let (reason, result) = match error {
            StoreError::Unavailable(reason) => (reason, 0),
            StoreError::Unknown(reason) => (reason, 1),
        };
        for (_, counters) in Reason::ALL.iter().zip(&self.0).filter(|(of, _)| **of == reason) {
            counters[result].increment(1);
        }
        error
    }
}

#[cfg(test)]
mod tests;
