//! `campuscafe experiment`: shown where it shows, and not where it does not.

use campuscafe_tests::{Cafe, Process};
use serde_json::Value;

async fn run(arguments: &[&str], environment: &[(&str, &str)]) -> (Option<i32>, String) {
    let mut all = vec!["experiment"];
    all.extend(arguments);
    let (code, stdout, stderr) = Process::run("campuscafe", &all, environment).await;
    assert_eq!(stderr, "", "nothing to complain about");
    (code, stdout)
}

#[tokio::test]
async fn slow_is_shown_on_services_of_its_own() {
    let (code, text) = run(&["slow"], &[]).await;
    assert_eq!(code, Some(0), "{text}");
    for expected in [
        "* COMMIT cake 10 -> 9, late",
        "nobody waits for attempt 1 any more",
        "504 \"Order failed",
        "1 reservation that no customer knows of",
        "+1  inventory_late_commits_total{item=\"cake\"}",
        "SHOWN",
        "it was unknown",
    ] {
        assert!(text.contains(expected), "no {expected:?} in\n{text}");
    }
    assert!(!text.contains('\x1b'), "no colour where there is no terminal");
    assert!(text.lines().all(|line| line.chars().count() <= 120), "{text}");
}

#[tokio::test]
async fn double_as_json_has_two_orders_and_both_verdicts() {
    let (code, text) = run(&["double", "--json"], &[]).await;
    assert_eq!(code, Some(0), "{text}");
    let json: Value = serde_json::from_str(&text).unwrap();
    assert_eq!((&json["experiment"], &json["shown"]), (&"double".into(), &true.into()));
    let orders = json["orders"].as_array().unwrap();
    let outcomes: Vec<_> = orders.iter().map(|order| &order["told"]["outcome"]).collect();
    assert_eq!(outcomes, ["unknown", "confirmed"]);
    for order in orders {
        assert_eq!((&order["shown"], &order["evidence"]), (&true.into(), &"spans".into()));
        assert_eq!(order["ledger"]["reservations"], 2);
        assert_eq!(order["commits"].as_array().unwrap().len(), 2);
        assert_eq!(order["commits"][1]["duplicate"], true);
        assert_eq!(order["counters"]["inventory_duplicate_reservations_total{item=\"cake\"}"], 1);
    }
    assert_eq!(orders[0]["ledger"]["gap"], 2);
    assert_eq!(orders[1]["ledger"]["gap"], 1);
}

#[tokio::test]
async fn the_lesson_does_not_show_where_nothing_times_out() {
    let cafe = Cafe::open_with(&[("ORDER_ATTEMPT_TIMEOUT", "5s")]).await;
    for name in ["slow", "double"] {
        let (code, text) = run(&[name, "--lab-url", &cafe.lab], &[]).await;
        assert_eq!(code, Some(1), "{text}");
        assert!(text.contains("NOT SHOWN") && text.contains("nothing timed out"), "{text}");
    }
}

#[tokio::test]
async fn services_of_a_running_lab_are_used_and_left_running() {
    let cafe = Cafe::open().await;
    let (code, text) = run(&["double", "--json"], &[("LAB_URL", &cafe.lab)]).await;
    assert_eq!(code, Some(0), "{text}");
    assert_eq!(cafe.state().await["reservations"], 4);
    let json: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(json["orders"][0]["evidence"], "spans");
}

#[tokio::test]
async fn without_spans_the_verdict_rests_on_the_ledger_and_says_so() {
    let cafe = Cafe::open().await;
    let urls = [("ORDER_URL", cafe.order.as_str()), ("INVENTORY_URL", cafe.inventory.as_str())];
    let (code, text) = run(&["double"], &urls).await;
    assert_eq!(code, Some(0), "{text}");
    assert!(text.contains("rests on the ledger alone"), "{text}");
    assert!(text.contains("2 reservations that no customer knows of"), "{text}");
}

#[tokio::test]
async fn misuse_is_one_line_and_exit_2() {
    for arguments in [
        &["experiment"][..],
        &["experiment", "triple"],
        &["experiment", "slow", "--order-url", "http://127.0.0.1:9"],
        &["experiment", "slow", "--lab-url", "nonsense"],
    ] {
        let (code, _, stderr) = Process::run("campuscafe", arguments, &[]).await;
        assert_eq!((code, stderr.lines().count()), (Some(2), 1), "{arguments:?}: {stderr}");
    }
}

#[tokio::test]
async fn services_that_cannot_be_reached_are_named_and_nothing_is_shown() {
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let url = format!("http://{closed}");
    let arguments = ["experiment", "slow", "--order-url", &url, "--inventory-url", &url];
    let (code, _, stderr) = Process::run("campuscafe", &arguments, &[]).await;
    assert_eq!((code, stderr.lines().count()), (Some(1), 1), "{stderr}");
    assert!(stderr.contains(&url) && stderr.contains("nothing answers there"), "{stderr}");
}
