//! The order service with its orders in PostgreSQL: several of them know the same orders, and
//! each takes over what another left behind when it ended.

use campuscafe_tests::postgres::{Postgres, execute, test_database};
use campuscafe_tests::{Process, Services, eventually};
use reqwest::{Client, Response};
use serde_json::{Value, json};

/// Nobody listens here.
const NO_INVENTORY: &str = "http://127.0.0.1:9";

/// The end of a problem's type, and its status.
async fn problem(answer: Response) -> (u16, String) {
    let status = answer.status().as_u16();
    let body: Value = answer.json().await.unwrap();
    let kind = body["type"].as_str().unwrap();
    (status, kind.trim_start_matches("urn:problem-type:campuscafe:").to_owned())
}

fn unavailable() -> (u16, String) {
    (503, "store-unavailable".to_owned())
}

struct Order {
    process: Process,
    url: String,
    http: Client,
}

impl Order {
    async fn start(database: &str, inventory: &str) -> Self {
        let environment = [("DATABASE_URL", database), ("INVENTORY_URL", inventory)];
        let mut process = Process::start("order", &["--listen", "127.0.0.1:0"], &environment);
        let url = process.address().await;
        Self { process, url, http: Client::builder().no_proxy().build().unwrap() }
    }

    async fn place(&self, key: Option<&str>, order: Value) -> Response {
        let request = self.http.post(format!("{}/orders", self.url)).json(&order);
        let request = key.into_iter().fold(request, |it, key| it.header("idempotency-key", key));
        request.send().await.unwrap()
    }

    /// Again while it is refused with 503, which places nothing: on a machine that has other
    /// things to do the database may be too slow for a while.
    async fn placed(&self, key: Option<&str>, order: &Value) -> Value {
        let answer = eventually("an answer that is not 503", || async {
            Some(self.place(key, order.clone()).await).filter(|answer| answer.status() != 503)
        });
        answer.await.json().await.unwrap()
    }

    async fn get(&self, path: &str) -> Response {
        self.http.get(format!("{}{path}", self.url)).send().await.unwrap()
    }

    /// An order, when it is in one of these states.
    async fn in_state(&self, id: &str, states: &[&str]) -> Value {
        eventually(&format!("{id} {states:?}"), || async {
            let order: Value = self.get(&format!("/orders/{id}")).await.json().await.ok()?;
            states.contains(&order["state"].as_str()?).then_some(order)
        })
        .await
    }

    async fn ready(&self, expected: u16) {
        eventually(&format!("/readyz {expected}"), || async {
            (self.get("/readyz").await.status() == expected).then_some(())
        })
        .await;
    }
}

#[tokio::test]
async fn two_order_services_know_each_others_orders_keys_and_cancels() {
    let Some(url) = test_database().await else { return };
    let services = Services::start(&[], &[("DATABASE_URL", &url)]).await;
    let other = Order::start(&url, &services.inventory_url).await;
    let one = Order { process: services.order, url: services.order_url, http: services.http };
    let cake = json!({"itemId": "cake", "quantity": 1});
    let first = one.placed(Some("press"), &cake).await;
    let again = other.placed(Some("press"), &cake).await;
    assert_eq!(again["orderId"], first["orderId"], "{again}");
    assert_eq!(again["note"], "reserved (the same order as before)");
    let id = first["orderId"].as_str().unwrap();
    other.in_state(id, &["confirmed"]).await;

    let cancel = other.http.delete(format!("{}/orders/{id}", other.url)).send().await.unwrap();
    assert!(cancel.status().is_success(), "{cancel:?}");
    one.in_state(id, &["cancelled"]).await;
    let unknown = other.get("/orders/019ad4c1f4007b4f8f9a3b1c2d3e4f5a").await;
    assert_eq!(problem(unknown).await, (404, "no-such-order".to_owned()));
}

#[tokio::test]
async fn an_order_whose_service_was_killed_in_the_middle_is_settled_by_another() {
    let Some(url) = test_database().await else { return };
    let services = Services::start(&[], &[("DATABASE_URL", &url)]).await;
    let (mut killed, inventory) = (services.order, services.inventory_url.clone());
    let other = Order::start(&url, &inventory).await;
    other.ready(200).await;
    let order = json!({"itemId": "cake", "quantity": 1, "idempotent": true, "chaos": "slow:1500"});
    let sent = services.http.post(format!("{}/orders", services.order_url)).json(&order).send();
    let sent = tokio::spawn(sent);
    let id = eventually("the order at the other service", || async {
        let list: Value = other.get("/orders?state=placing").await.json().await.ok()?;
        Some(list["orders"].get(0)?["orderId"].as_str()?.to_owned())
    })
    .await;
    killed.signal("KILL");
    killed.ended().await;
    assert!(sent.await.unwrap().is_err(), "nobody was told anything");

    let order = other.in_state(&id, &["confirmed", "failed"]).await;
    let state = services.http.get(format!("{inventory}/inventory/state")).send().await.unwrap();
    let state: Value = state.json().await.unwrap();
    let reserved = i64::from(order["state"] == "confirmed");
    assert_eq!(state["reservations"], reserved, "{order}");
    let history: Vec<_> = order["history"].as_array().unwrap().iter().collect();
    assert_eq!(history[1]["state"], "unknown", "its attempt ended with its process: {order}");
}

#[tokio::test]
async fn a_database_that_is_away_is_said_and_used_without_a_restart_when_it_is_back() {
    let Some(mut server) = Postgres::start().await else { return };
    let url = server.database().await;
    server.kill();
    let order = Order::start(&url, NO_INVENTORY).await;
    order.ready(503).await;
    let refused = order.place(None, json!({"itemId": "cake", "quantity": 1})).await;
    assert_eq!(problem(refused).await, unavailable());
    server.go_on().await;
    order.ready(200).await;
    let failed = order.placed(None, &json!({"itemId": "cake", "quantity": 1})).await;
    assert_eq!(failed["outcome"], "failed", "there is no inventory: {failed}");

    server.kill();
    order.ready(503).await;
    let id = failed["orderId"].as_str().unwrap();
    let untold = order.get(&format!("/orders/{id}")).await;
    assert_eq!(problem(untold).await, unavailable());
    server.go_on().await;
    order.ready(200).await;
    order.in_state(id, &["failed"]).await;
    let said = order.process.stderr();
    assert_eq!(said.matches("The database is not ready").count(), 1, "{said}");
    assert_eq!(said.matches("The database cannot be used").count(), 1, "{said}");
    assert_eq!(said.matches("The database can be used again").count(), 1, "{said}");
}

#[tokio::test]
async fn in_an_empty_database_both_services_begin_anew_without_a_restart() {
    let Some(url) = test_database().await else { return };
    let database = [("DATABASE_URL", &*url)];
    let services = Services::start(&database, &database).await;
    let inventory = services.inventory_url.clone();
    let http = services.http.clone();
    let order = Order { process: services.order, url: services.order_url, http: services.http };
    let cake = json!({"itemId": "cake", "quantity": 1});
    order.placed(Some("press"), &cake).await;
    execute(&url, "DROP SCHEMA inventory CASCADE; DROP SCHEMA orders CASCADE;").await;
    eventually("the initial stock", || async {
        let state = http.get(format!("{inventory}/inventory/state")).send().await.unwrap();
        let state: Value = state.json().await.ok()?;
        (state["stock"]["cake"] == 10 && state["reservations"] == 0).then_some(())
    })
    .await;
    let again = order.placed(Some("press"), &cake).await;
    assert_eq!(again["outcome"], "confirmed", "{again}");
    let list: Value = order.get("/orders").await.json().await.unwrap();
    assert_eq!(list["orders"].as_array().unwrap().len(), 1, "{list}");
}
