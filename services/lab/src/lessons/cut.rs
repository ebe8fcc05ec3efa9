//! Cut: a broken connection says nothing about which side of the commit it
//! broke on.

use campuscafe_api::order::{AttemptResult, Outcome};
use campuscafe_evidence::order::{Order, OrderPlan};

use super::{Act, Experiment, LookAt, Row, Trial, Verdict, reservations, results};

pub(super) const EXPERIMENT: Experiment = Experiment {
    name: "cut",
    title: "cut before or after the commit: one and the same error",
    trials: &[
        Trial {
            caption: "The connection is cut before the commit. The order service retries only \
                      after a timeout, so it does not retry here.",
            act: Act::Order(OrderPlan { chaos: "abort", retry: true, reservations: 0 }, cut_before),
        },
        Trial {
            caption: "The connection is cut after the commit, before the reply.",
            act: Act::Order(
                OrderPlan { chaos: "lostreply", retry: true, reservations: 1 },
                cut_after,
            ),
        },
        Trial {
            caption: "The inventory refuses. A refusal is an answer, so the outcome is certain.",
            act: Act::Order(OrderPlan { chaos: "fail", retry: true, reservations: 0 }, refused),
        },
    ],
    side_by_side: &[
        Row { name: "Side by side", cell: |order| order.chaos().to_owned() },
        Row { name: "the client saw", cell: seen_by_client },
        Row {
            name: "the order's outcome",
            cell: |order| order.response.report.outcome.as_str().to_owned(),
        },
        Row { name: "the customer was told", cell: |order| order.response.status.to_string() },
        Row { name: "the inventory made", cell: |order| reservations(order.ledger.reservations) },
    ],
    same_view: &["abort", "lostreply"],
    look_at: LookAt {
        jaeger: "both cut attempts end with error.type=connection_lost, but only one of them has \
         a commit",
        grafana: "order_attempts_total{result=\"connection_lost\"} jumps for both cuts, \
         inventory_fault_reservations_total only for lostreply",
    },
};

fn refused(order: &Order) -> Verdict {
    let told = results(order) == [AttemptResult::Rejected]
        && order.response.report.outcome == Outcome::Failed;
    Verdict::on(order, told, order.ledger.reservations == 0, || {
        "The inventory answered no. The order failed, and no cake is reserved.".to_owned()
    })
}

fn cut_before(order: &Order) -> Verdict {
    Verdict::on(order, lost(order), order.ledger.reservations == 0, || {
        "No answer came, so the outcome is unknown. In fact, nothing was reserved.".to_owned()
    })
}

fn cut_after(order: &Order) -> Verdict {
    Verdict::on(order, lost(order), order.ledger.reservations == 1, || {
        "No answer came, so the outcome is unknown. In fact, the cake is reserved.".to_owned()
    })
}

fn lost(order: &Order) -> bool {
    results(order) == [AttemptResult::ConnectionLost]
        && order.response.report.outcome == Outcome::Unknown
}

fn seen_by_client(order: &Order) -> String {
    let last = order.response.report.attempts.last();
    let result = last.map_or("nothing", |attempt| attempt.result.as_str());
    match last.and_then(|attempt| attempt.status) {
        Some(status) => format!("{result} ({status})"),
        None => result.replace('_', " "),
    }
}
