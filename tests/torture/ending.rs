//! The end of a run: everything is healed, and when nothing is under way any more, all that
//! the services know is read.

use std::time::Duration;

use campuscafe_tests::DEADLINE;
use reqwest::Client;
use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

use crate::customers::fetched;
use crate::history::History;
use crate::services::Services;

/// How often it is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// All that the services know.
#[derive(Debug, Clone, PartialEq)]
struct Books {
    orders: Vec<Value>,
    keys: Vec<Value>,
    stock: Value,
}

/// Waits until nothing is under way, and writes down what the services know. Orders that are
/// open after the limit stay so: the checker names them.
pub(super) async fn close(services: &Services, http: &Client, history: &History, limit: Duration) {
    let begun = Instant::now();
    let mut before = None;
    let books = loop {
        // Before the books are read: work that began later is seen by the next look.
        let idle = idle(services, http).await;
        let books = Books::read(services, http).await;
        let may_end = idle && (books.all_ended() || begun.elapsed() > limit);
        if may_end && before.as_ref() == Some(&books) {
            break books;
        }
        assert!(begun.elapsed() < limit + DEADLINE, "the services do not come to rest");
        before = may_end.then_some(books);
        sleep(LOOK_EVERY).await;
    };
    for order in books.orders {
        history.write("order", &json!({"record": order}));
    }
    for key in books.keys {
        history.write("key", &json!({"kept": key}));
    }
    history.write("stock", &json!({"state": books.stock}));
    history.end_of_run();
}

/// Whether no work is in progress in either service, and none is on its way.
async fn idle(services: &Services, http: &Client) -> bool {
    if !services.is_line_idle() {
        return false;
    }
    let inventories = services.inventory_urls().into_iter();
    let inventories = inventories.map(|url| (url, "inventory_work_in_progress"));
    let orders = services.order_urls().into_iter().map(|url| (url, "order_work_in_progress"));
    for (url, series) in orders.chain(inventories) {
        let page = fetched(http, &format!("{url}/metrics")).await;
        let page = page.as_str().unwrap_or_default();
        let value = page.lines().find_map(|line| line.strip_prefix(series)?.strip_prefix(' '));
        let value: f64 = value.and_then(|value| value.parse().ok()).expect("the gauge of the work");
        if value > 0.0 {
            return false;
        }
    }
    true
}

impl Books {
    async fn read(services: &Services, http: &Client) -> Self {
        let order = format!("{}/orders", services.order_urls()[0]);
        let inventory = services.inventory_url();
        let mut keys = whole(http, &format!("{inventory}/inventory/keys"), "keys").await;
        for key in keys.iter_mut().filter_map(Value::as_object_mut) {
            // It changes all the time.
            key.remove("ageMs");
        }
        Self {
            orders: whole(http, &order, "orders").await,
            keys,
            // After the orders and the keys, whose reading takes several requests.
            stock: fetched(http, &format!("{inventory}/inventory/state")).await,
        }
    }

    fn all_ended(&self) -> bool {
        let ended = ["confirmed", "failed", "cancelled"];
        let state = |order: &Value| order["state"].as_str().map(str::to_owned).unwrap_or_default();
        self.orders.iter().all(|order| ended.contains(&state(order).as_str()))
    }
}

/// Every page of a list.
async fn whole(http: &Client, url: &str, member: &str) -> Vec<Value> {
    let mut all = Vec::new();
    let mut after = String::new();
    loop {
        let page = fetched(http, &format!("{url}?limit=1000{after}")).await;
        let Some(Value::Array(items)) = page.get(member) else { panic!("no {member}: {page}") };
        all.extend(items.iter().cloned());
        match page["next"].as_str() {
            Some(next) => after = format!("&after={next}"),
            None => return all,
        }
    }
}
