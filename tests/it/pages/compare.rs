//! Both lanes of a comparison beside each other, on one time axis.

use campuscafe_tests::{Cafe, eventually};
use serde_json::{Value, json};

use super::axe::{axe, judge};
use super::browser::{Browser, in_browser};

/// Each row that is seen in a lane: the time that it has, and its height on the page.
async fn rows(browser: &Browser, lane: &str) -> Vec<(String, i64)> {
    let script = "return [...document.querySelectorAll(`svg[aria-labelledby=lane-${LANE}-title] .row .time`)]
        .map((it) => [it.textContent, Math.round(it.getBoundingClientRect().top)])";
    let found = browser.script(&script.replace("${LANE}", lane)).await;
    serde_json::from_value(found).expect("times and heights")
}

/// Words of a picture may stand in several lines.
fn flat(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The page of each comparison, as the lab lists them for its API.
pub(super) async fn paths(cafe: &Cafe) -> Vec<String> {
    let document = cafe.send(cafe.http.get(format!("{}/openapi.json", cafe.lab))).await.body;
    let names = &document["components"]["schemas"]["BeginComparison"]["properties"]["compare"];
    let names: Vec<String> = serde_json::from_value(names["enum"].clone()).expect("names");
    assert!(names.iter().any(|name| name == "storm") && names.len() > 5, "{names:?}");
    names.iter().map(|name| format!("/compare/{name}")).collect()
}

/// Begins a comparison of two scripts, and waits for both pictures.
pub(super) async fn run(browser: &Browser, lab: &str, name: &str) {
    browser.go(&format!("{lab}/compare/{name}")).await;
    browser.click("button.run").await;
    eventually("the page of the run", || async {
        browser.path().await.starts_with("/runs/").then_some(())
    })
    .await;
    browser.shows(".lanes svg.spacetime").await;
}

#[tokio::test]
async fn both_lanes_stand_on_one_time_axis_with_their_ledgers_the_keys_and_the_verdict() {
    let axe = axe().await;
    in_browser("both lanes are compared", async |browser, cafe| {
        browser.go(&format!("{}/lessons/double/2", cafe.lab)).await;
        browser.click(".cases a[href='/compare/double']").await;
        assert_eq!(browser.path().await, "/compare/double");
        if let Some(axe) = &axe {
            judge(browser, axe, "a comparison before its run").await;
        }
        browser.photograph("compare-double-before", 1280).await;
        run(browser, &cafe.lab, "double").await;
        let told = flat(&browser.text("main").await);
        for words in [
            "replayed: takes nothing",
            "late, the 2nd of this order",
            "Naive leaves a gap of 1, cured leaves 0.",
            "What was decided under the keys",
            "cake x1",
        ] {
            assert!(told.contains(words), "no {words:?} in {told}");
        }
        if let Some(axe) = &axe {
            judge(browser, axe, "a comparison").await;
        }

        let (naive, cured) = (rows(browser, "naive").await, rows(browser, "cured").await);
        let ends = [naive.last().expect("a row"), cured.last().expect("a row")];
        assert!(ends.iter().all(|(time, _)| time.starts_with("2,0")), "{ends:?}");
        assert!((ends[0].1 - ends[1].1).abs() < 2, "at one height: {ends:?}");

        let path = browser.path().await;
        for scheme in ["light", "dark"] {
            let features = json!({"features": [{"name": "prefers-color-scheme", "value": scheme}]});
            browser.set("Emulation.setEmulatedMedia", features).await;
            for (width, height, beside) in [(1280, 1000, true), (390, 844, false)] {
                browser.size(width, height).await;
                browser.go(&format!("{}{path}", cafe.lab)).await;
                let places = "return [...document.querySelectorAll('.lanes > div')]
                    .map((it) => Math.round(it.getBoundingClientRect().top))";
                let places = browser.script(places).await;
                assert_eq!(places[0] == places[1], beside, "{places} at {width}");
                let scrolls = browser.script("return document.scrollingElement.scrollWidth").await;
                assert!(scrolls.as_u64() <= Some(width), "at {width}: {scrolls}");
                browser.photograph(&format!("compare-double-{scheme}-{width}"), width).await;
            }
        }
        browser.size(1280, 1000).await;
        run(browser, &cafe.lab, "cut").await;
        let told = flat(&browser.text("main").await);
        assert!(told.contains("asked under the key: confirmed"), "{told}");
        browser.photograph("compare-cut", 1280).await;
    })
    .await;
}

#[tokio::test]
async fn each_lane_of_a_script_has_the_keys_of_its_calls_below_its_ledger() {
    let axe = axe().await;
    in_browser("the keys of both lanes", async |browser, cafe| {
        run(browser, &cafe.lab, "overtake").await;
        let keys = "return [...document.querySelectorAll('.lanes > div')]
            .map((lane) => lane.querySelector('.keys').innerText)";
        let keys = browser.script(keys).await;
        let told = |lane: usize| flat(keys[lane].as_str().expect("a table"));
        assert!(told(0).contains("No call of this script carried an idempotency key"), "{keys}");
        for words in ["order-…", "void: nothing can be reserved under it", " s ", "nothing"] {
            assert!(told(1).contains(words), "no {words:?} in {}", told(1));
        }
        if let Some(axe) = &axe {
            judge(browser, axe, "a comparison of a script").await;
        }
        for (width, height) in [(1280, 1000), (390, 844)] {
            browser.size(width, height).await;
            let scrolls = browser.script("return document.scrollingElement.scrollWidth").await;
            assert!(scrolls.as_u64() <= Some(width), "at {width}: {scrolls}");
            browser.photograph(&format!("compare-overtake-{width}"), width).await;
        }
    })
    .await;
}

#[tokio::test]
async fn a_comparison_needs_no_script_and_speaks_the_language_of_its_reader() {
    in_browser("a comparison without a script", async |browser, cafe| {
        browser.set("Emulation.setScriptExecutionDisabled", json!({"value": true})).await;
        browser.go(&format!("{}/compare/cut", cafe.lab)).await;
        browser.click("button.run").await;
        eventually("both pictures, by looking again", || async {
            if browser.has("noscript .button").await {
                browser.click("noscript .button").await;
            }
            browser.has(".lanes svg.spacetime").await.then_some(())
        })
        .await;
        browser.set("Emulation.setScriptExecutionDisabled", json!({"value": false})).await;
        browser.click("form[action='/choices'] button[name=language]").await;
        eventually("the page in Japanese", || async {
            let told = browser.text("main").await;
            (told.contains("対策なし（naive）") && told.contains("食い違い")).then_some(())
        })
        .await;
        let lang = browser.script("return document.documentElement.lang").await;
        assert_eq!(lang, Value::from("ja"));
    })
    .await;
}
