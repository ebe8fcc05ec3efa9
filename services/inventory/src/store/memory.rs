//! The store in the memory of this process: a lock around plain values.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use campuscafe_cures::decisions::Bounds;
use campuscafe_cures::versions::{Condition, Versioned};
use campuscafe_cures::{Decision, Decisions, IdempotencyKey, Touched, UnixMillis};
use tokio::time::Instant;

use super::keyed::{Fingerprint, Kept, KeyRecord};
use super::reservations::{CancelledReservation, Made, Reservations, Under, Which};
use super::turn::{Changed, Turns};
use super::{
    Cancelled, Committed, NotCommitted, NotSettled, NothingToCancel, Once, Released,
    ReserveCommand, Settle, Settled, Snapshot,
};
use crate::history::{CommitKey, Commits};
use crate::price_list::{PriceChange, PriceError, PriceList, Priced};
use crate::stock::{DeliverError, InitialStock, ReserveError, Stock, StockChange};

#[derive(Debug)]
pub(crate) struct MemoryStore {
    locked: Mutex<Locked>,
}

/// What one lock protects, so that check and commit are one step.
#[derive(Debug)]
pub(super) struct Locked {
    pub(super) state: InventoryState,
    pub(super) turns: Turns,
}

impl Locked {
    pub(super) fn new(state: InventoryState) -> Self {
        Self { state, turns: Turns::default() }
    }
}

impl MemoryStore {
    pub(super) fn new(initial: InitialStock, keys: Bounds) -> Self {
        let state = InventoryState::new(initial, keys);
        Self { locked: Mutex::new(Locked::new(state)) }
    }

    /// The lock is held for a few instructions and never across an await: a slow
    /// reader of the log, or a slow caller, must not stop the commits.
    pub(super) fn transaction<T, E>(
        &self,
        operation: impl FnOnce(&mut InventoryState) -> Result<T, E>,
    ) -> Result<Changed<T>, E> {
        let mut locked = self.lock();
        let change = operation(&mut locked.state)?;
        Ok(locked.turns.next(change))
    }

    pub(super) fn read<T>(&self, operation: impl FnOnce(&InventoryState) -> T) -> T {
        operation(&self.lock().state)
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

/// The stock, the prices, which requests have committed, and what was decided under each key.
#[derive(Debug)]
pub(super) struct InventoryState {
    stock: Stock,
    prices: PriceList,
    commits: Commits,
    decisions: Decisions<Fingerprint, Kept, ReserveError>,
    reservations: Reservations,
    /// The names of the items of the initial stock.
    items: BTreeSet<Arc<str>>,
    /// The items whose stock has changed, and those whose price has.
    touched_items: Touched<String>,
    touched_prices: Touched<String>,
}

/// What has changed, for whoever keeps a copy of it.
#[derive(Debug)]
pub(super) struct AllTouched {
    pub(super) items: Vec<String>,
    pub(super) prices: Vec<String>,
    pub(super) keys: Vec<IdempotencyKey>,
    pub(super) reservations: Vec<u128>,
    pub(super) commits: Vec<CommitKey>,
}

impl InventoryState {
    pub(super) fn new(initial: InitialStock, keys: Bounds) -> Self {
        Self {
            items: initial.pieces().keys().map(|item| item.as_str().into()).collect(),
            prices: PriceList::new(initial.pieces().keys()),
            stock: Stock::new(initial),
            commits: Commits::default(),
            decisions: Decisions::new(keys),
            reservations: Reservations::default(),
            touched_items: Touched::OFF,
            touched_prices: Touched::OFF,
        }
    }

    /// Notes from now on what changes: see [`Self::take_touched`].
    pub(super) fn note_touched(&mut self) {
        self.touched_items.switch_on();
        self.touched_prices.switch_on();
        self.decisions.note_touched();
        self.reservations.note_touched();
        self.commits.note_touched();
    }

    /// What has changed since the last call.
    pub(super) fn take_touched(&mut self) -> AllTouched {
        AllTouched {
            items: self.touched_items.take(),
            prices: self.touched_prices.take(),
            keys: self.decisions.take_touched(),
            reservations: self.reservations.take_touched(),
            commits: self.commits.take_touched(),
        }
    }

    /// The stock of every item counts as changed.
    pub(super) fn touch_stock(&mut self) {
        self.touched_items.note_all(self.stock.left().keys().cloned());
    }

    pub(super) const fn stock(&self) -> &Stock {
        &self.stock
    }

    pub(super) const fn commits(&self) -> &Commits {
        &self.commits
    }

    pub(super) const fn decisions(&self) -> &Decisions<Fingerprint, Kept, ReserveError> {
        &self.decisions
    }

    pub(super) const fn reservations(&self) -> &Reservations {
        &self.reservations
    }

    pub(super) fn restore_stock(
        &mut self,
        left: BTreeMap<String, u64>,
        reservations: u64,
        resets: u64,
    ) {
        self.stock.restore(left, reservations, resets);
    }

    pub(super) fn restore_price(&mut self, item: &str, price: Versioned<u64>) {
        self.prices.restore(item, price);
    }

    pub(super) fn restore_reservation(&mut self, made: Made) {
        self.reservations.restore(made);
    }

    /// Call it in the order of the times.
    pub(super) fn restore_commit(&mut self, key: CommitKey, at: Instant) {
        self.commits.note(key, at);
    }

    pub(super) fn restore_key(
        &mut self,
        key: &IdempotencyKey,
        fingerprint: Option<Fingerprint>,
        decision: Decision<Kept, ReserveError>,
        since: UnixMillis,
    ) {
        self.decisions.restore(key, fingerprint, decision, since);
    }

    /// Up to which time keys are forgotten, and up to which the keys of orders are expired.
    pub(super) fn restore_times(&mut self, now: UnixMillis, expired_until: Option<UnixMillis>) {
        self.decisions.not_before(now);
        if let Some(made_at) = expired_until {
            self.decisions.expire_until(made_at);
        }
    }

    /// Whether something is decided under a key that still counts.
    pub(super) fn is_decided(&mut self, key: &IdempotencyKey, now: UnixMillis) -> bool {
        self.decisions.ask(key, now).is_ok_and(|record| record.is_some())
    }

    /// The name of an item, shared by all that is kept of it.
    pub(super) fn shared_name(&self, item: &str) -> Arc<str> {
        self.items.get(item).cloned().unwrap_or_else(|| item.into())
    }

    pub(super) fn reserve(&mut self, command: ReserveCommand) -> Result<Committed, NotCommitted> {
        let ReserveCommand { reservation_id, item_id, quantity, read, key, at, now, once } =
            command;
        let Self { stock, commits, decisions, reservations, items, touched_items, .. } = self;
        let left = stock.left_of(&item_id);
        let keep = |reserved: &StockChange, stock: &Stock| {
            let item = items.get(&*reserved.item).cloned();
            let item = item.unwrap_or_else(|| reserved.item.as_str().into());
            Kept::new(reservation_id, reserved, item, stock.resets())
        };
        let change = match once {
            None => {
                let reserved = stock.reserve_from(read, &item_id, quantity);
                let reserved = reserved.map_err(NotCommitted::Refused)?;
                reservations.note(keep(&reserved, stock), Under::Request(key));
                reserved
            }
            Some(Once { key: under, fingerprint }) => {
                let mut change = None;
                let answer = decisions.decide(&under, fingerprint, now, || {
                    let reserved = stock.reserve_from(read, &item_id, quantity)?;
                    let kept = keep(&reserved, stock);
                    change = Some(reserved);
                    Ok(kept)
                });
                let answer = answer.map_err(NotCommitted::Key)?;
                match (change, answer.decision) {
                    (Some(change), Ok(kept)) => {
                        reservations.note(kept, Under::Key(under));
                        change
                    }
                    (_, Err(error)) if !answer.replayed => {
                        return Err(NotCommitted::Refused(error));
                    }
                    (_, decision) => return Err(NotCommitted::Replayed(decision)),
                }
            }
        };
        touched_items.note(|| change.item.clone());
        let duplicate = commits.note(key, at);
        let (evicted, keys) = (commits.evicted(), Some(decisions.len()));
        let overwritten = Some(left).filter(|left| *left != change.before);
        Ok(Committed { reservation_id, change, overwritten, duplicate, evicted, keys })
    }

    pub(super) fn settle(
        &mut self,
        key: &IdempotencyKey,
        request: CommitKey,
        now: UnixMillis,
        at: Instant,
        settle: Settle,
    ) -> Result<Settled, NotSettled> {
        // A key that was forgotten for its age is no key that never was.
        let known = self.decisions.ask(key, now).map_err(NotSettled::Key)?.is_some();
        if !known && self.commits.has(request, at) {
            return Err(NotSettled::NeverKeyed);
        }
        let released = match settle {
            Settle::Keep => self.decisions.settle(key, now).map(|_| None),
            Settle::Cancel => self.decisions.cancel(key, now),
        };
        let released = released.map_err(NotSettled::Key)?.and_then(|kept| {
            self.reservations.note_cancelled(kept.id);
            self.stock.release(&kept.item, kept.quantity, kept.resets)
        });
        if let Some(change) = &released {
            self.touched_items.note(|| change.item.clone());
        }
        let record = self.decisions.get(key).map(|record| KeyRecord::new(key, record));
        let record = record.ok_or(NotSettled::NeverKeyed)?;
        Ok(Settled { record, released, keys: Some(self.decisions.len()) })
    }

    pub(super) fn cancel(&mut self, which: Which) -> Result<Cancelled, NothingToCancel> {
        let cancelled = self.reservations.cancel(which);
        if cancelled.is_empty() {
            return Err(NothingToCancel);
        }
        let mut released = Vec::new();
        for CancelledReservation { kept, key, .. } in cancelled.iter().filter(|it| it.now) {
            // No later request under the key may be told that this reservation is there.
            if let Some(key) = key {
                self.decisions.note_cancelled(key, |reserved| reserved.id == kept.id);
            }
            let change = self.stock.release(&kept.item, kept.quantity, kept.resets);
            self.touched_items.note_all(change.iter().map(|change| change.item.clone()));
            released.extend(change.map(|change| Released { change, keyed: key.is_some() }));
        }
        let reservations = cancelled.into_iter().map(|it| it.kept).collect();
        Ok(Cancelled { reservations, released })
    }

    pub(super) fn keys(
        &self,
        after: Option<&IdempotencyKey>,
        limit: usize,
        now: UnixMillis,
    ) -> Vec<KeyRecord> {
        let record = |(key, record): (&IdempotencyKey, &_)| KeyRecord::new(key, record);
        self.decisions.after(after, now).take(limit).map(record).collect()
    }

    pub(super) fn deliver(
        &mut self,
        item: &str,
        quantity: i64,
    ) -> Result<(StockChange, Snapshot), DeliverError> {
        let change = self.stock.deliver(item, quantity)?;
        self.touched_items.note(|| change.item.clone());
        Ok((change, self.snapshot()))
    }

    pub(super) fn change_price(
        &mut self,
        item: &str,
        price: u64,
        condition: &Condition,
    ) -> Result<PriceChange, PriceError> {
        let changed = self.prices.change(item, price, condition)?;
        self.touched_prices.note(|| changed.item.clone());
        Ok(changed)
    }

    pub(super) fn price(&self, item: &str) -> Option<Priced> {
        self.prices.get(item)
    }

    pub(super) fn reset(&mut self) -> Snapshot {
        self.stock.reset();
        self.touch_stock();
        self.snapshot()
    }

    pub(super) fn left_of(&self, item: &str) -> u64 {
        self.stock.left_of(item)
    }

    pub(super) fn snapshot(&self) -> Snapshot {
        Snapshot { left: self.stock.left().clone(), reservations: self.stock.reservations() }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::time::Duration;

    use campuscafe_api::inventory::Reserve;

    use super::*;
    use crate::history::KeyHasher;

    fn command(request_id: &str, quantity: i64) -> ReserveCommand {
        ReserveCommand {
            reservation_id: 7,
            item_id: "Cake".to_owned(),
            quantity,
            read: None,
            key: KeyHasher::new(7).commit_key(request_id),
            at: Instant::now(),
            now: 1,
            once: None,
        }
    }

    fn state() -> InventoryState {
        let horizon = Duration::from_mins(10);
        let keys = Bounds { horizon, keys: 10, voids: 10 };
        InventoryState::new("cake=10".parse().unwrap(), keys)
    }

    #[test]
    fn a_commit_tells_the_change_and_whether_its_key_has_committed_before() {
        let mut state = state();
        let found = ["a", "b", "a"].map(|id| state.reserve(command(id, 2)).unwrap());
        let told = found.each_ref().map(|it| (it.change.before, it.change.after, it.duplicate));
        assert_eq!(told, [(10, 8, false), (8, 6, false), (6, 4, true)]);
        assert_eq!((found[1].reservation_id, &*found[1].change.item), (7, "cake"));
        assert_eq!(state.snapshot().reservations, 3);
    }

    #[test]
    fn a_request_that_was_refused_has_not_committed() {
        let mut state = state();
        let refused = state.reserve(command("a", 11));
        assert_eq!(refused, Err(NotCommitted::Refused(ReserveError::OutOfStock { left: 10 })));
        assert!(!state.reserve(command("a", 1)).unwrap().duplicate);
    }

    #[test]
    fn a_commit_from_an_old_read_tells_what_it_overwrote() {
        let mut state = state();
        let stale = |id| ReserveCommand { read: Some(10), ..command(id, 1) };
        let found = ["a", "b", "c"].map(|id| state.reserve(stale(id)).unwrap());
        let told = found.each_ref().map(|it| (it.change.before, it.change.after, it.overwritten));
        assert_eq!(told, [(10, 9, None), (10, 9, Some(9)), (10, 9, Some(9))]);
        assert_eq!(state.reserve(command("d", 1)).unwrap().overwritten, None);
        assert_eq!((state.snapshot().left["cake"], state.snapshot().reservations), (8, 4));
    }

    #[test]
    fn under_a_key_an_old_read_is_written_back_once_and_its_refusal_stays() {
        let mut state = state();
        let stale = |key, read, quantity| {
            let hasher = KeyHasher::new(7);
            let request = Reserve { item_id: "cake".to_owned(), quantity };
            let fingerprint = Fingerprint::of(&request, &hasher);
            let key = IdempotencyKey::new(key).unwrap();
            let once = Some(Once { key, fingerprint });
            ReserveCommand { read: Some(read), once, ..command("a", quantity) }
        };
        assert_eq!(state.reserve(stale("key", 10, 1)).unwrap().change.after, 9);
        state.reserve(command("b", 5)).unwrap();
        let again = state.reserve(stale("key", 10, 1));
        assert!(matches!(again, Err(NotCommitted::Replayed(Ok(_)))), "{again:?}");
        assert_eq!(state.left_of("cake"), 4, "nothing is written back a second time");

        let refused = state.reserve(stale("other", 2, 3));
        assert_eq!(refused, Err(NotCommitted::Refused(ReserveError::OutOfStock { left: 2 })));
        let again = state.reserve(stale("other", 10, 3));
        let told = Err(ReserveError::OutOfStock { left: 2 });
        assert_eq!(again, Err(NotCommitted::Replayed(told)));
        assert_eq!((state.left_of("cake"), state.snapshot().reservations), (4, 2));
    }

    #[test]
    fn a_reset_forgets_the_reservations_and_not_who_has_committed() {
        let mut state = state();
        state.reserve(command("a", 1)).unwrap();
        assert_eq!(state.reset().reservations, 0);
        assert!(state.reserve(command("a", 1)).unwrap().duplicate);
    }
}
