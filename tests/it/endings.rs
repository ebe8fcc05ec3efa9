//! How programs begin and end: nothing is lost, nothing is left behind.

use std::path::Path;

use campuscafe_tests::{Cafe, Process, eventually};

/// The processes that the lab started.
fn children(pid: u32) -> Vec<u32> {
    let path = format!("/proc/{pid}/task/{pid}/children");
    let list = std::fs::read_to_string(path).unwrap_or_default();
    list.split_whitespace().filter_map(|pid| pid.parse().ok()).collect()
}

async fn gone(pids: &[u32]) {
    eventually("the end of both services", || {
        let alive = pids.iter().any(|pid| Path::new(&format!("/proc/{pid}/cmdline")).exists());
        std::future::ready((!alive).then_some(()))
    })
    .await;
}

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
    assert!(log.contains("reserved, but the caller is gone"), "{log}");
    let spans = cafe.trace(trace, 3).await;
    assert!(spans.iter().any(|span| span.name == "commit reservation"), "flushed at the end");
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
    assert!(
        log.contains("error: gave up work that was not finished after 10 s: 1 requests"),
        "{log}"
    );
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
    for signal in ["INT", "TERM"] {
        let mut cafe = Cafe::open().await;
        let services = children(cafe.process.pid());
        assert_eq!(services.len(), 2);
        cafe.process.signal(signal);
        assert_eq!(cafe.process.ended().await.code(), Some(0), "{signal}");
        gone(&services).await;
    }
}

#[tokio::test]
async fn a_lab_that_is_killed_leaves_no_orphans() {
    let mut cafe = Cafe::open().await;
    let services = children(cafe.process.pid());
    assert_eq!(services.len(), 2);
    cafe.process.signal("KILL");
    cafe.process.ended().await;
    gone(&services).await;
}

#[tokio::test]
async fn the_death_of_either_service_ends_all() {
    for index in [0, 1] {
        let mut cafe = Cafe::open().await;
        let services = children(cafe.process.pid());
        let killed = std::process::Command::new("kill")
            .args(["-KILL", &services[index].to_string()])
            .status()
            .unwrap();
        assert!(killed.success());
        assert_eq!(cafe.process.ended().await.code(), Some(1));
        assert!(cafe.process.stderr().contains("ended by itself"), "{}", cafe.process.stderr());
        gone(&services).await;
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
