//! From spans to a picture, one snapshot for each thing that can be drawn.

use campuscafe_attributes as attribute;
use campuscafe_evidence::calls::{Calls, SAYS};
use campuscafe_evidence::from_spans::FromSpans as _;
use campuscafe_evidence::order_trace::OrderTrace;
use campuscafe_evidence::span::{Kind, Span, Value};
use campuscafe_evidence::testing::{
    MS, START, With as _, answer, answered, commit, double, order, resent, served, span, unanswered,
};

use super::{CUSTOMER_TO_ORDER, Line, ORDER_TO_INVENTORY, TIME, draw, draw_calls};
use crate::messages::Language;
use crate::view::columns::{WIDTH, cut, width};

/// The picture; each one must keep to its bounds, and to its lanes in every language.
#[track_caller]
fn picture(spans: &[Span]) -> String {
    let order_trace = OrderTrace::of(spans, &answer(spans, "none")).expect("an order");
    kept(|language| draw(&order_trace, language))
}

/// The picture of the calls of a script, made by these; it must keep to the same.
#[track_caller]
fn picture_of_calls(made: &[Span], spans: &[Span]) -> String {
    let calls = Calls::of(spans, &made.to_vec()).expect("calls");
    assert_eq!(calls.flaws, [], "{calls:#?}");
    kept(|language| draw_calls(&calls, language))
}

#[track_caller]
fn kept(draw: impl Fn(Language) -> Vec<Line>) -> String {
    let [lines, japanese] = [Language::English, Language::Japanese].map(|language| {
        let lines = draw(language);
        for line in &lines {
            assert!(width(&line.text) <= WIDTH, "{}", line.text);
        }
        lines
    });
    for line in &lines {
        assert!(line.text.is_ascii(), "{}", line.text);
    }
    // What spans hold may be longer than a lane.
    for line in lines
        .iter()
        .chain(&japanese)
        .filter(|line| line.text.contains('|') && !line.text.contains('\\'))
    {
        let lane = TIME + 1 + 1 + CUSTOMER_TO_ORDER;
        let (order, inventory) = (cut(&line.text, lane + 1), lane + 1 + ORDER_TO_INVENTORY);
        assert!(order.ends_with(['|', 'x', '-']) && width(&order) == lane + 1, "{}", line.text);
        assert!(cut(&line.text, inventory + 1).ends_with('|'), "{}", line.text);
    }
    lines.into_iter().map(|line| line.text + "\n").collect()
}

/// A call of the customer or of the order service.
fn call(id: &str, by: &str, at: std::ops::Range<u64>, method: &str, path: &str) -> Span {
    let call = span(id, "", Kind::Client, at).text(attribute::HTTP_REQUEST_METHOD, method);
    let url = format!("http://127.0.0.1:5201{path}");
    Span { service: by.to_owned(), ..call.text(attribute::URL_FULL, &url) }
}

/// A service's own span of a call.
fn works(id: &str, by: &str, call: &str, at: std::ops::Range<u64>, route: &str) -> Span {
    let works = span(id, call, Kind::Server, at).text(attribute::HTTP_ROUTE, route);
    Span { service: by.to_owned(), ..works }
}

fn below(parent: &str, call: Span) -> Span {
    Span { parent: Some(parent.to_owned()), ..call }
}

/// A customer cancels an order while it is being placed.
#[test]
fn a_script_shows_who_called_whom_and_what_a_late_attempt_did() {
    let made = [
        call("press", "customer", 0..1005, "POST", "/orders").status(504).text(SAYS, "unknown"),
        call("cancel", "customer", 500..507, "DELETE", "/orders/7")
            .status(200)
            .text(SAYS, "cancelled"),
    ];
    let attempt = call("attempt", "order", 2..1002, "POST", "/inventory/reserve");
    let takes_back = call("undo", "order", 502..505, "DELETE", "/inventory/reservations");
    let spans = [
        works("order", "order", "press", 1..1004, "/orders").status(504),
        below("order", attempt.text(attribute::ERROR_TYPE, "timeout")),
        works("in", "inventory", "attempt", 3..2003, "/inventory/reserve")
            .text(attribute::CHAOS_STEP, "slow:2000")
            .left_at(1003),
        commit("in", 2003, 10, true, false),
        works("order-2", "order", "cancel", 501..506, "/orders/{orderId}").status(200),
        below("order-2", takes_back.status(404)),
        works("in-2", "inventory", "undo", 503..504, "/inventory/reservations").status(404),
    ];
    insta::assert_snapshot!(picture_of_calls(&made, &spans));
}

/// The order service settles a key, and a customer asks the inventory itself.
#[test]
fn a_script_shows_what_was_void_known_or_changed_and_what_passes_the_order_service() {
    let flag = Value::Flag(true);
    let made = [
        call("slow", "order", 0..500, "POST", "/inventory/reserve")
            .text(attribute::ERROR_TYPE, "timeout"),
        call("ask", "order", 501..503, "GET", "/inventory/keys").status(200).text(SAYS, "none"),
        call("read", "customer", 510..520, "GET", "/inventory/state").status(200),
        call("undo", "order", 530..540, "DELETE", "/inventory/keys/k").status(200),
        call("gone", "customer", 2000..2001, "POST", "/orders")
            .text(attribute::ERROR_TYPE, "connection_refused"),
    ];
    let mut undone = span("undone", "in-undo", Kind::Internal, 535..535)
        .text(attribute::RESERVATION_ITEM, "cake")
        .with(attribute::STOCK_BEFORE, Value::Int(9))
        .with(attribute::STOCK_AFTER, Value::Int(10));
    undone.name = "cancel reservation".to_owned();
    let spans = [
        works("in-slow", "inventory", "slow", 1..1500, "/inventory/reserve")
            .text(attribute::CHAOS_STEP, "slow:1500")
            .left_at(501)
            .with(attribute::KEY_VOID, flag.clone()),
        works("in-ask", "inventory", "ask", 501..502, "/inventory/keys").status(200),
        works("in-read", "inventory", "read", 511..519, "/inventory/state")
            .status(200)
            .with(attribute::IDEMPOTENT_REPLAYED, flag),
        works("in-undo", "inventory", "undo", 531..539, "/inventory/keys/{key}").status(200),
        undone,
    ];
    insta::assert_snapshot!(picture_of_calls(&made, &spans));
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
fn a_japanese_picture_has_the_same_lines_in_japanese() {
    let spans = double();
    let order_trace = OrderTrace::of(&spans, &answer(&spans, "none")).expect("an order");
    insta::assert_snapshot!(super::text(&order_trace, Language::Japanese));
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
        let lines: Vec<_> =
            draw(&order_trace, Language::English).into_iter().map(|line| line.text).collect();
        assert!(lines.iter().any(|line| line.contains("| #")), "{lines:#?}");
    }
}
