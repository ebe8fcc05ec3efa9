//! The figures of the lab's page in the README: `cargo bench --bench page`. Nothing here
//! is asserted: a busy machine must not fail a build.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a measurement that cannot go on has nothing to say"
)]

#[allow(dead_code, reason = "the tests need more of it")]
#[path = "../../it/pages/browser.rs"]
mod browser;
mod runs;
mod trace;

use std::collections::BTreeSet;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use browser::Browser;
use campuscafe_tests::{Cafe, eventually};
use serde_json::{Value, json};
use tokio::time::Instant;

const LOADS: usize = 15;
const DOUBLES: usize = 20;
const DRAWINGS: usize = 50;

#[tokio::main]
async fn main() {
    // `cargo test --benches` runs this too, with this argument; figures take minutes.
    if std::env::args().any(|argument| argument == "--test") {
        println!("figures are for `cargo bench`");
        return;
    }
    let cafe = Cafe::open_with(&[("INVENTORY_STOCK", "cake=1000000")]).await;
    bytes(&cafe).await;
    paint(&cafe).await;
    picture(&cafe).await;
    drawing(&cafe).await;
    memory(&cafe).await;
}

/// Everything that a browser asks for to show the first page.
async fn bytes(cafe: &Cafe) {
    let page = cafe.page(&format!("{}/", cafe.lab)).await;
    let mut files = BTreeSet::new();
    let mut all = page.len();
    let mut read = vec![page];
    while let Some(text) = read.pop() {
        let quoted = text.split('"').skip(1).step_by(2);
        let named = quoted.filter_map(|it| {
            it.strip_prefix("/assets/").or_else(|| it.strip_prefix("./")).map(str::to_owned)
        });
        for name in named.collect::<Vec<_>>() {
            if files.insert(name.clone()) {
                let file = cafe.page(&format!("{}/assets/{name}", cafe.lab)).await;
                all += file.len();
                read.push(file);
            }
        }
    }
    let files: Vec<_> = files.into_iter().collect();
    println!("first page: HTML, {}", files.join(", "));
    println!("  {:.1} kB   to reach: under 150 kB\n", all as f64 / 1e3);
}

async fn paint(cafe: &Cafe) {
    let Some(browser) = Browser::open("the first page is painted soon", "en").await else { return };
    // Each time as for the first time.
    browser.set("Network.enable", json!({})).await;
    browser.set("Network.setCacheDisabled", json!({"cacheDisabled": true})).await;
    let painted = "return performance.getEntriesByName('first-contentful-paint')[0]?.startTime";
    let mut times = Vec::new();
    for _ in 0..LOADS {
        browser.go(&format!("{}/", cafe.lab)).await;
        let ms = eventually("the first paint", || async { browser.script(painted).await.as_f64() });
        times.push(Duration::from_secs_f64(ms.await / 1e3));
    }
    told(&format!("first paint on loopback, {LOADS} loads"), times, "");
    browser.close().await;
}

/// From the commit of the last attempt to the whole page with the picture, which is asked
/// for as the script of the page does: as soon as the run says that it has ended.
async fn picture(cafe: &Cafe) {
    let mut times = Vec::new();
    for _ in 0..DOUBLES {
        let run = runs::begin(cafe, &json!({"experiment": "double", "trial": 2})).await;
        let mut events =
            cafe.http.get(format!("{}/api/runs/{run}/events", cafe.lab)).send().await.unwrap();
        let mut told = String::new();
        while !told.contains("event: ended") && !told.contains("event:ended") {
            let chunk = events.chunk().await.unwrap().expect("the run ends");
            told.push_str(&String::from_utf8_lossy(&chunk));
        }
        let page = cafe.page(&format!("{}/runs/{run}", cafe.lab)).await;
        let shown = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
        assert!(page.contains("late, the 2nd of this order"), "{page}");
        let run: Value =
            cafe.send(cafe.http.get(format!("{}/api/runs/{run}", cafe.lab))).await.body;
        let trace = run["findings"][0]["told"]["traceId"].as_str().expect("a trace");
        let spans = cafe.trace(trace, 8).await;
        let commits = spans.iter().filter(|span| span.name.starts_with("commit reservation"));
        let last = commits.map(|span| span.start).max().expect("a commit");
        times.push(shown.saturating_sub(Duration::from_nanos(last)));
    }
    told(
        &format!("last commit to the complete picture, {DOUBLES} runs of double"),
        times,
        "to reach: under 300 ms",
    );
}

/// A page that draws a trace: all of its spans are read; of its attempts, and of the rows of
/// the waterfall, there are as many as a page has at most.
async fn drawing(cafe: &Cafe) {
    let id = trace::send(cafe).await;
    let url = format!("{}/traces/{id}", cafe.lab);
    let mut times = Vec::new();
    let mut size = 0;
    for _ in 0..DRAWINGS {
        let asked = Instant::now();
        let page = cafe.page(&url).await;
        times.push(asked.elapsed());
        assert!(page.contains("spacetime wide") && page.contains("waterfall"), "{page}");
        size = page.len();
    }
    let what = format!(
        "a trace of {} spans drawn, {:.0} kB, {DRAWINGS} times",
        trace::SPANS,
        size as f64 / 1e3
    );
    told(&what, times, "to reach: under 50 ms");
}

async fn memory(cafe: &Cafe) {
    println!("resident memory of the lab after so many more runs, each drawn   to reach: flat");
    let mut done = 0;
    for runs in [100, 500, 1_000] {
        runs::many(cafe, runs - done).await;
        done = runs;
        println!("  {runs:>5} runs {:>8.1} MB", runs::resident_mb(cafe));
    }
}

fn told(what: &str, mut times: Vec<Duration>, goal: &str) {
    times.sort_unstable();
    let ms = |time: Option<&Duration>| time.map_or(f64::NAN, |time| time.as_secs_f64() * 1e3);
    let (middle, slowest) = (ms(times.get(times.len() / 2)), ms(times.last()));
    println!("{what}\n  median {middle:.1} ms, slowest {slowest:.1} ms   {goal}\n");
}
