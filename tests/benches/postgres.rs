//! Reservations in PostgreSQL beside `pgbench` with the same statements on the same server:
//! `make figures-postgres`. Prints ratios of one run; nothing is asserted.

#![allow(clippy::expect_used, reason = "a measurement that cannot go on has nothing to say")]

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use campuscafe_tests::Process;
use campuscafe_tests::postgres::{Postgres, rows};
use serde_json::json;
use tokio::process::Command;
use tokio::time::Instant;

const ROUNDS: usize = 3;
const ROUND: Duration = Duration::from_secs(8);
const CONNECTIONS: usize = 8;
/// Each waits for its answer before it asks again.
const CALLERS: usize = 16;

/// What the inventory sends for one reservation under a key: see its `store/database/statements.rs`.
const SCRIPT: &str = r"
\set r random(1, 1000000000000)
BEGIN;
SELECT key, fingerprint, decision, reservation, item, quantity, resets, pieces_left, since
  FROM inventory.keys WHERE key = 'pgbench-' || (:r)::bigint FOR UPDATE;
SELECT made_at FROM inventory.reservations WHERE request = md5((:r)::bigint::text)::uuid;
SELECT item, pieces, reservations, resets FROM inventory.stock WHERE item = 'cake' FOR UPDATE;
INSERT INTO inventory.keys (key, fingerprint, decision, reservation, item, quantity, resets,
                            pieces_left, since, expires_at)
  VALUES ('pgbench-' || (:r)::bigint, gen_random_uuid(), 'reserved', gen_random_uuid(), 'cake',
          1, 0, NULL, 1800000000000, 4000000000000);
INSERT INTO inventory.reservations (id, item, quantity, resets, request, key, cancelled, made_at)
  VALUES (gen_random_uuid(), 'cake', 1, 0, md5((:r)::bigint::text)::uuid,
          'pgbench-' || (:r)::bigint, false, 1800000000000);
UPDATE inventory.stock SET pieces = pieces - 1, reservations = reservations + 1
  WHERE item = 'cake';
COMMIT;
";

#[tokio::main]
async fn main() {
    let Some(server) = Postgres::start_durable().await else { return };
    let url = server.database().await;
    let mut inventories = Vec::new();
    for _ in 0..3 {
        let (connections, stock) = (CONNECTIONS.to_string(), "cake=1000000000");
        let settings = [
            ("DATABASE_URL", url.as_str()),
            ("DATABASE_CONNECTIONS", &connections),
            ("INVENTORY_STOCK", stock),
            ("RUST_LOG", "error"),
        ];
        let mut process = Process::start("inventory", &["--listen", "127.0.0.1:0"], &settings);
        let address = process.address().await;
        inventories.push((process, address));
    }
    let urls: Vec<_> = inventories.iter().map(|(_, url)| url.clone()).collect();
    let script = std::env::temp_dir().join(format!("campuscafe-{}.sql", std::process::id()));
    std::fs::write(&script, SCRIPT).expect("a script");
    let version = rows(&url, "SHOW server_version").await;
    let version = version.first().and_then(|row| row.first()?.clone()).unwrap_or_default();
    println!(
        "reservations under a key, one item, PostgreSQL {version} with fsync, {CONNECTIONS} \
         connections, {CALLERS} callers, {ROUNDS} rounds of {} s",
        ROUND.as_secs()
    );
    let mut ratios = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        let bare = pgbench(&server, &url, &script).await;
        let (one, p99) = inventory(&urls[..1]).await;
        let (three, p99_of_three) = inventory(&urls).await;
        println!(
            "  pgbench {bare:>6.0}/s   one inventory {one:>6.0}/s (p99 {p99:>4} ms)   three \
             {three:>6.0}/s (p99 {p99_of_three:>4} ms)"
        );
        ratios.0.push(one / bare);
        ratios.1.push(three / one);
    }
    println!("  one inventory / pgbench   {}   to reach: 0.50", median(&mut ratios.0));
    println!("  three inventories / one   {}", median(&mut ratios.1));
    let _ = std::fs::remove_file(script);
}

fn median(ratios: &mut [f64]) -> String {
    ratios.sort_unstable_by(f64::total_cmp);
    let at = |index: usize| ratios.get(index).copied().unwrap_or(f64::NAN);
    format!("{:.2} ({:.2} to {:.2})", at(ROUNDS / 2), at(0), at(ROUNDS - 1))
}

/// Transactions a second.
async fn pgbench(server: &Postgres, url: &str, script: &std::path::Path) -> f64 {
    let (connections, seconds) = (CONNECTIONS.to_string(), ROUND.as_secs().to_string());
    let mut pgbench = Command::new(server.program("pgbench"));
    pgbench.args(["-n", "-M", "prepared", "-j", "1", "-c", &connections, "-T", &seconds]);
    // As the inventory connects: see `campuscafe-database`.
    pgbench.env("PGOPTIONS", "-c enable_seqscan=off");
    let output = pgbench.arg("-f").arg(script).arg(url).output().await.expect("pgbench");
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let tps = said.lines().find_map(|line| line.strip_prefix("tps = ")?.split(' ').next());
    tps.and_then(|tps| tps.parse().ok()).unwrap_or_else(|| {
        println!("{said}{}", String::from_utf8_lossy(&output.stderr));
        f64::NAN
    })
}

/// Reservations a second, and the 99th percentile of their times in milliseconds.
async fn inventory(urls: &[String]) -> (f64, u128) {
    static KEY: AtomicU64 = AtomicU64::new(0);
    let http = reqwest::Client::builder().no_proxy().build().expect("a client");
    let (begun, urls) = (Instant::now(), Arc::new(urls.to_vec()));
    let callers = (0..CALLERS).map(|caller| {
        let (http, urls) = (http.clone(), urls.clone());
        tokio::spawn(async move {
            let mut times = Vec::new();
            while begun.elapsed() < ROUND {
                let key = format!("bench-{}", KEY.fetch_add(1, Ordering::Relaxed));
                let reserve = http.post(format!("{}/inventory/reserve", urls[caller % urls.len()]));
                let reserve = reserve.header("idempotency-key", &key).header("x-request-id", &key);
                let sent = Instant::now();
                let answer = reserve.json(&json!({"itemId": "cake", "quantity": 1})).send().await;
                if answer.is_ok_and(|answer| answer.status() == 200) {
                    times.push(sent.elapsed());
                }
            }
            times
        })
    });
    let mut times = Vec::new();
    for caller in callers.collect::<Vec<_>>() {
        times.extend(caller.await.expect("a caller"));
    }
    let rate = times.len() as f64 / begun.elapsed().as_secs_f64();
    times.sort_unstable();
    let p99 = times.get(times.len() * 99 / 100).map_or(0, Duration::as_millis);
    (rate, p99)
}
