//! The examples in the OpenAPI documents: each problem is one that the call answers.

use campuscafe_tests::Cafe;
use reqwest::Method;
use serde_json::{Value, json};

async fn document(cafe: &Cafe, base: &str) -> Value {
    cafe.send(cafe.http.get(format!("{base}/openapi.json"))).await.body
}

#[tokio::test]
async fn every_problem_of_every_document_has_an_example_with_its_own_status() {
    let cafe = Cafe::open().await;
    let mut seen = 0;
    for base in [&cafe.order, &cafe.inventory, &cafe.lab] {
        let document = document(&cafe, base).await;
        for (path, item) in document["paths"].as_object().unwrap() {
            for (method, call) in item.as_object().unwrap() {
                for (status, response) in call["responses"].as_object().unwrap() {
                    let problem = &response["content"]["application/problem+json"];
                    if problem.is_null() {
                        continue;
                    }
                    let example = &problem["example"];
                    assert_eq!(example["status"].to_string(), *status, "{method} {path}");
                    assert!(example["title"].is_string() && example["detail"].is_string());
                    seen += 1;
                }
            }
        }
    }
    assert!(seen > 50, "{seen}");
}

#[tokio::test]
async fn what_a_service_answers_is_what_its_document_shows() {
    let cafe = Cafe::open_with(&[("INVENTORY_STOCK", "cake=1")]).await;
    let (order, inventory, lab) = (&cafe.order, &cafe.inventory, &cafe.lab);
    let cake = |chaos: &str| json!({"itemId": "cake", "quantity": 1, "chaos": chaos}).to_string();
    let many = json!({"itemId": "cake", "quantity": 9}).to_string();
    let (orders, reserve) = ("/orders", "/inventory/reserve");
    let (fail, abort, large) = (cake("fail"), cake("abort"), "x".repeat(20_000));
    let foreign = ("origin", "http://elsewhere.example");
    let text = ("content-type", "text/plain");
    let json = ("content-type", "application/json");
    let other = ("host", "cafe.example");
    let none = ("accept", "*/*");
    let deliveries = "/inventory/deliveries";
    let tea = r#"{"itemId":"tea","quantity":1}"#;
    let full = r#"{"itemId":"cake","quantity":1000000000}"#;
    let trace = "/api/traces/{id}";
    let runs = "/api/runs";
    let nobody = "/api/traces/0af7651916cd43dd8448eb211c80319c";
    let release = "/inventory/holds/{requestId}/release";
    let cut = "/inventory/holds/{requestId}/cut";
    for (base, template, path, header, body, status) in [
        (order, orders, orders, json, r#"{"item":"cake"}"#, 400),
        (order, orders, orders, foreign, &*many, 403),
        (order, orders, orders, json, &many, 409),
        (order, orders, orders, json, &large, 413),
        (order, orders, orders, text, &many, 415),
        (order, orders, orders, other, &many, 421),
        (order, orders, orders, json, &fail, 502),
        (order, orders, orders, json, &abort, 504),
        (order, "/demo/out-of-order", "/demo/out-of-order?wait=1", none, "", 400),
        (inventory, reserve, reserve, json, &many, 409),
        (inventory, reserve, "/inventory/reserve?chaos=fail", json, &many, 503),
        (inventory, deliveries, deliveries, json, tea, 404),
        (inventory, deliveries, deliveries, json, full, 409),
        (inventory, release, "/inventory/holds/nobody/release", none, "", 404),
        (inventory, cut, "/inventory/holds/nobody/cut", none, "", 404),
        (lab, trace, "/api/traces/none", none, "", 400),
        (lab, trace, nobody, none, "", 404),
        (lab, runs, runs, json, r#"{"experiment":"tea"}"#, 400),
        (lab, "/api/runs/{id}", "/api/runs/none", none, "", 404),
        (lab, "/api/runs/{id}.md", "/api/runs/none.md", none, "", 404),
        (lab, "/api/runs/{id}/events", "/api/runs/none/events", none, "", 404),
    ] {
        let document = document(&cafe, base).await;
        let item = &document["paths"][template];
        let (method, name) =
            if item["post"].is_null() { (Method::GET, "get") } else { (Method::POST, "post") };
        let problem = &item[name]["responses"][status.to_string()]["content"];
        let example = &problem["application/problem+json"]["example"];
        let mut request = cafe.http.request(method, format!("{base}{path}"));
        if header != text && !body.is_empty() {
            request = request.header(json.0, json.1);
        }
        if header != json {
            request = request.header(header.0, header.1);
        }
        let answer = cafe.send(request.body(body.to_owned())).await;
        assert_eq!(answer.status, status, "{path}: {}", answer.body);
        for member in ["type", "title", "status"] {
            assert_eq!(answer.body[member], example[member], "{path} {status}: {}", answer.body);
        }
        let names = |value: &Value| -> Vec<String> {
            let names = value.as_object().unwrap().keys().filter(|name| *name != "traceId");
            names.cloned().collect()
        };
        assert_eq!(names(&answer.body), names(example), "{path} {status}");
    }
}
