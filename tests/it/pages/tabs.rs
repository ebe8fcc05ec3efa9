//! Many windows of one browser, which has six connections to a host.

use super::browser::in_browser;
use super::lesson::Answers;

const TRUE: Answers = Answers { knows: "nothing", reservations: "1", commit: "before" };

#[tokio::test]
async fn twenty_windows_at_one_run_all_show_its_picture() {
    in_browser("many windows show a picture", async |browser, cafe| {
        browser.run(&cafe.lab, "/lessons/doubt/1", TRUE).await;
        browser.shows(".doubt").await;
        let first = browser.this_window().await;
        let run = format!("{}{}", cafe.lab, browser.path().await);
        let mut windows = Vec::new();
        for _ in 0..19 {
            windows.push(browser.window().await);
            browser.go(&run).await;
            assert_eq!(browser.script("return document.hidden").await, false);
            browser.script("window.sinceTheRunWasHeld = true").await;
        }
        browser.look_at(&first).await;
        browser.click(".doubt button[value=release]").await;
        for window in windows {
            browser.look_at(&window).await;
            browser.shows(".stage svg.spacetime").await;
            assert_eq!(browser.script("return window.sinceTheRunWasHeld").await, true);
        }
        browser.look_at(&first).await;
        browser.shows(".stage svg.spacetime").await;
    })
    .await;
}
