//! Both services in this process, on sockets of their own.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Duration;

use campuscafe_service::{AllowedHosts, Lifecycle, ServerSettings, serve};
use campuscafe_telemetry::Metrics;
use order::outcome::MAX_ATTEMPTS;
use reqwest::Client;
use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::model::CustomerResponse;
use crate::orders::Order;

#[derive(Debug, Clone)]
pub(crate) struct Cafe {
    order: String,
    inventory: String,
    http: Client,
    counted: [Metrics; 2],
}

impl Cafe {
    /// Opens a café whose faults are chosen by `seed`. It closes with the
    /// runtime of the test.
    pub(crate) async fn open(stock: &str, seed: u64) -> Self {
        let counted = [Metrics::new("paused"), Metrics::new("paused")];
        let lifecycle = Lifecycle::default();
        let app = inventory::App::new(
            &stock.parse().unwrap(),
            seed,
            inventory::DEFAULT_MAX_WORK,
            counted[0].clone(),
            lifecycle.clone(),
        );
        let router = inventory::router(app, &AllowedHosts::default());
        let inventory = start(router, lifecycle, counted[0].clone()).await;

        let lifecycle = Lifecycle::default();
        let config = order::Config {
            command: None,
            listen: SocketAddr::from(([127, 0, 0, 1], 0)),
            inventory_url: inventory.parse().unwrap(),
            attempt_timeout: Duration::from_secs(1),
            max_work: 1_000,
            server: ServerSettings::default(),
        };
        let app = order::App::new(&config, counted[1].clone(), lifecycle.clone()).unwrap();
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
        let mut request = self.http.post(format!("{}/orders", self.order)).json(&json!({
            "itemId": order.item,
            "quantity": order.quantity,
            "chaos": order.plan.join(","),
            "retryOnTimeout": order.retry,
        }));
        if order.impatient {
            request = request.timeout(impatience);
        }
        let answer = match request.send().await {
            Ok(answer) => answer,
            Err(error) if order.impatient && error.is_timeout() => return None,
            Err(error) => panic!("{order:?}: {error}"),
        };
        let status = answer.status().as_u16().into();
        Some(response(status, &answer.json().await.expect("a whole answer")))
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
            rest.starts_with(['{', ' ', ',']).then(|| rest.rsplit(' ').next().unwrap())
        });
        let values: Vec<u64> = values.map(|value| value.parse().unwrap()).collect();
        assert!(!values.is_empty(), "no {series} in\n{pages}");
        values.into_iter().sum()
    }
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
