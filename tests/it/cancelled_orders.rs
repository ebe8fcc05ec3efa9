//! A cancel that comes before the reservation: the naive lane loses a cake to nobody, the
//! cured lane closes the key.

use campuscafe_tests::{Answer, Cafe, assert_problem, eventually};
use serde_json::{Value, json};

/// Begins an order that is slow at the inventory; gives its id and where its answer comes.
async fn begin(cafe: &Cafe, idempotent: bool) -> (String, tokio::task::JoinHandle<Answer>) {
    let order = json!({
        "itemId": "cake", "quantity": 1, "chaos": "slow:1500", "idempotent": idempotent,
        "attemptTimeoutMs": 700,
    });
    let request = cafe.http.post(format!("{}/orders", cafe.order)).json(&order);
    let placed = tokio::spawn(async move {
        let answer = request.send().await.unwrap();
        let (status, headers) = (answer.status().as_u16(), answer.headers().clone());
        Answer { status, headers, body: answer.json().await.unwrap() }
    });
    let id = eventually("the order is being placed", async || {
        let list = format!("{}/orders?state=placing", cafe.order);
        let list = cafe.send(cafe.http.get(list)).await;
        list.body["orders"][0]["orderId"].as_str().map(str::to_owned)
    })
    .await;
    // The reserve request must be under way, or there is nothing to overtake.
    eventually("the inventory is at work", async || {
        let at_work = cafe.metric(&cafe.inventory, "inventory_work_in_progress").await;
        (at_work >= 1.0).then_some(())
    })
    .await;
    (id, placed)
}

async fn cancel(cafe: &Cafe, id: &str, query: &str) -> Answer {
    cafe.send(cafe.http.delete(format!("{}/orders/{id}{query}", cafe.order))).await
}

async fn record(cafe: &Cafe, id: &str) -> Value {
    cafe.send(cafe.http.get(format!("{}/orders/{id}", cafe.order))).await.body
}

async fn counted(cafe: &Cafe, service: &str, series: &str) {
    eventually(series, async || (cafe.metric(service, series).await >= 1.0).then_some(())).await;
}

async fn left(cafe: &Cafe) -> Value {
    cafe.state().await["stock"]["cake"].clone()
}

fn states(record: &Value) -> Vec<&str> {
    let history = record["history"].as_array().map_or(&[][..], Vec::as_slice);
    history.iter().filter_map(|change| change["state"].as_str()).collect()
}

#[tokio::test]
async fn a_naive_cancel_that_overtakes_its_order_finds_nothing_and_the_stock_is_lost() {
    let cafe = Cafe::open().await;
    let (id, placed) = begin(&cafe, false).await;
    let answer = cancel(&cafe, &id, "").await;
    assert_eq!((answer.status, answer.text("state")), (200, "cancelled"), "{}", answer.body);
    assert_eq!(placed.await.unwrap().status, 504);
    cafe.reservations(1).await;
    assert_eq!(left(&cafe).await, 9, "gone for nobody");
    assert_eq!(states(&record(&cafe, &id).await), ["placing", "cancelling", "cancelled"]);
}

#[tokio::test]
async fn a_cancel_under_the_key_cannot_be_overtaken() {
    let cafe = Cafe::open().await;
    let (id, placed) = begin(&cafe, true).await;
    let answer = cancel(&cafe, &id, "").await;
    assert_eq!((answer.status, answer.text("state")), (200, "cancelled"), "{}", answer.body);
    let placed = placed.await.unwrap();
    assert_problem("the order", &placed, 409, "the order was cancelled");
    assert_eq!(placed.text("outcome"), "failed");
    counted(&cafe, &cafe.inventory, "inventory_voided_commits_total").await;
    assert_eq!(left(&cafe).await, 10);
}

#[tokio::test]
async fn an_order_that_is_cancelled_twice_gives_its_pieces_back_once() {
    let cafe = Cafe::open().await;
    for idempotent in [false, true] {
        let order = json!({"itemId": "cake", "quantity": 2, "idempotent": idempotent});
        let order = cafe.http.post(format!("{}/orders", cafe.order)).json(&order);
        let order = cafe.send(order).await;
        assert_eq!(left(&cafe).await, 8);
        for _ in 0..2 {
            let answer = cancel(&cafe, order.text("orderId"), "").await;
            assert_eq!((answer.status, answer.text("state")), (200, "cancelled"));
            assert_eq!(left(&cafe).await, 10, "idempotent: {idempotent}");
        }
    }
    for lane in ["naive", "cured"] {
        let series =
            format!("inventory_cancelled_reservations_total{{item=\"cake\",lane=\"{lane}\"}}");
        assert_eq!(cafe.metric(&cafe.inventory, &series).await, 1.0);
        let series = format!(
            "order_cancels_total{{result=\"cancelled\",state=\"confirmed\",lane=\"{lane}\"}}"
        );
        assert_eq!(cafe.metric(&cafe.order, &series).await, 1.0);
    }
}

#[tokio::test]
async fn a_cancel_whose_answer_is_lost_is_settled_like_an_order() {
    let cafe = Cafe::open().await;
    for fault in ["lostreply", "abort", "fail"] {
        let order = json!({"itemId": "cake", "quantity": 1, "idempotent": true});
        let order = cafe.http.post(format!("{}/orders", cafe.order)).json(&order);
        let order = cafe.send(order).await;
        let id = order.text("orderId");
        let answer = cancel(&cafe, id, &format!("?chaos={fault}")).await;
        assert_eq!((answer.status, answer.text("state")), (202, "cancelling"), "{}", answer.body);
        assert_eq!(answer.headers["location"], format!("/orders/{id}"));
        let record = eventually("the order is cancelled", async || {
            let record = record(&cafe, id).await;
            (record["state"] == "cancelled").then_some(record)
        })
        .await;
        assert_eq!(states(&record), ["placing", "confirmed", "cancelling", "cancelled"]);
        assert_eq!(left(&cafe).await, 10, "{fault}");
    }
    counted(&cafe, &cafe.order, "order_settled_total{result=\"cancelled\"}").await;
    let unanswered = "order_cancels_total{result=\"unknown\",state=\"confirmed\",lane=\"cured\"}";
    assert_eq!(cafe.metric(&cafe.order, unanswered).await, 3.0);
}

#[tokio::test]
async fn a_naive_cancel_whose_answer_is_lost_says_so_and_can_be_sent_again() {
    let cafe = Cafe::open().await;
    let order = cafe.order_cake("none", false).await;
    let id = order.text("orderId");
    let answer = cancel(&cafe, id, "?chaos=lostreply").await;
    assert_problem("a lost reply", &answer, 504, "no answer to the cancel");
    let found = record(&cafe, id).await;
    assert_eq!(found["state"], "cancelling");
    assert!(found["note"].as_str().is_some_and(|note| note.contains("no idempotency key")));
    assert_eq!(left(&cafe).await, 10, "the cancel was carried out all the same");
    let again = cancel(&cafe, id, "").await;
    assert_eq!((again.status, again.text("state")), (200, "cancelled"), "{}", again.body);
    assert_eq!(left(&cafe).await, 10);
    assert!(again.body["note"].is_null());
}

#[tokio::test]
async fn what_cannot_be_cancelled_is_refused_with_the_reason() {
    let cafe = Cafe::open().await;
    let failed = json!({"itemId": "cake", "quantity": 1, "chaos": "fail", "idempotent": true});
    let failed = cafe.http.post(format!("{}/orders", cafe.order)).json(&failed);
    let failed = cafe.send(failed).await;
    let id = failed.text("orderId");
    assert_problem("failed", &cancel(&cafe, id, "").await, 409, "nothing to cancel");
    for unknown in ["7", "5f0c6c0e7a4b4f7f9a3b1c2d3e4f5a6b"] {
        assert_problem(unknown, &cancel(&cafe, unknown, "").await, 404, "no such order");
    }
    assert_problem("fault", &cancel(&cafe, id, "?chaos=melt").await, 400, "unknown fault");
    for fault in ["hold", "race"] {
        let answer = cancel(&cafe, id, &format!("?chaos={fault}")).await;
        assert_problem(fault, &answer, 400, "a fault of a reservation");
    }
    let inventory = async |path: &str| {
        let url = format!("{}/inventory/reservations{path}", cafe.inventory);
        cafe.send(cafe.http.delete(url)).await
    };
    for (path, status, tells) in [
        ("/5f0c6c0e7a4b4f7f9a3b1c2d3e4f5a6b", 404, "no reservation has this id"),
        ("/7", 404, "no reservation has this id"),
        ("?requestId=nobody", 404, "no request with this id"),
        ("?requestId=", 400, "expected 1 to 128"),
        ("", 400, "missing field"),
        ("?requestId=a&chaos=hold", 400, "hold is a fault of a reservation"),
        ("?requestId=a&chaos=fail", 503, "fail:503 was requested"),
    ] {
        assert_problem(path, &inventory(path).await, status, tells);
    }
}

#[tokio::test]
async fn the_reservations_of_one_request_are_cancelled_together() {
    let cafe = Cafe::open().await;
    for _ in 0..2 {
        assert_eq!(cafe.send(cafe.reserve_cake("none", "one")).await.status, 200);
    }
    assert_eq!(left(&cafe).await, 8);
    let url = format!("{}/inventory/reservations?requestId=one", cafe.inventory);
    for _ in 0..2 {
        let answer = cafe.send(cafe.http.delete(&url)).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        assert_eq!(answer.body["cancelled"].as_array().map(Vec::len), Some(2));
        assert_eq!(left(&cafe).await, 10);
    }
}

#[tokio::test]
async fn a_reservation_with_a_key_is_cancelled_by_its_id_and_its_key_with_it() {
    let cafe = Cafe::open().await;
    let reserve = cafe.reserve_cake("none", "one").header("idempotency-key", "a");
    let reserved = cafe.send(reserve.try_clone().unwrap()).await;
    assert_eq!((reserved.status, left(&cafe).await), (200, json!(9)));
    let id = reserved.text("reservationId");
    let key = format!("{}/inventory/keys/a", cafe.inventory);
    for _ in 0..2 {
        let url = format!("{}/inventory/reservations/{id}", cafe.inventory);
        let answer = cafe.send(cafe.http.delete(url)).await;
        assert_eq!((answer.status, &answer.body), (200, &reserved.body));
        let answer = cafe.send(cafe.http.delete(&key)).await;
        assert_eq!((answer.status, answer.text("state")), (200, "cancelled"));
        assert_eq!(left(&cafe).await, 10, "given back once");
    }
    assert_problem("under the key", &cafe.send(reserve).await, 410, "is cancelled");
    for (lane, expected) in [("cured", 1.0), ("naive", 0.0)] {
        let series =
            format!("inventory_cancelled_reservations_total{{item=\"cake\",lane=\"{lane}\"}}");
        assert_eq!(cafe.metric(&cafe.inventory, &series).await, expected, "{lane}");
    }
}

#[tokio::test]
async fn a_reservation_from_before_a_reset_gives_nothing_back() {
    let cafe = Cafe::open().await;
    let order = cafe.order_cake("none", false).await;
    cafe.send(cafe.http.post(format!("{}/inventory/reset", cafe.inventory))).await;
    let answer = cancel(&cafe, order.text("orderId"), "").await;
    assert_eq!((answer.status, answer.text("state")), (200, "cancelled"));
    assert_eq!(left(&cafe).await, 10);
}
