//! Double: trying again what was not cancelled makes two of it.

use campuscafe_api::order::{AttemptResult, Outcome};

use super::{Experiment, Trial, Verdict, moment_of_last_commit, seconds};
use crate::bench::{Observed, Plan};

pub(super) const EXPERIMENT: Experiment = Experiment {
    name: "double",
    title: "one customer, two cakes",
    orders: &[
        Trial {
            plan: Plan { chaos: "slow", retry: true, reservations: 2 },
            caption: "Both attempts are slow: the order service gives up twice.",
            judge: told_no,
        },
        Trial {
            plan: Plan { chaos: "slow,none", retry: true, reservations: 2 },
            caption: "Only the first attempt is slow: the retry succeeds at once.",
            judge: told_yes,
        },
    ],
    look_at: &[
        "Jaeger: two attempts side by side under one order, each with a commit; the second has http.request.resend_count=1",
        "Grafana: inventory_duplicate_reservations_total jumps, and reservations run ahead of confirmed orders",
    ],
};

fn told_no(observed: &Observed) -> Verdict {
    use AttemptResult::Timeout;
    let promise = results(observed) == [Timeout, Timeout]
        && observed.told.report.outcome == Outcome::Unknown
        && observed.ledger.reservations == 2;
    Verdict::when(
        promise,
        || {
            format!(
                "The customer was told no (\"{}\") after {}, and the inventory holds 2 reservations, \
                 the last one made {}: told nothing, two cakes gone.",
                observed.told.words,
                seconds(observed.told.after),
                moment_of_last_commit(observed),
            )
        },
        observed,
    )
}

fn told_yes(observed: &Observed) -> Verdict {
    use AttemptResult::{Ok, Timeout};
    let promise = results(observed) == [Timeout, Ok]
        && observed.told.report.outcome == Outcome::Confirmed
        && observed.ledger.reservations == 2;
    Verdict::when(
        promise,
        || {
            format!(
                "The customer was told yes after {} and knows of 1 cake; the first attempt committed \
                 {} all the same: one customer, two cakes.",
                seconds(observed.told.after),
                moment_of_last_commit(observed),
            )
        },
        observed,
    )
}

fn results(observed: &Observed) -> Vec<AttemptResult> {
    observed.told.report.attempts.iter().map(|attempt| attempt.result).collect()
}
