//! Lessons that are told as a table: predicted, run and graded by what was measured.

use campuscafe_tests::eventually;

use super::browser::{Browser, in_browser};

/// A lesson, an answer to its question, and whether every run must show that one.
type Predicted = (&'static str, &'static str, bool);

/// Those that may run at the same time.
const BATCHES: [&[Predicted]; 2] = [
    &[
        ("local", "below-10", false),
        ("jitter", "some", true),
        ("reorder", "other", true),
        ("nature", "none", false),
    ],
    &[("policy", "better", false), ("recover", "confirmed", true)],
];

async fn predict(browser: &Browser, lab: &str, (lesson, choice, _): Predicted) {
    browser.go(&format!("{lab}/lessons/{lesson}/1")).await;
    browser.choose("choice", choice).await;
    browser.click("button.run").await;
    eventually("the page of the run", || async {
        browser.path().await.starts_with("/runs/").then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_prediction_about_a_table_is_graded_by_what_its_run_measured() {
    in_browser("tables are predicted", async |browser, cafe| {
        for batch in BATCHES {
            let mut windows = Vec::new();
            for predicted in batch {
                windows.push((*predicted, browser.window().await));
                predict(browser, &cafe.lab, *predicted).await;
            }
            for ((lesson, _, must), window) in windows {
                browser.look_at(&window).await;
                browser.shows(".sides").await;
                let cells = "return [...document.querySelectorAll('.sides td')]
                    .map((cell) => cell.innerText.trim())";
                let cells = browser.script(cells).await;
                let [mine, evidence]: [String; 2] =
                    serde_json::from_value(cells).expect("one question");
                // On a busy machine spans may be missing, and then the page says so.
                if evidence == "?" {
                    let verdict = browser.text(".verdict").await;
                    assert!(verdict.contains("Spans are missing"), "{lesson}: {verdict}");
                    continue;
                }
                let right = mine.starts_with(&evidence);
                let grade = if right { "✓ right" } else { "✗ not so" };
                assert!(mine.ends_with(grade), "{lesson}: {mine}, {evidence}");
                assert!(right || !must, "{lesson}: {mine}, {evidence}");
            }
        }
    })
    .await;
}
