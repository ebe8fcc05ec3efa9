//! Slow: what is slow is not cancelled, it is only not waited for.

use campuscafe_api::order::{AttemptResult, Outcome};
use campuscafe_evidence::order::{Order, OrderPlan};

use super::{Act, Experiment, LookAt, Trial, Verdict, moment_of_last_commit, results, seconds};

pub(super) const EXPERIMENT: Experiment = Experiment {
    name: "slow",
    title: "the customer is told \"Order failed\", but the cake is reserved",
    trials: &[Trial {
        caption: "The inventory takes 2 s. The order service gives up after 1 s and does not retry.",
        act: Act::Order(OrderPlan { chaos: "slow", retry: false, reservations: 1 }, judge),
    }],
    side_by_side: &[],
    look_at: LookAt {
        jaeger: "the inventory's span is longer than the attempt above it. The commit is at its end",
        grafana: "order_outcomes_total{outcome=\"unknown\"} jumps at 1 s, \
         inventory_late_commits_total at 2 s",
    },
};

fn judge(order: &Order) -> Verdict {
    let told = results(order) == [AttemptResult::Timeout]
        && order.response.report.outcome == Outcome::Unknown;
    let held =
        order.ledger.reservations == 1 && order.commits_after_answer().is_none_or(|late| late == 1);
    Verdict::on(order, told, held, || {
        format!(
            "The customer was told \"{}\" after {}. The inventory committed the reservation {}. The \
             order had not failed: its outcome was unknown.",
            order.response.words,
            seconds(order.response.after),
            moment_of_last_commit(order),
        )
    })
}
