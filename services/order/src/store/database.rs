//! Orders in a PostgreSQL database, which several order services may share.
//!
//! The rules are those of memory: a transaction locks and reads the row that an operation is
//! about, applies the same [`Orders`], and writes back what has changed. Whichever process has
//! brought an order to its state works on it. Each process has a lease; when it is not renewed,
//! the orders that its process has left behind are taken over, by one of the others.

mod rows;
mod statements;

use std::collections::{BTreeMap, BTreeSet};
use std::future::Future;
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use campuscafe_cures::decisions::Bounds;
use campuscafe_cures::order::NothingToCancel;
use campuscafe_cures::{IdempotencyKey, OrderId, OrderState, UnixMillis};
use campuscafe_database::{
    Database, DatabaseUrl, Error, Failed, Limits, MigrateError, Migration, Reason, Transaction,
};
use campuscafe_telemetry::Metrics;
use tokio::time::{Instant, sleep};
use uuid::Uuid;

use super::Unavailable;
use super::fingerprint::Fingerprints;
use crate::orders::{Begun, DURABLE_CUSTOMERS_KEYS, Message, NotBegun, Order, Orders, Question};

use rows::{Write, find, find_key, read, signed, unsigned, write, write_keys};
use statements as sql;

/// Its schema in the database.
const SCHEMA: &str = "orders";

const MIGRATIONS: [Migration; 1] = [Migration(include_str!("database/1.sql"))];

/// How often somebody who waits for another process looks.
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// For how long a commit that was sent may still be done: its server may have been stopped.
const MAY_COME: Duration = Duration::from_secs(10);

/// Orders in a database.
#[derive(Debug)]
pub(crate) struct DatabaseOrders {
    database: Database,
    /// This process, among all that work on orders.
    process: i64,
    /// Of the fingerprints; none until it is prepared.
    secret: OnceLock<u128>,
    unknown: Mutex<(usize, Option<UnixMillis>)>,
    /// What was begun by a commit that nobody knows of, and when: nobody works on it, and it may
    /// be there.
    abandoned: Mutex<BTreeMap<Unconfirmed, Instant>>,
}

/// What an operation began.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Unconfirmed {
    Order(OrderId),
    Cancel(OrderId),
}

impl DatabaseOrders {
    /// Nothing is sent yet.
    pub(crate) fn new(
        url: &DatabaseUrl,
        (connections, limits): (usize, Limits),
        metrics: &Metrics,
    ) -> Self {
        Self {
            database: Database::new(url, SCHEMA, connections, limits, metrics),
            process: rand::random(),
            secret: OnceLock::new(),
            unknown: Mutex::default(),
            abandoned: Mutex::default(),
        }
    }

    /// Brings the schema up to date. Call it until it succeeds; before that no operation does.
    /// Call it again when tables are missing.
    pub(crate) async fn prepare(&self) -> Result<(), MigrateError> {
        self.database.migrate(&MIGRATIONS).await?;
        let process = self.process;
        // A database that was emptied gets the secret that is in use already.
        let new = self.secret.get().copied().unwrap_or_else(rand::random);
        let prepared = self.database.transaction(|transaction| async move {
            transaction.execute(sql::RENEW_LEASE, &[&process]).await?;
            transaction.secret(new).await
        });
        let secret =
            prepared.await.map_err(|failed| MigrateError::Unavailable(failed.error().reason()))?;
        self.secret.get_or_init(|| secret);
        Ok(())
    }

    pub(crate) fn is_prepared(&self) -> bool {
        self.secret.get().is_some()
    }

    pub(super) async fn begin(
        &self,
        id: OrderId,
        order: Order,
        key: Option<&IdempotencyKey>,
        now: UnixMillis,
    ) -> Result<Result<Begun, NotBegun>, Unavailable> {
        let Some(secret) = self.secret.get() else {
            return Err(Unavailable::Database(Reason::Unavailable));
        };
        let once = key.map(|key| (key, Fingerprints::new(*secret).of(&order)));
        let (order, process) = (&order, self.process);
        let work = |transaction: Transaction| async move {
            let mut keys = Vec::new();
            if let Some(key) = key {
                keys.extend(find_key(&transaction, key).await?.map(|it| (key.clone(), it)));
            }
            let is_there = !keys.is_empty();
            let mut orders = Orders::restore(BOUNDS, [], keys);
            let begun = orders.begin(id, order.clone(), once, now);
            let changes = orders.take_changes();
            write_keys(&transaction, &orders, &changes, is_there).await?;
            if matches!(begun, Ok(Begun::New)) {
                write(&transaction, id, order, Write::Insert(process)).await?;
            }
            Ok(begun)
        };
        let begun = match self.database.transaction(work).await {
            Err(Failed::Unknown(error, begun)) => self.learn_begun(id, work, error, begun).await,
            other => other,
        };
        if let Err(Failed::Unknown(..)) = &begun {
            self.abandoned().insert(Unconfirmed::Order(id), Instant::now());
        }
        // By the commit whose answer was lost.
        let is_this = |begun: Begun| if begun == Begun::Known(id) { Begun::New } else { begun };
        Ok(done(begun)?.map(is_this))
    }

    /// What became of a commit whose answer was lost. An order that is there is this one: no
    /// other has its id. If it is not there, the commit may still be under way; the database
    /// lets one of the two in.
    async fn learn_begun<T, F>(
        &self,
        id: OrderId,
        work: impl Fn(Transaction) -> F,
        error: Error,
        begun: T,
    ) -> Result<T, Failed<T>>
    where
        F: Future<Output = Result<T, Error>>,
    {
        let found = self.database.transaction(|transaction| async move {
            Ok(find(&transaction, sql::ORDER, id).await?.is_some())
        });
        match found.await {
            Ok(true) => Ok(begun),
            Ok(false) => {
                let again = self.database.transaction(work).await;
                again.map_err(|_| Failed::Unknown(error, begun))
            }
            Err(_) => Err(Failed::Unknown(error, begun)),
        }
    }

    pub(super) async fn begin_cancel(
        &self,
        id: OrderId,
        now: UnixMillis,
    ) -> Result<Option<Result<(OrderState, Order), NothingToCancel>>, Unavailable> {
        let begun = self.change_one(id, &|orders| orders.begin_cancel(id, now)).await;
        if let Err(Failed::Unknown(..)) = &begun {
            self.abandoned().insert(Unconfirmed::Cancel(id), Instant::now());
        }
        done(begun)
    }

    /// Changes one order.
    pub(super) async fn change<T>(
        &self,
        id: OrderId,
        change: impl Fn(&mut Orders) -> T,
    ) -> Result<T, Unavailable> {
        done(self.change_one(id, &change).await)
    }

    async fn change_one<T>(
        &self,
        id: OrderId,
        change: &impl Fn(&mut Orders) -> T,
    ) -> Result<T, Failed<T>> {
        let process = self.process;
        let work = |transaction: Transaction| async move {
            let found = find(&transaction, sql::LOCK_ORDER, id).await?;
            let before = found.as_ref().map(|(_, order)| order.clone());
            let mut orders = Orders::restore(BOUNDS, found, Vec::new());
            let changed = change(&mut orders);
            if let (Some(before), Some(after)) = (&before, orders.get(id))
                && before != after
            {
                let owner = (before.state != after.state).then_some(process);
                write(&transaction, id, after, Write::Update(owner)).await?;
            }
            Ok(changed)
        };
        self.database.transaction(work).await
    }

    /// If it is not known whether the messages count as sent, they are sent: it may be once more.
    pub(super) async fn untold(&self, id: OrderId) -> Result<Vec<Message>, Unavailable> {
        match self.change_one(id, &|orders| orders.untold(id)).await {
            Err(Failed::Unknown(_, messages)) => Ok(messages),
            other => done(other),
        }
    }

    /// Looks again and again, because another process may place it.
    pub(super) async fn placed(
        &self,
        id: OrderId,
        limit: Duration,
    ) -> Result<Option<Order>, Unavailable> {
        let deadline = Instant::now() + limit;
        loop {
            let order = self.get(id).await?;
            let is_placing = order.as_ref().is_some_and(|it| it.state == OrderState::Placing);
            if !is_placing || Instant::now() + LOOK_EVERY >= deadline {
                return Ok(order);
            }
            sleep(LOOK_EVERY).await;
        }
    }

    pub(super) async fn get(&self, id: OrderId) -> Result<Option<Order>, Unavailable> {
        self.transaction(|transaction| async move {
            Ok(find(&transaction, sql::ORDER, id).await?.map(|(_, order)| order))
        })
        .await
    }

    pub(super) async fn list(
        &self,
        state: Option<OrderState>,
        after: Option<OrderId>,
        limit: usize,
    ) -> Result<Vec<(OrderId, Order)>, Unavailable> {
        let after = after.map_or(Uuid::nil(), Uuid::from);
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        self.transaction(|transaction| async move {
            let rows = match state {
                None => transaction.query(sql::ORDERS, &[&after, &limit]).await?,
                Some(state) => {
                    let state = state.as_str();
                    transaction.query(sql::ORDERS_IN_STATE, &[&after, &limit, &state]).await?
                }
            };
            Ok(rows.iter().filter_map(read).collect())
        })
        .await
    }

    /// As they were when they were counted last.
    pub(super) fn unknown(&self) -> (usize, Option<UnixMillis>) {
        *self.unknown.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Says that this process is there, and counts its orders that are unknown.
    pub(crate) async fn renew_lease(&self) -> Result<(), Unavailable> {
        let process = self.process;
        let row = self.transaction(|transaction| async move {
            transaction.execute(sql::RENEW_LEASE, &[&process]).await?;
            transaction.query_first(sql::UNKNOWN, &[&process]).await
        });
        let counted = row.await?.map_or((0, None), |row| {
            let since: Option<i64> = row.get(1);
            (usize::try_from(row.get::<_, i64>(0)).unwrap_or_default(), since.map(unsigned))
        });
        *self.unknown.lock().unwrap_or_else(PoisonError::into_inner) = counted;
        Ok(())
    }

    /// This process ends: another takes its orders over at once.
    pub(crate) async fn end_lease(&self) -> Result<(), Unavailable> {
        let process = self.process;
        let ended = |transaction: Transaction| async move {
            transaction.execute(sql::END_LEASE, &[&process]).await
        };
        self.transaction(ended).await.map(|_| ())
    }

    /// Takes over some of the orders whose process has ended or does not renew its lease.
    /// Their attempts and naive cancels will have no answer.
    pub(crate) async fn take_over(&self, now: UnixMillis) -> Result<Orders, Unavailable> {
        let process = self.process;
        self.transaction(|transaction| async move {
            let mut taken = Vec::new();
            for left in transaction.query(sql::LEFT_BEHIND, &[]).await? {
                let (id, owner): (Uuid, i64) = (left.get(0), left.get(1));
                let row = transaction.query_first(sql::TAKE_OVER, &[&id, &owner, &process]).await?;
                taken.extend(row.as_ref().and_then(read));
            }
            let mut orders = Orders::restore(BOUNDS, taken, Vec::new());
            orders.interrupt(now);
            for id in orders.take_changes().orders.into_iter().collect::<BTreeSet<_>>() {
                if let Some(order) = orders.get(id) {
                    write(&transaction, id, order, Write::Update(None)).await?;
                }
            }
            Ok(orders)
        })
        .await
    }

    /// Makes an end of what was begun by commits that nobody knew of: an order is removed, since
    /// nothing was sent for it and nobody was told of it, and so is its customer's key; a naive
    /// cancel is given up. The cancels that must be asked for are returned.
    pub(crate) async fn end_abandoned(&self) -> Result<Vec<OrderId>, Unavailable> {
        let abandoned = self.abandoned().clone();
        let mut to_ask = Vec::new();
        for (it, since) in abandoned {
            match it {
                Unconfirmed::Order(id) => self.remove(id).await?,
                Unconfirmed::Cancel(id) => {
                    let asks = |orders: &mut Orders| {
                        orders.give_up_cancel(id);
                        orders.get(id).is_some_and(|it| it.question() == Some(Question::Cancel))
                    };
                    to_ask.extend(self.change(id, asks).await?.then_some(id));
                }
            }
            if since.elapsed() > MAY_COME {
                self.abandoned().remove(&it);
            }
        }
        Ok(to_ask)
    }

    async fn remove(&self, id: OrderId) -> Result<(), Unavailable> {
        let id = Uuid::from(id);
        self.transaction(|transaction| async move {
            if transaction.execute(sql::DELETE_UNSENT_ORDER, &[&id]).await? > 0 {
                transaction.execute(sql::DELETE_KEYS_OF, &[&id]).await?;
            }
            Ok(())
        })
        .await
    }

    /// Removes some of what is older than a key may be. Returns whether there may be more of it.
    pub(crate) async fn forget(&self, now: UnixMillis) -> Result<bool, Unavailable> {
        let horizon = u64::try_from(BOUNDS.horizon.as_millis()).unwrap_or(u64::MAX);
        let old = signed(now.saturating_sub(horizon));
        self.transaction(|transaction| async move {
            transaction.execute(sql::FORGET_PROCESSES, &[]).await?;
            let keys = transaction.execute(sql::FORGET_KEYS, &[&old]).await?;
            let orders = transaction.execute(sql::FORGET_ORDERS, &[&old]).await?;
            Ok(keys.max(orders) >= 1_000)
        })
        .await
    }

    async fn transaction<T, F>(&self, work: impl Fn(Transaction) -> F) -> Result<T, Unavailable>
    where
        F: Future<Output = Result<T, Error>>,
    {
        done(self.database.transaction(work).await)
    }

    fn abandoned(&self) -> MutexGuard<'_, BTreeMap<Unconfirmed, Instant>> {
        self.abandoned.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// There is no need to bound keys by this machine's memory.
const BOUNDS: Bounds = Bounds { keys: usize::MAX, ..DURABLE_CUSTOMERS_KEYS };

/// What every operation can do again: whether a commit without an answer is done matters to
/// none of them.
fn done<T>(result: Result<T, Failed<T>>) -> Result<T, Unavailable> {
    result.map_err(|failed| {
        let error = failed.error();
        tracing::debug!(%error, "The database did not do a transaction");
        Unavailable::Database(error.reason())
    })
}

#[cfg(test)]
mod tests;
