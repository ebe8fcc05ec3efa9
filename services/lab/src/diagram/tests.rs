//! From spans to a picture, one snapshot for each thing that can be drawn.

use std::collections::BTreeMap;

use campuscafe_telemetry::attribute;

use super::{WIDTH, draw};
use crate::evidence::source::Tale as _;
use crate::evidence::span::{Kind, Moment, Span, Value};
use crate::evidence::story::Story;

const MS: u64 = 1_000_000;
/// Any moment will do; the picture counts from the order's arrival.
const START: u64 = 1_700_000_000_000 * MS;

fn span(id: &str, parent: &str, kind: Kind, at: std::ops::Range<u64>) -> Span {
    Span {
        id: id.to_owned(),
        parent: Some(parent.to_owned()).filter(|parent| !parent.is_empty()),
        name: String::new(),
        kind,
        service: String::new(),
        instance: None,
        start: START + at.start * MS,
        end: START + at.end * MS,
        error: false,
        attributes: BTreeMap::new(),
        events: Vec::new(),
    }
}

trait With: Sized {
    fn with(self, name: &str, value: Value) -> Self;
    fn text(self, name: &str, value: &str) -> Self {
        self.with(name, Value::Text(value.to_owned()))
    }
    fn left_at(self, ms: u64) -> Self;
}

impl With for Span {
    fn with(mut self, name: &str, value: Value) -> Self {
        self.attributes.insert(name.to_owned(), value);
        self
    }

    fn left_at(mut self, ms: u64) -> Self {
        let name = attribute::EVENT_CLIENT_DISCONNECTED.to_owned();
        self.events.push(Moment { name, at: START + ms * MS });
        self
    }
}

fn order(until: u64, outcome: &str, status: i64) -> Span {
    span("order", "", Kind::Server, 0..until)
        .text(attribute::ORDER_OUTCOME, outcome)
        .with(attribute::HTTP_RESPONSE_STATUS_CODE, Value::Int(status))
}

fn answered(id: &str, at: std::ops::Range<u64>, status: i64) -> Span {
    span(id, "order", Kind::Client, at)
        .with(attribute::HTTP_RESPONSE_STATUS_CODE, Value::Int(status))
}

fn unanswered(id: &str, at: std::ops::Range<u64>, error: &str) -> Span {
    span(id, "order", Kind::Client, at).text(attribute::ERROR_TYPE, error)
}

fn served(id: &str, attempt: &str, at: std::ops::Range<u64>, fault: &str) -> Span {
    span(id, attempt, Kind::Server, at).text(attribute::CHAOS_STEP, fault)
}

fn commit(parent: &str, at: u64, before: i64, late: bool, duplicate: bool) -> Span {
    span("commit", parent, Kind::Internal, at..at)
        .text(attribute::RESERVATION_ID, "id")
        .text(attribute::RESERVATION_ITEM, "cake")
        .with(attribute::STOCK_BEFORE, Value::Int(before))
        .with(attribute::STOCK_AFTER, Value::Int(before - 1))
        .with(attribute::RESERVATION_LATE, Value::Flag(late))
        .with(attribute::RESERVATION_DUPLICATE, Value::Flag(duplicate))
}

/// The picture; each one must keep to its bounds.
#[track_caller]
fn picture(spans: &[Span]) -> String {
    let lines = draw(&Story::of(spans).expect("an order"));
    for line in &lines {
        assert!(line.text.is_ascii() && line.text.len() <= WIDTH, "{}", line.text);
    }
    lines.into_iter().map(|line| line.text + "\n").collect()
}

#[test]
fn an_order_that_goes_well_is_a_message_each_way() {
    insta::assert_snapshot!(picture(&[
        order(5, "confirmed", 200),
        answered("one", 1..4, 200),
        served("in", "one", 2..3, "none"),
        commit("in", 2, 10, false, false),
    ]));
}

#[test]
fn a_retried_order_shows_both_commits_and_from_when_nobody_waits() {
    insta::assert_snapshot!(picture(&[
        order(1005, "confirmed", 200),
        unanswered("one", 1..1001, "timeout"),
        answered("two", 1002..1004, 200),
        served("in1", "one", 2..2002, "slow:2000").left_at(1002),
        served("in2", "two", 1003..1004, "none"),
        commit("in1", 2002, 9, true, true),
        commit("in2", 1003, 10, false, false),
    ]));
}

#[test]
fn a_cut_before_and_a_cut_after_the_commit_differ_only_in_the_inventory() {
    let cut = |fault: &str, committed: bool| {
        let server =
            served("in", "one", 2..4, fault).text(attribute::ERROR_TYPE, "connection_aborted");
        let mut spans =
            vec![order(6, "unknown", 504), unanswered("one", 1..5, "connection_lost"), server];
        spans.extend(committed.then(|| commit("in", 3, 10, false, false)));
        picture(&spans)
    };
    insta::assert_snapshot!(format!("{}\n{}", cut("abort", false), cut("lostreply", true)));
}

#[test]
fn a_reply_that_comes_too_late_goes_nowhere() {
    insta::assert_snapshot!(picture(&[
        order(1003, "unknown", 504),
        unanswered("one", 1..1001, "timeout"),
        served("in", "one", 2..2003, "slowreply:2000").left_at(1002),
        commit("in", 3, 10, false, false),
    ]));
}

#[test]
fn a_connection_that_is_refused_never_reaches_the_inventory() {
    insta::assert_snapshot!(picture(&[
        order(3, "failed", 502),
        unanswered("one", 1..2, "connection_refused"),
    ]));
}

#[test]
fn a_refusal_is_an_answer_like_any_other() {
    insta::assert_snapshot!(picture(&[
        order(5, "failed", 502),
        answered("one", 1..4, 503),
        served("in", "one", 2..3, "fail:503"),
    ]));
}

#[test]
fn what_has_not_arrived_is_not_drawn_and_a_clock_that_is_behind_does_no_harm() {
    let mut early = served("in", "one", 0..2000, "slow:2000");
    early.start = START - 7 * MS;
    let spans = [order(1003, "unknown", 504), unanswered("one", 1..1001, "timeout")];
    let story = Story::of(&spans).expect("an order");
    assert!(!story.is_settled());
    insta::assert_snapshot!(picture(&spans));
    let mut commit = commit("in", 0, 10, true, false);
    commit.start = START - 5 * MS;
    insta::assert_snapshot!(picture(&[&spans[..], &[early, commit]].concat()));
}

#[test]
fn without_the_order_there_is_no_story() {
    assert_eq!(Story::of(&[answered("one", 1..4, 200)]), None);
    assert_eq!(Story::of(&[]), None);
}
