//! Reorder: the order of sending is not the order of arrival.

use campuscafe_evidence::message_order::PingBatch;

use super::{Act, Experiment, Trial, Verdict};

const PINGS: u32 = 6;

pub(super) const EXPERIMENT: Experiment = Experiment {
    name: "reorder",
    title: "sent in one order, answered in another",
    trials: &[Trial {
        caption: "Six pings leave at the same moment; each takes its own time.",
        act: Act::Pings { count: PINGS, judge },
    }],
    side_by_side: &[],
    look_at: &[
        "Jaeger: six attempts that begin together; campuscafe.reorder.sent and .completed disagree",
        "Grafana: order_reordered_replies_total jumps by the replies that overtook another",
    ],
};

fn judge(batch: &PingBatch) -> Verdict {
    let report = &batch.report;
    let answered = report.completed_order.len();
    let shown = answered == PINGS as usize && report.inversions > 0;
    Verdict::of(shown, true, batch.incomplete.clone(), || {
        if shown {
            format!(
                "Of {} pairs of pings, {} came back in the other order than they were sent: who \
                 reads answers as they come must not take them for a sequence.",
                answered * (answered - 1) / 2,
                report.inversions,
            )
        } else {
            format!(
                "The lesson did not show: {answered} of {PINGS} pings were answered, with {} \
                 inversions; by chance they may come in order, so try another --seed.",
                report.inversions
            )
        }
    })
}
