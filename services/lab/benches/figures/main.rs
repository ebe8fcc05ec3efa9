//! The figures in the README, measured against their limits: `cargo bench`.
//!
//! Throughputs are ratios of rounds that alternate within one run, because the
//! machine's other load weighs on all of them alike. Nothing here is asserted:
//! a busy machine must not fail a build.

#![allow(clippy::expect_used, reason = "a measurement that cannot go on has nothing to say")]

mod bare;
mod cures;
mod drive;
mod keyed;
mod process;

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use drive::{NAIVE, Round};
use process::{Cafe, Telemetry};

const ROUNDS: usize = 10;
const STARTS: usize = 15;
const ORDERS: u64 = 100_000;
const MEASURED: Duration = Duration::from_secs(2);

fn main() {
    if bare::is_asked_for() {
        return bare::serve();
    }
    if keyed::is_asked_for() {
        return keyed::run();
    }
    // `cargo test --benches` runs this too, with this argument; figures take minutes.
    if std::env::args().any(|argument| argument == "--test") {
        println!("figures are for `cargo bench`");
        return;
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("starts");
    runtime.block_on(figures());
}

async fn figures() {
    println!("machine: {}\n", machine());
    // `cargo bench --bench figures -- cures` measures these alone.
    if !std::env::args().any(|argument| argument == "cures") {
        throughput().await;
        start();
        memory().await;
        sizes();
    }
    cures::figures().await;
}

async fn throughput() {
    let full = Cafe::open(Telemetry::Full);
    let off = Cafe::open(Telemetry::Off);
    let bare = bare::Pair::open();
    let ready_made = bare::Pair::ready_made(&built_ready_made(), &full.lab);
    let lanes = [&full.order, &off.order, &bare.order, &ready_made.order];
    let mut rounds: [Vec<Round>; 4] = Default::default();
    for _ in 0..ROUNDS {
        for (url, rounds) in lanes.into_iter().zip(&mut rounds) {
            rounds.push(drive::round(url, NAIVE, MEASURED).await);
        }
    }
    let [full, off, bare, ready_made] = &rounds;
    println!("orders a second, {} customers at once, median of {ROUNDS} rounds", drive::CUSTOMERS);
    for (name, rounds) in
        [("full", full), ("off", off), ("bare", bare), ("ready-made crates", ready_made)]
    {
        let Round { rate, p99_ms } = middle(rounds);
        println!("  telemetry {name:<17} {rate:>8.0}/s   p99 {p99_ms:>6.2} ms");
    }
    ratio("full / off", full, off, "to reach: 0.6 or more");
    ratio("off / bare", off, bare, "to reach: 0.6 or more");
    ratio("full / ready-made", full, ready_made, "");
    println!();
}

/// Prints how two lanes compare: of their medians, and of each pair of rounds that
/// followed each other.
fn ratio(name: &str, one: &[Round], other: &[Round], goal: &str) {
    let mut each: Vec<f64> = one.iter().zip(other).map(|(a, b)| a.rate / b.rate).collect();
    each.sort_by(f64::total_cmp);
    let (least, most) = (each.first().copied(), each.last().copied());
    let (one, other) = (middle(one), middle(other));
    println!(
        "  {name:<18} rate {:>5.2} ({:.2} to {:.2})   p99 {:>5.2}   {goal}",
        one.rate / other.rate,
        least.unwrap_or(f64::NAN),
        most.unwrap_or(f64::NAN),
        one.p99_ms / other.p99_ms,
    );
}

/// The program of benches/ready-made, a workspace of its own.
fn built_ready_made() -> PathBuf {
    let package = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../benches/ready-made");
    let target = Path::new(env!("CARGO_BIN_EXE_campuscafe")).ancestors().nth(2).expect("a folder");
    let target = target.join("ready-made");
    let built = Command::new(env!("CARGO"))
        .args(["build", "--quiet", "--release", "--locked", "--manifest-path"])
        .arg(package.join("Cargo.toml"))
        .arg("--target-dir")
        .arg(&target)
        .status();
    assert!(built.is_ok_and(|status| status.success()), "benches/ready-made does not build");
    target.join("release/ready-made")
}

/// The round of median rate, and the median p99, which may be another round's.
fn middle(rounds: &[Round]) -> Round {
    let median = |mut values: Vec<f64>| {
        values.sort_by(f64::total_cmp);
        values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
    };
    Round {
        rate: median(rounds.iter().map(|round| round.rate).collect()),
        p99_ms: median(rounds.iter().map(|round| round.p99_ms).collect()),
    }
}

fn start() {
    let mut times: Vec<f64> = (0..STARTS)
        .map(|_| Cafe::open(Telemetry::Full).ready_after.as_secs_f64() * 1_000.0)
        .collect();
    times.sort_by(f64::total_cmp);
    println!("start to ready, all three processes, {STARTS} starts");
    println!(
        "  median {:.0} ms, slowest {:.0} ms   to reach: under 50 ms\n",
        times[STARTS / 2],
        times[STARTS - 1]
    );
}

/// All three run the same program, whose pages they share: resident memory
/// counts those for each, proportional memory once. Only the latter adds up.
async fn memory() {
    let cafe = Cafe::open(Telemetry::Full);
    let processes = cafe.processes();
    let idle: Vec<f64> = processes.iter().map(|(_, pid)| process::proportional_mb(*pid)).collect();
    let mut peaks = Vec::new();
    for _ in 0..2 {
        drive::orders(&cafe.order, NAIVE, ORDERS).await;
        peaks.push(processes.iter().map(|(_, pid)| process::peak_mb(*pid)).collect::<Vec<_>>());
    }
    println!("memory, MB         idle: proportional  resident   peak: {ORDERS} orders  twice that");
    for (at, (name, _)) in processes.iter().enumerate() {
        println!(
            "  {name:<16} {:>19.1} {:>9.1} {:>19.1} {:>11.1}",
            idle[at],
            cafe.idle_mb(name),
            peaks[0][at],
            peaks[1][at]
        );
    }
    println!("  {:<16} {:>19.1}   to reach: under 25 idle\n", "together", idle.iter().sum::<f64>());
}

fn sizes() {
    let target = Path::new(env!("CARGO_BIN_EXE_campuscafe")).parent().expect("a folder");
    let built = Command::new(env!("CARGO"))
        .args(["build", "--quiet", "--release", "--workspace", "--bins"])
        .status();
    println!("size of each program, MB");
    for name in ["campuscafe", "inventory", "order"] {
        match std::fs::metadata(target.join(name)) {
            Ok(file) if built.is_ok() => println!("  {name:<26} {:>8.1}", file.len() as f64 / 1e6),
            _ => println!("  {name:<26}  not built"),
        }
    }
}

fn machine() -> String {
    let read = |path: &str, key: &str| {
        let text = std::fs::read_to_string(path).unwrap_or_default();
        let line = text.lines().find(|line| line.starts_with(key)).unwrap_or_default();
        line.split(':').nth(1).unwrap_or("?").trim().to_owned()
    };
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    format!(
        "{} cores, {}, {} {}",
        cores,
        read("/proc/cpuinfo", "model name"),
        std::env::consts::OS,
        std::env::consts::ARCH
    )
}
