//! The fault `race`: the stock is read, and what follows from that is written back later.
//! Without it check and commit are one step, which is the cure.

use campuscafe_tests::{Cafe, assert_problem, eventually};
use serde_json::{Value, json};

/// The statuses of twenty customers who order a cake at the same moment.
async fn twenty_orders(cafe: &Cafe, chaos: &str) -> Vec<u16> {
    let order = json!({"itemId": "cake", "quantity": 1, "chaos": chaos});
    let mut orders = tokio::task::JoinSet::new();
    for _ in 0..20 {
        orders.spawn(cafe.http.post(format!("{}/orders", cafe.order)).json(&order).send());
    }
    orders.join_all().await.into_iter().map(|it| it.unwrap().status().as_u16()).collect()
}

fn told(statuses: &[u16], status: u16) -> usize {
    statuses.iter().filter(|it| **it == status).count()
}

async fn counted(cafe: &Cafe, series: &str) -> f64 {
    cafe.metric(&cafe.inventory, series).await
}

#[tokio::test]
async fn twenty_orders_at_once_for_ten_cakes_sell_more_than_there_are_if_they_race() {
    let cafe = Cafe::open_with(&[("ORDER_ATTEMPT_TIMEOUT", "30s")]).await;
    let statuses = twenty_orders(&cafe, "race:1000").await;
    let sold = told(&statuses, 200);
    assert!(sold > 10, "{statuses:?}");
    assert_eq!(sold + told(&statuses, 409), 20, "{statuses:?}");

    let state = cafe.state().await;
    assert_eq!(state["reservations"], sold, "each is counted");
    let left = state["stock"]["cake"].as_u64().unwrap();
    assert!(left < 10 && left + sold as u64 > 10, "what was written last: {state}");
    assert_eq!(counted(&cafe, "inventory_stock{item=\"cake\"}").await, left as f64);
    for series in [
        "inventory_reservations_total{item=\"cake\",lane=\"naive\"}",
        "inventory_fault_reservations_total{fault=\"race\"}",
    ] {
        assert_eq!(counted(&cafe, series).await, sold as f64, "{series}");
    }
    assert_eq!(counted(&cafe, "inventory_faults_total{fault=\"race\"}").await, 20.0);
}

#[tokio::test]
async fn twenty_orders_at_once_for_ten_cakes_sell_ten_without_the_fault() {
    let cafe = Cafe::open().await;
    for _ in 0..5 {
        let statuses = twenty_orders(&cafe, "none").await;
        assert_eq!((told(&statuses, 200), told(&statuses, 409)), (10, 10), "{statuses:?}");
        let state = cafe.state().await;
        assert_eq!((&state["stock"]["cake"], &state["reservations"]), (&json!(0), &json!(10)));
        let reset = cafe.http.post(format!("{}/inventory/reset", cafe.inventory));
        assert_eq!(cafe.send(reset).await.status, 200);
    }
}

/// A request that races and has read the stock, but not written yet.
async fn has_read(cafe: &Cafe, key: &str) -> tokio::task::JoinHandle<reqwest::Response> {
    let faults = "inventory_faults_total{fault=\"race\"}";
    let before = counted(cafe, faults).await;
    let request = cafe.reserve_cake("race:1500", key).header("idempotency-key", key);
    let racing = tokio::spawn(async { request.send().await.unwrap() });
    eventually("it has read", async || (counted(cafe, faults).await > before).then_some(())).await;
    racing
}

#[tokio::test]
async fn a_delivery_or_a_reset_between_read_and_write_is_lost_and_the_span_tells() {
    let cafe = Cafe::open().await;
    let trace = "0000000000000000000000000000cafe";
    let faults = "inventory_faults_total{fault=\"race\"}";
    let parent = format!("00-{trace}-00f067aa0ba902b7-01");
    let racing = cafe.reserve_cake("race:1500", "a").header("traceparent", parent);
    let racing = tokio::spawn(racing.send());
    eventually("it has read", async || (counted(&cafe, faults).await > 0.0).then_some(())).await;
    let delivery = cafe.http.post(format!("{}/inventory/deliveries", cafe.inventory));
    let delivery = delivery.json(&json!({"itemId": "cake", "quantity": 30}));
    assert_eq!(cafe.send(delivery).await.body["stock"]["cake"], 40);
    assert_eq!(racing.await.unwrap().unwrap().status(), 200);
    assert_eq!(cafe.state().await["stock"]["cake"], 9, "the delivery is lost");

    let spans = cafe.trace(trace, 3).await;
    let commit = spans.iter().find(|span| span.name == "commit reservation").unwrap();
    let number = |name: &str| commit.int(name).unwrap();
    let stock = ["before", "after", "overwritten"];
    let stock = stock.map(|it| number(&format!("campuscafe.reservation.stock.{it}")));
    assert_eq!(stock, [10, 9, 40]);
}

#[tokio::test]
async fn a_race_under_a_key_still_decides_once() {
    let cafe = Cafe::open().await;
    let racing = has_read(&cafe, "a").await;
    let first = cafe.reserve_cake("none", "a").header("idempotency-key", "a");
    let first = cafe.send(first).await;
    assert_eq!(first.status, 200);
    assert_eq!(cafe.send(cafe.reserve_cake("none", "b")).await.status, 200);
    let second = racing.await.unwrap();
    assert_eq!(second.headers()["idempotent-replayed"], "true");
    assert_eq!(second.json::<Value>().await.unwrap(), first.body);
    let state = cafe.state().await;
    assert_eq!((&state["stock"]["cake"], &state["reservations"]), (&json!(8), &json!(2)));

    let racing = has_read(&cafe, "c").await;
    let settle = cafe.http.post(format!("{}/inventory/keys/c/settle", cafe.inventory));
    assert_eq!(cafe.send(settle).await.text("state"), "void");
    assert_eq!(racing.await.unwrap().status(), 410, "the key is closed before the write");
    assert_eq!(cafe.state().await["stock"]["cake"], 8);
}

#[tokio::test]
async fn a_wait_that_is_none_is_refused_with_what_was_expected() {
    let cafe = Cafe::open().await;
    for (chaos, tells) in [("race:60001", "from 0 to 60000"), ("race:1-2", "is not a wait")] {
        assert_problem(chaos, &cafe.send(cafe.reserve_cake(chaos, "a")).await, 400, tells);
    }
}
