//! The retries of the cured lane, and the inventory that works a queue: who waits how long.

use std::collections::BTreeMap;
use std::time::Duration;

use order::{DEFAULT_ORDER_DEADLINE, DEFAULT_RETRY_BUDGET};
use serde_json::{Value, json};
use tokio::task::JoinSet;
use tokio::time::Instant;

use crate::cafe::Cafe;

const SEED: u64 = 4;

/// An order that never has an answer in time.
fn unanswered() -> Value {
    json!({
        "itemId": "cake", "quantity": 1, "chaos": "slow:30000", "retryOnTimeout": true,
        "idempotent": true,
    })
}

fn results(answer: &Value) -> Vec<&str> {
    let attempts = answer["attempts"].as_array().unwrap().iter();
    attempts.map(|attempt| attempt["result"].as_str().unwrap()).collect()
}

#[tokio::test(start_paused = true)]
async fn a_cured_order_makes_three_attempts_with_waits_between_them_within_its_deadline() {
    let cafe = Cafe::open_with("cake=100", SEED, None).await;
    let mut waited = Vec::new();
    for _ in 0..5 {
        let begun = Instant::now();
        let (status, answer) = cafe.post_order(&unanswered()).await;
        let took = begun.elapsed();
        assert_eq!((status, results(&answer)), (202, vec!["timeout"; 3]), "{answer}");
        let attempts: u64 = answer["attempts"]
            .as_array()
            .unwrap()
            .iter()
            .map(|a| a["durationMs"].as_u64().unwrap())
            .sum();
        waited.push(took - Duration::from_millis(attempts));
        assert!(took <= DEFAULT_ORDER_DEADLINE + Duration::from_millis(50), "{took:?}");
    }
    // Each wait is rolled: none is longer than 0.1 s and 0.2 s, and they are not all alike.
    assert!(waited.iter().all(|wait| *wait <= Duration::from_millis(310)), "{waited:?}");
    waited.sort();
    assert!(waited[4] - waited[0] > Duration::from_millis(10), "{waited:?}");
    assert_eq!(cafe.counter("order_retries_total{lane=\"cured\"}"), 10, "the reserve");
}

#[tokio::test(start_paused = true)]
async fn when_every_order_times_out_a_tenth_of_them_is_retried_beyond_the_reserve() {
    const ORDERS: u32 = 101;
    let cafe = Cafe::open_with("cake=1000", SEED, None).await;
    for _ in 0..ORDERS {
        let (status, answer) = cafe.post_order(&unanswered()).await;
        assert_eq!((status, &answer["outcome"]), (202, &json!("unknown")), "{answer}");
    }
    let earned = (f64::from(ORDERS - 1) * DEFAULT_RETRY_BUDGET).round() as u64;
    assert_eq!(cafe.counter("order_retries_total{lane=\"cured\"}"), 10 + earned);
    let refused = cafe.counter("order_retries_refused_total{reason=\"budget\",lane=\"cured\"}");
    assert!(refused >= 80, "{refused}");
    assert_eq!(cafe.counter("order_retries_refused_total{reason=\"deadline\",lane=\"cured\"}"), 0);
}

#[tokio::test(start_paused = true)]
async fn an_attempt_as_long_as_the_deadline_is_not_retried() {
    let cafe = Cafe::open_with("cake=10", SEED, None).await;
    let mut order = unanswered();
    order["attemptTimeoutMs"] = 3_000.into();
    let (status, answer) = cafe.post_order(&order).await;
    assert_eq!((status, results(&answer)), (202, vec!["timeout"]), "{answer}");
    assert_eq!(cafe.counter("order_retries_refused_total{reason=\"deadline\",lane=\"cured\"}"), 1);
    assert_eq!(cafe.counter("order_retries_total{lane=\"cured\"}"), 0);
}

#[tokio::test(start_paused = true)]
async fn a_capacity_works_requests_in_order_of_arrival_at_its_rate() {
    let cafe = Cafe::open_with("cake=100,coffee=1", SEED, Some(10)).await;
    let begun = Instant::now();
    let mut customers = JoinSet::new();
    for number in 0..8_u64 {
        let cafe = cafe.clone();
        customers.spawn(async move {
            // One after the other, but far faster than they are worked.
            tokio::time::sleep(Duration::from_millis(10 * number)).await;
            let order = json!({"itemId": "cake", "quantity": 1, "attemptTimeoutMs": 5_000});
            let (status, answer) = cafe.post_order(&order).await;
            assert_eq!(status, 200, "{answer}");
            (number, begun.elapsed())
        });
    }
    let mut answered = Vec::new();
    while let Some(customer) = customers.join_next().await {
        answered.push(customer.unwrap());
    }
    for (place, (number, after)) in (0..).zip(&answered) {
        assert_eq!(*number, place, "{answered:?}");
        let due = Duration::from_millis(100 * (place + 1));
        assert!(*after >= due && *after < due + Duration::from_millis(50), "{answered:?}");
    }
    assert_eq!(cafe.counter("inventory_queue_length"), 0);
}

#[tokio::test(start_paused = true)]
async fn a_request_in_the_queue_is_worked_although_its_caller_has_left() {
    let cafe = Cafe::open_with("cake=100,coffee=1", SEED, Some(10)).await;
    let mut customers = JoinSet::new();
    for _ in 0..30 {
        let cafe = cafe.clone();
        let order = json!({"itemId": "cake", "quantity": 1});
        customers.spawn(async move { cafe.post_order(&order).await.0 });
    }
    let mut told = BTreeMap::<u16, u64>::new();
    while let Some(status) = customers.join_next().await {
        *told.entry(status.unwrap()).or_default() += 1;
    }
    let (waiting, done) =
        (cafe.counter("inventory_queue_length"), cafe.counter("inventory_reservations_total"));
    assert!(waiting > 10 && waiting + done == 30, "{waiting}, {done}, {told:?}");
    tokio::time::sleep(Duration::from_secs(3)).await;
    // The tenth is done at 1 s, which is when its caller gives up.
    assert!(told[&504] >= 20 && told[&200] >= 9, "{told:?}");
    assert_eq!(cafe.state().await.0["cake"], 70);
    assert!((20..=21).contains(&cafe.counter("inventory_late_commits_total")), "{told:?}");
    assert_eq!(cafe.counter("inventory_queue_length"), 0);
}
