//! The quiz: answered first, then proven by the run that the answer starts.

use campuscafe_tests::{Cafe, eventually};
use serde_json::json;
use thirtyfour::Key;

use super::browser::{Browser, in_browser};

/// A question, its right answer, a wrong one, and what its run tells.
const QUESTIONS: [(&str, &str, &str, &str); 4] = [
    ("timeout", "unknown", "failed", "3 orders ended with a timeout. The inventory reserved for 2"),
    ("retry", "twice", "once", "made 2 attempts for one order. The inventory made 2 reservations"),
    ("reorder", "nature", "bug", "No fault was asked for."),
    ("cut", "unknown", "reserved", "lost for 2 orders. The inventory reserved for 1"),
];

impl Browser {
    /// Answers a question of the quiz and presses run; leads to the page of the run.
    pub(super) async fn answer(&self, lab: &str, question: &str, choice: &str) {
        self.go(&format!("{lab}/quiz")).await;
        let here = format!("#{question}");
        self.click(&format!("{here} label:has(input[value='{choice}'])")).await;
        self.click(&format!("{here} button.run")).await;
        eventually("the page of the run", || async {
            self.path().await.starts_with("/runs/").then_some(())
        })
        .await;
    }

    /// What I said, and what the evidence says.
    async fn graded(&self) -> [String; 2] {
        let cells = "return [...document.querySelectorAll('.proof .sides td')]
            .map((cell) => cell.innerText.trim())";
        serde_json::from_value(self.script(cells).await).expect("one question")
    }
}

/// Answers every question, each in a window of its own and at the same time.
async fn grades(browser: &Browser, cafe: &Cafe, right: bool) {
    let mut windows = Vec::new();
    for question in QUESTIONS {
        windows.push((question, browser.window().await));
        let choice = if right { question.1 } else { question.2 };
        browser.answer(&cafe.lab, question.0, choice).await;
    }
    for ((name, _, _, tells), window) in windows {
        browser.look_at(&window).await;
        browser.shows(".proof").await;
        let [mine, evidence] = browser.graded().await;
        let grade = if right { "✓ right" } else { "✗ not so" };
        assert!(mine.ends_with(grade), "{name}: {mine}");
        assert_eq!(mine.starts_with(&evidence), right, "{name}: {mine}, {evidence}");
        let proof = browser.text(".proof").await;
        assert!(proof.contains(tells), "{name}: {proof}");
        browser.click(".proof a[href='#picture-1']").await;
        assert!(browser.the("#picture-1").await.is_displayed().await.unwrap(), "{name}");
        if right {
            browser.photograph(&format!("quiz-{name}"), 1280).await;
        }
    }
}

#[tokio::test]
async fn an_answer_that_is_right_is_proven_by_its_run_with_the_figures_of_that_run() {
    in_browser("the quiz proves its answers", async |browser, cafe| {
        browser.go(&format!("{}/quiz", cafe.lab)).await;
        browser.photograph("quiz", 1280).await;
        browser.photograph("quiz-phone", 390).await;
        grades(browser, cafe, true).await;
    })
    .await;
}

#[tokio::test]
async fn an_answer_that_is_wrong_is_refuted_by_its_run_in_both_languages() {
    in_browser("the quiz refutes answers", async |browser, cafe| {
        grades(browser, cafe, false).await;
        let Some(japanese) = Browser::open("the quiz speaks Japanese", "ja").await else { return };
        japanese.answer(&cafe.lab, "retry", "once").await;
        japanese.shows(".proof").await;
        let [mine, evidence] = japanese.graded().await;
        assert!(mine.contains("✗ 違います"), "{mine}");
        assert_eq!(evidence, "予約が 2\u{a0}件できる");
        let proof = japanese.text(".proof").await;
        assert!(proof.contains("2\u{a0}回試行しました"), "{proof}");
        japanese.photograph("quiz-retry-ja", 1280).await;
        japanese.close().await;
    })
    .await;
}

#[tokio::test]
async fn the_quiz_needs_no_script_and_fits_a_phone() {
    in_browser("the quiz needs no script", async |browser, cafe| {
        browser.set("Emulation.setScriptExecutionDisabled", json!({"value": true})).await;
        browser.answer(&cafe.lab, "cut", "unknown").await;
        eventually("the proof, by looking again", || async {
            if browser.has("noscript .button").await {
                browser.click("noscript .button").await;
            }
            browser.has(".proof").await.then_some(())
        })
        .await;
        assert!(browser.graded().await[0].ends_with("✓ right"));
        browser.size(390, 844).await;
        browser.reload().await;
        let wide = browser.script("return document.scrollingElement.scrollWidth").await;
        assert!(wide.as_u64().expect("pixels") <= 390, "it scrolls sideways: {wide}");
    })
    .await;
}

#[tokio::test]
async fn with_the_keyboard_alone_a_question_is_answered_and_the_next_one_is_reached() {
    in_browser("the keyboard is enough for the quiz", async |browser, cafe| {
        browser.go(&format!("{}/quiz", cafe.lab)).await;
        browser.tab_to("#cut input").await;
        for _ in 0..2 {
            browser.press(Key::Down).await;
        }
        browser.tab_to("#cut button.run").await;
        browser.press(Key::Enter).await;
        browser.shows(".proof").await;
        assert!(browser.graded().await[0].ends_with("✓ right"));

        browser.go(&format!("{}/quiz", cafe.lab)).await;
        browser.tab_to("#reorder input").await;
        browser.press(Key::Space).await;
        browser.tab_to("#reorder button.run").await;
        browser.press(Key::Enter).await;
        browser.shows(".proof").await;
        browser.tab_to(".proof a[href='/quiz#cut']").await;
        browser.press(Key::Enter).await;
        browser.shows("#cut:target").await;
    })
    .await;
}
