//! The two lanes in spans and metrics, and the age of an order that stays unknown.

use campuscafe_tests::{Cafe, Process, eventually};
use serde_json::{Value, json};
use tokio::net::TcpListener;

fn order(chaos: &str, retry: bool, idempotent: bool) -> Value {
    json!({
        "itemId": "cake", "quantity": 1, "chaos": chaos, "retryOnTimeout": retry,
        "idempotent": idempotent, "attemptTimeoutMs": 300,
    })
}

/// What both services counted in a lane: names without labels, summed.
async fn counted(cafe: &Cafe, lane: &str) -> Vec<(String, f64)> {
    let mut sums = std::collections::BTreeMap::<String, f64>::new();
    for service in [&cafe.order, &cafe.inventory] {
        let page = cafe.page(&format!("{service}/metrics")).await;
        let label = format!("lane=\"{lane}\"");
        for line in page.lines().filter(|line| line.contains(&label)) {
            let (series, value) = line.rsplit_once(' ').expect("a value");
            let name = series.split('{').next().expect("a name");
            if !name.ends_with("_bucket") && !name.ends_with("_sum") {
                *sums.entry(name.to_owned()).or_default() +=
                    value.parse::<f64>().expect("a number");
            }
        }
    }
    sums.into_iter().filter(|(_, sum)| *sum > 0.0).collect()
}

#[tokio::test]
async fn an_order_counts_in_its_own_lane_alone_and_its_spans_name_it() {
    for (lane, other) in [("naive", "cured"), ("cured", "naive")] {
        let cafe = Cafe::open().await;
        let order = order("slow:800,none", true, lane == "cured");
        let told = cafe.send(cafe.http.post(format!("{}/orders", cafe.order)).json(&order)).await;
        assert_eq!((told.status, told.results()), (200, vec!["timeout", "ok"]), "{}", told.body);
        let expected = |name: &str, count| (name.to_owned(), count);
        let mut all = vec![
            expected("http_client_request_duration_seconds_count", 2.0),
            expected("inventory_reservations_total", if lane == "naive" { 2.0 } else { 1.0 }),
            expected("order_attempts_total", 2.0),
            expected("order_outcomes_total", 1.0),
            expected("order_retries_total", 1.0),
        ];
        if lane == "naive" {
            all.push(expected("inventory_duplicate_reservations_total", 1.0));
            all.push(expected("inventory_late_commits_total", 1.0));
        }
        all.sort_by(|one, other| one.0.cmp(&other.0));
        let spans = cafe.trace(told.text("traceId"), if lane == "naive" { 8 } else { 7 }).await;
        assert_eq!(counted(&cafe, lane).await, all, "{lane}");
        assert_eq!(counted(&cafe, other).await, [], "{lane}");
        let named = spans.iter().filter(|span| span.text("campuscafe.order.lane") == Some(lane));
        let mut names: Vec<_> = named.map(|span| &*span.name).collect();
        names.sort_unstable();
        names.retain(|name| *name != "commit reservation (late, duplicate)" || lane == "cured");
        let expected = [
            "POST /inventory/reserve",
            "POST /inventory/reserve (retry)",
            "POST /orders",
            "commit reservation",
        ];
        assert_eq!(names, expected, "{lane}");
        let commits = spans.iter().filter(|span| span.name.starts_with("commit"));
        let unnamed = commits.filter(|span| span.text("campuscafe.order.lane") != Some(lane));
        assert_eq!(unnamed.count(), 0, "{lane}");
    }
}

#[tokio::test]
async fn an_order_that_is_settled_is_timed_and_no_longer_unknown() {
    let cafe = Cafe::open().await;
    let order = order("lostreply", false, true);
    let told = cafe.send(cafe.http.post(format!("{}/orders", cafe.order)).json(&order)).await;
    assert_eq!(told.status, 202, "{}", told.body);
    eventually("the settlement", async || {
        let settled = "order_settled_total{result=\"confirmed\"}";
        (cafe.metric(&cafe.order, settled).await == 1.0).then_some(())
    })
    .await;
    for (series, value) in [
        ("order_settlement_duration_seconds_count", 1.0),
        ("order_unknown", 0.0),
        ("order_oldest_unknown_seconds", 0.0),
    ] {
        assert_eq!(cafe.metric(&cafe.order, series).await, value, "{series}");
    }
}

/// Takes connections and closes them without an answer.
async fn mute_inventory() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    tokio::spawn(async move { while listener.accept().await.is_ok() {} });
    url
}

#[tokio::test]
async fn an_order_that_nobody_settles_is_older_at_each_scrape() {
    let inventory = mute_inventory().await;
    let arguments = ["--listen", "127.0.0.1:0", "--inventory-url", &inventory];
    let mut service = Process::start("order", &arguments, &[]);
    let (url, http) = (service.address().await, reqwest::Client::new());
    let order = order("none", false, true);
    let told = http.post(format!("{url}/orders")).json(&order).send().await.unwrap();
    assert_eq!(told.status(), 202);
    let shown = async |series: &str| {
        let page = http.get(format!("{url}/metrics")).send().await.unwrap().text().await.unwrap();
        let value = page.lines().find_map(|line| line.strip_prefix(series));
        value.and_then(|value| value.trim().parse::<f64>().ok()).expect("a value")
    };
    assert_eq!(shown("order_unknown ").await, 1.0);
    let first = shown("order_oldest_unknown_seconds ").await;
    eventually("a greater age", async || {
        (shown("order_oldest_unknown_seconds ").await > first).then_some(())
    })
    .await;
}
