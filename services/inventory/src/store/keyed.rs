//! What stands under an idempotency key.

use std::sync::Arc;

use campuscafe_api::inventory::{Reservation, Reserve};
use campuscafe_cures::decisions::Record;
use campuscafe_cures::{Decision, IdempotencyKey, UnixMillis};

use crate::history::KeyHasher;
use crate::stock::{ReserveError, StockChange};

/// Two requests with equal fingerprints ask for the same: the same item, whose name
/// ignores case, and as many pieces. A keyed hash, because a name can be as long as a body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Fingerprint(u128);

impl Fingerprint {
    pub(crate) const fn from_bits(bits: u128) -> Self {
        Self(bits)
    }

    pub(crate) const fn bits(self) -> u128 {
        self.0
    }

    pub(crate) fn of(request: &Reserve, hasher: &KeyHasher) -> Self {
        let Reserve { item_id, quantity } = request;
        Self(hasher.hash(&format!("{quantity} {}", item_id.to_lowercase())))
    }
}

/// A reservation, as it is kept under its key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Kept {
    pub(crate) id: u128,
    pub(crate) item: Arc<str>,
    pub(crate) quantity: u64,
    /// How often the stock had been reset: a reservation does not outlive a reset.
    pub(crate) resets: u64,
}

impl Kept {
    /// `item` is the name of the item of the change: all that is kept shares it.
    pub(crate) fn new(id: u128, change: &StockChange, item: Arc<str>, resets: u64) -> Self {
        Self { id, item, quantity: change.quantity, resets }
    }

    pub(crate) fn reservation(&self) -> Reservation {
        Reservation {
            reservation_id: format!("{:032x}", self.id),
            item_id: self.item.to_string(),
            quantity: self.quantity,
        }
    }
}

/// A key, and what was decided under it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct KeyRecord {
    pub(crate) key: IdempotencyKey,
    pub(crate) decision: Decision<Kept, ReserveError>,
    pub(crate) since: UnixMillis,
}

impl KeyRecord {
    pub(crate) fn new(
        key: &IdempotencyKey,
        record: &Record<Fingerprint, Kept, ReserveError>,
    ) -> Self {
        Self { key: key.clone(), decision: record.decision.clone(), since: record.since }
    }
}
