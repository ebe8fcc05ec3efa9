//! Several order services, each with a memory of its own.

use campuscafe_tests::{Answer, Process, Services, assert_problem};
use serde_json::Value;

async fn answer(request: reqwest::RequestBuilder) -> Answer {
    let response = request.send().await.unwrap();
    let (status, headers) = (response.status().as_u16(), response.headers().clone());
    Answer { status, headers, body: response.json().await.unwrap_or(Value::Null) }
}

/// One more order service of the same inventory.
async fn another(services: &Services) -> (Process, String) {
    let environment = [("INVENTORY_URL", &*services.inventory_url), ("RUST_LOG", "warn")];
    let mut order = Process::start("order", &["--listen", "127.0.0.1:0"], &environment);
    let url = order.address().await;
    (order, url)
}

#[tokio::test]
async fn an_order_of_another_replica_is_answered_503_and_not_as_if_there_were_none() {
    let services = Services::start(&[], &[]).await;
    let (_other, other) = another(&services).await;
    let placed = answer(services.order_cake("none")).await;
    let id = placed.text("orderId");
    let at = |url: &str, id: &str| answer(services.http.get(format!("{url}/orders/{id}")));
    assert_eq!(at(&services.order_url, id).await.status, 200);

    let elsewhere = at(&other, id).await;
    assert_problem("another replica", &elsewhere, 503, "only that process remembers it");
    assert!(elsewhere.text("type").ends_with(":other-replica"), "{}", elsewhere.body);
    assert_eq!(elsewhere.headers["retry-after"], "1");

    // An id that this replica could have given, and did not.
    let (others, last) = id.split_at(31);
    let never = format!("{others}{}", if last == "0" { "1" } else { "0" });
    assert_problem("its own", &at(&services.order_url, &never).await, 404, "no such order");
}

#[tokio::test]
async fn where_customers_keys_are_refused_an_order_with_one_places_nothing() {
    let services = Services::start(&[], &[("ORDER_CUSTOMER_KEYS", "refuse")]).await;
    let keyed = services.order_cake("none").header("idempotency-key", "press-1");
    let refused = answer(keyed).await;
    assert_problem("a customer's key", &refused, 501, "several replicas");
    assert!(refused.text("type").ends_with(":customer-keys-refused"), "{}", refused.body);
    assert_eq!(services.state().await["reservations"], 0);
    assert_eq!(answer(services.order_cake("none")).await.status, 200, "without a key");
}
