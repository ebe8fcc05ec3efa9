//! Reorder: the order of sending is not the order of arrival.

use campuscafe_evidence::message_order::PingBatch;

use super::words::{flaws, instead};
use super::{Act, Experiment, Trial, Verdict};
use crate::messages::Message;

const PINGS: u32 = 8;

pub(super) const EXPERIMENT: Experiment = Experiment {
    name: "reorder",
    trials: &[Trial { caption: "caption-reorder-1", act: Act::Pings { count: PINGS, judge } }],
    side_by_side: &[],
    same_view: &[],
};

fn judge(batch: &PingBatch) -> Verdict {
    let report = &batch.report;
    let answered = report.completed_order.len();
    let shown = answered == PINGS as usize && report.inversions > 0;
    Verdict::of(shown, true, flaws(&batch.incomplete), || {
        if shown {
            Message::new("why-reorder-1")
                .with("pairs", answered * (answered - 1) / 2)
                .with("inversions", report.inversions)
        } else {
            let seen = Message::new("seen-reorder")
                .with("answered", answered)
                .with("pings", PINGS)
                .with("inversions", report.inversions);
            instead(seen)
        }
    })
}
