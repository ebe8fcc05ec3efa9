//! The store in the memory of this process: a lock around plain values.

use std::sync::{Mutex, MutexGuard, PoisonError};

use super::turn::{Changed, Turns};
use super::{Committed, ReserveCommand, Snapshot};
use crate::history::Commits;
use crate::stock::{DeliverError, InitialStock, ReserveError, Stock, StockChange};

#[derive(Debug)]
pub(crate) struct MemoryStore {
    locked: Mutex<Locked>,
}

/// What one lock protects, so that check and commit are one step.
#[derive(Debug)]
struct Locked {
    state: InventoryState,
    turns: Turns,
}

impl MemoryStore {
    pub(super) fn new(initial: InitialStock) -> Self {
        let state = InventoryState { stock: Stock::new(initial), commits: Commits::default() };
        Self { locked: Mutex::new(Locked { state, turns: Turns::default() }) }
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

/// The stock, and which requests have committed.
#[derive(Debug)]
pub(super) struct InventoryState {
    stock: Stock,
    commits: Commits,
}

impl InventoryState {
    pub(super) fn reserve(&mut self, command: ReserveCommand) -> Result<Committed, ReserveError> {
        let change = self.stock.reserve(&command.item_id, command.quantity)?;
        let duplicate = self.commits.note(command.key, command.at);
        let evicted = self.commits.evicted();
        Ok(Committed { reservation_id: command.reservation_id, change, duplicate, evicted })
    }

    pub(super) fn deliver(
        &mut self,
        item: &str,
        quantity: i64,
    ) -> Result<(StockChange, Snapshot), DeliverError> {
        let change = self.stock.deliver(item, quantity)?;
        Ok((change, self.snapshot()))
    }

    pub(super) fn reset(&mut self) -> Snapshot {
        self.stock.reset();
        self.snapshot()
    }

    pub(super) fn snapshot(&self) -> Snapshot {
        Snapshot { left: self.stock.left().clone(), reservations: self.stock.reservations() }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use tokio::time::Instant;

    use super::*;
    use crate::history::KeyHasher;

    fn command(request_id: &str, quantity: i64) -> ReserveCommand {
        ReserveCommand {
            reservation_id: format!("reservation of {request_id}"),
            item_id: "Cake".to_owned(),
            quantity,
            key: KeyHasher::new(7).commit_key(request_id),
            at: Instant::now(),
        }
    }

    fn state() -> InventoryState {
        let stock = Stock::new("cake=10".parse().unwrap());
        InventoryState { stock, commits: Commits::default() }
    }

    #[test]
    fn a_commit_tells_the_change_and_whether_its_key_has_committed_before() {
        let mut state = state();
        let found = ["a", "b", "a"].map(|id| state.reserve(command(id, 2)).unwrap());
        let told = found.each_ref().map(|it| (it.change.before, it.change.after, it.duplicate));
        assert_eq!(told, [(10, 8, false), (8, 6, false), (6, 4, true)]);
        assert_eq!(
            (&*found[1].reservation_id, &*found[1].change.item),
            ("reservation of b", "cake")
        );
        assert_eq!(state.snapshot().reservations, 3);
    }

    #[test]
    fn a_request_that_was_refused_has_not_committed() {
        let mut state = state();
        let refused = state.reserve(command("a", 11));
        assert_eq!(refused, Err(ReserveError::OutOfStock { left: 10 }));
        assert!(!state.reserve(command("a", 1)).unwrap().duplicate);
    }

    #[test]
    fn a_reset_forgets_the_reservations_and_not_who_has_committed() {
        let mut state = state();
        state.reserve(command("a", 1)).unwrap();
        assert_eq!(state.reset().reservations, 0);
        assert!(state.reserve(command("a", 1)).unwrap().duplicate);
    }
}
