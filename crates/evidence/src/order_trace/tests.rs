//! Spans that are whole, spans that are not, and spans that somebody made up.

use campuscafe_api::inventory::State;
use campuscafe_api::order::AttemptResult;
use campuscafe_attributes as attribute;

use super::*;
use crate::flaw::Part;
use crate::ledger::{Basis, Ledger};
use crate::span::{Kind, Value};
use crate::testing::{
    With as _, answer, answered, commit, double, fault, order, served, span, unanswered,
};

fn told(spans: &[Span]) -> Option<OrderTrace> {
    OrderTrace::of(spans, &answer(&double(), "slow,none"))
}

/// The ledger as the lab makes it: here somebody else took three cakes meanwhile.
fn ledger(order_trace: Option<&OrderTrace>) -> Ledger {
    let state =
        |left, reservations| State { stock: [("cake".to_owned(), left)].into(), reservations };
    let answer = answer(&double(), "slow,none");
    let totals = Ledger::of("cake", answer.report.outcome, &state(10, 0), &state(5, 5));
    match order_trace.filter(|order_trace| order_trace.is_complete()) {
        Some(order_trace) => totals.with_commits(order_trace.commits().len() as u64),
        None => totals,
    }
}

#[test]
fn a_complete_double_is_two_commits_of_one_order() {
    let order_trace = told(&double()).unwrap();
    assert_eq!(order_trace.flaws, []);
    let commits: Vec<_> = order_trace.commits().iter().map(|(number, _)| *number).collect();
    assert_eq!(commits, [2, 1], "in the order of time");
    let ledger = ledger(Some(&order_trace));
    assert_eq!((ledger.reservations, ledger.gap, ledger.basis), (2, 1, Basis::Spans));
}

#[test]
fn without_any_one_of_its_spans_a_double_is_incomplete_and_the_ledger_keeps_to_totals() {
    for (lost, missing) in [
        ("order", None),
        ("one", Some(Part::Attempt(1))),
        ("two", Some(Part::Attempt(2))),
        ("in1", Some(Part::ServerAttempt(1))),
        ("in2", Some(Part::ServerAttempt(2))),
        ("fault-in1", Some(Part::Fault(1))),
        ("commit-in1", Some(Part::Commit(1))),
        ("commit-in2", Some(Part::Commit(2))),
    ] {
        let spans: Vec<_> = double().into_iter().filter(|span| span.id != lost).collect();
        assert_eq!(spans.len(), double().len() - 1, "{lost}");
        let order_trace = told(&spans);
        let flaws = order_trace.as_ref().map(|order_trace| order_trace.flaws.clone());
        assert_eq!(flaws, missing.map(|part| vec![Flaw::Missing(part)]), "{lost}");
        let ledger = ledger(order_trace.as_ref());
        assert_eq!((ledger.reservations, ledger.basis), (5, Basis::Totals), "{lost}");
    }
}

#[test]
fn whatever_spans_are_missing_an_incomplete_double_says_so() {
    let all = double();
    for kept in 0_u32..(1 << all.len()) - 1 {
        let spans = all.iter().enumerate().filter(|(index, _)| kept & (1 << index) != 0);
        let spans: Vec<_> = spans.map(|(_, span)| span.clone()).collect();
        let complete = told(&spans).is_some_and(|order_trace| order_trace.is_complete());
        assert!(!complete, "{:?}", spans.iter().map(|span| &span.id).collect::<Vec<_>>());
    }
}

#[test]
fn attempts_are_numbered_by_their_resends_and_not_by_their_place() {
    let mut spans = double();
    spans.reverse();
    let order_trace = told(&spans).unwrap();
    let ends: Vec<_> =
        order_trace.attempts.iter().map(|attempt| (attempt.number, &attempt.end)).collect();
    assert_eq!(ends, [(1, &End::Unanswered("timeout".to_owned())), (2, &End::Answered(200))]);

    spans.retain(|span| span.id != "one");
    let numbers: Vec<_> = told(&spans).unwrap().attempts.iter().map(|a| a.number).collect();
    assert_eq!(numbers, [2]);
}

/// One attempt that timed out, or was answered with `status`.
fn one_attempt(status: Option<i64>, step: &str, below: &[Span]) -> Vec<Span> {
    let client = match status {
        Some(status) => answered("one", 1..4, status),
        None => unanswered("one", 1..1001, "timeout"),
    };
    let mut server = served("in", "one", 2..3, step);
    if let Some(status) = status {
        server = server.status(status);
    }
    let outcome = match status {
        Some(200) => "confirmed",
        Some(_) => "failed",
        None => "unknown",
    };
    [&[order(1005, outcome, status.unwrap_or(504)), client, server], below].concat()
}

#[test]
fn a_commit_is_expected_where_the_answer_or_else_the_fault_promises_one() {
    let made = || commit("in", 2, 10, false, false);
    let acted = |step| fault("in", 2..3, step);
    let missing = || vec![Flaw::Missing(Part::Commit(1))];
    let contradictory = || vec![Flaw::Contradictory(Part::Commit(1))];
    for (plan, status, step, acts, without, with) in [
        ("none", Some(200), "none", false, missing(), vec![]),
        ("slow", None, "slow:2000", true, missing(), vec![]),
        ("lostreply", None, "lostreply", true, missing(), vec![]),
        ("slowreply", None, "slowreply:2000", true, missing(), vec![]),
        ("race", None, "race:100", true, missing(), vec![]),
        ("hold", None, "hold:60000", true, missing(), vec![]),
        ("fail", Some(503), "fail:503", true, vec![], contradictory()),
        ("slowfail", None, "slowfail:2000", true, vec![], contradictory()),
        ("abort", None, "abort", true, vec![], contradictory()),
        // What the inventory answered is more than what was asked of it.
        ("slow:10", Some(409), "slow:10", true, vec![], contradictory()),
        ("slowreply", Some(409), "slowreply:2000", false, vec![], contradictory()),
        // Only the inventory knows what a flaky step came to.
        ("flaky", None, "slow:1500", true, missing(), vec![]),
        ("flaky", None, "fail:503", true, vec![], contradictory()),
        ("flaky", Some(200), "none", false, missing(), vec![]),
    ] {
        let acted = if acts { vec![acted(step)] } else { vec![] };
        let spans = one_attempt(status, step, &acted);
        let order_trace = OrderTrace::of(&spans, &answer(&spans, plan)).unwrap();
        assert_eq!(order_trace.flaws, without, "{plan}, {status:?}, no commit");
        let spans = one_attempt(status, step, &[&acted[..], &[made()]].concat());
        let order_trace = OrderTrace::of(&spans, &answer(&spans, plan)).unwrap();
        assert_eq!(order_trace.flaws, with, "{plan}, {status:?}, a commit");
    }
}

#[test]
fn a_late_refusal_that_nobody_heard_promises_no_commit() {
    let mut spans = one_attempt(None, "slow:2000", &[fault("in", 2..2002, "slow:2000")]);
    assert!(!OrderTrace::of(&spans, &answer(&spans, "slow")).unwrap().is_complete());
    let server = spans.iter_mut().find(|span| span.id == "in").unwrap();
    *server = server.clone().with(attribute::RESERVATION_REFUSED, Value::Flag(true));
    assert_eq!(OrderTrace::of(&spans, &answer(&spans, "slow")).unwrap().flaws, []);
}

#[test]
fn an_attempt_that_never_left_needs_no_span_of_the_inventory() {
    let spans = [order(3, "failed", 502), unanswered("one", 1..2, "connection_refused")];
    let order_trace = OrderTrace::of(&spans, &answer(&spans, "none")).unwrap();
    assert!(order_trace.is_complete() && order_trace.attempts[0].never_left());
    let served = served("in", "one", 1..2, "none");
    let spans = [&spans[..], &[served]].concat();
    let order_trace = OrderTrace::of(&spans, &answer(&spans, "none")).unwrap();
    assert_eq!(order_trace.flaws, [Flaw::Contradictory(Part::ServerAttempt(1))]);
}

#[test]
fn an_order_whose_answer_names_no_attempt_is_complete_without_one() {
    let spans = [order(3, "failed", 502)];
    assert!(OrderTrace::of(&spans, &answer(&spans, "none")).unwrap().is_complete());
    let with_an_attempt = [&spans[..], &[unanswered("one", 1..2, "timeout")]].concat();
    let order_trace = OrderTrace::of(&with_an_attempt, &answer(&spans, "none")).unwrap();
    assert_eq!(order_trace.flaws, [Flaw::Contradictory(Part::Attempt(1))]);
}

/// Another customer's order, in the same trace.
fn somebody_elses(parent: &str) -> Vec<Span> {
    let mut root =
        order(4, "confirmed", 200).text(attribute::ORDER_ID, "00000000000000000000000000000000");
    "other".clone_into(&mut root.id);
    root.parent = Some(parent.to_owned());
    let client = span("other-1", "other", Kind::Client, 1..3).status(200);
    let server = served("other-in", "other-1", 1..2, "none").status(200);
    vec![root, client, server, commit("other-in", 1, 5, false, false)]
}

#[test]
fn an_order_that_was_sent_with_this_ones_traceparent_does_not_join_its_story() {
    let alone = told(&double());
    for parent in ["order", "one", "in1", "commit-in1", "", "elsewhere"] {
        let other = somebody_elses(parent);
        assert_eq!(told(&[&other[..], &double()].concat()), alone, "below {parent:?}, first");
        assert_eq!(told(&[&double()[..], &other].concat()), alone, "below {parent:?}, last");
    }
    assert_eq!(told(&somebody_elses("order")), None, "nothing of this order");
}

#[test]
fn a_reservation_that_was_sent_with_an_attempts_traceparent_is_not_the_attempts() {
    let other = served("other-in", "two", 1003..1004, "none")
        .text(attribute::REQUEST_ID, "mine")
        .status(200);
    let below = commit("other-in", 1003, 5, false, false);
    assert_eq!(told(&[&[other, below][..], &double()].concat()), told(&double()));
}

#[test]
fn spans_that_claim_the_place_of_another_make_the_evidence_incomplete() {
    let copy = |id: &str| double().into_iter().find(|span| span.id == id).unwrap();
    for (id, part) in [
        ("order", Part::Order),
        ("one", Part::Attempt(1)),
        ("in2", Part::ServerAttempt(2)),
        ("fault-in1", Part::Fault(1)),
        ("commit-in2", Part::Commit(2)),
    ] {
        let genuine = copy(id);
        // An exporter that sends again sends an exact copy.
        assert_eq!(told(&[double(), vec![genuine.clone()]].concat()), told(&double()), "{id}");
        let forged = Span { id: "forged".to_owned(), ..genuine };
        let order_trace = told(&[double(), vec![forged]].concat()).unwrap();
        assert!(
            order_trace.flaws.contains(&Flaw::Ambiguous(part)),
            "{id}: {:?}",
            order_trace.flaws
        );
    }
    let third = span("three", "order", Kind::Client, 1..2)
        .with(attribute::HTTP_REQUEST_RESEND_COUNT, Value::Int(i64::MAX));
    let order_trace = told(&[double(), vec![third]].concat()).unwrap();
    assert_eq!(order_trace.flaws, [Flaw::Contradictory(Part::Attempt(u32::MAX))]);
}

#[test]
fn a_span_that_disagrees_with_the_answer_is_not_evidence_of_it() {
    let change = |id: &str, name: &str, value: Value| {
        let spans = double().into_iter();
        spans.map(|s| if s.id == id { s.with(name, value.clone()) } else { s }).collect::<Vec<_>>()
    };
    let status = attribute::HTTP_RESPONSE_STATUS_CODE;
    for (id, name, value, missing) in [
        ("order", attribute::ORDER_OUTCOME, Value::Text("unknown".to_owned()), None),
        ("order", attribute::ORDER_ID, Value::Text("another".to_owned()), None),
        ("two", status, Value::Int(503), Some(Part::Attempt(2))),
        ("in2", status, Value::Int(409), Some(Part::ServerAttempt(2))),
        (
            "in1",
            attribute::REQUEST_ID,
            Value::Text("another".to_owned()),
            Some(Part::ServerAttempt(1)),
        ),
    ] {
        let order_trace = told(&change(id, name, value));
        let flaws = order_trace.map(|order_trace| order_trace.flaws);
        assert_eq!(flaws, missing.map(|part| vec![Flaw::Missing(part)]), "{id} {name}");
    }
}

#[test]
fn without_the_order_there_is_no_story() {
    let answer = answer(&double(), "slow,none");
    assert_eq!(OrderTrace::of(&[answered("one", 1..4, 200)], &answer), None);
    assert_eq!(OrderTrace::of(&[], &answer), None);
    assert_eq!(answer.report.attempts[0].result, AttemptResult::Timeout);
}

#[test]
fn an_answer_that_nobody_kept_is_read_from_the_spans_of_the_order_service() {
    let mut spans = double();
    spans[0] = spans[0].clone().text(attribute::ORDER_CHAOS, "slow,none");
    // Of others: an order that came later, and one that is no order.
    let mut later = order(9, "failed", 502).text(attribute::ORDER_ID, "later");
    later.start += 1;
    spans.insert(0, later);
    spans.insert(0, order(9, "delicious", 200));
    let (read, told) = (Answered::from_spans(&spans).unwrap(), answer(&double(), "slow,none"));
    assert_eq!(read.plan, told.plan);
    assert_eq!(
        (&read.report.order_id, read.report.outcome),
        (&told.report.order_id, told.report.outcome)
    );
    let results = |answered: &Answered| {
        answered
            .report
            .attempts
            .iter()
            .map(|it| (it.number, it.result, it.status))
            .collect::<Vec<_>>()
    };
    assert_eq!(results(&read), results(&told));
    assert_eq!(read.report.attempts[0].duration_ms, 1_000);
    assert!(OrderTrace::of(&spans, &read).unwrap().is_complete());

    spans.retain(|span| span.id != "commit-in1");
    let flaws = OrderTrace::of(&spans, &read).unwrap().flaws;
    assert_eq!(flaws, [Flaw::Missing(Part::Commit(1))], "the fault promises it");
    assert!(Answered::from_spans(&double()[1..]).is_none(), "nobody knows of an order");
}

#[test]
fn of_an_order_that_somebody_made_up_only_so_many_attempts_are_read_and_the_rest_is_a_flaw() {
    let mut spans = vec![order(9, "confirmed", 200)];
    spans.extend((0..4_000).map(|resends| {
        let attempt = answered(&format!("attempt{resends}"), 1..2, 200);
        attempt.with(attribute::HTTP_REQUEST_RESEND_COUNT, Value::Int(resends))
    }));
    let read = Answered::from_spans(&spans).unwrap();
    let numbers: Vec<_> = read.report.attempts.iter().map(|attempt| attempt.number).collect();
    assert_eq!(numbers, (1..=16).collect::<Vec<_>>());
    let flaws = OrderTrace::of(&spans, &read).unwrap().flaws;
    assert!(flaws.contains(&Flaw::Contradictory(Part::Attempt(17))), "{flaws:?}");
}
