//! What a class of thirty, or one strange client, must not break.

use std::time::Duration;

use campuscafe_tests::{Cafe, DEADLINE, Process, assert_problem, eventually};
use reqwest::Client;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::{Instant, interval, timeout};

use crate::shutdown::reserve_without_body;

const PARALLEL: u64 = 1_000;

#[tokio::test]
async fn a_thousand_orders_at_once_are_all_confirmed_and_reserved_once_each() {
    let cafe = Cafe::open_with(&[
        ("INVENTORY_STOCK", "cake=1000"),
        ("INVENTORY_MAX_WORK", "6000"),
        ("ORDER_MAX_WORK", "6000"),
        // As many connections as orders, and a few for the probes.
        ("MAX_CONNECTIONS", "2000"),
        // So long that no order meets it, however busy the machine is.
        ("ORDER_ATTEMPT_TIMEOUT", "30s"),
        ("RUST_LOG", "warn"),
    ])
    .await;
    let mut orders = JoinSet::new();
    for _ in 0..PARALLEL {
        let request = cafe.http.post(format!("{}/orders", cafe.order));
        let body = serde_json::json!({"itemId": "cake", "quantity": 1});
        orders.spawn(request.json(&body).send());
    }
    while let Some(answer) = orders.join_next().await {
        let answer = answer.unwrap().expect("an answer");
        let status = answer.status();
        assert_eq!(status, 200, "{}", answer.text().await.unwrap());
    }
    let state = cafe.state().await;
    assert_eq!((&state["stock"]["cake"], &state["reservations"]), (&0.into(), &PARALLEL.into()));
    for (outcome, orders) in [("confirmed", PARALLEL), ("failed", 0), ("unknown", 0)] {
        let series = format!("order_outcomes_total{{outcome=\"{outcome}\",lane=\"naive\"}}");
        assert_eq!(cafe.metric(&cafe.order, &series).await, orders as f64, "{outcome}");
    }
}

/// Reserves one cake so often, all at once; each answer's status and problem.
async fn reserve_at_once(url: &str, times: u64, chaos: &str) -> JoinSet<(u16, String)> {
    let http = Client::builder().no_proxy().build().unwrap();
    let mut sent = JoinSet::new();
    for _ in 0..times {
        let request = http
            .post(format!("{url}/inventory/reserve"))
            .query(&[("chaos", chaos)])
            .header("x-request-id", format!("{chaos} at once"))
            .json(&serde_json::json!({"itemId": "cake", "quantity": 1}));
        sent.spawn(async move {
            let answer = request.send().await.expect("an answer");
            let status = answer.status().as_u16();
            if status == 503 {
                let told = answer.headers()["retry-after"].to_str().unwrap();
                assert!(
                    (1..=10).contains(&told.parse().unwrap()),
                    "when it may come again: {told}"
                );
            }
            let body: serde_json::Value = answer.json().await.expect("a whole answer");
            let kind = body["type"].as_str().unwrap_or_default();
            (status, kind.rsplit(':').next().unwrap_or_default().to_owned())
        });
    }
    sent
}

/// The first so many answers to come.
async fn answers(sent: &mut JoinSet<(u16, String)>, count: u64) -> Vec<(u16, String)> {
    let mut first = Vec::new();
    for _ in 0..count {
        let answer = timeout(DEADLINE, sent.join_next()).await.expect("answered at once");
        first.push(answer.expect("one is left").unwrap());
    }
    first
}

#[tokio::test]
async fn by_default_a_thousand_may_be_under_way_most_of_them_slow_and_the_rest_is_shed_for_certain()
{
    let settings = [
        ("INVENTORY_STOCK", "cake=10000"),
        // This is about work: connections must not be what is short.
        ("MAX_CONNECTIONS", "3000"),
        ("RUST_LOG", "warn"),
    ];
    let mut inventory = Process::start("inventory", &["--listen", "127.0.0.1:0"], &settings);
    let url = &inventory.address().await;
    let http = Client::builder().no_proxy().build().unwrap();
    let page = async |path: &str| {
        http.get(format!("{url}{path}")).send().await.unwrap().text().await.unwrap()
    };
    let state = async || -> serde_json::Value {
        serde_json::from_str(&page("/inventory/state").await).unwrap()
    };

    // Held answers take half of what slow ones may; those that are shed are told at once.
    let mut held = reserve_at_once(url, 500, "hold").await;
    let shed = answers(&mut held, 83).await;
    assert!(shed.iter().all(|answer| *answer == (503, "too-many-holds".into())), "{shed:?}");
    let mut slow = reserve_at_once(url, 500, "slow:60000").await;
    let shed = answers(&mut slow, 83).await;
    assert!(shed.iter().all(|answer| *answer == (503, "overloaded".into())), "{shed:?}");

    // A share of the work is there for those that ask for no fault, and for what needs no permit.
    let mut ordinary = reserve_at_once(url, 100, "none").await;
    let confirmed = answers(&mut ordinary, 100).await;
    assert!(confirmed.iter().all(|(status, _)| *status == 200), "{confirmed:?}");
    let delivery = http
        .post(format!("{url}/inventory/deliveries"))
        .json(&serde_json::json!({"itemId": "cake", "quantity": 1}));
    assert_eq!(delivery.send().await.unwrap().status(), 200);
    assert_eq!(state().await["reservations"], 417 + 100, "nothing for those that were shed");

    let metrics = page("/metrics").await;
    for line in [
        "inventory_work_in_progress 834",
        "inventory_shed_requests_total{kind=\"slow\"} 166",
        "inventory_shed_requests_total{kind=\"ordinary\"} 0",
        // What was shed was no fault that acted.
        "inventory_faults_total{fault=\"hold\"} 417",
        "inventory_faults_total{fault=\"slow\"} 417",
    ] {
        assert!(metrics.lines().any(|found| found == line), "no {line:?} in\n{metrics}");
    }
    let release = http.post(format!("{url}/inventory/holds/hold%20at%20once/release"));
    let released: serde_json::Value = release.send().await.unwrap().json().await.unwrap();
    assert_eq!(released["released"], 417);
    let confirmed = answers(&mut held, 417).await;
    assert!(confirmed.iter().all(|(status, _)| *status == 200), "{confirmed:?}");
}

#[tokio::test]
async fn what_is_shed_takes_no_step_of_its_plan_and_leaves_one_span_with_its_status() {
    let cafe = Cafe::open_with(&[("INVENTORY_MAX_WORK", "1")]).await;
    let held = tokio::spawn(cafe.reserve_cake("hold", "in the way").send());
    cafe.reservations(1).await;
    let plan = "fail:418,none";
    for _ in 0..3 {
        let shed = cafe.send(cafe.reserve_cake(plan, "patient")).await;
        assert_problem("no room", &shed, 503, "Nothing was done for this one");
        assert_eq!(shed.headers["retry-after"], "1");
        let spans = cafe.trace(shed.text("traceId"), 1).await;
        assert_eq!(spans.len(), 1, "{spans:?}");
        assert_eq!(spans[0].int("http.response.status_code"), Some(503));
        assert_eq!(spans[0].text("campuscafe.chaos.step"), None, "no fault acted");
    }
    let order = cafe.order_cake("none", false).await;
    assert_eq!((order.status, order.text("outcome")), (502, "failed"), "that is certain");

    let release = format!("{}/inventory/holds/in%20the%20way/release", cafe.inventory);
    assert_eq!(cafe.send(cafe.http.post(release)).await.status, 200);
    assert_eq!(held.await.unwrap().unwrap().status(), 200);
    eventually("room", || async {
        let busy = cafe.metric(&cafe.inventory, "inventory_work_in_progress").await;
        (busy == 0.0).then_some(())
    })
    .await;
    for status in [418, 200] {
        assert_eq!(cafe.send(cafe.reserve_cake(plan, "patient")).await.status, status);
    }
    assert_eq!(cafe.state().await["reservations"], 2);
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

/// Asks for a path on a connection of its own: how long it took, and the answer.
async fn ask(url: &str, path: &str) -> (Duration, String) {
    let begun = Instant::now();
    let exchange = async {
        let mut stream = TcpStream::connect(url.trim_start_matches("http://")).await.unwrap();
        let request =
            format!("GET {path} HTTP/1.1\r\nhost: 127.0.0.1\r\nconnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer).await;
        answer
    };
    let answer = timeout(DEADLINE, exchange).await.expect("an answer");
    (begun.elapsed(), String::from_utf8_lossy(&answer).into_owned())
}

/// Fails unless the usual probe and the usual scrape are answered within 500 ms.
async fn assert_observable(url: &str) -> String {
    let mut took = Vec::new();
    let mut page = String::new();
    for _ in 0..5 {
        for path in ["/healthz", "/metrics"] {
            let (time, answer) = ask(url, path).await;
            assert!(answer.starts_with("HTTP/1.1 200 "), "{path}: {answer}");
            took.push(time);
            page = answer;
        }
    }
    took.sort();
    assert!(took[took.len() / 2] < Duration::from_millis(500), "{took:?}");
    page
}

/// The value of a series on a page of `/metrics`.
fn value(page: &str, series: &str) -> f64 {
    let line = page.lines().find_map(|line| line.strip_prefix(series)?.strip_prefix(' '));
    line.and_then(|value| value.parse().ok()).unwrap_or_else(|| panic!("no {series} in {page}"))
}

#[tokio::test]
async fn two_thousand_idle_connections_neither_fill_a_service_nor_keep_a_probe_waiting() {
    let limit = [("MAX_CONNECTIONS", "100"), ("RUST_LOG", "warn")];
    let mut inventory = Process::start("inventory", &["--listen", "127.0.0.1:0"], &limit);
    let url = inventory.address().await;
    let mut open = Vec::new();
    for number in 0..2_000 {
        let mut stream = TcpStream::connect(url.trim_start_matches("http://")).await.unwrap();
        if number % 2 == 0 {
            // Half of them begin a head and do not finish it.
            let _ = stream.write_all(b"GET /inventory/state HTTP/1.1\r\nhost: ").await;
        }
        open.push(stream);
    }
    assert_observable(&url).await;
    let page = eventually("the end of those that had to go", || async {
        let (_, page) = ask(&url, "/metrics").await;
        (value(&page, "http_server_connections") <= 110.0).then_some(page)
    })
    .await;
    let closed = "http_server_connections_closed_total{reason=\"idle_at_cap\"}";
    assert!(value(&page, closed) > 0.0, "{page}");
}

#[tokio::test]
async fn when_every_connection_is_busy_probes_are_answered_and_orders_are_refused_at_once() {
    let limit = [("MAX_CONNECTIONS", "3"), ("RUST_LOG", "warn")];
    let mut inventory = Process::start("inventory", &["--listen", "127.0.0.1:0"], &limit);
    let url = inventory.address().await;
    let body = r#"{"itemId":"cake","quantity":1}"#;
    let mut busy = Vec::new();
    for _ in 0..3 {
        // By now the connection is busy, so that no later one takes its place.
        let mut stream = reserve_without_body(&url, "slow:60000", body).await;
        stream.write_all(body.as_bytes()).await.unwrap();
        busy.push(stream);
    }
    assert_observable(&url).await;
    let (_, refused) = ask(&url, "/inventory/state").await;
    assert!(refused.starts_with("HTTP/1.1 503 "), "{refused}");
    assert!(refused.contains("retry-after: 1") && refused.contains("--max-connections"));
}

#[tokio::test]
async fn a_process_without_file_descriptors_closes_idle_connections_and_goes_on() {
    let quiet = [("RUST_LOG", "warn"), ("LOG_FORMAT", "json")];
    let mut inventory = Process::start("inventory", &["--listen", "127.0.0.1:0"], &quiet);
    let url = inventory.address().await;
    let pid = inventory.pid().to_string();
    let lowered = std::process::Command::new("prlimit")
        .args(["--pid", &pid, "--nofile=64:64"])
        .status()
        .unwrap();
    assert!(lowered.success());
    let mut open = Vec::new();
    for _ in 0..300 {
        open.push(TcpStream::connect(url.trim_start_matches("http://")).await.unwrap());
    }
    let page = assert_observable(&url).await;
    let closed = "http_server_connections_closed_total{reason=\"no_descriptors\"}";
    assert!(value(&page, closed) > 0.0, "{page}");
    assert!(inventory.stderr().matches("cannot accept a connection").count() == 1);
}

/// What a client sent and nobody read makes the kernel send a reset when the
/// connection closes, and a reset takes what the client has not read yet with it.
#[tokio::test]
async fn a_get_with_a_body_that_nobody_needs_is_answered_whole() {
    let mut inventory = Process::start("inventory", &["--listen", "127.0.0.1:0"], &[]);
    let url = inventory.address().await;
    let address = url.trim_start_matches("http://");
    let body = "x".repeat(12_000);
    let request = format!(
        "GET /metrics HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\
         content-length: {}\r\n\r\n{body}",
        body.len()
    );
    for round in 0..100 {
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).await.expect("no reset");
        let answer = String::from_utf8(answer).unwrap();
        let (head, page) = answer.split_once("\r\n\r\n").expect("a head");
        assert!(head.contains("transfer-encoding: chunked"), "{head}");
        assert!(page.ends_with("\r\n0\r\n\r\n"), "no last chunk in round {round}");
    }
}
