//! When clients that were refused may come again.

use std::time::Duration;

/// The soonest that a client is told to come again, in seconds, and the latest.
const SOONEST: f64 = 1.0;
const LATEST: f64 = 60.0;

/// How often the latest time is adapted.
const ADAPTED_EVERY: Duration = Duration::from_millis(500);

/// The latest time grows while more than one is refused for so many that are admitted.
const TOO_MANY: u32 = 10;
/// It shrinks while fewer than one are refused for so many.
const FEW: u32 = 25;

/// How much more clients come early than late: 1 would spread them evenly. With 3, a half of
/// them comes in the first eighth of the time.
const EARLY: i32 = 3;

const GROWS: f64 = 2.0;
const SHRINKS: f64 = 0.7;

/// Spreads the clients that are refused over some seconds ("jitter"), the more seconds the more
/// of them there are. So they do not come all at once, and refusals leave the processor to the
/// work. Most of them come early: when many clients appear at the same time, nearly all are
/// refused at first, and if they were spread evenly, the service would soon wait for them.
#[derive(Debug)]
pub(crate) struct Backoff {
    latest: f64,
    adapted_at: Duration,
    admitted: u32,
    refused: u32,
    /// How many clients were told a time.
    told: u32,
}

impl Default for Backoff {
    fn default() -> Self {
        Self { latest: SOONEST, adapted_at: Duration::ZERO, admitted: 0, refused: 0, told: 0 }
    }
}

impl Backoff {
    /// A client is served now.
    pub(crate) fn admit(&mut self, now: Duration) {
        self.adapt(now);
        self.admitted = self.admitted.saturating_add(1);
    }

    /// A client is refused now: after how many seconds it may come again.
    pub(crate) fn refuse(&mut self, now: Duration) -> u64 {
        self.adapt(now);
        self.refused = self.refused.saturating_add(1);
        self.told = self.told.wrapping_add(1);
        // Multiples of the golden ratio, whose fractions are spread evenly wherever one begins.
        let spread = self.told.wrapping_mul(0x9E37_79B9);
        let part = f64::from(spread) / (f64::from(u32::MAX) + 1.0);
        (SOONEST + self.latest.round() * part.powi(EARLY)) as u64
    }

    fn adapt(&mut self, now: Duration) {
        let passed = now.saturating_sub(self.adapted_at);
        if passed < ADAPTED_EVERY {
            return;
        }
        if self.refused > self.admitted / TOO_MANY {
            self.latest = (self.latest * GROWS).min(LATEST);
        } else if self.refused <= self.admitted / FEW {
            let times = passed.as_millis() / ADAPTED_EVERY.as_millis();
            self.latest = (self.latest * SHRINKS.powi(times.min(16) as i32)).max(SOONEST);
        }
        (self.adapted_at, self.admitted, self.refused) = (now, 0, 0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Half a second, by number, in which clients come: what those who are refused are told.
    fn half(backoff: &mut Backoff, number: u32, admitted: u32, refused: u32) -> Vec<u64> {
        let now = ADAPTED_EVERY * number;
        (0..admitted).for_each(|_| backoff.admit(now));
        (0..refused).map(|_| backoff.refuse(now)).collect()
    }

    #[test]
    fn at_first_clients_come_again_after_a_second() {
        assert_eq!(half(&mut Backoff::default(), 0, 100, 900), [1; 900]);
    }

    #[test]
    fn while_many_are_refused_they_are_spread_over_a_minute_and_half_of_them_come_early() {
        let mut backoff = Backoff::default();
        for number in 0..6 {
            half(&mut backoff, number, 100, 11);
        }
        let mut told = half(&mut backoff, 6, 100, 8_000);
        told.sort_unstable();
        // By eighths: after how many seconds so many of them have come.
        let eighths = [1, 2, 3, 4, 5, 6, 7].map(|eighth| told[eighth * 1_000]);
        assert_eq!(eighths, [1, 1, 4, 8, 15, 26, 41]);
        assert_eq!((told[0], told[7_999]), (1, 60));
    }

    #[test]
    fn when_few_are_refused_they_come_sooner_again() {
        let mut backoff = Backoff::default();
        let mut latest = |number, refused| {
            half(&mut backoff, number, 100, refused);
            backoff.latest.round()
        };
        (0..7).for_each(|number| _ = latest(number, 90));
        assert_eq!(latest(7, 7), 60.0);
        assert_eq!(latest(8, 4), 60.0, "neither many nor few");
        assert_eq!(latest(9, 4), 42.0);
        assert_eq!(latest(10, 4), 29.0);
        // Nothing happens for 10 s.
        assert_eq!(latest(29, 4), 1.0);
    }
}
