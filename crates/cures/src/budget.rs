//! How many retries there may be, compared with first attempts.

/// The retries that a service may send on top of its first attempts: a token bucket without
/// a clock. Each first attempt earns a part of a token, each retry spends a whole one.
///
/// Few failures find tokens in the reserve. When everything fails, the retries stay a fixed
/// fraction of the orders, so they cannot keep an overloaded inventory overloaded after the
/// cause is gone.
///
/// From Finagle's `RetryBudget`
/// (<https://twitter.github.io/finagle/guide/Clients.html#retries>), with the ratio of 10 %
/// of the SRE book, chapter "Handling Overload"
/// (<https://sre.google/sre-book/handling-overload/>). Why retries need a bound: Amazon
/// Builders' Library, "Timeouts, retries, and backoff with jitter"
/// (<https://aws.amazon.com/builders-library/timeouts-retries-and-backoff-with-jitter/>), and
/// Bronson and others, "Metastable Failures in Distributed Systems", HotOS 2021.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RetryBudget {
    /// What a first attempt earns, in parts of [`TOKEN`].
    earned: u64,
    /// What is there now, in parts of [`TOKEN`].
    left: u64,
    /// The most that can be there, in parts of [`TOKEN`].
    most: u64,
}

/// A token in whole parts, so that ten tenths are one.
const TOKEN: u64 = 1_000_000;

/// The usual reserve: so many retries may come at once.
pub const RESERVE: u32 = 10;

impl RetryBudget {
    /// A full reserve, to which each first attempt adds this fraction of a retry; there are
    /// never more. A fraction of 0 allows no retry at all.
    #[must_use]
    pub fn new(ratio: f64, reserve: u32) -> Self {
        let earned = (ratio.clamp(0.0, 1.0) * TOKEN as f64).round() as u64;
        let most = if earned == 0 { 0 } else { u64::from(reserve) * TOKEN };
        Self { earned, left: most, most }
    }

    /// A first attempt is sent.
    pub fn earn(&mut self) {
        self.left = self.left.saturating_add(self.earned).min(self.most);
    }

    /// Whether a retry may be sent; if so, its token is spent.
    #[must_use]
    pub fn spend(&mut self) -> bool {
        let left = self.left.checked_sub(TOKEN);
        self.left = left.unwrap_or(self.left);
        left.is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn retries(budget: &mut RetryBudget, wanted: usize) -> usize {
        (0..wanted).filter(|_| budget.spend()).count()
    }

    #[test]
    fn a_burst_of_ten_retries_is_in_the_budget_and_an_eleventh_is_not() {
        assert_eq!(retries(&mut RetryBudget::new(0.1, RESERVE), 100), 10);
    }

    #[test]
    fn when_every_order_wants_retries_they_are_the_ratio_of_the_first_attempts() {
        for (ratio, expected) in [(0.1, 100), (0.25, 250), (1.0, 1_000), (0.003, 3)] {
            let mut budget = RetryBudget::new(ratio, RESERVE);
            assert_eq!(retries(&mut budget, 100), 10, "the reserve");
            let sent: usize = (0..1_000)
                .map(|_| {
                    budget.earn();
                    retries(&mut budget, 5)
                })
                .sum();
            assert_eq!(sent, expected, "{ratio}");
        }
    }

    #[test]
    fn a_long_time_without_retries_saves_no_more_than_the_reserve() {
        let mut budget = RetryBudget::new(1.0, RESERVE);
        (0..1_000_000).for_each(|_| budget.earn());
        assert_eq!(retries(&mut budget, 100), 10);
    }

    #[test]
    fn a_refused_retry_costs_nothing() {
        let mut budget = RetryBudget::new(0.5, RESERVE);
        assert_eq!(retries(&mut budget, 1_000), 10);
        (0..2).for_each(|_| budget.earn());
        assert_eq!(retries(&mut budget, 9), 1);
    }

    #[test]
    fn a_ratio_of_zero_allows_no_retry() {
        let mut budget = RetryBudget::new(0.0, RESERVE);
        budget.earn();
        assert!(!budget.spend());
    }
}
