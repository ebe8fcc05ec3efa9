//! What the inventory decided under each key.
//!
//! The first decision under a key wins, a refusal included: a customer who was refused
//! must not be charged later by a hidden retry. Whoever wants to try again takes a new
//! key. Key, fingerprint and decision are recorded in the same step as the effect, so
//! nobody can ask while the decision is being made.

use std::collections::BTreeMap;
use std::time::Duration;

use humantime::format_duration;
use thiserror::Error;

use crate::key::{IdempotencyKey, UnixMillis};
use crate::one_key::{OneKey, Remembered, recorded, room};
use crate::touched::Touched;

/// How far the clock of whoever made a key may be ahead.
pub const CLOCK_TOLERANCE: Duration = Duration::from_mins(5);

/// What was decided under a key. `T` is the effect, `E` is why there is none.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Decision<T, E> {
    /// The effect is there.
    Done(T),
    /// There is no effect.
    Refused(E),
    /// The effect was there and is removed.
    Cancelled(T),
    /// The key was settled or cancelled before any request came: none may have an effect.
    Void,
}

/// How much is remembered, and for how long.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Bounds {
    /// How long a key is remembered. It must be longer than the longest work, the longest
    /// limit of an attempt and settlement together.
    pub horizon: Duration,
    /// How many keys requests may record. A key of more than 64 bytes counts as several,
    /// one for each 64 bytes that it has or begins.
    pub keys: usize,
    /// How many more keys may be recorded by settlement and cancel. Without a share of
    /// their own, orders would stay unknown while the memory is full.
    pub voids: usize,
}

/// Why nothing was decided under a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Error)]
pub enum KeyError {
    /// The key was used for a different request.
    #[error("the key was used for a different request")]
    OtherRequest,
    /// The key is void.
    #[error("the key is void: its order was settled or cancelled before this request came")]
    Void,
    /// The effect was there and is removed.
    #[error("the reservation under this key is cancelled")]
    Cancelled,
    /// The key is older than the horizon.
    #[error("the key is older than {}; what was decided under it is forgotten", format_duration(*horizon))]
    Expired {
        /// How long keys are remembered.
        horizon: Duration,
    },
    /// The time in the key is too far ahead.
    #[error("the time in the key is {} ahead", format_duration(*ahead))]
    FromTheFuture {
        /// How far.
        ahead: Duration,
    },
    /// No more keys can be remembered.
    #[error("{keys} keys are remembered, and no more can be")]
    Full {
        /// How many.
        keys: usize,
    },
}

/// The answer to a request with a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer<T, E> {
    /// What was decided first.
    pub decision: Result<T, E>,
    /// Whether it was decided for an earlier request.
    pub replayed: bool,
}

/// What is remembered under one key. `F` is the fingerprint of the request: two requests
/// with equal fingerprints ask for the same.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Record<F, T, E> {
    /// Of the request that it was decided for; none if the key was void before any came.
    pub fingerprint: Option<F>,
    /// What was decided.
    pub decision: Decision<T, E>,
    /// When.
    pub since: UnixMillis,
}

/// The decisions under all keys.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Decisions<F, T, E> {
    bounds: Bounds,
    records: BTreeMap<IdempotencyKey, Record<F, T, E>>,
    expiries: BTreeMap<UnixMillis, Vec<IdempotencyKey>>,
    /// How many keys there would be if none had more than 64 bytes.
    room_taken: usize,
    /// Time never goes back here, whatever the machine's clock does.
    now: UnixMillis,
    /// Keys of orders that were taken until then are refused as expired.
    expired_until: Option<UnixMillis>,
    touched: Touched<IdempotencyKey>,
}

impl<F: PartialEq, T: Clone, E: Clone> Decisions<F, T, E> {
    /// Nothing is decided yet.
    #[must_use]
    pub const fn new(bounds: Bounds) -> Self {
        Self {
            bounds,
            records: BTreeMap::new(),
            expiries: BTreeMap::new(),
            room_taken: 0,
            now: 0,
            expired_until: None,
            touched: Touched::OFF,
        }
    }

    /// Notes from now on which keys are recorded, changed and forgotten: see
    /// [`Self::take_touched`].
    pub fn note_touched(&mut self) {
        self.touched.switch_on();
    }

    /// The keys that were recorded, changed or forgotten since the last call.
    pub fn take_touched(&mut self) -> Vec<IdempotencyKey> {
        self.touched.take()
    }

    /// Remembers again what was decided under a key before a restart. One that is older than
    /// the horizon is forgotten with the next request.
    pub fn restore(
        &mut self,
        key: &IdempotencyKey,
        fingerprint: Option<F>,
        decision: Decision<T, E>,
        since: UnixMillis,
    ) {
        self.now = self.now.max(since);
        let one = OneKey::recorded(key, since, self.bounds);
        self.remember(&one, key, Record { fingerprint, decision, since });
    }

    /// The latest time that was seen. Keys are forgotten by it.
    #[must_use]
    pub const fn now(&self) -> UnixMillis {
        self.now
    }

    /// Goes on from a time that was seen before a restart, so that a clock which was set back
    /// meanwhile brings no expired key back.
    pub fn not_before(&mut self, now: UnixMillis) {
        self.now = self.now.max(now);
    }

    /// Refuses the keys of orders that were taken until then as expired, recorded or not. They
    /// may have been forgotten after a shorter horizon than the one of today.
    pub fn expire_until(&mut self, made_at: UnixMillis) {
        self.expired_until = self.expired_until.max(Some(made_at));
    }

    /// The first decision under the key, which `decide` makes if there is none.
    ///
    /// # Errors
    ///
    /// When nothing may be decided under the key; `decide` was not called then.
    pub fn decide(
        &mut self,
        key: &IdempotencyKey,
        fingerprint: F,
        now: UnixMillis,
        decide: impl FnOnce() -> Result<T, E>,
    ) -> Result<Answer<T, E>, KeyError> {
        let one = self.admit(key, now)?;
        if let Some(decision) = one.decided(self.records.get(key), &fingerprint)? {
            return Ok(Answer { decision, replayed: true });
        }
        one.fits_request(self.remembered())?;
        let decision = decide();
        self.record(&one, key, Some(fingerprint), recorded(&decision));
        Ok(Answer { decision, replayed: false })
    }

    /// What was decided under the key. If nothing was, the key is void from now on.
    ///
    /// To ask without making it void would be wrong: a slow request could be decided right
    /// after the answer. Seata's TCC names the two cases: a cancel that comes before any
    /// try is a "null rollback", and to refuse the try that comes after it is to prevent
    /// a "suspension".
    ///
    /// # Errors
    ///
    /// When the key has expired, its time is too far ahead, or there is no room.
    pub fn settle(
        &mut self,
        key: &IdempotencyKey,
        now: UnixMillis,
    ) -> Result<Decision<T, E>, KeyError> {
        let one = self.admit(key, now)?;
        if let Some(record) = self.records.get(key) {
            return Ok(record.decision.clone());
        }
        one.fits_void(self.remembered())?;
        self.record(&one, key, None, Decision::Void);
        Ok(Decision::Void)
    }

    /// Settles the key, and turns an effect that is there into one that is cancelled.
    /// `Some` is the effect that is to be removed now, in the same step: it is given to
    /// one caller only, so to cancel twice is to cancel once.
    ///
    /// # Errors
    ///
    /// As [`Self::settle`].
    pub fn cancel(&mut self, key: &IdempotencyKey, now: UnixMillis) -> Result<Option<T>, KeyError> {
        let Decision::Done(effect) = self.settle(key, now)? else { return Ok(None) };
        if let Some(record) = self.records.get_mut(key) {
            record.decision = Decision::Cancelled(effect.clone());
            self.touched.note(|| key.clone());
        }
        Ok(Some(effect))
    }

    /// Notes that an effect is removed that was found without its key. `is_removed` says
    /// whether an effect is that one: a key that was forgotten may have a new effect since.
    ///
    /// The age of the key does not matter, and a key without a decision does not become void:
    /// nothing is decided here.
    pub fn note_cancelled(&mut self, key: &IdempotencyKey, is_removed: impl FnOnce(&T) -> bool) {
        let Some(record) = self.records.get_mut(key) else { return };
        if let Decision::Done(effect) = &record.decision
            && is_removed(effect)
        {
            record.decision = Decision::Cancelled(effect.clone());
            self.touched.note(|| key.clone());
        }
    }

    /// What is remembered under a key at this time, without making it void.
    ///
    /// # Errors
    ///
    /// When the key has expired, or its time is too far ahead.
    pub fn ask(
        &mut self,
        key: &IdempotencyKey,
        now: UnixMillis,
    ) -> Result<Option<&Record<F, T, E>>, KeyError> {
        self.admit(key, now)?;
        Ok(self.records.get(key))
    }

    /// What is remembered under a key, without making it void.
    #[must_use]
    pub fn get(&self, key: &IdempotencyKey) -> Option<&Record<F, T, E>> {
        self.records.get(key)
    }

    /// All keys and what is remembered under them, by key, after this one. A key that may be
    /// forgotten at this time is left out, whether or not it is forgotten yet.
    pub fn after<'a>(
        &'a self,
        key: Option<&IdempotencyKey>,
        now: UnixMillis,
    ) -> impl Iterator<Item = (&'a IdempotencyKey, &'a Record<F, T, E>)> {
        use std::ops::Bound::{Excluded, Unbounded};
        let from = (key.map_or(Unbounded, Excluded), Unbounded);
        let is_remembered = move |(key, record): &(&IdempotencyKey, &Record<F, T, E>)| {
            OneKey::recorded(key, record.since, self.bounds).expires_at() > now
        };
        self.records.range::<IdempotencyKey, _>(from).filter(is_remembered)
    }

    /// How many keys are remembered.
    #[must_use]
    pub fn len(&self) -> usize {
        self.records.len()
    }

    /// Whether no key is remembered.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.records.is_empty()
    }

    /// The key at this time, if it may be used then.
    fn admit<'a>(
        &mut self,
        key: &'a IdempotencyKey,
        now: UnixMillis,
    ) -> Result<OneKey<'a>, KeyError> {
        self.now = self.now.max(now);
        self.forget();
        if key.made_at().is_some_and(|made_at| Some(made_at) <= self.expired_until) {
            return Err(KeyError::Expired { horizon: self.bounds.horizon });
        }
        OneKey::admit(key, self.now, self.bounds)
    }

    fn forget(&mut self) {
        while let Some(first) = self.expiries.first_entry().filter(|it| *it.key() <= self.now) {
            for key in first.remove() {
                self.records.remove(&key);
                self.room_taken = self.room_taken.saturating_sub(room(&key));
                self.touched.note(|| key);
            }
        }
    }

    fn remembered(&self) -> Remembered {
        Remembered { keys: self.records.len(), room: self.room_taken }
    }

    fn record(
        &mut self,
        one: &OneKey<'_>,
        key: &IdempotencyKey,
        fingerprint: Option<F>,
        decision: Decision<T, E>,
    ) {
        let since = self.now;
        self.remember(one, key, Record { fingerprint, decision, since });
        self.touched.note(|| key.clone());
    }

    fn remember(&mut self, one: &OneKey<'_>, key: &IdempotencyKey, record: Record<F, T, E>) {
        self.expiries.entry(one.expires_at()).or_default().push(key.clone());
        self.room_taken = self.room_taken.saturating_add(one.room());
        self.records.insert(key.clone(), record);
    }
}

#[cfg(test)]
mod tests;
