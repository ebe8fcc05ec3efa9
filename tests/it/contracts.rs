//! What dashboards, scripts and readers of the API rely on, pinned.
//!
//! A change here is a change for them. After a change that is meant, run with
//! `INSTA_UPDATE=always`, and read what the snapshots say now.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Read as _;

use campuscafe_tests::{Answer, Cafe, Process, eventually};
use reqwest::{Client, Method};
use serde_json::{Value, json};

const VERSION: &str = env!("CARGO_PKG_VERSION");
const HISTOGRAM_PARTS: [&str; 3] = ["_bucket", "_sum", "_count"];

/// A service alone, right after its start.
async fn alone(program: &str, environment: &[(&str, &str)]) -> (Process, String) {
    let mut service = Process::start(program, &["--listen", "127.0.0.1:0"], environment);
    let url = service.address().await;
    (service, url)
}

/// One metric as a scrape shows it.
#[derive(Debug, Default)]
struct Metric {
    kind: String,
    help: String,
    /// Labels without `le`, and the value unless it is a histogram's.
    series: BTreeSet<String>,
    label_names: BTreeSet<String>,
    /// The bucket edges of each series of a histogram.
    edges: BTreeMap<String, Vec<String>>,
}

/// Reads the text format by hand; fails where it is not well formed.
fn metrics_of(page: &str) -> BTreeMap<String, Metric> {
    let mut all = BTreeMap::<String, Metric>::new();
    for line in page.lines().filter(|line| !line.is_empty()) {
        if let Some(comment) = line.strip_prefix("# ") {
            let [word, name, text] = comment.splitn(3, ' ').collect::<Vec<_>>()[..] else {
                panic!("half a comment: {line}")
            };
            let metric = all.entry(name.to_owned()).or_default();
            let field = if word == "HELP" { &mut metric.help } else { &mut metric.kind };
            assert_eq!(field, "", "said twice: {line}");
            text.clone_into(field);
            continue;
        }
        let (series, value) = line.rsplit_once(' ').expect("a value");
        let (name, labels) = series.split_once('{').unwrap_or((series, "}"));
        let base = HISTOGRAM_PARTS.iter().find_map(|part| name.strip_suffix(part));
        let base = base.filter(|base| all.contains_key(*base));
        let metric = all.get_mut(base.unwrap_or(name)).expect("HELP and TYPE come first");
        // No label value of ours has a comma or a quote in it.
        let labels: Vec<_> = labels.trim_end_matches('}').split(',').collect();
        let (edge, labels): (Vec<_>, Vec<_>) =
            labels.into_iter().partition(|label| label.starts_with("le="));
        metric
            .label_names
            .extend(labels.iter().filter_map(|label| Some(label.split_once('=')?.0.to_owned())));
        let labels = format!("{{{}}}", labels.join(","));
        if base.is_none() {
            metric.series.insert(format!("{labels} {value}"));
            continue;
        }
        assert_eq!(value, "0", "not yet counted: {line}");
        if let [edge] = edge[..] {
            let edge = edge.trim_start_matches("le=").trim_matches('"').to_owned();
            metric.edges.entry(labels.clone()).or_default().push(edge);
        }
        metric.series.insert(labels);
    }
    all
}

/// The metrics as sorted text: names, kinds, helps, label sets, edges.
fn described(metrics: &BTreeMap<String, Metric>) -> String {
    let mut text = String::new();
    for (name, metric) in metrics {
        text += &format!("# {name} ({}): {}\n", metric.kind, metric.help);
        for series in &metric.series {
            let series = series.replace(&format!("\"{VERSION}\""), "\"[version]\"");
            text += &format!("{name}{series}\n");
        }
        let edges: BTreeSet<_> = metric.edges.values().map(|edges| edges.join(" ")).collect();
        assert!(edges.len() <= 1, "{name} has the same edges in every series");
        for edges in edges {
            text += &format!("{name} le {edges}\n");
        }
        text.push('\n');
    }
    text
}

/// Metrics with their kinds and label names.
type Expected = [(&'static str, &'static str, &'static [&'static str])];

const INVENTORY_METRICS: &Expected = &[
    ("inventory_reservations_total", "counter", &["item", "lane"]),
    ("inventory_duplicate_reservations_total", "counter", &["item", "lane"]),
    ("inventory_late_commits_total", "counter", &["item", "lane"]),
    ("inventory_stock", "gauge", &["item"]),
    ("inventory_work_in_progress", "gauge", &[]),
    ("inventory_shed_requests_total", "counter", &["kind"]),
    ("inventory_faults_total", "counter", &["fault"]),
    ("inventory_fault_reservations_total", "counter", &["fault"]),
    ("inventory_deliveries_total", "counter", &["item"]),
    ("inventory_history_evicted_total", "counter", &["history"]),
    ("inventory_idempotency_keys", "gauge", &[]),
    ("inventory_queue_length", "gauge", &[]),
    ("inventory_idempotent_replays_total", "counter", &[]),
    ("inventory_voided_commits_total", "counter", &[]),
    ("inventory_settled_keys_total", "counter", &["result"]),
    ("inventory_cancelled_reservations_total", "counter", &["item", "lane"]),
    ("inventory_notifications_total", "counter", &["state", "result"]),
    ("inventory_notifications_forgotten_total", "counter", &[]),
    ("inventory_price_changes_total", "counter", &["result"]),
    ("inventory_store_errors_total", "counter", &["reason", "result"]),
    ("http_server_request_duration_seconds", "histogram", SERVER_LABELS),
    ("http_server_connections", "gauge", &[]),
    ("http_server_connections_closed_total", "counter", &["reason"]),
    ("http_server_refused_requests_total", "counter", &["reason"]),
    ("telemetry_spans_exported_total", "counter", &[]),
    ("telemetry_spans_dropped_total", "counter", &["reason"]),
    ("telemetry_spans_queued", "gauge", &[]),
    ("telemetry_log_records_exported_total", "counter", &[]),
    ("telemetry_log_records_dropped_total", "counter", &["reason"]),
    ("telemetry_log_records_queued", "gauge", &[]),
    ("telemetry_log_lines_dropped_total", "counter", &[]),
    ("campuscafe_build_info", "gauge", &["version"]),
];
const ORDER_METRICS: &Expected = &[
    ("order_outcomes_total", "counter", &["outcome", "lane"]),
    ("order_attempts_total", "counter", &["result", "fault", "lane"]),
    ("order_retries_refused_total", "counter", &["reason", "lane"]),
    ("order_retries_total", "counter", &["lane"]),
    ("order_unknown", "gauge", &[]),
    ("order_oldest_unknown_seconds", "gauge", &[]),
    ("order_settlement_duration_seconds", "histogram", &[]),
    ("order_settled_total", "counter", &["result"]),
    ("order_idempotent_replays_total", "counter", &[]),
    ("order_store_errors_total", "counter", &[]),
    ("order_cancels_total", "counter", &["result", "state", "lane"]),
    ("order_notifications_total", "counter", &["state", "result"]),
    ("order_reordered_replies_total", "counter", &[]),
    ("order_last_reordering_position", "gauge", &["sent"]),
    ("order_work_in_progress", "gauge", &[]),
    ("order_shed_requests_total", "counter", &["kind"]),
    ("http_server_request_duration_seconds", "histogram", SERVER_LABELS),
    ("http_server_refused_requests_total", "counter", &["reason"]),
    ("http_client_request_duration_seconds", "histogram", CLIENT_LABELS),
    ("http_server_connections", "gauge", &[]),
    ("http_server_connections_closed_total", "counter", &["reason"]),
    ("telemetry_spans_exported_total", "counter", &[]),
    ("telemetry_spans_dropped_total", "counter", &["reason"]),
    ("telemetry_spans_queued", "gauge", &[]),
    ("telemetry_log_records_exported_total", "counter", &[]),
    ("telemetry_log_records_dropped_total", "counter", &["reason"]),
    ("telemetry_log_records_queued", "gauge", &[]),
    ("telemetry_log_lines_dropped_total", "counter", &[]),
    ("campuscafe_build_info", "gauge", &["version"]),
];
const SERVER_LABELS: &[&str] = &["http_request_method", "http_route", "http_response_status_code"];
const CLIENT_LABELS: &[&str] =
    &["http_request_method", "url_template", "lane", "http_response_status_code", "error_type"];

#[tokio::test]
async fn every_metric_is_there_at_zero_right_after_the_start() {
    for (program, expected) in [("inventory", INVENTORY_METRICS), ("order", ORDER_METRICS)] {
        let (_service, url) = alone(program, &[("RUST_LOG", "warn")]).await;
        let scrape = Client::new().get(format!("{url}/metrics")).send().await.unwrap();
        assert_eq!(scrape.status(), 200);
        assert_eq!(scrape.headers()["content-type"], "text/plain; version=0.0.4; charset=utf-8");
        let page = scrape.text().await.unwrap();
        assert!(page.ends_with('\n'), "the format asks for it");
        let metrics = metrics_of(&page);
        for (name, kind, labels) in expected {
            let metric = metrics.get(*name).unwrap_or_else(|| panic!("no {name} in\n{page}"));
            assert_eq!(metric.kind, *kind, "{name}");
            assert!(!metric.help.is_empty(), "{name}");
            let labels: BTreeSet<_> = labels.iter().map(|&label| label.to_owned()).collect();
            assert_eq!(metric.label_names, labels, "{name}");
            for edges in metric.edges.values() {
                for moment in ["1", "1.05", "1.5", "1.55", "2", "2.05", "+Inf"] {
                    assert!(edges.iter().any(|edge| edge == moment), "{name}: {edges:?}");
                }
            }
        }
        assert_eq!(metrics.len(), expected.len(), "nothing that is not listed");
        insta::assert_snapshot!(format!("{program}_metrics"), described(&metrics));
    }
}

async fn description(url: &str) -> Value {
    let text = Client::new().get(format!("{url}/openapi.json")).send().await.unwrap();
    assert_eq!(text.headers()["content-type"], "application/json");
    text.json().await.unwrap()
}

/// Path, method and description of every call.
fn calls(description: &Value) -> Vec<(&str, &str, &Value)> {
    let paths = description["paths"].as_object().expect("paths");
    paths
        .iter()
        .flat_map(|(path, item)| {
            let methods = item.as_object().expect("methods").iter();
            methods.map(|(method, call)| (path.as_str(), method.as_str(), call))
        })
        .collect()
}

#[tokio::test]
async fn each_service_describes_all_its_calls() {
    let cafe = Cafe::open().await;
    for (program, url, listed) in [
        (
            "inventory",
            &cafe.inventory,
            &[
                ("/inventory/deliveries", "post"),
                ("/inventory/holds", "get"),
                ("/inventory/holds/{requestId}/cut", "post"),
                ("/inventory/holds/{requestId}/release", "post"),
                ("/inventory/items/{item}/price", "get"),
                ("/inventory/items/{item}/price", "put"),
                ("/inventory/keys", "get"),
                ("/inventory/keys/{key}", "delete"),
                ("/inventory/keys/{key}/settle", "post"),
                ("/inventory/notifications", "post"),
                ("/inventory/notifications/{orderId}", "get"),
                ("/inventory/ping", "get"),
                ("/inventory/reservations", "delete"),
                ("/inventory/reservations/{reservationId}", "delete"),
                ("/inventory/reserve", "post"),
                ("/inventory/reset", "post"),
                ("/inventory/state", "get"),
            ][..],
        ),
        (
            "order",
            &cafe.order,
            &[
                ("/demo/out-of-order", "get"),
                ("/orders", "get"),
                ("/orders", "post"),
                ("/orders/{orderId}", "get"),
                ("/orders/{orderId}", "delete"),
            ],
        ),
        (
            "lab",
            &cafe.lab,
            &[
                ("/api/marks", "post"),
                ("/api/runs", "get"),
                ("/api/runs", "post"),
                ("/api/runs/{id}", "get"),
                ("/api/runs/{id}.md", "get"),
                ("/api/runs/{id}/decision", "post"),
                ("/api/runs/{id}/events", "get"),
                ("/api/services", "get"),
                ("/api/traces", "get"),
                ("/api/traces/{id}", "get"),
                ("/api/traces/{id}/logs", "get"),
                ("/v1/logs", "post"),
                ("/v1/traces", "post"),
            ],
        ),
    ] {
        let mut description = description(url).await;
        let found: Vec<_> =
            calls(&description).iter().map(|(path, method, _)| (*path, *method)).collect();
        assert_eq!(found, listed, "{program}");
        assert_eq!(description["info"]["version"], VERSION, "{program}");
        description["info"]["version"] = "[version]".into();
        let pretty = serde_json::to_string_pretty(&description).unwrap();
        insta::assert_snapshot!(format!("{program}_openapi"), pretty);
    }
}

#[tokio::test]
async fn every_call_that_is_described_answers_with_a_status_that_is_described() {
    let cafe = Cafe::open().await;
    for url in [&cafe.inventory, &cafe.order] {
        let description = description(url).await;
        for (path, method, call) in calls(&description) {
            let case = format!("{method} {path}");
            let to = format!("{url}{}", path.replace("{requestId}", "nobody"));
            let method: Method = method.to_uppercase().parse().unwrap();
            let answer = cafe.send(cafe.http.request(method, to)).await;
            assert!(!answer.text("type").ends_with(":no-such-path"), "{case}");
            let described = call["responses"].get(answer.status.to_string());
            assert!(described.is_some(), "{case} gave {}: {}", answer.status, answer.body);
        }
    }
}

#[tokio::test]
async fn every_response_is_described_and_every_refusal_as_a_problem() {
    let cafe = Cafe::open().await;
    let mut amiss = Vec::new();
    for url in [&cafe.inventory, &cafe.order] {
        let description = description(url).await;
        for (path, method, call) in calls(&description) {
            for (status, response) in call["responses"].as_object().unwrap() {
                let case = format!("{method} {path} {status}");
                // OpenAPI 3.1.0, 4.8.17: the description of a response is required.
                if response["description"].as_str().is_none_or(str::is_empty) {
                    amiss.push(format!("{case}: no description"));
                }
                let refused = status.starts_with(['4', '5']);
                let expected =
                    if refused { "application/problem+json" } else { "application/json" };
                let found: Vec<_> = response["content"].as_object().unwrap().keys().collect();
                if found != [expected] {
                    amiss.push(format!("{case}: {found:?}, but it is {expected}"));
                }
            }
        }
    }
    assert!(amiss.is_empty(), "{amiss:#?}");
}

fn unpacked(gzip: &[u8]) -> Vec<u8> {
    let mut body = Vec::new();
    flate2::read::GzDecoder::new(gzip).read_to_end(&mut body).unwrap();
    body
}

#[tokio::test]
async fn the_api_pages_come_whole_from_the_service_itself() {
    let cafe = Cafe::open().await;
    for url in [&cafe.inventory, &cafe.order] {
        let get = async |path: &str| {
            let response = cafe.http.get(format!("{url}{path}")).send().await.unwrap();
            assert_eq!(response.status(), 200, "{path}");
            let media_type = response.headers()["content-type"].to_str().unwrap().to_owned();
            let packed = response.headers().get("content-encoding").is_some_and(|it| it == "gzip");
            let body = response.bytes().await.unwrap().to_vec();
            (media_type, if packed { unpacked(&body) } else { body })
        };
        let (media_type, page) = get("/swagger/").await;
        assert!(media_type.starts_with("text/html"), "{media_type}");
        let page = String::from_utf8(page).unwrap();
        assert!(!page.contains("://") && !page.contains("\"//"), "another host in {page}");
        let assets: Vec<_> = [" src=\"", " href=\""]
            .iter()
            .flat_map(|attribute| page.split(attribute).skip(1))
            .filter_map(|rest| rest.split('"').next())
            .collect();
        assert!(assets.len() >= 5, "{assets:?}");
        for asset in assets {
            let path = format!("/swagger/{}", asset.trim_start_matches("./"));
            let (media_type, body) = get(&path).await;
            assert!(!body.is_empty(), "{path}");
            let expected = match asset.rsplit('.').next().unwrap() {
                "js" => "javascript",
                "css" => "text/css",
                "png" => "image/png",
                other => panic!("an asset of a new kind: {other}"),
            };
            assert!(media_type.contains(expected), "{path} is {media_type}");
            if asset.contains("initializer") {
                let script = String::from_utf8(body).unwrap();
                assert!(script.contains("\"/openapi.json\""), "{script}");
                assert!(!script.contains("://"), "another host in {script}");
            }
        }
        assert_eq!(get("/swagger").await.1, page.as_bytes(), "with or without the last slash");
    }
}

fn is_hex_id(text: &str) -> bool {
    text.len() == 32 && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
}

/// The body with what differs from run to run checked and replaced.
fn redacted(body: &Value) -> Value {
    fn redact(value: &mut Value) {
        match value {
            Value::Array(list) => list.iter_mut().for_each(redact),
            Value::Object(members) => {
                for (name, member) in members {
                    match (name.as_str(), &*member) {
                        ("reservationId" | "orderId" | "traceId", Value::String(text)) => {
                            assert!(is_hex_id(text), "{name} is {text}");
                            *member = "[32 hex]".into();
                        }
                        ("at", Value::String(text)) => {
                            humantime::parse_rfc3339(text).unwrap();
                            *member = "[RFC 3339]".into();
                        }
                        ("durationMs" | "heldMs", Value::Number(number)) => {
                            assert!(number.is_u64(), "{name} is {number}");
                            *member = "[ms]".into();
                        }
                        _ => redact(member),
                    }
                }
            }
            _ => {}
        }
    }
    let mut body = body.clone();
    redact(&mut body);
    body
}

/// The body of a 200 in one line.
fn success(answer: &Answer) -> String {
    assert_eq!(answer.status, 200, "{}", answer.body);
    assert_eq!(answer.headers["content-type"], "application/json");
    redacted(&answer.body).to_string()
}

/// An answer under the call it answers, with its media type.
fn entry(call: &str, answer: &Answer) -> String {
    let media_type = answer.headers["content-type"].to_str().unwrap();
    let body = serde_json::to_string_pretty(&redacted(&answer.body)).unwrap();
    format!("{call}\n{} {media_type}\n{body}\n\n", answer.status)
}

#[tokio::test]
async fn what_the_inventory_answers_has_its_shape() {
    let cafe = Cafe::open_with(&[("INVENTORY_STOCK", "coffee=20,Cake=10")]).await;
    let get =
        async |path: &str| cafe.send(cafe.http.get(format!("{}{path}", cafe.inventory))).await;
    let post =
        async |path: &str| cafe.send(cafe.http.post(format!("{}{path}", cafe.inventory))).await;
    for service in [&cafe.inventory, &cafe.order] {
        assert_eq!(cafe.page(&format!("{service}/healthz")).await, "ok\n");
        assert_eq!(cafe.page(&format!("{service}/readyz")).await, "ready\n");
    }
    let state = cafe.page(&format!("{}/inventory/state", cafe.inventory)).await;
    insta::assert_snapshot!(state, @r#"{"stock":{"cake":10,"coffee":20},"reservations":0}"#);
    insta::assert_snapshot!(
        success(&get("/inventory/ping?delayMs=3").await),
        @r#"{"ok":true,"delayMs":3,"at":"[RFC 3339]"}"#
    );
    insta::assert_snapshot!(
        success(&get("/inventory/ping").await),
        @r#"{"ok":true,"delayMs":0,"at":"[RFC 3339]"}"#
    );
    insta::assert_snapshot!(
        success(&cafe.send(cafe.reserve_cake("none", "one")).await),
        @r#"{"reservationId":"[32 hex]","itemId":"cake","quantity":1}"#
    );
    insta::assert_snapshot!(success(&get("/inventory/holds").await), @r#"{"holds":[]}"#);

    let held = tokio::spawn(cafe.reserve_cake("hold:30000", "doubt").send());
    cafe.hold().await;
    let mut transcript = entry("GET /inventory/holds", &get("/inventory/holds").await);
    let release = "/inventory/holds/doubt/release";
    insta::assert_snapshot!(
        success(&post(release).await),
        @r#"{"requestId":"doubt","released":1}"#
    );
    assert_eq!(held.await.unwrap().unwrap().status(), 200);
    insta::assert_snapshot!(
        success(&get("/inventory/state").await),
        @r#"{"stock":{"cake":8,"coffee":20},"reservations":2}"#
    );
    insta::assert_snapshot!(
        success(&post("/inventory/reset").await),
        @r#"{"stock":{"cake":10,"coffee":20},"reservations":0}"#
    );

    transcript += &entry(&format!("POST {release}"), &post(release).await);
    let lost = tokio::spawn(cafe.reserve_cake("hold", "lost").send());
    cafe.hold().await;
    insta::assert_snapshot!(
        success(&post("/inventory/holds/lost/cut").await),
        @r#"{"requestId":"lost","cut":1}"#
    );
    assert!(lost.await.unwrap().is_err(), "no answer leaves");
    let failed = cafe.send(cafe.reserve_cake("fail", "no")).await;
    transcript += &entry("POST /inventory/reserve?chaos=fail", &failed);
    for wish in [json!({"itemId": "Tea", "quantity": 1}), json!({"itemId": "cake", "quantity": 0})]
    {
        let reserve = cafe.http.post(format!("{}/inventory/reserve", cafe.inventory));
        let answer = cafe.send(reserve.json(&wish)).await;
        transcript += &entry(&format!("POST /inventory/reserve {wish}"), &answer);
    }
    insta::assert_snapshot!("inventory_answers", transcript);
}

#[tokio::test]
async fn what_the_order_service_answers_has_its_shape() {
    let cafe = Cafe::open_with(&[("ORDER_ATTEMPT_TIMEOUT", "500ms")]).await;
    let mut transcript = String::new();
    for order in [
        json!({"itemId": "Cake", "quantity": 1}),
        json!({"itemId": "cake", "quantity": 2, "chaos": "slow,none", "retryOnTimeout": true}),
        json!({"itemId": "cake", "quantity": 1, "chaos": "slow"}),
        json!({"itemId": "cake", "quantity": 1, "chaos": "slow", "retryOnTimeout": true}),
        json!({"itemId": "cake", "quantity": 1, "chaos": "slow,fail", "retryOnTimeout": true}),
        json!({"itemId": "cake", "quantity": 1, "chaos": "abort", "retryOnTimeout": true}),
        json!({"itemId": "cake", "quantity": 1, "chaos": "fail", "retryOnTimeout": true}),
        json!({"itemId": "Tea", "quantity": 1}),
        json!({"itemId": "cake", "quantity": 0}),
    ] {
        let request = cafe.http.post(format!("{}/orders", cafe.order)).json(&order);
        transcript += &entry(&format!("POST /orders {order}"), &cafe.send(request).await);
    }
    insta::assert_snapshot!("order_answers", transcript);
}

#[tokio::test]
async fn the_reordering_demo_tells_what_was_planned_and_what_came_of_it() {
    let cafe = Cafe::open().await;
    let told = cafe.send(cafe.http.get(format!("{}/demo/out-of-order", cafe.order))).await;
    assert_eq!(
        (told.status, &told.headers["content-type"]),
        (200, &"application/json".parse().unwrap())
    );
    let mut body = redacted(&told.body);
    let planned = body["planned"].as_array_mut().unwrap();
    let delays: Vec<_> = planned.iter().map(|ping| ping["delayMs"].clone()).collect();
    assert_eq!(delays.len(), 6, "the default");
    assert!(delays.iter().all(|delay| delay.as_u64().is_some_and(|ms| ms < 1_800)), "{delays:?}");
    assert!(body["inversions"].as_u64().is_some_and(|pairs| pairs <= 15), "{body}");
    // Random as they are, one of each will do.
    let ping = &mut body["completedOrder"].as_array_mut().unwrap().pop().unwrap();
    assert_eq!(ping["delayMs"], delays[usize::try_from(ping["i"].as_u64().unwrap()).unwrap()]);
    ping["i"] = "[0 to 5]".into();
    ping["delayMs"] = "[planned]".into();
    body["completedOrder"] = json!([ping]);
    body["planned"] = json!([{"i": body["planned"][0]["i"], "delayMs": "[0 to 1799]"}]);
    body["inversions"] = "[0 to 15]".into();
    insta::assert_snapshot!(serde_json::to_string_pretty(&body).unwrap(), @r#"
    {
      "planned": [
        {
          "i": 0,
          "delayMs": "[0 to 1799]"
        }
      ],
      "completedOrder": [
        {
          "i": "[0 to 5]",
          "delayMs": "[planned]",
          "at": "[RFC 3339]"
        }
      ],
      "inversions": "[0 to 15]",
      "traceId": "[32 hex]"
    }
    "#);
}

#[tokio::test]
async fn the_same_seed_plans_the_same_reordering() {
    let cafe = Cafe::open().await;
    let planned = async |seed: u64| {
        let url = format!("{}/demo/out-of-order?count=3&seed={seed}", cafe.order);
        cafe.send(cafe.http.get(url)).await.body["planned"].clone()
    };
    let (one, same, other) = tokio::join!(planned(7), planned(7), planned(8));
    assert!(one.is_array());
    assert_eq!(one, same);
    assert_ne!(one, other);
}

/// The names and labels on both services' `/metrics`.
async fn series(cafe: &Cafe) -> BTreeSet<String> {
    let mut all = BTreeSet::new();
    for service in [&cafe.inventory, &cafe.order] {
        let page = cafe.page(&format!("{service}/metrics")).await;
        let lines = page.lines().filter(|line| !line.contains("_bucket{"));
        all.extend(lines.filter_map(|line| Some(line.rsplit_once(' ')?.0.to_owned())));
    }
    all
}

#[tokio::test]
async fn whatever_a_lesson_makes_jump_stood_at_zero_before() {
    let cafe = Cafe::open_with(&[("ORDER_ATTEMPT_TIMEOUT", "500ms")]).await;
    let before = series(&cafe).await;
    for (chaos, retry) in [
        ("none", false),
        ("slow:1000", false),
        ("slow:1000,none", true),
        ("slow:1000,fail", true),
        ("slowfail:10", false),
        ("slowreply:1000", false),
        ("abort", false),
        ("lostreply", false),
        ("hold:1000", false),
        ("race:10", false),
    ] {
        cafe.order_cake(chaos, retry).await;
        let cured = json!({
            "itemId": "cake", "quantity": 1, "chaos": chaos, "retryOnTimeout": retry,
            "idempotent": true,
        });
        cafe.send(cafe.http.post(format!("{}/orders", cafe.order)).json(&cured)).await;
    }
    for (item, quantity) in [("tea", 1), ("cake", 0)] {
        let order = json!({"itemId": item, "quantity": quantity});
        cafe.send(cafe.http.post(format!("{}/orders", cafe.order)).json(&order)).await;
    }
    cafe.send(cafe.http.get(format!("{}/demo/out-of-order", cafe.order))).await;
    cafe.reservations(10).await;
    let after = series(&cafe).await;
    let new: Vec<_> = after.difference(&before).collect();
    assert!(new.is_empty(), "no jump shows on a series that begins with it: {new:#?}");
}

#[tokio::test]
async fn whatever_the_inventory_is_asked_its_answer_stood_at_zero_before() {
    let cafe = Cafe::open_with(&[("INVENTORY_MAX_WORK", "1")]).await;
    let before = series(&cafe).await;
    let url = |path: &str| format!("{}/inventory/{path}", cafe.inventory);
    let cake = json!({"itemId": "cake", "quantity": 1});
    let mut statuses = BTreeSet::new();
    for path in ["state", "holds", "ping", "ping?delayMs=soon"] {
        statuses.insert(cafe.send(cafe.http.get(url(path))).await.status);
    }
    let ends = ["holds/nobody/release", "holds/%FF/release", "holds/nobody/cut", "holds/%FF/cut"];
    for path in ends.into_iter().chain(["reset"]) {
        statuses.insert(cafe.send(cafe.http.post(url(path))).await.status);
    }
    for path in ["reserve", "deliveries"] {
        let post = || cafe.http.post(url(path));
        for request in [
            post().json(&cake),
            post().json(&json!({"itemId": "tea", "quantity": 1})),
            post().json(&json!({"itemId": "cake", "quantity": 1_000_000_000})),
            post().json(&json!({})),
            post().json(&json!({"itemId": "x".repeat(17_000)})),
            post().body("cake"),
            post().header("content-type", "application/json").body("cake"),
        ] {
            statuses.insert(cafe.send(request).await.status);
        }
    }
    for (end, heard) in [("release", true), ("cut", false)] {
        let held = tokio::spawn(cafe.reserve_cake("hold", end).send());
        cafe.hold().await;
        statuses.insert(cafe.send(cafe.reserve_cake("none", "shed")).await.status);
        let path = url(&format!("holds/{end}/{end}"));
        statuses.insert(cafe.send(cafe.http.post(path)).await.status);
        assert_eq!(held.await.unwrap().is_ok(), heard, "{end}");
    }
    assert_eq!(statuses, [200, 400, 404, 409, 413, 415, 503].into(), "each kind of answer came");
    let after = series(&cafe).await;
    let new: Vec<_> = after.difference(&before).collect();
    assert!(new.is_empty(), "no jump shows on a series that begins with it: {new:#?}");
}

#[tokio::test]
async fn whatever_the_order_service_refuses_stood_at_zero_before() {
    let cafe = Cafe::open_with(&[("ORDER_MAX_WORK", "1"), ("ORDER_ATTEMPT_TIMEOUT", "60s")]).await;
    let before = series(&cafe).await;
    let (orders, reorder) =
        (format!("{}/orders", cafe.order), format!("{}/demo/out-of-order", cafe.order));
    let order = |chaos| json!({"itemId": "cake", "quantity": 1, "chaos": chaos});
    let post = |body: String| {
        cafe.http.post(&orders).header("content-type", "application/json").body(body)
    };
    let held = tokio::spawn(post(order("hold").to_string()).send());
    cafe.reservations(1).await;
    for (request, status) in [
        (post(" ".repeat(20_000)), 413),
        (cafe.http.post(&orders).body("cake"), 415),
        (post("{}".to_owned()), 400),
        (post(order("none").to_string()), 503),
        (cafe.http.get(&reorder), 503),
        (cafe.http.get(format!("{reorder}?count=many")), 400),
    ] {
        assert_eq!(cafe.send(request).await.status, status);
    }
    held.abort();
    let after = series(&cafe).await;
    let new: Vec<_> = after.difference(&before).collect();
    assert!(new.is_empty(), "no jump shows on a series that begins with it: {new:#?}");
    for (method, route, status) in
        [("POST", "/orders", "408"), ("GET", "/demo/out-of-order", "502")]
    {
        let series = format!(
            "http_server_request_duration_seconds_count{{http_request_method=\"{method}\",\
             http_route=\"{route}\",http_response_status_code=\"{status}\"}}"
        );
        assert!(before.contains(&series), "no {series} in {before:#?}");
    }
}

#[tokio::test]
async fn the_order_services_document_gives_the_bounds_that_its_parsers_have() {
    let cafe = Cafe::open().await;
    let document = description(&cafe.order).await;
    let parameter = |path: &str, method: &str, name: &str| {
        let all = document["paths"][path][method]["parameters"].as_array().unwrap();
        all.iter().find(|parameter| parameter["name"] == name).unwrap()["schema"].clone()
    };
    let get = async |query: String| {
        cafe.send(cafe.http.get(format!("{}/demo/out-of-order?{query}", cafe.order))).await.status
    };
    let order = async |body: Value| {
        cafe.send(cafe.http.post(format!("{}/orders", cafe.order)).json(&body)).await.status
    };

    let seed = parameter("/demo/out-of-order", "get", "seed");
    assert_eq!((&seed["format"], &seed["minimum"]), (&"uint64".into(), &0.into()));
    for (seed, status) in
        [("18446744073709551615", 200), ("18446744073709551616", 400), ("-1", 400)]
    {
        assert_eq!(get(format!("count=2&seed={seed}")).await, status, "seed={seed}");
    }
    let count = parameter("/demo/out-of-order", "get", "count");
    assert_eq!((&count["format"], count.get("minimum")), (&"int64".into(), None));
    for (count, status) in [("-9223372036854775808", 200), ("9223372036854775808", 400)] {
        assert_eq!(get(format!("count={count}")).await, status, "count={count}");
    }

    let id = parameter("/orders", "post", "X-Request-Id");
    assert_eq!((&id["minLength"], &id["maxLength"]), (&1.into(), &128.into()));
    assert_eq!(id["pattern"], "^[!-~]([ -~]*[!-~])?$");

    let fields = &document["components"]["schemas"]["PlaceOrder"]["properties"];
    assert_eq!(fields["chaos"]["maxLength"], 256);
    for (length, status) in [(256, 200), (257, 400)] {
        let chaos = format!("{:length$}", "none");
        let body = json!({"itemId": "cake", "quantity": 1, "chaos": chaos});
        assert_eq!(order(body).await, status, "{length} bytes of chaos");
    }
    let quantity = &fields["quantity"];
    assert_eq!((&quantity["format"], &quantity["minimum"]), (&"int64".into(), &1.into()));
    for (quantity, status) in [(0, 400), (1, 200), (i64::MAX, 409)] {
        let body = json!({"itemId": "cake", "quantity": quantity});
        assert_eq!(order(body).await, status, "{quantity}");
    }
}

#[tokio::test]
async fn an_answer_names_the_fault_that_acted_and_the_request_it_belongs_to() {
    let cafe = Cafe::open_with(&[("INVENTORY_STOCK", "cake=100")]).await;
    for (number, (chaos, status, applied)) in [
        ("none", 200, "none"),
        ("", 200, "none"),
        ("slow:10", 200, "slow:10"),
        (" SLOW : 10 ", 200, "slow:10"),
        ("slowreply:10", 200, "slowreply:10"),
        ("hold:10", 200, "hold:10"),
        ("race:10", 200, "race:10"),
        ("fail", 503, "fail:503"),
        ("fail:418", 418, "fail:418"),
        ("slowfail:10", 503, "slowfail:10"),
    ]
    .into_iter()
    .enumerate()
    {
        let id = format!("echo {number}");
        let answer = cafe.send(cafe.reserve_cake(chaos, &id)).await;
        assert_eq!(answer.status, status, "{chaos}");
        assert_eq!(answer.headers["x-chaos-applied"], applied, "{chaos}");
        assert_eq!(answer.headers["x-request-id"], id, "{chaos}");
    }
    for (status, applied) in [(503, "fail:503"), (200, "slow:5"), (200, "none"), (200, "none")] {
        let answer = cafe.send(cafe.reserve_cake("fail,slow:5,none", "one request")).await;
        assert_eq!(answer.status, status, "the nth attempt takes the nth step");
        assert_eq!(answer.headers["x-chaos-applied"], applied);
    }
    let reserve = cafe.http.post(format!("{}/inventory/reserve", cafe.inventory));
    let answer = cafe.send(reserve.json(&json!({"itemId": "cake", "quantity": 1}))).await;
    assert_eq!(
        (answer.status, &answer.headers["x-chaos-applied"]),
        (200, &"none".parse().unwrap())
    );
    let id = answer.headers["x-request-id"].to_str().unwrap();
    assert!(id.strip_prefix("request-").is_some_and(is_hex_id), "made up: {id}");
    for cut in ["abort", "lostreply"] {
        assert!(cafe.reserve_cake(cut, cut).send().await.is_err(), "no answer leaves: {cut}");
    }
}

/// Status and applied fault of twenty flaky reserves, in the order of sending.
async fn flaky_answers(url: &str) -> Vec<(u16, String)> {
    let http = Client::new();
    let slow = async || {
        let page = http.get(format!("{url}/metrics")).send().await.unwrap().text().await.unwrap();
        let series = "inventory_faults_total{fault=\"slow\"} ";
        let count = page.lines().find_map(|line| line.strip_prefix(series)).unwrap();
        count.parse::<u64>().unwrap()
    };
    let mut sent = Vec::new();
    for _ in 0..20 {
        let before = slow().await;
        let request = http
            .post(format!("{url}/inventory/reserve?chaos=flaky"))
            .json(&json!({"itemId": "cake", "quantity": 1}));
        let answer = tokio::spawn(request.send());
        // The next one leaves when this one's fault is decided, which shows
        // long before a slow one is answered.
        eventually("a decision", || async {
            (answer.is_finished() || slow().await > before).then_some(())
        })
        .await;
        sent.push(answer);
    }
    let mut answers = Vec::new();
    for answer in sent {
        let answer = answer.await.unwrap().unwrap();
        let applied = answer.headers()["x-chaos-applied"].to_str().unwrap().to_owned();
        answers.push((answer.status().as_u16(), applied));
    }
    answers
}

#[tokio::test]
async fn the_same_seed_and_the_same_requests_give_the_same_faults() {
    let stock = ("INVENTORY_STOCK", "cake=1000");
    let run = async |seed| {
        let (_service, url) = alone("inventory", &[stock, ("CHAOS_SEED", seed)]).await;
        flaky_answers(&url).await
    };
    let (one, same, other) = tokio::join!(run("7"), run("7"), run("8"));
    assert_eq!(one, same);
    assert_ne!(one, other);
    for (status, applied) in one.iter().chain(&other) {
        let possible = [(503, "fail:503"), (200, "slow:1500"), (200, "none")];
        assert!(possible.contains(&(*status, applied)), "{status} {applied}");
    }
}

#[tokio::test]
async fn a_random_seed_is_logged_and_brings_its_faults_back() {
    let settings = [("INVENTORY_STOCK", "cake=1000"), ("LOG_FORMAT", "json")];
    let (first, url) = alone("inventory", &settings).await;
    // A thread of its own writes the log, maybe after the address.
    let line = eventually("a line of the log", || async {
        serde_json::from_str::<Value>(first.stderr().lines().next()?).ok()
    });
    let seed = line.await["seed"].to_string();
    let (_second, again) = alone("inventory", &[settings[0], ("CHAOS_SEED", &seed)]).await;
    let (one, same) = tokio::join!(flaky_answers(&url), flaky_answers(&again));
    assert_eq!(one, same, "seed {seed}");
}

#[tokio::test]
async fn a_name_from_outside_cannot_write_log_lines_or_move_the_cursor() {
    let settings = [("LOG_FORMAT", "pretty")];
    let (inventory, url) = alone("inventory", &settings).await;
    let item = "cake\n12:00:00.000Z  INFO inventory reserved\u{1b}[2J";
    let reserve = Client::new().post(format!("{url}/inventory/reserve"));
    let answer = reserve.json(&json!({"itemId": item, "quantity": 1})).send().await.unwrap();
    assert_eq!(answer.status(), 409);
    let line = eventually("the refusal's line", || async {
        let log = inventory.stderr();
        log.lines().find(|line| line.contains("Refused")).map(str::to_owned)
    })
    .await;
    assert!(line.contains("Refused: cake\\n12:00:00.000Z"), "{line}");
    let control = |byte: char| byte.is_control() && byte != '\n';
    assert!(!inventory.stderr().contains(control), "{:?}", inventory.stderr());
}
