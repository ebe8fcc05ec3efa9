//! From spans to a picture, one snapshot for each thing that can be drawn.

use campuscafe_attributes as attribute;
use campuscafe_evidence::from_spans::FromSpans as _;
use campuscafe_evidence::order_trace::OrderTrace;
use campuscafe_evidence::span::Span;
use campuscafe_evidence::testing::{
    MS, START, With as _, answer, answered, commit, double, order, resent, served, unanswered,
};

use super::{WIDTH, draw};

/// The picture; each one must keep to its bounds.
#[track_caller]
fn picture(spans: &[Span]) -> String {
    let lines = draw(&OrderTrace::of(spans, &answer(spans, "none")).expect("an order"));
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
        served("in", "one", 2..3, "none").status(200),
        commit("in", 2, 10, false, false),
    ]));
}

#[test]
fn a_retried_order_shows_both_commits_and_from_when_nobody_waits() {
    insta::assert_snapshot!(picture(&double()));
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
fn an_answer_that_leaves_as_the_caller_gives_up_reaches_nobody() {
    insta::assert_snapshot!(picture(&[
        order(1003, "unknown", 504),
        unanswered("one", 1..1001, "timeout"),
        served("in", "one", 2..1002, "slow:1000").status(200),
        commit("in", 1000, 10, false, false),
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
        served("in", "one", 2..3, "fail:503").status(503),
    ]));
}

#[test]
fn what_has_not_arrived_is_not_drawn_and_a_clock_that_is_behind_does_no_harm() {
    let mut early = served("in", "one", 0..2000, "slow:2000");
    early.start = START - 7 * MS;
    let spans = [order(1003, "unknown", 504), unanswered("one", 1..1001, "timeout")];
    insta::assert_snapshot!(picture(&spans));
    let mut commit = commit("in", 0, 10, true, false);
    commit.start = START - 5 * MS;
    insta::assert_snapshot!(picture(&[&spans[..], &[early, commit]].concat()));
}

#[test]
fn what_spans_hold_cannot_steer_the_terminal() {
    let evil = "\x1b[2J\u{9b}31m\u{202e}";
    let lines = picture(&[
        order(1005, "unknown", 504),
        unanswered("one", 1..1001, &format!("time{evil}out")),
        resent(unanswered("two", 1002..1004, "timeout")),
        served("in", "one", 2..3, &format!("slow:{evil}")),
        commit("in", 2, 10, false, false).text(attribute::RESERVATION_ITEM, &format!("ca{evil}ke")),
    ]);
    for shown in ["time\\u{1b}[2J", "slow:\\u{1b}[2J\\u{9b}31m", "COMMIT ca\\u{1b}[2J"] {
        assert!(lines.contains(shown), "no {shown} in\n{lines}");
    }
    assert!(lines.chars().all(|c| c == '\n' || !c.is_control()), "{lines:?}");
}

#[test]
fn attempts_have_their_bars_whatever_their_numbers() {
    let spans = [
        order(5, "confirmed", 200),
        answered("one", 1..4, 200),
        served("in", "one", 2..3, "none").status(200),
    ];
    for number in [0, 2, u32::MAX] {
        let mut order_trace = OrderTrace::of(&spans, &answer(&spans, "none")).expect("an order");
        order_trace.attempts[0].number = number;
        let lines: Vec<_> = draw(&order_trace).into_iter().map(|line| line.text).collect();
        assert!(lines.iter().any(|line| line.contains("| #")), "{lines:#?}");
    }
}
