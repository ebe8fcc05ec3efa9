//! Random numbers that a seed repeats.

use campuscafe_chaos::SplitMix64;

/// Throws one number after another.
#[derive(Debug, Clone)]
pub(super) struct Dice {
    seed: u64,
    thrown: u64,
}

impl Dice {
    /// The dice for one purpose: those for another purpose throw other numbers.
    pub(super) fn new(seed: u64, purpose: u64) -> Self {
        Self { seed: seed.wrapping_mul(31).wrapping_add(purpose), thrown: 0 }
    }

    /// A number from `from` to below `to`.
    pub(super) fn between(&mut self, from: u64, to: u64) -> u64 {
        let number = SplitMix64::nth(self.seed, self.thrown);
        self.thrown += 1;
        from + number.below(to.saturating_sub(from))
    }

    pub(super) fn percent(&mut self, chance: u64) -> bool {
        self.between(0, 100) < chance
    }

    /// One of several things, each as likely as its weight says.
    pub(super) fn weighted<T: Copy>(&mut self, among: &[(u64, T)]) -> T {
        let sum = among.iter().map(|(weight, _)| weight).sum();
        let mut left = self.between(0, sum);
        for (weight, thing) in among {
            match left.checked_sub(*weight) {
                None => return *thing,
                Some(rest) => left = rest,
            }
        }
        among[0].1
    }
}
