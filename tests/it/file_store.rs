//! The inventory with its stock in a file: what it has answered survives `kill -9`, and a disk
//! that does not work is said, not hidden.

use std::path::{Path, PathBuf};
use std::process::Command;

use campuscafe_file_store::FileStore;
use campuscafe_tests::{Cafe, Process, binary, eventually, skipped};
use reqwest::{Client, Response};
use serde_json::{Value, json};
use tokio::sync::mpsc;

/// A directory of a test's own, empty.
fn directory(name: &str) -> PathBuf {
    let directory = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("file_store").join(name);
    let _ = std::fs::remove_dir_all(&directory);
    std::fs::create_dir_all(&directory).unwrap();
    directory
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

struct Inventory {
    process: Process,
    url: String,
    http: Client,
}

impl Inventory {
    async fn start(data: &Path) -> Self {
        let arguments = ["--listen", "127.0.0.1:0", "--data", text(data)];
        Self::of(Process::start("inventory", &arguments, &[])).await
    }

    async fn of(mut process: Process) -> Self {
        let url = process.address().await;
        Self { process, url, http: Client::builder().no_proxy().build().unwrap() }
    }

    async fn kill(mut self) {
        self.process.signal("KILL");
        self.process.ended().await;
    }

    async fn reserve(&self, request: &str, key: Option<&str>) -> Response {
        let reserve = self.http.post(format!("{}/inventory/reserve", self.url));
        let reserve = reserve.header("x-request-id", request);
        let reserve = key.into_iter().fold(reserve, |it, key| it.header("idempotency-key", key));
        reserve.json(&json!({"itemId": "cake", "quantity": 1})).send().await.unwrap()
    }

    async fn get(&self, path: &str) -> Response {
        self.http.get(format!("{}{path}", self.url)).send().await.unwrap()
    }

    async fn json(&self, path: &str) -> Value {
        self.get(path).await.json().await.unwrap()
    }

    async fn metric(&self, series: &str) -> f64 {
        let page = self.get("/metrics").await.text().await.unwrap();
        let value = page.lines().find_map(|line| line.strip_prefix(series)?.strip_prefix(' '));
        value.and_then(|value| value.parse().ok()).unwrap_or_else(|| panic!("no {series}: {page}"))
    }
}

#[tokio::test]
async fn a_reservation_under_a_key_survives_kill_9_and_is_replayed() {
    let data = directory("replayed");
    let inventory = Inventory::start(&data).await;
    let first: Value = inventory.reserve("a", Some("key")).await.json().await.unwrap();
    inventory.kill().await;

    let inventory = Inventory::start(&data).await;
    assert_eq!(inventory.metric("inventory_stock{item=\"cake\"}").await, 9.0);
    assert_eq!(inventory.metric("inventory_idempotency_keys").await, 1.0);
    let again = inventory.reserve("a", Some("key")).await;
    assert_eq!(again.status(), 200);
    assert_eq!(again.headers()["idempotent-replayed"], "true");
    assert_eq!(again.json::<Value>().await.unwrap(), first);
    let state = inventory.json("/inventory/state").await;
    assert_eq!((&state["stock"]["cake"], &state["reservations"]), (&json!(9), &json!(1)));
}

#[tokio::test]
async fn duplicates_and_the_versions_of_prices_are_known_after_a_restart() {
    let data = directory("known");
    let inventory = Inventory::start(&data).await;
    assert_eq!(inventory.reserve("a", None).await.status(), 200);
    let price = inventory.http.put(format!("{}/inventory/items/cake/price", inventory.url));
    let changed = price.json(&json!({"price": 450})).send().await.unwrap();
    assert_eq!(changed.status(), 200);
    inventory.kill().await;

    let inventory = Inventory::start(&data).await;
    assert_eq!(inventory.get("/inventory/items/cake/price").await.headers()["etag"], "\"2\"");
    assert_eq!(inventory.reserve("a", None).await.status(), 200);
    let duplicates = "inventory_duplicate_reservations_total{item=\"cake\",lane=\"naive\"}";
    assert_eq!(inventory.metric(duplicates).await, 1.0);
}

#[tokio::test]
async fn without_a_file_a_restart_forgets() {
    let start = async || {
        let arguments = ["--listen", "127.0.0.1:0"];
        Inventory::of(Process::start("inventory", &arguments, &[])).await
    };
    let inventory = start().await;
    assert_eq!(inventory.reserve("a", Some("key")).await.status(), 200);
    inventory.kill().await;
    assert_eq!(start().await.json("/inventory/state").await["stock"]["cake"], 10);
}

/// The exit status, and what it says on stderr.
async fn refused(data: &Path) -> String {
    let arguments = ["--listen", "127.0.0.1:0", "--data", text(data)];
    let (status, stdout, stderr) = Process::run("inventory", &arguments, &[]).await;
    assert_eq!(status, Some(2), "{stderr}");
    assert_eq!(stdout, "", "it does not say that it listens");
    let line = stderr.lines().last().unwrap_or_default().to_owned();
    assert!(line.starts_with("error: --data / DATA_DIR: "), "{stderr}");
    line
}

#[tokio::test]
async fn a_second_inventory_on_the_same_directory_ends_with_a_line_that_says_so() {
    let data = directory("second");
    let first = Inventory::start(&data).await;
    let line = refused(&data).await;
    assert!(line.contains("inventory.redb is in use: another process has it open"), "{line}");
    assert_eq!(first.reserve("a", None).await.status(), 200, "the first one goes on");
}

#[tokio::test]
async fn a_file_that_cannot_be_read_ends_the_inventory_with_a_line_and_stays_as_it_is() {
    let data = directory("newer");
    drop(FileStore::open(&data, "inventory", 99).unwrap());
    let line = refused(&data).await;
    assert!(line.contains("has format 99") && line.contains("a newer program"), "{line}");

    let data = directory("text");
    let file = data.join("inventory.redb");
    std::fs::write(&file, "a shopping list").unwrap();
    let line = refused(&data).await;
    assert!(line.contains("is not a database of this program"), "{line}");
    assert_eq!(std::fs::read(&file).unwrap(), b"a shopping list");

    let line = refused(&file).await;
    assert!(line.contains("cannot make the directory"), "{line}");
}

/// An inventory on a disk of its own, mounted with these options; none where this process may
/// not mount one.
fn on_a_disk(data: &Path, options: &str) -> Option<Process> {
    let may = Command::new("unshare").args(["--mount", "true"]).output();
    if !may.is_ok_and(|output| output.status.success()) {
        skipped("the right to mount a tmpfs");
        return None;
    }
    let mount = format!(
        "mount -t tmpfs -o {options} cafe {0} && exec {1} --listen 127.0.0.1:0 --data {0}",
        data.display(),
        binary("inventory").display()
    );
    let mut command = Command::new("unshare");
    command.args(["--mount", "sh", "-c", &mount]);
    Some(Process::of(command.into()))
}

#[tokio::test]
async fn a_directory_that_cannot_be_written_ends_the_inventory_with_a_line() {
    let Some(mut process) = on_a_disk(&directory("read-only"), "ro") else { return };
    assert_eq!(process.ended().await.code(), Some(2));
    let said = process.stderr();
    assert!(said.contains("error: --data / DATA_DIR: cannot write "), "{said}");
    assert!(said.contains("Read-only file system"), "{said}");
}

#[tokio::test]
async fn a_full_disk_is_answered_503_and_the_inventory_works_again_when_there_is_room() {
    let data = directory("full");
    let Some(process) = on_a_disk(&data, "size=2m") else { return };
    let disk = PathBuf::from(format!("/proc/{}/root{}", process.pid(), data.display()));
    let inventory = Inventory::of(process).await;
    let deliver = inventory.http.post(format!("{}/inventory/deliveries", inventory.url));
    let delivery = deliver.json(&json!({"itemId": "cake", "quantity": 900_000})).send().await;
    assert_eq!(delivery.unwrap().status(), 200);
    let ballast = disk.join("ballast");
    std::fs::write(&ballast, vec![0; 4 << 20]).unwrap_err();

    let mut reserved = 0;
    let problem = loop {
        let answer =
            inventory.reserve(&format!("r{reserved}"), Some(&format!("k{reserved}"))).await;
        if answer.status() != 200 {
            break answer;
        }
        reserved += 1;
        assert!(reserved < 20_000, "the disk is full, and all is reserved");
    };
    assert_eq!(problem.headers()["retry-after"], "1");
    let status = problem.status().as_u16();
    let problem: Value = problem.json().await.unwrap();
    assert_eq!(status, 503, "{problem}");
    assert_eq!(problem["type"], "urn:problem-type:campuscafe:store-unavailable");
    assert!(problem["detail"].as_str().unwrap().contains("nothing was changed"), "{problem}");
    eventually("the inventory is not ready", || async {
        let ready = inventory.get("/readyz").await;
        (ready.status() == 503).then_some(())
    })
    .await;
    assert_eq!(inventory.get("/healthz").await.status(), 200);
    let errors = "inventory_store_errors_total{reason=\"file_failed\",result=\"not_done\"}";
    assert!(inventory.metric(errors).await >= 1.0);

    std::fs::remove_file(&ballast).unwrap();
    eventually("the inventory is ready again", || async {
        (inventory.get("/readyz").await.status() == 200).then_some(())
    })
    .await;
    let state = inventory.json("/inventory/state").await;
    assert_eq!(state["reservations"], reserved, "what was refused has left nothing");
    let again = inventory.reserve("again", Some(&format!("k{reserved}"))).await;
    assert_eq!(again.status(), 200);
    assert!(!again.headers().contains_key("idempotent-replayed"), "it was not decided before");
    assert_eq!(inventory.json("/inventory/state").await["stock"]["cake"], 900_010 - reserved - 1);
}

#[tokio::test]
async fn a_trace_shows_the_commit_to_the_file_and_the_lab_still_reads_the_order() {
    let data = directory("cafe");
    let cafe = Cafe::open_with(&[("DATA_DIR", text(&data))]).await;
    let answer = cafe.order_cake("none", false).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    let spans = cafe.trace(answer.text("traceId"), 7).await;
    let commits = |service| {
        let of_service = spans.iter().filter(move |span| span.service == service);
        of_service.filter(|span| span.name == "commit file").collect::<Vec<_>>()
    };
    assert_eq!(commits("order").len(), 2, "before the attempt and after it: {spans:?}");
    let [commit] = commits("inventory")[..] else { panic!("one commit: {spans:?}") };
    assert_eq!(commit.kind, 1);
    assert_eq!(commit.text("db.system.name"), Some("redb"));
    assert_eq!(commit.text("db.operation.name"), Some("commit"));
    let reserve = spans.iter().find(|span| span.id == commit.parent).expect("its parent");
    assert_eq!((reserve.service.as_str(), reserve.kind), ("inventory", 2));
    let evidence = spans.iter().find(|span| span.name == "commit reservation").expect("evidence");
    assert!(evidence.start >= commit.end, "what is told is durable before");
    assert!(data.join("inventory/inventory.redb").is_file());
}

#[tokio::test]
async fn an_order_and_a_refusal_that_were_answered_before_kill_9_are_there_after_it() {
    let data = directory("mid-order");
    let inventory = Inventory::start(&data).await;
    // Many at once share commits; the kill falls among them.
    let (answered, mut answers) = mpsc::unbounded_channel();
    for key in (0..200).map(|number| format!("k{number}")) {
        let reserve = inventory.http.post(format!("{}/inventory/reserve", inventory.url));
        let reserve = reserve.header("x-request-id", &key).header("idempotency-key", &key);
        let reserve = reserve.json(&json!({"itemId": "coffee", "quantity": 1}));
        let answered = answered.clone();
        tokio::spawn(async move {
            if let Ok(answer) = reserve.send().await {
                let _ = answered.send((key, answer.status().as_u16()));
            }
        });
    }
    drop(answered);
    let mut told = Vec::new();
    while told.len() <= 5 {
        told.push(answers.recv().await.expect("an answer"));
    }
    inventory.kill().await;
    while let Some(answer) = answers.recv().await {
        told.push(answer);
    }

    let inventory = Inventory::start(&data).await;
    for (key, status) in told {
        let url = format!("{}/inventory/keys/{key}/settle", inventory.url);
        let settled: Value = inventory.http.post(url).send().await.unwrap().json().await.unwrap();
        let state = if status == 200 { "reserved" } else { "refused" };
        assert_eq!(settled["state"], state, "{key} was answered {status}");
    }
}
