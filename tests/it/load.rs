//! `campuscafe load`: what it counts is what happened.

use campuscafe_tests::{Cafe, Process};
use serde_json::Value;

async fn load(arguments: &[&str], environment: &[(&str, &str)]) -> Value {
    let all = [&["load", "--json"], arguments].concat();
    let (code, stdout, stderr) = Process::run("campuscafe", &all, environment).await;
    assert_eq!(code, Some(0), "{stderr}");
    serde_json::from_str(&stdout).unwrap_or_else(|_| panic!("no JSON: {stdout}"))
}

fn orders(json: &Value, outcome: &str) -> u64 {
    json["outcomes"][outcome]["orders"].as_u64().unwrap()
}

#[tokio::test]
async fn orders_arrive_at_the_rate_however_slow_the_answers() {
    let arguments = ["--rate", "50", "--duration", "2s", "--mix", "slow:900=1"];
    // So generous that even on a busy machine no order meets it.
    let json = load(&arguments, &[("ORDER_ATTEMPT_TIMEOUT", "20s")]).await;
    assert_eq!((&json["answered"], &json["notSent"]), (&100.into(), &0.into()), "{json}");
    assert_eq!(orders(&json, "confirmed"), 100, "{json}");
    // One after the other they would have taken 90 s.
    assert!(json["seconds"].as_f64().unwrap() < 10.0, "{json}");
    let times = &json["outcomes"]["confirmed"]["times"];
    assert!(times["p50Ms"].as_f64().unwrap() >= 900.0, "{json}");
    assert_eq!(json["ledger"]["gap"], 0);
}

#[tokio::test]
async fn the_gap_counts_the_late_work_too() {
    let arguments = ["--rate", "20", "--duration", "1s", "--mix", "slow=1", "--retry"];
    let json = load(&arguments, &[]).await;
    assert_eq!(orders(&json, "unknown"), 20, "{json}");
    let ledger = &json["ledger"];
    assert_eq!((&ledger["reservations"], &ledger["gap"]), (&40.into(), &40.into()), "{json}");
    assert_eq!((&ledger["late"], &ledger["duplicates"]), (&40.into(), &20.into()), "{json}");
    assert_eq!(json["settled"], true);
}

#[tokio::test]
async fn a_small_stock_is_put_back_and_the_summary_says_so() {
    let cafe = Cafe::open().await;
    let arguments =
        ["--rate", "100", "--duration", "2s", "--mix", "none=1", "--lab-url", &cafe.lab];
    let json = load(&arguments, &[]).await;
    // Twenty coffees would have been gone after the first tenth.
    assert!(orders(&json, "confirmed") > 150, "{json}");
    assert!(json["stockResets"].as_u64().unwrap() > 5, "{json}");
    let (_, text, _) = Process::run("campuscafe", &[&["load"], &arguments[..]].concat(), &[]).await;
    assert!(text.contains("The stock was put back"), "{text}");
}

#[tokio::test]
async fn the_same_seed_meets_the_same_faults() {
    let arguments =
        ["--rate", "100", "--duration", "1s", "--mix", "none=1,fail=1,abort=1", "--seed", "5"];
    let (one, again) = (load(&arguments, &[]).await, load(&arguments, &[]).await);
    assert_eq!(one["counters"], again["counters"]);
    assert!(orders(&one, "failed") > 0 && orders(&one, "unknown") > 0, "{one}");
}

#[tokio::test]
async fn ctrl_c_ends_the_arrivals_and_still_sums_up() {
    let mut endless = Process::start("campuscafe", &["load", "--json", "--rate", "100"], &[]);
    // The first line of progress says that orders are under way.
    campuscafe_tests::eventually("progress", || {
        std::future::ready(endless.stderr().contains("confirmed").then_some(()))
    })
    .await;
    endless.signal("INT");
    assert_eq!(endless.ended().await.code(), Some(0), "{}", endless.stderr());
    let json = campuscafe_tests::eventually("the summary", || {
        std::future::ready(serde_json::from_str::<Value>(&endless.stdout()).ok())
    })
    .await;
    assert!(json["answered"].as_u64().unwrap() > 0, "{json}");
}

#[tokio::test]
async fn misuse_is_one_line_and_exit_2() {
    for arguments in [
        &["--rate", "0"][..],
        &["--rate", "fast"],
        &["--duration", "0s"],
        &["--duration", "soon"],
        &["--mix", "slwo=1"],
        &["--mix", "none"],
    ] {
        let all = [&["load"], arguments].concat();
        let (code, _, stderr) = Process::run("campuscafe", &all, &[]).await;
        assert_eq!((code, stderr.lines().count()), (Some(2), 1), "{arguments:?}: {stderr}");
    }
}
