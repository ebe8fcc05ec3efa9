//! Both services without a lab, so that each can be stopped by itself.

use reqwest::{Client, RequestBuilder};
use serde_json::{Value, json};

use crate::process::Process;

const LISTEN: [&str; 2] = ["--listen", "127.0.0.1:0"];

/// Warnings only, because tests read other things.
const QUIET: (&str, &str) = ("RUST_LOG", "warn");

/// A running inventory, and an order service that asks it.
#[derive(Debug)]
pub struct Services {
    /// The inventory.
    pub inventory: Process,
    /// The order service.
    pub order: Process,
    /// Where the inventory is.
    pub inventory_url: String,
    /// Where the order service is.
    pub order_url: String,
    /// For requests of a test's own.
    pub http: Client,
}

impl Services {
    /// Starts both with some settings in their environments.
    ///
    /// # Panics
    ///
    /// When one of them does not start.
    pub async fn start(of_inventory: &[(&str, &str)], of_order: &[(&str, &str)]) -> Self {
        let environment = [&[QUIET], of_inventory].concat();
        let mut inventory = Process::start("inventory", &LISTEN, &environment);
        let inventory_url = inventory.address().await;
        let environment = [&[QUIET, ("INVENTORY_URL", &inventory_url)], of_order].concat();
        let mut order = Process::start("order", &LISTEN, &environment);
        let order_url = order.address().await;
        let http = Client::builder().no_proxy().build().expect("a client");
        Self { inventory, order, inventory_url, order_url, http }
    }

    /// Orders one cake.
    pub fn order_cake(&self, chaos: &str) -> RequestBuilder {
        let order = json!({"itemId": "cake", "quantity": 1, "chaos": chaos});
        self.http.post(format!("{}/orders", self.order_url)).json(&order)
    }

    /// The inventory's state.
    ///
    /// # Panics
    ///
    /// When there is none.
    pub async fn state(&self) -> Value {
        let page = self.page(&format!("{}/inventory/state", self.inventory_url)).await;
        serde_json::from_str(&page).expect("a state")
    }

    /// A page as text.
    ///
    /// # Panics
    ///
    /// When there is none.
    pub async fn page(&self, url: &str) -> String {
        let answer = self.http.get(url).send().await.expect("an answer");
        assert_eq!(answer.status(), 200, "{url}");
        answer.text().await.expect("text")
    }
}
