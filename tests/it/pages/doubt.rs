//! An answer that is held until a person decides.

use campuscafe_tests::eventually;

use super::browser::in_browser;
use super::lesson::Answers;

const TRUE: Answers = Answers { knows: "nothing", reservations: "1", commit: "before" };

#[tokio::test]
async fn a_held_answer_is_released_or_cut_by_a_person_and_the_customer_is_told_accordingly() {
    in_browser("a held answer is decided on", async |browser, cafe| {
        // The order service gives up after half a minute.
        for (decision, outcome) in
            [("release", "confirmed"), ("cut", "unknown"), ("wait", "unknown")]
        {
            browser.run(&cafe.lab, "/lessons/doubt/1", TRUE).await;
            browser.script("window.sinceTheRunBegan = true").await;
            let button = format!(".doubt button[value={decision}]");
            browser.shows(&button).await;
            assert_eq!(browser.script("return window.sinceTheRunBegan").await, true);
            let asked = browser.text(".doubt").await;
            assert!(asked.contains("What do you tell the customer?"), "{asked}");
            cafe.hold().await;
            assert!(!browser.has(".stage, .verdict").await, "{decision}: nothing has ended");
            browser.shows(".growing .wide .bar[data-attempt='1'] .open").await;
            browser.shows(".growing .wide .mark.commit .diamond").await;
            let picture = browser.text(".growing").await;
            for words in ["committed, and the reply is held", "still waiting: no answer yet"] {
                assert!(picture.contains(words), "{decision}: no {words} in {picture}");
            }
            browser.photograph(&format!("doubt-1-{decision}-held"), 1280).await;

            browser.click(&button).await;
            browser.shows(".stage svg.spacetime").await;
            eventually("no hold", || async {
                let holds = format!("{}/inventory/holds", cafe.inventory);
                let list = cafe.send(cafe.http.get(holds)).await.body;
                list["holds"].as_array()?.is_empty().then_some(())
            })
            .await;
            browser.observe(TRUE).await;
            assert_eq!(browser.text(".ledger .tile dd").await, outcome);
            assert_eq!(browser.text(".ledger .committed").await, "1 reservation", "{decision}");
            let verdict = browser.text(".sides").await;
            assert_eq!(verdict.matches('✓').count(), 3, "{decision}: {verdict}");
            browser.photograph(&format!("doubt-1-{decision}"), 1280).await;
        }
    })
    .await;
}
