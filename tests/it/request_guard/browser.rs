//! The same in a real browser, where there is one: Chromium.

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use axum::Router;
use axum::response::Html;
use axum::routing::{get, post};
use campuscafe_tests::{Cafe, eventually, on_path, skipped};
use tokio::net::TcpListener;
use tokio::process::Command;
use tokio::sync::Notify;
use tokio::time::timeout;

/// A browser that starts on a busy machine takes its time.
const LIMIT: Duration = Duration::from_mins(2);

/// A browser with a profile of its own, which goes with it.
struct Browser {
    program: PathBuf,
    profile: PathBuf,
}

impl Browser {
    /// The browser of this machine, if it has one.
    fn find(to_show: &str) -> Option<Self> {
        static PROFILES: AtomicU32 = AtomicU32::new(0);
        let Some(program) = on_path(&["chromium", "chromium-browser", "google-chrome"]) else {
            skipped(&format!("no Chromium to show that {to_show}"));
            return None;
        };
        let number = PROFILES.fetch_add(1, Ordering::Relaxed);
        let name = format!("campuscafe-browser-{}-{number}", std::process::id());
        Some(Self { program, profile: std::env::temp_dir().join(name) })
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut profile = OsString::from("--user-data-dir=");
        profile.push(&self.profile);
        let mut command = Command::new(&self.program);
        command
            .args(["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic"])
            .args(["--no-first-run", "--disable-background-networking", "--disable-sync"])
            .args(["--disable-component-update", "--disable-dev-shm-usage"])
            .args(["--enable-logging=stderr", "--v=0", "--no-proxy-server"])
            .arg(profile)
            .args(arguments)
            .stdin(Stdio::null())
            .kill_on_drop(true);
        command
    }

    /// What a page has become when nothing happens on it any more, and what the
    /// browser said on its console meanwhile.
    async fn open(&self, arguments: &[&str], url: &str) -> (String, String) {
        let mut command = self.command(arguments);
        // The budget is of virtual time, which stands still while something loads.
        command.args(["--virtual-time-budget=10000", "--dump-dom", url]);
        let output = timeout(LIMIT, command.output()).await.expect("the page is shown in time");
        let output = output.expect("the browser starts");
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let log = text(&output.stderr);
        let console: Vec<_> = log.lines().filter(|line| line.contains("CONSOLE")).collect();
        (text(&output.stdout), console.join("\n"))
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.profile);
    }
}

/// A server of somebody else, on every loopback address; gives its port.
async fn foreign(router: Router) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move { axum::serve(listener, router).await });
    port
}

#[tokio::test]
async fn the_api_page_works_under_its_own_policy_in_a_browser() {
    let Some(browser) = Browser::find("/swagger/ works under its policy") else { return };
    // What a page looks like that breaks its policy.
    let broken = async || {
        let policy = [("content-security-policy", "default-src 'none'")];
        (policy, Html("<p>before</p><script>document.title = 'ran'</script>"))
    };
    let port = foreign(Router::new().route("/", get(broken))).await;
    let (page, console) = browser.open(&[], &format!("http://127.0.0.1:{port}/")).await;
    assert!(page.contains("before") && !page.contains("ran<"), "{page}");
    assert!(console.contains("Content Security Policy"), "the console tells of it: {console}");

    let cafe = Cafe::open().await;
    for (service, path) in
        [(&cafe.order, "/demo/out-of-order"), (&cafe.inventory, "/inventory/reset")]
    {
        let (page, console) = browser.open(&[], service).await;
        let operation = format!("data-path=\"{path}\"");
        assert!(page.contains(&operation), "no {operation} in {page}\n{console}");
        assert_eq!(console, "", "the console is quiet at {service}");
    }
}

/// Tries every way by which a page can send something without asking first, and
/// tells its own server when each has come to an end.
const ATTACK: &str = r#"<!doctype html>
<body>
<script type="module">
const inventory = "INVENTORY", order = "ORDER", lab = "LAB";
const loaded = (element, place, url) => new Promise((done) => {
  element.onload = element.onerror = done;
  element[place] = url;
  document.body.append(element);
});
const made = (name) => document.createElement(name);
const blind = (url, body) => fetch(url, {method: "POST", mode: "no-cors", body}).catch(() => {});
const form = (url) => new Promise((done) => {
  const frame = made("iframe"), form = made("form");
  frame.name = "frame" + Math.random();
  document.body.append(frame, form);
  frame.onload = done;
  Object.assign(form, {method: "post", action: url, target: frame.name, enctype: "text/plain"});
  form.submit();
});
await blind(inventory + "/inventory/reset");
await blind(order + "/orders", new Blob(['{"itemId":"cake","quantity":1}'], {type: "text/plain"}));
await blind(lab + "/v1/traces", new Blob(["{}"]));
await fetch(inventory + "/inventory/reset", {method: "POST"}).catch(() => {});
await loaded(made("img"), "src", order + "/demo/out-of-order?count=20");
await loaded(made("img"), "src", inventory + "/inventory/ping");
await loaded(made("script"), "src", order + "/demo/out-of-order?count=20");
await loaded(made("iframe"), "src", order + "/demo/out-of-order?count=20");
await form(inventory + "/inventory/reset");
navigator.sendBeacon(inventory + "/inventory/reset");
await fetch("/done", {method: "POST"});
</script>
"#;

/// A form that leads the whole window away.
const LEADING_AWAY: &str = r#"<!doctype html>
<body><form method="post" action="INVENTORY/inventory/reset"></form>
<script>document.forms[0].submit()</script>
"#;

#[tokio::test]
async fn a_foreign_page_in_a_browser_changes_nothing() {
    let Some(browser) = Browser::find("a foreign page changes nothing") else { return };
    let cafe = Cafe::open().await;
    cafe.order_cake("none", false).await;
    let before = cafe.state().await;
    let aimed = |page: &str| {
        let page = page.replace("INVENTORY", &cafe.inventory).replace("ORDER", &cafe.order);
        Html(page.replace("LAB", &cafe.lab))
    };
    let (attack, leading_away) = (aimed(ATTACK), aimed(LEADING_AWAY));
    let over = Arc::new(Notify::new());
    let done = over.clone();
    let router = Router::new()
        .route("/", get(async move || attack))
        .route("/leading-away", get(async move || leading_away))
        .route("/done", post(async move || done.notify_one()));
    let port = foreign(router).await;

    let refusals = async |at_least: f64, what: &str| {
        eventually(what, || async {
            let refused = super::refused(&cafe, &cafe.inventory, "cross_origin").await;
            (refused >= at_least).then_some(())
        })
        .await;
    };
    // Another site, and the same site at another port.
    for (host, earlier) in [("foreign.localhost", 0.0), ("127.0.0.1", 6.0)] {
        let url = format!("http://{host}:{port}/");
        let mut running = browser.command(&[&url]).stderr(Stdio::null()).spawn().unwrap();
        timeout(LIMIT, over.notified()).await.expect("the page has tried everything");
        // A page does not hear what became of a beacon: it may still be on its way.
        refusals(earlier + 5.0, "the refusal of the beacon").await;
        running.kill().await.unwrap();
        assert_eq!(cafe.state().await, before, "by a page of {host}");
        let url = format!("{url}leading-away");
        let mut running = browser.command(&[&url]).stderr(Stdio::null()).spawn().unwrap();
        refusals(earlier + 6.0, "the refusal of the form that leads away").await;
        running.kill().await.unwrap();
    }
    assert_eq!(cafe.state().await, before);
    assert!(super::refused(&cafe, &cafe.order, "cross_origin").await >= 8.0);
    assert!(super::refused(&cafe, &cafe.lab, "cross_origin").await >= 2.0);
    let metrics = cafe.page(&format!("{}/metrics", cafe.inventory)).await;
    let pings = metrics.lines().filter(|line| {
        line.starts_with("http_server_request_duration_seconds_count")
            && line.contains("/inventory/ping")
    });
    assert!(pings.clone().count() > 0 && pings.clone().all(|line| line.ends_with(" 0")));
}

#[tokio::test]
async fn a_name_that_was_made_to_lead_here_shows_a_browser_nothing() {
    let Some(browser) = Browser::find("a rebound name shows nothing") else { return };
    let cafe = Cafe::open().await;
    let rebound = ["--host-resolver-rules=MAP rebound.example 127.0.0.1"];
    for service in [&cafe.inventory, &cafe.order, &cafe.lab] {
        let url = service.replace("127.0.0.1", "rebound.example");
        let (page, _) = browser.open(&rebound, &format!("{url}/healthz")).await;
        assert!(page.contains("misdirected-request"), "{page}");
    }
}
