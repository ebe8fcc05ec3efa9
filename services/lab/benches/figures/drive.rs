//! Customers that order one after the other, as fast as they are answered.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::Instant;

/// Customers at once.
pub(crate) const CUSTOMERS: usize = 16;

const WARM_UP: Duration = Duration::from_millis(300);

/// An order without a key.
pub(crate) const NAIVE: &str = r#"{"itemId":"cake","quantity":1}"#;

/// An order with one.
pub(crate) const CURED: &str = r#"{"itemId":"cake","quantity":1,"idempotent":true}"#;

#[derive(Debug, Clone, Copy)]
pub(crate) struct Round {
    pub(crate) rate: f64,
    pub(crate) p99_ms: f64,
}

/// One round of ordering.
pub(crate) async fn round(url: &str, order: &'static str, measured: Duration) -> Round {
    customers(url, order, |begun, _| begun.elapsed() < WARM_UP).await;
    let mut times = customers(url, order, move |begun, _| begun.elapsed() < measured).await;
    times.sort_unstable();
    let p99 = times.get(times.len() * 99 / 100).copied().unwrap_or_default();
    let rate = times.len() as f64 / measured.as_secs_f64();
    Round { rate, p99_ms: p99.as_secs_f64() * 1_000.0 }
}

/// That many orders, by whoever comes first.
pub(crate) async fn orders(url: &str, order: &'static str, count: u64) {
    customers(url, order, move |_, number| number < count).await;
}

/// The time of every order, placed while `more` says so.
async fn customers(
    url: &str,
    order: &'static str,
    more: impl Fn(Instant, u64) -> bool + Copy + Send + 'static,
) -> Vec<Duration> {
    let client = reqwest::Client::builder().no_proxy().build().expect("a client");
    let number = Arc::new(AtomicU64::new(0));
    let begun = Instant::now();
    let mut all = JoinSet::new();
    for _ in 0..CUSTOMERS {
        let (client, url, number) = (client.clone(), format!("{url}/orders"), number.clone());
        all.spawn(async move {
            let mut times = Vec::new();
            while more(begun, number.fetch_add(1, Ordering::Relaxed)) {
                let sent = Instant::now();
                let request = client.post(&url).header("content-type", "application/json");
                let answer = request.body(order).send().await;
                let answer = answer.expect("an answer").error_for_status().expect("a good one");
                answer.bytes().await.expect("read whole");
                times.push(sent.elapsed());
            }
            times
        });
    }
    all.join_all().await.concat()
}
