//! Orders in a file. The rules work in memory, under a lock; the rows of what changed are
//! queued under the same lock, and every answer waits until they are durable.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use campuscafe_cures::decisions::Bounds;
use campuscafe_cures::order::NothingToCancel;
use campuscafe_cures::{IdempotencyKey, OrderId, OrderState, Replica, UnixMillis};
use campuscafe_file_store::{FileStore, OpenError, Ticket, WriteError};
use tokio::time::timeout;

use crate::orders::{Begun, NotBegun, Order, Orders};

use super::Unavailable;
use super::fingerprint::Fingerprints;
use super::rows::{self, FORMAT, Identity, RestoreError, Restored};
use super::state::State;

/// The name of the file, without its ending.
const NAME: &str = "order";

/// Why there is no store.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum FileError {
    /// The file cannot be opened.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// Its rows cannot be used.
    #[error(transparent)]
    Restore(#[from] RestoreError),
}

/// The orders under a lock, and the file that holds them.
#[derive(Debug)]
pub(crate) struct FileOrders {
    file: FileStore,
    state: Mutex<Recorded>,
    fingerprints: Fingerprints,
    identity: Identity,
    bounds: Bounds,
}

#[derive(Debug)]
struct Recorded {
    orders: State,
    /// What is queued and not known to be durable, each under a number of its own. Whoever
    /// queued it has told nobody of it.
    unconfirmed: BTreeMap<u64, Unconfirmed>,
    numbers: u64,
    /// What nobody was told of and nobody works on, although it may be in the file.
    abandoned: BTreeSet<Unconfirmed>,
    /// Why the last commit failed.
    failure: Option<WriteError>,
}

/// What an operation began.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Unconfirmed {
    Order(OrderId),
    Cancel(OrderId),
}

impl FileOrders {
    /// Opens the file in a directory; makes both if they are not there.
    ///
    /// # Errors
    ///
    /// When the file cannot be used.
    pub(super) fn open(
        directory: &Path,
        bounds: Bounds,
        now: UnixMillis,
    ) -> Result<Self, FileError> {
        Self::of(FileStore::open(directory, NAME, FORMAT)?, bounds, now)
    }

    /// The orders that a file holds. The process that left them has ended, and so have their
    /// attempts.
    pub(super) fn of(file: FileStore, bounds: Bounds, now: UnixMillis) -> Result<Self, FileError> {
        let restored = rows::restore(&file, bounds, &BTreeSet::new())?;
        let Restored { orders, identity, .. } = restored;
        let new =
            || Identity { replica: Replica(rand::random()), secret: rand::random(), starts: 0 };
        let mut identity = identity.unwrap_or_else(new);
        identity.starts += 1;
        let mut orders = State::new(orders);
        let ((), changes) = orders.apply(|orders| orders.interrupt(now));
        let mut rows = rows::changed(&orders.orders, &changes);
        rows.push(rows::of_identity(identity));
        // Whoever asks first waits until this is durable.
        drop(file.write(rows));
        let state = Mutex::new(Recorded {
            orders,
            unconfirmed: BTreeMap::new(),
            numbers: 0,
            abandoned: BTreeSet::new(),
            failure: None,
        });
        let fingerprints = Fingerprints::new(identity.secret);
        Ok(Self { file, state, fingerprints, identity, bounds })
    }

    pub(super) const fn replica(&self) -> Replica {
        self.identity.replica
    }

    pub(super) async fn begin(
        &self,
        id: OrderId,
        order: Order,
        key: Option<&IdempotencyKey>,
        now: UnixMillis,
    ) -> Result<Result<Begun, NotBegun>, Unavailable> {
        let once = key.map(|key| (key, self.fingerprints.of(&order)));
        let begun = |begun: &Result<_, _>| {
            matches!(begun, Ok(Begun::New)).then_some(Unconfirmed::Order(id))
        };
        self.begin_work(|orders| orders.begin(id, order, once, now), begun).await
    }

    pub(super) async fn begin_cancel(
        &self,
        id: OrderId,
        now: UnixMillis,
    ) -> Result<Option<Result<(OrderState, Order), NothingToCancel>>, Unavailable> {
        let begun = |_: &_| Some(Unconfirmed::Cancel(id));
        self.begin_work(|orders| orders.begin_cancel(id, now), begun).await
    }

    /// A transaction after which somebody works on an order. If it fails, nobody does, though
    /// it may be in the file.
    async fn begin_work<T>(
        &self,
        change: impl FnOnce(&mut Orders) -> T,
        begun: impl FnOnce(&T) -> Option<Unconfirmed>,
    ) -> Result<T, Unavailable> {
        let (done, number, ticket) = {
            let mut state = self.recorded();
            let (done, ticket) = self.queue(&mut state, change)?;
            let number = begun(&done).map(|begun| state.note(begun));
            (done, number, ticket)
        };
        self.durable(ticket).await?;
        // A commit that failed later may have made an end of it in between.
        let confirmed = number.is_none_or(|number| self.recorded().confirm(number));
        if confirmed { Ok(done) } else { Err(Unavailable::File) }
    }

    pub(super) async fn transaction<T>(
        &self,
        change: impl FnOnce(&mut Orders) -> T,
    ) -> Result<T, Unavailable> {
        let (done, ticket) = self.queue(&mut self.recorded(), change)?;
        self.durable(ticket).await?;
        Ok(done)
    }

    /// A change of which nobody is told: it does not wait.
    pub(super) fn note(&self, change: impl FnOnce(&mut Orders)) {
        let queued = self.queue(&mut self.recorded(), change);
        drop(queued);
    }

    /// What the orders are, when that is durable.
    pub(crate) async fn read<T>(&self, look: impl FnOnce(&Orders) -> T) -> Result<T, Unavailable> {
        let (found, ticket) = {
            let state = self.recorded();
            (look(&state.orders.orders), self.file.write(Vec::new()))
        };
        self.durable(ticket).await?;
        Ok(found)
    }

    /// What the orders are now. Nobody may be told of it.
    pub(super) fn peek<T>(&self, look: impl FnOnce(&Orders) -> T) -> T {
        look(&self.recorded().orders.orders)
    }

    pub(super) async fn placed(
        &self,
        id: OrderId,
        limit: Duration,
    ) -> Result<Option<Order>, Unavailable> {
        let placed = self.recorded().orders.wait_until_placed(id);
        if let Some(placed) = placed {
            // As it stands, if the time is up.
            let _ = timeout(limit, placed).await;
        }
        self.read(|orders| orders.get(id).cloned()).await
    }

    /// Resolves when a commit has failed: why.
    pub(crate) async fn failed(&self) -> String {
        self.file.failed().await;
        let failure = self.recorded().failure.take();
        failure.map_or_else(|| "a commit failed".to_owned(), |failure| failure.to_string())
    }

    /// Reads the orders anew after a commit that failed: in memory they are ahead of the file.
    /// Nobody is told of an order that was not confirmed, nothing was sent for it, and it is
    /// removed, together with its customer's key.
    ///
    /// # Errors
    ///
    /// When the file cannot be used yet.
    pub(crate) async fn recover(&self, now: UnixMillis) -> Result<(), String> {
        let abandoned = self.recorded().abandon();
        let without = abandoned.iter().filter_map(|it| match it {
            Unconfirmed::Order(id) => Some(*id),
            Unconfirmed::Cancel(_) => None,
        });
        let (file, bounds, without) = (self.file.clone(), self.bounds, without.collect());
        let reading = tokio::task::spawn_blocking(move || {
            let recovery = file.recover().map_err(|error| error.to_string())?;
            let restored = rows::restore(&recovery, bounds, &without);
            Ok::<_, String>((recovery, restored.map_err(|error| error.to_string())?))
        });
        let (recovery, restored) = reading.await.map_err(|error| error.to_string())??;
        let Restored { orders, removals, identity } = restored;
        // Then nothing of this process is in the file.
        let has_started = identity.is_some_and(|it| it.starts == self.identity.starts);
        let ticket = {
            let mut state = self.recorded();
            state.orders.replace(orders);
            let ((), changes) = state.orders.apply(|orders| {
                for begun in &abandoned {
                    if let Unconfirmed::Cancel(id) = begun {
                        orders.give_up_cancel(*id);
                    }
                }
                if !has_started {
                    orders.interrupt(now);
                }
            });
            let mut rows = rows::changed(&state.orders.orders, &changes);
            rows.extend(removals);
            rows.push(rows::of_identity(self.identity));
            recovery.resume();
            self.file.write(rows)
        };
        ticket.durable().await.map_err(|error| error.to_string())?;
        self.recorded().abandoned.retain(|it| !abandoned.contains(it));
        Ok(())
    }

    fn queue<T>(
        &self,
        state: &mut Recorded,
        change: impl FnOnce(&mut Orders) -> T,
    ) -> Result<(T, Ticket), Unavailable> {
        if !self.file.takes_rows() || self.file.is_busy() {
            return Err(Unavailable::File);
        }
        let (done, changes) = state.orders.apply(change);
        Ok((done, self.file.write(rows::changed(&state.orders.orders, &changes))))
    }

    async fn durable(&self, ticket: Ticket) -> Result<(), Unavailable> {
        ticket.durable().await.map_err(|error| {
            self.recorded().failure.get_or_insert(error);
            Unavailable::File
        })
    }

    /// The lock is held for a few instructions, never across an await. Its holders cannot
    /// leave an order half written, so poison is no danger.
    fn recorded(&self) -> MutexGuard<'_, Recorded> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Recorded {
    fn note(&mut self, begun: Unconfirmed) -> u64 {
        self.numbers += 1;
        self.unconfirmed.insert(self.numbers, begun);
        self.numbers
    }

    /// It is durable; false if it was abandoned before.
    fn confirm(&mut self, number: u64) -> bool {
        self.unconfirmed.remove(&number).is_some()
    }

    /// Makes an end of everything that is not confirmed: all that is abandoned.
    fn abandon(&mut self) -> BTreeSet<Unconfirmed> {
        let unconfirmed = std::mem::take(&mut self.unconfirmed);
        self.abandoned.extend(unconfirmed.into_values());
        self.abandoned.clone()
    }
}

#[cfg(test)]
pub(super) mod tests;
