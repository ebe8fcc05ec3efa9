//! Runs that the order service cannot tell apart, in one picture.

use campuscafe_tests::eventually;
use serde_json::json;

use super::axe::{axe, judge};
use super::browser::{Browser, in_browser};

/// How often words stand in the picture that is seen.
async fn count(browser: &Browser, words: &str) -> u64 {
    let script = "return [...document.querySelectorAll('.overlaid svg.spacetime text')]
        .filter((it) => it.checkVisibility() && it.textContent.includes(WORDS)).length";
    let script = script.replace("WORDS", &json!(words).to_string());
    browser.script(&script).await.as_u64().expect("a number")
}

#[tokio::test]
async fn worlds_share_what_the_order_service_saw_and_differ_only_in_the_inventorys_column() {
    let axe = axe().await;
    in_browser("worlds lie over each other", async |browser, cafe| {
        for (lesson, worlds, shared, only_one) in [
            ("cut", ["A abort", "B lostreply"].as_slice(), "connection lost", "B: commit:"),
            ("slow", &["A slow", "B slowfail", "C slowreply"], "timeout", "C: commit:"),
        ] {
            browser.go(&format!("{}/lessons/{lesson}/worlds", cafe.lab)).await;
            browser.click("button.run").await;
            eventually("the page of the run", || async {
                browser.path().await.starts_with("/runs/").then_some(())
            })
            .await;
            browser.shows(".overlaid svg.spacetime").await;
            for world in worlds {
                assert_eq!(count(browser, world).await, 1, "{world} has a column");
            }
            assert_eq!(count(browser, shared).await, 1, "{shared} is drawn once");
            assert_eq!(count(browser, only_one).await, 1, "{only_one} is one world's");
            assert_eq!(count(browser, " ms").await, 0, "times are left out");
            let told = browser.text("main").await;
            assert!(told.contains("Times are left out; they are in the table."), "{told}");
            assert!(told.contains("The order service cannot tell them apart (asserted"), "{told}");
            if let Some(axe) = &axe {
                judge(browser, axe, &format!("the worlds of {lesson}")).await;
            }

            let run = browser.path().await;
            for (width, height) in [(1280, 1000), (390, 844)] {
                browser.size(width, height).await;
                browser.go(&format!("{}{run}", cafe.lab)).await;
                let seen = "return [...document.querySelectorAll('.overlaid svg[role=img]')]
                    .filter((it) => it.checkVisibility())
                    .map((it) => it.getBoundingClientRect())
                    .map(({left, right}) => left >= 0 && right <= window.innerWidth)";
                assert_eq!(browser.script(seen).await, json!([true]), "{lesson} at {width}");
                let scrolls = browser.script("return document.scrollingElement.scrollWidth").await;
                assert!(scrolls.as_u64() <= Some(width), "{lesson} at {width}: {scrolls}");
                browser.photograph(&format!("worlds-{lesson}-{width}"), width).await;
            }
        }
    })
    .await;
}
