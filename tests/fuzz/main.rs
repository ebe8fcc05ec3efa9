//! Whatever comes, made up from what each service says of itself: no failure
//! that the fault language was not asked for, and nothing that is left behind.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "helpers of tests fail like tests"
)]

mod dice;
mod document;
mod judge;
mod near_valid;
mod raw;
mod request;
mod services;
mod wire;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tokio::task::JoinSet;

use dice::SEED;
use document::Route;
use judge::judge;
use services::Flooded;
use wire::Wire;

/// Requests to each route that a service describes.
const REQUESTS: u64 = 10_000;

/// Requests to each of the operations, which take nothing that could be wrong,
/// and are the same code in both services.
const TO_OPERATIONS: u64 = 1_000;

/// Connections to each route. Some requests wait, so many must be under way;
/// the processor is busy with few.
const WORKERS: usize = 32;

/// The memory that a service may take more of, in KiB: the inventory remembers
/// requests (18 MiB at most), and an allocator keeps what a flood once needed.
const GROWTH: u64 = 48 * 1024;

/// How often each status came; 0 stands for a cut.
type Tally = BTreeMap<u16, u64>;

/// Tells which request it was when a check fails, so that it can be sent again.
struct Replay<'a>(&'a str, &'a str, &'a [u8]);

impl Drop for Replay<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let Self(case, address, bytes) = self;
            eprintln!("{case}, seed {SEED}, to {address}: b\"{}\"", bytes.escape_ascii());
        }
    }
}

/// Sends the route's next request until all are sent.
async fn send(route: Arc<Route>, next: Arc<AtomicU64>, requests: u64) -> (String, Tally) {
    let mut wire = Wire::to(&route.address);
    let mut tally = Tally::new();
    loop {
        let number = next.fetch_add(1, Ordering::Relaxed);
        if number >= requests {
            return (format!("{} {}", route.address, route.name()), tally);
        }
        let request = near_valid::request(&route, number);
        let bytes = request.bytes();
        let case = format!("request {number} to {}", route.name());
        let _replay = Replay(&case, &route.address, &bytes);
        let answer = wire.exchange(&bytes, request.method != "HEAD").await;
        judge(&case, &route, &request, answer.as_ref());
        *tally.entry(answer.map_or(0, |answer| answer.status)).or_default() += 1;
    }
}

/// Sends all requests to these routes, and tells what came of them by route.
async fn flood(routes: &[Arc<Route>], requests: u64) -> BTreeMap<String, Tally> {
    let mut workers = JoinSet::new();
    for route in routes {
        let next = Arc::new(AtomicU64::new(0));
        for _ in 0..WORKERS {
            workers.spawn(send(route.clone(), next.clone(), requests));
        }
    }
    let mut tallies = BTreeMap::<String, Tally>::new();
    let mut failures = 0;
    while let Some(done) = workers.join_next().await {
        let Ok((route, tally)) = done else {
            failures += 1;
            continue;
        };
        let sum = tallies.entry(route).or_default();
        for (status, times) in tally {
            *sum.entry(status).or_default() += times;
        }
    }
    for (route, tally) in &tallies {
        println!("{route}: {tally:?}");
    }
    assert_eq!(failures, 0, "workers met what must not be; each tells above which request it was");
    assert_eq!(tallies.len(), routes.len(), "each route has its tally");
    assert!(tallies.values().all(|tally| tally.values().sum::<u64>() == requests), "{tallies:?}");
    tallies
}

#[tokio::test]
async fn ten_thousand_near_valid_requests_to_each_route_get_no_failure_that_nobody_asked_for() {
    let services = Flooded::start().await;
    let before = services.memory();
    // The page of metrics grows with every status that came, so it goes first.
    let (described, operations): (Vec<_>, Vec<_>) =
        services.routes().await.into_iter().partition(|route| route.described);
    flood(&operations, TO_OPERATIONS).await;
    let tallies = flood(&described, REQUESTS).await;

    // A flood that is refused at the first door shows nothing.
    let times = |status| tallies.values().filter_map(|tally| tally.get(&status)).sum::<u64>();
    for status in [0, 200, 400, 404, 405, 409, 413, 415, 502, 503, 504] {
        assert!(times(status) >= 10, "{status} came {} times", times(status));
    }
    let came = |route: &str, status| {
        let tally = tallies.iter().find(|(name, _)| name.ends_with(route)).expect("a tally").1;
        tally.get(&status).copied().unwrap_or(0)
    };
    let [reserve, orders] = ["POST /inventory/reserve", "POST /orders"];
    let known = came(reserve, 200) + came(orders, 200);
    let unknown = came(reserve, 0) + came(orders, 504);
    let made = services.made().await;
    assert!((known..=known + unknown).contains(&made), "{made}, {known} known, {unknown} in doubt");

    services.assert_unharmed().await;
    let after = services.memory();
    println!("{made} reserved, {known} known, {unknown} in doubt; {before:?} KiB, now {after:?}");
    for (before, after) in before.into_iter().zip(after) {
        let grown = after.zip(before).map(|(after, before)| after.saturating_sub(before));
        assert!(grown.is_none_or(|grown| grown < GROWTH), "{grown:?} KiB more");
    }
}
