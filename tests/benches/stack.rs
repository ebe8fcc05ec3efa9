//! The figures of the whole stack in the README: `make figures-stack`. Nothing
//! here is asserted: a busy machine must not fail a build.

#![allow(clippy::expect_used, reason = "a measurement that cannot go on has nothing to say")]

use std::collections::BTreeMap;
use std::time::Duration;

use campuscafe_tests::{binary, eventually};
use serde_json::Value;
use tokio::process::Command;
use tokio::time::{Instant, interval_at};

const ROUNDS: usize = 15;

#[tokio::main]
async fn main() {
    let Ok(up) = std::env::var("STACK_UP_MS") else {
        println!("these figures are for `make figures-stack`");
        return;
    };
    println!("docker compose up --detach --wait, images present: {up} ms   to reach: under 15 s\n");
    evidence().await;
    memory().await;
}

fn url(name: &str) -> String {
    std::env::var(name).expect("set by scripts/with-compose")
}

/// From the answer to an order, which comes after its commit, to the moment at
/// which Jaeger has the commit's span and Prometheus its count.
async fn evidence() {
    let http = reqwest::Client::builder().no_proxy().build().expect("a client");
    let get =
        async |url: String| -> Option<Value> { http.get(url).send().await.ok()?.json().await.ok() };
    let counted = async || -> Option<f64> {
        let query = "/api/v1/query?query=sum(inventory_reservations_total)";
        let answer = get(format!("{}{query}", url("PROMETHEUS_URL"))).await?;
        answer["data"]["result"][0]["value"][1].as_str()?.parse().ok()
    };
    let (mut jaeger, mut prometheus) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        let reset = http.post(format!("{}/inventory/reset", url("INVENTORY_URL")));
        reset.send().await.expect("reset");
        let before = eventually("a scrape", &counted).await;
        let order = serde_json::json!({ "itemId": "cake", "quantity": 1 });
        let order = http.post(format!("{}/orders", url("ORDER_URL"))).json(&order);
        let answer: Value = order.send().await.expect("an answer").json().await.expect("JSON");
        let told = Instant::now();
        let id = answer["traceId"].as_str().expect("traced").to_owned();
        let (span, count) = tokio::join!(
            async {
                eventually("the span", || async {
                    let trace = get(format!("{}/api/v3/traces/{id}", url("JAEGER_URL"))).await?;
                    trace.to_string().contains("commit reservation").then(|| told.elapsed())
                })
                .await
            },
            async {
                eventually("the count", || async {
                    (counted().await? > before).then(|| told.elapsed())
                })
                .await
            }
        );
        jaeger.push(span);
        prometheus.push(count);
    }
    println!("from the answer to the evidence, {ROUNDS} orders   to reach: within 2 s");
    for (name, mut times) in [("span in Jaeger", jaeger), ("count in Prometheus", prometheus)] {
        times.sort_unstable();
        let ms = |at: usize| times[at].as_millis();
        println!("  {name:<22} median {:>5} ms, slowest {:>5} ms", ms(ROUNDS / 2), ms(ROUNDS - 1));
    }
    println!();
}

async fn memory() {
    let minutes: u64 =
        std::env::var("MINUTES").ok().and_then(|text| text.parse().ok()).unwrap_or(10);
    let mut load = Command::new(binary("campuscafe"))
        .args(["load", "--rate", "20", "--retry", "--json"])
        .args(["--duration", &format!("{minutes}m")])
        .env_remove("LAB_URL")
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .expect("the load starts");
    println!(
        "memory in MB during {minutes} minutes of 20 orders a second   to reach: under 800, flat"
    );
    let minute = Duration::from_mins(1);
    let mut each = interval_at(Instant::now() + minute, minute);
    let mut heading = false;
    for passed in 1..=minutes {
        each.tick().await;
        let used = used().await;
        if !heading {
            let names: String = used.keys().map(|name| format!("{name:>12}")).collect();
            println!("  minute{names}{:>12}", "together");
            heading = true;
        }
        let cells: String = used.values().map(|mb| format!("{mb:>12.1}")).collect();
        println!("  {passed:>6}{cells}{:>12.1}", used.values().sum::<f64>());
    }
    load.wait().await.expect("the load ends");
}

/// By service, as the engine counts it: without what the kernel could give up.
async fn used() -> BTreeMap<String, f64> {
    let project = url("COMPOSE_PROJECT_NAME");
    let output = Command::new("docker")
        .args(["stats", "--no-stream", "--format", "{{.Name}} {{.MemUsage}}"])
        .output()
        .await
        .expect("docker stats");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let mine = text.lines().filter_map(|line| {
        let (name, usage) = line.split_once(' ')?;
        let service = name.strip_prefix(&format!("{project}-"))?.trim_end_matches("-1");
        Some((service.to_owned(), mb(usage.split_whitespace().next()?)?))
    });
    mine.collect()
}

fn mb(text: &str) -> Option<f64> {
    let units = [("KiB", 1024.0), ("MiB", 1_048_576.0), ("GiB", 1_073_741_824.0), ("B", 1.0)];
    let (number, unit) =
        units.iter().find_map(|(unit, bytes)| Some((text.strip_suffix(unit)?, bytes)))?;
    Some(number.parse::<f64>().ok()? * unit / 1e6)
}
