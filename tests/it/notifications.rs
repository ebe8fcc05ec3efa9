//! Messages about orders: which of them the board at the inventory shows, and which the
//! order service sends.

use campuscafe_tests::{Answer, Cafe, Process, Services, assert_problem, eventually};
use serde_json::{Value, json};

const ID: &str = "019ad4c1f4007b4f8f9a3b1c2d3e4f5a";

async fn send(cafe: &Cafe, chaos: &str, message: Value) -> Answer {
    let url = format!("{}/inventory/notifications", cafe.inventory);
    cafe.send(cafe.http.post(url).query(&[("chaos", chaos)]).json(&message)).await
}

async fn tell(cafe: &Cafe, state: &str, sequence: Option<u64>) -> Answer {
    let mut message = json!({"orderId": ID, "state": state});
    if let Some(sequence) = sequence {
        message["sequence"] = sequence.into();
    }
    send(cafe, "none", message).await
}

async fn board(cafe: &Cafe, id: &str) -> Answer {
    cafe.send(cafe.http.get(format!("{}/inventory/notifications/{id}", cafe.inventory))).await
}

/// The messages that arrived: what they say, their numbers, whether they were dropped.
fn arrived(board: &Value) -> Vec<(String, Option<u64>, bool)> {
    let history = board["history"].as_array().map_or(&[][..], Vec::as_slice).iter();
    let message = |it: &Value| {
        let state = it["state"].as_str().unwrap().to_owned();
        (state, it["sequence"].as_u64(), it["dropped"].as_bool().unwrap())
    };
    history.map(message).collect()
}

/// The board when so many messages about an order have arrived.
async fn board_after(cafe: &Cafe, id: &str, messages: usize) -> Value {
    eventually(&format!("{messages} messages"), async || {
        let board = board(cafe, id).await.body;
        (arrived(&board).len() == messages).then_some(board)
    })
    .await
}

async fn order(cafe: &Cafe, notify: &str, cured: bool, chaos: &str) -> Answer {
    let order = json!({
        "itemId": "cake", "quantity": 1, "notify": notify, "idempotent": cured, "chaos": chaos,
    });
    cafe.send(cafe.http.post(format!("{}/orders", cafe.order)).json(&order)).await
}

#[tokio::test]
async fn without_numbers_the_last_message_to_arrive_is_shown_however_old_it_is() {
    let cafe = Cafe::open().await;
    for (state, number) in [("confirmed", None), ("accepted", None)] {
        let answer = tell(&cafe, state, number).await;
        let expected = json!({"orderId": ID, "shown": state, "dropped": false});
        assert_eq!((answer.status, answer.body), (200, expected));
    }
    let board = board(&cafe, ID).await;
    assert_eq!((board.status, board.text("shown")), (200, "accepted"));
    let told = [("confirmed", None, false), ("accepted", None, false)];
    assert_eq!(arrived(&board.body), told.map(|(state, at, no)| (state.to_owned(), at, no)));
}

#[tokio::test]
async fn with_numbers_an_older_message_is_dropped_and_so_is_a_copy() {
    let cafe = Cafe::open().await;
    for (state, number, dropped) in
        [("confirmed", 2, false), ("accepted", 1, true), ("confirmed", 2, true)]
    {
        let answer = tell(&cafe, state, Some(number)).await;
        let expected = json!({"orderId": ID, "shown": "confirmed", "dropped": dropped});
        assert_eq!((answer.status, answer.body), (200, expected));
    }
    let board = board(&cafe, ID).await.body;
    assert_eq!(board["shown"], "confirmed");
    let told = [("confirmed", 2, false), ("accepted", 1, true), ("confirmed", 2, true)];
    assert_eq!(arrived(&board), told.map(|(state, at, no)| (state.to_owned(), Some(at), no)));
    for (state, result, count) in
        [("accepted", "dropped", 1.0), ("confirmed", "dropped", 1.0), ("confirmed", "shown", 1.0)]
    {
        let series =
            format!("inventory_notifications_total{{state=\"{state}\",result=\"{result}\"}}");
        assert_eq!(cafe.metric(&cafe.inventory, &series).await, count, "{series}");
    }
    let log = cafe.process.stderr();
    assert!(log.contains("Drops the message accepted (message 1)"), "{log}");
}

#[tokio::test]
async fn a_late_message_arrives_although_its_sender_has_left() {
    let cafe = Cafe::open().await;
    let url = format!("{}/inventory/notifications?chaos=slow:2000", cafe.inventory);
    let late = cafe.http.post(url).json(&json!({"orderId": ID, "state": "accepted"}));
    let late = late.timeout(std::time::Duration::from_millis(100)).send().await;
    assert!(late.unwrap_err().is_timeout());
    assert_eq!(board(&cafe, ID).await.status, 404, "it is still on its way");
    board_after(&cafe, ID, 1).await;
}

#[tokio::test]
async fn a_message_that_cannot_be_meant_is_refused_and_nothing_is_shown() {
    let cafe = Cafe::open().await;
    let message = json!({"orderId": ID, "state": "accepted", "sequence": 1});
    let with = |name: &str, value: Value| {
        let mut message = message.clone();
        message[name] = value;
        message
    };
    for (chaos, tells) in [
        ("slwo", "unknown fault \"slwo\""),
        ("hold:5", "hold is a fault of a reservation"),
        ("race", "race is a fault of a reservation"),
    ] {
        assert_problem(chaos, &send(&cafe, chaos, message.clone()).await, 400, tells);
    }
    for (name, value, tells) in [
        ("orderId", json!("7"), "32 hexadecimal digits"),
        ("orderId", json!(ID.to_uppercase()), "32 hexadecimal digits"),
        ("orderId", json!("5f0c6c0e7a4b4f7f9a3b1c2d3e4f5a6b"), "version 7"),
        ("orderId", Value::Null, "orderId"),
        ("state", json!("placing"), "unknown variant"),
        ("state", json!("Accepted"), "unknown variant"),
        ("sequence", json!(0), "expected 1 to 1000000"),
        ("sequence", json!(1_000_001), "expected 1 to 1000000"),
        ("sequence", json!(-1), "sequence"),
        ("sequence", json!("1"), "sequence"),
        ("url", json!("http://elsewhere.example"), "unknown field"),
    ] {
        let answer = send(&cafe, "none", with(name, value.clone())).await;
        assert_problem(&format!("{name} {value}"), &answer, 400, tells);
    }
    for id in [ID, "7"] {
        assert_problem(id, &board(&cafe, id).await, 404, "no message about this order");
    }
    for sequence in [Value::Null, json!(1), json!(1_000_000)] {
        assert_eq!(send(&cafe, "slow:1", with("sequence", sequence)).await.status, 200);
    }
}

#[tokio::test]
async fn no_more_late_messages_than_slow_work_may_have_are_taken() {
    let cafe = Cafe::open_with(&[("INVENTORY_MAX_WORK", "2")]).await;
    let url = format!("{}/inventory/notifications?chaos=slow:60000", cafe.inventory);
    let late = cafe.http.post(url).json(&json!({"orderId": ID, "state": "accepted"}));
    let late = tokio::spawn(late.send());
    eventually("the message on its way", async || {
        (cafe.metric(&cafe.inventory, "inventory_work_in_progress").await > 0.0).then_some(())
    })
    .await;
    let message = json!({"orderId": ID, "state": "confirmed"});
    let refused = send(&cafe, "slow:1", message.clone()).await;
    assert_problem("one more", &refused, 503, "which is the limit");
    assert_eq!(refused.headers["retry-after"], "1");
    assert_eq!(send(&cafe, "none", message).await.status, 200, "it need not wait");
    late.abort();
}

#[tokio::test]
async fn an_order_tells_its_states_and_the_customer_waits_for_none_of_the_messages() {
    let cafe = Cafe::open().await;
    for (cured, shown) in [(false, "accepted"), (true, "confirmed")] {
        let answer = order(&cafe, "slow:2000,none", cured, "none").await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        let id = answer.text("orderId");
        let told = arrived(&board(&cafe, id).await.body);
        assert!(told.iter().all(|(state, ..)| state != "accepted"), "it is late: {told:?}");
        let board = board_after(&cafe, id, 2).await;
        assert_eq!(board["shown"], shown, "{board}");
        let number = |number| cured.then_some(number);
        let expected = [("confirmed", number(2), false), ("accepted", number(1), cured)];
        assert_eq!(arrived(&board), expected.map(|(state, at, no)| (state.to_owned(), at, no)));
    }
    for state in ["accepted", "confirmed"] {
        let series = format!("order_notifications_total{{state=\"{state}\",result=\"ok\"}}");
        eventually(&series, async || {
            (cafe.metric(&cafe.order, &series).await == 2.0).then_some(())
        })
        .await;
    }
}

#[tokio::test]
async fn every_state_that_an_order_comes_to_is_told_also_by_its_settlement() {
    let cafe = Cafe::open().await;
    for (chaos, cured, states) in [
        ("fail", false, &["accepted", "failed"][..]),
        ("abort", false, &["accepted", "unknown"]),
        ("lostreply", true, &["accepted", "unknown", "confirmed"]),
        ("abort", true, &["accepted", "unknown", "failed"]),
    ] {
        let answer = order(&cafe, "none", cured, chaos).await;
        let board = board_after(&cafe, answer.text("orderId"), states.len()).await;
        // They may have overtaken each other, as any messages may.
        let mut told = arrived(&board);
        told.sort_by_key(|(state, ..)| states.iter().position(|it| it == state));
        let number = |place: usize| cured.then_some(place as u64 + 1);
        let found: Vec<_> = told.iter().map(|(state, number, _)| (&**state, *number)).collect();
        let expected: Vec<_> =
            states.iter().enumerate().map(|(place, state)| (*state, number(place))).collect();
        assert_eq!(found, expected, "{chaos}");
    }
}

#[tokio::test]
async fn a_cancel_is_told_too() {
    let cafe = Cafe::open().await;
    for cured in [false, true] {
        let answer = order(&cafe, "none", cured, "none").await;
        let id = answer.text("orderId");
        let cancelled = cafe.http.delete(format!("{}/orders/{id}", cafe.order));
        assert_eq!(cafe.send(cancelled).await.status, 200);
        let board = board_after(&cafe, id, 4).await;
        let mut told: Vec<_> =
            arrived(&board).into_iter().map(|(state, at, _)| (state, at)).collect();
        told.sort();
        let number = |number| cured.then_some(number);
        let expected = [("accepted", 1), ("cancelled", 4), ("cancelling", 3), ("confirmed", 2)];
        assert_eq!(told, expected.map(|(state, at)| (state.to_owned(), number(at))));
        assert!(!cured || board["shown"] == "cancelled", "{board}");
    }
}

#[tokio::test]
async fn an_order_tells_nobody_unless_it_is_asked_to() {
    let cafe = Cafe::open().await;
    let answer = cafe.order_cake("none", false).await;
    assert_eq!(answer.status, 200);
    assert_eq!(board(&cafe, answer.text("orderId")).await.status, 404);
    let spans = cafe.trace(answer.text("traceId"), 4).await;
    assert!(spans.iter().all(|span| !span.name.contains("notification")), "{spans:?}");
}

#[tokio::test]
async fn a_plan_for_messages_is_read_as_the_plan_of_faults_and_has_delays_only() {
    let cafe = Cafe::open().await;
    for (notify, tells) in [
        ("slwo", "notify: unknown fault \"slwo\""),
        ("none,hold", "notify: hold is a fault of a reservation"),
        ("race:5,none", "notify: race is a fault of a reservation"),
        ("slow:60001", "expected milliseconds from 0 to 60000"),
        (&["none"; 17].join(","), "expected at most 16"),
        (&" ".repeat(257), "expected at most 256"),
    ] {
        let answer = order(&cafe, notify, false, "none").await;
        assert_problem(notify, &answer, 400, tells);
        assert_eq!(answer.text("title"), "Unknown fault");
    }
    assert_eq!(cafe.state().await["reservations"], 0);
    assert_eq!(order(&cafe, &" ".repeat(256), false, "none").await.status, 200);
}

#[tokio::test]
async fn a_message_is_a_child_of_the_order_which_ends_without_it() {
    let cafe = Cafe::open().await;
    let answer = order(&cafe, "slow:2000,none", true, "none").await;
    let spans = cafe.trace(answer.text("traceId"), 13).await;
    let named = |name: &str| spans.iter().filter(|span| span.name == name).collect::<Vec<_>>();
    let order = named("POST /orders")[0];
    let sent = named("send notification");
    let state = "campuscafe.notification.state";
    for (word, number, late) in [("accepted", 1, true), ("confirmed", 2, false)] {
        let sent = sent.iter().find(|span| span.text(state) == Some(word)).expect(word);
        assert_eq!(sent.parent, order.id, "{word}");
        assert_eq!(sent.int("campuscafe.notification.sequence"), Some(number));
        assert_eq!(sent.text("campuscafe.order.id"), Some(answer.text("orderId")));
        assert!(!late || sent.end > order.end, "the order does not wait for it");
        let shown =
            named(if late { "show notification (dropped)" } else { "show notification" })[0];
        assert_eq!((shown.text(state), shown.service.as_str()), (Some(word), "inventory"));
        assert_eq!(shown.flag("campuscafe.notification.dropped"), Some(late));
        let served = spans.iter().find(|span| span.id == shown.parent).unwrap();
        let client = spans.iter().find(|span| span.id == served.parent).unwrap();
        assert_eq!((served.kind, client.kind, &client.parent), (2, 3, &sent.id));
        assert_eq!(client.name, "POST /inventory/notifications");
    }
}

#[tokio::test]
async fn the_end_of_the_order_service_waits_for_its_messages() {
    let mut services = Services::start(&[], &[]).await;
    let order = json!({"itemId": "cake", "quantity": 1, "notify": "slow:1000,none"});
    let post = services.http.post(format!("{}/orders", services.order_url)).json(&order);
    let answer = post.send().await.unwrap();
    assert_eq!(answer.status(), 200);
    let id = answer.json::<Value>().await.unwrap()["orderId"].as_str().unwrap().to_owned();
    services.order.signal("TERM");
    assert_eq!(services.order.ended().await.code(), Some(0));
    let url = format!("{}/inventory/notifications/{id}", services.inventory_url);
    let board: Value = services.http.get(url).send().await.unwrap().json().await.unwrap();
    let told = ["confirmed", "accepted"].map(|state| (state.to_owned(), None, false));
    assert_eq!(arrived(&board), told, "both had arrived when it ended");
}

/// Runs the lesson: its exit status, and what it found in each lane.
async fn lesson(environment: &[(&str, &str)]) -> (Option<i32>, [Value; 2]) {
    let arguments = ["experiment", "notify", "--json"];
    let (code, stdout, stderr) = Process::run("campuscafe", &arguments, environment).await;
    assert_eq!(stderr, "", "nothing to complain about");
    let json: Value = serde_json::from_str(&stdout).unwrap_or_else(|_| panic!("no JSON: {stdout}"));
    let findings = [0, 1].map(|trial| json["findings"][trial].clone());
    for (finding, lane, board) in [(0, "naive", "accepted"), (1, "cured", "confirmed")] {
        let finding = &findings[finding];
        assert_eq!((&finding["lane"], &finding["shown"]), (&json!(lane), &json!(true)), "{json:#}");
        assert_eq!(finding["asked"][0]["says"], "confirmed", "the customer was told so");
        assert_eq!(finding["asked"][1]["says"], board, "{lane}");
        assert_eq!(finding["ledger"]["gap"], 0);
    }
    (code, findings)
}

#[tokio::test]
async fn the_lesson_shows_the_older_message_and_drops_it_where_messages_are_numbered() {
    let (code, findings) = lesson(&[]).await;
    assert_eq!(code, Some(0));
    for finding in findings {
        assert_eq!((&finding["evidence"], &finding["incomplete"]), (&json!("spans"), &json!([])));
        let calls = finding["calls"].as_array().unwrap().iter();
        let told: Vec<_> =
            calls.filter(|call| call["route"] == "/inventory/notifications").collect();
        let [accepted, confirmed] = &told[..] else { panic!("two messages: {finding:#}") };
        let ms = |call: &Value, name: &str| call[name].as_u64().unwrap();
        assert!(ms(accepted, "endedMs") > ms(confirmed, "endedMs") + 500, "{finding:#}");
        let drawn = finding["diagram"].to_string();
        assert!(drawn.contains("board"), "what the board does is in the picture: {drawn}");
    }
}

#[tokio::test]
async fn without_spans_the_lesson_rests_on_what_the_board_counted() {
    let cafe = Cafe::open().await;
    let urls = [("ORDER_URL", cafe.order.as_str()), ("INVENTORY_URL", cafe.inventory.as_str())];
    let (code, findings) = lesson(&urls).await;
    assert_eq!(code, Some(0));
    assert_eq!(findings.map(|finding| finding["evidence"].clone()), ["ledger", "ledger"]);
}
