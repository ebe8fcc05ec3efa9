//! Whether an order makes another attempt, and when.

use std::time::Duration;

use crate::backoff::Backoff;

/// How an order is retried whose attempts carry a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RetryPolicy {
    /// Attempts of one order, the first one included.
    pub attempts: u32,
    /// The wait before each retry.
    pub backoff: Backoff,
    /// From the first attempt until the last one must have its answer.
    pub deadline: Duration,
}

/// What follows an attempt without an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    /// Another attempt, after this wait.
    RetryAfter(Duration),
    /// Nothing: the order has made all its attempts.
    Exhausted,
    /// Nothing, although the order has attempts left.
    Refused(Refusal),
}

/// Why a retry is not sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// The order's deadline comes first.
    Deadline,
    /// Other orders have used up the budget.
    Budget,
}

impl Refusal {
    /// Every reason there is, for counters that must exist from the start.
    pub const ALL: [Self; 2] = [Self::Deadline, Self::Budget];

    /// The word used in metrics and spans.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Deadline => "deadline",
            Self::Budget => "budget",
        }
    }
}

impl RetryPolicy {
    /// What follows after so many attempts without an answer, so long after the first was
    /// sent. Takes a token only for a retry that will be sent. `roll` is a random number from
    /// 0 to 1.
    #[must_use]
    pub fn next(
        self,
        made: u32,
        elapsed: Duration,
        roll: f64,
        spend: impl FnOnce() -> bool,
    ) -> Next {
        if made >= self.attempts {
            return Next::Exhausted;
        }
        let wait = self.backoff.wait(made, roll);
        if elapsed.saturating_add(wait) >= self.deadline {
            return Next::Refused(Refusal::Deadline);
        }
        if spend() { Next::RetryAfter(wait) } else { Next::Refused(Refusal::Budget) }
    }

    /// How long a retry may take that is sent so long after the first attempt, where each
    /// attempt may take `timeout`.
    #[must_use]
    pub fn timeout(self, timeout: Duration, elapsed: Duration) -> Duration {
        timeout.min(self.deadline.saturating_sub(elapsed))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::budget::{RESERVE, RetryBudget};

    const SECOND: Duration = Duration::from_secs(1);

    const POLICY: RetryPolicy = RetryPolicy {
        attempts: 3,
        backoff: Backoff { base: Duration::from_millis(100), most: SECOND },
        deadline: Duration::from_secs(3),
    };

    fn seconds(seconds: f64) -> Duration {
        Duration::from_secs_f64(seconds)
    }

    #[test]
    fn a_retry_waits_longer_each_time_and_the_third_attempt_is_the_last() {
        let next = |made, roll| POLICY.next(made, SECOND, roll, || true);
        assert_eq!(next(1, 1.0), Next::RetryAfter(seconds(0.1)));
        assert_eq!(next(2, 1.0), Next::RetryAfter(seconds(0.2)));
        assert_eq!(next(2, 0.5), Next::RetryAfter(seconds(0.1)));
        assert_eq!(next(3, 1.0), Next::Exhausted);
    }

    #[test]
    fn no_retry_begins_at_or_after_the_deadline_and_none_outlasts_it() {
        let next = |elapsed| POLICY.next(1, seconds(elapsed), 1.0, || true);
        assert_eq!(next(2.89), Next::RetryAfter(seconds(0.1)));
        assert_eq!(next(2.9), Next::Refused(Refusal::Deadline));
        assert_eq!(next(60.0), Next::Refused(Refusal::Deadline));
        for (elapsed, expected) in [(1.0, 1.0), (2.0, 1.0), (2.4, 0.6), (3.0, 0.0), (9.0, 0.0)] {
            assert_eq!(POLICY.timeout(SECOND, seconds(elapsed)), seconds(expected), "{elapsed}");
        }
    }

    #[test]
    fn only_a_retry_that_will_be_sent_takes_from_the_budget() {
        let mut budget = RetryBudget::new(0.1, RESERVE);
        for _ in 0..100 {
            let late = POLICY.next(1, POLICY.deadline, 0.0, || budget.spend());
            assert_eq!(late, Next::Refused(Refusal::Deadline));
            let last = POLICY.next(3, SECOND, 0.0, || budget.spend());
            assert_eq!(last, Next::Exhausted);
        }
        for _ in 0..RESERVE {
            let sent = POLICY.next(1, SECOND, 0.0, || budget.spend());
            assert_eq!(sent, Next::RetryAfter(Duration::ZERO));
        }
        let refused = POLICY.next(1, SECOND, 0.0, || budget.spend());
        assert_eq!(refused, Next::Refused(Refusal::Budget));
    }
}
