//! Double: retrying work that was not cancelled can do it twice.

use campuscafe_api::order::{AttemptResult, Outcome};
use campuscafe_evidence::order::{Order, OrderPlan};

use super::{Act, Experiment, LookAt, Trial, Verdict, moment_of_last_commit, results, seconds};

pub(super) const EXPERIMENT: Experiment = Experiment {
    name: "double",
    title: "one customer, two cakes",
    trials: &[
        Trial {
            caption: "Both attempts are slow, so the order service gives up twice.",
            act: Act::Order(
                OrderPlan { chaos: "slow", retry: true, reservations: 2 },
                told_unknown,
            ),
        },
        Trial {
            caption: "Only the first attempt is slow. The retry succeeds at once.",
            act: Act::Order(
                OrderPlan { chaos: "slow,none", retry: true, reservations: 2 },
                told_yes,
            ),
        },
    ],
    side_by_side: &[],
    same_view: &[],
    look_at: LookAt {
        jaeger: "two attempts side by side under one order, each with a commit; the second has \
         http.request.resend_count=1",
        grafana: "inventory_duplicate_reservations_total jumps. There are more reservations than \
         confirmed orders",
    },
};

fn told_unknown(order: &Order) -> Verdict {
    use AttemptResult::Timeout;
    let told =
        results(order) == [Timeout, Timeout] && order.response.report.outcome == Outcome::Unknown;
    Verdict::on(order, told, order.ledger.reservations == 2, || {
        format!(
            "The customer got an error (\"{}\") after {}; the outcome was unknown. The inventory \
             made 2 reservations, the last one {}.",
            order.response.words,
            seconds(order.response.after),
            moment_of_last_commit(order),
        )
    })
}

fn told_yes(order: &Order) -> Verdict {
    use AttemptResult::{Ok, Timeout};
    let told =
        results(order) == [Timeout, Ok] && order.response.report.outcome == Outcome::Confirmed;
    Verdict::on(order, told, order.ledger.reservations == 2, || {
        format!(
            "The customer was told yes after {} and knows of 1 cake. The inventory committed the \
             first attempt {}: one customer, two cakes.{}",
            seconds(order.response.after),
            moment_of_last_commit(order),
            reordered(order),
        )
    })
}

/// A retry also reorders: see which attempt committed first.
fn reordered(order: &Order) -> &'static str {
    let attempts = order.complete_story().map(|order_trace| {
        order_trace.commits().iter().map(|(attempt, _)| *attempt).collect::<Vec<_>>()
    });
    match attempts.as_deref() {
        Some([2, 1]) => " Attempt 2 committed before attempt 1: the retry also changed the order.",
        _ => "",
    }
}
