//! The lessons about values that several callers change: a price, and the stock.

use campuscafe_tests::{Cafe, Process};
use serde_json::{Value, json};

async fn run(arguments: &[&str], environment: &[(&str, &str)]) -> (Option<i32>, String) {
    let arguments = [&["experiment"], arguments].concat();
    let (code, stdout, stderr) = Process::run("campuscafe", &arguments, environment).await;
    assert_eq!(stderr, "", "nothing to complain about");
    (code, stdout)
}

/// Both findings of a lesson that is shown.
async fn shown(name: &str, environment: &[(&str, &str)]) -> [Value; 2] {
    let (code, text) = run(&[name, "--json"], environment).await;
    let json: Value = serde_json::from_str(&text).unwrap_or_else(|_| panic!("no JSON: {text}"));
    assert_eq!((code, &json["shown"]), (Some(0), &json!(true)), "{json:#}");
    [0, 1].map(|trial| json["findings"][trial].clone())
}

fn list<'a>(finding: &'a Value, name: &str) -> &'a [Value] {
    finding[name].as_array().map_or(&[], Vec::as_slice)
}

#[tokio::test]
async fn stale_shows_that_the_older_change_wins_and_that_if_match_refuses_it() {
    let findings = shown("stale", &[]).await;
    assert_eq!(findings.each_ref().map(|it| &it["evidence"]), ["spans", "spans"]);
    let [naive, cured] = findings.each_ref().map(|finding| {
        let asked = list(finding, "asked").iter();
        asked.map(|it| (it["status"].as_u64(), it["says"].as_str().unwrap())).collect::<Vec<_>>()
    });
    let ok = Some(200);
    assert_eq!(naive, [(ok, "400 v1"), (ok, "500 v3"), (ok, "600 v2"), (ok, "500 v3")]);
    assert_eq!(cured, [(ok, "500 v3"), (Some(412), "v4"), (ok, "700 v4"), (ok, "700 v4")]);
    let changed = "inventory_price_changes_total{result=\"changed\"}";
    assert_eq!(findings.each_ref().map(|it| &it["counters"][changed]), [2, 1]);
    let refused = findings.each_ref().map(|finding| {
        let calls = list(finding, "calls").iter();
        calls.filter_map(|it| it["refusal"].as_str()).collect::<Vec<_>>()
    });
    assert_eq!(refused, [vec![], vec!["precondition-failed"]]);
    let drawn = list(&findings[1], "diagram").iter().filter_map(Value::as_str);
    let drawn: String = drawn.map(|line| format!("{line}\n")).collect();
    for expected in ["412 stale v4", "names an old version"] {
        assert!(drawn.contains(expected), "no {expected:?} in\n{drawn}");
    }
    assert!(findings.iter().all(|finding| finding["keys"] == json!([])), "prices have no keys");
}

/// How many calls of a script were answered with this status.
fn answered(finding: &Value, status: u16) -> usize {
    list(finding, "asked").iter().filter(|it| it["status"] == status).count()
}

fn sold(finding: &Value) -> usize {
    answered(finding, 200)
}

#[tokio::test]
async fn oversell_shows_twenty_sold_of_ten_and_ten_without_the_race() {
    let [naive, cured] = shown("oversell", &[]).await;
    let sold = sold(&naive);
    assert!(sold > 10, "{naive:#}");
    assert_eq!(naive["ledger"]["reservations"], sold, "each is in the ledger");
    let stock = |finding: &Value| {
        let commits = list(finding, "commits").iter();
        commits.map(|it| [&it["stockBefore"], &it["stockAfter"]].map(Value::as_u64)).collect()
    };
    let stale: Vec<_> = stock(&naive);
    assert_eq!(stale.len(), sold);
    assert!(stale.iter().filter(|it| **it == [Some(10), Some(9)]).count() > 1, "{stale:?}");
    assert!(naive["ledger"]["stockAfter"].as_u64().unwrap() + sold as u64 > 10);

    assert_eq!((answered(&cured, 200), answered(&cured, 409)), (10, 10));
    assert_eq!(cured["ledger"]["reservations"], 10);
    let atomic: Vec<_> = stock(&cured);
    let expected: Vec<_> = (0..10).rev().map(|left| [Some(left + 1), Some(left)]).collect();
    assert_eq!(atomic, expected, "each begins where the one before ended");
    assert_eq!(cured["ledger"]["stockAfter"], 0);
    assert!(list(&naive, "diagram").len() < 60, "of many calls only the first are drawn");
}

#[tokio::test]
async fn oversell_begins_with_ten_whatever_the_stock_is() {
    for (stock, surplus) in [("cake=3", 0), ("cake=14", 4), ("cake=1000000", 999_990)] {
        let [naive, cured] = shown("oversell", &[("INVENTORY_STOCK", stock)]).await;
        assert_eq!(naive["surplusOrdered"], surplus, "{stock}");
        for (finding, sold) in [(&naive, sold(&naive)), (&cured, 10)] {
            let ledger = &finding["ledger"];
            let told = ["known", "reservations", "stockBefore", "gap"].map(|name| &ledger[name]);
            assert_eq!(told, [&json!(sold), &json!(sold), &json!(10), &json!(0)], "{stock}");
            assert_eq!(list(finding, "asked").len(), 20, "the surplus is no part of the script");
        }
    }
}

#[tokio::test]
async fn without_spans_the_answers_alone_are_judged() {
    let cafe = Cafe::open().await;
    let urls = [("ORDER_URL", cafe.order.as_str()), ("INVENTORY_URL", cafe.inventory.as_str())];
    for name in ["stale", "oversell"] {
        let findings = shown(name, &urls).await;
        assert_eq!(findings.each_ref().map(|it| &it["evidence"]), ["ledger", "ledger"], "{name}");
    }
}

#[tokio::test]
async fn both_are_told_in_80_columns_in_both_languages() {
    for (language, sold) in [("en", "20 x  customer: POST /orders"), ("ja", "20 件")] {
        let (_, text) = run(&["oversell", "--lang", language], &[]).await;
        assert!(text.contains(sold), "{text}");
        let (_, text) = run(&["stale", "--lang", language], &[]).await;
        assert!(text.contains("500 v3"), "{text}");
    }
    for name in ["stale", "oversell"] {
        let (_, text) = run(&[name], &[]).await;
        assert_eq!(text.lines().find(|line| line.chars().count() > 80), None, "{name}");
    }
}
