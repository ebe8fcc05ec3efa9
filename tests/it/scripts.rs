//! Lessons that are a script of calls: the pain without a key, and the cure with it.

use std::time::Duration;

use campuscafe_tests::{Cafe, Process, assert_problem, eventually};
use reqwest::RequestBuilder;
use serde_json::{Value, json};

async fn run(name: &str, environment: &[(&str, &str)]) -> (Option<i32>, Value) {
    let arguments = ["experiment", name, "--json"];
    let (code, stdout, stderr) = Process::run("campuscafe", &arguments, environment).await;
    assert_eq!(stderr, "", "nothing to complain about");
    (code, serde_json::from_str(&stdout).unwrap_or_else(|_| panic!("no JSON: {stdout}")))
}

/// What both trials have in this place.
fn both(json: &Value, pointer: &str) -> [Value; 2] {
    [0, 1].map(|trial| json["findings"][trial].pointer(pointer).cloned().unwrap_or_default())
}

/// The calls of a trial: what was asked for, and the answer that its caller got.
fn calls(json: &Value, trial: usize) -> Vec<(&str, Option<i64>)> {
    let calls = json["findings"][trial]["calls"].as_array().map_or(&[][..], Vec::as_slice);
    let one = |call: &'_ Value| call["status"].as_i64();
    calls.iter().map(|call| (call["route"].as_str().unwrap(), one(call))).collect()
}

/// The keys of both trials: the kind of each, and what was decided under it.
fn keys(json: &Value) -> [Vec<(&str, &str)>; 2] {
    [0, 1].map(|trial| {
        let keys = json["findings"][trial]["keys"].as_array().expect("keys");
        keys.iter().map(kind_and_state).collect()
    })
}

fn kind_and_state(key: &Value) -> (&str, &str) {
    let (kind, digits) = key["key"].as_str().unwrap().split_once('-').unwrap();
    assert!(digits.len() == 32 && key["ageMs"].is_u64(), "{key}");
    (kind, key["state"].as_str().unwrap())
}

fn assert_shown(code: Option<i32>, json: &Value) {
    assert_eq!((code, &json["shown"]), (Some(0), &json!(true)), "{json:#}");
    assert_eq!(both(json, "/evidence"), ["spans", "spans"], "{json:#}");
    assert_eq!(both(json, "/lane"), ["naive", "cured"]);
    assert_eq!(both(json, "/incomplete"), [json!([]), json!([])]);
}

#[tokio::test]
async fn settle_shows_that_asking_is_not_enough() {
    let (code, json) = run("settle", &[]).await;
    assert_shown(code, &json);
    assert_eq!(both(&json, "/asked/0/error"), ["timeout", "timeout"]);
    assert_eq!(both(&json, "/asked/1/says"), ["none", "void"]);
    assert_eq!(both(&json, "/ledger/reservations"), [1, 0]);
    assert_eq!(both(&json, "/ledger/gap"), [1, 0]);
    assert_eq!(both(&json, "/commits/0/late"), [json!(true), Value::Null]);
    assert_eq!(both(&json, "/calls/0/void"), [false, true]);
    assert_eq!(both(&json, "/calls/0/refusal"), [Value::Null, json!("idempotency-key-void")]);
    assert_eq!(keys(&json), [vec![("lesson", "reserved")], vec![("lesson", "void")]], "{json:#}");
    assert_eq!(both(&json, "/keys/0/reservation/itemId"), [json!("cake"), Value::Null]);
    let asked = json["findings"][0]["calls"][1]["endedMs"].as_u64().unwrap();
    assert!(json["findings"][0]["commits"][0]["atMs"].as_u64().unwrap() > asked, "{json:#}");
}

#[tokio::test]
async fn overtake_shows_a_cancel_that_came_before_the_reservation() {
    let (code, json) = run("overtake", &[]).await;
    assert_shown(code, &json);
    assert_eq!(both(&json, "/asked/1/says"), ["cancelled", "cancelled"]);
    assert_eq!(both(&json, "/ledger/reservations"), [1, 0]);
    let [reserve, order] = ["/inventory/reserve", "/orders"];
    assert_eq!(
        calls(&json, 0),
        [
            (order, Some(504)),
            (reserve, None),
            ("/orders/{orderId}", Some(200)),
            ("/inventory/reservations", Some(404)),
        ]
    );
    assert_eq!(
        calls(&json, 1),
        [
            (order, Some(409)),
            (reserve, None),
            ("/orders/{orderId}", Some(200)),
            ("/inventory/keys/{key}", Some(200)),
        ]
    );
    assert_eq!(both(&json, "/calls/1/void"), [false, true]);
    assert_eq!(keys(&json), [vec![], vec![("order", "void")]], "{json:#}");
}

#[tokio::test]
async fn doubleclick_shows_two_orders_without_a_key_and_one_with_it() {
    let (code, json) = run("doubleclick", &[]).await;
    assert_shown(code, &json);
    assert_eq!(both(&json, "/ledger/known"), [2, 1]);
    assert_eq!(both(&json, "/ledger/reservations"), [2, 1]);
    let replayed = |trial: usize| {
        let calls = json["findings"][trial]["calls"].as_array().unwrap();
        calls.iter().filter(|call| call["replayed"] == true).count()
    };
    assert_eq!([calls(&json, 0).len(), calls(&json, 1).len()], [4, 3], "{json:#}");
    assert_eq!([replayed(0), replayed(1)], [0, 1]);
    assert_eq!(keys(&json), [vec![], vec![("order", "reserved")]], "{json:#}");
}

#[tokio::test]
async fn without_spans_a_script_is_judged_by_the_ledger_once_the_inventory_is_at_rest() {
    let cafe = Cafe::open().await;
    let urls = [("ORDER_URL", cafe.order.as_str()), ("INVENTORY_URL", cafe.inventory.as_str())];
    let (code, json) = run("settle", &urls).await;
    assert_eq!((code, &json["shown"]), (Some(0), &json!(true)), "{json:#}");
    assert_eq!(both(&json, "/evidence"), ["ledger", "ledger"]);
    assert_eq!(both(&json, "/ledger/reservations"), [1, 0]);
}

#[tokio::test]
async fn a_script_is_told_in_80_columns_with_its_picture_and_what_was_answered() {
    for name in ["settle", "overtake", "doubleclick", "notify"] {
        let (code, text, _) = Process::run("campuscafe", &["experiment", name], &[]).await;
        assert_eq!(code, Some(0), "{text}");
        assert_eq!(text.lines().find(|line| line.chars().count() > 80), None, "{name}");
        for expected in ["lane: naive", "lane: cured", "What was called", "the gap  ", "SHOWN"] {
            assert!(text.contains(expected), "no {expected:?} in\n{text}");
        }
    }
}

#[tokio::test]
async fn a_run_of_a_script_is_a_page_and_a_question_that_is_left_open() {
    let cafe = Cafe::open().await;
    let begin = cafe.http.post(format!("{}/api/runs", cafe.lab));
    let begun = cafe.send(begin.json(&json!({"experiment": "settle", "trial": 2}))).await;
    let run = format!("{}/api/runs/{}", cafe.lab, begun.text("id"));
    eventually("the run is over", async || {
        let run = cafe.send(cafe.http.get(&run)).await;
        (run.text("state") != "running").then_some(())
    })
    .await;
    let markdown = eventually("the log lines", async || {
        let text = cafe.page(&format!("{run}.md")).await;
        text.contains("Settled the key lesson-").then_some(text)
    })
    .await;
    for expected in [
        "### Calls",
        "- 2 settle --",
        "key of call 1 is void",
        "left before: 10",
        "### Log lines of the services",
        "ms inventory INFO  Settled the key lesson-",
        "(span: POST /inventory/keys/{key}/settle)",
        "### Keys",
        "void, ",
    ] {
        assert!(markdown.contains(expected), "no {expected:?} in\n{markdown}");
    }
    assert!(!markdown.contains("it stays true"), "no verdict:\n{markdown}");
    let page = cafe.page(&format!("{}/runs/{}", cafe.lab, begun.text("id"))).await;
    for expected in [
        "it stays true",
        "spacetime wide",
        "<table class=\"waterfall\">",
        "data-spans=\"spans-1\"",
        "Settled the key lesson-",
        "void: nothing can be reserved under it",
    ] {
        assert!(page.contains(expected), "no {expected:?} in {page}");
    }
}

fn reserve(cafe: &Cafe, chaos: &str) -> RequestBuilder {
    let url = format!("{}/inventory/reserve?chaos={chaos}", cafe.inventory);
    let request = cafe.http.post(url).header("idempotency-key", "a");
    request.json(&json!({"itemId": "cake", "quantity": 1}))
}

/// The interleaving of the lesson: a slow attempt, a question, and then its commit.
#[tokio::test]
async fn a_key_that_was_only_asked_for_is_still_open_to_a_slow_attempt_and_a_settled_one_is_not() {
    for settles in [false, true] {
        let cafe = Cafe::open().await;
        let slow = reserve(&cafe, "slow:3000").timeout(Duration::from_millis(100));
        assert!(slow.send().await.unwrap_err().is_timeout());
        let answer = if settles {
            let url = format!("{}/inventory/keys/a/settle", cafe.inventory);
            cafe.send(cafe.http.post(url)).await.body["state"].clone()
        } else {
            let url = format!("{}/inventory/keys", cafe.inventory);
            cafe.send(cafe.http.get(url)).await.body["keys"].clone()
        };
        assert_eq!(answer, if settles { json!("void") } else { json!([]) });
        let series = if settles {
            "inventory_voided_commits_total"
        } else {
            "inventory_late_commits_total{item=\"cake\",lane=\"cured\"}"
        };
        eventually("the slow attempt is over", async || {
            (cafe.metric(&cafe.inventory, series).await > 0.0).then_some(())
        })
        .await;
        assert_eq!(cafe.state().await["stock"]["cake"], if settles { 10 } else { 9 });
        let later = cafe.send(reserve(&cafe, "none")).await;
        if settles {
            assert_problem("later", &later, 410, "the key is void");
        } else {
            assert_eq!(later.status, 200, "the answer that nothing was there is out of date");
        }
    }
}
