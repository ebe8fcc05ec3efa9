//! Both services in this process, on sockets of their own.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::LazyLock;
use std::time::Duration;

use campuscafe_cures::backoff::Backoff;
use campuscafe_service::{AllowedHosts, Lifecycle, ServerSettings, serve};
use campuscafe_telemetry::Metrics;
use order::CuredRetries;
use order::outcome::MAX_ATTEMPTS;
use reqwest::Client;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::time::Instant;

use crate::model::CustomerResponse;
use crate::orders::Order;

#[derive(Debug, Clone)]
pub(crate) struct Cafe {
    order: String,
    inventory: String,
    http: Client,
    counted: [Metrics; 2],
}

/// Orders with a key are retried like naive ones: once, at once, and without a bound. So the
/// model can tell each moment; what waits, budget and deadline do is told in `retries`.
const AT_ONCE: CuredRetries = CuredRetries {
    attempts: MAX_ATTEMPTS,
    backoff: Backoff { base: Duration::ZERO, most: Duration::ZERO },
    reserve: u32::MAX,
};

impl Cafe {
    /// Opens a café whose faults are chosen by `seed`. It closes with the
    /// runtime of the test.
    pub(crate) async fn open(stock: &str, seed: u64) -> Self {
        Self::open_through(stock, seed, async |inventory| inventory).await
    }

    /// The same with a capacity of the inventory, and with retries as they are set by default.
    pub(crate) async fn open_with(stock: &str, seed: u64, capacity: Option<u32>) -> Self {
        Self::open_as(stock, seed, (capacity, CuredRetries::DEFAULT), async |inventory| inventory)
            .await
    }

    /// The same, with something between the services: it is told the inventory's address
    /// and gives the address that the order service calls.
    pub(crate) async fn open_through(
        stock: &str,
        seed: u64,
        between: impl AsyncFnOnce(String) -> String,
    ) -> Self {
        Self::open_as(stock, seed, (None, AT_ONCE), between).await
    }

    async fn open_as(
        stock: &str,
        seed: u64,
        (capacity, cured_retries): (Option<u32>, CuredRetries),
        between: impl AsyncFnOnce(String) -> String,
    ) -> Self {
        let counted = [Metrics::new("paused"), Metrics::new("paused")];
        let lifecycle = Lifecycle::default();
        let config = inventory::Config {
            command: None,
            listen: SocketAddr::from(([127, 0, 0, 1], 0)),
            stock: stock.parse().unwrap(),
            chaos_seed: Some(seed),
            max_work: inventory::DEFAULT_MAX_WORK,
            max_wait: Duration::from_secs(1),
            key_horizon: None,
            data: None,
            database: Default::default(),
            capacity,
            server: ServerSettings::default(),
        };
        let app = inventory::App::with_clock(
            &config,
            seed,
            counted[0].clone(),
            lifecycle.clone(),
            time_of_day,
        );
        let router = inventory::router(app, &AllowedHosts::default());
        let inventory = start(router, lifecycle, counted[0].clone()).await;

        let lifecycle = Lifecycle::default();
        let config = order::Config {
            command: None,
            listen: SocketAddr::from(([127, 0, 0, 1], 0)),
            inventory_url: between(inventory.clone()).await.parse().unwrap(),
            attempt_timeout: Duration::from_secs(1),
            retry_budget: order::DEFAULT_RETRY_BUDGET,
            cured_retries,
            order_deadline: order::DEFAULT_ORDER_DEADLINE,
            max_work: 1_000,
            max_wait: Duration::from_secs(1),
            customer_keys: order::CustomerKeys::default(),
            data: None,
            database: Default::default(),
            server: ServerSettings::default(),
        };
        let app =
            order::App::with_clock(&config, counted[1].clone(), lifecycle.clone(), time_of_day);
        let app = app.unwrap();
        let router = order::router(app, &AllowedHosts::default());
        let order = start(router, lifecycle, counted[1].clone()).await;
        let http = Client::builder().no_proxy().build().unwrap();
        Self { order, inventory, http, counted }
    }

    /// Places an order and reads what the customer is told, unless an impatient
    /// one hangs up before.
    pub(crate) async fn order(
        &self,
        order: &Order,
        impatience: Duration,
    ) -> Option<CustomerResponse> {
        Some(self.place(order, impatience, None).await?.0)
    }

    /// The same with a key of the customer's, if there is one; and with the id of the order.
    pub(crate) async fn place(
        &self,
        order: &Order,
        impatience: Duration,
        key: Option<&str>,
    ) -> Option<(CustomerResponse, String)> {
        let mut request = self.http.post(format!("{}/orders", self.order)).json(&json!({
            "itemId": order.item,
            "quantity": order.quantity,
            "chaos": order.plan.join(","),
            "retryOnTimeout": order.retry,
            "idempotent": order.keyed,
        }));
        if let Some(key) = key {
            request = request.header("idempotency-key", key);
        }
        if order.impatient {
            request = request.timeout(impatience);
        }
        let answer = match request.send().await {
            Ok(answer) => answer,
            Err(error) if order.impatient && error.is_timeout() => return None,
            Err(error) => panic!("{order:?}: {error}"),
        };
        let status = answer.status().as_u16().into();
        let body: Value = answer.json().await.expect("a whole answer");
        let id = body["orderId"].as_str().expect("an id").to_owned();
        Some((response(status, &body), id))
    }

    /// Cancels an order: the status, and the state that it is told to have.
    pub(crate) async fn cancel(&self, id: &str) -> (u64, Value) {
        let request = self.http.delete(format!("{}/orders/{id}", self.order));
        let answer = request.send().await.unwrap();
        let status = answer.status().as_u16().into();
        (status, answer.json::<Value>().await.unwrap()["state"].clone())
    }

    /// What the order service says of every order, by its id.
    pub(crate) async fn records(&self) -> BTreeMap<String, Value> {
        self.pages(&format!("{}/orders", self.order), "orders", "orderId").await
    }

    /// What stands under every key that the inventory remembers.
    pub(crate) async fn keys(&self) -> BTreeMap<String, Value> {
        self.pages(&format!("{}/inventory/keys", self.inventory), "keys", "key").await
    }

    /// Everything in a list that is read page by page.
    async fn pages(&self, url: &str, list: &str, name: &str) -> BTreeMap<String, Value> {
        let (mut all, mut after) = (BTreeMap::new(), None::<String>);
        loop {
            let request = self.http.get(url).query(&[("limit", "1000")]);
            let request = request.query(&after.map(|after| [("after", after)]));
            let page: Value = request.send().await.unwrap().json().await.unwrap();
            let entries = page[list].as_array().unwrap_or_else(|| panic!("no {list} in {page}"));
            all.extend(entries.iter().map(|it| (it[name].as_str().unwrap().into(), it.clone())));
            let Some(next) = page["next"].as_str() else { return all };
            after = Some(next.to_owned());
        }
    }

    /// Sends one attempt for an order to the inventory, as if it came late. Gives the status.
    pub(crate) async fn late_attempt(&self, id: &str, item: &str, quantity: i64) -> u16 {
        let request = self.http.post(format!("{}/inventory/reserve", self.inventory));
        let request = request.header("idempotency-key", format!("\"order-{id}\""));
        let request = request.header("x-request-id", format!("order-{id}"));
        let request = request.json(&json!({"itemId": item, "quantity": quantity}));
        request.send().await.unwrap().status().as_u16()
    }

    /// Places an order as it stands; gives the status and the answer.
    pub(crate) async fn post_order(&self, order: &Value) -> (u16, Value) {
        let request = self.http.post(format!("{}/orders", self.order)).json(order);
        let answer = request.send().await.unwrap();
        (answer.status().as_u16(), answer.json().await.unwrap())
    }

    /// What is left, and the reservations made since the last reset.
    pub(crate) async fn state(&self) -> (BTreeMap<&'static str, u64>, u64) {
        let url = format!("{}/inventory/state", self.inventory);
        let state: Value = self.http.get(url).send().await.unwrap().json().await.unwrap();
        let left = |item| (item, state["stock"][item].as_u64().unwrap());
        (BTreeMap::from(["cake", "coffee"].map(left)), state["reservations"].as_u64().unwrap())
    }

    /// Back to the opening stock.
    pub(crate) async fn reset(&self) {
        let url = format!("{}/inventory/reset", self.inventory);
        assert!(self.http.post(url).send().await.unwrap().status().is_success());
    }

    /// Adds pieces to the stock.
    pub(crate) async fn deliver(&self, item: &str, quantity: u64) {
        let delivery = self.http.post(format!("{}/inventory/deliveries", self.inventory));
        let delivery = delivery.json(&json!({"itemId": item, "quantity": quantity}));
        assert!(delivery.send().await.unwrap().status().is_success());
    }

    /// The sum of all series that begin like this, in either service.
    pub(crate) fn counter(&self, series: &str) -> u64 {
        let pages = self.counted.each_ref().map(Metrics::render).concat();
        let values = pages.lines().filter_map(|line| {
            let rest = line.strip_prefix(series)?;
            rest.starts_with(['{', ' ', ',', '}']).then(|| rest.rsplit(' ').next().unwrap())
        });
        let values: Vec<u64> = values.map(|value| value.parse().unwrap()).collect();
        assert!(!values.is_empty(), "no {series} in\n{pages}");
        values.into_iter().sum()
    }
}

/// A time of day that stands still and jumps with the clock of the runtime.
fn time_of_day() -> u64 {
    static BEGUN: LazyLock<Instant> = LazyLock::new(Instant::now);
    const NOON: u64 = 1_795_953_600_000;
    NOON + u64::try_from(Instant::now().duration_since(*BEGUN).as_millis()).unwrap()
}

async fn start(router: axum::Router, lifecycle: Lifecycle, metrics: Metrics) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        // A thousand orders at once are the point here, and not the limit.
        let settings = ServerSettings { max_connections: 10_000, ..ServerSettings::default() };
        serve(listener, router, lifecycle, &metrics, &settings, std::future::pending()).await
    });
    format!("http://{address}")
}

fn response(status: u64, body: &Value) -> CustomerResponse {
    let known = |words: &[&'static str], word: &Value| {
        let found = words.iter().find(|known| word == **known);
        *found.unwrap_or_else(|| panic!("{word} is none of {words:?}"))
    };
    let results = ["ok", "rejected", "timeout", "connection_lost", "refused"];
    let attempts = body["attempts"].as_array().unwrap_or_else(|| panic!("no attempts in {body}"));
    assert!(attempts.len() <= MAX_ATTEMPTS as usize, "{body}");
    let attempts = attempts.iter().map(|attempt| {
        let took = attempt["durationMs"].as_u64().unwrap();
        // Timers go by milliseconds and end after their time, never before.
        let took = if took % 100 <= 2 { took - took % 100 } else { took };
        (known(&results, &attempt["result"]), attempt["status"].as_u64(), took)
    });
    let attempts = attempts.collect();
    CustomerResponse {
        status,
        outcome: known(&["confirmed", "failed", "unknown"], &body["outcome"]),
        attempts,
    }
}
