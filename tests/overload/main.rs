//! What the services do when five times as many orders come as they can carry:
//! `make test-overload`. Prints a table, and fails where a promise does not hold.
//!
//! The services run in containers with the memory limits of docker-compose.yml and
//! with a processor quota (compose.yml beside this file); the sender has the rest of
//! the machine. SECONDS_EACH=60 is how long each phase takes. That nothing restarts
//! and that memory stays bounded must hold everywhere. What depends on the speed of
//! the machine is a figure with a goal: it is printed, and it fails the run only with
//! GOALS=must.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a measurement that cannot go on must fail, and its table goes to stdout"
)]

mod connections;
mod container;
mod generator;
mod probes;

use std::process::ExitCode;
use std::sync::OnceLock;
use std::time::Duration;

use container::Container;
use generator::Sent;
use tokio::time::{Instant, interval};

/// What must hold: of the memory's limit.
const MEMORY_SHARE: f64 = 0.80;

/// What is to be reached: by a probe, until all is normal again, by confirmed orders
/// without faults, and of the peak.
const PROBE: Duration = Duration::from_millis(500);
const RECOVERY: Duration = Duration::from_secs(2);
const P99_MS: f64 = 250.0;
const GOODPUT_SHARE: f64 = 0.80;

/// The mixes: all orders without faults, and a third of the work slow.
const MIXES: [(&str, &str); 2] = [("no faults", "none=100"), ("a third slow", "none=67,slow=33")];

/// Offered to find the rate with the largest goodput.
const RAMP: [u32; 6] = [400, 700, 1_000, 1_400, 2_000, 2_800];

/// How much more than the peak is offered.
const FACTOR: f64 = 5.0;

/// Connections that are open at a time in the second half of each mix.
const CONNECTIONS: usize = 2_000;

/// The services' own addresses. The engine's proxy in front of a published port is
/// a program like any other: it gives up long before the services do.
static DIRECT: OnceLock<[String; 2]> = OnceLock::new();

#[tokio::main]
async fn main() -> ExitCode {
    if std::env::var_os("ORDER_URL").is_none() {
        println!("this needs services in containers: run it by `make test-overload`");
        return ExitCode::FAILURE;
    }
    let direct = [
        format!("http://{}:5201", Container::address("order").await),
        format!("http://{}:5101", Container::address("inventory").await),
    ];
    DIRECT.get_or_init(|| direct);
    let seconds = setting("SECONDS_EACH", 60);
    let mut rows = Vec::new();
    for (name, mix) in MIXES {
        let peak = Peak::of(mix, seconds).await;
        let before = peak.now().await;
        println!("{name}: the peak is {before:.0} confirmed orders a second");
        let offered = (before * FACTOR).ceil();
        let mut open_loop = row(format!("{name}, {offered:.0}/s"), async |probes| {
            probes.during(generator::load(offered, seconds, mix)).await
        })
        .await;
        let between = peak.now().await;
        let mut many = row(format!("{name}, {CONNECTIONS} connections"), async |probes| {
            probes.during(connections::load(CONNECTIONS, seconds, mix.contains("slow"))).await
        })
        .await;
        let after = peak.now().await;
        open_loop.compare([before, between]);
        many.compare([between, after]);
        rows.extend([open_loop, many]);
    }
    print(&rows);
    let goals_must = std::env::var("GOALS").is_ok_and(|goals| goals == "must");
    let missed = |row: &Row| if goals_must { row.missed.len() } else { 0 };
    let failed: usize = rows.iter().map(|row| row.broken.len() + missed(row)).sum();
    let passed = rows.len() * Row::CHECKS - failed;
    println!("{passed} passed, {failed} failed");
    if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

pub(crate) fn setting(name: &str, default: u64) -> u64 {
    match std::env::var(name) {
        Ok(value) => value.parse().unwrap_or_else(|_| panic!("{name}={value}: expected a number")),
        Err(_) => default,
    }
}

pub(crate) fn order_url() -> &'static str {
    &DIRECT.get().expect("known at the start")[0]
}

pub(crate) fn inventory_url() -> &'static str {
    &DIRECT.get().expect("known at the start")[1]
}

/// The most that is confirmed of one mix.
struct Peak {
    mix: &'static str,
    seconds: u64,
    /// Offered: where the goodput is largest, and the next rate above.
    rates: [u32; 2],
}

impl Peak {
    async fn of(mix: &'static str, seconds: u64) -> Self {
        let mut found = Self { mix, seconds: (seconds / 6).max(3), rates: [0; 2] };
        let mut most = 0.0_f64;
        for rates in RAMP.array_windows() {
            let goodput = found.goodput(rates[0]).await;
            if goodput > most {
                (most, found.rates) = (goodput, *rates);
            }
        }
        found
    }

    /// Of these minutes: on a machine that others use as well, it is another one some minutes
    /// later.
    async fn now(&self) -> f64 {
        let mut peak = 0.0_f64;
        for rate in self.rates {
            peak = peak.max(self.goodput(rate).await);
        }
        peak
    }

    /// In confirmed orders a second. Probes come meanwhile as they do in each phase: in a small
    /// quota even they cost orders.
    async fn goodput(&self, rate: u32) -> f64 {
        let load = generator::load(f64::from(rate), self.seconds, self.mix);
        let sent = probes::Probes::new().during(load).await;
        recovered().await;
        sent.goodput
    }
}

/// One line of the table.
struct Row {
    name: String,
    sent: Sent,
    peak: f64,
    probe: Duration,
    recovery: Option<Duration>,
    memory: Vec<(&'static str, f64)>,
    broken: Vec<String>,
    /// Goals that were not reached.
    missed: Vec<String>,
}

impl Row {
    const CHECKS: usize = 6;

    /// With the peak before and after it.
    fn compare(&mut self, peaks: [f64; 2]) {
        self.peak = peaks.iter().sum::<f64>() / 2.0;
        if self.sent.goodput < GOODPUT_SHARE * self.peak {
            let words = format!("goodput {:.0}/s of {:.0}/s", self.sent.goodput, self.peak);
            println!("GOAL NOT REACHED {}: {words}", self.name);
            self.missed.push(words);
        }
    }
}

async fn row(name: String, phase: impl AsyncFnOnce(&probes::Probes) -> Sent) -> Row {
    let containers = Container::all().await;
    let probes = probes::Probes::new();
    let sent = phase(&probes).await;
    let recovery = recovered().await;
    let probe = probes.slowest();
    let (mut broken, mut missed) = (Vec::new(), Vec::new());
    let check = |failures: &mut Vec<String>, holds: bool, words: String| {
        if !holds {
            failures.push(words);
        }
    };
    let mut memory = Vec::new();
    let mut restarts = Vec::new();
    for before in &containers {
        let now = Container::of(before.service).await;
        if now.restarts != before.restarts || now.out_of_memory || now.id != before.id {
            restarts.push(before.service);
        }
        memory.push((before.service, now.peak as f64 / now.limit as f64));
    }
    check(&mut broken, restarts.is_empty(), format!("restarted: {restarts:?}"));
    check(&mut broken, memory.iter().all(|(_, share)| *share < MEMORY_SHARE), "memory".to_owned());
    check(&mut missed, probe <= PROBE, format!("a probe took {} ms", probe.as_millis()));
    let normal = recovery.is_some_and(|after| after <= RECOVERY);
    check(&mut missed, normal, format!("not normal again within {RECOVERY:?}"));
    check(&mut missed, sent.p99_ms < P99_MS, format!("p99 {:.0} ms", sent.p99_ms));
    for words in &broken {
        println!("BROKEN {name}: {words}");
    }
    for words in &missed {
        println!("GOAL NOT REACHED {name}: {words}");
    }
    Row { name, sent, peak: 0.0, probe, recovery, memory, broken, missed }
}

/// How long it takes until three orders in a row are confirmed within 100 ms each.
async fn recovered() -> Option<Duration> {
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let order = serde_json::json!({ "itemId": "cake", "quantity": 1 });
    let begun = Instant::now();
    let mut again = interval(Duration::from_millis(50));
    let mut in_a_row = 0;
    while begun.elapsed() < Duration::from_secs(20) {
        again.tick().await;
        let sent = Instant::now();
        let answer = http.post(format!("{}/orders", order_url())).json(&order).send().await;
        let quick = sent.elapsed() < Duration::from_millis(100);
        let well = quick && answer.is_ok_and(|answer| answer.status().is_success());
        in_a_row = if well { in_a_row + 1 } else { 0 };
        if in_a_row == 3 {
            return Some(begun.elapsed());
        }
    }
    None
}

fn print(rows: &[Row]) {
    println!(
        "\n{:<34} {:>9} {:>9} {:>7} {:>7} {:>9} {:>8} {:>9}  memory at its peak",
        "phase", "confirmed", "of peak", "p99", "shed", "not sent", "probe", "normal"
    );
    for row in rows {
        let memory: Vec<_> = row
            .memory
            .iter()
            .map(|(service, share)| format!("{service} {:.0} %", share * 100.0))
            .collect();
        let normal = row
            .recovery
            .map_or_else(|| "never".to_owned(), |after| format!("{} ms", after.as_millis()));
        println!(
            "{:<34} {:>7.0}/s {:>7.0} % {:>4.0} ms {:>7} {:>9} {:>5} ms {normal:>9}  {}",
            row.name,
            row.sent.goodput,
            100.0 * row.sent.goodput / row.peak.max(1.0),
            row.sent.p99_ms,
            row.sent.shed,
            row.sent.not_sent,
            row.probe.as_millis(),
            memory.join(", "),
        );
    }
    println!();
}
