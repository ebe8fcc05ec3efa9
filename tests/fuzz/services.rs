//! The services under the flood, and what must be true of them after it.

use std::collections::BTreeSet;
use std::sync::Arc;

use campuscafe_tests::{Services, eventually};
use serde_json::json;

use super::document::{Route, routes};

const STOCK: &str = "cake=1000000000,coffee=20";

/// The two services, without a lab: nothing else may use the books.
pub(super) struct Flooded(Services);

impl Flooded {
    pub(super) async fn start() -> Self {
        // No attempt may time out, however busy the machine: then a 504 is a
        // fault that was asked for, or a bug.
        let patient = [("ORDER_ATTEMPT_TIMEOUT", "30s")];
        Self(Services::start(&[("INVENTORY_STOCK", STOCK)], &patient).await)
    }

    pub(super) async fn routes(&self) -> Vec<Arc<Route>> {
        let mut all = Vec::new();
        for url in [&self.0.inventory_url, &self.0.order_url] {
            let page = self.0.page(&format!("{url}/openapi.json")).await;
            all.extend(routes(url, serde_json::from_str(&page).unwrap()).into_iter().map(Arc::new));
        }
        all
    }

    /// The inventory's series of one metric: labels and value.
    async fn series(&self, metric: &str) -> Vec<(String, f64)> {
        let page = self.0.page(&format!("{}/metrics", self.0.inventory_url)).await;
        let series = page.lines().filter_map(|line| line.strip_prefix(metric)?.rsplit_once(' '));
        series.map(|(labels, value)| (labels.to_owned(), value.parse().unwrap())).collect()
    }

    /// The reservations ever made, once nothing is at work any more.
    pub(super) async fn made(&self) -> u64 {
        eventually("the end of the work", || async {
            let busy = self.series("inventory_work_in_progress").await;
            (busy[0].1 == 0.0).then_some(())
        })
        .await;
        let made = self.series("inventory_reservations_total").await;
        made.iter().map(|(_, reservations)| *reservations as u64).sum()
    }

    /// Fails unless both live, nobody panicked, and the books are in order.
    pub(super) async fn assert_unharmed(&self) {
        for (process, url) in
            [(&self.0.inventory, &self.0.inventory_url), (&self.0.order, &self.0.order_url)]
        {
            assert_eq!(self.0.page(&format!("{url}/healthz")).await, "ok\n");
            assert_eq!(self.0.page(&format!("{url}/readyz")).await, "ready\n");
            let said = process.stderr();
            assert!(!said.contains("panicked"), "{said}");
        }
        self.made().await;
        let state = self.0.state().await;
        let left = |item: &str| state["stock"][item].as_u64().unwrap();
        assert_eq!(state["stock"].as_object().unwrap().len(), 2, "{state}");
        // Deliveries are among what came, up to what a stock may hold.
        assert!(left("cake").max(left("coffee")) <= 1_000_000_000, "{state}");
        for (labels, shown) in self.series("inventory_stock").await {
            let item = if labels.contains("cake") { "cake" } else { "coffee" };
            assert_eq!(shown, left(item) as f64, "{labels}: {state}");
        }

        let reset = self.0.http.post(format!("{}/inventory/reset", self.0.inventory_url));
        assert_eq!(reset.send().await.unwrap().status(), 200);
        let order = self.0.http.post(format!("{}/orders", self.0.order_url));
        let order = order.json(&json!({"itemId": "cake", "quantity": 3})).send().await.unwrap();
        assert_eq!(order.status(), 200, "a good order is taken");
        let stock = json!({"cake": 999_999_997, "coffee": 20});
        assert_eq!(self.0.state().await, json!({"stock": stock, "reservations": 1}));

        let page = self.0.page(&format!("{}/metrics", self.0.inventory_url)).await;
        let items = page.split("item=\"").skip(1).filter_map(|rest| rest.split('"').next());
        assert_eq!(items.collect::<BTreeSet<_>>(), ["cake", "coffee"].into(), "labels");
    }

    /// What each service has in memory, in KiB, where the system tells.
    pub(super) fn memory(&self) -> [Option<u64>; 2] {
        [&self.0.inventory, &self.0.order].map(|process| {
            let status = std::fs::read_to_string(format!("/proc/{}/status", process.pid())).ok()?;
            let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
            line.split_whitespace().next()?.parse().ok()
        })
    }
}
