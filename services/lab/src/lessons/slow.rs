//! Slow: a timeout says that no answer came, and nothing else.

use campuscafe_api::order::{AttemptResult, Outcome};
use campuscafe_evidence::order::{Order, OrderPlan};

use super::{
    Act, Experiment, LookAt, Row, Trial, Verdict, moment_of_last_commit, reservations, results,
    seconds,
};

pub(super) const EXPERIMENT: Experiment = Experiment {
    name: "slow",
    title: "one and the same timeout, three truths",
    trials: &[
        Trial {
            caption: "The inventory takes 2 s. The order service gives up after 1 s and does not retry.",
            act: Act::Order(OrderPlan { chaos: "slow", retry: false, reservations: 1 }, late),
        },
        Trial {
            caption: "The inventory takes 2 s, and then it refuses.",
            act: Act::Order(OrderPlan { chaos: "slowfail", retry: false, reservations: 0 }, never),
        },
        Trial {
            caption: "The inventory reserves at once. Only its answer takes 2 s.",
            act: Act::Order(OrderPlan { chaos: "slowreply", retry: false, reservations: 1 }, early),
        },
    ],
    side_by_side: &[
        Row { name: "Side by side", cell: |order| order.chaos().to_owned() },
        Row {
            name: "the customer was told",
            cell: |order| {
                format!("{} after {}", order.response.status, seconds(order.response.after))
            },
        },
        Row {
            name: "the order's outcome",
            cell: |order| order.response.report.outcome.as_str().to_owned(),
        },
        Row { name: "the inventory made", cell: |order| reservations(order.ledger.reservations) },
        Row {
            name: "it committed",
            cell: |order| match order.ledger.reservations {
                0 => "never".to_owned(),
                _ => moment_of_last_commit(order),
            },
        },
    ],
    same_view: &["slow", "slowfail", "slowreply"],
    look_at: LookAt {
        jaeger: "the inventory's span is longer than the attempt above it. Look for the commit: it \
         is at its end, at its beginning, or not there",
        grafana: "order_outcomes_total{outcome=\"unknown\"} jumps three times, \
         inventory_reservations_total twice, inventory_late_commits_total once",
    },
};

fn late(order: &Order) -> Verdict {
    let held =
        order.ledger.reservations == 1 && order.commits_after_answer().is_none_or(|late| late == 1);
    Verdict::on(order, told_nothing(order), held, || {
        format!(
            "The customer was told \"{}\" after {}. The inventory committed the reservation {}. The \
             order had not failed: its outcome was unknown.",
            order.response.words,
            seconds(order.response.after),
            moment_of_last_commit(order),
        )
    })
}

fn never(order: &Order) -> Verdict {
    Verdict::on(order, told_nothing(order), order.ledger.reservations == 0, || {
        "The customer was told the same. In fact, nothing was reserved.".to_owned()
    })
}

fn early(order: &Order) -> Verdict {
    let held =
        order.ledger.reservations == 1 && order.commits_after_answer().is_none_or(|late| late == 0);
    Verdict::on(order, told_nothing(order), held, || {
        "The customer was told the same. In fact, the cake was reserved before the order service \
         gave up."
            .to_owned()
    })
}

fn told_nothing(order: &Order) -> bool {
    results(order) == [AttemptResult::Timeout] && order.response.report.outcome == Outcome::Unknown
}
