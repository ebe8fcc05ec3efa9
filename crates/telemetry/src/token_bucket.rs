//! A bound on how often something may happen.

use std::time::Duration;

use tokio::time::Instant;

/// Each event takes a token. Tokens come back one by one, at a steady pace, until there
/// are as many as a burst may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct TokenBucket {
    /// A token comes back in this time.
    every: Duration,
    burst: u32,
    /// When the bucket is full again; none while it never was anything else.
    full_at: Option<Instant>,
}

impl TokenBucket {
    /// A full one, for a rate above 0.
    pub(crate) const fn new(per_second: u32, burst: u32) -> Self {
        let every = Duration::from_nanos(1_000_000_000 / per_second as u64);
        Self { every, burst, full_at: None }
    }

    /// Takes a token; `false` if there is none.
    pub(crate) fn take(&mut self, now: Instant) -> bool {
        let full_at = self.full_at.map_or(now, |at| at.max(now)) + self.every;
        let has_one = full_at - now <= self.every * self.burst;
        if has_one {
            self.full_at = Some(full_at);
        }
        has_one
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_passes_at_once_and_then_as_many_as_the_time_brings_back() {
        let begun = Instant::now();
        let mut bucket = TokenBucket::new(200, 400);
        let mut taken = |millis, tries: usize| {
            let now = begun + Duration::from_millis(millis);
            (0..tries).filter(|_| bucket.take(now)).count()
        };
        assert_eq!(taken(0, 1_000), 400);
        assert_eq!(taken(4, 1_000), 0, "refusals cost nothing, and give nothing back");
        assert_eq!(taken(5, 1_000), 1);
        assert_eq!(taken(1_005, 1_000), 200);
        assert_eq!(taken(60_000, 1_000), 400, "never more than a burst");
        assert_eq!((60_005..=70_000).step_by(5).map(|at| taken(at, 1)).sum::<usize>(), 2_000);
    }
}
