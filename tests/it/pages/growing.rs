//! The picture of a run grows while the run goes on.

use serde_json::{Value, json};

use super::browser::{Browser, in_browser};
use super::lesson::{Answers, DOUBLE};

/// Notes every picture that the page shows: whether it is complete, the attempts that have no
/// end, and the commits.
const WATCH: &str = "window.seen = [];
    const note = () => {
        const picture = document.querySelector('.growing, .stage');
        if (!picture) return;
        const all = (selector) => [...picture.querySelectorAll('.wide ' + selector)];
        const seen = {
            complete: picture.matches('.stage'),
            open: all('.bar:has(.open)').map((bar) => bar.dataset.attempt),
            rows: all('.row').length,
            duplicates: all('.commit.duplicate').length,
            status: document.querySelector('.running [role=status]')?.textContent ?? '',
        };
        if (JSON.stringify(seen) !== JSON.stringify(window.seen.at(-1))) window.seen.push(seen);
    };
    note();
    new MutationObserver(note).observe(document.body, { childList: true, subtree: true });";

async fn seen(browser: &Browser) -> Vec<Value> {
    browser.script("return window.seen").await.as_array().expect("pictures").clone()
}

#[tokio::test]
async fn the_picture_of_a_double_grows_from_its_spans_until_it_is_complete() {
    in_browser("a picture grows", async |browser, cafe| {
        browser.run(&cafe.lab, DOUBLE.path, DOUBLE.answers).await;
        browser.script(WATCH).await;
        browser.the(".brand").await.focus().await.unwrap();
        browser.shows(".growing .wide .bar[data-attempt='1'] .open").await;
        browser.photograph("growing-double", 1280).await;
        browser.shows(".stage svg.spacetime").await;

        let seen = seen(browser).await;
        let (last, before) = seen.split_last().expect("pictures");
        assert!(before.iter().all(|picture| picture["complete"] == false), "{seen:#?}");
        let open = |picture: &&Value| picture["open"] == json!(["1"]);
        let partial = before.iter().find(open);
        let partial = partial.unwrap_or_else(|| panic!("no open attempt in {seen:#?}"));
        assert_eq!(partial["duplicates"], 0, "what has not happened is not claimed: {partial}");
        assert!(before.is_sorted_by_key(|picture| picture["rows"].as_u64()), "{seen:#?}");
        assert!(partial["status"].as_str().unwrap().contains("has the answer"), "{partial}");
        assert_eq!((&last["complete"], &last["open"]), (&true.into(), &json!([])));
        assert!(last["duplicates"].as_u64() > Some(0), "{last}");

        let focus = "return document.activeElement.className";
        assert_eq!(browser.script(focus).await, "brand", "the focus stays where it was");
        let told = browser.text("body > .spoken").await;
        assert_eq!(told, "The picture is complete.", "it is said to those who listen");
    })
    .await;
}

#[tokio::test]
async fn a_page_without_a_stream_grows_too() {
    in_browser("a page grows by asking", async |browser, cafe| {
        let answers = Answers { knows: "nothing", reservations: "1", commit: "before" };
        browser.set("Network.enable", json!({})).await;
        browser.set("Network.setBlockedURLs", json!({"urls": ["*/events"]})).await;
        browser.expect("net::ERR_BLOCKED_BY_CLIENT");
        browser.run(&cafe.lab, "/lessons/doubt/1", answers).await;
        browser.shows(".doubt button[value=release]").await;
        browser.shows(".growing .wide .commit .diamond").await;
        browser.click(".doubt button[value=release]").await;
        browser.shows(".stage svg.spacetime").await;
    })
    .await;
}
