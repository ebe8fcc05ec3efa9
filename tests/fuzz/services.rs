//! The services under the flood, and what must be true of them after it.

use std::collections::BTreeSet;

use campuscafe_tests::{Services, eventually};
use serde_json::json;

const STOCK: &str = "cake=1000000000,coffee=20";

/// How much more memory a service may take, in KiB. The inventory remembers
/// requests (18 MiB at most), and an allocator keeps what a flood once needed.
const GROWTH: u64 = 48 * 1024;

/// The two services, without a lab: nothing else may change the stock.
pub(super) struct Flooded(Services);

impl Flooded {
    pub(super) async fn start() -> Self {
        Self(Services::start(&[("INVENTORY_STOCK", STOCK)], &[]).await)
    }

    /// The address of each service, the inventory's first.
    pub(super) fn hosts(&self) -> [&str; 2] {
        [&self.0.inventory_url, &self.0.order_url].map(|url| url.trim_start_matches("http://"))
    }

    /// The inventory's series of one metric: labels and value.
    async fn series(&self, metric: &str) -> Vec<(String, f64)> {
        let page = self.0.page(&format!("{}/metrics", self.0.inventory_url)).await;
        let series = page.lines().filter_map(|line| line.strip_prefix(metric)?.rsplit_once(' '));
        series.map(|(labels, value)| (labels.to_owned(), value.parse().unwrap())).collect()
    }

    /// Fails unless both run, nothing panicked, and stock and metrics agree.
    pub(super) async fn assert_unharmed(&self) {
        for (process, url) in
            [(&self.0.inventory, &self.0.inventory_url), (&self.0.order, &self.0.order_url)]
        {
            assert_eq!(self.0.page(&format!("{url}/healthz")).await, "ok\n");
            assert_eq!(self.0.page(&format!("{url}/readyz")).await, "ready\n");
            let said = process.stderr();
            assert!(!said.contains("panicked"), "{said}");
        }
        eventually("the end of the work", || async {
            let busy = self.series("inventory_work_in_progress").await;
            (busy[0].1 == 0.0).then_some(())
        })
        .await;
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

    pub(super) fn assert_little_more_memory(&self, before: [Option<u64>; 2]) {
        for (before, after) in before.into_iter().zip(self.memory()) {
            let grown = after.zip(before).map(|(after, before)| after.saturating_sub(before));
            assert!(grown.is_none_or(|grown| grown < GROWTH), "{grown:?} KiB more");
        }
    }
}
