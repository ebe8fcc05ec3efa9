//! A lesson that is a script of calls: predicted, run, drawn, and told in both languages.

use campuscafe_tests::eventually;
use serde_json::json;

use super::axe::{axe, judge};
use super::browser::{Browser, in_browser};
use super::readers::speaks;

async fn run(browser: &Browser, lab: &str, path: &str, reservations: &str) {
    browser.go(&format!("{lab}{path}")).await;
    browser.write("input[name=reservations]", reservations).await;
    browser.click("button.run").await;
    eventually("the page of the run", || async {
        browser.path().await.starts_with("/runs/").then_some(())
    })
    .await;
    browser.shows(".verdict").await;
}

#[tokio::test]
async fn a_script_is_predicted_and_graded_and_its_picture_and_answers_are_shown() {
    in_browser("a script of calls", async |browser, cafe| {
        run(browser, &cafe.lab, "/lessons/overtake/1", "0").await;
        let verdict = browser.text(".verdict").await;
        assert!(verdict.contains("✗ not so") && verdict.contains("nobody has it"), "{verdict}");
        assert!(browser.text(".stage output").await.contains("Step 10 of 10"));
        let answers = browser.text(".asked").await;
        assert!(answers.contains("DELETE /orders/{orderId}"), "{answers}");
        assert!(answers.contains("cancelled"), "{answers}");
        assert!(browser.text("main > .keys").await.contains("No call of this script carried"));
        assert!(browser.the(".spacetime.wide").await.is_displayed().await.unwrap());
        browser.photograph("script", 1280).await;
        speaks(browser, "en", "ja").await;
        if let Some(axe) = axe().await {
            judge(browser, &axe, "a script").await;
        }
        browser.click("form[action='/choices'] button[name=language]").await;
        browser.shows("html[lang=ja]").await;
        speaks(browser, "ja", "en").await;
        browser.photograph("script-ja", 390).await;
    })
    .await;
}

#[tokio::test]
async fn the_log_lines_of_a_script_light_their_spans_and_the_bars_of_their_calls() {
    in_browser("log lines of a script", async |browser, cafe| {
        run(browser, &cafe.lab, "/lessons/settle/2", "0").await;
        // The lines may come after the run was judged.
        eventually("the log lines", || async {
            browser.reload().await;
            browser.has(".logs li").await.then_some(())
        })
        .await;
        browser.click(".evidence > summary").await;
        let keys = browser.text("main > .keys").await;
        assert!(keys.contains("lesson-…") && keys.contains("void"), "{keys}");
        let line = "const all = [...document.querySelectorAll('.logs li')];
            all.find((line) => line.innerText.includes('Settled the key')).id = 'tested'";
        browser.script(line).await;
        browser.hover("#tested").await;
        let lit = "return [
            [...document.querySelectorAll('.waterfall tr.lit[data-attempt=\"2\"] th a')].map((it) => it.innerText),
            [...document.querySelectorAll('.wide .bar.lit')].map((it) => it.dataset.attempt)]";
        let expected = json!([["POST /inventory/keys/{key}/settle"], ["2"]]);
        assert_eq!(browser.script(lit).await, expected);
        if let Some(axe) = axe().await {
            judge(browser, &axe, "the spans of a script").await;
        }
        browser.photograph("script-spans", 1280).await;
    })
    .await;
}
