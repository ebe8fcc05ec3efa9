//! How far an order of arrival strays from the order of sending.

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
