//! Nothing that a caller sends, and nobody who does not read, makes telemetry
//! grow or hold a service up.

use std::time::Duration;

use campuscafe_tests::{Cafe, Process, eventually};
use reqwest::{Client, StatusCode};
use serde_json::json;
use tokio::task::JoinSet;

/// What a value from outside may have, in bytes.
const LONGEST: usize = 256;

/// An inventory whose stderr is a pipe that nobody reads.
async fn inventory_with_unread_stderr() -> (Process, String) {
    let settings =
        [("INVENTORY_STOCK", "cake=1000"), ("RUST_LOG", "debug"), ("LOG_FORMAT", "json")];
    let arguments = ["--listen", "127.0.0.1:0"];
    let mut inventory = Process::start_with_unread_stderr("inventory", &arguments, &settings);
    let url = inventory.address().await;
    (inventory, url)
}

/// Has that inventory refuse so much that its log lines fill the pipe and the
/// queue; gives how many it has dropped.
async fn flood(http: &Client, url: &str) -> u64 {
    let mut customers = JoinSet::new();
    for _ in 0..8 {
        let (http, url) = (http.clone(), format!("{url}/inventory/reserve"));
        customers.spawn(async move {
            let wish = json!({ "itemId": "x".repeat(200), "quantity": 1 });
            for _ in 0..1_000 {
                // Each refusal is a line or two.
                let told = http.post(&url).json(&wish).send().await.unwrap();
                assert_eq!(told.status(), StatusCode::CONFLICT);
            }
        });
    }
    while let Some(customer) = customers.join_next().await {
        customer.unwrap();
    }
    let page = http.get(format!("{url}/metrics")).send().await.unwrap().text().await.unwrap();
    let dropped = page.lines().find_map(|l| l.strip_prefix("telemetry_log_lines_dropped_total "));
    dropped.expect("counted").parse().unwrap()
}

fn client() -> Client {
    Client::builder().no_proxy().timeout(Duration::from_secs(20)).build().unwrap()
}

#[tokio::test]
async fn a_service_whose_stderr_nobody_reads_goes_on_and_ends() {
    let (mut inventory, url) = inventory_with_unread_stderr().await;
    let http = client();
    assert!(flood(&http, &url).await > 0, "lines are dropped, and counted");
    let healthy = http.get(format!("{url}/healthz")).send().await.unwrap();
    assert_eq!(healthy.status(), StatusCode::OK);
    let wish = json!({ "itemId": "cake", "quantity": 1 });
    let reserve = http.post(format!("{url}/inventory/reserve")).json(&wish);
    assert_eq!(reserve.send().await.unwrap().status(), StatusCode::OK);
    inventory.signal("TERM");
    assert_eq!(inventory.ended().await.code(), Some(0));
}

const MISSING: &str = "log lines were dropped";

/// How many lines this line of the log says are missing, if it says so.
fn missing(line: &str) -> Option<u64> {
    let line: serde_json::Value = serde_json::from_str(line).expect("a whole line");
    (line["message"] == MISSING).then(|| line["lines"].as_u64().unwrap())
}

#[tokio::test]
async fn a_log_says_how_many_lines_are_missing_from_it() {
    let (mut inventory, url) = inventory_with_unread_stderr().await;
    let dropped = flood(&client(), &url).await;
    inventory.read_stderr();
    // Read again and again until it is there, so the lines are not parsed yet.
    let told = |line: &str| line.contains(MISSING).then_some(());
    inventory.said_aside("lines that are missing", told).await;
    inventory.signal("TERM");
    assert_eq!(inventory.ended().await.code(), Some(0));
    let told: u64 = inventory.stderr().lines().filter_map(missing).sum();
    assert_eq!(told, dropped);
}

/// The series of `/metrics`, without their values.
async fn series(cafe: &Cafe, service: &str) -> Vec<String> {
    let page = cafe.page(&format!("{service}/metrics")).await;
    let series = page.lines().filter(|line| !line.starts_with('#') && !line.is_empty());
    let mut series: Vec<_> =
        series.map(|line| line.rsplit_once(' ').unwrap().0.to_owned()).collect();
    series.sort();
    series
}

#[tokio::test]
async fn no_request_makes_a_series_that_was_not_there_from_the_start() {
    let cafe = Cafe::open_with(&[("RUST_LOG", "warn"), ("INVENTORY_STOCK", "cake=1000")]).await;
    let before = [series(&cafe, &cafe.inventory).await, series(&cafe, &cafe.order).await];
    for status in 400..600 {
        let told = cafe.order_cake(&format!("fail:{status}"), false).await;
        assert!([400, 409, 502].contains(&told.status), "{status}: {}", told.body);
    }
    for base in [&cafe.order, &cafe.inventory] {
        for method in ["GET", "PUT", "DELETE", "OPTIONS", "HEAD", "PURGE"] {
            let method = reqwest::Method::from_bytes(method.as_bytes()).unwrap();
            for path in ["/orders", "/inventory/reserve", "/inventory/ping", "/nowhere"] {
                let request = cafe.http.request(method.clone(), format!("{base}{path}"));
                assert!(request.send().await.unwrap().status().as_u16() < 500);
            }
        }
    }
    let after = [series(&cafe, &cafe.inventory).await, series(&cafe, &cafe.order).await];
    for (before, after) in before.iter().zip(&after) {
        let new: Vec<_> = after.iter().filter(|one| before.binary_search(one).is_err()).collect();
        assert!(new.is_empty(), "{new:#?}");
        assert_eq!(before.len(), after.len());
    }
    let other = r#"http_server_request_duration_seconds_count{http_request_method="POST",http_route="/inventory/reserve",http_response_status_code="other"}"#;
    assert!(cafe.metric(&cafe.inventory, other).await >= 190.0, "folded, and not lost");
}

#[tokio::test]
async fn values_from_outside_are_cut_before_they_reach_a_span_or_a_log_line() {
    let cafe = Cafe::open_with(&[("RUST_LOG", "debug"), ("LOG_FORMAT", "json")]).await;
    let trace = "4bf92f3577b34da6a3ce929d0e0e4736";
    let long = "\u{e9}".repeat(2_000);
    let request = cafe
        .http
        .post(format!("{}/inventory/reserve", cafe.inventory))
        .query(&[("chaos", &long)])
        .header("user-agent", "u".repeat(3_000))
        .header("traceparent", format!("00-{trace}-00f067aa0ba902b7-01"));
    let told = cafe.send(request.json(&json!({ "itemId": "cake", "quantity": 1 }))).await;
    assert_eq!(told.status, 400, "{}", told.body);
    let url = format!("{}/inventory/reserve", cafe.inventory);
    let request = cafe.http.post(url).json(&json!({ "itemId": long, "quantity": 1 }));
    assert_eq!(cafe.send(request).await.status, 409);

    let spans = cafe.trace(trace, 1).await;
    let mut cut = 0;
    for (name, value) in spans.iter().flat_map(|span| &span.attributes) {
        let Some(text) = value["stringValue"].as_str() else { continue };
        assert!(text.len() <= LONGEST, "{name}: {} bytes", text.len());
        cut += usize::from(text.ends_with('…'));
    }
    assert_eq!(cut, 2, "the query and the user agent, marked: {spans:?}");

    let lines = eventually("the refusals' lines", || async {
        let log = cafe.process.stderr();
        let lines: Vec<serde_json::Value> =
            log.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
        lines.iter().any(|line| line["item"].is_string()).then_some(lines)
    })
    .await;
    for line in lines {
        for (name, value) in line.as_object().unwrap() {
            let length = value.as_str().map_or(0, str::len);
            assert!(length <= LONGEST, "{name}: {length} bytes");
        }
    }
}
