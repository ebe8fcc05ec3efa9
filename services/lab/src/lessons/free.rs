//! Free play: an order that a person has written. Nothing is promised of it.

use campuscafe_evidence::order::Order;

use super::{
    Act, Experiment, LookAt, Trial, Verdict, moment_of_last_commit, reservations, seconds,
};

pub(crate) const EXPERIMENT: Experiment = Experiment {
    name: "free",
    title: "an order of your own",
    trials: &[Trial { caption: "You chose the order and its faults.", act: Act::FreeOrder(judge) }],
    side_by_side: &[],
    same_view: &[],
    look_at: LookAt {
        jaeger: "each attempt has its fault as a span",
        grafana: "the row of the pain",
    },
};

fn judge(order: &Order) -> Verdict {
    Verdict::of(true, order.incomplete.is_empty(), order.incomplete.clone(), || {
        let told = order.response.report.outcome.as_str();
        let after = seconds(order.response.after);
        let made = reservations(order.ledger.reservations);
        match order.ledger.reservations {
            0 => format!("The order was {told} after {after}. The inventory made {made}."),
            _ => format!(
                "The order was {told} after {after}. The inventory made {made}, the last one {}.",
                moment_of_last_commit(order)
            ),
        }
    })
}
