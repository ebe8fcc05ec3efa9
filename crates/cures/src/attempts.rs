//! What an order knows from the answers to its attempts, all of them under one key.

/// How one attempt ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Answer {
    /// The inventory reserved under the key, now or earlier.
    Reserved,
    /// The inventory refused under the key, or the key is void: no attempt can reserve.
    RefusedUnderKey,
    /// The inventory refused before it looked at the key: another attempt may reserve.
    RefusedBeforeKey,
    /// Nothing was sent.
    NotSent,
    /// It was sent, and no answer came.
    None,
}

/// What the attempts come to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Knowledge {
    /// One reservation is there.
    Reserved,
    /// No reservation is there, and none can come.
    NotReserved,
    /// An attempt may have reserved, or may yet.
    Unknown,
}

/// What is certain after these attempts, if none follows.
///
/// One word of the inventory's under the key is about every attempt with this key. That
/// is the difference from a retry without a key, whose refusal says nothing about the
/// attempt before it.
#[must_use]
pub fn knowledge(answers: &[Answer]) -> Knowledge {
    let any = |wanted| answers.contains(&wanted);
    if any(Answer::Reserved) {
        Knowledge::Reserved
    } else if any(Answer::RefusedUnderKey) {
        Knowledge::NotReserved
    } else if any(Answer::None) {
        Knowledge::Unknown
    } else {
        Knowledge::NotReserved
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn failed_is_said_only_when_no_attempt_can_reserve() {
        use Answer::{NotSent, RefusedBeforeKey, RefusedUnderKey, Reserved};
        for (answers, expected) in [
            (&[Reserved][..], Knowledge::Reserved),
            (&[Answer::None, Reserved], Knowledge::Reserved),
            (&[Answer::None], Knowledge::Unknown),
            (&[Answer::None, Answer::None], Knowledge::Unknown),
            (&[Answer::None, RefusedBeforeKey], Knowledge::Unknown),
            (&[Answer::None, NotSent], Knowledge::Unknown),
            (&[Answer::None, RefusedUnderKey], Knowledge::NotReserved),
            (&[RefusedUnderKey], Knowledge::NotReserved),
            (&[RefusedBeforeKey], Knowledge::NotReserved),
            (&[NotSent], Knowledge::NotReserved),
            (&[], Knowledge::NotReserved),
        ] {
            assert_eq!(knowledge(answers), expected, "{answers:?}");
        }
    }
}
