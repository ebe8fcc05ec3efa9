//! Slow: what is slow is not cancelled, it is only not waited for.

use campuscafe_api::order::{AttemptResult, Outcome};

use super::{Experiment, Trial, Verdict, moment_of_last_commit, seconds};
use crate::bench::{Observed, Plan};

pub(super) const EXPERIMENT: Experiment = Experiment {
    name: "slow",
    title: "the customer hears \"failed\", and the cake is reserved all the same",
    orders: &[Trial {
        plan: Plan { chaos: "slow", retry: false, reservations: 1 },
        caption: "The inventory takes 2 s; the order service waits 1 s and does not try again.",
        judge,
    }],
    look_at: &[
        "Jaeger: the inventory's span is longer than the attempt above it, and the commit stands at its very end",
        "Grafana: order_outcomes_total{outcome=\"unknown\"} jumps at 1 s, inventory_late_commits_total at 2 s",
    ],
};

fn judge(observed: &Observed) -> Verdict {
    let told = &observed.told;
    let timed_out =
        matches!(&told.report.attempts[..], [one] if one.result == AttemptResult::Timeout);
    let promise = timed_out
        && told.report.outcome == Outcome::Unknown
        && observed.ledger.reservations == 1
        && observed.commits_after_answer().is_none_or(|late| late == 1);
    Verdict::when(
        promise,
        || {
            format!(
                "The customer heard \"{}\" after {}, and the inventory committed {} anyway: \
                 the truth was not \"failed\", it was unknown.",
                told.words,
                seconds(told.after),
                moment_of_last_commit(observed),
            )
        },
        observed,
    )
}
