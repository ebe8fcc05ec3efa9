//! The reservations by their ids, so that they can be cancelled: those without an
//! idempotency key in no other way, and those with one also after their key has expired.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use campuscafe_cures::{IdempotencyKey, Touched};

use super::keyed::Kept;
use crate::history::CommitKey;

/// How many reservations are remembered, each in about 160 bytes; a long key takes up to
/// 270 bytes more when it has expired, because nothing else keeps its text then.
const MAX_RESERVATIONS: usize = 20_000;

/// The last reservations. When there is no room, the oldest is forgotten; it stays
/// committed.
#[derive(Debug, Default)]
pub(super) struct Reservations {
    made: BTreeMap<u128, Made>,
    /// Those without an idempotency key.
    by_request: BTreeSet<(CommitKey, u128)>,
    oldest_first: VecDeque<u128>,
    /// Of the next one.
    number: u64,
    touched: Touched<u128>,
}

/// A reservation that is remembered.
#[derive(Debug)]
pub(super) struct Made {
    pub(super) kept: Kept,
    pub(super) under: Under,
    pub(super) cancelled: bool,
    /// Its place in the order in which they were made.
    pub(super) number: u64,
}

/// What a reservation was made under.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Under {
    /// An idempotency key.
    Key(IdempotencyKey),
    /// The id of its request alone.
    Request(CommitKey),
}

/// Which reservations are to be cancelled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Which {
    /// The one with this id.
    Reservation(u128),
    /// All that this request has made without an idempotency key.
    OfRequest(CommitKey),
}

/// A reservation that is cancelled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct CancelledReservation {
    pub(super) kept: Kept,
    pub(super) key: Option<IdempotencyKey>,
    /// Whether it is cancelled only now: to cancel twice is to cancel once.
    pub(super) now: bool,
}

impl Reservations {
    pub(super) fn note(&mut self, kept: Kept, under: Under) {
        if self.oldest_first.len() >= MAX_RESERVATIONS {
            self.forget_oldest();
        }
        self.touched.note(|| kept.id);
        let number = self.number;
        self.remember(Made { kept, under, cancelled: false, number });
    }

    /// One that was made before a restart. Call it in the order of their numbers.
    pub(super) fn restore(&mut self, made: Made) {
        self.remember(made);
    }

    pub(super) fn get(&self, id: u128) -> Option<&Made> {
        self.made.get(&id)
    }

    /// Notes from now on which reservations are made, cancelled and forgotten: see
    /// [`Self::take_touched`].
    pub(super) fn note_touched(&mut self) {
        self.touched.switch_on();
    }

    /// The reservations that were made, cancelled or forgotten since the last call.
    pub(super) fn take_touched(&mut self) -> Vec<u128> {
        self.touched.take()
    }

    fn remember(&mut self, made: Made) {
        let id = made.kept.id;
        self.number = self.number.max(made.number.saturating_add(1));
        self.oldest_first.push_back(id);
        if let Under::Request(request) = &made.under {
            self.by_request.insert((*request, id));
        }
        self.made.insert(id, made);
    }

    /// Marks reservations as cancelled.
    pub(super) fn cancel(&mut self, which: Which) -> Vec<CancelledReservation> {
        let ids: Vec<u128> = match which {
            Which::Reservation(id) => vec![id],
            Which::OfRequest(request) => {
                let range = self.by_request.range((request, 0)..=(request, u128::MAX));
                range.map(|(_, id)| *id).collect()
            }
        };
        let cancel = |id: &u128| {
            let Made { kept, under, cancelled, .. } = self.made.get_mut(id)?;
            self.touched.note(|| *id);
            let key = match under {
                Under::Key(key) => Some(key.clone()),
                Under::Request(_) => None,
            };
            let now = !std::mem::replace(cancelled, true);
            Some(CancelledReservation { kept: kept.clone(), key, now })
        };
        ids.iter().filter_map(cancel).collect()
    }

    /// Marks a reservation as cancelled that was cancelled under its key.
    pub(super) fn note_cancelled(&mut self, id: u128) {
        if let Some(made) = self.made.get_mut(&id) {
            made.cancelled = true;
            self.touched.note(|| id);
        }
    }

    fn forget_oldest(&mut self) {
        let Some(made) = self.oldest_first.pop_front().and_then(|id| self.made.remove(&id)) else {
            return;
        };
        self.touched.note(|| made.kept.id);
        if let Under::Request(request) = made.under {
            self.by_request.remove(&(request, made.kept.id));
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::history::KeyHasher;

    fn kept(id: usize) -> Kept {
        Kept { id: id as u128, item: "cake".into(), quantity: 1, resets: 0 }
    }

    fn cancelled(reservations: &mut Reservations, which: Which) -> Vec<(u128, bool)> {
        reservations.cancel(which).into_iter().map(|it| (it.kept.id, it.now)).collect()
    }

    #[test]
    fn a_reservation_is_cancelled_once_by_its_id_or_by_its_request() {
        let request = |id| KeyHasher::new(7).commit_key(id);
        let mut all = Reservations::default();
        for (id, of) in [(1, "a"), (2, "b"), (3, "a")] {
            all.note(kept(id), Under::Request(request(of)));
        }
        assert_eq!(cancelled(&mut all, Which::Reservation(3)), [(3, true)]);
        assert_eq!(cancelled(&mut all, Which::Reservation(3)), [(3, false)]);
        let of_a = Which::OfRequest(request("a"));
        assert_eq!(cancelled(&mut all, of_a), [(1, true), (3, false)]);
        assert_eq!(cancelled(&mut all, of_a), [(1, false), (3, false)]);
        assert_eq!(cancelled(&mut all, Which::Reservation(4)), []);
        assert_eq!(cancelled(&mut all, Which::OfRequest(request("c"))), []);
    }

    #[test]
    fn the_oldest_reservations_are_forgotten_when_there_is_no_room() {
        let request = Under::Request(KeyHasher::new(7).commit_key("a"));
        let key = Under::Key(IdempotencyKey::new("a").unwrap());
        for (under, by_request) in [(request, MAX_RESERVATIONS), (key, 0)] {
            let mut all = Reservations::default();
            for id in 0..=MAX_RESERVATIONS {
                all.note(kept(id), under.clone());
            }
            assert_eq!(cancelled(&mut all, Which::Reservation(0)), []);
            assert_eq!(cancelled(&mut all, Which::Reservation(1)), [(1, true)]);
            assert_eq!((all.made.len(), all.by_request.len()), (MAX_RESERVATIONS, by_request));
        }
    }

    #[test]
    fn a_reservation_with_a_key_is_found_by_its_id_and_not_by_the_id_of_its_request() {
        let key = IdempotencyKey::new("a").unwrap();
        let mut all = Reservations::default();
        all.note(kept(1), Under::Key(key.clone()));
        let of_a = Which::OfRequest(KeyHasher::new(7).commit_key("a"));
        assert_eq!(cancelled(&mut all, of_a), []);
        let found = all.cancel(Which::Reservation(1));
        assert_eq!(found, [CancelledReservation { kept: kept(1), key: Some(key), now: true }]);
    }

    #[test]
    fn a_reservation_that_was_cancelled_under_its_key_is_not_cancelled_a_second_time() {
        let mut all = Reservations::default();
        all.note(kept(1), Under::Key(IdempotencyKey::new("a").unwrap()));
        all.note_cancelled(1);
        assert_eq!(cancelled(&mut all, Which::Reservation(1)), [(1, false)]);
    }
}
