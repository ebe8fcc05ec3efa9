//! Names that were made to do harm.

use super::browser::in_browser;

const NAME: &str = "<img src=x onerror=alert(1)>";

#[tokio::test]
async fn an_item_with_a_hostile_name_is_shown_as_text_and_runs_nothing() {
    in_browser("a hostile name is text", async |browser, cafe| {
        browser.go(&format!("{}/lessons/free/1", cafe.lab)).await;
        browser.write("input[name=item]", NAME).await;
        browser.click("button.run").await;
        browser.shows(".request").await;
        let shown = browser.text("main").await;
        assert!(shown.contains(NAME), "{shown}");
        assert!(!browser.has("main img").await);
        browser.reload().await;
        assert!(browser.text("main").await.contains(NAME));
        assert!(!browser.has("main img").await);
        // An alert that is open would refuse this.
        assert_eq!(browser.script("return document.readyState").await, "complete");
    })
    .await;
}
