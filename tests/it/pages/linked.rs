//! A picture and its spans: what belongs together is lit in both.

use serde_json::json;
use thirtyfour::Key;

use super::browser::{Browser, in_browser};
use super::lesson::DOUBLE;

/// The attempts whose bars are lit, the rows that are lit, and the rows whose attributes
/// are shown.
const LIT: &str = "const rows = [...document.querySelectorAll('.waterfall tbody tr')];
    const name = (row) => (row.dataset.attempt ?? 'order') + ': ' + row.querySelector('a').innerText;
    const attributes = (row) => document.querySelector(row.querySelector('a').hash);
    return [[...document.querySelectorAll('.wide .bar.lit')].map((bar) => bar.dataset.attempt),
        rows.filter((row) => row.classList.contains('lit')).map(name),
        rows.filter((row) => attributes(row).checkVisibility()).map(name)];";

const ORDER: &str = "order: POST /orders";
const FIRST: &str = "1: POST /inventory/reserve";
const LATE: &str = "1: commit reservation (late, duplicate)";
const SECOND: &str = "2: POST /inventory/reserve (retry)";
const SERVED: &str = "2: POST /inventory/reserve";
const COMMIT: &str = "2: commit reservation";

async fn lit(browser: &Browser, when: &str, bars: &[&str], rows: &[&str], shown: &[&str]) {
    assert_eq!(browser.script(LIT).await, json!([bars, rows, shown]), "{when}");
}

/// Runs a test at a picture whose spans are open.
async fn at_a_picture(to_show: &str, test: impl AsyncFnOnce(&Browser)) {
    in_browser(to_show, async |browser, cafe| {
        browser.finish(&cafe.lab, DOUBLE).await;
        browser.click(".evidence summary").await;
        test(browser).await;
    })
    .await;
}

#[tokio::test]
async fn each_step_lights_its_span_the_bar_of_its_attempt_and_shows_its_attributes() {
    at_a_picture("steps light spans", async |browser| {
        lit(browser, "at the end", &["1"], &[LATE], &[LATE]).await;
        let shown = browser.text(".evidence").await;
        assert!(shown.contains("campuscafe.reservation.late"), "{shown}");
        browser.the(".steps input").await.focus().await.unwrap();
        browser.press(Key::Left).await;
        lit(browser, "as the customer is told", &[], &[ORDER], &[ORDER]).await;
        let shown = browser.text(".evidence").await;
        assert!(shown.contains("campuscafe.order.outcome"), "{shown}");
        assert!(!shown.contains("campuscafe.reservation.late"), "{shown}");
        browser.press(Key::Home).await;
        browser.press(Key::Right).await;
        lit(browser, "as attempt 1 is sent", &["1"], &[FIRST], &[FIRST]).await;
    })
    .await;
}

#[tokio::test]
async fn a_bar_lights_the_spans_of_its_attempt_and_a_step_its_own_while_the_pointer_is_over_it() {
    at_a_picture("bars light spans", async |browser| {
        browser.point(".wide .bar[data-attempt='2'] rect").await;
        let of_attempt = [LATE, SECOND, SERVED, COMMIT];
        lit(browser, "over a bar", &["2"], &of_attempt, &[LATE]).await;
        browser.point(".wide .row[data-step='1'] .veil").await;
        lit(browser, "over a step", &["1"], &[FIRST, LATE], &[LATE]).await;
        browser.point(".steps output").await;
        lit(browser, "elsewhere", &["1"], &[LATE], &[LATE]).await;
    })
    .await;
}

#[tokio::test]
async fn a_span_lights_its_bar_under_the_pointer_and_with_the_focus_and_is_chosen_by_a_press() {
    at_a_picture("spans light bars", async |browser| {
        let row = ".waterfall tr[data-attempt='2']";
        browser.point(row).await;
        lit(browser, "over a row", &["2"], &[LATE, SECOND], &[LATE]).await;
        browser.point(".evidence summary").await;
        lit(browser, "elsewhere", &["1"], &[LATE], &[LATE]).await;

        browser.the(&format!("{row} a")).await.focus().await.unwrap();
        lit(browser, "with the focus", &["2"], &[LATE, SECOND], &[LATE]).await;
        browser.press(Key::Tab).await;
        lit(browser, "with the focus on the next", &["2"], &[LATE, SERVED], &[LATE]).await;
        browser.press(Key::Enter).await;
        lit(browser, "pressed", &["2"], &[SERVED], &[SERVED]).await;
        browser.the(".steps input").await.focus().await.unwrap();
        lit(browser, "it stays", &["2"], &[SERVED], &[SERVED]).await;
    })
    .await;
}
