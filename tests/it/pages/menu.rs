//! The menu of the lessons: readable on every screen, and usable by the keyboard and without a
//! script.

use serde_json::{Value, json};
use thirtyfour::Key;

use super::axe::{axe, judge};
use super::browser::{Browser, in_browser};

/// Every link of the menu: where it leads, and whether all of it is seen within the page.
const LINKS: &str = "return [...document.querySelectorAll('.menu .groups a')].map((link) => {
        const {left, right, top, width, height} = link.getBoundingClientRect();
        const page = document.scrollingElement;
        const at = document.elementFromPoint(left + width / 2, top + height / 2);
        return {
            path: link.getAttribute('href'),
            seen: link.checkVisibility() && left >= 0 && right <= innerWidth
                && link.scrollWidth <= link.clientWidth && height >= 24
                && (top + height > innerHeight || at === link),
        };
    });";

async fn links(browser: &Browser) -> Vec<(String, bool)> {
    let found = browser.script(LINKS).await;
    let of =
        |link: &Value| (link["path"].as_str().expect("a path").to_owned(), link["seen"] == true);
    found.as_array().expect("links").iter().map(of).collect()
}

async fn is_open(browser: &Browser) -> bool {
    browser.has(".menu[open]").await
}

#[tokio::test]
async fn the_menu_shows_every_lesson_whole_on_every_screen_and_axe_finds_no_fault_in_it() {
    let axe = axe().await;
    in_browser("the menu is readable", async |browser, cafe| {
        browser.go(&cafe.lab).await;
        let lessons = "return [...document.querySelectorAll('.catalogue a')]
            .map((link) => link.getAttribute('href'))";
        let lessons: Vec<String> = serde_json::from_value(browser.script(lessons).await).unwrap();
        assert!(lessons.len() > 15, "{lessons:?}");
        for language in ["en", "ja"] {
            for width in [320, 390, 768, 1280] {
                browser.size(width, 900).await;
                browser.go(&format!("{}/lessons/stale/1", cafe.lab)).await;
                browser.click(".menu > summary").await;
                let what = format!("{language} at {width}");
                for (path, seen) in links(browser).await {
                    assert!(seen, "{path} is not seen whole in {what}");
                    assert!(lessons.contains(&path), "{path}");
                }
                let beside = browser.script(
                    "return [...document.querySelectorAll('.top nav a, .top nav summary')]
                        .filter((it) => it.checkVisibility()).map((it) => it.getAttribute('href'))",
                );
                let beside = beside.await;
                for lesson in &lessons {
                    let shown = beside.as_array().unwrap().iter().any(|it| it == lesson);
                    assert!(shown, "{lesson} is not in the head: {what}");
                }
                let tall = browser.script(
                    "return [...document.querySelectorAll('.top nav :is(a, summary)')]
                        .filter((it) => it.getBoundingClientRect().height > 48)
                        .map((it) => it.textContent)",
                );
                assert_eq!(tall.await, json!([]), "names that are broken in {what}");
                let page = browser.script("return document.scrollingElement.scrollWidth").await;
                assert!(page.as_u64() <= Some(width), "{page} in {what}");
                if let Some(axe) = &axe {
                    judge(browser, axe, &format!("the open menu in {what}")).await;
                }
                browser.photograph(&format!("menu-{language}-{width}"), width).await;
            }
            browser.go(&cafe.lab).await;
            browser.click("form[action='/choices'] button[name=language]").await;
        }
    })
    .await;
}

#[tokio::test]
async fn the_menu_opens_by_the_keyboard_leads_to_a_lesson_and_closes_beside_it() {
    in_browser("the menu needs no pointer", async |browser, cafe| {
        browser.go(&format!("{}/lessons/stale/1", cafe.lab)).await;
        assert!(!is_open(browser).await);
        assert_eq!(browser.text(".menu .here").await, "Stale");
        browser.tab_to(".menu > summary").await;
        browser.press(Key::Enter).await;
        assert!(is_open(browser).await);
        browser.press(Key::Escape).await;
        assert!(!is_open(browser).await, "Escape closes it");
        let focus = browser.script("return document.activeElement.localName").await;
        assert_eq!(focus, "summary", "the focus is not lost");
        browser.press(Key::Enter).await;
        browser.click("fieldset").await;
        assert!(!is_open(browser).await, "the page beside it closes it");
        browser.script("document.activeElement.blur()").await;
        browser.tab_to(".menu > summary").await;
        browser.press(Key::Enter).await;
        browser.tab_to(".menu a[href='/lessons/storm/1']").await;
        browser.press(Key::Enter).await;
        browser.shows("main:has(form input[value=storm])").await;
        assert_eq!(browser.path().await, "/lessons/storm/1");
    })
    .await;
}

#[tokio::test]
async fn the_menu_opens_without_a_script() {
    in_browser("the menu needs no script", async |browser, cafe| {
        browser.set("Emulation.setScriptExecutionDisabled", json!({"value": true})).await;
        browser.go(&cafe.lab).await;
        browser.click(".menu > summary").await;
        browser.click(".menu a[href='/lessons/jitter/1']").await;
        browser.shows("main:has(form input[value=jitter])").await;
    })
    .await;
}
