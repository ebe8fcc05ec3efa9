//! Slow: a timeout says that no answer came, and nothing else.

use campuscafe_api::order::{AttemptResult, Outcome};
use campuscafe_evidence::order::{Order, OrderPlan};

use super::words::{moment_of_last_commit, outcome, reservations, told};
use super::{Act, Experiment, Row, Trial, Verdict, results};
use crate::messages::Message;

pub(super) const EXPERIMENT: Experiment = Experiment {
    name: "slow",
    trials: &[
        Trial {
            caption: "caption-slow-1",
            act: Act::Order(
                OrderPlan { chaos: "slow", retry: false, reservations: 1, ..OrderPlan::NAIVE },
                late,
            ),
        },
        Trial {
            caption: "caption-slow-2",
            act: Act::Order(
                OrderPlan { chaos: "slowfail", retry: false, reservations: 0, ..OrderPlan::NAIVE },
                never,
            ),
        },
        Trial {
            caption: "caption-slow-3",
            act: Act::Order(
                OrderPlan { chaos: "slowreply", retry: false, reservations: 1, ..OrderPlan::NAIVE },
                early,
            ),
        },
    ],
    side_by_side: &[
        Row { name: "side-by-side", cell: |order| order.chaos().into() },
        Row {
            name: "row-told",
            cell: |order| {
                let status = order.response.status.to_string();
                told("told-after", order).with("status", status).into()
            },
        },
        Row { name: "row-outcome", cell: |order| outcome(order.response.report.outcome).into() },
        Row { name: "row-made", cell: |order| reservations(order.ledger.reservations).into() },
        Row {
            name: "row-committed",
            cell: |order| match order.ledger.reservations {
                0 => Message::new("committed-never").into(),
                _ => moment_of_last_commit(order).into(),
            },
        },
    ],
    same_view: &["slow", "slowfail", "slowreply"],
};

fn late(order: &Order) -> Verdict {
    let held =
        order.ledger.reservations == 1 && order.commits_after_answer().is_none_or(|late| late == 1);
    Verdict::on(order, told_nothing(order), held, || {
        told("why-slow-1", order).with("commit", moment_of_last_commit(order))
    })
}

fn never(order: &Order) -> Verdict {
    Verdict::on(order, told_nothing(order), order.ledger.reservations == 0, || {
        Message::new("why-slow-2")
    })
}

fn early(order: &Order) -> Verdict {
    let held =
        order.ledger.reservations == 1 && order.commits_after_answer().is_none_or(|late| late == 0);
    Verdict::on(order, told_nothing(order), held, || Message::new("why-slow-3"))
}

fn told_nothing(order: &Order) -> bool {
    results(order) == [AttemptResult::Timeout] && order.response.report.outcome == Outcome::Unknown
}
