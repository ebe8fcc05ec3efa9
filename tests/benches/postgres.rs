//! Reservations and orders in PostgreSQL beside `pgbench` with the same statements on the same
//! server: `make figures-postgres`. Prints ratios of one run; nothing is asserted.

#![allow(clippy::expect_used, reason = "a measurement that cannot go on has nothing to say")]

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use campuscafe_tests::Process;
use campuscafe_tests::postgres::{Postgres, rows};
use reqwest::{Client, RequestBuilder};
use serde_json::json;
use tokio::process::Command;
use tokio::time::Instant;

const ROUNDS: usize = 3;
const ROUND: Duration = Duration::from_secs(8);
const CONNECTIONS: usize = 8;
/// Each waits for its answer before it asks again.
const CALLERS: usize = 16;

/// A number that no other transaction has.
const RANDOM: &str = r"
\set r random(1, 1000000000000)";

/// What the order service sends before the attempt of an order with a key, and after it: see its
/// `store/database/statements.rs`.
const BEFORE: &str = r#"
BEGIN;
INSERT INTO orders.orders (id, state, open, settling_since, messages_sent, changed_at, document, owner)
  VALUES (md5((:r)::bigint::text)::uuid, 'placing', true, NULL, 0, 1800000000000,
          '{"lane":"cured","history":[["placing",1800000000000]],"item":"cake","quantity":1,"trace":"0123456789abcdef0123456789abcdef"}'::text::jsonb,
          7);
COMMIT;
"#;
const AFTER: &str = r#"
BEGIN;
SELECT id, messages_sent, document::text FROM orders.orders
  WHERE id = md5((:r)::bigint::text)::uuid FOR UPDATE;
UPDATE orders.orders SET state = 'confirmed', open = false, settling_since = NULL,
    messages_sent = 0, changed_at = 1800000000001,
    document = '{"lane":"cured","history":[["placing",1800000000000],["confirmed",1800000000001]],"item":"cake","quantity":1,"reserved":"0123456789abcdef0123456789abcdef","trace":"0123456789abcdef0123456789abcdef"}'::text::jsonb,
    owner = coalesce(7, owner)
  WHERE id = md5((:r)::bigint::text)::uuid;
COMMIT;
"#;

/// What the inventory sends for one reservation under a key: see its `store/database/statements.rs`.
const RESERVE: &str = r"
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
    let settings = [
        ("DATABASE_URL", url.as_str()),
        ("DATABASE_CONNECTIONS", &CONNECTIONS.to_string()),
        ("INVENTORY_URL", &urls[0]),
        ("RUST_LOG", "error"),
    ];
    let mut order = Process::start("order", &["--listen", "127.0.0.1:0"], &settings);
    let order_url = order.address().await;
    let version = rows(&url, "SHOW server_version").await;
    let version = version.first().and_then(|row| row.first()?.clone()).unwrap_or_default();
    println!(
        "one item, PostgreSQL {version} with fsync, {CONNECTIONS} connections for each process and \
         for pgbench, {CALLERS} callers, {ROUNDS} rounds of {} s",
        ROUND.as_secs()
    );
    let mut ratios = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        let bare = pgbench(&server, &url, &[RANDOM, RESERVE].concat()).await;
        let one = inventory(&urls[..1]).await;
        let three = inventory(&urls).await;
        println!(
            "  reservations under a key   pgbench {bare}   one inventory {one}   three {three}"
        );
        ratios.0.push(one.rate / bare.rate);
        ratios.1.push(three.rate / one.rate);
        let bare = pgbench(&server, &url, &[RANDOM, BEFORE, RESERVE, AFTER].concat()).await;
        let services = orders(&order_url).await;
        println!("  orders with a key          pgbench {bare}   services {services}");
        ratios.2.push(services.rate / bare.rate);
    }
    println!("  one inventory / pgbench   {}   to reach: 0.50", median(&mut ratios.0));
    println!("  three inventories / one   {}", median(&mut ratios.1));
    println!("  orders / pgbench          {}   to reach: 0.50", median(&mut ratios.2));
}

/// How many in a second, and how long 99 of 100 took at most.
struct Pace {
    rate: f64,
    p99: Duration,
}

impl Pace {
    fn of(mut times: Vec<Duration>, took: Duration) -> Self {
        times.sort_unstable();
        let p99 = times.get(times.len() * 99 / 100).copied().unwrap_or_default();
        #[expect(clippy::cast_precision_loss, reason = "a few thousand")]
        let rate = times.len() as f64 / took.as_secs_f64();
        Self { rate, p99 }
    }
}

impl std::fmt::Display for Pace {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:>6.0}/s (p99 {:>4} ms)", self.rate, self.p99.as_millis())
    }
}

fn median(ratios: &mut [f64]) -> String {
    ratios.sort_unstable_by(f64::total_cmp);
    let at = |index: usize| ratios.get(index).copied().unwrap_or(f64::NAN);
    format!("{:.2} ({:.2} to {:.2})", at(ROUNDS / 2), at(0), at(ROUNDS - 1))
}

async fn pgbench(server: &Postgres, url: &str, script: &str) -> Pace {
    let folder = std::env::temp_dir().join(format!("campuscafe-pgbench-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("a folder");
    let (file, log) = (folder.join("script.sql"), folder.join("log"));
    std::fs::write(&file, script).expect("a script");
    let (connections, seconds) = (CONNECTIONS.to_string(), ROUND.as_secs().to_string());
    let mut pgbench = Command::new(server.program("pgbench"));
    pgbench.args(["-n", "-M", "prepared", "-j", "1", "-c", &connections, "-T", &seconds]);
    pgbench.arg("--log").arg(format!("--log-prefix={}", log.display()));
    // As the services connect: see `campuscafe-database`.
    pgbench.env("PGOPTIONS", "-c enable_seqscan=off -c jit=off");
    let output = pgbench.arg("-f").arg(&file).arg(url).output().await.expect("pgbench");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    let mut times = Vec::new();
    for entry in std::fs::read_dir(&folder).expect("a folder").filter_map(Result::ok) {
        if entry.file_name().to_string_lossy().starts_with("log") {
            let text = std::fs::read_to_string(entry.path()).unwrap_or_default();
            // Client, number, microseconds.
            let of = |line: &str| line.split(' ').nth(2)?.parse().ok().map(Duration::from_micros);
            times.extend(text.lines().filter_map(of));
        }
    }
    let _ = std::fs::remove_dir_all(folder);
    assert!(!times.is_empty(), "{said}");
    Pace::of(times, ROUND)
}

async fn inventory(urls: &[String]) -> Pace {
    let urls = urls.to_vec();
    paced(move |http, caller, number| {
        let key = format!("bench-{number}");
        let reserve = http.post(format!("{}/inventory/reserve", urls[caller % urls.len()]));
        let reserve = reserve.header("idempotency-key", &key).header("x-request-id", &key);
        reserve.json(&json!({"itemId": "cake", "quantity": 1}))
    })
    .await
}

async fn orders(url: &str) -> Pace {
    let url = format!("{url}/orders");
    let order = json!({"itemId": "cake", "quantity": 1, "idempotent": true});
    paced(move |http, _, _| http.post(&url).json(&order)).await
}

/// What callers get who each wait for their answer before they ask again.
async fn paced(
    request: impl Fn(&Client, usize, u64) -> RequestBuilder + Clone + Send + 'static,
) -> Pace {
    static NUMBER: AtomicU64 = AtomicU64::new(0);
    let http = Client::builder().no_proxy().build().expect("a client");
    let begun = Instant::now();
    let callers = (0..CALLERS).map(|caller| {
        let (http, request) = (http.clone(), request.clone());
        tokio::spawn(async move {
            let mut times = Vec::new();
            while begun.elapsed() < ROUND {
                let number = NUMBER.fetch_add(1, Ordering::Relaxed);
                let sent = Instant::now();
                let answer = request(&http, caller, number).send().await;
                if answer.is_ok_and(|answer| answer.status() == 200) {
                    times.push(sent.elapsed());
                }
            }
            times
        })
    });
    let callers: Vec<_> = callers.collect();
    let mut times = Vec::new();
    for caller in callers {
        times.extend(caller.await.expect("a caller"));
    }
    Pace::of(times, begun.elapsed())
}
