//! `campuscafe load`: what it counts is what happened.

use std::fs::File;
use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use axum::Router;
use axum::http::{StatusCode, Uri, header};
use axum::routing::{get, post};
use campuscafe_chaos::SplitMix64;
use campuscafe_tests::{Cafe, Process, Services, binary, eventually, is_running, signal};
use serde_json::{Value, json};
use tokio::net::TcpListener;

const ANY_PORT: &str = "127.0.0.1:0";

/// What Ctrl-C may take on a busy machine; what it promises is a second.
const SOON: Duration = Duration::from_secs(8);

/// So generous that even on a busy machine no healthy order meets it.
const PATIENT: (&str, &str) = ("ORDER_ATTEMPT_TIMEOUT", "20s");

/// Each attempt at `slow:6000` is given up after half of its time, so that a busy
/// machine turns neither its end nor its lateness around.
const HALF_OF_SLOW: (&str, &str) = ("ORDER_ATTEMPT_TIMEOUT", "3s");

async fn load(arguments: &[&str], environment: &[(&str, &str)]) -> Value {
    let all = [&["load", "--json"], arguments].concat();
    let (code, stdout, stderr) = Process::run("campuscafe", &all, environment).await;
    assert_eq!(code, Some(0), "{stderr}");
    serde_json::from_str(&stdout).unwrap_or_else(|_| panic!("no JSON: {stdout}"))
}

fn orders(json: &Value, outcome: &str) -> u64 {
    json["outcomes"][outcome]["orders"].as_u64().unwrap()
}

#[tokio::test]
async fn orders_arrive_at_the_rate_however_slow_the_answers() {
    let arguments = ["--rate", "50", "--duration", "2s", "--mix", "slow:900=1"];
    let json = load(&arguments, &[PATIENT]).await;
    assert_eq!((&json["answered"], &json["notSent"]), (&100.into(), &0.into()), "{json}");
    assert_eq!(orders(&json, "confirmed"), 100, "{json}");
    // One after the other they would have taken 90 s.
    assert!(json["seconds"].as_f64().unwrap() < 10.0, "{json}");
    let times = &json["outcomes"]["confirmed"]["times"];
    assert!(times["p50Ms"].as_f64().unwrap() >= 900.0, "{json}");
    assert_eq!(json["ledger"]["gap"], 0);
}

#[tokio::test]
async fn the_gap_counts_the_late_work_too() {
    let arguments = ["--rate", "20", "--duration", "1s", "--mix", "slow:6000=1", "--retry"];
    let json = load(&arguments, &[HALF_OF_SLOW]).await;
    assert_eq!(orders(&json, "unknown"), 20, "{json}");
    let ledger = &json["ledger"];
    assert_eq!((&ledger["reservations"], &ledger["gap"]), (&40.into(), &40.into()), "{json}");
    assert_eq!((&ledger["late"], &ledger["duplicates"]), (&40.into(), &20.into()), "{json}");
    assert_eq!(json["settled"], true);
}

#[tokio::test]
async fn with_keys_there_is_no_gap_under_any_mix_and_every_order_is_settled() {
    let mix = "none=3,slow=2,lostreply=2,abort=2,fail=1,flaky=2,slow+none=2,lostreply+none=1";
    let arguments = ["--rate", "40", "--duration", "3s", "--mix", mix, "--retry", "--idempotent"];
    let json = load(&arguments, &[]).await;
    let ledger = &json["ledger"];
    assert_eq!((&ledger["gap"], &ledger["duplicates"]), (&0.into(), &0.into()), "{json}");
    let unknown = orders(&json, "unknown");
    let settled = &json["settlements"];
    let now = |state: &str| settled[state].as_u64().unwrap();
    assert!(unknown > 0 && now("failed") > 0 && now("confirmed") > 0, "{json}");
    assert_eq!((now("confirmed") + now("failed"), now("stillUnknown")), (unknown, 0), "{json}");
    let yes = orders(&json, "confirmed") + now("confirmed");
    assert_eq!(ledger["reservations"], yes, "one reservation for each customer with a yes");
}

/// An order service that tells of unknown orders until it was asked ten times, and then of
/// none; and that lists two of them on pages of one, of which only the first has a key.
async fn never_settles() -> (String, Arc<AtomicUsize>) {
    let asked = Arc::new(AtomicUsize::new(0));
    let count = asked.clone();
    let metrics = async move || {
        let unknown = if count.fetch_add(1, Ordering::SeqCst) < 10 { 2 } else { 0 };
        format!("order_unknown {unknown}\norder_settled_total{{result=\"failed\"}} {unknown}\n")
    };
    let answer = json!({"orderId": "1", "outcome": "unknown", "attempts": []});
    let order = async move || (StatusCode::ACCEPTED, axum::Json(answer));
    let listed = async |uri: Uri| {
        let first = !uri.query().unwrap_or_default().contains("after=");
        let lane = if first { "cured" } else { "naive" };
        axum::Json(json!({
            "orders": [{"orderId": "1", "lane": lane, "state": "unknown", "history": [],
                "itemId": "cake", "quantity": 1}],
            "next": first.then_some("1"),
        }))
    };
    let service =
        Router::new().route("/orders", post(order).get(listed)).route("/metrics", get(metrics));
    let listener = TcpListener::bind(ANY_PORT).await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, service).await });
    (url, asked)
}

#[tokio::test]
async fn a_load_with_keys_waits_until_no_order_is_unknown_and_then_asks_for_each() {
    let mut inventory = Process::start("inventory", &["--listen", ANY_PORT], &[]);
    let inventory = inventory.address().await;
    for (keyed, expected) in [(true, json!(1)), (false, Value::Null)] {
        let (order, asked) = never_settles().await;
        let mut arguments = vec!["--rate", "20", "--duration", "100ms", "--order-url", &order];
        arguments.extend(["--inventory-url", &inventory]);
        arguments.extend(keyed.then_some("--idempotent"));
        let json = load(&arguments, &[]).await;
        assert_eq!((orders(&json, "unknown"), &json["settled"]), (2, &true.into()), "{json}");
        assert_eq!(json["settlements"]["stillUnknown"], expected, "{json}");
        assert_eq!(json["idempotent"], keyed);
        assert_eq!(asked.load(Ordering::SeqCst) > 10, keyed, "asked until none was unknown");
    }
}

#[tokio::test]
async fn on_a_running_cafe_every_slow_order_is_late_twice_and_doubled_once() {
    let cafe = Cafe::open_with(&[HALF_OF_SLOW]).await;
    let (seed, due) = (7, 90);
    let slow = (0..due).filter(|n| SplitMix64::nth(seed, *n).below(100) >= 80).count() as u64;
    let arguments = "--rate 30 --duration 3s --mix none=80,slow:6000=20 --seed 7 --retry --lab-url";
    let arguments = [arguments.split(' ').collect(), vec![cafe.lab.as_str()]].concat();
    let json = load(&arguments, &[]).await;
    assert_eq!((orders(&json, "unknown"), orders(&json, "confirmed")), (slow, due - slow));
    let ledger = &json["ledger"];
    assert_eq!((&ledger["late"], &ledger["duplicates"]), (&(2 * slow).into(), &slow.into()));
    // How many are lost depends on the machine; that both are counted does not.
    let spans = &json["spans"];
    assert!(spans["exported"].as_u64().unwrap() > due && spans["lost"].is_object(), "{json}");
}

#[tokio::test]
async fn a_small_stock_gets_deliveries_and_keeps_what_it_remembers() {
    let cafe = Cafe::open_with(&[PATIENT]).await;
    cafe.order_cake("none", false).await;
    let arguments = ["--rate", "50", "--duration", "4s", "--mix", "none=1", "--lab-url", &cafe.lab];
    let json = load(&arguments, &[]).await;
    // Twenty coffees would have been gone after the first tenth.
    assert_eq!(orders(&json, "confirmed"), 200, "{json}");
    // Three seconds of two pieces an order, less the twenty that were there; and
    // once a third of that is gone, as much again.
    assert!(json["delivered"].as_u64().unwrap() >= 280 + 100, "{json}");
    let state = cafe.state().await;
    assert_eq!((&state["reservations"], &state["stock"]["cake"]), (&201.into(), &9.into()));
    let coffee = state["stock"]["coffee"].as_u64().unwrap();
    assert!((20..=300).contains(&coffee), "{state}");
    let (_, text, _) = Process::run("campuscafe", &[&["load"], &arguments[..]].concat(), &[]).await;
    assert!(text.contains("The load delivered "), "{text}");
}

#[tokio::test]
async fn a_reset_by_somebody_else_is_followed_by_a_delivery() {
    let cafe = Cafe::open().await;
    let arguments = ["load", "--json", "--rate", "50", "--mix", "none=1", "--lab-url", &cafe.lab];
    let mut endless = Process::start("campuscafe", &arguments, &[]);
    let coffee = async |least: u64| {
        eventually("a delivery", || async {
            (cafe.state().await["stock"]["coffee"].as_u64() >= Some(least)).then_some(())
        })
        .await;
    };
    coffee(100).await;
    cafe.send(cafe.http.post(format!("{}/inventory/reset", cafe.inventory))).await;
    coffee(100).await;
    endless.signal("INT");
    assert_eq!(endless.ended().await.code(), Some(0), "{}", endless.stderr());
}

#[tokio::test]
async fn the_same_seed_meets_the_same_faults() {
    let arguments =
        ["--rate", "100", "--duration", "1s", "--mix", "none=1,fail=1,abort=1", "--seed", "5"];
    let (one, again) = (load(&arguments, &[PATIENT]).await, load(&arguments, &[PATIENT]).await);
    assert_eq!(one["counters"], again["counters"]);
    assert!(orders(&one, "failed") > 0 && orders(&one, "unknown") > 0, "{one}");
}

/// Waits until the load has written this to stderr.
async fn said(load: &mut Process, what: &str) {
    load.said_aside(what, |line| line.contains(what).then_some(())).await;
}

/// Sends Ctrl-C, and gives the load's exit code and its report.
async fn interrupted(mut load: Process) -> (Option<i32>, Value) {
    load.signal("INT");
    let status = load.ended().await;
    (status.code(), serde_json::from_str(&load.stdout()).unwrap_or_default())
}

/// The same, and it must be soon.
async fn interrupted_soon(load: Process) -> (Option<i32>, Value) {
    let ended = tokio::time::timeout(SOON, interrupted(load)).await;
    ended.unwrap_or_else(|_| panic!("still there {SOON:?} after Ctrl-C"))
}

#[tokio::test]
async fn ctrl_c_ends_the_arrivals_and_still_sums_up_and_ends_what_was_started() {
    let mut endless = Process::start("campuscafe", &["load", "--json", "--rate", "20"], &[]);
    // The first line of progress says that orders are under way.
    said(&mut endless, "confirmed").await;
    let services = endless.children();
    assert_eq!(services.len(), 2);
    let (code, json) = interrupted(endless).await;
    assert_eq!(code, Some(0), "{json}");
    assert!(json["answered"].as_u64().unwrap() > 0, "{json}");
    assert!(!services.into_iter().any(is_running), "they have ended before the load did");
}

#[tokio::test]
async fn ctrl_c_gives_up_what_the_loads_own_services_cannot_finish_in_time() {
    // Both would take longer than this test may: a minute of work, and for ever.
    for stopped in [false, true] {
        let patient = ("ORDER_ATTEMPT_TIMEOUT", "60s");
        let arguments = ["load", "--json", "--rate", "40", "--mix", "none=50,slow:60000=50"];
        let mut load = Process::start("campuscafe", &arguments, &[patient]);
        said(&mut load, "confirmed").await;
        let services = load.children();
        if stopped {
            signal(&services[1].to_string(), "STOP");
        }
        load.signal("INT");
        let ended = tokio::time::timeout(SOON, load.ended()).await;
        let code = ended.expect("it ends soon after Ctrl-C").code();
        let json: Value = serde_json::from_str(&load.stdout()).expect("its report");
        let stderr = load.stderr();
        // A stopped service cannot tell its counts.
        assert_eq!((code, json["ledger"].is_null()), (Some(stopped.into()), stopped), "{json}");
        assert!(json["answered"].as_u64().unwrap() > 0, "{json}");
        assert!(json["underWay"].as_u64().unwrap() > 0 && json["settled"] == false, "{json}");
        let last = "800ms after Ctrl-C, this load killed order and inventory";
        assert!(stderr.contains(last), "{stderr}");
        assert!(!services.into_iter().any(is_running), "they have ended before the load did");
    }
}

#[tokio::test]
async fn a_stopped_order_service_stops_neither_the_arrivals_nor_ctrl_c() {
    let cafe = Cafe::open().await;
    let arguments = ["load", "--json", "--rate", "100", "--lab-url", &cafe.lab];
    let mut load = Process::start("campuscafe", &arguments, &[]);
    said(&mut load, "confirmed").await;
    let order = cafe.process.children()[1].to_string();
    signal(&order, "STOP");
    // The lines go on, and so do the arrivals: 100 a second.
    let in_flight = |line: &str| -> Option<u64> {
        line.split("in flight ").nth(1)?.split(' ').next()?.parse().ok()
    };
    eventually("arrivals without answers", || {
        let most = load.stderr().lines().filter_map(in_flight).max();
        std::future::ready((most >= Some(300)).then_some(()))
    })
    .await;
    let (code, json) = interrupted_soon(load).await;
    signal(&order, "CONT");
    assert_eq!(code, Some(1), "the services could not be asked: {json}");
    let number = |name: &str| json[name].as_f64().unwrap();
    // By the clock alone, give or take what a busy machine does in between.
    assert!((number("arrivals") - 100.0 * number("seconds")).abs() < 50.0, "{json}");
    assert!(number("underWay") >= 300.0 && json["ledger"].is_null(), "{json}");
    let ended: u64 = ["confirmed", "failed", "unknown", "shed", "no_answer"]
        .iter()
        .map(|outcome| orders(&json, outcome))
        .sum();
    let known = ended as f64 + number("underWay") + number("notSent");
    assert!((number("arrivals") - known).abs() < f64::EPSILON, "each is accounted for: {json}");
}

/// Whether the process has a handler for SIGINT, number 2.
fn hears_ctrl_c(pid: u32) -> bool {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let caught = status.lines().find_map(|line| line.strip_prefix("SigCgt:"));
    let caught = caught.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok());
    caught.is_some_and(|mask| mask & 0b10 != 0)
}

#[tokio::test]
async fn ctrl_c_ends_it_before_the_first_answer() {
    let cafe = Cafe::open().await;
    let services = cafe.process.children();
    let lab = cafe.process.pid().to_string();
    for stopped in [&lab, &services[0].to_string(), &services[1].to_string()] {
        signal(stopped, "STOP");
        let arguments = ["load", "--json", "--lab-url", &cafe.lab];
        let load = Process::start("campuscafe", &arguments, &[]);
        eventually("its listening to Ctrl-C", || {
            std::future::ready(hears_ctrl_c(load.pid()).then_some(()))
        })
        .await;
        let (code, json) = interrupted_soon(load).await;
        signal(stopped, "CONT");
        assert_eq!((code, json), (Some(1), Value::Null));
    }
}

#[tokio::test]
async fn ctrl_c_ends_the_waiting_for_orders_that_are_under_way() {
    let cafe = Cafe::open_with(&[("ORDER_ATTEMPT_TIMEOUT", "60s")]).await;
    let arguments = "load --json --rate 20 --duration 500ms --mix slow:60000=1 --lab-url";
    let arguments = [arguments.split(' ').collect(), vec![cafe.lab.as_str()]].concat();
    let mut load = Process::start("campuscafe", &arguments, &[]);
    said(&mut load, "waiting for 10 orders that are under way").await;
    let (code, json) = interrupted_soon(load).await;
    assert_eq!((code, &json["underWay"]), (Some(1), &10.into()), "none was answered: {json}");
    assert_eq!((&json["settled"], &json["ledger"]["reservations"]), (&false.into(), &0.into()));
}

#[tokio::test]
async fn the_report_survives_the_death_of_the_order_service() {
    let mut services = Services::start(&[], &[]).await;
    let (order, inventory) = (services.order_url.clone(), services.inventory_url.clone());
    let urls = ["--order-url", &order, "--inventory-url", &inventory];
    let arguments = ["load", "--json", "--rate", "100", "--mix", "none=1"];
    let mut load = Process::start("campuscafe", &[&arguments[..], &urls].concat(), &[]);
    said(&mut load, "confirmed").await;
    services.order.signal("KILL");
    services.order.ended().await;
    said(&mut load, "no answer").await;
    let (code, json) = interrupted_soon(load).await;
    assert_eq!(code, Some(1), "{json}");
    assert!(orders(&json, "confirmed") > 0 && orders(&json, "no_answer") > 0, "{json}");
    assert!(json["notAsked"].as_str().unwrap().contains("nothing answers there"), "{json}");
    assert!(json["ledger"].is_null(), "{json}");
}

#[tokio::test]
async fn orders_that_are_shed_and_orders_that_are_not_sent_are_counted_apart() {
    let mut inventory = Process::start("inventory", &["--listen", ANY_PORT], &[]);
    let url = inventory.address().await;
    let listener = TcpListener::bind(ANY_PORT).await.unwrap();
    let busy = format!("http://{}", listener.local_addr().unwrap());
    let problem =
        r#"{"type":"urn:problem-type:campuscafe:overloaded","title":"Overloaded","status":503}"#;
    let shed = async move || {
        let media = [(header::CONTENT_TYPE, "application/problem+json")];
        (StatusCode::SERVICE_UNAVAILABLE, media, problem)
    };
    let service = Router::new().route("/orders", post(shed)).route("/metrics", get(async || ""));
    tokio::spawn(async move { axum::serve(listener, service).await });
    let urls = ["--order-url", busy.as_str(), "--inventory-url", &url];
    let arguments = ["--rate", "100", "--duration", "500ms"];
    let all = [&["load", "--json"], &arguments[..], &urls].concat();
    let (code, stdout, stderr) = Process::run("campuscafe", &all, &[]).await;
    assert_eq!(code, Some(1), "no customer was told an outcome: {stderr}");
    let json: Value = serde_json::from_str(&stdout).unwrap();
    assert_eq!((orders(&json, "shed"), orders(&json, "no_answer")), (50, 0), "{json}");

    let few = "--rate 100 --duration 500ms --mix slow:5000=1 --max-in-flight 7";
    let json = load(&few.split(' ').collect::<Vec<_>>(), &[PATIENT]).await;
    assert_eq!((&json["notSent"], orders(&json, "confirmed")), (&43.into(), 7), "{json}");
}

#[tokio::test]
async fn a_report_that_cannot_be_written_is_no_success() {
    let full = File::options().write(true).open("/dev/full").unwrap();
    let load = tokio::process::Command::new(binary("campuscafe"))
        .args(["load", "--rate", "10", "--duration", "100ms", "--mix", "none=1"])
        .env_clear()
        .stdin(Stdio::null())
        .stdout(full)
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let load = load.wait_with_output().await.unwrap();
    let stderr = String::from_utf8_lossy(&load.stderr);
    assert_eq!(load.status.code(), Some(1), "{stderr}");
    assert!(stderr.contains("error: cannot write to stdout"), "{stderr}");
}

#[tokio::test]
async fn misuse_is_one_line_and_exit_2() {
    for arguments in [
        &["--rate", "0"][..],
        &["--rate", "fast"],
        &["--duration", "0s"],
        &["--duration", "soon"],
        &["--mix", "slwo=1"],
        &["--mix", "none"],
        &["--max-in-flight", "0"],
    ] {
        let all = [&["load"], arguments].concat();
        let (code, _, stderr) = Process::run("campuscafe", &all, &[]).await;
        assert_eq!((code, stderr.lines().count()), (Some(2), 1), "{arguments:?}: {stderr}");
    }
}
