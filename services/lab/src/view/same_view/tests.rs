//! What is said of orders that look the same, that do not, and of which spans are lost.

use super::*;
use crate::lessons::testing::history;

fn view(runs: &[(&'static str, Option<LocalHistory>)]) -> SameView {
    SameView { runs: runs.to_vec() }
}

fn said(view: &SameView) -> String {
    let text = text(view, Style::never());
    assert!(text.lines().all(|line| line.chars().count() <= WIDTH), "{text}");
    text
}

#[test]
fn orders_that_look_the_same_are_one_list_with_the_times_of_each() {
    let timeout = |ms| history(Err("timeout"), ms);
    let same = [("slow", timeout(1001)), ("slowfail", timeout(1003)), ("slowreply", timeout(1002))];
    insta::assert_snapshot!(said(&view(&same)));
}

#[test]
fn orders_that_differ_are_listed_up_to_there_and_each_is_quoted() {
    let differ = [
        ("slow", history(Ok(200), 5)),
        ("slowfail", history(Ok(503), 6)),
        ("slowreply", history(Ok(200), 7)),
    ];
    insta::assert_snapshot!(said(&view(&differ)));
}

#[test]
fn an_order_without_whole_spans_is_named_and_nothing_is_claimed() {
    let lost = [("abort", history(Err("connection_lost"), 5)), ("lostreply", None)];
    let all_lost = [("abort", None), ("lostreply", None)];
    insta::assert_snapshot!(format!("{}\n{}", said(&view(&lost)), said(&view(&all_lost))));
}

#[test]
fn programs_read_the_events_and_the_times_of_each_order() {
    let cut = [("abort", history(Err("connection_lost"), 5)), ("lostreply", None)];
    let json = json("cut", &view(&cut));
    let events = json!([
        {"received": "order"},
        {"sent": {"attempt": 1}},
        {"noAnswer": {"attempt": 1, "reason": "connection_lost"}},
        {"sent": {"outcome": {"status": 504, "outcome": "unknown"}}},
    ]);
    let runs = json!([
        {"chaos": "abort", "events": events, "timesMs": [0, 1, 5, 6]},
        {"chaos": "lostreply", "events": null, "timesMs": null},
    ]);
    assert_eq!((&json["experiment"], &json["party"]), (&"cut".into(), &"order".into()));
    assert_eq!((&json["conclusion"], &json["runs"]), (&"incomplete".into(), &runs));
}

#[test]
fn each_event_is_said_from_the_side_of_its_party_and_cannot_steer_the_terminal() {
    let outcome = |outcome: &str| Content::Outcome { status: None, outcome: outcome.to_owned() };
    let committed = |late, duplicate| LocalEvent::Committed { attempt: 1, late, duplicate };
    for (event, expected) in [
        (LocalEvent::Sent(Content::Order), "sent the order"),
        (LocalEvent::Received(outcome("failed")), "was told: failed"),
        (LocalEvent::Received(Content::Attempt(2)), "got attempt 2"),
        (committed(false, false), "committed attempt 1"),
        (committed(true, true), "committed attempt 1, late, 2nd of this order"),
        (
            LocalEvent::Fault { attempt: 1, fault: "slow:\u{1b}[2J".to_owned() },
            "met attempt 1 with slow:\\u{1b}[2J",
        ),
        (LocalEvent::Sent(outcome("\n")), "told the customer: \\u{a}"),
    ] {
        assert_eq!(in_words(&event), expected);
    }
}
