//! When clients that were refused may come again.

use std::time::Duration;

/// The soonest that a client is told to come again, in seconds: most work is over by then.
pub(crate) const SOONEST: u64 = 1;
/// The latest, in seconds.
pub(crate) const LATEST: u64 = 10;

/// How much of the rate is kept from one second to the next if less is admitted: a second in
/// which few came says little about how many could be served.
const KEPT: f64 = 7.0 / 8.0;

/// A queue of the clients that were refused, by number only. Each second has turns for as
/// many as can be served, so that those who wait as they are told come neither all at once
/// nor later than they could.
#[derive(Debug, Default)]
pub(crate) struct Turns {
    /// How much can be served in a second, if that is known.
    rate: Option<f64>,
    /// How many wait for their turn.
    waiting: f64,
    /// Since when the admitted are counted, and when the queue was last looked at.
    counted_since: Duration,
    looked_at: Duration,
}

impl Turns {
    /// The turn of a client that is refused now, in seconds from now. `admitted` gives how
    /// much was admitted since it was last called; it is called once a second at most.
    pub(crate) fn next(&mut self, now: Duration, admitted: impl FnOnce() -> u32) -> u64 {
        self.look(now, admitted);
        let most = self.rate.map_or(f64::MAX, |rate| rate * LATEST as f64);
        self.waiting = (self.waiting + 1.0).min(most);
        self.last()
    }

    /// The turn of the last in the queue, in seconds from now. A client that does not wait
    /// is told this, and gets no turn.
    pub(crate) fn last(&self) -> u64 {
        let seconds = self.rate.map_or(0.0, |rate| (self.waiting / rate).ceil());
        (seconds as u64).clamp(SOONEST, LATEST)
    }

    fn look(&mut self, now: Duration, admitted: impl FnOnce() -> u32) {
        let counted = now.saturating_sub(self.counted_since).as_secs_f64();
        if counted >= 1.0 {
            let measured = f64::from(admitted()) / counted;
            let before = self.rate.unwrap_or_default();
            self.rate = Some(measured.max(before * KEPT).max(1.0));
            self.counted_since = now;
        }
        let passed = now.saturating_sub(self.looked_at).as_secs_f64();
        self.waiting = (self.waiting - self.rate.unwrap_or_default() * passed).max(0.0);
        self.looked_at = now;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The turns of clients that are refused at this time.
    fn told(turns: &mut Turns, clients: usize, ms: u64, admitted: u32) -> Vec<u64> {
        let now = Duration::from_millis(ms);
        (0..clients).map(|_| turns.next(now, || admitted)).collect()
    }

    #[test]
    fn as_many_are_told_to_come_in_each_second_as_can_be_served() {
        let mut turns = Turns::default();
        assert_eq!(told(&mut turns, 3, 0, 0), [1, 1, 1], "nothing is known yet");
        let told = told(&mut turns, 450, 1_000, 100);
        for second in 1..=4 {
            let share = told.iter().filter(|turn| **turn == second).count();
            assert!((97..=103).contains(&share), "{share} in second {second}");
        }
        assert_eq!(told.iter().max(), Some(&5));
    }

    #[test]
    fn nobody_is_told_to_wait_for_longer_than_ten_seconds() {
        let mut turns = Turns::default();
        assert_eq!(told(&mut turns, 5_000, 1_000, 100).iter().max(), Some(&LATEST));
        // Those ten seconds later the queue is empty again.
        assert_eq!(told(&mut turns, 1, 11_500, 1_000), [1]);
        let nothing_served = told(&mut Turns::default(), 99, 5_000, 0);
        assert_eq!(nothing_served.iter().max(), Some(&LATEST));
    }

    #[test]
    fn a_second_in_which_few_came_lowers_the_rate_by_an_eighth_only() {
        let mut turns = Turns::default();
        told(&mut turns, 1, 1_000, 80);
        told(&mut turns, 1, 2_000, 0);
        assert_eq!(turns.rate, Some(70.0));
        told(&mut turns, 1, 3_000, 200);
        assert_eq!(turns.rate, Some(200.0));
    }

    #[test]
    fn a_client_that_does_not_wait_gets_no_turn() {
        let mut turns = Turns::default();
        told(&mut turns, 15, 1_000, 10);
        assert_eq!([turns.last(), turns.last()], [2, 2]);
        assert_eq!(told(&mut turns, 1, 1_000, 10), [2]);
    }
}
