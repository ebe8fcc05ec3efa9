//! What the attempts come to: plain functions over plain values.

use campuscafe_api::order::{AttemptResult, Outcome};

/// How many attempts an order may make, the first one included.
pub const MAX_ATTEMPTS: u32 = 2;

/// How many attempts an order may make whose attempts carry an idempotency key, if its
/// deadline and the retry budget allow them.
pub const MAX_CURED_ATTEMPTS: u32 = 3;

/// What the order service knows after these attempts.
///
/// One answer with a reservation is enough to confirm. Without one, a single
/// attempt that was sent and never answered leaves the outcome unknown, even
/// if a later attempt was told no: the first may have taken the last piece.
#[must_use]
pub fn outcome(results: &[AttemptResult]) -> Outcome {
    let any = |wanted: &[AttemptResult]| results.iter().any(|result| wanted.contains(result));
    if any(&[AttemptResult::Ok]) {
        Outcome::Confirmed
    } else if any(&[AttemptResult::Timeout, AttemptResult::ConnectionLost]) {
        Outcome::Unknown
    } else {
        Outcome::Failed
    }
}

/// Whether to try once more: only after a timeout, and only so often.
///
/// This is the naive retry of the lesson. It treats "I do not know" as "it
/// did not happen", and that is how one customer comes to two cakes.
#[must_use]
pub const fn should_retry(last: AttemptResult, made: u32) -> bool {
    is_retried(last) && made < MAX_ATTEMPTS
}

/// Whether another attempt may follow one that ended like this, in either lane.
#[must_use]
pub const fn is_retried(last: AttemptResult) -> bool {
    matches!(last, AttemptResult::Timeout)
}

/// The status that tells the customer: 200 for a confirmation, 504 for unknown;
/// of the failures, 400 and 409 pass through, everything else is a 502.
#[must_use]
pub const fn status(outcome: Outcome, last_status: Option<u16>) -> u16 {
    match (outcome, last_status) {
        (Outcome::Confirmed, _) => 200,
        (Outcome::Unknown, _) => 504,
        (Outcome::Failed, Some(status @ (400 | 409))) => status,
        (Outcome::Failed, _) => 502,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use AttemptResult::{ConnectionLost, Ok, Refused, Rejected, Timeout};

    #[test]
    fn every_combination_of_attempts_has_its_outcome() {
        for (results, expected) in [
            (&[Ok][..], Outcome::Confirmed),
            (&[Rejected], Outcome::Failed),
            (&[Refused], Outcome::Failed),
            (&[Timeout], Outcome::Unknown),
            (&[ConnectionLost], Outcome::Unknown),
            (&[Timeout, Ok], Outcome::Confirmed),
            (&[Timeout, Timeout], Outcome::Unknown),
            (&[Timeout, ConnectionLost], Outcome::Unknown),
            (&[Timeout, Rejected], Outcome::Unknown),
            (&[Timeout, Refused], Outcome::Unknown),
            (&[], Outcome::Failed),
        ] {
            assert_eq!(outcome(results), expected, "{results:?}");
        }
    }

    #[test]
    fn only_a_timeout_is_tried_again_and_only_once() {
        for result in AttemptResult::ALL {
            assert_eq!(should_retry(result, 1), result == Timeout, "{result:?}");
            assert!(!should_retry(result, 2), "{result:?}");
        }
    }

    #[test]
    fn only_400_and_409_pass_through() {
        for (outcome, last, expected) in [
            (Outcome::Confirmed, Some(200), 200),
            (Outcome::Unknown, None, 504),
            (Outcome::Unknown, Some(409), 504),
            (Outcome::Failed, Some(400), 400),
            (Outcome::Failed, Some(409), 409),
            (Outcome::Failed, Some(503), 502),
            (Outcome::Failed, Some(418), 502),
            (Outcome::Failed, None, 502),
        ] {
            assert_eq!(status(outcome, last), expected, "{outcome:?} {last:?}");
        }
    }
}
