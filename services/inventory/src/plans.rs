//! Which fault a request meets.

use campuscafe_chaos::{Fault, Plan, SplitMix64};
use tokio::time::Instant;

use crate::history::{AttemptKey, Attempts};

/// How far each request's plan has come, and how many random numbers were taken.
#[derive(Debug)]
pub(crate) struct Plans {
    seed: u64,
    random_numbers: u64,
    attempts: Attempts,
}

impl Plans {
    pub(crate) fn new(seed: u64) -> Self {
        Self { seed, random_numbers: 0, attempts: Attempts::default() }
    }

    /// The fault of the request's next attempt, if `admit` takes it on.
    ///
    /// Whether there is room depends on the fault, so it is decided first; but
    /// only an attempt that is taken on takes its step of the plan, and its random
    /// number if it is flaky. A request that is turned away can be sent
    /// again, and then meets what it would have met.
    ///
    /// # Errors
    ///
    /// What `admit` says.
    pub(crate) fn next_fault<P, E>(
        &mut self,
        plan: &Plan,
        request: AttemptKey,
        now: Instant,
        admit: impl FnOnce(&Fault) -> Result<P, E>,
    ) -> Result<(Fault, P), E> {
        let uniform = plan.is_uniform();
        let attempt = if uniform { 1 } else { self.attempts.next(request, now) };
        let mut used = false;
        let fault = plan.step(attempt).resolve(|| {
            used = true;
            SplitMix64::nth(self.seed, self.random_numbers)
        });
        let admitted = admit(&fault)?;
        self.random_numbers = self.random_numbers.wrapping_add(u64::from(used));
        if !uniform {
            self.attempts.count(request, now);
        }
        Ok((fault, admitted))
    }

    /// Begins every plan again.
    pub(crate) fn restart(&mut self) {
        self.attempts.forget();
    }

    /// Requests whose plans began again because there was no room to remember them.
    pub(crate) const fn evicted(&self) -> u64 {
        self.attempts.evicted()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::history::KeyHasher;

    const SEED: u64 = 3;

    fn decide(plans: &mut Plans, plan: &str, id: &str, taken: bool) -> Option<String> {
        let request = KeyHasher::new(1).attempt_key(id);
        let admit = |_: &Fault| if taken { Ok(()) } else { Err(()) };
        let decided = plans.next_fault(&plan.parse().unwrap(), request, Instant::now(), admit);
        decided.ok().map(|(fault, ())| fault.to_string())
    }

    #[test]
    fn the_nth_attempt_of_a_request_takes_the_nth_step_until_a_reset() {
        let mut plans = Plans::new(SEED);
        let step = |plans: &mut Plans| decide(plans, "fail,abort,none", "a", true).unwrap();
        assert_eq!([(); 4].map(|()| step(&mut plans)), ["fail:503", "abort", "none", "none"]);
        plans.restart();
        assert_eq!(step(&mut plans), "fail:503");
    }

    #[test]
    fn a_request_that_is_turned_away_takes_no_step_and_no_random_number() {
        let (mut one, mut other) = (Plans::new(SEED), Plans::new(SEED));
        for n in 0..100 {
            for plan in ["fail,flaky,none", "flaky"] {
                let id = (n / 4).to_string();
                for _ in 0..n % 3 {
                    assert_eq!(decide(&mut other, plan, &id, false), None);
                }
                assert_eq!(decide(&mut one, plan, &id, true), decide(&mut other, plan, &id, true));
            }
        }
        assert_eq!(one.random_numbers, other.random_numbers);
        assert!(one.random_numbers > 100);
    }

    #[test]
    fn a_plan_of_one_step_is_not_remembered() {
        let mut plans = Plans::new(SEED);
        decide(&mut plans, "slow", "a", true);
        assert_eq!(decide(&mut plans, "fail,abort", "a", true).unwrap(), "fail:503");
    }
}
