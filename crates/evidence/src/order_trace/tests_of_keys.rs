//! Attempts that carry an idempotency key, and orders whose customer was left in doubt.

use campuscafe_attributes as attribute;

use super::*;
use crate::counters;
use crate::diagram::{Content, Diagram, Lane, Note};
use crate::flaw::Part;
use crate::knowledge::Knowledge;
use crate::span::{Span, Value};
use crate::testing::{
    MS, START, With as _, answer, answered, commit, fault, keyed_double, order, served, unanswered,
};

/// The same spans, of an order that names this lane.
fn in_lane(spans: &[Span], lane: &str) -> Vec<Span> {
    let mut spans = spans.to_vec();
    for root in spans.iter_mut().filter(|span| span.id == "order") {
        *root = root.clone().text(attribute::ORDER_LANE, lane);
    }
    spans
}

fn keyed(spans: &[Span], plan: &str) -> OrderTrace {
    let spans = in_lane(spans, "cured");
    OrderTrace::of(&spans, &answer(&spans, plan)).expect("an order")
}

/// One attempt that was slow beyond its limit and found this under its key.
fn late(found: &str) -> Vec<Span> {
    let server = served("in", "one", 2..2002, "slow:2000").left_at(1002);
    vec![
        order(1005, "unknown", 202),
        unanswered("one", 1..1001, "timeout"),
        server.with(found, Value::Flag(true)),
        fault("in", 2..2002, "slow:2000"),
    ]
}

#[test]
fn a_late_attempt_that_is_replayed_or_void_is_complete_without_a_commit_and_not_with_one() {
    for (found, expected) in [
        (attribute::IDEMPOTENT_REPLAYED, UnderKey::Replayed),
        (attribute::KEY_VOID, UnderKey::Void),
    ] {
        let read = keyed(&late(found), "slow");
        assert_eq!(read.flaws, [], "{found}");
        assert_eq!(read.attempts[0].served.as_ref().unwrap().under_key, Some(expected));
        let taken = [&late(found)[..], &[commit("in", 2002, 10, true, false)]].concat();
        assert_eq!(keyed(&taken, "slow").flaws, [Flaw::Contradictory(Part::Commit(1))]);
    }
}

#[test]
fn a_replayed_reservation_meets_the_fault_after_the_commit_and_a_replayed_refusal_does_not() {
    let spans = |acts: bool, refused: bool| {
        let mut server = served("in", "one", 2..4, "lostreply")
            .with(attribute::IDEMPOTENT_REPLAYED, Value::Flag(true));
        if refused {
            server = server.with(attribute::RESERVATION_REFUSED, Value::Flag(true));
        }
        let mut spans =
            vec![order(6, "unknown", 202), unanswered("one", 1..5, "connection_lost"), server];
        spans.extend(acts.then(|| fault("in", 3..3, "lostreply")));
        spans
    };
    for (acts, refused, complete) in
        [(true, false, true), (false, false, false), (false, true, true)]
    {
        let read = keyed(&spans(acts, refused), "lostreply");
        assert_eq!(read.is_complete(), complete, "acts {acts}, refused {refused}");
    }
}

#[test]
fn a_keyed_double_is_one_commit_and_one_replay_in_the_picture_in_the_counters_and_in_the_heads() {
    let read = keyed(&keyed_double(), "slow,none");
    assert_eq!((read.flaws.len(), read.commits().len()), (0, 1));
    let counted = counters::of_order(&read);
    assert_eq!(counted.get("inventory_idempotent_replays_total"), Some(&1));
    assert_eq!(counted.get("inventory_reservations_total{item=\"cake\"}"), Some(&1));
    assert_eq!(counted.get("inventory_duplicate_reservations_total{item=\"cake\"}"), None);

    let drawn = Diagram::of(&read);
    let last = drawn.steps.last().unwrap();
    let replayed = Note::UnderKey { attempt: 1, found: UnderKey::Replayed, late: true };
    assert_eq!((drawn.ms(last.at), last.note.as_ref()), (2002, Some(&replayed)));
    let known = Knowledge::at(&drawn, drawn.steps.len());
    assert_eq!((known.order.certain, known.order.possible), (1, 1), "both have one key");
    assert_eq!(known.inventory.reservations, 1);
    assert_eq!(known.inventory.attempts[0].found, Some(UnderKey::Replayed));
}

#[test]
fn while_no_attempt_with_a_key_is_answered_there_is_one_reservation_at_most() {
    let spans = [
        order(2005, "unknown", 202),
        unanswered("one", 1..1001, "timeout"),
        crate::testing::resent(unanswered("two", 1002..2002, "timeout")),
    ];
    let bounds = |lane: &str| {
        let spans = in_lane(&spans, lane);
        let drawn = Diagram::of(&OrderTrace::of(&spans, &answer(&spans, "slow")).unwrap());
        let known = Knowledge::at(&drawn, drawn.steps.len()).order;
        (known.certain, known.possible)
    };
    assert_eq!((bounds("cured"), bounds("naive")), ((0, 1), (0, 2)));
}

/// A lost reply, in nanoseconds from [`START`].
fn lost_reply() -> Vec<Span> {
    let server = served("in", "one", 2..4, "lostreply")
        .text(attribute::ERROR_TYPE, attribute::CONNECTION_ABORTED);
    vec![
        order(6, "unknown", 202),
        unanswered("one", 1..5, "connection_lost"),
        server,
        fault("in", 3..3, "lostreply"),
        commit("in", 3, 10, false, false),
    ]
}

#[test]
fn what_was_settled_is_known_to_the_order_service_and_to_the_customer_only_when_told() {
    let at = |ms: u64| START + ms * MS;
    let settled = Some(Settled { at: at(9), outcome: "confirmed".to_owned() });
    let later = Some(Exchange {
        asked: Asked::State,
        asked_at: at(1000),
        told_at: at(1002),
        status: Some(200),
        outcome: "confirmed".to_owned(),
    });
    let read = OrderTrace { settled, later, ..keyed(&lost_reply(), "lostreply") };
    let drawn = Diagram::of(&read);
    let known = |ms| {
        let step = drawn.steps.iter().rposition(|step| drawn.ms(step.at) <= ms).unwrap();
        let known = Knowledge::at(&drawn, step);
        let told = known.customer.told.map(|told| told.outcome);
        (told.unwrap_or_default(), known.order.certain, known.order.possible)
    };
    assert_eq!(known(6), ("unknown".to_owned(), 0, 1));
    assert_eq!(known(9), ("unknown".to_owned(), 1, 1));
    assert_eq!(known(1002), ("confirmed".to_owned(), 1, 1));
    let questions = drawn.history(Lane::Customer).into_iter().filter(|step| {
        step.message.as_ref().is_some_and(|message| message.content == Content::Question)
    });
    assert_eq!(questions.count(), 1);
    let counted = counters::of_order(&read);
    assert_eq!(counted.get("order_settled_total{result=\"confirmed\"}"), Some(&1));
}

#[test]
fn an_order_that_is_sent_again_is_another_order_whose_attempts_are_numbered_on() {
    let second = [
        order(30, "confirmed", 200),
        answered("one", 21..29, 200),
        served("in", "one", 22..28, "none").status(200),
        commit("in", 25, 9, false, true),
    ];
    let read = |spans: &[Span], plan: &str| OrderTrace::of(spans, &answer(spans, plan)).unwrap();
    let mut next = read(&second, "none");
    next.start = START + 20 * MS;
    let both = read(&lost_reply(), "lostreply").followed_by(next.clone());
    assert_eq!(both.commits().iter().map(|(number, _)| *number).collect::<Vec<_>>(), [1, 2]);
    let counted = counters::of_order(&both);
    for (series, count) in [
        ("order_outcomes_total{outcome=\"unknown\"}", Some(&1)),
        ("order_outcomes_total{outcome=\"confirmed\"}", Some(&1)),
        ("order_retries_total", None),
    ] {
        assert_eq!(counted.get(series), count, "{series}");
    }
    let drawn = Diagram::of(&both);
    let known = Knowledge::at(&drawn, drawn.steps.len());
    assert_eq!((known.order.certain, known.order.possible), (1, 2), "nobody knows of the first");
    assert_eq!(known.customer.told.unwrap().outcome, "confirmed");

    next.flaws = vec![Flaw::Missing(Part::Commit(1))];
    let flawed = read(&lost_reply(), "lostreply").followed_by(next);
    assert_eq!(flawed.flaws, [Flaw::Missing(Part::Commit(2))]);
}
