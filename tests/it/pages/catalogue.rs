//! The catalogue: each pain with a run that shows it.

use campuscafe_tests::eventually;
use serde_json::json;
use thirtyfour::Key;

use super::browser::{Browser, in_browser};

impl Browser {
    /// Presses run at a pain; leads to the page of the run.
    async fn run_pain(&self, lab: &str, pain: &str) {
        self.go(&format!("{lab}/catalogue")).await;
        self.click(&format!("#{pain} button.run")).await;
        eventually("the page of the run", || async {
            self.path().await.starts_with("/runs/").then_some(())
        })
        .await;
    }
}

#[tokio::test]
async fn each_pain_starts_the_run_that_shows_it_and_leads_to_the_last_one() {
    in_browser("the catalogue runs", async |browser, cafe| {
        browser.go(&format!("{}/catalogue", cafe.lab)).await;
        assert!(!browser.has(".pains time").await, "nothing has run yet");
        browser.photograph("catalogue", 1280).await;
        browser.photograph("catalogue-phone", 390).await;
        let mut runs = Vec::new();
        for (pain, shows) in [
            ("slow", "input[name=commit]"),
            ("cut", "input[name=commit]"),
            ("reorder", ".table"),
            ("double", "input[name=commit]"),
        ] {
            browser.run_pain(&cafe.lab, pain).await;
            browser.shows(shows).await;
            runs.push((pain, browser.path().await));
        }
        browser.go(&format!("{}/catalogue", cafe.lab)).await;
        for (pain, run) in runs {
            let last = browser.the(&format!("#{pain} .actions a")).await;
            let leads = last.prop("pathname").await.unwrap();
            assert_eq!(leads.as_deref(), Some(&*run), "{pain}");
        }
        browser.click("#double .hint a").await;
        assert_eq!(browser.path().await, "/lessons/double/2");
        browser.click(".top a[href='/catalogue']").await;
        assert_eq!(browser.text(".top [aria-current=page]").await, "Catalogue");
    })
    .await;
}

#[tokio::test]
async fn the_catalogue_speaks_japanese_and_needs_neither_a_script_nor_a_mouse() {
    in_browser("the catalogue is for everybody", async |_, cafe| {
        let Some(browser) = Browser::open("the catalogue speaks Japanese", "ja").await else {
            return;
        };
        browser.go(&format!("{}/catalogue", cafe.lab)).await;
        let says = browser.text("#double").await;
        for words in ["症状", "罠", "最初の対策", "冪等性キー"] {
            assert!(says.contains(words), "{says}");
        }
        browser.photograph("catalogue-ja", 1280).await;
        browser.tab_to("#reorder button.run").await;
        browser.press(Key::Enter).await;
        browser.shows(".table").await;

        browser.set("Emulation.setScriptExecutionDisabled", json!({"value": true})).await;
        browser.run_pain(&cafe.lab, "cut").await;
        eventually("the picture, by looking again", || async {
            if browser.has("noscript .button").await {
                browser.click("noscript .button").await;
            }
            browser.has(".stage svg.spacetime").await.then_some(())
        })
        .await;
        browser.size(390, 844).await;
        browser.go(&format!("{}/catalogue", cafe.lab)).await;
        let wide = browser.script("return document.scrollingElement.scrollWidth").await;
        assert!(wide.as_u64().expect("pixels") <= 390, "it scrolls sideways: {wide}");
        browser.close().await;
    })
    .await;
}
