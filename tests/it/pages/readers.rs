//! What a reader gets: permanent links, two languages, no script, the keyboard alone.

use std::collections::BTreeMap;

use campuscafe_tests::{eventually, root};
use serde_json::json;
use thirtyfour::Key;

use super::browser::{Browser, in_browser};
use super::lesson::{CASES, Case, DOUBLE};

/// A case that is over at once.
const SHORT: Case = CASES[4];

#[tokio::test]
async fn a_permanent_link_shows_the_same_after_a_reload_and_to_somebody_else() {
    in_browser("a link is permanent", async |browser, cafe| {
        browser.finish(&cafe.lab, SHORT).await;
        let shown = browser.text("main").await;
        assert!(shown.contains("Who knows what") && shown.contains("You said"), "{shown}");
        browser.reload().await;
        assert_eq!(browser.text("main").await, shown);
        let Some(other) = Browser::open("a link is permanent", "en").await else { return };
        other.go(&format!("{}{}", cafe.lab, browser.path().await)).await;
        assert_eq!(other.text("main").await, shown);
        other.close().await;
    })
    .await;
}

/// The messages of a language that stand as they are written.
fn messages(tag: &str) -> BTreeMap<String, String> {
    let file = root().join(format!("services/lab/messages/{tag}.ftl"));
    let file = std::fs::read_to_string(file).expect("the messages");
    let entries = file.lines().filter_map(|line| line.split_once(" = "));
    let plain = entries.filter(|(_, text)| !text.contains('{'));
    plain.map(|(id, text)| (id.to_owned(), text.to_owned())).collect()
}

/// Every text of the page and every name of an element, but for what is said to be of
/// another language, for what a program printed and for words of a request.
const TEXTS: &str = "const texts = [];
    const foreign = (of) => of.closest('[lang]') !== document.documentElement
        || of.closest('pre, code, script, desc, .waterfall, .attributes');
    const walk = document.createTreeWalker(document, NodeFilter.SHOW_TEXT);
    while (walk.nextNode()) {
        if (!foreign(walk.currentNode.parentElement)) texts.push(walk.currentNode.data.trim());
    }
    for (const named of document.querySelectorAll('[aria-label]')) {
        if (!foreign(named)) texts.push(named.getAttribute('aria-label'));
    }
    return texts.filter((text) => text);";

/// Fails if the page speaks another language than this one.
pub(super) async fn speaks(browser: &Browser, tag: &str, other: &str) {
    let path = browser.path().await;
    assert_eq!(browser.script("return document.documentElement.lang").await, tag, "{path}");
    let texts: Vec<String> = serde_json::from_value(browser.script(TEXTS).await).unwrap();
    let own = messages(tag);
    assert!(texts.contains(&own["nav-lessons"]), "{texts:?}");
    for (id, foreign) in messages(other) {
        if own.get(&id) == Some(&foreign) {
            continue;
        }
        let found = texts.iter().find(|text| {
            **text == foreign || (foreign.chars().count() > 12 && text.contains(&*foreign))
        });
        // A word may be the same in both, such as the name of a tool.
        assert!(
            found.is_none_or(|_| own.values().any(|it| *it == foreign)),
            "{id} is not in {tag} on {path}: {found:?}"
        );
    }
}

#[tokio::test]
async fn a_browser_reads_the_language_that_it_accepts_until_its_reader_chooses_the_other() {
    in_browser("the pages speak two languages", async |english, cafe| {
        english.finish(&cafe.lab, SHORT).await;
        let run = english.path().await;
        let paths = [
            "/",
            "/catalogue",
            "/quiz",
            "/lessons/double/2",
            "/lessons/doubt/1",
            "/lessons/free/1",
            "/lessons/reorder/1",
            "/lessons/storm/1",
            "/compare/double",
            "/compare/storm",
            &run,
        ];
        let Some(browser) = Browser::open("the pages speak two languages", "ja").await else {
            return;
        };
        for path in paths {
            english.go(&format!("{}{path}", cafe.lab)).await;
            speaks(english, "en", "ja").await;
            browser.go(&format!("{}{path}", cafe.lab)).await;
            speaks(&browser, "ja", "en").await;
        }
        browser.photograph("run-ja", 1280).await;
        assert!(browser.text(".sides").await.contains("合っています"));

        browser.click("form[action='/choices'] button[name=language]").await;
        assert_eq!(browser.path().await, run, "the same page");
        for path in [&run, "/", "/lessons/slow/1"] {
            browser.go(&format!("{}{path}", cafe.lab)).await;
            speaks(&browser, "en", "ja").await;
            browser.reload().await;
            speaks(&browser, "en", "ja").await;
        }
        browser.close().await;
    })
    .await;
}

#[tokio::test]
async fn without_javascript_a_lesson_is_predicted_run_seen_observed_and_graded() {
    in_browser("a lesson needs no script", async |browser, cafe| {
        let off = json!({"value": true});
        browser.set("Emulation.setScriptExecutionDisabled", off).await;
        browser.run(&cafe.lab, DOUBLE.path, DOUBLE.answers).await;
        assert_eq!(browser.text("noscript .button").await, "Look again");
        eventually("the picture, by looking again", || async {
            if browser.has("noscript .button").await {
                browser.click("noscript .button").await;
            }
            browser.has(".stage svg.spacetime").await.then_some(())
        })
        .await;
        assert!(browser.the(".spacetime.wide").await.is_displayed().await.unwrap());
        let controls = browser.the(".steps").await;
        assert!(!controls.is_displayed().await.unwrap(), "what needs a script is not shown");
        assert!(browser.text(".know").await.contains("committed, the 2nd of this order"));
        browser.observe(DOUBLE.answers).await;
        let graded = browser.text(".sides").await;
        assert_eq!(graded.matches('✓').count(), 3, "{graded}");
    })
    .await;
}

/// What has the focus, and whether that can be seen.
const FOCUS: &str = "const here = document.activeElement;
    if (here === document.body) return null;
    const seen = [[here], [here.nextElementSibling], [here, '::after']].some(([it, part]) => {
        if (!it) return false;
        const style = getComputedStyle(it, part);
        return style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 2;
    });
    return {number: [...document.querySelectorAll('*')].indexOf(here), seen, name: here.outerHTML.slice(0, 120)};";

/// Everything that a person can use on the page; of radio buttons one.
const USABLE: &str = "const all = [...document.querySelectorAll('*')];
    const usable = all.filter((it) => it.matches('a[href], button, input, select, summary, [tabindex]')
        && !it.matches(':disabled, [type=hidden], [tabindex=\"-1\"]') && it.checkVisibility());
    const first = (it) => it.type !== 'radio'
        || it === it.form.querySelector(`[name=${it.name}]:checked`)
        || (!it.form.querySelector(`[name=${it.name}]:checked`)
            && it === it.form.querySelector(`[name=${it.name}]`));
    return usable.filter(first).map((it) => all.indexOf(it));";

/// Goes through the page with Tab.
async fn tab_through(browser: &Browser) {
    let usable: Vec<u64> = serde_json::from_value(browser.script(USABLE).await).unwrap();
    browser.script("document.activeElement.blur()").await;
    let path = browser.path().await;
    let mut reached = Vec::new();
    for _ in &usable {
        browser.press(Key::Tab).await;
        let focus = browser.script(FOCUS).await;
        assert_eq!(focus["seen"], true, "the focus is not seen on {path}: {focus}");
        reached.push(focus["number"].as_u64().expect("an element"));
    }
    assert_eq!(reached, usable, "in the order of {path}");
}

impl Browser {
    /// Presses Tab until the focus is on what a selector finds.
    pub(super) async fn tab_to(&self, selector: &str) {
        let here = format!("return document.activeElement.matches({selector:?})");
        eventually(&format!("the focus on {selector}"), || async {
            self.press(Key::Tab).await;
            (self.script(&here).await == true).then_some(())
        })
        .await;
    }
}

#[tokio::test]
async fn with_the_keyboard_alone_everything_is_reached_in_order_and_a_lesson_is_run() {
    in_browser("the keyboard is enough", async |browser, cafe| {
        for path in ["/", "/catalogue", "/quiz", "/lessons/free/1", "/compare/storm", SHORT.path] {
            browser.go(&format!("{}{path}", cafe.lab)).await;
            tab_through(browser).await;
        }
        browser.reload().await;
        browser.tab_to(".skip").await;
        browser.press(Key::Enter).await;
        browser.tab_to("input[name=knows]").await;
        browser.press(Key::Down).await;
        browser.press(Key::Down).await;
        browser.tab_to("input[name=reservations]").await;
        browser.press("1").await;
        browser.tab_to("button.run").await;
        browser.press(Key::Enter).await;
        browser.shows(".stage svg.spacetime").await;
        browser.tab_to(".steps input").await;
        browser.press(Key::Home).await;
        let shown = "return document.querySelector('.known:not([hidden])').dataset.step";
        assert_eq!(browser.script(shown).await, "0");
        browser.tab_to("input[name=commit]").await;
        browser.press(Key::Space).await;
        browser.tab_to("button.run").await;
        browser.press(Key::Enter).await;
        browser.shows(".sides").await;
        let graded = browser.text(".sides").await;
        assert_eq!(graded.matches('✓').count(), 3, "{graded}");
        tab_through(browser).await;
    })
    .await;
}
