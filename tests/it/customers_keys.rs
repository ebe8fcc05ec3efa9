//! A customer who presses twice: with a key of the customer's own it is one order.

use campuscafe_tests::{Answer, Cafe, assert_problem, eventually};
use reqwest::RequestBuilder;
use reqwest::header::HeaderValue;
use serde_json::{Value, json};

fn press(cafe: &Cafe, key: &str, order: &Value) -> RequestBuilder {
    let request = cafe.http.post(format!("{}/orders", cafe.order)).json(order);
    request.header("idempotency-key", HeaderValue::from_bytes(key.as_bytes()).unwrap())
}

fn cake(chaos: &str) -> Value {
    json!({"itemId": "cake", "quantity": 1, "chaos": chaos})
}

fn replayed(answer: &Answer) -> bool {
    answer.headers.get("idempotent-replayed").is_some_and(|value| value == "true")
}

async fn left(cafe: &Cafe) -> Value {
    cafe.state().await["stock"]["cake"].clone()
}

#[tokio::test]
async fn pressing_twice_while_the_order_is_placed_is_one_order_with_one_answer() {
    let cafe = Cafe::open().await;
    let press = || cafe.send(press(&cafe, "\"click\"", &cake("slow:300")));
    let answers = tokio::join!(press(), press(), press(), press(), press());
    let answers = <[Answer; 5]>::from(answers);
    let id = answers[0].text("orderId");
    for answer in &answers {
        assert_eq!((answer.status, answer.text("orderId")), (200, id), "{}", answer.body);
        assert_eq!(answer.body["reserved"], answers[0].body["reserved"]);
    }
    assert_eq!(answers.iter().filter(|answer| replayed(answer)).count(), 4);
    assert_eq!(left(&cafe).await, 9);
    assert_eq!(cafe.metric(&cafe.order, "order_idempotent_replays_total").await, 4.0);
    assert_eq!(
        cafe.metric(&cafe.order, "order_outcomes_total{outcome=\"confirmed\",lane=\"cured\"}")
            .await,
        1.0
    );
}

#[tokio::test]
async fn pressing_again_later_tells_how_the_order_stands_now() {
    let cafe = Cafe::open().await;
    let first = cafe.send(press(&cafe, "a", &cake("none"))).await;
    assert_eq!((first.status, replayed(&first)), (200, false), "{}", first.body);
    let again = cafe.send(press(&cafe, "a", &cake("fail"))).await;
    assert_eq!((again.status, replayed(&again)), (200, true), "the key decides, not the fault");
    assert_eq!(again.body["attempts"], json!([]));
    let cancel = cafe.http.delete(format!("{}/orders/{}", cafe.order, first.text("orderId")));
    assert_eq!(cafe.send(cancel).await.status, 200);
    let after = cafe.send(press(&cafe, "a", &cake("none"))).await;
    assert_problem("cancelled", &after, 409, "the order was cancelled");
    assert!(replayed(&after));
    assert_eq!(left(&cafe).await, 10, "nothing was ordered anew");
    let failed = cafe.send(press(&cafe, "b", &cake("fail"))).await;
    assert_eq!(failed.status, 502);
    let again = cafe.send(press(&cafe, "b", &cake("none"))).await;
    assert_problem("failed", &again, 409, "take a new key");
    assert_eq!(again.text("orderId"), failed.text("orderId"));
}

#[tokio::test]
async fn an_order_with_a_customers_key_is_settled_and_the_key_tells_it() {
    let cafe = Cafe::open().await;
    let first = cafe.send(press(&cafe, "a", &cake("lostreply"))).await;
    assert_eq!((first.status, first.text("outcome")), (202, "unknown"), "{}", first.body);
    let again = eventually("the order is settled", async || {
        let again = cafe.send(press(&cafe, "a", &cake("none"))).await;
        (again.status == 200).then_some(again)
    })
    .await;
    assert_eq!(again.text("note"), "reserved (the same order as before)");
    assert_eq!(left(&cafe).await, 9);
}

#[tokio::test]
async fn a_press_does_not_wait_longer_than_its_limit() {
    let cafe = Cafe::open().await;
    let slow = json!({
        "itemId": "cake", "quantity": 1, "chaos": "hold", "attemptTimeoutMs": 60_000,
    });
    let first = tokio::spawn(press(&cafe, "a", &slow).send());
    cafe.hold().await;
    let mut quick = cake("none");
    quick["attemptTimeoutMs"] = json!(50);
    let again = cafe.send(press(&cafe, "a", &quick)).await;
    assert_eq!((again.status, again.text("outcome")), (202, "unknown"), "{}", again.body);
    let id = again.text("orderId");
    assert_eq!(again.headers["location"], format!("/orders/{id}"));
    let release = format!("{}/inventory/holds/order-{id}/release", cafe.inventory);
    assert_eq!(cafe.send(cafe.http.post(release)).await.status, 200);
    assert_eq!(first.await.unwrap().unwrap().status(), 200);
}

#[tokio::test]
async fn a_key_that_is_none_or_is_used_for_another_order_is_refused() {
    let cafe = Cafe::open().await;
    assert_eq!(cafe.send(press(&cafe, "a", &cake("none"))).await.status, 200);
    let other = json!({"itemId": "cake", "quantity": 2});
    assert_problem("other", &cafe.send(press(&cafe, "a", &other)).await, 422, "different request");
    let long = "x".repeat(256);
    for (key, tells) in [
        ("", "the key is empty"),
        ("\"\"", "the key is empty"),
        ("a b", "visible ASCII"),
        ("ケーキ", "visible ASCII"),
        ("\"a", "structured-field string"),
        (&*long, "the key has 256 bytes; expected 1 to 255"),
    ] {
        let answer = cafe.send(press(&cafe, key, &cake("none"))).await;
        assert_problem(key, &answer, 400, tells);
    }
    let twice = press(&cafe, "b", &cake("none")).header("idempotency-key", "c");
    assert_problem("twice", &cafe.send(twice).await, 400, "got several");
    let ahead = "order-ffffffffffff7b4f8f9a3b1c2d3e4f5a";
    let ahead = cafe.send(press(&cafe, ahead, &cake("none"))).await;
    assert_problem("ahead", &ahead, 400, "ahead");
    assert_eq!(left(&cafe).await, 9);
}
