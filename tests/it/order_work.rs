//! The bound on the work that is under way in the order service.

use campuscafe_tests::{Answer, Cafe, DEADLINE, Process, assert_problem, eventually};
use reqwest::{Client, RequestBuilder};
use serde_json::{Value, json};
use tokio::task::JoinSet;
use tokio::time::timeout;

const ANY_PORT: &str = "127.0.0.1:0";

/// Both services without a lab, so that each can be stopped by itself.
struct Services {
    inventory: Process,
    order: Process,
    inventory_url: String,
    order_url: String,
    http: Client,
}

impl Services {
    /// Attempts wait for their answers as long as any test does.
    async fn start(settings: &[(&str, &str)]) -> Self {
        // These tests are about work: connections must not be what is short.
        let connections = ("MAX_CONNECTIONS", "3000");
        let environment = [("INVENTORY_STOCK", "cake=10000"), ("RUST_LOG", "warn"), connections];
        let mut inventory = Process::start("inventory", &["--listen", ANY_PORT], &environment);
        let inventory_url = inventory.address().await;
        let mut environment =
            vec![("ORDER_ATTEMPT_TIMEOUT", "60s"), ("RUST_LOG", "warn"), connections];
        environment.extend(settings);
        let arguments = ["--listen", ANY_PORT, "--inventory-url", &inventory_url];
        let mut order = Process::start("order", &arguments, &environment);
        let order_url = order.address().await;
        let http = Client::builder().no_proxy().build().unwrap();
        Self { inventory, order, inventory_url, order_url, http }
    }

    fn order_cake(&self, chaos: &str) -> RequestBuilder {
        let order = json!({"itemId": "cake", "quantity": 1, "chaos": chaos});
        self.http.post(format!("{}/orders", self.order_url)).json(&order)
    }

    fn reorder(&self, count: u32) -> RequestBuilder {
        self.http.get(format!("{}/demo/out-of-order?count={count}", self.order_url))
    }

    async fn metric(&self, series: &str) -> f64 {
        let page = self.http.get(format!("{}/metrics", self.order_url)).send().await.unwrap();
        let page = page.text().await.unwrap();
        let value = page.lines().find_map(|line| line.strip_prefix(series)?.strip_prefix(' '));
        value.unwrap_or_else(|| panic!("no {series} in\n{page}")).parse().unwrap()
    }

    async fn under_way(&self, count: u32) {
        let series = "order_work_in_progress";
        eventually(&format!("{count} under way"), || async {
            (self.metric(series).await == f64::from(count)).then_some(())
        })
        .await;
    }

    async fn reservations(&self) -> u64 {
        let url = format!("{}/inventory/state", self.inventory_url);
        let state: Value = self.http.get(url).send().await.unwrap().json().await.unwrap();
        state["reservations"].as_u64().unwrap()
    }

    /// Waits until this many answers are held, and lets them go.
    async fn release(&self, count: usize) {
        let holds = format!("{}/inventory/holds", self.inventory_url);
        let held = eventually(&format!("{count} held answers"), || async {
            let answer = self.http.get(&holds).send().await.unwrap();
            let mut answer: Value = answer.json().await.unwrap();
            let held = answer["holds"].take();
            (held.as_array().unwrap().len() == count).then_some(held)
        })
        .await;
        for hold in held.as_array().unwrap() {
            let url = format!("{holds}/{}/release", hold["requestId"].as_str().unwrap());
            assert_eq!(self.http.post(url).send().await.unwrap().status(), 200);
        }
    }
}

async fn read(request: RequestBuilder) -> Answer {
    let response = request.send().await.expect("an answer");
    let (status, headers) = (response.status().as_u16(), response.headers().clone());
    Answer { status, headers, body: response.json().await.expect("a JSON body") }
}

fn assert_shed(case: &str, answer: &Answer) {
    assert_problem(case, answer, 503, "nothing was done for this one");
    assert!(answer.text("type").ends_with(":overloaded"), "{case}: {}", answer.body);
    assert_eq!(answer.headers["retry-after"], "1", "{case}");
    assert_eq!(answer.body.get("outcome"), None, "{case}: it never was an order");
}

#[tokio::test]
async fn of_a_thousand_orders_at_once_the_default_takes_two_hundred_and_sheds_the_rest() {
    const SENT: usize = 1_000;
    let services = Services::start(&[]).await;
    // No order can end, so that those beyond the bound do not depend on speed.
    services.inventory.signal("STOP");
    let mut orders = JoinSet::new();
    for _ in 0..SENT {
        orders.spawn(read(services.order_cake("none")));
    }
    let shed = SENT - order::DEFAULT_MAX_WORK / 2;
    for _ in 0..shed {
        let answer = timeout(DEADLINE, orders.join_next()).await.expect("shed at once");
        assert_shed("at once", &answer.unwrap().unwrap());
    }
    assert_eq!(orders.len(), 200, "half of the default: the other half is for slow orders");
    services.under_way(200).await;
    services.inventory.signal("CONT");
    while let Some(answer) = orders.join_next().await {
        let answer = answer.unwrap();
        assert_eq!((answer.status, answer.text("outcome")), (200, "confirmed"), "{}", answer.body);
    }
    services.under_way(0).await;
    assert_eq!(services.reservations().await, 200, "none for an order that was shed");
    for (series, expected) in [
        ("order_shed_requests_total{kind=\"ordinary\"}", 800.0),
        ("order_shed_requests_total{kind=\"slow\"}", 0.0),
        ("order_outcomes_total{outcome=\"confirmed\"}", 200.0),
        ("order_outcomes_total{outcome=\"failed\"}", 0.0),
        ("order_outcomes_total{outcome=\"unknown\"}", 0.0),
    ] {
        assert_eq!(services.metric(series).await, expected, "{series}");
    }
    assert!(!services.order.stderr().contains("panicked"), "{}", services.order.stderr());
}

#[tokio::test]
async fn slow_orders_take_half_of_the_work_and_orders_without_faults_keep_the_rest() {
    let services = Services::start(&[("ORDER_MAX_WORK", "4")]).await;
    let mut held = JoinSet::new();
    for _ in 0..2 {
        held.spawn(read(services.order_cake("hold")));
    }
    services.under_way(2).await;
    for chaos in ["slow", "slowfail", "slowreply", "hold", "flaky", "none,slow"] {
        let order =
            json!({"itemId": "cake", "quantity": 1, "chaos": chaos, "retryOnTimeout": true});
        let url = format!("{}/orders", services.order_url);
        assert_shed(chaos, &read(services.http.post(url).json(&order)).await);
    }
    assert_shed("pings", &read(services.reorder(2)).await);
    for chaos in ["none", "", "fail:409", "lostreply"] {
        let answer = read(services.order_cake(chaos)).await;
        assert_ne!(answer.status, 503, "{chaos}: {}", answer.body);
        assert!(!answer.text("outcome").is_empty(), "{chaos}: {}", answer.body);
    }
    assert_eq!(services.metric("order_shed_requests_total{kind=\"slow\"}").await, 7.0);
    services.release(2).await;
    while let Some(answer) = held.join_next().await {
        assert_eq!(answer.unwrap().status, 200);
    }
    assert_eq!(read(services.order_cake("slow:1")).await.status, 200, "there is room again");
}

#[tokio::test]
async fn an_order_counts_as_work_until_it_has_ended_even_if_its_customer_has_left() {
    let services = Services::start(&[("ORDER_MAX_WORK", "1")]).await;
    let customer = tokio::spawn(services.order_cake("hold").send());
    services.under_way(1).await;
    customer.abort();
    let left = "http_server_request_duration_seconds_count{http_request_method=\"POST\",\
                http_route=\"/orders\",http_response_status_code=\"\"}";
    eventually("the customer's leaving", || async {
        (services.metric(left).await == 1.0).then_some(())
    })
    .await;
    assert_shed("ordinary", &read(services.order_cake("none")).await);
    assert_eq!(services.metric("order_work_in_progress").await, 1.0);
    services.release(1).await;
    services.under_way(0).await;
    assert_eq!(read(services.order_cake("none")).await.status, 200);
    assert_eq!(services.metric("order_outcomes_total{outcome=\"confirmed\"}").await, 2.0);
}

#[tokio::test]
async fn each_ping_of_a_reordering_is_work_but_a_small_bound_still_lets_one_run() {
    let services = Services::start(&[("ORDER_MAX_WORK", "40")]).await;
    let (one, other) = tokio::join!(read(services.reorder(12)), async {
        services.under_way(12).await;
        read(services.reorder(12)).await
    });
    assert_eq!(one.status, 200, "{}", one.body);
    assert_shed("12 and 12 are more than 20", &other);
    services.under_way(0).await;

    let services = Services::start(&[("ORDER_MAX_WORK", "1")]).await;
    let answer = read(services.reorder(20)).await;
    assert_eq!(answer.body["completedOrder"].as_array().map(Vec::len), Some(20));
}

#[tokio::test]
async fn an_order_that_is_shed_leaves_one_span_that_says_so() {
    let cafe = Cafe::open_with(&[("ORDER_MAX_WORK", "1"), ("ORDER_ATTEMPT_TIMEOUT", "60s")]).await;
    let (order, cake) =
        (format!("{}/orders", cafe.order), json!({"itemId": "cake", "quantity": 1}));
    let held = json!({"itemId": "cake", "quantity": 1, "chaos": "hold"});
    let held = tokio::spawn(cafe.http.post(&order).json(&held).send());
    cafe.reservations(1).await;
    let shed = cafe.send(cafe.http.post(&order).json(&cake)).await;
    assert_shed("one too many", &shed);
    held.abort();
    // Spans of one process arrive in order, so a second one would be there before these.
    let told = cafe.send(cafe.http.get(format!("{}/demo/out-of-order?count=x", cafe.order))).await;
    cafe.trace(told.text("traceId"), 1).await;
    let spans = cafe.trace(shed.text("traceId"), 1).await;
    assert_eq!(spans.len(), 1, "{spans:?}");
    assert_eq!(spans[0].name, "POST /orders");
    assert_eq!(spans[0].int("http.response.status_code"), Some(503));
    assert_eq!(spans[0].text("campuscafe.order.id"), None, "it never was an order");
}
