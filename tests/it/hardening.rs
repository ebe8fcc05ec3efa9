//! What a class of thirty, or one strange client, must not break.

use std::time::Duration;

use campuscafe_tests::{Cafe, eventually};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::{Instant, interval, timeout};

const PARALLEL: u64 = 1_000;

#[tokio::test]
async fn a_thousand_orders_at_once_are_all_answered_and_all_in_the_books() {
    let cafe = Cafe::open_with(&[("INVENTORY_STOCK", "cake=1000"), ("RUST_LOG", "warn")]).await;
    let mut orders = JoinSet::new();
    for _ in 0..PARALLEL {
        let request = cafe.http.post(format!("{}/orders", cafe.order));
        let body = serde_json::json!({"itemId": "cake", "quantity": 1});
        // Some may take longer than a second on a busy machine; all must end well.
        orders.spawn(request.json(&body).send());
    }
    let mut confirmed = 0;
    while let Some(answer) = orders.join_next().await {
        let answer = answer.unwrap().expect("an answer");
        match answer.status().as_u16() {
            200 => confirmed += 1,
            504 => {}
            other => panic!("{other}: {}", answer.text().await.unwrap()),
        }
    }
    let state = eventually("the end of late work", || async {
        let busy = cafe.metric(&cafe.inventory, "inventory_work_in_progress").await;
        let state = cafe.state().await;
        (busy == 0.0).then_some(state)
    })
    .await;
    let (left, made) = (&state["stock"]["cake"], state["reservations"].as_u64().unwrap());
    assert_eq!(left.as_u64().unwrap() + made, PARALLEL, "{state}");
    assert!(made >= confirmed, "{confirmed} confirmed, {state}");
    assert!(confirmed > 0);
    let series = "order_outcomes_total{outcome=\"failed\"}";
    assert_eq!(cafe.metric(&cafe.order, series).await, 0.0);
}

/// Connects, says something a byte a second, and waits for the other to close.
async fn drip(url: String, first: &'static str, then: &'static str) -> (Duration, String) {
    let begun = Instant::now();
    let mut stream = TcpStream::connect(url.trim_start_matches("http://")).await.unwrap();
    stream.write_all(first.as_bytes()).await.unwrap();
    let (mut read, mut write) = stream.split();
    let talk = async {
        let mut second = interval(Duration::from_secs(1));
        for byte in then.bytes().cycle() {
            second.tick().await;
            if then.is_empty() || write.write_all(&[byte]).await.is_err() {
                break;
            }
        }
        std::future::pending::<()>().await;
    };
    let mut said = Vec::new();
    let listen = async {
        // A reset is an end as well.
        let _ = read.read_to_end(&mut said).await;
    };
    tokio::select! { () = talk => {}, () = listen => {} }
    (begun.elapsed(), String::from_utf8_lossy(&said).into_owned())
}

#[tokio::test]
async fn a_client_that_says_nothing_or_a_byte_a_second_is_closed_after_ten_seconds() {
    let cafe = Cafe::open().await;
    let head = "POST /orders HTTP/1.1\r\nhost: 127.0.0.1\r\n";
    let body = "POST /orders HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n{";
    let (order, inventory) = (&cafe.order, &cafe.inventory);
    let all = timeout(Duration::from_secs(40), async {
        tokio::join!(
            drip(order.clone(), "", ""),
            drip(inventory.clone(), "", ""),
            drip(order.clone(), head, "x-slow: very\r\n"),
            drip(order.clone(), body, " "),
        )
    });
    let (nothing, nothing_either, slow_head, slow_body) = all.await.expect("closed");
    for (took, said) in [nothing, nothing_either, slow_head] {
        assert!((9.0..25.0).contains(&took.as_secs_f64()), "{took:?}: {said}");
    }
    let (took, said) = slow_body;
    assert!((9.0..25.0).contains(&took.as_secs_f64()), "{took:?}: {said}");
    assert!(said.starts_with("HTTP/1.1 408 ") && said.contains("within 10 s"), "{said}");
    assert_eq!(cafe.order_cake("none", false).await.status, 200, "others are served all the while");
}
