//! What the inventory has decided under the keys of a run's orders.

use campuscafe_api::inventory::Key;

use super::RunServer;
use super::run::Run;
use crate::http;
use crate::lessons::Evidence;
use crate::run::find_key;

impl RunServer {
    /// Those of a comparison that is over, as far as the inventory tells them. A script has
    /// read its own when it was over.
    pub(in crate::server) async fn keys(&self, run: &Run) -> Vec<Key> {
        let inventory = self.known.borrow().as_ref().map(|known| known.internal.inventory.clone());
        let compares = !run.is_running() && run.plan.experiment.compares();
        let (true, Some(inventory), Ok(client)) = (compares, inventory, http::client()) else {
            return Vec::new();
        };
        let mut keys = Vec::new();
        for key in of_orders(run) {
            keys.extend(find_key(&client, &inventory, &key).await.ok().flatten());
        }
        keys
    }
}

/// The keys of the orders that have one.
fn of_orders(run: &Run) -> Vec<String> {
    let key = |evidence: &Evidence| match evidence {
        Evidence::Order(order) if order.request.idempotent => {
            Some(format!("order-{}", order.response.report.order_id))
        }
        _ => None,
    };
    run.findings().iter().filter_map(|finding| key(&finding.evidence)).collect()
}
