//! Runs that differ in fact, as the order service sees them.

use campuscafe_attributes as attribute;

use super::*;
use crate::from_spans::FromSpans as _;
use crate::span::Span;
use crate::testing::{
    With as _, answer, answered, commit, double, fault, order, served, unanswered,
};

fn trace(spans: &[Span], chaos: &str) -> OrderTrace {
    OrderTrace::of(spans, &answer(spans, chaos)).expect("an order")
}

fn order_service(spans: &[Span], chaos: &str) -> Option<LocalHistory> {
    LocalHistory::of_order_service(&trace(spans, chaos))
}

/// The connection is cut, `ms` later than it could be, after the commit or before it.
fn cut(chaos: &str, ms: u64, committed: bool) -> Vec<Span> {
    let server = served("in", "one", 2..4 + ms, chaos)
        .text(attribute::ERROR_TYPE, attribute::CONNECTION_ABORTED);
    let mut spans = vec![
        order(6 + ms, "unknown", 504),
        unanswered("one", 1..5 + ms, "connection_lost"),
        server,
        fault("in", 2..3, chaos),
    ];
    spans.extend(committed.then(|| commit("in", 3, 10, false, false)));
    spans
}

#[test]
fn the_order_service_knows_what_it_sent_received_and_did_and_nothing_else() {
    let history = order_service(&double(), "slow,none").expect("all of its spans");
    let content = |attempt| Content::Answer { attempt, status: 200 };
    let outcome = Content::Outcome { status: Some(200), outcome: "confirmed".to_owned() };
    let expected = [
        LocalEvent::Received(Content::Order),
        LocalEvent::Sent(Content::Attempt(1)),
        LocalEvent::NoAnswer { attempt: 1, reason: "timeout".to_owned() },
        LocalEvent::Sent(Content::Attempt(2)),
        LocalEvent::Received(content(2)),
        LocalEvent::Sent(outcome),
    ];
    assert_eq!(history.events, expected);
    assert_eq!(history.times_ms, [0, 1, 1001, 1002, 1004, 1005]);
}

#[test]
fn each_party_has_a_history_of_its_own() {
    let double = Diagram::of(&trace(&double(), "slow,none"));
    let outcome = Content::Outcome { status: Some(200), outcome: "confirmed".to_owned() };
    let customer = LocalHistory::of(&double, Lane::Customer);
    let expected = [LocalEvent::Sent(Content::Order), LocalEvent::Received(outcome)];
    assert_eq!(customer.events, expected);

    let inventory = LocalHistory::of(&double, Lane::Inventory);
    let committed =
        |attempt, again| LocalEvent::Committed { attempt, late: again, duplicate: again };
    let fault = |attempt, fault: &str| LocalEvent::Fault { attempt, fault: fault.to_owned() };
    let expected = [
        LocalEvent::Received(Content::Attempt(1)),
        fault(1, "slow:2000"),
        LocalEvent::CallerLeft(1),
        LocalEvent::Received(Content::Attempt(2)),
        fault(2, "none"),
        committed(2, false),
        LocalEvent::Sent(Content::Answer { attempt: 2, status: 200 }),
        committed(1, true),
    ];
    assert_eq!(inventory.events, expected);
}

#[test]
fn an_attempt_that_the_inventory_has_no_span_of_is_no_part_of_its_history() {
    let spans = [order(1003, "unknown", 504), unanswered("one", 1..1001, "timeout")];
    let diagram = Diagram::of(&trace(&spans, "none"));
    assert_eq!(LocalHistory::of(&diagram, Lane::Inventory).events, []);
}

#[test]
fn a_cut_before_the_commit_and_one_after_it_are_the_same_to_the_order_service_at_other_times() {
    let before = order_service(&cut("abort", 0, false), "abort").expect("a history");
    let after = order_service(&cut("lostreply", 7, true), "lostreply").expect("a history");
    assert_eq!(first_difference(&[&before, &after]), None);
    assert_eq!(before.events.len(), 4, "there is something to compare");
    assert_ne!(before.times_ms, after.times_ms, "times are left out");
}

#[test]
fn the_first_event_that_differs_is_found_wherever_it_is() {
    let refused = [
        order(6, "failed", 502),
        answered("one", 1..5, 503),
        served("in", "one", 2..4, "fail:503").status(503),
        fault("in", 2..3, "fail:503"),
    ];
    let refused = order_service(&refused, "fail").expect("a history");
    let cut = order_service(&cut("abort", 0, false), "abort").expect("a history");
    let shorter = LocalHistory { events: cut.events[..3].to_vec(), times_ms: vec![0, 1, 5] };
    let none = LocalHistory { events: Vec::new(), times_ms: Vec::new() };
    for (histories, expected) in [
        (&[&cut, &cut, &refused][..], Some(2)),
        (&[&refused, &cut], Some(2)),
        (&[&cut, &shorter], Some(3)),
        (&[&shorter, &cut], Some(3)),
        (&[&cut, &none], Some(0)),
        (&[&refused, &refused], None),
        (&[&cut], None),
        (&[], None),
    ] {
        assert_eq!(first_difference(histories), expected, "{histories:#?}");
    }
}

#[test]
fn a_span_of_its_own_that_is_missing_or_doubtful_leaves_the_order_service_no_history() {
    let whole = double();
    for (lost, known) in [
        ("one", false),
        ("two", false),
        ("in1", true),
        ("in2", true),
        ("fault-in1", true),
        ("commit-in1", true),
    ] {
        let left: Vec<_> = whole.iter().filter(|span| span.id != lost).cloned().collect();
        let told = OrderTrace::of(&left, &answer(&whole, "slow,none")).expect("an order");
        assert_eq!(LocalHistory::of_order_service(&told).is_some(), known, "without {lost}");
    }
    let mut twice = whole.clone();
    twice.push(unanswered("other", 3..9, "timeout"));
    let told = OrderTrace::of(&twice, &answer(&whole, "slow,none")).expect("an order");
    assert_eq!(LocalHistory::of_order_service(&told), None, "two spans of one attempt");
}

#[test]
fn an_order_that_ends_at_the_moment_of_its_last_attempt_was_told_after_it() {
    let spans = [order(5, "unknown", 504), unanswered("one", 1..5, "connection_lost")];
    let history = order_service(&spans, "abort").expect("a history");
    let last = history.events.last();
    assert!(matches!(last, Some(LocalEvent::Sent(Content::Outcome { .. }))), "{history:?}");
}
