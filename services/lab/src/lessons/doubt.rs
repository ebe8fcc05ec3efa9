//! Doubt: between the commit and the answer, only the inventory knows.

use std::time::Duration;

use campuscafe_api::order::{AttemptResult, Outcome};
use campuscafe_evidence::order::{Order, OrderPlan};
use clap::ValueEnum;
use serde::Deserialize;

use super::{Act, Experiment, LookAt, Trial, Verdict, results, seconds};

pub(super) const EXPERIMENT: Experiment = Experiment {
    name: "doubt",
    title: "reserved, and only the inventory knows: what do you say?",
    trials: &[Trial {
        caption: "The inventory reserves at once and holds its answer. The order service waits.",
        act: Act::HeldOrder(OrderPlan { chaos: "hold", retry: false, reservations: 1 }, judge),
    }],
    side_by_side: &[],
    same_view: &[],
    look_at: LookAt {
        jaeger: "the span \"chaos hold\" is the time between the commit and its end by your word",
        grafana: "inventory_fault_reservations_total{fault=\"hold\"} jumps at once, \
                  order_outcomes_total only at the end",
    },
};

/// How long the order service waits, so that a person has time to think. The inventory
/// holds an answer for longer.
pub(crate) const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(30);

/// What becomes of an answer that is held.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, ValueEnum)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Decision {
    /// The answer leaves.
    Release,
    /// The connection is cut, and the answer never leaves.
    Cut,
    /// Nothing is done, so the order service gives up.
    Wait,
}

fn judge(order: &Order) -> Verdict {
    use AttemptResult::{ConnectionLost, Ok, Timeout};
    let outcome = order.response.report.outcome;
    let after = seconds(order.response.after);
    let (told, then) = match results(order).as_slice() {
        [Ok] => (
            outcome == Outcome::Confirmed,
            format!("The answer arrived, so the customer was told yes after {after}."),
        ),
        [ConnectionLost] => (
            outcome == Outcome::Unknown,
            format!(
                "The connection was cut, so the customer was told \"{}\" after {after}: unknown.",
                order.response.words
            ),
        ),
        [Timeout] => (
            outcome == Outcome::Unknown,
            format!(
                "No answer came, so the customer was told \"{}\" after {after}: unknown.",
                order.response.words
            ),
        ),
        _ => (false, String::new()),
    };
    Verdict::on(order, told, order.ledger.reservations == 1, || {
        format!(
            "The cake was reserved before anybody decided. {then} Whatever becomes of the \
             answer, the reservation is there; only the answer makes it known."
        )
    })
}
