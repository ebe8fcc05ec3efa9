//! The reservations by their ids, so that they can be cancelled: those without an
//! idempotency key in no other way, and those with one also after their key has expired.

use std::collections::{HashMap, VecDeque};
use std::hash::BuildHasherDefault;

use campuscafe_cures::{IdempotencyKey, Touched};

use super::keyed::Kept;
use crate::history::{AlreadyHashed, CommitKey};

/// How many reservations are remembered, each in about 220 bytes; a long key takes up to
/// 270 bytes more when it has expired, because nothing else keeps its text then.
const MAX_RESERVATIONS: usize = 20_000;

/// The last reservations. When there is no room, the oldest is forgotten; it stays
/// committed.
#[derive(Debug)]
pub(super) struct Reservations {
    oldest_first: VecDeque<Remembered>,
    /// How many were forgotten, and so the place of the oldest one: a reservation keeps its
    /// place.
    forgotten: u64,
    by_id: Places<u128>,
    /// The last one of each request, of those without an idempotency key.
    by_request: Places<CommitKey>,
    /// Of the next one.
    number: u64,
    touched: Touched<u128>,
}

/// An id is a random number.
type Places<K> = HashMap<K, u64, BuildHasherDefault<AlreadyHashed>>;

#[derive(Debug)]
struct Remembered {
    made: Made,
    /// The place of the one before it of the same request, which may be forgotten.
    before: Option<u64>,
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

impl Default for Reservations {
    fn default() -> Self {
        Self {
            // A page of it takes memory only when it is first used.
            oldest_first: VecDeque::with_capacity(MAX_RESERVATIONS),
            forgotten: 0,
            by_id: Places::default(),
            by_request: Places::default(),
            number: 0,
            touched: Touched::default(),
        }
    }
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
        let at = self.index(*self.by_id.get(&id)?)?;
        self.oldest_first.get(at).map(|remembered| &remembered.made)
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
        self.number = self.number.max(made.number.saturating_add(1));
        let place = self.forgotten.saturating_add(self.oldest_first.len() as u64);
        self.by_id.insert(made.kept.id, place);
        let before = match made.under {
            Under::Request(request) => self.by_request.insert(request, place),
            Under::Key(_) => None,
        };
        self.oldest_first.push_back(Remembered { made, before });
    }

    /// Where the reservation of a place stands, if it is remembered.
    fn index(&self, place: u64) -> Option<usize> {
        usize::try_from(place.checked_sub(self.forgotten)?).ok()
    }

    fn at_mut(&mut self, place: u64) -> Option<&mut Remembered> {
        let at = self.index(place)?;
        self.oldest_first.get_mut(at)
    }

    /// Marks reservations as cancelled: what they are, the oldest first.
    pub(super) fn cancel(&mut self, which: Which) -> Vec<CancelledReservation> {
        let mut next = match which {
            Which::Reservation(id) => self.by_id.get(&id),
            Which::OfRequest(request) => self.by_request.get(&request),
        }
        .copied();
        let mut cancelled = Vec::new();
        while let Some(Remembered { made, before }) = next.and_then(|place| self.at_mut(place)) {
            let key = match &made.under {
                Under::Key(key) => Some(key.clone()),
                Under::Request(_) => None,
            };
            let now = !std::mem::replace(&mut made.cancelled, true);
            let kept = made.kept.clone();
            next = before.filter(|_| matches!(which, Which::OfRequest(_)));
            self.touched.note(|| kept.id);
            cancelled.push(CancelledReservation { kept, key, now });
        }
        cancelled.reverse();
        cancelled
    }

    /// Marks a reservation as cancelled that was cancelled under its key.
    pub(super) fn note_cancelled(&mut self, id: u128) {
        let place = self.by_id.get(&id).copied();
        if let Some(Remembered { made, .. }) = place.and_then(|place| self.at_mut(place)) {
            made.cancelled = true;
            self.touched.note(|| id);
        }
    }

    fn forget_oldest(&mut self) {
        let Some(Remembered { made, .. }) = self.oldest_first.pop_front() else { return };
        let place = self.forgotten;
        self.forgotten = self.forgotten.saturating_add(1);
        self.touched.note(|| made.kept.id);
        self.by_id.remove(&made.kept.id);
        if let Under::Request(request) = made.under
            && self.by_request.get(&request) == Some(&place)
        {
            self.by_request.remove(&request);
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
        // Each request has two of them, of which the first one is forgotten first.
        let request = |id: usize| KeyHasher::new(7).commit_key(&(id / 2).to_string());
        let key = IdempotencyKey::new("a").unwrap();
        for (has_key, requests) in [(false, MAX_RESERVATIONS / 2), (true, 0)] {
            let under = |id| match has_key {
                true => Under::Key(key.clone()),
                false => Under::Request(request(id)),
            };
            let mut all = Reservations::default();
            for id in 0..=MAX_RESERVATIONS {
                all.note(kept(id), under(id));
            }
            assert_eq!(cancelled(&mut all, Which::Reservation(0)), []);
            assert_eq!(cancelled(&mut all, Which::Reservation(1)), [(1, true)]);
            let of_first = if has_key { vec![] } else { vec![(1, false)] };
            assert_eq!(cancelled(&mut all, Which::OfRequest(request(0))), of_first);
            all.note(kept(MAX_RESERVATIONS + 1), under(MAX_RESERVATIONS + 1));
            assert_eq!(cancelled(&mut all, Which::OfRequest(request(0))), []);
            let lengths = [all.oldest_first.len(), all.by_id.len(), all.by_request.len()];
            assert_eq!(lengths, [MAX_RESERVATIONS, MAX_RESERVATIONS, requests]);
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
