//! `POST /inventory/deliveries`: pieces that arrive, and nothing that is forgotten.

use campuscafe_tests::{Answer, Cafe, assert_problem};
use reqwest::RequestBuilder;
use serde_json::{Value, json};

fn delivery(cafe: &Cafe, body: &Value) -> RequestBuilder {
    cafe.http.post(format!("{}/inventory/deliveries", cafe.inventory)).json(body)
}

async fn deliver(cafe: &Cafe, item: &str, quantity: i64) -> Answer {
    cafe.send(delivery(cafe, &json!({"itemId": item, "quantity": quantity}))).await
}

async fn reset(cafe: &Cafe) {
    let reset = cafe.send(cafe.http.post(format!("{}/inventory/reset", cafe.inventory))).await;
    assert_eq!(reset.status, 200);
}

async fn reserve(cafe: &Cafe, chaos: &str, id: &str) -> u16 {
    cafe.send(cafe.reserve_cake(chaos, id)).await.status
}

#[tokio::test]
async fn pieces_that_arrive_are_added_counted_and_in_the_answer() {
    let cafe = Cafe::open().await;
    assert_eq!(reserve(&cafe, "none", "a").await, 200);
    let answer = deliver(&cafe, "Cake", 5).await;
    let expected = json!({"stock": {"cake": 14, "coffee": 20}, "reservations": 1});
    assert_eq!((answer.status, &answer.body), (200, &expected));
    assert_eq!(cafe.state().await, expected);
    for (series, value) in [
        ("inventory_deliveries_total{item=\"cake\"}", 1.0),
        ("inventory_deliveries_total{item=\"coffee\"}", 0.0),
        ("inventory_stock{item=\"cake\"}", 14.0),
    ] {
        assert_eq!(cafe.metric(&cafe.inventory, series).await, value, "{series}");
    }
}

#[tokio::test]
async fn a_delivery_restarts_no_plan_and_a_reset_does_but_neither_hides_a_duplicate() {
    let cafe = Cafe::open().await;
    let mut duplicates = 0.0;
    for restart in [false, true] {
        let id = format!("restart {restart}");
        assert_eq!(reserve(&cafe, "fail:418,none,fail:420", &id).await, 418);
        assert_eq!(reserve(&cafe, "fail:418,none,fail:420", &id).await, 200);
        if restart {
            reset(&cafe).await;
        } else {
            assert_eq!(deliver(&cafe, "cake", 1).await.status, 200);
        }
        let next = reserve(&cafe, "fail:418,none,fail:420", &id).await;
        assert_eq!(next, if restart { 418 } else { 420 });

        assert_eq!(reserve(&cafe, "none", &id).await, 200);
        duplicates += 1.0;
        let series = "inventory_duplicate_reservations_total{item=\"cake\",lane=\"naive\"}";
        assert_eq!(cafe.metric(&cafe.inventory, series).await, duplicates, "{id}");
    }
}

#[tokio::test]
async fn eleven_thousand_requests_that_are_refused_push_no_commit_out_of_memory() {
    let cafe = Cafe::open_with(&[("RUST_LOG", "warn")]).await;
    assert_eq!(reserve(&cafe, "none", "first").await, 200);
    assert_eq!(reserve(&cafe, "fail,none", "planned").await, 503);
    let mut others = tokio::task::JoinSet::new();
    for worker in 0..8 {
        let cafe = (cafe.http.clone(), format!("{}/inventory/reserve", cafe.inventory));
        others.spawn(async move {
            for n in 0..1_400 {
                let id = format!("other {worker} {n}");
                let wish = json!({"itemId": "tea", "quantity": 1});
                let sent = cafe.0.post(&cafe.1).header("x-request-id", id).json(&wish).send();
                assert_eq!(sent.await.unwrap().status(), 409);
            }
        });
    }
    while let Some(other) = others.join_next().await {
        other.unwrap();
    }
    assert_eq!(reserve(&cafe, "none", "first").await, 200);
    assert_eq!(reserve(&cafe, "fail,none", "planned").await, 200, "the second step");
    let series = "inventory_duplicate_reservations_total{item=\"cake\",lane=\"naive\"}";
    assert_eq!(cafe.metric(&cafe.inventory, series).await, 1.0);
    for history in ["attempts", "commits"] {
        let series = format!("inventory_history_evicted_total{{history=\"{history}\"}}");
        assert_eq!(cafe.metric(&cafe.inventory, &series).await, 0.0, "{series}");
    }
}

#[tokio::test]
async fn a_delivery_has_a_span_of_its_own_that_says_what_was_added() {
    let cafe = Cafe::open().await;
    let trace = "4bf92f3577b34da6a3ce929d0e0e4736";
    let request = delivery(&cafe, &json!({"itemId": "COFFEE", "quantity": 3}));
    let request = request.header("traceparent", format!("00-{trace}-00f067aa0ba902b7-01"));
    assert_eq!(cafe.send(request).await.status, 200);
    let spans = cafe.trace(trace, 2).await;
    let named = |name: &str| spans.iter().find(|span| span.name == name).expect("the span");
    let (server, delivered) = (named("POST /inventory/deliveries"), named("deliver stock"));
    assert_eq!((&delivered.parent, delivered.kind), (&server.id, 1), "INTERNAL");
    assert_eq!(delivered.text("campuscafe.delivery.item"), Some("coffee"));
    for (name, value) in [("quantity", 3), ("stock.before", 20), ("stock.after", 23)] {
        assert_eq!(delivered.int(&format!("campuscafe.delivery.{name}")), Some(value), "{name}");
    }
}

#[tokio::test]
async fn a_delivery_that_has_no_place_is_refused_and_adds_nothing() {
    let cafe = Cafe::open().await;
    let opening = cafe.state().await;
    for (item, quantity, status, kind, tells) in [
        ("cake", 0, 400, "quantity-not-positive", "expected a quantity of 1 or more"),
        ("tea", -1, 400, "quantity-not-positive", "expected a quantity of 1 or more"),
        ("tea", 1, 404, "no-such-item", "see GET /inventory/state"),
        ("tea\"} 1\ninjected{x=\"", 1, 404, "no-such-item", "expected an item"),
        ("cake", 999_999_991, 409, "stock-full", "expected a quantity of at most 999999990"),
        ("cake", i64::MAX, 409, "stock-full", "10 left"),
    ] {
        let answer = deliver(&cafe, item, quantity).await;
        let case = format!("{quantity} of {item}");
        assert_problem(&case, &answer, status, tells);
        assert!(answer.text("type").ends_with(kind), "{case}: {}", answer.body);
    }
    for (case, request, status, tells) in [
        ("no body", delivery(&cafe, &json!({})), 400, "itemId"),
        ("a text", delivery(&cafe, &json!({"itemId": "cake", "quantity": "1"})), 400, "quantity"),
        ("more", delivery(&cafe, &json!({"itemId": "cake", "quantity": 1, "x": 1})), 400, "x"),
        ("17 KB", delivery(&cafe, &json!({"itemId": "x".repeat(17_000)})), 413, "16384"),
        (
            "no JSON",
            cafe.http.post(format!("{}/inventory/deliveries", cafe.inventory)).body("cake"),
            415,
            "application/json",
        ),
    ] {
        assert_problem(case, &cafe.send(request).await, status, tells);
    }
    assert_eq!(cafe.state().await, opening);
    let page = cafe.page(&format!("{}/metrics", cafe.inventory)).await;
    assert!(!page.contains("tea") && !page.contains("injected"), "{page}");
    assert!(page.contains("inventory_deliveries_total{item=\"cake\"} 0"), "{page}");
}

#[tokio::test]
async fn answers_are_released_by_an_id_that_a_request_can_have_and_by_no_other() {
    let cafe = Cafe::open().await;
    let long = "x".repeat(128);
    for (id, status, tells) in [
        ("", 400, "expected 1 to 128 printable ASCII characters"),
        ("nobody", 404, "no answer is held"),
        ("a%20b%2Fc", 404, "no answer is held"),
        (&long, 404, "no answer is held"),
        (&format!("{long}x"), 400, "expected 1 to 128 printable ASCII characters"),
        ("caf%C3%A9", 400, "expected 1 to 128 printable ASCII characters"),
        ("a%00b", 400, "expected 1 to 128 printable ASCII characters"),
    ] {
        let url = format!("{}/inventory/holds/{id}/release", cafe.inventory);
        assert_problem(id, &cafe.send(cafe.http.post(url)).await, status, tells);
    }
}
