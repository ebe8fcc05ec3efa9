//! What is said of orders that look the same, that do not, and of which spans are lost.

use std::collections::BTreeSet;

use super::*;
use crate::lessons::testing::history;
use crate::messages::Language;

fn view(runs: &[(&'static str, Option<LocalHistory>)]) -> SameView {
    SameView { runs: runs.to_vec() }
}

fn said(view: &SameView) -> String {
    let [english, japanese] = [Language::English, Language::Japanese].map(|language| {
        let text = text(view, Voice::plain(language));
        assert!(text.lines().all(|line| width(line) <= WIDTH), "{text}");
        text
    });
    let table = japanese.lines().filter(|line| line.ends_with(" ms")).map(width);
    assert!(table.collect::<BTreeSet<_>>().len() <= 1, "{japanese}");
    english
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
