//! Why a service did not do what a call asked for.

use serde::Serialize;

/// A refusal that rests on what was decided before, or on what is there now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Refusal {
    /// The stock is too low.
    OutOfStock,
    /// The idempotency key was used for a different request.
    KeyReused,
    /// The idempotency key is void: nothing can be decided under it any more.
    KeyVoid,
    /// The reservation under the idempotency key is cancelled.
    Cancelled,
    /// The idempotency key is older than what is remembered.
    KeyExpired,
    /// The version that the request names is not the current one.
    Stale,
    /// The request must name a version, and names none.
    Unversioned,
}

impl Refusal {
    /// Every one, with its word in spans.
    const WORDS: [(Self, &str); 7] = [
        (Self::OutOfStock, "out-of-stock"),
        (Self::KeyReused, "idempotency-key-reused"),
        (Self::KeyVoid, "idempotency-key-void"),
        (Self::Cancelled, "reservation-cancelled"),
        (Self::KeyExpired, "idempotency-key-expired"),
        (Self::Stale, "precondition-failed"),
        (Self::Unversioned, "precondition-required"),
    ];

    /// The refusal that a span names by this word.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        Self::WORDS.into_iter().find(|(_, own)| *own == word).map(|(refusal, _)| refusal)
    }

    /// Its word in spans: the last part of the type of the problem that is answered.
    #[must_use]
    pub fn word(self) -> &'static str {
        Self::WORDS.into_iter().find(|(own, _)| *own == self).map_or("", |(_, word)| word)
    }
}

/// What the called side found that had been decided before, or refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Decided {
    /// The answer was decided earlier under the same idempotency key.
    Replayed,
    /// It refused.
    Refused(Refusal),
}

#[cfg(test)]
mod tests {
    use campuscafe_attributes::REFUSALS;

    use super::*;

    #[test]
    fn every_word_of_the_services_is_a_refusal_of_its_own_and_every_other_word_is_none() {
        let read: Vec<_> = REFUSALS.into_iter().filter_map(Refusal::from_word).collect();
        assert_eq!(read.len(), REFUSALS.len());
        assert_eq!(read.iter().map(|it| it.word()).collect::<Vec<_>>(), REFUSALS);
        assert_eq!(Refusal::from_word("void"), None);
    }
}
