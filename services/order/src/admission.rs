//! How an order uses its time, which decides on the permit it needs.

use campuscafe_api::Problem;
use campuscafe_chaos::{ParseError, Plan, Step};
use campuscafe_service::WorkKind;

/// Slow, if one of the attempts may meet a step that waits; else ordinary.
pub(crate) fn work_kind(plan: Option<&Plan>, attempts: u32) -> WorkKind {
    let may_wait = |plan: &Plan| (1..=attempts).any(|attempt| waits(plan.step(attempt)));
    if plan.is_some_and(may_wait) { WorkKind::Slow } else { WorkKind::Ordinary }
}

/// The faults of a call that reserves nothing, such as a cancel.
///
/// # Errors
///
/// What is wrong, when it is no plan or has a fault that only a reservation can meet.
pub(crate) fn plan_of_change(text: &str) -> Result<Plan, String> {
    let plan: Plan = text.parse().map_err(|error: ParseError| error.to_string())?;
    for step in plan.steps() {
        if let Step::Fixed(fault) = step {
            fault.of_change().map_err(|error| error.to_string())?;
        }
    }
    Ok(plan)
}

/// The refusal of what is no plan of faults.
pub(crate) fn unknown_fault(detail: String) -> Problem {
    Problem::new(400, "unknown-fault", "Unknown fault").detail(detail)
}

fn waits(step: Step) -> bool {
    match step {
        Step::Fixed(fault) => fault.waits(),
        Step::SlowBetween(..) | Step::Flaky => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_order_is_slow_if_an_attempt_it_may_make_can_be_told_to_wait() {
        for (plan, attempts, expected) in [
            ("", 2, WorkKind::Ordinary),
            ("none", 2, WorkKind::Ordinary),
            ("fail,abort", 2, WorkKind::Ordinary),
            ("lostreply", 2, WorkKind::Ordinary),
            ("slow", 1, WorkKind::Slow),
            ("slowfail:10", 1, WorkKind::Slow),
            ("slowreply", 1, WorkKind::Slow),
            ("hold", 1, WorkKind::Slow),
            ("race", 1, WorkKind::Slow),
            ("flaky", 1, WorkKind::Slow),
            ("none,slow", 2, WorkKind::Slow),
            ("none,slow", 1, WorkKind::Ordinary),
            ("none,none,slow", 2, WorkKind::Ordinary),
        ] {
            let found = work_kind(Some(&plan.parse().unwrap()), attempts);
            assert_eq!(found, expected, "{plan:?}, {attempts} attempts");
        }
        assert_eq!(work_kind(None, 2), WorkKind::Ordinary);
    }
}
