//! Seeded random numbers: the same seed and the same count give the same number.

/// One number of the generator `SplitMix64`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SplitMix64(u64);

impl SplitMix64 {
    /// The `count`th number of a seed, counted from 0.
    ///
    /// A number depends on its count and not on the state of a generator, so that no
    /// lock is needed and a test can ask for the thousandth one alone. See Steele, Lea,
    /// Flood: Fast Splittable Pseudorandom Number Generators, 2014.
    #[must_use]
    pub const fn nth(seed: u64, count: u64) -> Self {
        let mut z = seed.wrapping_add(count.wrapping_add(1).wrapping_mul(0x9E37_79B9_7F4A_7C15));
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        Self(z ^ (z >> 31))
    }

    /// A number from 0 to 99.
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
    use super::SplitMix64;

    #[test]
    fn the_numbers_are_those_of_the_published_generator() {
        // The reference implementation, Vigna's splitmix64.c, gives these for the same seeds.
        let numbers = [0, 1, 2, 3, 4].map(|count| SplitMix64::nth(1_234_567, count).0);
        let published = [
            6_457_827_717_110_365_317,
            3_203_168_211_198_807_973,
            9_817_491_932_198_370_423,
            4_593_380_528_125_082_431,
            16_408_922_859_458_223_821,
        ];
        assert_eq!(numbers, published);
        assert_eq!(SplitMix64::nth(0, 0).0, 0xE220_A839_7B1D_CDAF);
    }

    #[test]
    fn a_number_below_a_bound_is_the_remainder_and_nothing_is_below_0() {
        let number = SplitMix64::nth(0, 0);
        assert_eq!([0, 1, 10, 1_000].map(|bound| number.below(bound)), [0, 0, 5, 535]);
        assert_eq!(number.percent(), 35);
    }

    #[test]
    fn every_percent_comes_up_about_equally_often() {
        let mut percents = [0_u32; 100];
        for count in 0..100_000 {
            percents[usize::from(SplitMix64::nth(42, count).percent())] += 1;
        }
        assert!(percents.iter().all(|&times| (850..1150).contains(&times)), "{percents:?}");
    }
}
