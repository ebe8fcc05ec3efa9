//! What verdicts say of orders, pings and pods.

use std::time::Duration;

use campuscafe_api::order::{AttemptResult, Outcome};
use campuscafe_evidence::flaw::{Flaw, Part};
use campuscafe_evidence::order::Order;
use campuscafe_evidence::order_trace::OrderTrace;
use campuscafe_evidence::pod_replacement::PodReplacement;

use super::results;
use crate::messages::{Message, Value};

/// How an order ended.
pub(crate) fn outcome(outcome: Outcome) -> Message {
    Message::new(format!("outcome-{}", outcome.as_str()))
}

pub(crate) fn reservations(count: u64) -> Message {
    Message::new("reservations").with("count", count)
}

pub(super) fn customers(count: u64) -> Message {
    Message::new("customers").with("count", count)
}

/// The same message with what the customer was told, and when.
pub(super) fn told(id: &'static str, order: &Order) -> Message {
    let response = &order.response;
    Message::new(id).with("words", response.words.clone()).with("after", response.after)
}

/// When the last commit came, counted from the order. Without complete spans nobody
/// knows which was the last.
pub(super) fn moment_of_last_commit(order: &Order) -> Message {
    let last = order.complete_story().and_then(OrderTrace::last_commit);
    match last {
        Some(at) => Message::new("commit-at").with("time", at),
        None => Message::new("commit-sometime"),
    }
}

/// That the expected effect did not happen, and what was seen instead.
pub(super) fn instead(seen: Message) -> Message {
    Message::new("instead").with("seen", seen)
}

/// What was seen instead of an order, and what may be the reason.
pub(super) fn seen(order: &Order) -> Message {
    let response = &order.response;
    if order.ledger.taken_by_others() > 0 && order.ledger.stock_after == 0 {
        return instead(Message::new("seen-no-stock"));
    }
    let results = results(order);
    let must_wait = order.chaos().contains("slow");
    let hint = match response.report.outcome {
        _ if results.contains(&AttemptResult::Timeout) || !must_wait => "none",
        Outcome::Confirmed => "limit",
        _ => "in-time",
    };
    let result = |result: AttemptResult| Message::new(format!("result-{}", result.as_str()));
    let results = results.into_iter().map(result).collect();
    instead(
        Message::new("seen-order")
            .with("outcome", outcome(response.report.outcome))
            .with("after", response.after)
            .with("results", Value::List(results, "comma"))
            .with("made", reservations(order.ledger.reservations))
            .with("hint", hint),
    )
}

/// What was seen of a pod replacement instead of the lesson.
pub(super) fn seen_of_pods(pods: &PodReplacement) -> Message {
    let service = pods.plan.service.name();
    if !pods.replaced {
        return instead(Message::new("seen-old-pods").with("service", service));
    }
    let silent = pods.customers.iter().filter(|one| !one.result.is_certain()).count();
    instead(
        Message::new("seen-pods")
            .with("service", service)
            .with("customers", customers(pods.customers.len() as u64))
            .with("yes", pods.told_yes())
            .with("silent", silent)
            .with("made", reservations(pods.remembered)),
    )
}

/// How many customers' spans are missing, if there are any.
pub(super) fn missing_customers(pods: &PodReplacement) -> Vec<Message> {
    let lost = pods.customers.iter().filter(|customer| customer.lacks_spans()).count();
    let all = customers(pods.customers.len() as u64);
    let missing = Message::new("flaw-customers").with("lost", lost).with("all", all);
    (lost > 0).then_some(missing).into_iter().collect()
}

/// What keeps spans from being whole evidence.
pub(crate) fn flaws(flaws: &[Flaw]) -> Vec<Message> {
    flaws.iter().map(|flaw| flaw_in_words(*flaw)).collect()
}

fn flaw_in_words(flaw: Flaw) -> Message {
    let id = match flaw {
        Flaw::Missing(_) => "flaw-missing",
        Flaw::Ambiguous(_) => "flaw-ambiguous",
        Flaw::Contradictory(_) => "flaw-contradictory",
    };
    let numbered = |id: &'static str, number: u32| Message::new(id).with("number", number);
    let part = match flaw.part() {
        Part::Order => Message::new("part-order"),
        Part::Attempt(number) => numbered("part-attempt", number),
        Part::ServerAttempt(number) => numbered("part-server-attempt", number),
        Part::Fault(number) => numbered("part-fault", number),
        Part::Commit(number) => numbered("part-commit", number),
        Part::Pings => Message::new("part-pings"),
        Part::Ping(number) => numbered("part-ping", number),
        Part::Call(number) => numbered("part-call", number),
        Part::CallCommit(number) => numbered("part-call-commit", number),
        Part::Messages => Message::new("part-messages"),
    };
    Message::new(id).with("part", part)
}

/// A time in milliseconds.
pub(super) fn milliseconds(time: Duration) -> Value {
    format!("{:.2}\u{a0}ms", time.as_secs_f64() * 1e3).into()
}
