//! Every case that is one order: predicted, run, observed, graded.

use super::browser::{Browser, in_browser};
use super::lesson::{Answers, CASES, Case};
use campuscafe_tests::Cafe;

/// The words of the answers, as a person reads them.
fn words(answers: Answers) -> [String; 3] {
    let knows = match answers.knows {
        "reserved" => "it is reserved",
        "not-reserved" => "it is not reserved",
        _ => "it cannot know",
    };
    let made = match answers.reservations {
        "1" => "1 reservation".to_owned(),
        number => format!("{number} reservations"),
    };
    let commit = match answers.commit {
        "never" => "there was no commit".to_owned(),
        when => format!("{when} the customer was told"),
    };
    [knows.to_owned(), made, commit]
}

/// The rows of the verdict: what I said, and what the evidence says.
async fn verdict(browser: &Browser) -> Vec<[String; 2]> {
    let rows = "return [...document.querySelectorAll('.sides tbody tr')]
        .map((row) => [...row.cells].slice(1).map((cell) => cell.innerText.trim()))";
    serde_json::from_value(browser.script(rows).await).expect("two cells a row")
}

/// Goes through all cases, each in a window of its own and at the same time, because what
/// takes time is to wait for slow answers.
async fn grades(
    browser: &Browser,
    cafe: &Cafe,
    answer: impl Fn(Case) -> Answers,
    sign: &str,
    grade: &str,
) {
    let mut windows = Vec::new();
    for case in CASES {
        windows.push((case, browser.window().await));
        browser.run(&cafe.lab, case.path, answer(case)).await;
        // Gone if the page were loaded anew.
        browser.script("window.sinceTheRunBegan = true").await;
    }
    for (case, window) in windows {
        browser.look_at(&window).await;
        browser.shows(".stage svg.spacetime").await;
        assert_eq!(browser.script("return window.sinceTheRunBegan").await, true, "{}", case.path);
        assert!(!browser.has(".verdict, .ledger, .sides").await, "{} tells too soon", case.path);
        browser.observe(answer(case)).await;
        let mine = words(answer(case)).map(|words| format!("{words} {sign} {grade}"));
        let [knows, made, commit] = mine
            .iter()
            .zip(words(case.answers))
            .map(|(mine, evidence)| [mine.clone(), evidence])
            .collect::<Vec<_>>()
            .try_into()
            .expect("three rows");
        assert_eq!(verdict(browser).await, [knows, made, commit], "{}", case.path);
        assert!(browser.text(".verdict").await.contains("The evidence shows it."), "{}", case.path);
        if grade == "right" {
            browser.photograph(&case.name(), 1280).await;
        }
    }
}

#[tokio::test]
async fn a_prediction_and_an_observation_that_are_true_are_graded_right_in_every_lesson() {
    in_browser("lessons grade", async |browser, cafe| {
        grades(browser, cafe, |case| case.answers, "✓", "right").await;
    })
    .await;
}

#[tokio::test]
async fn a_prediction_and_an_observation_that_are_false_are_graded_so_in_every_lesson() {
    in_browser("lessons grade", async |browser, cafe| {
        grades(browser, cafe, Case::wrong, "✗", "not so").await;
    })
    .await;
}
