//! The inventory with its stock in PostgreSQL: what it has answered survives every crash, two
//! inventories sell one stock, and a database that is away is said.

use std::time::Duration;

use campuscafe_tests::postgres::{Postgres, execute, test_database};
use campuscafe_tests::{Cafe, Process, ReservedPort, eventually};
use reqwest::{Client, Response};
use serde_json::{Value, json};
use tokio::time::Instant;

/// It is a second, and more on a machine that has other things to do.
const SOON: Duration = Duration::from_secs(3);

struct Inventory {
    process: Process,
    url: String,
    http: Client,
}

impl Inventory {
    async fn start(database: &str) -> Self {
        let environment = [("DATABASE_URL", database)];
        let mut process = Process::start("inventory", &["--listen", "127.0.0.1:0"], &environment);
        let url = process.address().await;
        Self { process, url, http: Client::builder().no_proxy().build().unwrap() }
    }

    async fn kill(mut self) {
        self.process.signal("KILL");
        self.process.ended().await;
    }

    /// Again while it is refused with 503, which takes nothing: on a machine that has other
    /// things to do the database may be too slow for a while.
    async fn reserve(&self, request: &str, key: Option<&str>) -> Response {
        eventually("an answer that is not 503", || async {
            Some(self.attempt(request, key).await).filter(|answer| answer.status() != 503)
        })
        .await
    }

    async fn attempt(&self, request: &str, key: Option<&str>) -> Response {
        let reserve = self.http.post(format!("{}/inventory/reserve", self.url));
        let reserve = reserve.header("x-request-id", request);
        let reserve = key.into_iter().fold(reserve, |it, key| it.header("idempotency-key", key));
        reserve.json(&json!({"itemId": "cake", "quantity": 1})).send().await.unwrap()
    }

    async fn get(&self, path: &str) -> Response {
        self.http.get(format!("{}{path}", self.url)).send().await.unwrap()
    }

    async fn state(&self) -> Value {
        eventually("the state", || async {
            let answer = self.get("/inventory/state").await;
            if answer.status() == 200 { answer.json().await.ok() } else { None }
        })
        .await
    }

    async fn ready(&self, expected: u16) {
        eventually(&format!("/readyz {expected}"), || async {
            (self.get("/readyz").await.status() == expected).then_some(())
        })
        .await;
    }

    async fn metric(&self, series: &str) -> Option<f64> {
        let page = self.get("/metrics").await.text().await.unwrap();
        page.lines().find_map(|line| line.strip_prefix(series)?.strip_prefix(' ')?.parse().ok())
    }
}

#[tokio::test]
async fn two_inventories_sell_one_stock_and_replay_each_others_answers_also_after_a_kill() {
    let Some(url) = test_database().await else { return };
    let (one, other) = (Inventory::start(&url).await, Inventory::start(&url).await);
    let first: Value = one.reserve("a", Some("key")).await.json().await.unwrap();
    let again = other.reserve("a", Some("key")).await;
    assert_eq!(again.headers()["idempotent-replayed"], "true");
    assert_eq!(again.json::<Value>().await.unwrap(), first);
    assert_eq!(other.reserve("b", None).await.status(), 200);
    one.kill().await;

    let one = Inventory::start(&url).await;
    assert_eq!(one.reserve("a", Some("key")).await.json::<Value>().await.unwrap(), first);
    assert_eq!(one.reserve("b", None).await.status(), 200);
    let duplicates = "inventory_duplicate_reservations_total{item=\"cake\",lane=\"naive\"}";
    assert_eq!(one.metric(duplicates).await, Some(1.0), "it knows the other one's commit");
    for inventory in [&one, &other] {
        let state = inventory.state().await;
        assert_eq!((&state["stock"]["cake"], &state["reservations"]), (&json!(7), &json!(3)));
        eventually("the gauges of the stock and of the keys", || async {
            let cake = inventory.metric("inventory_stock{item=\"cake\"}").await;
            let keys = inventory.metric("inventory_idempotency_keys").await;
            (cake == Some(7.0) && keys == Some(1.0)).then_some(())
        })
        .await;
    }
}

#[tokio::test]
async fn a_database_that_is_killed_is_answered_503_and_used_again_without_a_restart() {
    let Some(mut server) = Postgres::start().await else { return };
    let inventory = Inventory::start(&server.database().await).await;
    inventory.ready(200).await;
    assert_eq!(inventory.reserve("a", Some("a")).await.status(), 200);

    server.kill();
    let begun = Instant::now();
    let away = inventory.attempt("b", Some("b")).await;
    assert!(begun.elapsed() < SOON, "{:?}", begun.elapsed());
    assert_eq!(
        (away.status().as_u16(), away.headers()["retry-after"].to_str().unwrap()),
        (503, "1")
    );
    let problem: Value = away.json().await.unwrap();
    assert_eq!(problem["type"], "urn:problem-type:campuscafe:store-unavailable", "{problem}");
    inventory.ready(503).await;
    assert_eq!(inventory.get("/healthz").await.status(), 200);
    let errors =
        "inventory_store_errors_total{reason=\"database_unavailable\",result=\"not_done\"}";
    assert!(inventory.metric(errors).await > Some(0.0));

    server.go_on().await;
    inventory.ready(200).await;
    let again = inventory.reserve("a", Some("a")).await;
    assert_eq!(
        (again.status().as_u16(), again.headers()["idempotent-replayed"].to_str().unwrap()),
        (200, "true")
    );
    assert_eq!(inventory.state().await["reservations"], 1);
    let said = inventory.process.stderr();
    assert_eq!(said.matches("The database cannot be used").count(), 1, "{said}");
}

#[tokio::test]
async fn a_database_that_hangs_is_answered_503_within_a_second_and_no_connection_stays_in_use() {
    let Some(server) = Postgres::start().await else { return };
    let inventory = Inventory::start(&server.database().await).await;
    inventory.ready(200).await;
    server.freeze();
    let asked = (0..30).map(|number| {
        let (url, http) = (inventory.url.clone(), inventory.http.clone());
        tokio::spawn(async move {
            let begun = Instant::now();
            let reserve = http.post(format!("{url}/inventory/reserve"));
            let reserve = reserve.header("idempotency-key", format!("k{number}"));
            let answer = reserve.json(&json!({"itemId": "cake", "quantity": 1})).send().await;
            (answer.unwrap().status().as_u16(), begun.elapsed())
        })
    });
    for asked in asked.collect::<Vec<_>>() {
        let (status, after) = asked.await.unwrap();
        assert_eq!(status, 503);
        assert!(after < SOON, "{after:?}");
    }
    server.thaw();
    inventory.ready(200).await;
    for number in 0..30 {
        let answer = inventory.reserve("a", Some(&format!("k{number}"))).await.status();
        assert!(answer == 200 || answer == 409, "{answer}");
    }
    let state = inventory.state().await;
    assert_eq!((&state["stock"]["cake"], &state["reservations"]), (&json!(0), &json!(10)));
    eventually("all connections to be idle", || async {
        (inventory.metric("db_client_connection_count{state=\"used\"}").await == Some(0.0))
            .then_some(())
    })
    .await;
}

#[tokio::test]
async fn an_inventory_waits_for_a_database_that_is_away_at_the_start() {
    let Some(mut server) = Postgres::start().await else { return };
    let url = server.database().await;
    server.kill();
    let inventory = Inventory::start(&url).await;
    inventory.ready(503).await;
    let problem: Value = inventory.attempt("a", Some("a")).await.json().await.unwrap();
    assert_eq!(problem["status"], 503, "{problem}");
    assert_eq!(inventory.get("/inventory/state").await.status(), 503);
    server.go_on().await;
    inventory.ready(200).await;
    assert_eq!(inventory.reserve("a", Some("a")).await.status(), 200);
    let said = inventory.process.stderr();
    assert_eq!(said.matches("The database is not ready").count(), 1, "{said}");
}

async fn refused(database: &str, arguments: &[&str]) -> String {
    let arguments = [&["--listen", "127.0.0.1:0"], arguments].concat();
    let environment = [("DATABASE_URL", database)];
    let (status, stdout, stderr) = Process::run("inventory", &arguments, &environment).await;
    assert_eq!((status, stdout.as_str()), (Some(2), ""), "{stderr}");
    stderr
}

#[tokio::test]
async fn a_database_that_cannot_be_used_ends_the_inventory_with_a_line_without_its_password() {
    let away = ReservedPort::take().address();
    for (url, expected) in [
        (format!("mysql://cafe:secret@{away}/cafe"), "begin with postgres://"),
        (format!("postgres://cafe:secret@{away}"), "got no DATABASE"),
        (format!("postgres://cafe:secret@{away}/cafe?sslmode=require"), "has no TLS"),
    ] {
        let said = refused(&url, &[]).await;
        assert!(said.contains("DATABASE_URL") || said.contains("--database-url"), "{said}");
        assert!(said.contains(expected) && !said.contains("secret"), "{said}");
    }
    let url = format!("postgres://cafe:secret@{away}/cafe");
    let said = refused(&url, &["--data", "somewhere"]).await;
    assert!(said.contains("--data") && said.contains("cannot be used with"), "{said}");

    let Some(url) = test_database().await else { return };
    execute(
        &url,
        "CREATE SCHEMA inventory;
         CREATE TABLE inventory.migrations (version integer PRIMARY KEY, applied_at timestamptz);
         INSERT INTO inventory.migrations VALUES (99, now());",
    )
    .await;
    let said = refused(&url, &[]).await;
    assert!(said.contains("version 99") && said.contains("a newer program"), "{said}");
}

#[tokio::test]
async fn the_trace_of_an_order_shows_the_statements_of_its_commit_and_the_picture_stays_the_same() {
    let Some(url) = test_database().await else { return };
    let cafe = Cafe::open_with(&[("DATABASE_URL", &url)]).await;
    let arguments = ["experiment", "double", "--trial", "2", "--lab-url", &cafe.lab, "--json"];
    let (code, json, stderr) = Process::run("campuscafe", &arguments, &[]).await;
    assert_eq!(code, Some(0), "{stderr}");
    let finding: Value = serde_json::from_str(&json).unwrap();
    let finding = &finding["findings"][0];
    assert_eq!(finding["evidence"], "spans", "{finding}");
    let trace = finding["told"]["traceId"].as_str().unwrap();

    let spans = cafe.trace(trace, 26).await;
    let commits: Vec<_> = spans.iter().filter(|span| span.name == "COMMIT").collect();
    let at = |service| commits.iter().filter(|span| span.service == service).count();
    assert_eq!(at("inventory"), 2, "one for each attempt: {spans:?}");
    assert_eq!(at("order"), 2, "one before the attempts, one after them: {spans:?}");
    for commit in commits {
        assert_eq!(commit.text("db.system.name"), Some("postgresql"));
        assert_eq!(commit.text("db.operation.name"), Some("COMMIT"));
        assert_eq!(commit.text("server.address"), Some("127.0.0.1"));
        assert!(commit.int("server.port").is_some());
    }
    let stock = spans.iter().find(|span| span.name == "UPDATE stock").unwrap();
    assert_eq!(stock.text("db.query.summary"), Some("UPDATE stock"));
    assert_eq!(stock.text("db.query.text"), None, "a statement is not repeated");

    // The inventory looks at the database every second, and that is no story of anybody's.
    let traces = cafe.send(cafe.http.get(format!("{}/api/traces?limit=1000", cafe.lab))).await;
    let traces = traces.body["traces"].as_array().unwrap();
    let roots: Vec<_> = traces.iter().map(|trace| trace["root"].as_str().unwrap()).collect();
    assert!(roots.iter().any(|root| root.starts_with("POST ")), "{roots:?}");
    for statement in ["BEGIN", "COMMIT", "SELECT stock", "SELECT keys", "SELECT pg_namespace"] {
        assert!(!roots.contains(&statement), "{roots:?}");
    }
}
