//! Damaged bytes in place of requests: no server error, and nothing is left behind.
//!
//! Well-formed requests with odd values are `scripts/check-openapi`'s, which makes
//! them from what the services say of themselves.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "helpers of tests fail like tests"
)]

mod damage;
mod services;

use std::cell::Cell;
use std::time::Duration;

use campuscafe_tests::DEADLINE;
use proptest::prelude::*;
use proptest::strategy::Union;
use proptest::test_runner::{Config, RngSeed, TestRunner};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;

use damage::{Bytes, damaged};
use services::Flooded;

/// Requests to each service. Another seed makes others.
const REQUESTS: u32 = 500;
const SEED: u64 = 20_260_101;

/// A server that has not closed by then waits for more, and is told that no more comes.
const PATIENCE: Duration = Duration::from_millis(50);

const CAKE: &str = r#"{"itemId":"cake","quantity":1}"#;
const INVENTORY: [(&str, &str); 9] = [
    ("GET /inventory/state", ""),
    ("GET /inventory/holds", ""),
    ("GET /inventory/ping?delayMs=1", ""),
    ("POST /inventory/holds/nobody/release", ""),
    ("POST /inventory/holds/nobody/cut", ""),
    ("POST /inventory/reset", ""),
    ("POST /inventory/reserve", CAKE),
    ("POST /inventory/deliveries", CAKE),
    ("GET /metrics", ""),
];
const ORDER: [(&str, &str); 3] =
    [("POST /orders", CAKE), ("GET /demo/out-of-order?count=many", ""), ("GET /readyz", "")];

/// Sends the bytes, and reads until the server closes.
async fn exchange(host: &str, bytes: &[u8]) -> Vec<u8> {
    let mut stream = TcpStream::connect(host).await.expect("connected");
    // Both may end in a reset: a server need not read what it refuses.
    let _ = stream.write_all(bytes).await;
    let mut answer = Vec::new();
    if timeout(PATIENCE, stream.read_to_end(&mut answer)).await.is_err() {
        let _ = stream.shutdown().await;
        let _ = timeout(DEADLINE, stream.read_to_end(&mut answer)).await.expect("it closes");
    }
    answer
}

/// The first digit of every status in an answer; an error if it is no HTTP. No
/// status is an answer as well: the server closed the connection.
fn classes(answer: &[u8]) -> Result<Vec<u8>, TestCaseError> {
    let status = |start: &[u8]| start.starts_with(b"HTTP/1.") && start.get(8) == Some(&b' ');
    prop_assert!(answer.is_empty() || status(answer), "no HTTP: {}", answer.escape_ascii());
    Ok(answer.windows(10).filter(|start| status(start)).map(|start| start[9]).collect())
}

#[test]
fn a_thousand_damaged_requests_get_no_server_error_and_harm_nothing() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let services = runtime.block_on(Flooded::start());
    let before = services.memory();
    let count = [const { Cell::new(0_u64) }; 256];
    for (host, requests) in services.hosts().into_iter().zip([&INVENTORY[..], &ORDER]) {
        let requests = requests.iter().map(|(line, body)| damaged(line, body, host));
        let config = Config {
            cases: REQUESTS,
            rng_seed: RngSeed::Fixed(SEED),
            failure_persistence: None,
            ..Config::default()
        };
        let any_request = Union::new(requests);
        let held = TestRunner::new(config).run(&any_request, |Bytes(bytes)| {
            let answer = runtime.block_on(exchange(host, &bytes));
            let classes = classes(&answer)?;
            prop_assert!(!classes.contains(&b'5'), "{}", answer.escape_ascii());
            classes
                .iter()
                .map(|class| &count[usize::from(*class)])
                .for_each(|n| n.set(n.get() + 1));
            Ok(())
        });
        held.unwrap_or_else(|failure| panic!("{failure}"));
    }
    let [fine, refused] = [b'2', b'4'].map(|class| count[usize::from(class)].get());
    println!("{fine} fine, {refused} refused");
    assert!(fine >= 30 && refused >= 300, "both are tried: {fine} fine, {refused} refused");
    runtime.block_on(services.assert_unharmed());
    services.assert_little_more_memory(before);
}
