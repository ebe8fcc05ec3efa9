//! Out of order, planned and measured.

use campuscafe_chaos::SplitMix64;

/// Delays stay under this many milliseconds.
pub const MAX_DELAY: u64 = 1_800;

/// The delays of `count` pings, in milliseconds, in the order of sending.
///
/// Each ping gets a slot of its own on the time line, with room around it, so
/// that the same seed gives the same order of answers even on a busy machine.
#[must_use]
pub fn delays(count: u32, seed: u64) -> Vec<u64> {
    let count = u64::from(count);
    let percent = |n: u64| u64::from(SplitMix64::nth(seed, n).percent());
    let mut positions: Vec<u64> = (0..count).collect();
    // Fisher and Yates' shuffle, from the end.
    for last in (1..positions.len()).rev() {
        let other = SplitMix64::nth(seed, last as u64).below(last as u64 + 1) as usize;
        positions.swap(last, other);
    }
    let slot = MAX_DELAY.checked_div(count).unwrap_or(MAX_DELAY);
    let within = |n: usize| percent(count + n as u64) * slot / 300;
    positions.iter().enumerate().map(|(n, position)| position * slot + within(n)).collect()
}

/// Pairs that arrived in the other order than they were sent. `arrived` holds
/// each one's place in the order of sending.
#[must_use]
pub fn inversions(arrived: &[u32]) -> u64 {
    let later = |n: usize| arrived[n + 1..].iter().filter(move |&&i| i < arrived[n]).count();
    (0..arrived.len()).map(|n| later(n) as u64).sum()
}

/// Those that overtook at least one sent before them.
#[must_use]
pub fn overtakers(arrived: &[u32]) -> u64 {
    let overtook = |n: &usize| arrived[n + 1..].iter().any(|&i| i < arrived[*n]);
    (0..arrived.len()).filter(overtook).count() as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_gives_these_delays_in_every_version() {
        assert_eq!(delays(6, 7), [398, 682, 85, 1_525, 1_283, 916]);
        assert_eq!(delays(3, 42), [1_328, 700, 124]);
    }

    #[test]
    fn delays_are_apart_from_each_other_and_under_the_limit() {
        for count in 2..=20 {
            for seed in 0..200 {
                let planned = delays(count, seed);
                let mut sorted = planned.clone();
                sorted.sort_unstable();
                assert_eq!(sorted.len(), count as usize);
                assert!(sorted.windows(2).all(|two| two[1] - two[0] >= 50), "{planned:?}");
                assert!(sorted.iter().all(|delay| *delay < MAX_DELAY), "{planned:?}");
            }
        }
    }

    #[test]
    fn every_order_of_three_comes_up_about_equally_often() {
        let mut seen = std::collections::BTreeMap::<Vec<u64>, u32>::new();
        for seed in 0..6_000 {
            *seen.entry(delays(3, seed).iter().map(|delay| delay / 600).collect()).or_default() +=
                1;
        }
        assert_eq!(seen.len(), 6);
        assert!(seen.values().all(|times| (800..1_200).contains(times)), "{seen:?}");
    }

    #[test]
    fn inversions_count_pairs_and_overtakers_count_replies() {
        for (arrived, pairs, replies) in [
            (&[][..], 0, 0),
            (&[0], 0, 0),
            (&[0, 1, 2, 3], 0, 0),
            (&[1, 0], 1, 1),
            (&[3, 2, 1, 0], 6, 3),
            (&[3, 0, 1, 2], 3, 1),
            (&[1, 2, 3, 0], 3, 3),
        ] {
            assert_eq!((inversions(arrived), overtakers(arrived)), (pairs, replies), "{arrived:?}");
        }
    }
}
