//! Nature: messages overtake each other although nobody delays them.

use campuscafe_evidence::message_order::PingRounds;

use super::words::{flaws, instead};
use super::{Act, Experiment, Trial, Verdict};
use crate::messages::Message;

pub(super) const EXPERIMENT: Experiment = Experiment {
    name: "nature",
    trials: &[Trial {
        caption: "caption-nature-1",
        act: Act::Rounds { rounds: 50, count: 20, judge },
    }],
    side_by_side: &[],
    same_view: &[],
};

fn judge(rounds: &PingRounds) -> Verdict {
    let (all, reordered) = (rounds.inversions.len(), rounds.reordered());
    let pairs = all as u64 * u64::from(rounds.count) * (u64::from(rounds.count) - 1) / 2;
    Verdict::of(reordered > 0, true, flaws(&rounds.incomplete), || match reordered {
        0 => instead(Message::new("seen-nature").with("rounds", all)),
        _ => Message::new("why-nature-1")
            .with("reordered", reordered)
            .with("rounds", all)
            .with("overtook", rounds.inversions.iter().sum::<u64>())
            .with("pairs", pairs),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_shows_if_one_pair_of_one_round_came_in_another_order() {
        for (inversions, shown) in [(vec![0, 0, 1], true), (vec![0, 0, 0], false)] {
            let rounds = PingRounds {
                count: 20,
                inversions,
                trace_id: None,
                counters: [].into(),
                incomplete: Vec::new(),
            };
            let verdict = judge(&rounds);
            assert_eq!(verdict.conclusion.is_shown(), shown, "{verdict:?}");
        }
    }
}
