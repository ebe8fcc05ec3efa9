//! Runs over HTTP, and what the lab needs for them.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use campuscafe_tests::{Cafe, eventually};
use reqwest::Client;
use serde_json::{Value, json};
use tokio::task::JoinSet;

/// As many as the lab carries out at one time.
const AT_ONCE: usize = 8;

/// Begins a run; its id.
pub(crate) async fn begin(cafe: &Cafe, what: &Value) -> String {
    id(&cafe.http, &cafe.lab, what).await.expect("a run begins")
}

async fn id(http: &Client, lab: &str, what: &Value) -> Option<String> {
    let begun = http.post(format!("{lab}/api/runs")).json(what).send().await.ok()?;
    let begun: Value = begun.error_for_status().ok()?.json().await.ok()?;
    Some(begun["id"].as_str()?.to_owned())
}

/// Carries out so many runs of the shortest case that is one order, and looks at each.
pub(crate) async fn many(cafe: &Cafe, runs: usize) {
    let left = Arc::new(AtomicUsize::new(runs));
    let mut all = JoinSet::new();
    for _ in 0..AT_ONCE {
        let (http, lab, left) = (cafe.http.clone(), cafe.lab.clone(), Arc::clone(&left));
        all.spawn(async move {
            while left
                .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |it| it.checked_sub(1))
                .is_ok()
            {
                one(&http, &lab).await;
            }
        });
    }
    all.join_all().await;
}

async fn one(http: &Client, lab: &str) {
    let what = json!({"experiment": "cut", "trial": 1});
    let run = eventually("a run that begins", || id(http, lab, &what)).await;
    eventually("the picture of a run", || async {
        let page = http.get(format!("{lab}/runs/{run}")).send().await.ok()?.text().await.ok()?;
        page.contains("class=\"stage\"").then_some(())
    })
    .await;
}

pub(crate) fn resident_mb(cafe: &Cafe) -> f64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", cafe.process.pid()));
    let status = status.unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kib = line.and_then(|line| line.trim().trim_end_matches(" kB").parse::<f64>().ok());
    kib.map_or(f64::NAN, |kib| kib * 1024.0 / 1e6)
}
