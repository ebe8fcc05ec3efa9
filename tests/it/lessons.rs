//! Each lesson has a test that fails if it stops being true.

use campuscafe_tests::{Cafe, eventually};

#[tokio::test]
async fn an_order_that_timed_out_is_unknown_and_commits_late() {
    let cafe = Cafe::open().await;
    let told = cafe.order_cake("slow", false).await;
    assert_eq!((told.status, told.text("title")), (504, "Order failed 💥"));
    assert_eq!((told.text("outcome"), told.results()), ("unknown", vec!["timeout"]));
    assert_eq!(cafe.state().await["reservations"], 0, "nothing is committed yet");

    let state = cafe.reservations(1).await;
    assert_eq!(state["stock"]["cake"], 9);
    assert_eq!(
        cafe.metric(&cafe.inventory, "inventory_late_commits_total{item=\"cake\",lane=\"naive\"}")
            .await,
        1.0
    );
    assert_eq!(
        cafe.metric(&cafe.order, "order_outcomes_total{outcome=\"unknown\",lane=\"naive\"}").await,
        1.0
    );
    assert_eq!(
        cafe.metric(&cafe.order, "order_outcomes_total{outcome=\"failed\",lane=\"naive\"}").await,
        0.0
    );
}

#[tokio::test]
async fn a_retry_that_succeeds_leaves_one_customer_with_two_cakes() {
    let cafe = Cafe::open().await;
    let told = cafe.order_cake("slow,none", true).await;
    assert_eq!((told.status, told.text("note")), (200, "reserved (after timeout retry) ⚠️"));
    assert_eq!((told.text("outcome"), told.results()), ("confirmed", vec!["timeout", "ok"]));

    let state = cafe.reservations(2).await;
    assert_eq!(state["stock"]["cake"], 8);
    for (series, value) in [
        ("inventory_duplicate_reservations_total{item=\"cake\",lane=\"naive\"}", 1.0),
        ("inventory_late_commits_total{item=\"cake\",lane=\"naive\"}", 1.0),
        ("inventory_stock{item=\"cake\"}", 8.0),
    ] {
        assert_eq!(cafe.metric(&cafe.inventory, series).await, value, "{series}");
    }
    assert_eq!(cafe.metric(&cafe.order, "order_retries_total{lane=\"naive\"}").await, 1.0);
}

#[tokio::test]
async fn a_retry_that_times_out_too_is_told_no_and_still_commits_twice() {
    let cafe = Cafe::open().await;
    let told = cafe.order_cake("slow", true).await;
    assert_eq!((told.status, told.text("title")), (504, "Retry also failed 💥"));
    assert_eq!((told.text("outcome"), told.results()), ("unknown", vec!["timeout", "timeout"]));
    assert_eq!(cafe.reservations(2).await["stock"]["cake"], 8);
}

#[tokio::test]
async fn slow_then_fail_is_still_unknown() {
    let cafe = Cafe::open().await;
    let told = cafe.order_cake("slow,fail", true).await;
    assert_eq!((told.status, told.text("outcome")), (504, "unknown"));
    assert_eq!(told.results(), ["timeout", "rejected"]);
    assert_eq!(cafe.reservations(1).await["stock"]["cake"], 9);
}

#[tokio::test]
async fn a_cut_is_not_retried_and_is_unknown_wherever_it_came() {
    let cafe = Cafe::open().await;
    // The first order leaves a connection in the pool, which the cut ones reuse.
    assert_eq!(cafe.order_cake("none", true).await.status, 200);
    for (chaos, reservations) in [("abort", 1), ("lostreply", 2)] {
        let told = cafe.order_cake(chaos, true).await;
        assert_eq!((told.status, told.text("outcome")), (504, "unknown"), "{chaos}");
        assert_eq!(told.results(), ["connection_lost"], "{chaos}");
        assert_eq!(cafe.state().await["reservations"], reservations, "{chaos}");
    }
    assert_eq!(cafe.metric(&cafe.order, "order_retries_total{lane=\"naive\"}").await, 0.0);
    let faults = |fault| format!("inventory_faults_total{{fault=\"{fault}\"}}");
    assert_eq!(cafe.metric(&cafe.inventory, &faults("abort")).await, 1.0, "sent once");
    assert_eq!(cafe.metric(&cafe.inventory, &faults("lostreply")).await, 1.0, "sent once");
}

#[tokio::test]
async fn a_refusal_is_failed_for_certain_and_not_retried() {
    let cafe = Cafe::open().await;
    let told = cafe.order_cake("fail", true).await;
    assert_eq!((told.status, told.text("outcome")), (502, "failed"));
    assert_eq!(told.results(), ["rejected"]);
    assert_eq!(told.body["attempts"][0]["status"], 503);
    assert_eq!(cafe.state().await["reservations"], 0);
}

#[tokio::test]
async fn both_attempts_carry_the_same_request_id() {
    let cafe = Cafe::open().await;
    let told = cafe.order_cake("hold", true).await;
    assert_eq!(told.results(), ["timeout", "timeout"]);
    let holds = cafe.send(cafe.http.get(format!("{}/inventory/holds", cafe.inventory))).await.body;
    let ids: Vec<_> = holds["holds"].as_array().unwrap().iter().map(|h| &h["requestId"]).collect();
    let expected = format!("order-{}", told.text("orderId"));
    assert_eq!(ids, [expected.as_str(), expected.as_str()]);
}

#[tokio::test]
async fn the_id_that_a_customer_gives_an_order_stands_in_its_span() {
    let cafe = Cafe::open().await;
    let order = cafe.http.post(format!("{}/orders", cafe.order)).header("x-request-id", "my cake");
    let order = order.json(&serde_json::json!({"itemId": "cake", "quantity": 1}));
    let told = cafe.send(order).await;
    let trace = format!("{}/api/traces/{}", cafe.lab, told.text("traceId"));
    cafe.trace(told.text("traceId"), 4).await;
    let trace = cafe.page(&trace).await;
    let list = r#"{"arrayValue":{"values":[{"stringValue":"my cake"}]}}"#;
    let expected = format!(r#"{{"key":"http.request.header.x-request-id","value":{list}}}"#);
    assert!(trace.replace(": ", ":").contains(&expected), "{trace}");
}

#[tokio::test]
async fn a_held_answer_is_committed_and_leaves_when_it_is_released() {
    let cafe = Cafe::open().await;
    let held = tokio::spawn(cafe.reserve_cake("hold", "doubt/1").send());
    let holds = format!("{}/inventory/holds", cafe.inventory);
    let hold = cafe.hold().await;
    assert_eq!((&hold["requestId"], &hold["limitMs"]), (&"doubt/1".into(), &60_000.into()));
    assert_eq!(cafe.state().await["reservations"], 1, "committed before it is answered");
    assert!(!held.is_finished());

    let release = format!("{holds}/doubt%2F1/release");
    let released = cafe.send(cafe.http.post(&release)).await;
    assert_eq!((released.status, &released.body["released"]), (200, &1.into()));
    assert_eq!(held.await.unwrap().unwrap().status(), 200);
    let again = cafe.send(cafe.http.post(&release)).await;
    assert_eq!((again.status, again.text("title")), (404, "No such hold"));
}

#[tokio::test]
async fn a_held_answer_that_is_cut_off_is_committed_and_its_order_is_unknown() {
    let cafe = Cafe::open().await;
    let order = serde_json::json!({
        "itemId": "cake", "quantity": 1, "chaos": "hold", "attemptTimeoutMs": 60_000,
    });
    let order = cafe.http.post(format!("{}/orders", cafe.order)).json(&order);
    let (told, ()) = tokio::join!(cafe.send(order), async {
        let hold = cafe.hold().await;
        let id = hold["requestId"].as_str().unwrap();
        let cut = format!("{}/inventory/holds/{id}/cut", cafe.inventory);
        let cut = cafe.send(cafe.http.post(&cut)).await;
        assert_eq!(cut.body, serde_json::json!({"requestId": id, "cut": 1}));
    });

    assert_eq!(told.results(), ["connection_lost"]);
    assert_eq!((told.status, told.text("outcome")), (504, "unknown"));
    assert_eq!(cafe.state().await["reservations"], 1);
    // The order, its attempt on both sides, the hold and the commit.
    let spans = cafe.trace(told.text("traceId"), 5).await;
    let served = spans.iter().find(|span| span.kind == 2 && span.service == "inventory").unwrap();
    assert_eq!(served.text("error.type"), Some("connection_aborted"), "{served:?}");
}

#[tokio::test]
async fn a_client_that_hangs_up_does_not_stop_the_commit() {
    let cafe = Cafe::open().await;
    let impatient = cafe.reserve_cake("slow:500", "impatient");
    let sent = impatient.timeout(std::time::Duration::from_millis(100)).send().await;
    assert!(sent.unwrap_err().is_timeout());
    cafe.reservations(1).await;
    assert_eq!(
        cafe.metric(&cafe.inventory, "inventory_late_commits_total{item=\"cake\",lane=\"naive\"}")
            .await,
        1.0
    );
}

#[tokio::test]
async fn a_late_attempt_that_finds_nothing_left_tells_that_it_was_refused() {
    let cafe = Cafe::open_with(&[("INVENTORY_STOCK", "cake=1")]).await;
    let told = cafe.order_cake("slow", false).await;
    assert_eq!(told.results(), ["timeout"]);
    assert_eq!(cafe.reserve_cake("none", "faster").send().await.unwrap().status(), 200);
    // The order, its attempt on both sides, and the fault: no commit.
    let spans = cafe.trace(told.text("traceId"), 4).await;
    let served = spans.iter().find(|span| span.kind == 2 && span.service == "inventory").unwrap();
    assert_eq!(served.flag("campuscafe.reservation.refused"), Some(true), "{served:?}");
    assert_eq!(served.int("http.response.status_code"), None, "nobody was there to hear it");
    assert!(spans.iter().all(|span| !span.name.starts_with("commit")), "{spans:#?}");
}

#[tokio::test]
async fn a_customer_who_hangs_up_does_not_stop_the_order() {
    let cafe = Cafe::open().await;
    let order = serde_json::json!({"itemId": "cake", "quantity": 1, "chaos": "slow:500"});
    let request = cafe.http.post(format!("{}/orders", cafe.order)).json(&order);
    let sent = request.timeout(std::time::Duration::from_millis(100)).send().await;
    assert!(sent.unwrap_err().is_timeout());
    eventually("the order's end", || async {
        let confirmed = "order_outcomes_total{outcome=\"confirmed\",lane=\"naive\"}";
        (cafe.metric(&cafe.order, confirmed).await > 0.0).then_some(())
    })
    .await;
    assert_eq!(
        cafe.metric(&cafe.inventory, "inventory_late_commits_total{item=\"cake\",lane=\"naive\"}")
            .await,
        0.0
    );
}

#[tokio::test]
async fn answers_overtake_each_other() {
    let cafe = Cafe::open().await;
    let told = cafe.send(cafe.http.get(format!("{}/demo/out-of-order?count=20", cafe.order))).await;
    assert_eq!(told.status, 200);
    let column = |list: &str, name: &str| -> Vec<u64> {
        let rows = told.body[list].as_array().unwrap().iter();
        rows.map(|row| row[name].as_u64().unwrap()).collect()
    };
    assert_eq!(column("planned", "i"), (0..20).collect::<Vec<_>>());
    let completed = column("completedOrder", "i");
    let mut sorted = completed.clone();
    sorted.sort_unstable();
    assert_eq!(sorted, (0..20).collect::<Vec<_>>(), "every ping is answered once");
    // Twenty random delays come in order by chance once in 2·10^18 runs.
    let pairs = (0..20).flat_map(|a| (a + 1..20).map(move |b| (a, b)));
    let inverted = pairs.filter(|&(a, b)| completed[a] > completed[b]).count();
    assert_eq!(told.body["inversions"], inverted);
    assert!(inverted > 0);
    assert!(cafe.metric(&cafe.order, "order_reordered_replies_total").await > 0.0);
}

#[tokio::test]
async fn an_order_may_bring_its_own_limit_within_bounds() {
    let cafe = Cafe::open().await;
    let place = async |ms: i64| {
        let order = serde_json::json!(
            {"itemId": "cake", "quantity": 1, "chaos": "slow:1200", "attemptTimeoutMs": ms});
        cafe.send(cafe.http.post(format!("{}/orders", cafe.order)).json(&order)).await
    };
    let patient = place(3_000).await;
    assert_eq!((patient.status, patient.results()), (200, vec!["ok"]));
    let impatient = place(200).await;
    assert_eq!((impatient.status, impatient.results()), (504, vec!["timeout"]));
    assert!(impatient.body["attempts"][0]["durationMs"].as_u64().unwrap() < 1_000);
    let spans = cafe.trace(patient.text("traceId"), 5).await;
    let order = spans.iter().find(|span| span.name == "POST /orders").unwrap();
    assert_eq!(order.int("campuscafe.order.attempt_timeout_ms"), Some(3_000));
    for ms in [0, 60_001] {
        let refused = place(ms).await;
        assert_eq!((refused.status, refused.text("title")), (400, "Invalid timeout"));
        assert!(refused.text("detail").contains("expected 1 to 60000"), "{}", refused.body);
    }
    assert_eq!(place(-1).await.status, 400);
}

#[tokio::test]
async fn pings_have_no_delay_if_none_is_wanted() {
    let cafe = Cafe::open().await;
    let get = async |query: &str| {
        cafe.send(cafe.http.get(format!("{}/demo/out-of-order?{query}", cafe.order))).await
    };
    let told = get("count=20&delays=none").await;
    let planned = told.body["planned"].as_array().unwrap();
    assert!(planned.len() == 20 && planned.iter().all(|ping| ping["delayMs"] == 0), "{planned:?}");
    let delayed = get("count=20&seed=7&delays=planned").await;
    assert_eq!(delayed.body["planned"], get("count=20&seed=7").await.body["planned"]);
    assert_eq!(get("delays=some").await.status, 400);
}
