//! How programs begin and end: nothing is lost, nothing is left behind.

use std::fs::OpenOptions;
use std::process::{Command, Stdio};

use campuscafe_tests::{Cafe, DEADLINE, Process, binary, eventually, gone, signal};
use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

#[tokio::test]
async fn sigterm_finishes_late_work_before_it_ends() {
    let cafe = Cafe::open().await;
    let lab = [("OTEL_EXPORTER_OTLP_ENDPOINT", cafe.lab.as_str()), ("LOG_FORMAT", "json")];
    let mut inventory = Process::start("inventory", &["--listen", "127.0.0.1:0"], &lab);
    let url = inventory.address().await;
    let trace = "0af7651916cd43dd8448eb211c80319c";
    let sent = cafe
        .http
        .post(format!("{url}/inventory/reserve?chaos=slow:1000"))
        .header("traceparent", format!("00-{trace}-b7ad6b7169203331-01"))
        .json(&serde_json::json!({"itemId": "cake", "quantity": 1}))
        .timeout(std::time::Duration::from_millis(100))
        .send();
    assert!(sent.await.unwrap_err().is_timeout());
    inventory.signal("TERM");
    assert_eq!(inventory.ended().await.code(), Some(0));

    let log = inventory.stderr();
    assert!(log.contains("LATE: the caller left"), "{log}");
    let spans = cafe.trace(trace, 3).await;
    assert!(
        spans.iter().any(|span| span.name == "commit reservation (late)"),
        "flushed at the end"
    );
}

/// Sends the head of a reservation; returns when the handler waits for its body.
pub(crate) async fn reserve_without_body(url: &str, chaos: &str, body: &str) -> TcpStream {
    let mut stream = TcpStream::connect(url.trim_start_matches("http://")).await.unwrap();
    let head = format!(
        "POST /inventory/reserve?chaos={chaos} HTTP/1.1\r\nhost: 127.0.0.1\r\n\
         content-type: application/json\r\nexpect: 100-continue\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    let expected = "HTTP/1.1 100 Continue\r\n\r\n";
    let mut interim = vec![0; expected.len()];
    let read = tokio::time::timeout(DEADLINE, stream.read_exact(&mut interim)).await;
    read.expect("an interim answer").unwrap();
    assert_eq!(String::from_utf8_lossy(&interim), expected);
    stream
}

#[tokio::test]
async fn a_request_whose_body_comes_after_sigterm_is_carried_out_and_answered() {
    let mut inventory = Process::start("inventory", &["--listen", "127.0.0.1:0"], &[]);
    let url = inventory.address().await;
    let body = r#"{"itemId":"cake","quantity":1}"#;
    let (first, second) = body.split_at(10);
    let mut stream = reserve_without_body(&url, "slow:1000", body).await;
    stream.write_all(first.as_bytes()).await.unwrap();
    inventory.signal("TERM");
    eventually("the end of listening", || async {
        TcpStream::connect(url.trim_start_matches("http://")).await.is_err().then_some(())
    })
    .await;
    stream.write_all(second.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
    assert_eq!(inventory.ended().await.code(), Some(0));
    let log = inventory.stderr();
    assert!(log.contains("Reserved"), "{log}");
}

#[tokio::test]
async fn an_answer_under_way_still_leaves_after_sigterm() {
    let cafe = Cafe::open().await;
    let mut inventory = Process::start("inventory", &["--listen", "127.0.0.1:0"], &[]);
    let url = inventory.address().await;
    let answer = cafe
        .http
        .post(format!("{url}/inventory/reserve?chaos=slow:1000"))
        .json(&serde_json::json!({"itemId": "cake", "quantity": 1}));
    let answer = tokio::spawn(answer.send());
    eventually("the fault at work", || async {
        let page = cafe.page(&format!("{url}/metrics")).await;
        page.contains("inventory_faults_total{fault=\"slow\"} 1").then_some(())
    })
    .await;
    inventory.signal("TERM");
    assert_eq!(answer.await.unwrap().unwrap().status(), 200);
    assert_eq!(inventory.ended().await.code(), Some(0));
}

#[tokio::test]
async fn work_that_takes_longer_than_the_limit_is_given_up_and_counted() {
    let cafe = Cafe::open().await;
    let mut inventory = Process::start("inventory", &["--listen", "127.0.0.1:0"], &[]);
    let url = inventory.address().await;
    let sent = cafe
        .http
        .post(format!("{url}/inventory/reserve?chaos=slow:60000"))
        .json(&serde_json::json!({"itemId": "cake", "quantity": 1}))
        .timeout(std::time::Duration::from_millis(100))
        .send();
    assert!(sent.await.unwrap_err().is_timeout());
    inventory.signal("TERM");
    assert_eq!(inventory.ended().await.code(), Some(1));
    let log = inventory.stderr();
    assert!(log.contains("error: stopped after 10 s with unfinished work: 1 requests"), "{log}");
}

#[tokio::test]
async fn a_held_answer_does_not_hold_up_the_end() {
    let cafe = Cafe::open().await;
    let held = tokio::spawn(cafe.reserve_cake("hold", "held").send());
    cafe.reservations(1).await;
    cafe.process.signal("TERM");
    assert_eq!(held.await.unwrap().unwrap().status(), 200);
}

#[tokio::test]
async fn ctrl_c_ends_the_lab_and_both_services() {
    for name in ["INT", "TERM"] {
        let mut cafe = Cafe::open().await;
        let services = cafe.process.children();
        assert_eq!(services.len(), 2);
        cafe.process.signal(name);
        assert_eq!(cafe.process.ended().await.code(), Some(0), "{name}");
        gone(&services).await;
    }
}

#[tokio::test]
async fn ctrl_c_in_a_terminal_ends_an_idle_lab_with_success_every_time() {
    for time in 1..=8 {
        let mut cafe = Cafe::open_in_terminal().await;
        let services = cafe.process.children();
        cafe.process.signal_group("INT");
        let code = cafe.process.ended().await.code();
        assert_eq!(code, Some(0), "time {time}: {}", cafe.process.stderr());
        gone(&services).await;
    }
}

#[tokio::test]
async fn ctrl_c_in_a_terminal_before_a_retry_loses_neither_the_order_nor_a_commit() {
    let mut cafe = Cafe::open_in_terminal().await;
    let order = cafe.http.post(format!("{}/orders", cafe.order)).json(&serde_json::json!({
        "itemId": "cake", "quantity": 1, "chaos": "slow,slow:700", "retryOnTimeout": true,
    }));
    let order = tokio::spawn(order.send());
    eventually("the first attempt at work", || async {
        let slow = cafe.metric(&cafe.inventory, "inventory_faults_total{fault=\"slow\"}").await;
        (slow > 0.0).then_some(())
    })
    .await;
    cafe.process.signal_group("INT");
    let answer: Value = order.await.unwrap().unwrap().json().await.unwrap();
    assert_eq!(answer["outcome"], "confirmed", "{answer}");
    assert_eq!(cafe.process.ended().await.code(), Some(0), "{}", cafe.process.stderr());
    let log = cafe.process.stderr();
    let commits = log.lines().filter(|line| line.contains("\"message\":\"Reserved")).count();
    assert_eq!(commits, 2, "{log}");
    assert!(log.contains("LATE: the caller left"), "{log}");
    assert!(!log.contains("WARN") && !log.contains("killed"), "spans and all: {log}");
}

#[tokio::test]
async fn a_lab_that_is_killed_leaves_no_orphans() {
    let mut cafe = Cafe::open().await;
    let services = cafe.process.children();
    assert_eq!(services.len(), 2);
    cafe.process.signal("KILL");
    cafe.process.ended().await;
    gone(&services).await;
}

#[tokio::test]
async fn services_whose_lab_is_killed_finish_late_work_and_say_so() {
    let collector = Cafe::open().await;
    let mut cafe = Cafe::open_with(&[("OTEL_EXPORTER_OTLP_ENDPOINT", &collector.lab)]).await;
    let trace = "4bf92f3577b34da6a3ce929d0e0e4736";
    let sent = cafe
        .reserve_cake("slow:1500", "late")
        .header("traceparent", format!("00-{trace}-00f067aa0ba902b7-01"));
    let sent = tokio::spawn(sent.send());
    eventually("the fault at work", || async {
        let slow = cafe.metric(&cafe.inventory, "inventory_faults_total{fault=\"slow\"}").await;
        (slow > 0.0).then_some(())
    })
    .await;
    // Its death closes both the services' stdin and the pipe that took their log.
    cafe.process.signal("KILL");
    cafe.process.ended().await;
    assert_eq!(sent.await.unwrap().unwrap().status(), 200);
    let spans = collector.trace(trace, 3).await;
    assert!(spans.iter().any(|span| span.name == "commit reservation"), "{spans:?}");
}

#[tokio::test]
async fn the_death_of_either_service_ends_all_and_its_last_lines_are_shown() {
    for (index, name, line) in
        [(0, "inventory", "the seed of flaky faults"), (1, "order", "the timeout is")]
    {
        let mut cafe = Cafe::open().await;
        let services = cafe.process.children();
        signal(&services[index].to_string(), "KILL");
        assert_eq!(cafe.process.ended().await.code(), Some(1));
        let said = cafe.process.stderr();
        let last =
            format!("the {name} service stopped unexpectedly (signal: 9 (SIGKILL)); its last");
        let (log, last) = said.split_once(&last).unwrap_or_else(|| panic!("no {last} in {said}"));
        assert!(log.contains(line) && last.contains(line), "{said}");
        gone(&services).await;
    }
}

/// A lab that has logged more than anybody reads.
async fn unread_lab() -> Cafe {
    let cafe = Cafe::open_with_unread_stderr().await;
    let body = serde_json::json!({"itemId": "tea", "quantity": 1});
    // Some 700 bytes of log an order; a pipe holds 64 KiB.
    for number in 0..400 {
        let answer = cafe.http.post(format!("{}/orders", cafe.order)).json(&body);
        let answer = answer.timeout(std::time::Duration::from_secs(20)).send().await;
        assert_eq!(answer.expect("an answer").status(), 409, "order {number}");
    }
    cafe
}

#[tokio::test]
async fn a_lab_whose_stderr_nobody_reads_goes_on_and_ends_as_it_should() {
    for (name, expected) in [("TERM", 0), ("KILL", 1)] {
        let mut lab = unread_lab().await.process;
        let told = if name == "TERM" { lab.pid() } else { lab.children()[0] };
        signal(&told.to_string(), name);
        assert_eq!(lab.ended().await.code(), Some(expected), "{name}");
    }
}

#[tokio::test]
async fn two_labs_run_side_by_side() {
    let (one, other) = tokio::join!(Cafe::open(), Cafe::open());
    assert_eq!(one.order_cake("none", false).await.status, 200);
    assert_eq!(one.state().await["reservations"], 1);
    assert_eq!(other.state().await["reservations"], 0);
}

#[tokio::test]
async fn a_lab_with_a_taken_port_starts_nothing_and_says_which() {
    let cafe = Cafe::open().await;
    for (variable, url) in [
        ("LAB_LISTEN", &cafe.lab),
        ("INVENTORY_LISTEN", &cafe.inventory),
        ("ORDER_LISTEN", &cafe.order),
    ] {
        let taken = url.trim_start_matches("http://");
        let any = "127.0.0.1:0";
        let mut settings =
            vec![("LAB_LISTEN", any), ("INVENTORY_LISTEN", any), ("ORDER_LISTEN", any)];
        settings.retain(|(name, _)| *name != variable);
        settings.push((variable, taken));
        let (code, _, stderr) = Process::run("campuscafe", &[], &settings).await;
        assert_eq!(code, Some(2), "{variable}: {stderr}");
        assert!(stderr.contains(variable) && stderr.contains(taken), "{stderr}");
    }
}

/// Runs a program that has nowhere to write: the disk is full.
fn code_on_a_full_disk(program: &str, arguments: &[&str]) -> Option<i32> {
    let full = || OpenOptions::new().write(true).open("/dev/full").unwrap();
    let mut command = Command::new(binary(program));
    command.args(arguments).env_clear();
    command.stdin(Stdio::null()).stdout(full()).stderr(full());
    command.status().unwrap().code()
}

#[tokio::test]
async fn on_a_full_disk_the_exit_status_still_says_what_happened() {
    let mut inventory = Process::start("inventory", &["--listen", "127.0.0.1:0"], &[]);
    let address = inventory.address().await;
    let address = address.trim_start_matches("http://");
    let refused = TcpStream::connect("127.0.0.1:1").await.is_err();
    assert!(refused, "nothing listens on port 1");
    for program in ["inventory", "order"] {
        let ask = |listen| code_on_a_full_disk(program, &["--listen", listen, "healthcheck"]);
        assert_eq!(ask(address), Some(0), "{program}: it is ready");
        assert_eq!(ask("127.0.0.1:1"), Some(1), "{program}: nobody answers");
        assert_eq!(code_on_a_full_disk(program, &["--listen", "x"]), Some(2), "{program}: misuse");
        assert_eq!(
            code_on_a_full_disk(program, &["--listen", address]),
            Some(2),
            "{program}: taken"
        );
    }
}
