//! A lab that is started anew while its pages are open.

use campuscafe_tests::{Cafe, ReservedPort};

use super::browser::Browser;
use super::lesson::{Answers, CASES};

const PREDICTED: Answers = Answers { knows: "nothing", reservations: "1", commit: "before" };

#[tokio::test]
async fn after_a_restart_of_the_lab_an_open_page_says_that_its_run_is_gone_or_keeps_its_picture() {
    let Some(browser) = Browser::open("an open page outlives its lab", "en").await else { return };
    // What a browser says of a server that is away, and then does not know the run.
    for words in [
        "ERR_CONNECTION_REFUSED",
        "ERR_INCOMPLETE_CHUNKED",
        "ERR_CONNECTION_RESET",
        "404 (Not Found)",
    ] {
        browser.expect(words);
    }
    let port = ReservedPort::take();
    let open = async || Cafe::open_with(&[("LAB_LISTEN", &port.address())]).await;
    let mut cafe = open().await;
    browser.finish(&cafe.lab, CASES[4]).await;
    let finished = browser.this_window().await;
    let shown = browser.text("main").await;
    let running = browser.window().await;
    browser.run(&cafe.lab, "/lessons/doubt/1", PREDICTED).await;
    browser.shows(".doubt").await;

    cafe.process.signal("KILL");
    cafe.process.ended().await;
    let _anew = open().await;
    browser.look_at(&running).await;
    browser.shows("main:not(:has(.running))").await;
    let told = browser.text("h1").await;
    assert!(told.contains("The lab does not know this run"), "{told}");
    browser.look_at(&finished).await;
    assert_eq!(browser.text("main").await, shown);
    browser.close().await;
}
