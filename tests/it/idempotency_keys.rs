//! Idempotency keys at the inventory: the first decision under a key wins, and a key that
//! was settled or cancelled stays closed.

use campuscafe_tests::{Answer, Cafe, assert_problem, eventually};
use reqwest::RequestBuilder;
use reqwest::header::HeaderValue;
use serde_json::{Value, json};

fn reserve(cafe: &Cafe, key: &str, chaos: &str, quantity: i64) -> RequestBuilder {
    cafe.http
        .post(format!("{}/inventory/reserve?chaos={chaos}", cafe.inventory))
        .header("idempotency-key", HeaderValue::from_bytes(key.as_bytes()).unwrap())
        .json(&json!({"itemId": "cake", "quantity": quantity}))
}

async fn reserved(cafe: &Cafe, key: &str) -> Answer {
    cafe.send(reserve(cafe, key, "none", 1)).await
}

async fn settled(cafe: &Cafe, key: &str) -> Answer {
    let url = format!("{}/inventory/keys/{key}/settle", cafe.inventory);
    cafe.send(cafe.http.post(url)).await
}

async fn cancelled(cafe: &Cafe, key: &str) -> Answer {
    cafe.send(cafe.http.delete(format!("{}/inventory/keys/{key}", cafe.inventory))).await
}

async fn deliver(cafe: &Cafe, quantity: i64) {
    let delivery = cafe.http.post(format!("{}/inventory/deliveries", cafe.inventory));
    let delivery = delivery.json(&json!({"itemId": "cake", "quantity": quantity}));
    assert_eq!(cafe.send(delivery).await.status, 200);
}

async fn counted(cafe: &Cafe, series: &str) -> f64 {
    cafe.metric(&cafe.inventory, series).await
}

fn replayed(answer: &Answer) -> bool {
    answer.headers.get("idempotent-replayed").is_some_and(|value| value == "true")
}

#[tokio::test]
async fn requests_with_one_key_reserve_once_and_are_told_the_same() {
    let cafe = Cafe::open().await;
    let first = reserved(&cafe, "a").await;
    let again = cafe.send(reserve(&cafe, "\"a\"", "none", 1)).await;
    assert_eq!((first.status, again.status), (200, 200));
    assert_eq!(first.body, again.body);
    assert_eq!((replayed(&first), replayed(&again)), (false, true));
    assert_eq!(cafe.state().await["stock"]["cake"], 9);
    assert_eq!(counted(&cafe, "inventory_idempotent_replays_total").await, 1.0);
    assert_eq!(
        counted(&cafe, "inventory_duplicate_reservations_total{item=\"cake\",lane=\"cured\"}")
            .await,
        0.0
    );
}

#[tokio::test]
async fn forty_requests_at_once_with_one_key_reserve_once() {
    let cafe = Cafe::open().await;
    let mut requests = tokio::task::JoinSet::new();
    for n in 0..40 {
        let chaos = ["none", "slow:20", "lostreply"][n % 3];
        requests.spawn(reserve(&cafe, "a", chaos, 1).send());
    }
    let mut ids = std::collections::BTreeSet::new();
    for answer in requests.join_all().await.into_iter().flatten() {
        assert_eq!(answer.status(), 200);
        let body: Value = answer.json().await.unwrap();
        ids.insert(body["reservationId"].as_str().unwrap().to_owned());
    }
    assert_eq!(ids.len(), 1);
    let state = cafe.state().await;
    assert_eq!((&state["stock"]["cake"], &state["reservations"]), (&json!(9), &json!(1)));
}

#[tokio::test]
async fn a_refusal_that_was_told_is_never_taken_back() {
    let cafe = Cafe::open_with(&[("INVENTORY_STOCK", "cake=0")]).await;
    let first = reserved(&cafe, "a").await;
    assert_eq!((first.status, replayed(&first)), (409, false));
    deliver(&cafe, 5).await;
    let again = reserved(&cafe, "a").await;
    assert_eq!((again.status, replayed(&again)), (409, true));
    assert_eq!(again.body["currentStock"], 0, "as it was told first");
    assert_eq!(reserved(&cafe, "a-new-key").await.status, 200);
}

#[tokio::test]
async fn a_key_of_another_request_is_refused_with_422() {
    let cafe = Cafe::open().await;
    assert_eq!(reserved(&cafe, "a").await.status, 200);
    let other = cafe.send(reserve(&cafe, "a", "none", 2)).await;
    assert_problem("another quantity", &other, 422, "different request");
    let same = cafe
        .http
        .post(format!("{}/inventory/reserve", cafe.inventory))
        .header("idempotency-key", "a")
        .json(&json!({"itemId": "CAKE", "quantity": 1}));
    assert_eq!(cafe.send(same).await.status, 200, "letter case does not matter");
}

#[tokio::test]
async fn a_key_that_is_none_is_refused_with_what_was_expected() {
    let cafe = Cafe::open().await;
    for (key, tells) in [
        ("", "the key is empty"),
        ("\"\"", "the key is empty"),
        ("a b", "visible ASCII"),
        ("ケーキ", "visible ASCII"),
        ("\"ケーキ\"", "visible ASCII"),
        ("\"a", "structured-field string"),
        (&*"k".repeat(256), "the key has 256 bytes; expected 1 to 255"),
    ] {
        assert_problem(key, &cafe.send(reserve(&cafe, key, "none", 1)).await, 400, tells);
    }
    let twice = reserve(&cafe, "a", "none", 1).header("idempotency-key", "a");
    assert_problem("twice", &cafe.send(twice).await, 400, "got several");
    assert_eq!(cafe.state().await["reservations"], 0);
}

#[tokio::test]
async fn a_slow_request_that_was_settled_meanwhile_reserves_nothing() {
    let cafe = Cafe::open().await;
    // Its caller gives up after a moment, and the work goes on.
    let slow = reserve(&cafe, "a", "slow:400", 1).timeout(std::time::Duration::from_millis(100));
    assert!(slow.send().await.unwrap_err().is_timeout());
    let settled = settled(&cafe, "a").await;
    assert_eq!((settled.status, settled.text("state")), (200, "void"));
    eventually("the slow request finds its key void", async || {
        (counted(&cafe, "inventory_voided_commits_total").await > 0.0).then_some(())
    })
    .await;
    assert_eq!(cafe.state().await["stock"]["cake"], 10);
    assert_problem("a later request", &reserved(&cafe, "a").await, 410, "the key is void");
}

#[tokio::test]
async fn a_settled_key_tells_what_was_decided() {
    let cafe = Cafe::open().await;
    let reservation = reserved(&cafe, "a").await.body;
    let settled = settled(&cafe, "a").await;
    assert_eq!((settled.status, settled.text("state")), (200, "reserved"));
    assert_eq!(settled.body["reservation"], reservation);
    assert_eq!(counted(&cafe, "inventory_settled_keys_total{result=\"reserved\"}").await, 1.0);
}

#[tokio::test]
async fn a_cancel_gives_the_pieces_back_once_and_a_late_request_finds_the_key_closed() {
    let cafe = Cafe::open().await;
    assert_eq!(reserved(&cafe, "a").await.status, 200);
    for _ in 0..2 {
        let cancelled = cancelled(&cafe, "a").await;
        assert_eq!((cancelled.status, cancelled.text("state")), (200, "cancelled"));
        let state = cafe.state().await;
        assert_eq!((&state["stock"]["cake"], &state["reservations"]), (&json!(10), &json!(0)));
    }
    assert_problem("after the cancel", &reserved(&cafe, "a").await, 410, "is cancelled");
    assert_eq!(
        counted(&cafe, "inventory_cancelled_reservations_total{item=\"cake\",lane=\"cured\"}")
            .await,
        1.0
    );

    let early = cancelled(&cafe, "b").await;
    assert_eq!((early.status, early.text("state")), (200, "void"));
    assert_problem("overtaken", &reserved(&cafe, "b").await, 410, "the key is void");
    assert_eq!(cafe.state().await["stock"]["cake"], 10);
}

#[tokio::test]
async fn a_reset_removes_the_reservation_and_a_cancel_after_it_adds_nothing() {
    let cafe = Cafe::open().await;
    assert_eq!(reserved(&cafe, "a").await.status, 200);
    let reset = cafe.http.post(format!("{}/inventory/reset", cafe.inventory));
    assert_eq!(cafe.send(reset).await.status, 200);
    assert_eq!(cancelled(&cafe, "a").await.text("state"), "cancelled");
    let state = cafe.state().await;
    assert_eq!((&state["stock"]["cake"], &state["reservations"]), (&json!(10), &json!(0)));
}

#[tokio::test]
async fn the_key_of_an_old_order_is_refused_recorded_or_not() {
    let cafe = Cafe::open().await;
    // A UUID of version 7 whose time is in 2023.
    let old = "order-018c2f5e00007000a000000000000001";
    assert_problem("reserve", &reserved(&cafe, old).await, 410, "nothing was reserved");
    for closed in [settled(&cafe, old).await, cancelled(&cafe, old).await] {
        assert_problem("close", &closed, 410, "forgotten; nothing was changed");
    }
    let future = "order-ffffffffffff7000a000000000000001";
    assert_problem("reserve", &reserved(&cafe, future).await, 400, "ahead");
    assert_eq!(cafe.state().await["reservations"], 0);
}

#[tokio::test]
async fn what_a_request_without_a_key_did_cannot_be_settled() {
    let cafe = Cafe::open().await;
    assert_eq!(cafe.send(cafe.reserve_cake("none", "order-1")).await.status, 200);
    for answer in [settled(&cafe, "order-1").await, cancelled(&cafe, "order-1").await] {
        assert_problem("naive", &answer, 404, "without an Idempotency-Key");
    }
    // The same for an order that the order service took: its request looks like a key.
    let order = cafe.order_cake("none", false).await;
    let key = format!("order-{}", order.text("orderId"));
    for answer in [settled(&cafe, &key).await, cancelled(&cafe, &key).await] {
        assert_problem("naive order", &answer, 404, "cannot be settled under a key");
    }
    assert_eq!(cafe.state().await["stock"]["cake"], 8);
    assert_eq!(counted(&cafe, "inventory_idempotency_keys").await, 0.0, "none is void now");
}

#[tokio::test]
async fn keys_are_listed_with_what_they_hold_page_by_page() {
    let cafe = Cafe::open().await;
    let reservation = reserved(&cafe, "b").await.body;
    assert_eq!(settled(&cafe, "a").await.status, 200);
    assert_eq!(cancelled(&cafe, "c").await.status, 200);
    let page = async |query: &str| {
        let url = format!("{}/inventory/keys{query}", cafe.inventory);
        cafe.send(cafe.http.get(url)).await
    };
    let all = page("").await.body;
    let told: Vec<_> =
        all["keys"].as_array().unwrap().iter().map(|it| (&it["key"], &it["state"])).collect();
    assert_eq!(
        told,
        [
            (&json!("a"), &json!("void")),
            (&json!("b"), &json!("reserved")),
            (&json!("c"), &json!("void")),
        ]
    );
    assert_eq!(all["keys"][1]["reservation"], reservation);
    assert!(all["keys"][1]["ageMs"].as_u64().is_some_and(|age| age < 60_000), "{all}");
    assert_eq!(all.get("next"), None);

    let first = page("?limit=2").await.body;
    assert_eq!(first["next"], "b");
    let second = page("?limit=2&after=b").await.body;
    assert_eq!(second["keys"][0]["key"], "c");
    for query in ["?limit=0", "?limit=1001"] {
        assert_problem(query, &page(query).await, 400, "expected 1 to 1000");
    }
    assert_eq!(counted(&cafe, "inventory_idempotency_keys").await, 3.0);
}

#[tokio::test]
async fn a_span_says_that_an_answer_was_decided_earlier_or_why_the_key_refuses_it() {
    let cafe = Cafe::open().await;
    assert_eq!(settled(&cafe, "b").await.status, 200);
    assert_eq!(reserved(&cafe, "c").await.status, 200);
    assert_eq!(cancelled(&cafe, "c").await.status, 200);
    let (replayed, void) = ("campuscafe.idempotency.replayed", "campuscafe.idempotency.void");
    for (n, key, quantity, flag, refusal) in [
        (1, "a", 1, None, None),
        (2, "a", 1, Some(replayed), None),
        (3, "b", 1, Some(void), Some("idempotency-key-void")),
        (4, "c", 1, Some(void), Some("reservation-cancelled")),
        (5, "a", 2, None, Some("idempotency-key-reused")),
        (6, "d", 99, None, Some("out-of-stock")),
        (7, "d", 99, Some(replayed), Some("out-of-stock")),
    ] {
        let trace = format!("{:032x}", 0xcafe_u32 + n);
        let parent = format!("00-{trace}-00f067aa0ba902b7-01");
        cafe.send(reserve(&cafe, key, "none", quantity).header("traceparent", parent)).await;
        let commits = usize::from(n == 1);
        let spans = cafe.trace(&trace, 1 + commits).await;
        let server = spans.iter().find(|span| span.name == "POST /inventory/reserve").unwrap();
        assert_eq!(server.text("campuscafe.refusal"), refusal, "{n}");
        for name in [replayed, void] {
            assert_eq!(server.flag(name), (flag == Some(name)).then_some(true), "{n}: {name}");
        }
        let made = spans.iter().filter(|span| span.name.starts_with("commit")).count();
        assert_eq!(made, commits, "{n}");
    }
}
