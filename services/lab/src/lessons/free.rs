//! Free play: an order that a person has written. Nothing is promised of it.

use campuscafe_evidence::order::Order;

use super::words::{flaws, moment_of_last_commit, outcome, reservations};
use super::{Act, Experiment, Trial, Verdict};
use crate::messages::Message;

pub(crate) const EXPERIMENT: Experiment = Experiment {
    name: "free",
    trials: &[Trial { caption: "caption-free-1", act: Act::FreeOrder(judge) }],
    side_by_side: &[],
    same_view: &[],
};

fn judge(order: &Order) -> Verdict {
    Verdict::of(true, order.incomplete.is_empty(), flaws(&order.incomplete), || {
        let why = match order.ledger.reservations {
            0 => Message::new("why-free-none"),
            _ => Message::new("why-free-1").with("commit", moment_of_last_commit(order)),
        };
        why.with("outcome", outcome(order.response.report.outcome))
            .with("after", order.response.after)
            .with("made", reservations(order.ledger.reservations))
    })
}
