//! `campuscafe compare`: the same script in both lanes; naive shows the pain, and cured does not.

use campuscafe_tests::{Cafe, Process, eventually};
use serde_json::{Value, json};

async fn compare(arguments: &[&str]) -> (Option<i32>, String) {
    let all = [&["compare"], arguments].concat();
    let (code, stdout, stderr) = Process::run("campuscafe", &all, &[]).await;
    assert_eq!(stderr, "", "nothing to complain about");
    (code, stdout)
}

#[tokio::test]
async fn double_in_both_lanes_is_two_cakes_and_then_one_and_the_late_attempt_takes_nothing() {
    let (code, text) = compare(&["double", "--seed", "7"]).await;
    assert_eq!(code, Some(0), "{text}");
    let (naive, cured) = text.split_once("\ncured\n").expect("both lanes");
    assert!(naive.contains("COMMIT cake 9 -> 8, AGAIN, LATE"), "{naive}");
    assert!(cured.contains("REPLAYED 1: takes nothing, LATE"), "{cured}");
    assert_eq!((naive.matches("COMMIT").count(), cured.matches("COMMIT").count()), (2, 1));
    for expected in [
        "+1  inventory_idempotent_replays_total",
        "                            naive               cured\n",
        "  the inventory made        2 reservations      1 reservation\n",
        "  the gap                   1                   0\n",
        "SHOWN\n  One script, two lanes. Naive leaves a gap of 1, cured leaves 0.\n",
    ] {
        assert!(text.contains(expected), "no {expected:?} in\n{text}");
    }
    assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
}

#[tokio::test]
async fn a_customer_whose_answer_was_cut_orders_again_or_asks_what_became_of_the_order() {
    let (code, text) = compare(&["cut", "--json"]).await;
    let told: Value = serde_json::from_str(&text).expect("JSON");
    assert_eq!((code, &told["shown"]), (Some(0), &json!(true)), "{told}");
    assert_eq!(told["lanes"]["naive"], json!({"told": 1, "reserved": 2, "gap": 1}));
    assert_eq!(told["lanes"]["cured"], json!({"told": 1, "reserved": 1, "gap": 0}));
    let [naive, cured] = [0, 1].map(|lane| &told["findings"][lane]);
    for (finding, idempotent, status) in [(naive, false, 504), (cured, true, 202)] {
        assert_eq!(finding["evidence"], "spans");
        assert_eq!(
            (&finding["idempotent"], &finding["told"]["status"]),
            (&json!(idempotent), &json!(status))
        );
        assert_eq!(finding["later"]["outcome"], "confirmed", "{finding}");
    }
    assert_eq!(naive["later"]["asked"], "again");
    let states = cured["later"]["history"].as_array().expect("its states");
    let states: Vec<_> = states.iter().map(|change| &change["state"]).collect();
    assert_eq!(states, ["placing", "unknown", "confirmed"]);
}

#[tokio::test]
async fn where_nothing_times_out_there_is_no_pain_to_cure_and_the_exit_status_says_so() {
    let cafe = Cafe::open_with(&[("ORDER_ATTEMPT_TIMEOUT", "5s")]).await;
    let (code, text) = compare(&["double", "--lab-url", &cafe.lab]).await;
    assert_eq!(code, Some(1), "{text}");
    assert!(text.contains("NOT SHOWN\n  The naive lane did not show the pain"), "{text}");
}

#[tokio::test]
async fn a_name_that_is_no_comparison_is_wrong_usage() {
    let (code, _, stderr) = Process::run("campuscafe", &["compare", "jitter"], &[]).await;
    assert_eq!(code, Some(2));
    assert!(stderr.contains("double, cut"), "{stderr}");
}

#[tokio::test]
async fn a_lab_runs_a_comparison_that_is_asked_for_by_its_name() {
    let cafe = Cafe::open().await;
    let post = async |body: Value| {
        cafe.send(cafe.http.post(format!("{}/api/runs", cafe.lab)).json(&body)).await
    };
    let begun = post(json!({"compare": "double", "seed": 7})).await;
    assert_eq!(begun.status, 202, "{}", begun.body);
    let id = begun.text("id").to_owned();
    let over = eventually("the end of the run", async || {
        let run = cafe.send(cafe.http.get(format!("{}/api/runs/{id}", cafe.lab))).await;
        (run.text("state") != "running").then_some(run.body)
    })
    .await;
    assert_eq!((&over["shown"], &over["experiment"]), (&json!(true), &json!("double")), "{over}");
    assert_eq!(over["lanes"]["cured"], json!({"told": 1, "reserved": 1, "gap": 0}));
    let text = cafe.http.get(format!("{}/api/runs/{id}.md", cafe.lab)).send().await.unwrap();
    let text = text.text().await.unwrap();
    assert!(text.contains("decided before under its key"), "{text}");
    for (body, tells) in [
        (json!({}), "expected experiment"),
        (json!({"compare": "double", "experiment": "double"}), "expected experiment"),
        (json!({"compare": "double", "trial": 1}), "without a trial"),
        (json!({"compare": "jitter"}), "expected one of double, cut"),
    ] {
        let refused = post(body.clone()).await;
        assert_eq!(refused.status, 400, "{body}");
        assert!(refused.text("detail").contains(tells), "{body}: {}", refused.body);
    }
}

#[tokio::test]
async fn idempotent_shows_one_cake_for_each_of_its_orders() {
    let (code, stdout, stderr) =
        Process::run("campuscafe", &["experiment", "idempotent", "--json"], &[]).await;
    assert_eq!((code, &*stderr), (Some(0), ""), "{stdout}");
    let told: Value = serde_json::from_str(&stdout).expect("JSON");
    for finding in told["findings"].as_array().expect("findings") {
        assert_eq!(
            (&finding["ledger"]["reservations"], &finding["ledger"]["gap"]),
            (&json!(1), &json!(0))
        );
    }
}
