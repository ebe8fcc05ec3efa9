//! An order service that keeps its orders in a file: it is killed, and knows them again.

use std::path::PathBuf;

use campuscafe_tests::{Answer, Process, Services, assert_problem, eventually};
use reqwest::RequestBuilder;
use serde_json::{Value, json};

/// An inventory, and an order service with a directory of its own.
struct Durable {
    services: Services,
    directory: String,
}

impl Durable {
    async fn start(name: &str) -> Self {
        let directory = directory(name);
        let services = Services::start(&[], &[("DATA_DIR", &directory)]).await;
        Self { services, directory }
    }

    /// Kills the order service and starts it again.
    async fn kill(&mut self) {
        self.services.order.signal("KILL");
        self.services.order.ended().await;
        self.start_again().await;
    }

    async fn start_again(&mut self) {
        let settings = [
            ("INVENTORY_URL", &*self.services.inventory_url),
            ("DATA_DIR", &self.directory),
            ("RUST_LOG", "warn"),
        ];
        self.services.order = Process::start("order", &["--listen", "127.0.0.1:0"], &settings);
        self.services.order_url = self.services.order.address().await;
    }

    fn order(&self, order: &Value) -> RequestBuilder {
        self.services.http.post(format!("{}/orders", self.services.order_url)).json(order)
    }

    async fn get(&self, path: &str) -> Answer {
        answer(self.services.http.get(format!("{}{path}", self.services.order_url))).await
    }

    /// The only order, when there is one.
    async fn only_order(&self) -> Value {
        eventually("the order", async || {
            let orders = self.get("/orders").await.body["orders"].clone();
            orders.get(0).cloned()
        })
        .await
    }

    /// The order when it has come to a state.
    async fn in_state(&self, id: &str, state: &str) -> Value {
        eventually(&format!("the order is {state}"), async || {
            let order = self.get(&format!("/orders/{id}")).await.body;
            (order["state"] == state).then_some(order)
        })
        .await
    }

    async fn reservations(&self, count: u64) {
        eventually(&format!("{count} reservations"), async || {
            (self.services.state().await["reservations"] == count).then_some(())
        })
        .await;
    }

    async fn metric(&self, series: &str) -> f64 {
        let page = self.services.page(&format!("{}/metrics", self.services.order_url)).await;
        let value = page.lines().find_map(|line| line.strip_prefix(series)?.trim().parse().ok());
        value.unwrap_or_else(|| panic!("no {series} in\n{page}"))
    }
}

/// A directory that is not there yet.
fn directory(name: &str) -> String {
    let directory = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("order-store").join(name);
    if directory.exists() {
        std::fs::remove_dir_all(&directory).unwrap();
    }
    directory.to_str().unwrap().to_owned()
}

async fn answer(request: RequestBuilder) -> Answer {
    let response = request.send().await.unwrap();
    let (status, headers) = (response.status().as_u16(), response.headers().clone());
    Answer { status, headers, body: response.json().await.unwrap_or(Value::Null) }
}

/// An order whose attempt may take long.
fn cake(chaos: &str, idempotent: bool) -> Value {
    json!({
        "itemId": "cake", "quantity": 1, "chaos": chaos, "idempotent": idempotent,
        "attemptTimeoutMs": 60_000,
    })
}

fn states(order: &Value) -> Vec<&str> {
    let history = order["history"].as_array().map_or(&[][..], Vec::as_slice);
    history.iter().filter_map(|change| change["state"].as_str()).collect()
}

#[tokio::test]
async fn an_order_that_was_reserved_before_the_kill_is_settled_as_confirmed() {
    let mut cafe = Durable::start("reserved").await;
    let placing = tokio::spawn(cafe.order(&cake("slowreply:60000", true)).send());
    cafe.reservations(1).await;
    let id = cafe.only_order().await["orderId"].as_str().unwrap().to_owned();
    cafe.kill().await;
    assert!(placing.await.unwrap().is_err(), "the customer has no answer");
    let order = cafe.in_state(&id, "confirmed").await;
    assert_eq!(states(&order), ["placing", "unknown", "confirmed"]);
    assert!(order["reserved"]["reservationId"].is_string(), "{order}");
    cafe.reservations(1).await;
    assert_eq!(cafe.metric("order_settled_total{result=\"confirmed\"}").await, 1.0);
    assert_eq!(cafe.metric("order_unknown").await, 0.0);
}

#[tokio::test]
async fn an_order_that_was_not_reserved_before_the_kill_is_settled_as_failed_and_never_reserves() {
    let mut cafe = Durable::start("held").await;
    let placing = tokio::spawn(cafe.order(&cake("slow:3000", true)).send());
    let id = cafe.only_order().await["orderId"].as_str().unwrap().to_owned();
    let url = format!("{}/metrics", cafe.services.inventory_url);
    let inventory = async |series: &str| {
        let page = cafe.services.page(&url).await;
        page.lines().find_map(|line| line.strip_prefix(series)?.trim().parse::<f64>().ok())
    };
    eventually("the attempt has come", async || {
        (inventory("inventory_faults_total{fault=\"slow\"}").await >= Some(1.0)).then_some(())
    })
    .await;
    cafe.kill().await;
    assert!(placing.await.unwrap().is_err(), "the customer has no answer");
    let order = cafe.in_state(&id, "failed").await;
    assert_eq!(states(&order), ["placing", "unknown", "failed"]);
    let page = async || cafe.services.page(&url).await;
    eventually("the attempt comes to its commit", async || {
        let voided = "inventory_voided_commits_total 1";
        page().await.lines().any(|line| line == voided).then_some(())
    })
    .await;
    cafe.reservations(0).await;
}

#[tokio::test]
async fn a_naive_order_is_unknown_for_good_after_the_kill_and_says_why() {
    let mut cafe = Durable::start("naive").await;
    let placing = tokio::spawn(cafe.order(&cake("slowreply:60000", false)).send());
    cafe.reservations(1).await;
    let id = cafe.only_order().await["orderId"].as_str().unwrap().to_owned();
    cafe.kill().await;
    assert!(placing.await.unwrap().is_err(), "the customer has no answer");
    let order = cafe.get(&format!("/orders/{id}")).await.body;
    assert_eq!(states(&order), ["placing", "unknown"]);
    let note = order["note"].as_str().unwrap_or_default();
    assert!(note.contains("ended while an attempt was under way"), "{order}");
    assert_eq!(cafe.metric("order_unknown").await, 0.0, "nobody settles it");
}

#[tokio::test]
async fn a_customers_key_is_the_same_order_after_the_kill() {
    let mut cafe = Durable::start("key").await;
    let press = async |cafe: &Durable, order: &Value| {
        answer(cafe.order(order).header("idempotency-key", "press-1")).await
    };
    let first = press(&cafe, &cake("none", true)).await;
    assert_eq!(first.status, 200, "{}", first.body);
    cafe.kill().await;
    let again = press(&cafe, &cake("none", true)).await;
    assert_eq!((again.status, again.text("orderId")), (200, first.text("orderId")));
    assert_eq!(again.headers["idempotent-replayed"], "true");
    assert_eq!(again.body["reserved"], first.body["reserved"]);
    let other = json!({"itemId": "cake", "quantity": 2});
    assert_problem("another order", &press(&cafe, &other).await, 422, "different request");
    cafe.reservations(1).await;

    let order = cafe.get(&format!("/orders/{}", first.text("orderId"))).await;
    assert_eq!((order.status, order.text("state")), (200, "confirmed"));
    let unknown = format!("/orders/{}", unlike(first.text("orderId")));
    assert_problem("its own id", &cafe.get(&unknown).await, 404, "no such order");
}

/// An id that the same service could have given, and did not: the time is another one.
fn unlike(id: &str) -> String {
    format!("000000000000{}", &id[12..])
}

#[tokio::test]
async fn an_order_that_cannot_be_settled_yet_is_counted_as_unknown_right_after_the_start() {
    let mut cafe = Durable::start("unknown").await;
    let placing = tokio::spawn(cafe.order(&cake("slowreply:60000", true)).send());
    cafe.reservations(1).await;
    let id = cafe.only_order().await["orderId"].as_str().unwrap().to_owned();
    // The order service first: it would answer that the connection is lost.
    cafe.services.order.signal("KILL");
    cafe.services.order.ended().await;
    cafe.services.inventory.signal("KILL");
    cafe.services.inventory.ended().await;
    assert!(placing.await.unwrap().is_err(), "the customer has no answer");
    cafe.start_again().await;
    assert_eq!(cafe.metric("order_unknown").await, 1.0);
    assert_eq!(states(&cafe.get(&format!("/orders/{id}")).await.body), ["placing", "unknown"]);
}

#[tokio::test]
async fn a_cancel_without_an_answer_goes_on_after_the_kill() {
    let mut cafe = Durable::start("cancel").await;
    let placed = answer(cafe.order(&cake("none", true))).await;
    let id = placed.text("orderId").to_owned();
    let url = format!("{}/orders/{id}?chaos=slowreply:60000", cafe.services.order_url);
    let cancelling = tokio::spawn(cafe.services.http.delete(url).send());
    cafe.in_state(&id, "cancelling").await;
    cafe.kill().await;
    drop(cancelling);
    let order = cafe.in_state(&id, "cancelled").await;
    assert_eq!(states(&order), ["placing", "confirmed", "cancelling", "cancelled"]);
    cafe.reservations(0).await;
    assert_eq!(cafe.services.state().await["stock"]["cake"], 10);
}

#[tokio::test]
async fn the_listener_is_told_after_the_kill_what_became_of_the_order() {
    let mut cafe = Durable::start("listener").await;
    let mut order = cake("slowreply:60000", true);
    order["notify"] = json!("none");
    let placing = tokio::spawn(cafe.order(&order).send());
    cafe.reservations(1).await;
    let id = cafe.only_order().await["orderId"].as_str().unwrap().to_owned();
    cafe.kill().await;
    assert!(placing.await.unwrap().is_err(), "the customer has no answer");
    cafe.in_state(&id, "confirmed").await;
    let board = format!("{}/inventory/notifications/{id}", cafe.services.inventory_url);
    eventually("the board shows it", async || {
        let board = answer(cafe.services.http.get(&board)).await.body;
        let history = board["history"].as_array()?;
        let unknown = history.iter().any(|it| it["state"] == "unknown" && it["sequence"] == 2);
        (board["shown"] == "confirmed" && unknown).then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_second_order_service_in_the_same_directory_says_so_and_ends() {
    let cafe = Durable::start("second").await;
    let settings = [("DATA_DIR", &*cafe.directory)];
    let (code, stdout, stderr) =
        Process::run("order", &["--listen", "127.0.0.1:0"], &settings).await;
    assert_eq!((code, &*stdout), (Some(2), ""), "{stderr}");
    let line = stderr.lines().last().unwrap_or_default();
    assert!(line.starts_with("error: --data / DATA_DIR: ") && line.contains("in use"), "{stderr}");
}
