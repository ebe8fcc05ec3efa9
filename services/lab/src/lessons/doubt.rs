//! Doubt: between the commit and the answer, only the inventory knows.

use std::time::Duration;

use campuscafe_api::order::{AttemptResult, Outcome};
use campuscafe_evidence::order::{Order, OrderPlan};
use clap::ValueEnum;
use serde::Deserialize;

use super::words::told;
use super::{Act, Experiment, Trial, Verdict, results};
use crate::messages::Message;

pub(super) const EXPERIMENT: Experiment = Experiment {
    name: "doubt",
    trials: &[Trial {
        caption: "caption-doubt-1",
        act: Act::HeldOrder(
            OrderPlan { chaos: "hold", retry: false, reservations: 1, ..OrderPlan::NAIVE },
            judge,
        ),
    }],
    side_by_side: &[],
    same_view: &[],
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
    let (expected, then) = match results(order).as_slice() {
        [Ok] => (Outcome::Confirmed, "doubt-released"),
        [ConnectionLost] => (Outcome::Unknown, "doubt-was-cut"),
        [Timeout] => (Outcome::Unknown, "doubt-waited"),
        _ => return Verdict::on(order, false, false, || Message::new("why-doubt-1")),
    };
    let as_told = order.response.report.outcome == expected;
    Verdict::on(order, as_told, order.ledger.reservations == 1, || {
        Message::new("why-doubt-1").with("then", told(then, order))
    })
}
