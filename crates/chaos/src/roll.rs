//! Seeded chance: the same seed and the same count give the same roll.

/// One throw of the dice: a number that nobody can tell from a random one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Roll(u64);

impl Roll {
    /// The `count`th roll of the dice that `seed` stands for.
    ///
    /// The rolls are a function of their place, not of a generator's state, so
    /// that no lock is needed and a test can ask for the thousandth one alone.
    /// The mixing is `SplitMix64` (Steele, Lea, Flood: Fast Splittable
    /// Pseudorandom Number Generators, 2014).
    #[must_use]
    pub const fn nth(seed: u64, count: u64) -> Self {
        let mut z = seed.wrapping_add(count.wrapping_add(1).wrapping_mul(0x9E37_79B9_7F4A_7C15));
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        Self(z ^ (z >> 31))
    }

    /// A face of a hundred-sided die, 0 to 99.
    #[must_use]
    pub const fn percent(self) -> u8 {
        self.below(100) as u8
    }

    /// A number from 0 to below `bound`; 0 if the bound is 0. A remainder favours
    /// the low numbers, by less than `bound` in 2^64.
    #[must_use]
    pub const fn below(self, bound: u64) -> u64 {
        match self.0.checked_rem(bound) {
            Some(number) => number,
            None => 0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Roll;

    #[test]
    fn the_same_seed_and_count_give_the_same_roll() {
        for count in 0..1_000 {
            assert_eq!(Roll::nth(7, count), Roll::nth(7, count));
        }
        assert_ne!(
            (0..20).map(|n| Roll::nth(7, n).percent()).collect::<Vec<_>>(),
            (0..20).map(|n| Roll::nth(8, n).percent()).collect::<Vec<_>>(),
        );
    }

    #[test]
    fn every_face_comes_up_about_equally_often() {
        let mut faces = [0_u32; 100];
        for count in 0..100_000 {
            faces[usize::from(Roll::nth(42, count).percent())] += 1;
        }
        assert!(faces.iter().all(|&times| (850..1150).contains(&times)), "{faces:?}");
    }
}
