//! Reorder: the order of sending is not the order of arrival.

use campuscafe_evidence::message_order::PingBatch;

use super::{Act, Experiment, LookAt, Trial, Verdict};

const PINGS: u32 = 8;

pub(super) const EXPERIMENT: Experiment = Experiment {
    name: "reorder",
    title: "sent in one order, answered in another",
    trials: &[Trial {
        caption: "Eight pings are sent at the same moment. Each has its own delay.",
        act: Act::Pings { count: PINGS, judge },
    }],
    side_by_side: &[],
    same_view: &[],
    look_at: LookAt {
        jaeger: "eight pings begin together; their numbers are not in the order in which they end",
        grafana: "order_reordered_replies_total jumps by the replies that arrived before the reply \
         to an earlier ping",
    },
};

fn judge(batch: &PingBatch) -> Verdict {
    let report = &batch.report;
    let answered = report.completed_order.len();
    let shown = answered == PINGS as usize && report.inversions > 0;
    Verdict::of(shown, true, batch.incomplete.clone(), || {
        if shown {
            format!(
                "Of {} pairs of pings, {} were answered in a different order. Answers may arrive in \
                 a different order from the requests.",
                answered * (answered - 1) / 2,
                report.inversions,
            )
        } else {
            format!(
                "The expected effect did not happen: {answered} of {PINGS} pings were answered, with \
                 {} inversions. Answers can arrive in order by chance: try another --seed.",
                report.inversions
            )
        }
    })
}
