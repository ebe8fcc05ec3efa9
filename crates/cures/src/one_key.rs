//! The rule of one key: from what is remembered under it to what a request is told.
//!
//! It knows one key's record and no others, so every kind of store can use it: one that
//! holds all records, and one that has just read this record from a database.

use std::time::Duration;

use crate::decisions::{Bounds, CLOCK_TOLERANCE, Decision, KeyError, Record};
use crate::key::{IdempotencyKey, UnixMillis};

/// How many keys are remembered, and how much room they take.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Remembered {
    /// How many keys.
    pub keys: usize,
    /// How many keys there would be if none had more than 64 bytes.
    pub room: usize,
}

/// A key at one time.
#[derive(Debug, Clone, Copy)]
pub struct OneKey<'a> {
    key: &'a IdempotencyKey,
    now: UnixMillis,
    bounds: Bounds,
}

impl<'a> OneKey<'a> {
    /// The key at this time, if it may be used. A key that carries a time is refused after
    /// the horizon, recorded or not: if a forgotten key were taken for a new one, a late
    /// request would have its effect a second time.
    ///
    /// # Errors
    ///
    /// When the key has expired, or its time is too far ahead.
    pub fn admit(
        key: &'a IdempotencyKey,
        now: UnixMillis,
        bounds: Bounds,
    ) -> Result<Self, KeyError> {
        let admitted = Self { key, now, bounds };
        let Some(made_at) = key.made_at() else { return Ok(admitted) };
        let ahead = Duration::from_millis(made_at.saturating_sub(now));
        if ahead > CLOCK_TOLERANCE {
            return Err(KeyError::FromTheFuture { ahead });
        }
        if admitted.expiry(made_at) <= now {
            return Err(KeyError::Expired { horizon: bounds.horizon });
        }
        Ok(admitted)
    }

    /// A key that was admitted and recorded at this time.
    pub(crate) const fn recorded(key: &'a IdempotencyKey, now: UnixMillis, bounds: Bounds) -> Self {
        Self { key, now, bounds }
    }

    /// The key.
    #[must_use]
    pub const fn key(&self) -> &'a IdempotencyKey {
        self.key
    }

    /// What a request with this fingerprint is told from the key's record, if there is one.
    /// `None`: nothing is decided yet, so decide now, if the key [fits](Self::fits_request).
    ///
    /// # Errors
    ///
    /// When the key was used for another request, or is void, or its effect is removed.
    pub fn decided<F: PartialEq, T: Clone, E: Clone>(
        &self,
        record: Option<&Record<F, T, E>>,
        fingerprint: &F,
    ) -> Result<Option<Result<T, E>>, KeyError> {
        let Some(record) = record else { return Ok(None) };
        if record.fingerprint.as_ref().is_some_and(|first| first != fingerprint) {
            return Err(KeyError::OtherRequest);
        }
        match &record.decision {
            Decision::Done(effect) => Ok(Some(Ok(effect.clone()))),
            Decision::Refused(reason) => Ok(Some(Err(reason.clone()))),
            Decision::Cancelled(_) => Err(KeyError::Cancelled),
            Decision::Void => Err(KeyError::Void),
        }
    }

    /// Whether there is room to record what was decided for a request.
    ///
    /// # Errors
    ///
    /// When there is none.
    pub fn fits_request(&self, remembered: Remembered) -> Result<(), KeyError> {
        self.fits(remembered, self.bounds.keys)
    }

    /// Whether there is room to make the key void.
    ///
    /// # Errors
    ///
    /// When there is none.
    pub fn fits_void(&self, remembered: Remembered) -> Result<(), KeyError> {
        self.fits(remembered, self.bounds.keys.saturating_add(self.bounds.voids))
    }

    fn fits(&self, Remembered { keys, room }: Remembered, most: usize) -> Result<(), KeyError> {
        let fits = room.saturating_add(self.room()) <= most;
        if fits { Ok(()) } else { Err(KeyError::Full { keys }) }
    }

    /// As how many keys the key counts: the memory for a long one is several times as much.
    #[must_use]
    pub fn room(&self) -> usize {
        room(self.key)
    }

    /// When the key may be forgotten, if it is recorded now. A key's own time may be ahead
    /// of ours; it lives until it is refused for its age. In whole seconds, so that many
    /// keys expire together.
    #[must_use]
    pub fn expires_at(&self) -> UnixMillis {
        let expiry = self.expiry(self.key.made_at().unwrap_or(self.now));
        expiry.div_ceil(1_000).saturating_mul(1_000)
    }

    fn expiry(&self, from: UnixMillis) -> UnixMillis {
        let horizon = u64::try_from(self.bounds.horizon.as_millis()).unwrap_or(u64::MAX);
        from.saturating_add(horizon)
    }
}

/// As how many keys a key counts.
pub(crate) fn room(key: &IdempotencyKey) -> usize {
    key.as_str().len().div_ceil(64)
}

/// What was decided for a request, as it is recorded.
pub fn recorded<T: Clone, E: Clone>(decision: &Result<T, E>) -> Decision<T, E> {
    match decision.clone() {
        Ok(effect) => Decision::Done(effect),
        Err(reason) => Decision::Refused(reason),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::key::OrderId;

    const NOW: UnixMillis = 1_764_367_200_000;
    const BOUNDS: Bounds = Bounds { horizon: Duration::from_mins(10), keys: 3, voids: 1 };

    type Kept = Record<u8, u32, &'static str>;

    fn key(text: &str) -> IdempotencyKey {
        IdempotencyKey::new(text).unwrap()
    }

    fn told(
        decision: Decision<u32, &'static str>,
        fingerprint: Option<u8>,
    ) -> Result<Option<Result<u32, &'static str>>, KeyError> {
        let (key, record) = (key("a"), Kept { fingerprint, decision, since: NOW });
        OneKey::admit(&key, NOW, BOUNDS).unwrap().decided(Some(&record), &1)
    }

    #[test]
    fn a_record_tells_the_first_decision_to_an_equal_request_and_nothing_to_another() {
        assert_eq!(told(Decision::Done(7), Some(1)), Ok(Some(Ok(7))));
        assert_eq!(told(Decision::Refused("out"), Some(1)), Ok(Some(Err("out"))));
        assert_eq!(told(Decision::Cancelled(7), Some(1)), Err(KeyError::Cancelled));
        assert_eq!(told(Decision::Void, None), Err(KeyError::Void));
        assert_eq!(told(Decision::Done(7), Some(2)), Err(KeyError::OtherRequest));
        let (key, none) = (key("a"), None::<&Kept>);
        assert_eq!(OneKey::admit(&key, NOW, BOUNDS).unwrap().decided(none, &1), Ok(None));
    }

    #[test]
    fn voids_have_room_of_their_own_and_a_long_key_takes_that_of_several() {
        let (short, long) = (key("a"), key(&"k".repeat(65)));
        let fits = |key, room| {
            let one = OneKey::admit(key, NOW, BOUNDS).unwrap();
            let remembered = Remembered { keys: room, room };
            (one.fits_request(remembered).is_ok(), one.fits_void(remembered).is_ok())
        };
        assert_eq!(
            [2, 3, 4].map(|room| fits(&short, room)),
            [(true, true), (false, true), (false, false)]
        );
        assert_eq!(
            [1, 2, 3].map(|room| fits(&long, room)),
            [(true, true), (false, true), (false, false)]
        );
    }

    #[test]
    fn the_key_of_an_order_expires_by_its_own_time_and_any_other_by_its_first_use() {
        let order = IdempotencyKey::of_order(OrderId::new(NOW - 60_500, [1; 10]));
        let other = key("a");
        let expiry = |key| OneKey::admit(key, NOW, BOUNDS).unwrap().expires_at();
        assert_eq!((expiry(&order), expiry(&other)), (NOW + 540_000, NOW + 600_000));
    }
}
