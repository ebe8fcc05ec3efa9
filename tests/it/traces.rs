//! The page of a trace, where Jaeger's link to the lab leads.

use campuscafe_tests::{Cafe, eventually};
use reqwest::{Response, StatusCode};
use serde_json::{Value, json};

/// The page of a trace, and where it is in the end.
async fn page(cafe: &Cafe, trace: &str) -> (StatusCode, String, String) {
    let page = cafe.http.get(format!("{}/traces/{trace}", cafe.lab)).send().await.unwrap();
    let (status, path) = (page.status(), page.url().path().to_owned());
    (status, path, Response::text(page).await.unwrap())
}

/// A run that is over.
async fn run(cafe: &Cafe, what: Value) -> Value {
    let begun = cafe.send(cafe.http.post(format!("{}/api/runs", cafe.lab)).json(&what)).await;
    let run = format!("{}/api/runs/{}", cafe.lab, begun.text("id"));
    eventually("the end of a run", || async {
        let run = cafe.send(cafe.http.get(&run)).await;
        (run.text("state") != "running").then_some(run.body)
    })
    .await
}

#[tokio::test]
async fn an_order_that_no_run_placed_is_drawn_from_its_trace() {
    let cafe = Cafe::open().await;
    let told = cafe.order_cake("slow:4000,none", true).await;
    let trace = told.text("traceId");
    // The order is told, and the first attempt goes on.
    cafe.trace(trace, 5).await;
    let (status, path, soon) = page(&cafe, trace).await;
    assert_eq!((status, path.as_str()), (StatusCode::OK, &*format!("/traces/{trace}")));
    assert!(soon.contains("Spans of this order are missing"), "{soon}");
    cafe.trace(trace, 8).await;
    let (_, _, whole) = page(&cafe, trace).await;
    for part in ["svg class=\"spacetime wide\"", "late, the 2nd of this order", "/api/traces/"] {
        assert!(whole.contains(part), "no {part} in {whole}");
    }
    assert!(!whole.contains("Spans of this order are missing"), "{whole}");
    assert!(!whole.contains("/runs/"), "it belongs to none: {whole}");
}

#[tokio::test]
async fn the_trace_of_a_run_leads_to_the_run_or_names_it_where_the_run_is_of_many_orders() {
    let cafe = Cafe::open().await;
    let double = run(&cafe, json!({"experiment": "double", "trial": 2})).await;
    let trace = double["findings"][0]["told"]["traceId"].as_str().unwrap();
    let (_, path, _) = page(&cafe, trace).await;
    assert_eq!(path, format!("/runs/{}", double["id"].as_str().unwrap()));

    let pings = run(&cafe, json!({"experiment": "reorder"})).await;
    let trace = pings["findings"][0]["told"]["traceId"].as_str().unwrap();
    let (_, path, _) = page(&cafe, trace).await;
    assert_eq!(path, format!("/runs/{}", pings["id"].as_str().unwrap()), "pings have no order");

    let series = run(&cafe, json!({"experiment": "recover"})).await;
    let of_run = format!("/runs/{}", series["id"].as_str().unwrap());
    let all = cafe.send(cafe.http.get(format!("{}/api/traces?limit=50", cafe.lab))).await.body;
    let mut orders = all["traces"].as_array().expect("traces").iter();
    let newest = orders.find(|trace| trace["root"] == "POST /orders").expect("an order");
    let newest = newest["traceId"].as_str().expect("an id");
    let (status, path, shown) = page(&cafe, newest).await;
    assert_eq!((status, path), (StatusCode::OK, format!("/traces/{newest}")));
    assert!(shown.contains(&format!("href=\"{of_run}\"")), "{shown}");
}

#[tokio::test]
async fn a_trace_that_the_lab_does_not_have_is_a_page_that_says_so() {
    let cafe = Cafe::open().await;
    for trace in ["0af7651916cd43dd8448eb211c80319c", "none", "%3Cimg%20src=x%3E"] {
        let (status, _, page) = page(&cafe, trace).await;
        assert_eq!(status, StatusCode::NOT_FOUND, "{trace}");
        assert!(page.contains("The lab knows no order with this trace"), "{page}");
        assert!(!page.contains("<img src=x"), "{page}");
    }
}
