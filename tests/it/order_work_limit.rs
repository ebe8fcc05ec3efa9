//! The bound on the work that is under way in the order service.

use campuscafe_tests::{Answer, Cafe, DEADLINE, Services, assert_problem, eventually};
use reqwest::RequestBuilder;
use serde_json::{Value, json};
use tokio::task::JoinSet;
use tokio::time::timeout;

/// Attempts wait for their answers as long as any test does, and connections are
/// not what is short: these tests are about work.
async fn started(settings: &[(&str, &str)]) -> Services {
    let connections = ("MAX_CONNECTIONS", "3000");
    let of_order = [&[("ORDER_ATTEMPT_TIMEOUT", "60s"), connections], settings].concat();
    Services::start(&[("INVENTORY_STOCK", "cake=10000"), connections], &of_order).await
}

fn reorder(services: &Services, count: u32) -> RequestBuilder {
    services.http.get(format!("{}/demo/out-of-order?count={count}", services.order_url))
}

async fn metric(services: &Services, series: &str) -> f64 {
    let page = services.page(&format!("{}/metrics", services.order_url)).await;
    let value = page.lines().find_map(|line| line.strip_prefix(series)?.strip_prefix(' '));
    value.unwrap_or_else(|| panic!("no {series} in\n{page}")).parse().unwrap()
}

async fn under_way(services: &Services, count: u32) {
    let series = "order_work_in_progress";
    eventually(&format!("{count} under way"), || async {
        (metric(services, series).await == f64::from(count)).then_some(())
    })
    .await;
}

/// Waits until this many answers are held, and lets them go.
async fn release(services: &Services, count: usize) {
    let holds = format!("{}/inventory/holds", services.inventory_url);
    let held = eventually(&format!("{count} held answers"), || async {
        let mut answer: Value = serde_json::from_str(&services.page(&holds).await).unwrap();
        let held = answer["holds"].take();
        (held.as_array().unwrap().len() == count).then_some(held)
    })
    .await;
    for hold in held.as_array().unwrap() {
        let url = format!("{holds}/{}/release", hold["requestId"].as_str().unwrap());
        assert_eq!(services.http.post(url).send().await.unwrap().status(), 200);
    }
}

async fn read(request: RequestBuilder) -> Answer {
    let response = request.send().await.expect("an answer");
    let (status, headers) = (response.status().as_u16(), response.headers().clone());
    Answer { status, headers, body: response.json().await.expect("a JSON body") }
}

fn assert_shed(case: &str, answer: &Answer) {
    assert_problem(case, answer, 503, "Nothing was done for this one");
    assert!(answer.text("type").ends_with(":overloaded"), "{case}: {}", answer.body);
    // It grows with the share of refused orders when they take longer than a second to come.
    let seconds: u64 = answer.headers["retry-after"].to_str().unwrap().parse().unwrap();
    assert!((1..=10).contains(&seconds), "{case}: {seconds}");
    assert_eq!(answer.body.get("outcome"), None, "{case}: it never was an order");
}

#[tokio::test]
async fn of_a_thousand_orders_at_once_the_default_takes_a_sixth_of_its_bound_and_sheds_the_rest() {
    const SENT: usize = 1_000;
    let services = started(&[]).await;
    // No order can end, so that those beyond the bound do not depend on speed.
    services.inventory.signal("STOP");
    let mut orders = JoinSet::new();
    for _ in 0..SENT {
        orders.spawn(read(services.order_cake("none")));
    }
    let taken = order::DEFAULT_MAX_WORK / 6;
    let shed = SENT - taken;
    for _ in 0..shed {
        let answer = timeout(DEADLINE, orders.join_next()).await.expect("shed at once");
        assert_shed("at once", &answer.unwrap().unwrap());
    }
    assert_eq!(orders.len(), taken, "the rest of the bound is for slow orders");
    under_way(&services, u32::try_from(taken).unwrap()).await;
    services.inventory.signal("CONT");
    while let Some(answer) = orders.join_next().await {
        let answer = answer.unwrap();
        assert_eq!((answer.status, answer.text("outcome")), (200, "confirmed"), "{}", answer.body);
    }
    under_way(&services, 0).await;
    assert_eq!(services.state().await["reservations"], taken, "none for an order that was shed");
    for (series, expected) in [
        ("order_shed_requests_total{kind=\"ordinary\"}", shed as f64),
        ("order_shed_requests_total{kind=\"slow\"}", 0.0),
        ("order_outcomes_total{outcome=\"confirmed\",lane=\"naive\"}", taken as f64),
        ("order_outcomes_total{outcome=\"failed\",lane=\"naive\"}", 0.0),
        ("order_outcomes_total{outcome=\"unknown\",lane=\"naive\"}", 0.0),
    ] {
        assert_eq!(metric(&services, series).await, expected, "{series}");
    }
    assert!(!services.order.stderr().contains("panicked"), "{}", services.order.stderr());
}

#[tokio::test]
async fn an_order_that_waits_too_long_until_it_is_read_is_refused_for_certain() {
    const SENT: usize = 1_000;
    let services = started(&[("ORDER_MAX_WAIT", "1ms"), ("ORDER_MAX_WORK", "6000")]).await;
    let mut orders = JoinSet::new();
    for _ in 0..SENT {
        orders.spawn(read(services.order_cake("none")));
    }
    let mut confirmed = 0;
    while let Some(answer) = orders.join_next().await {
        let answer = answer.unwrap();
        if answer.status == 200 {
            confirmed += 1;
        } else {
            assert_shed("late", &answer);
        }
    }
    assert!((1..SENT).contains(&confirmed), "{confirmed}");
    assert_eq!(services.state().await["reservations"], confirmed, "none for one that was refused");
    let refused = [
        metric(&services, "order_shed_requests_total{kind=\"late\"}").await,
        // A connection that had brought one of them may have brought another.
        metric(&services, "order_shed_requests_total{kind=\"early\"}").await,
    ];
    assert_eq!(refused.iter().sum::<f64>(), (SENT - confirmed) as f64, "{refused:?}");
    assert!(refused[0] > 0.0, "{refused:?}");
    assert_eq!(read(services.order_cake("none")).await.status, 200, "alone it need not wait");
}

#[tokio::test]
async fn slow_orders_have_a_bound_of_their_own_and_orders_without_faults_keep_the_rest() {
    let services = started(&[("ORDER_MAX_WORK", "3")]).await;
    let mut held = JoinSet::new();
    for _ in 0..2 {
        held.spawn(read(services.order_cake("hold")));
    }
    under_way(&services, 2).await;
    for chaos in ["slow", "slowfail", "slowreply", "hold", "race", "flaky", "none,slow"] {
        let order =
            json!({"itemId": "cake", "quantity": 1, "chaos": chaos, "retryOnTimeout": true});
        let url = format!("{}/orders", services.order_url);
        assert_shed(chaos, &read(services.http.post(url).json(&order)).await);
    }
    assert_shed("pings", &read(reorder(&services, 2)).await);
    for chaos in ["none", "", "fail:409", "lostreply"] {
        let answer = read(services.order_cake(chaos)).await;
        assert_ne!(answer.status, 503, "{chaos}: {}", answer.body);
        assert!(!answer.text("outcome").is_empty(), "{chaos}: {}", answer.body);
    }
    assert_eq!(metric(&services, "order_shed_requests_total{kind=\"slow\"}").await, 8.0);
    release(&services, 2).await;
    while let Some(answer) = held.join_next().await {
        assert_eq!(answer.unwrap().status, 200);
    }
    assert_eq!(read(services.order_cake("slow:1")).await.status, 200, "there is room again");
}

#[tokio::test]
async fn an_order_counts_as_work_until_it_has_ended_even_if_its_customer_has_left() {
    let services = started(&[("ORDER_MAX_WORK", "1")]).await;
    let customer = tokio::spawn(services.order_cake("hold").send());
    under_way(&services, 1).await;
    customer.abort();
    let left = "http_server_request_duration_seconds_count{http_request_method=\"POST\",\
                http_route=\"/orders\",http_response_status_code=\"\"}";
    eventually("the customer's leaving", || async {
        (metric(&services, left).await == 1.0).then_some(())
    })
    .await;
    assert_shed("ordinary", &read(services.order_cake("none")).await);
    assert_eq!(metric(&services, "order_work_in_progress").await, 1.0);
    release(&services, 1).await;
    under_way(&services, 0).await;
    assert_eq!(read(services.order_cake("none")).await.status, 200);
    assert_eq!(
        metric(&services, "order_outcomes_total{outcome=\"confirmed\",lane=\"naive\"}").await,
        2.0
    );
}

#[tokio::test]
async fn each_ping_of_a_reordering_is_work_but_a_small_bound_still_lets_one_run() {
    let services = started(&[("ORDER_MAX_WORK", "24")]).await;
    let (one, other) = tokio::join!(read(reorder(&services, 12)), async {
        under_way(&services, 12).await;
        read(reorder(&services, 12)).await
    });
    assert_eq!(one.status, 200, "{}", one.body);
    assert_shed("12 and 12 are more than 20", &other);
    under_way(&services, 0).await;

    let services = started(&[("ORDER_MAX_WORK", "1")]).await;
    let answer = read(reorder(&services, 20)).await;
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
