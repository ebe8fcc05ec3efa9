//! Cut: a broken connection says nothing about which side of the commit it
//! broke on.

use campuscafe_api::order::{AttemptResult, Outcome};
use campuscafe_evidence::order::{Order, OrderPlan};

use super::words::{outcome, reservations};
use super::{Act, Experiment, Row, Trial, Verdict, results};
use crate::messages::{Message, Value};

pub(super) const EXPERIMENT: Experiment = Experiment {
    name: "cut",
    trials: &[
        Trial {
            caption: "caption-cut-1",
            act: Act::Order(
                OrderPlan { chaos: "abort", retry: true, reservations: 0, ..OrderPlan::NAIVE },
                cut_before,
            ),
        },
        Trial {
            caption: "caption-cut-2",
            act: Act::Order(
                OrderPlan { chaos: "lostreply", retry: true, reservations: 1, ..OrderPlan::NAIVE },
                cut_after,
            ),
        },
        Trial {
            caption: "caption-cut-3",
            act: Act::Order(
                OrderPlan { chaos: "fail", retry: true, reservations: 0, ..OrderPlan::NAIVE },
                refused,
            ),
        },
    ],
    side_by_side: &[
        Row { name: "side-by-side", cell: |order| order.chaos().into() },
        Row { name: "row-client-saw", cell: seen_by_client },
        Row { name: "row-outcome", cell: |order| outcome(order.response.report.outcome).into() },
        Row { name: "row-told", cell: |order| order.response.status.to_string().into() },
        Row { name: "row-made", cell: |order| reservations(order.ledger.reservations).into() },
    ],
    same_view: &["abort", "lostreply"],
};

fn refused(order: &Order) -> Verdict {
    let told = results(order) == [AttemptResult::Rejected]
        && order.response.report.outcome == Outcome::Failed;
    Verdict::on(order, told, order.ledger.reservations == 0, || Message::new("why-cut-3"))
}

fn cut_before(order: &Order) -> Verdict {
    Verdict::on(order, lost(order), order.ledger.reservations == 0, || Message::new("why-cut-1"))
}

fn cut_after(order: &Order) -> Verdict {
    Verdict::on(order, lost(order), order.ledger.reservations == 1, || Message::new("why-cut-2"))
}

fn lost(order: &Order) -> bool {
    results(order) == [AttemptResult::ConnectionLost]
        && order.response.report.outcome == Outcome::Unknown
}

fn seen_by_client(order: &Order) -> Value {
    let Some(last) = order.response.report.attempts.last() else {
        return Message::new("client-saw-nothing").into();
    };
    match (last.status, last.result) {
        (Some(status), AttemptResult::Rejected) => {
            Message::new("client-saw-refusal").with("status", status.to_string()).into()
        }
        (Some(status), _) => status.to_string().into(),
        (None, AttemptResult::ConnectionLost) => Message::new("end-connection-lost").into(),
        (None, AttemptResult::Timeout) => Message::new("end-timeout").into(),
        (None, _) => Message::new("end-connection-refused").into(),
    }
}
