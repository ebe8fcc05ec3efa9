//! What the pages answer to paths, forms and addresses, without a browser.

use campuscafe_tests::{Cafe, eventually};
use reqwest::{Client, Response, StatusCode};

use crate::attached_lab::lab_with;

const FORM: &str = "application/x-www-form-urlencoded";

/// Sends a form, as a browser without a script does.
async fn send(http: &Client, url: String, form: &'static str) -> Response {
    http.post(url).header("content-type", FORM).body(form).send().await.unwrap()
}

/// The page of the run that a form begins, once it is over.
async fn page_after(http: &Client, url: String, form: &'static str) -> String {
    let begun = send(http, url, form).await;
    assert_eq!(begun.status(), 200, "it leads to a page");
    let run = begun.url().clone();
    assert!(run.path().starts_with("/runs/"), "{run}");
    eventually("the end of a run", || async {
        let page = http.get(run.clone()).send().await.unwrap().text().await.unwrap();
        (!page.contains("data-run=")).then_some(page)
    })
    .await
}

#[tokio::test]
async fn a_path_that_names_no_lesson_is_a_page_that_says_so() {
    let cafe = Cafe::open().await;
    for path in [
        "/lessons/double/x",
        "/lessons/double/3",
        "/lessons/double/-1",
        "/lessons/double/99999999999999999999999",
        "/lessons/tea/1",
        "/lessons/tea",
        "/lessons/%FF",
        "/lessons/%FF/1",
        "/lessons/%FF/worlds",
        "/lessons/double/%FF",
    ] {
        for (language, says) in
            [("en", "There is no such lesson."), ("ja", "そのようなレッスンはありません。")]
        {
            let asked = cafe.http.get(format!("{}{path}", cafe.lab));
            let answer = asked.header("accept-language", language).send().await.unwrap();
            assert_eq!(answer.status(), StatusCode::NOT_FOUND, "{path}");
            assert_eq!(answer.headers()["content-type"], "text/html; charset=utf-8", "{path}");
            let page = answer.text().await.unwrap();
            assert!(page.contains(says), "{path}: {page}");
        }
    }
}

#[tokio::test]
async fn what_is_no_answer_to_a_question_begins_no_run() {
    let cafe = Cafe::open().await;
    for (path, form) in [
        ("/quiz", "question=retry&choice=thrice"),
        ("/quiz", "question=tea&choice=twice"),
        ("/runs", "experiment=double&trial=2&knows=all&reservations=2"),
        ("/runs", "experiment=double&trial=2&knows=nothing&reservations=10"),
        ("/runs", "experiment=jitter&trial=1&choice=other"),
    ] {
        let refused = send(&cafe.http, format!("{}{path}", cafe.lab), form).await;
        assert_eq!(refused.status(), StatusCode::BAD_REQUEST, "{form}");
        let page = refused.text().await.unwrap();
        assert!(page.contains("is not one of the answers."), "{form}: {page}");
    }
    let runs = cafe.send(cafe.http.get(format!("{}/api/runs", cafe.lab))).await.body;
    assert_eq!(runs["runs"].as_array().map(Vec::len), Some(0), "{runs}");
}

#[tokio::test]
async fn at_services_that_wait_longer_the_quiz_says_that_the_effect_did_not_happen() {
    let cafe = Cafe::open_with(&[("ORDER_ATTEMPT_TIMEOUT", "5s")]).await;
    let quiz = format!("{}/quiz", cafe.lab);
    let retry = "question=retry&choice=twice";
    let page = page_after(&cafe.http, quiz.clone(), retry).await;
    let (_, proof) = page.split_once("proof\"").expect("a proof");
    let (proof, _) = proof.split_once("</section>").expect("its end");
    for says in [
        "made 1 attempt for one order. The inventory made 1 reservation, and",
        "The expected effect did not happen.",
        "nothing was sent again, and the run cannot answer the question",
    ] {
        assert!(proof.contains(says), "no {says} in {proof}");
    }
    assert!(!proof.contains("grade"), "nobody is graded: {proof}");
    let timeout = "question=timeout&choice=failed";
    let page = page_after(&cafe.http, quiz, timeout).await;
    assert!(page.contains("No order of this run ended with a timeout"), "{page}");
}

#[tokio::test]
async fn a_command_names_the_address_that_clients_are_told_and_holds_any_item() {
    let cafe = Cafe::open().await;
    let links = ["--order-link-url=http://cafe.test:1", "--inventory-link-url=http://cafe.test:2"];
    let arguments = ["up", "--order-url", &cafe.order, "--inventory-url", &cafe.inventory];
    let (_lab, url) = lab_with(&[&arguments[..], &links].concat()).await;
    let lesson = cafe.page(&format!("{url}/lessons/double/2")).await;
    assert!(lesson.contains("curl -s http://cafe.test:1/orders -H"), "{lesson}");
    assert!(lesson.contains("| curl.exe -s http://cafe.test:1/orders -H"), "{lesson}");
    let order = "item=it%27s&quantity=1&first=none&second=none&limit=";
    // Asked for before the run, it begins none.
    let asked = cafe.page(&format!("{url}/lessons/free/1?{order}")).await;
    assert!(asked.contains("name=\"item\" value=\"it's\""), "the form keeps it: {asked}");
    assert!(asked.contains(r"-d '{&quot;itemId&quot;:&quot;it'\''s&quot;"), "{asked}");
    let runs = cafe.send(cafe.http.get(format!("{url}/api/runs"))).await.body;
    assert_eq!(runs["runs"].as_array().map(Vec::len), Some(0), "{runs}");
    let page = page_after(&cafe.http, format!("{url}/free"), order).await;
    assert!(page.contains(r"-d '{&quot;itemId&quot;:&quot;it'\''s&quot;"), "{page}");
    assert!(page.contains("'{&quot;itemId&quot;:&quot;it''s&quot;"), "{page}");
    for page in [&lesson, &page] {
        assert!(!page.contains("5201") && !page.contains(&cafe.order), "{page}");
    }
}
