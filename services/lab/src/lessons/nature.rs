//! Nature: messages overtake each other although nobody delays them.

use campuscafe_evidence::message_order::PingRounds;

use super::{Act, Experiment, LookAt, Trial, Verdict};

pub(super) const EXPERIMENT: Experiment = Experiment {
    name: "nature",
    title: "nobody delays a ping, and still some replies overtake",
    trials: &[Trial {
        caption: "Fifty rounds of twenty pings at once, without any delay. Is reordering a bug?",
        act: Act::Rounds { rounds: 50, count: 20, judge },
    }],
    side_by_side: &[],
    same_view: &[],
    look_at: LookAt {
        jaeger: "the pings of a round begin together and last about a millisecond each",
        grafana: "order_reordered_replies_total rises without any fault",
    },
};

fn judge(rounds: &PingRounds) -> Verdict {
    let (all, reordered) = (rounds.inversions.len(), rounds.reordered());
    let pairs = all as u64 * u64::from(rounds.count) * (u64::from(rounds.count) - 1) / 2;
    Verdict::of(reordered > 0, true, rounds.incomplete.clone(), || match reordered {
        0 => format!(
            "The expected effect did not happen: in all {all} rounds the answers came in the order \
             of sending. On an idle machine this can be so: run it again, or while the machine works."
        ),
        _ => format!(
            "In {reordered} of {all} rounds, replies overtook others, although no ping had a delay: \
             {} of {pairs} pairs. This is no bug: the pings run in parallel, and nothing keeps \
             parallel work in order. If the order matters, number the messages.",
            rounds.inversions.iter().sum::<u64>(),
        ),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_shows_if_one_pair_of_one_round_came_in_another_order() {
        for (inversions, shown) in [(vec![0, 0, 1], true), (vec![0, 0, 0], false)] {
            let rounds =
                PingRounds { count: 20, inversions, trace_id: None, incomplete: Vec::new() };
            let verdict = judge(&rounds);
            assert_eq!(verdict.conclusion.is_shown(), shown, "{}", verdict.sentence);
        }
    }
}
