//! What the customer is told if the order is not confirmed.

use std::time::Duration;

use campuscafe_api::Problem;
use campuscafe_api::order::{Attempt, AttemptResult, OrderReport, Outcome};
use humantime::format_duration;
use serde_json::Value;

use crate::outcome::status;

/// The longest text of the inventory's that is passed on, in characters.
const MAX_DETAIL: usize = 512;

/// The members of the inventory's problems that are passed on, and how long they
/// may be as text, in bytes. An item's name can fill the body of an order.
const MEMBERS: [(&str, usize); 3] =
    [("message", MAX_DETAIL), ("itemId", campuscafe_service::MAX_BODY), ("currentStock", 0)];

/// The end of the type of a problem by which a service refuses work at once.
const OVERLOADED: &str = ":overloaded";

/// What the customer is told, as far as anyone here knows. `said` is the problem
/// that the inventory answered with, if it did.
pub(crate) fn order_problem(
    report: &OrderReport,
    said: Option<Problem>,
    timeout: Duration,
) -> Problem {
    let last = report.attempts.last();
    let title =
        if report.attempts.len() > 1 { "Retry also failed 💥" } else { "Order failed 💥" };
    let status = status(report.outcome, last.and_then(|attempt| attempt.status));
    let detail = match report.outcome {
        Outcome::Unknown => unknown(&report.attempts, timeout),
        Outcome::Failed | Outcome::Confirmed => failed(last, said.as_ref()),
    };
    let kind = if report.outcome == Outcome::Unknown { "order-unknown" } else { "order-failed" };
    let mut problem = Problem::new(status, kind, title).detail(detail);
    if let (Outcome::Failed, Some(mut said)) = (report.outcome, said) {
        for (name, most) in MEMBERS {
            if let Some(member) = said.extensions.remove(name).filter(|it| is_short(it, most)) {
                problem = problem.with(name, member);
            }
        }
    }
    problem.with_all(report)
}

fn is_short(member: &Value, most: usize) -> bool {
    match member {
        Value::String(text) => text.len() <= most,
        Value::Number(_) | Value::Bool(_) => true,
        Value::Null | Value::Array(_) | Value::Object(_) => false,
    }
}

fn failed(last: Option<&Attempt>, said: Option<&Problem>) -> String {
    const NO_INVENTORY: &str =
        "the program at this address is not an inventory; see --inventory-url";
    let Some(last) = last else { return NO_INVENTORY.to_owned() };
    match (last.result, said) {
        (AttemptResult::Refused, _) => {
            "the inventory could not be reached; nothing was sent, so nothing was reserved"
                .to_owned()
        }
        (AttemptResult::Rejected, Some(said)) => {
            let words = truncated(said.detail.as_deref().unwrap_or(&said.title));
            if said.kind.ends_with(OVERLOADED) {
                format!("the inventory was overloaded and reserved nothing: {words}")
            } else {
                format!("the inventory refused: {words}")
            }
        }
        (AttemptResult::Rejected, None) if last.status.is_some_and(|it| it < 300) => {
            format!("the answer contains no reservation for this order; {NO_INVENTORY}")
        }
        _ => NO_INVENTORY.to_owned(),
    }
}

fn unknown(attempts: &[Attempt], timeout: Duration) -> String {
    let what = match attempts.last().map(|attempt| attempt.result) {
        Some(AttemptResult::Timeout) => format!("no answer within {}", format_duration(timeout)),
        Some(AttemptResult::ConnectionLost) => {
            "the connection was lost before an answer came".to_owned()
        }
        _ => format!("an earlier attempt had no answer within {}", format_duration(timeout)),
    };
    format!("{what}; nobody knows whether the inventory reserved it")
}

/// Whatever answers decides how much it says; a customer reads a few lines of it.
pub(crate) fn truncated(text: &str) -> &str {
    text.char_indices().nth(MAX_DETAIL).map_or(text, |(end, _)| &text[..end])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::outcome::outcome;

    /// The report of an order whose attempts came to this, the last with this status.
    fn report(results: &[AttemptResult], status: Option<u16>) -> OrderReport {
        let attempt = |(n, result): (usize, &AttemptResult)| Attempt {
            number: n as u32 + 1,
            result: *result,
            duration_ms: 1,
            status: status.filter(|_| n + 1 == results.len()),
        };
        OrderReport {
            order_id: "5f0c6c0e7a4b4f7f9a3b1c2d3e4f5a6b".to_owned(),
            outcome: outcome(results),
            attempts: results.iter().enumerate().map(attempt).collect(),
            trace_id: None,
        }
    }

    fn told(results: &[AttemptResult], status: u16, said: Problem) -> Problem {
        order_problem(&report(results, Some(status)), Some(said), Duration::from_secs(1))
    }

    fn overloaded() -> Problem {
        Problem::new(503, "overloaded", "Overloaded").detail("1000 requests are under way already")
    }

    #[test]
    fn an_attempt_that_an_overloaded_inventory_refused_failed_for_certain() {
        let told = told(&[AttemptResult::Rejected], 503, overloaded());
        assert_eq!((told.status, &told.extensions["outcome"]), (502, &"failed".into()));
        assert_eq!(
            told.detail.as_deref(),
            Some(
                "the inventory was overloaded and reserved nothing: 1000 requests are under way \
                 already"
            )
        );
    }

    #[test]
    fn an_overloaded_inventory_says_nothing_about_an_earlier_attempt_without_an_answer() {
        let told = told(&[AttemptResult::Timeout, AttemptResult::Rejected], 503, overloaded());
        assert_eq!((told.status, &told.extensions["outcome"]), (504, &"unknown".into()));
        let detail = told.detail.unwrap();
        assert!(detail.contains("nobody knows whether the inventory reserved it"), "{detail}");
        assert!(!detail.contains("reserved nothing"), "{detail}");
    }

    #[test]
    fn what_is_passed_on_is_known_and_short_however_much_was_said() {
        let long = "x".repeat(100_000);
        let said = Problem::new(409, "out-of-stock", "Out of stock")
            .detail(&long)
            .with("message", &*long)
            .with("itemId", "tea")
            .with("currentStock", vec![0; 100_000])
            .with("outcome", "confirmed")
            .with("hue", "red");
        let told = told(&[AttemptResult::Rejected], 409, said);
        let detail = told.detail.unwrap();
        assert_eq!(detail, format!("the inventory refused: {}", "x".repeat(MAX_DETAIL)));
        let members: Vec<_> = told.extensions.keys().collect();
        assert_eq!(members, ["itemId", "orderId", "outcome", "attempts"]);
        assert_eq!(told.extensions["outcome"], "failed");
    }

    #[test]
    fn a_yes_without_the_reservation_that_was_ordered_is_told_as_that() {
        let report = report(&[AttemptResult::Rejected], Some(200));
        let told = order_problem(&report, None, Duration::from_secs(1));
        assert_eq!(told.status, 502);
        let detail = told.detail.unwrap();
        assert!(detail.starts_with("the answer contains no reservation for this order"));
        assert!(detail.ends_with("see --inventory-url"), "{detail}");
    }
}
