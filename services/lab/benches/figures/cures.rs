//! What the cures cost, how soon they end what is unknown, and that their memory is bounded.

use std::process::Command;
use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::{Instant, interval};

use crate::drive::{self, CURED, NAIVE, Round};
use crate::keyed::Keyed;
use crate::process::{Cafe, Telemetry, resident_mb};
use crate::{middle, ratio};

/// Few and short: each cured order takes a place among the 150,000 keys of three minutes.
const ROUNDS: usize = 8;
const MEASURED: Duration = Duration::from_secs(1);

const UNKNOWN: usize = 1_000;
/// Customers at once while the inventory is silent: far fewer than connections allowed.
const AT_ONCE: usize = 250;
/// So that none of them is shed: ordinary orders may use a sixth of it.
const MAX_WORK: &str = "3000";

const KEYED: [u64; 3] = [100_000, 500_000, 1_000_000];

pub(crate) async fn figures() {
    throughput().await;
    settlement().await;
    memory().await;
}

async fn throughput() {
    let cafe = Cafe::open(Telemetry::Full);
    let mut rounds: [Vec<Round>; 2] = Default::default();
    for _ in 0..ROUNDS {
        for (order, rounds) in [NAIVE, CURED].into_iter().zip(&mut rounds) {
            rounds.push(drive::round(&cafe.order, order, MEASURED).await);
        }
    }
    let [naive, cured] = &rounds;
    println!("orders a second without and with a key, median of {ROUNDS} rounds");
    for (name, rounds) in [("naive", naive), ("cured", cured)] {
        let Round { rate, p99_ms } = middle(rounds);
        println!("  {name:<27} {rate:>8.0}/s   p99 {p99_ms:>6.2} ms");
    }
    ratio("cured / naive", cured, naive, "to reach: 0.85 or more");
    println!();
}

/// The inventory stops in the middle, so that no order gets an answer, and then goes on.
async fn settlement() {
    println!("the inventory answers again, until the last of {UNKNOWN} orders is settled");
    for _ in 0..3 {
        let cafe = Cafe::open_with(Telemetry::Full, &[("ORDER_MAX_WORK", MAX_WORK)]);
        let inventory = cafe.processes().into_iter().find(|(name, _)| *name == "inventory");
        let (_, inventory) = inventory.expect("it was started");
        signal("STOP", inventory);
        unanswered(&cafe.order).await;
        let all = unknown(&cafe.order).await;
        signal("CONT", inventory);
        let begun = Instant::now();
        let mut ask = interval(Duration::from_millis(10));
        while unknown(&cafe.order).await > 0 {
            ask.tick().await;
        }
        let took = begun.elapsed().as_secs_f64();
        println!("  {all} orders settled within {took:>5.2} s   to reach: under 2 s");
    }
    println!();
}

/// Orders that are all answered 202.
async fn unanswered(order_service: &str) {
    let client = reqwest::Client::builder().no_proxy().build().expect("a client");
    let mut customers = JoinSet::new();
    for _ in 0..AT_ONCE {
        let (client, url) = (client.clone(), format!("{order_service}/orders"));
        customers.spawn(async move {
            for _ in 0..UNKNOWN / AT_ONCE {
                let request = client.post(&url).header("content-type", "application/json");
                let answer = request.body(CURED).send().await.expect("an answer");
                assert_eq!(answer.status(), 202, "not known yet");
            }
        });
    }
    customers.join_all().await;
}

/// How many orders are unknown now.
async fn unknown(order_service: &str) -> u64 {
    let page = reqwest::get(format!("{order_service}/metrics")).await.expect("an answer");
    let page = page.text().await.expect("read whole");
    let gauge = page.lines().find_map(|line| line.strip_prefix("order_unknown "));
    gauge.and_then(|value| value.parse().ok()).expect("it is counted")
}

fn signal(name: &str, pid: u32) {
    let sent = Command::new("kill").args([&format!("-{name}"), &pid.to_string()]).status();
    assert!(sent.is_ok_and(|status| status.success()), "no signal reached {pid}");
}

/// Both services in one process, whose time of day goes on by 5 ms with each order: so keys
/// expire as they do at 200 orders a second, and a million orders are eight horizons.
async fn memory() {
    let services = Keyed::open();
    println!("resident memory of both services after keyed orders, 200 a second by their clock");
    let mut placed = 0;
    // The history of commits, 16 MB, fills too: it reaches back three minutes by the real clock.
    for count in KEYED {
        drive::orders(&services.order, CURED, count - placed).await;
        placed = count;
        let mb = resident_mb(services.pid());
        println!("  {count:>9} orders {mb:>8.1} MB   to reach: flat");
    }
    println!();
}
