//! A storm in both lanes: begun on its page, seen to grow, judged, and seen on every screen and
//! on paper. It takes a minute, which cannot be made shorter: its customers come in real time.

use campuscafe_tests::eventually;
use serde_json::{Value, json};

use super::axe::{axe, judge};
use super::browser::{Browser, in_browser};
use super::sizes::{SCREENS, fits, look};

/// Seconds that are over, as the page says.
async fn seconds(browser: &Browser) -> Option<u64> {
    let value = "return document.querySelector('.growing progress')?.value ?? null";
    browser.script(value).await.as_f64().map(|seconds| seconds as u64)
}

async fn until_second(browser: &Browser, second: u64) {
    eventually(&format!("second {second} of the storm"), || async {
        // Without a progress it is over.
        seconds(browser).await.is_none_or(|now| now >= second).then_some(())
    })
    .await;
}

/// For each chart of a lane, the seconds in which it has a bar.
const BARS: &str = "const chart = document.querySelector('.chart.wide');
    return [...chart.querySelectorAll('.bars')].map((bars) => bars.children.length);";

#[tokio::test]
async fn a_storm_begun_on_its_page_grows_until_both_lanes_are_judged_on_every_screen() {
    let axe = axe().await;
    in_browser("a storm is seen", async |browser, cafe| {
        browser.expect("503 (Service Unavailable)");
        browser.go(&format!("{}/compare/storm", cafe.lab)).await;
        browser.click("button.run").await;
        browser.shows(".growing.storm .chart.wide").await;
        let run = browser.path().await;
        until_second(browser, 3).await;
        let told = browser.text(".running [role=status]").await;
        assert!(told.starts_with("Before the storm: 10 customers come"), "{told}");
        assert!(browser.text(".so-far").await.contains(" of 60"));

        // Somebody else begins one meanwhile.
        let first = browser.this_window().await;
        browser.window().await;
        browser.go(&format!("{}/compare/storm", cafe.lab)).await;
        browser.click("button.run").await;
        browser.shows("main:not(:has(form))").await;
        let refused = browser.text("h1").await;
        assert!(refused.contains("another storm is under way"), "{refused}");

        browser.look_at(&first).await;
        until_second(browser, 16).await;
        let told = browser.text(".running [role=status]").await;
        assert!(told.starts_with("The storm is over: 10 customers come"), "{told}");
        if let Some(axe) = &axe {
            judge(browser, axe, "a storm that goes on").await;
        }
        browser.photograph("storm-growing", 1280).await;
        until_second(browser, 45).await;
        browser.shows(".verdict").await;

        let bars: Vec<u64> = serde_json::from_value(browser.script(BARS).await).unwrap();
        assert!(bars.len() == 2 && bars.iter().all(|bars| *bars >= 5), "{bars:?}");
        let text = "return document.querySelector('.chart.wide desc').textContent";
        let text = browser.script(text).await;
        assert!(text.as_str().unwrap().starts_with("The naive lane served"), "{text}");
        let figures = browser.text(".sides").await;
        for row in ["attempts for each customer", "retries that the budget refused", "late commits"]
        {
            assert!(figures.contains(row), "no {row} in {figures}");
        }
        let path = format!("{}{run}", cafe.lab);
        for language in ["en", "ja"] {
            for scheme in ["light", "dark"] {
                look(browser, scheme).await;
                browser.go(&path).await;
                for (width, height) in SCREENS {
                    fits(browser, &run, (width, height), false).await;
                }
                browser.size(1280, 1000).await;
                if let Some(axe) = &axe {
                    judge(browser, axe, &format!("a storm in {language}, {scheme}")).await;
                }
                for width in [390, 768, 1280] {
                    browser.photograph(&format!("storm-{language}-{scheme}-{width}"), width).await;
                }
            }
            browser.click("form[action='/choices'] button[name=language]").await;
        }
        let run = browser.path().await;
        assert!(path.ends_with(&run), "a language is chosen on the same page");
        is_whole_on_paper(browser, &path).await;
    })
    .await;
}

/// What is on paper: the charts, the figures and the verdict, and nothing to press.
async fn is_whole_on_paper(browser: &Browser, path: &str) {
    let dark = json!({"name": "prefers-color-scheme", "value": "dark"});
    let media = json!({"media": "print", "features": [dark]});
    browser.set("Emulation.setEmulatedMedia", media).await;
    browser.size(794, 1123).await;
    browser.go(path).await;
    let seen = "const seen = (selector) => [...document.querySelectorAll(selector)]
            .filter((it) => it.checkVisibility()).length;
        const style = getComputedStyle(document.body);
        return {
            charts: seen('.chart.wide, .chart.narrow'), figures: seen('.sides'),
            verdict: seen('.verdict'), pressed: seen('button, nav a, summary ~ *, .button'),
            fits: document.scrollingElement.scrollWidth <= 794,
            light: style.color.match(/[0-9.]+/g).slice(0, 3).every((part) => part < 64),
        };";
    let seen = browser.script(seen).await;
    let expected: Value = json!({
        "charts": 1, "figures": 1, "verdict": 1, "pressed": 0, "fits": true, "light": true,
    });
    assert_eq!(seen, expected, "on paper");
    browser.photograph("storm-paper", 794).await;
}
