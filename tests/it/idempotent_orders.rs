//! Orders whose attempts carry an idempotency key: they reserve once, they fail only when
//! that is certain, and an unknown one is settled.

use campuscafe_tests::{Answer, Cafe, assert_problem, eventually};
use serde_json::{Value, json};

async fn order(cafe: &Cafe, chaos: &str, retry: bool) -> Answer {
    let order = json!({
        "itemId": "cake", "quantity": 1, "chaos": chaos, "retryOnTimeout": retry,
        "idempotent": true, "attemptTimeoutMs": 300,
    });
    cafe.send(cafe.http.post(format!("{}/orders", cafe.order)).json(&order)).await
}

async fn record(cafe: &Cafe, id: &str) -> Value {
    cafe.send(cafe.http.get(format!("{}/orders/{id}", cafe.order))).await.body
}

/// Waits until an order has ended in this state.
async fn ended(cafe: &Cafe, id: &str, state: &str) -> Value {
    eventually(&format!("the order is {state}"), async || {
        let record = record(cafe, id).await;
        (record["state"] == state).then_some(record)
    })
    .await
}

fn states(record: &Value) -> Vec<&str> {
    let history = record["history"].as_array().map_or(&[][..], Vec::as_slice);
    history.iter().filter_map(|change| change["state"].as_str()).collect()
}

async fn left(cafe: &Cafe) -> Value {
    cafe.state().await["stock"]["cake"].clone()
}

async fn counted(cafe: &Cafe, series: &str, count: f64) {
    let service = if series.starts_with("order_") { &cafe.order } else { &cafe.inventory };
    eventually(&format!("{series} {count}"), async || {
        let found = cafe.metric(service, series).await;
        (found >= count).then_some(())
    })
    .await;
}

#[tokio::test]
async fn an_order_that_is_retried_reserves_once_although_both_attempts_arrive() {
    let cafe = Cafe::open().await;
    let answer = order(&cafe, "slow:800,none", true).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    assert_eq!(answer.results(), ["timeout", "ok"]);
    // The first attempt comes to its commit, and finds the decision of the second.
    counted(&cafe, "inventory_idempotent_replays_total", 1.0).await;
    let state = cafe.state().await;
    assert_eq!((&state["stock"]["cake"], &state["reservations"]), (&json!(9), &json!(1)));
    let record = record(&cafe, answer.text("orderId")).await;
    assert_eq!((&record["lane"], &record["reserved"]), (&json!("cured"), &answer.body["reserved"]));
    assert_eq!(states(&record), ["placing", "confirmed"]);
}

#[tokio::test]
async fn an_order_without_an_answer_is_accepted_and_settled_as_the_inventory_decided() {
    let cafe = Cafe::open().await;
    for (chaos, state, cakes) in [("lostreply", "confirmed", 9), ("abort", "failed", 9)] {
        let answer = order(&cafe, chaos, false).await;
        let id = answer.text("orderId");
        assert_eq!((answer.status, answer.text("outcome")), (202, "unknown"), "{}", answer.body);
        assert_eq!(answer.headers["location"], format!("/orders/{id}"));
        assert_eq!(answer.headers["retry-after"], "1");
        let record = ended(&cafe, id, state).await;
        assert_eq!(states(&record), ["placing", "unknown", state]);
        assert_eq!(record["reserved"].is_object(), state == "confirmed", "{record}");
        assert_eq!(left(&cafe).await, cakes, "{chaos}");
        counted(&cafe, &format!("order_settled_total{{result=\"{state}\"}}"), 1.0).await;
    }
    counted(&cafe, "order_outcomes_total{outcome=\"unknown\",lane=\"cured\"}", 2.0).await;
    assert_eq!(cafe.metric(&cafe.order, "order_unknown").await, 0.0);
}

#[tokio::test]
async fn a_slow_attempt_cannot_reserve_after_its_order_was_settled_as_failed() {
    let cafe = Cafe::open().await;
    let answer = order(&cafe, "slow:1500", false).await;
    assert_eq!(answer.status, 202, "{}", answer.body);
    ended(&cafe, answer.text("orderId"), "failed").await;
    counted(&cafe, "inventory_voided_commits_total", 1.0).await;
    assert_eq!(left(&cafe).await, 10);
}

#[tokio::test]
async fn an_order_fails_at_once_where_that_is_certain() {
    let cafe = Cafe::open_with(&[("INVENTORY_STOCK", "cake=0")]).await;
    for (chaos, status, tells) in [("none", 409, "0 left"), ("fail", 502, "refused")] {
        let answer = order(&cafe, chaos, false).await;
        assert_problem(chaos, &answer, status, tells);
        assert_eq!(record(&cafe, answer.text("orderId")).await["state"], "failed");
    }
    // The refusal under the key is about the first attempt too.
    let answer = order(&cafe, "slow:800,none", true).await;
    assert_eq!((answer.status, answer.text("outcome")), (409, "failed"), "{}", answer.body);
}

#[tokio::test]
async fn a_naive_order_that_is_unknown_stays_so_and_says_why() {
    let cafe = Cafe::open().await;
    let answer = cafe.order_cake("abort", false).await;
    assert_eq!(answer.status, 504);
    let record = record(&cafe, answer.text("orderId")).await;
    assert_eq!((&record["lane"], &record["state"]), (&json!("naive"), &json!("unknown")));
    assert!(record["note"].as_str().is_some_and(|note| note.contains("no idempotency key")));
}

#[tokio::test]
async fn orders_are_listed_by_state_and_page_and_an_unknown_one_is_not_found() {
    let cafe = Cafe::open().await;
    let mut ids = Vec::new();
    for chaos in ["none", "fail", "none"] {
        let answer = cafe.order_cake(chaos, false).await;
        ids.push(answer.text("orderId").to_owned());
    }
    let list =
        async |query: &str| cafe.send(cafe.http.get(format!("{}/orders{query}", cafe.order))).await;
    let ids_of = |answer: &Answer| -> Vec<String> {
        let orders = answer.body["orders"].as_array().unwrap().iter();
        orders.map(|order| order["orderId"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(ids_of(&list("").await), ids, "oldest first");
    assert_eq!(ids_of(&list("?state=failed").await), ids[1..2]);
    let page = list(&format!("?limit=1&after={}", ids[0])).await;
    assert_eq!((ids_of(&page), page.text("next")), (ids[1..2].to_vec(), &*ids[1]));
    for (query, tells) in [
        ("?state=gone", "unknown variant"),
        ("?limit=0", "expected 1 to 1000"),
        ("?after=7", "32 hexadecimal digits"),
    ] {
        assert_problem(query, &list(query).await, 400, tells);
    }
    for id in ["7", "5f0c6c0e7a4b4f7f9a3b1c2d3e4f5a6b"] {
        let found = cafe.send(cafe.http.get(format!("{}/orders/{id}", cafe.order))).await;
        assert_problem(id, &found, 404, "no such order");
    }
}
