//! How much slow work is taken while there is too much ordinary work.

use std::time::Duration;

use crate::WorkKind;

/// How long after the last refusal of ordinary work there still is too much of it.
const LASTS: Duration = Duration::from_secs(1);

/// How many pieces of ordinary work must be taken for one of slow work.
const ORDINARY_FOR_ONE_SLOW: u32 = 2;

/// How much ordinary work counts that was taken in advance: enough for ten pieces of slow work.
/// So one refusal alone keeps nobody out.
const MOST_TAKEN: u32 = 10 * ORDINARY_FOR_ONE_SLOW;

/// Ordinary work has its permits, but both kinds share the processor. Without a proportion,
/// slow work takes what ordinary work leaves when its customers wait as they were told, and
/// then those come back to a service that is slower than before.
#[derive(Debug, Default)]
pub(crate) struct Proportion {
    refused_at: Option<Duration>,
    /// Ordinary work that was taken since then and not yet spent on slow work.
    taken: u32,
}

impl Proportion {
    /// Ordinary work is refused now.
    pub(crate) fn refused(&mut self, now: Duration) {
        if !self.is_too_much(now) {
            self.taken = MOST_TAKEN;
        }
        self.refused_at = Some(now);
    }

    fn is_too_much(&self, now: Duration) -> bool {
        self.refused_at.is_some_and(|at| now.saturating_sub(at) <= LASTS)
    }

    /// Whether a piece of work is taken now, as far as the proportion is concerned.
    pub(crate) fn admits(&mut self, kind: WorkKind, now: Duration) -> bool {
        if !self.is_too_much(now) {
            return true;
        }
        match kind {
            WorkKind::Ordinary => {
                self.taken = self.taken.saturating_add(1).min(MOST_TAKEN);
                true
            }
            WorkKind::Slow => match self.taken.checked_sub(ORDINARY_FOR_ONE_SLOW) {
                Some(rest) => {
                    self.taken = rest;
                    true
                }
                None => false,
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn taken(proportion: &mut Proportion, kind: WorkKind, tries: usize, ms: u64) -> usize {
        let now = Duration::from_millis(ms);
        (0..tries).filter(|_| proportion.admits(kind, now)).count()
    }

    #[test]
    fn one_piece_of_slow_work_follows_two_of_ordinary_work() {
        let mut proportion = Proportion::default();
        assert_eq!(taken(&mut proportion, WorkKind::Slow, 100, 0), 100);
        proportion.refused(Duration::ZERO);
        assert_eq!(taken(&mut proportion, WorkKind::Slow, 100, 0), 10, "in advance");
        proportion.refused(Duration::from_millis(500));
        assert_eq!(taken(&mut proportion, WorkKind::Slow, 100, 1_500), 0);
        assert_eq!(taken(&mut proportion, WorkKind::Ordinary, 7, 1_500), 7);
        assert_eq!(taken(&mut proportion, WorkKind::Slow, 100, 1_500), 3);
        assert_eq!(taken(&mut proportion, WorkKind::Slow, 100, 1_501), 100);
    }

    #[test]
    fn ordinary_work_counts_in_advance_for_ten_pieces_of_slow_work_at_most() {
        let mut proportion = Proportion::default();
        proportion.refused(Duration::ZERO);
        taken(&mut proportion, WorkKind::Ordinary, 1_000, 0);
        assert_eq!(taken(&mut proportion, WorkKind::Slow, 1_000, 0), 10);
    }
}
