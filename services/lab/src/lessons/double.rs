//! Double: retrying work that was not cancelled can do it twice.

use campuscafe_api::order::{AttemptResult, Outcome};
use campuscafe_evidence::order::{Order, OrderPlan};

use super::words::{moment_of_last_commit, told};
use super::{Act, Experiment, Trial, Verdict, results};
use crate::messages::Message;

pub(super) const EXPERIMENT: Experiment = Experiment {
    name: "double",
    trials: &[
        Trial {
            caption: "caption-double-1",
            act: Act::Order(
                OrderPlan { chaos: "slow", retry: true, reservations: 2, ..OrderPlan::NAIVE },
                told_unknown,
            ),
        },
        TWO_CAKES,
    ],
    side_by_side: &[],
    same_view: &[],
};

/// One customer, two cakes.
pub(super) const TWO_CAKES: Trial = Trial {
    caption: "caption-double-2",
    act: Act::Order(
        OrderPlan { chaos: "slow,none", retry: true, reservations: 2, ..OrderPlan::NAIVE },
        told_yes,
    ),
};

fn told_unknown(order: &Order) -> Verdict {
    use AttemptResult::Timeout;
    let as_told =
        results(order) == [Timeout, Timeout] && order.response.report.outcome == Outcome::Unknown;
    Verdict::on(order, as_told, order.ledger.reservations == 2, || {
        told("why-double-1", order).with("commit", moment_of_last_commit(order))
    })
}

fn told_yes(order: &Order) -> Verdict {
    use AttemptResult::{Ok, Timeout};
    let as_told =
        results(order) == [Timeout, Ok] && order.response.report.outcome == Outcome::Confirmed;
    Verdict::on(order, as_told, order.ledger.reservations == 2, || {
        let why = told("why-double-2", order).with("commit", moment_of_last_commit(order));
        if is_reordered(order) { why.and(Message::new("why-double-reordered")) } else { why }
    })
}

/// A retry also reorders: see which attempt committed first.
fn is_reordered(order: &Order) -> bool {
    let attempts = order.complete_story().map(|order_trace| {
        order_trace.commits().iter().map(|(attempt, _)| *attempt).collect::<Vec<_>>()
    });
    attempts.is_some_and(|attempts| attempts == [2, 1])
}
