//! How long to wait before asking again.

use std::time::Duration;

/// A wait that doubles with each attempt, up to a most, and of which a random part is
/// waited: with "full jitter" many who ask the same do not come at the same moment.
/// See <https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/>.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Backoff {
    /// The longest wait before the second attempt.
    pub base: Duration,
    /// The longest wait of all.
    pub most: Duration,
}

impl Backoff {
    /// The wait after so many attempts. `roll` is a random number from 0 to 1.
    #[must_use]
    pub fn wait(self, attempts: u32, roll: f64) -> Duration {
        let doubled = 2_u32.saturating_pow(attempts.saturating_sub(1));
        self.base.saturating_mul(doubled).min(self.most).mul_f64(roll.clamp(0.0, 1.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_wait_doubles_up_to_the_most_and_a_roll_takes_a_part_of_it() {
        let (base, most) = (Duration::from_millis(100), Duration::from_secs(1));
        let backoff = Backoff { base, most };
        let waits = [1, 2, 3, 4, 5, 6, 100, u32::MAX].map(|n| backoff.wait(n, 1.0).as_millis());
        assert_eq!(waits, [100, 200, 400, 800, 1_000, 1_000, 1_000, 1_000]);
        assert_eq!(backoff.wait(2, 0.5), base);
        assert_eq!(backoff.wait(9, 0.0), Duration::ZERO);
        assert_eq!(backoff.wait(9, 7.0), most, "a roll that is none");
    }
}
