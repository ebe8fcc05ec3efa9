//! What an order comes to when something else answers in the inventory's place,
//! or nothing does; and what the lab concludes when it is told lies.

use std::sync::{Arc, Mutex};

use axum::extract::Path;
use axum::http::StatusCode;
use axum::routing::{get, post};
use axum::{Json, Router};
use campuscafe_tests::{Answer, Cafe, Process, ReservedPort, assert_problem, eventually};
use reqwest::Client;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

const ANY_PORT: &str = "127.0.0.1:0";

/// What something in the inventory's place does with a connection.
#[derive(Debug, Clone, Copy)]
enum Manner {
    CloseUnread,
    /// Reads the request, says this, closes.
    Say(&'static str),
    /// Reads the request, says this, and then nothing more.
    SayAndStall(&'static str),
    /// Says nothing to the first request, and this to the others.
    StallThenSay(&'static str),
}

/// Something in the inventory's place.
struct Impostor {
    url: String,
    /// What was asked, one entry for each connection.
    asked: Arc<Mutex<Vec<String>>>,
}

impl Impostor {
    async fn new(manner: Manner) -> Self {
        let listener = TcpListener::bind(ANY_PORT).await.expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let asked = Arc::<Mutex<Vec<String>>>::default();
        let all = asked.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let index = {
                    let mut all = all.lock().expect("not poisoned");
                    all.push(String::new());
                    all.len() - 1
                };
                tokio::spawn(converse(stream, manner, all.clone(), index));
            }
        });
        Self { url, asked }
    }

    fn asked(&self) -> Vec<String> {
        self.asked.lock().expect("not poisoned").clone()
    }
}

async fn converse(
    mut stream: TcpStream,
    manner: Manner,
    asked: Arc<Mutex<Vec<String>>>,
    index: usize,
) {
    let (words, stall) = match manner {
        Manner::CloseUnread => return,
        Manner::Say(words) => (words, false),
        Manner::SayAndStall(words) => (words, true),
        Manner::StallThenSay(_) if index == 0 => ("", true),
        Manner::StallThenSay(words) => (words, false),
    };
    let mut request = String::new();
    // A reservation is one JSON object, so it is whole when that ends; a ping has no body.
    let whole = |request: &str| {
        request.ends_with('}') || request.starts_with("GET ") && request.ends_with("\r\n\r\n")
    };
    while !whole(&request) {
        let mut buffer = [0; 1024];
        match stream.read(&mut buffer).await {
            Ok(read @ 1..) => request.push_str(&String::from_utf8_lossy(&buffer[..read])),
            _ => break,
        }
    }
    asked.lock().expect("not poisoned")[index] = request;
    let _ = stream.write_all(words.as_bytes()).await;
    while stall && matches!(stream.read(&mut [0]).await, Ok(1..)) {}
}

/// What something in the inventory's place says in one go.
fn answer(status: &str, body: &str) -> &'static str {
    let head = format!("HTTP/1.1 {status}\r\ncontent-type: application/problem+json");
    format!("{head}\r\ncontent-length: {}\r\n\r\n{body}", body.len()).leak()
}

/// An order service with this inventory, and what it tells a customer who orders a cake.
async fn order_from(inventory: &str, limit: &str, retry: bool) -> (Answer, String, Process) {
    let settings = [("ORDER_ATTEMPT_TIMEOUT", limit), ("RUST_LOG", "warn")];
    let arguments = ["--listen", ANY_PORT, "--inventory-url", inventory];
    let mut service = Process::start("order", &arguments, &settings);
    let url = service.address().await;
    let order = json!({"itemId": "cake", "quantity": 1, "retryOnTimeout": retry});
    let http = Client::builder().no_proxy().build().unwrap();
    let response = http.post(format!("{url}/orders")).json(&order).send().await.unwrap();
    let (status, headers) = (response.status().as_u16(), response.headers().clone());
    let body = response.json().await.unwrap();
    let ready = http.get(format!("{url}/readyz")).send().await.unwrap();
    assert_eq!(ready.status(), 200, "ready with any inventory: it still has something true to say");
    let metrics = http.get(format!("{url}/metrics")).send().await.unwrap().text().await.unwrap();
    assert_eq!(service.stderr(), "", "nobody panicked");
    (Answer { status, headers, body }, metrics, service)
}

#[tokio::test]
async fn an_inventory_that_cannot_be_reached_fails_for_certain() {
    let closed = ReservedPort::take();
    let (told, metrics, _order) = order_from(&closed.url(), "5s", true).await;
    assert_problem("refused", &told, 502, "nothing was reserved");
    assert_eq!(told.text("title"), "Order failed 💥");
    assert_eq!((told.text("outcome"), told.results()), ("failed", vec!["refused"]));
    assert_eq!(told.body["attempts"][0].get("status"), None, "nobody answered");
    assert!(
        metrics
            .contains("order_attempts_total{result=\"refused\",fault=\"none\",lane=\"naive\"} 1\n"),
        "{metrics}"
    );
    assert!(
        metrics.contains("order_outcomes_total{outcome=\"failed\",lane=\"naive\"} 1\n"),
        "{metrics}"
    );
}

#[tokio::test]
async fn a_connection_that_breaks_leaves_the_outcome_unknown_and_is_not_tried_again() {
    const HEAD: &str = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n";
    let cut = format!("{HEAD}content-length: 99\r\n\r\n{{\"reservationId\"").leak();
    for manner in [
        Manner::CloseUnread,
        Manner::Say(""),
        Manner::Say("HTTP/1.1 200 OK\r\n"),
        Manner::Say(cut),
        Manner::SayAndStall("220 mail.campus ESMTP\r\n"),
    ] {
        let impostor = Impostor::new(manner).await;
        let (told, metrics, _order) = order_from(&impostor.url, "5s", true).await;
        let case = format!("{manner:?}");
        assert_problem(&case, &told, 504, "nobody knows whether the inventory reserved it");
        assert_eq!(told.text("title"), "Order failed 💥", "{case}");
        assert_eq!((told.text("outcome"), told.results()), ("unknown", vec!["connection_lost"]));
        assert_eq!(impostor.asked().len(), 1, "{case}: one connection, one attempt");
        let series = "order_outcomes_total{outcome=\"unknown\",lane=\"naive\"} 1\n";
        let retries = "order_retries_total{lane=\"naive\"} 0\n";
        assert!(metrics.contains(series) && metrics.contains(retries), "{case}");
    }
}

#[tokio::test]
async fn no_whole_answer_in_time_is_a_timeout_wherever_the_answer_stalls() {
    const HEAD: &str = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n";
    let header = format!("{HEAD}content-length: 99\r\n\r\n").leak();
    let body = format!("{header}{{\"reservationId\":\"").leak();
    let chunk = format!("{HEAD}transfer-encoding: chunked\r\n\r\n1\r\n{{\r\n").leak();
    for words in ["", "HTTP/1.1 2", header, body, chunk] {
        for (retry, results, title) in [
            (false, &["timeout"][..], "Order failed 💥"),
            (true, &["timeout", "timeout"], "Retry also failed 💥"),
        ] {
            let impostor = Impostor::new(Manner::SayAndStall(words)).await;
            let (told, metrics, _order) = order_from(&impostor.url, "200ms", retry).await;
            let case = format!("{words:?}, retry: {retry}");
            assert_problem(&case, &told, 504, "no answer within 200ms");
            assert_eq!(told.results(), results, "{case}");
            assert_eq!((told.text("outcome"), told.text("title")), ("unknown", title), "{case}");
            let asked = impostor.asked();
            assert_eq!(asked.len(), results.len(), "{case}");
            let id = format!("x-request-id: order-{}\r\n", told.text("orderId"));
            assert!(asked.iter().all(|request| request.contains(&id)), "{case}: {asked:?}");
            let series = "order_attempts_total{result=\"timeout\",fault=\"none\",lane=\"naive\"}";
            let series = format!("{series} {}\n", results.len());
            assert!(metrics.contains(&series), "{case}: {metrics}");
        }
    }
}

#[tokio::test]
async fn an_answer_that_says_no_in_other_words_than_the_inventorys_is_a_502() {
    for (status, words) in [
        (500, "HTTP/1.1 500 Oops\r\ncontent-length: 4\r\n\r\noops"),
        (404, "HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n"),
        (302, "HTTP/1.1 302 Found\r\nlocation: http://127.0.0.1:1/\r\ncontent-length: 0\r\n\r\n"),
    ] {
        let impostor = Impostor::new(Manner::Say(words)).await;
        let (told, _, _order) = order_from(&impostor.url, "5s", true).await;
        assert_problem(words, &told, 502, "is not an inventory; see --inventory-url");
        assert_eq!((told.text("outcome"), told.results()), ("failed", vec!["rejected"]));
        assert_eq!(told.body["attempts"][0]["status"], status);
        assert_eq!(impostor.asked().len(), 1, "{words}");
    }
}

#[tokio::test]
async fn an_order_is_confirmed_exactly_when_it_is_answered_with_200() {
    let impostor = Impostor::new(Manner::Say("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nhi"));
    let (told, metrics, _order) = order_from(&impostor.await.url, "5s", false).await;
    let confirmed = told.text("outcome") == "confirmed";
    assert_eq!(confirmed, told.status == 200, "{} {}", told.status, told.body);
    assert!(
        metrics.contains("order_outcomes_total{outcome=\"confirmed\",lane=\"naive\"} 0\n"),
        "{metrics}"
    );
}

/// Serves; says where.
async fn serve(router: Router) -> String {
    let listener = TcpListener::bind(ANY_PORT).await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, router).await });
    url
}

/// A lab that passes on what this café's lab knows, with every trace changed.
async fn false_lab(cafe: &Cafe, change: fn(&mut Vec<Value>)) -> String {
    let services = json!({ "order": cafe.order, "inventory": cafe.inventory });
    let (http, lab) = (cafe.http.clone(), cafe.lab.clone());
    let trace = async move |Path(id): Path<String>| {
        let answer = http.get(format!("{lab}/api/traces/{id}")).send().await.unwrap();
        if !answer.status().is_success() {
            return Err(StatusCode::NOT_FOUND);
        }
        let mut trace: Value = answer.json().await.unwrap();
        change(trace["resourceSpans"].as_array_mut().unwrap());
        Ok(Json(trace))
    };
    let router = Router::new()
        .route("/api/services", get(async move || Json(services)))
        .route("/api/marks", post(async || StatusCode::NO_CONTENT))
        .route("/api/traces/{id}", get(trace));
    serve(router).await
}

/// Loses the commit that came late.
fn lose_the_late_commit(groups: &mut Vec<Value>) {
    let late = |span: &Value| {
        let attributes = span["attributes"].as_array().map_or(&[][..], Vec::as_slice);
        let late = json!({"key": "campuscafe.reservation.late", "value": {"boolValue": true}});
        attributes.contains(&late)
    };
    for group in groups {
        for scope in group["scopeSpans"].as_array_mut().unwrap() {
            scope["spans"].as_array_mut().unwrap().retain(|span| !late(span));
        }
    }
}

async fn experiment(arguments: &[&str]) -> (Option<i32>, String) {
    let arguments = [&["experiment"], arguments].concat();
    let (code, stdout, stderr) = Process::run("campuscafe", &arguments, &[]).await;
    assert_eq!(stderr, "", "{stdout}");
    (code, stdout)
}

#[tokio::test]
async fn a_lost_commit_makes_the_evidence_incomplete_and_the_totals_decide() {
    let cafe = Cafe::open().await;
    let lab = false_lab(&cafe, lose_the_late_commit).await;
    let (code, text) = experiment(&["slow", "--lab-url", &lab]).await;
    assert_eq!(code, Some(0), "{text}");
    for expected in [
        "\nSHOWN, evidence incomplete\n",
        "the inventory made      1 reservation in total",
        "1 reservation that no customer knows of",
    ] {
        assert!(text.contains(expected), "no {expected:?} in\n{text}");
    }
    // The verdict is wrapped.
    let verdict = text.replace("\n  ", " ");
    let missing = "Evidence incomplete: the commit of attempt 1 is missing.";
    assert!(verdict.contains(missing), "{text}");
}

#[tokio::test]
async fn a_lost_commit_leaves_a_lesson_open_that_the_totals_do_not_show() {
    let cafe = Cafe::open().await;
    let lab = false_lab(&cafe, lose_the_late_commit).await;
    let arguments = ["slow", "--lab-url", &lab, "--json"];
    let ordering = experiment(&arguments);
    let somebody_else = async {
        let unknown = "order_outcomes_total{outcome=\"unknown\",lane=\"naive\"}";
        eventually("the order of the lesson", || async {
            (cafe.metric(&cafe.order, unknown).await > 0.0).then_some(())
        })
        .await;
        assert_eq!(cafe.reserve_cake("none", "else").send().await.unwrap().status(), 200);
    };
    let ((code, text), ()) = tokio::join!(ordering, somebody_else);
    let json: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(
        (code, &json["shown"], &json["conclusion"]),
        (Some(1), &false.into(), &"incomplete".into()),
        "{json:#}"
    );
    let finding = &json["findings"][0];
    assert_eq!(finding["incomplete"], json!(["the commit of attempt 1 is missing"]));
    assert_eq!(
        (&finding["evidence"], &finding["ledger"]["basis"]),
        (&"some spans".into(), &"totals".into())
    );
    assert_eq!(finding["ledger"]["reservations"], 2, "and not the commits that are left");
}

/// Adds an order that was never placed, first of all, with words for a terminal.
fn add_another_order(groups: &mut Vec<Value>) {
    let text = |key: &str, value: &str| json!({"key": key, "value": {"stringValue": value}});
    let evil = "\x1b[2J\u{9b}31m";
    let root = json!({
        "traceId": "0af7651916cd43dd8448eb211c80319c", "spanId": "00f067aa0ba902b7",
        "name": evil, "kind": 2, "startTimeUnixNano": "1", "endTimeUnixNano": "2",
        "attributes": [
            text("campuscafe.order.id", "00000000000000000000000000000000"),
            text("campuscafe.order.outcome", evil),
        ],
    });
    groups.insert(
        0,
        json!({
            "resource": {"attributes": [text("service.name", "order")]},
            "scopeSpans": [{"spans": [root]}],
        }),
    );
}

#[tokio::test]
async fn an_order_that_somebody_made_up_does_not_take_the_place_of_the_lessons_own() {
    let cafe = Cafe::open().await;
    let lab = false_lab(&cafe, add_another_order).await;
    let (code, text) = experiment(&["double", "--lab-url", &lab]).await;
    assert_eq!(code, Some(0), "{text}");
    assert!(text.contains("COMMIT cake 9 -> 8, AGAIN, LATE"), "{text}");
    assert!(!text.contains("ncomplete") && !text.contains("\u{1b}"), "{text}");
}

#[tokio::test]
async fn an_order_with_the_traceparent_of_a_lesson_does_not_join_its_story() {
    let cafe = Cafe::open().await;
    let arguments = ["slow", "--lab-url", &cafe.lab, "--json"];
    let lesson = experiment(&arguments);
    let somebody_else = async {
        let traces = format!("{}/api/traces", cafe.lab);
        // The order's own span is there as soon as its customer was told.
        let (trace, parent) = eventually("the lesson's order", || async {
            let list = cafe.send(cafe.http.get(&traces)).await.body;
            let id = list["traces"][0]["traceId"].as_str()?.to_owned();
            let spans = cafe.trace(&id, 1).await;
            let root = spans.iter().find(|span| span.text("campuscafe.order.id").is_some())?;
            Some((id, root.id.clone()))
        })
        .await;
        let order = json!({"itemId": "cake", "quantity": 1});
        let request = cafe.http.post(format!("{}/orders", cafe.order)).json(&order);
        let joining = request.header("traceparent", format!("00-{trace}-{parent}-01"));
        assert_eq!(cafe.send(joining).await.text("traceId"), trace);
    };
    let ((code, text), ()) = tokio::join!(lesson, somebody_else);
    let json: Value = serde_json::from_str(&text).unwrap();
    let finding = &json["findings"][0];
    assert_eq!((code, &finding["incomplete"]), (Some(0), &json!([])), "{json:#}");
    assert_eq!(
        (&finding["ledger"]["basis"], &finding["ledger"]["reservations"]),
        (&"spans".into(), &1.into()),
        "the lesson's own"
    );
}

#[tokio::test]
async fn what_an_impostor_answers_does_not_steer_the_terminal() {
    let evil = "\u{1b}[2J\u{9b}31m\u{202e}";
    let cafe = Cafe::open().await;
    let problem = json!({
        "title": format!("Order {evil} failed"), "status": 504, "outcome": "unknown",
        "orderId": evil, "traceId": evil,
        "attempts": [{"number": 0, "result": "timeout", "durationMs": 1}],
    });
    let (http, told) = (cafe.http.clone(), problem);
    let reserve = format!("{}/inventory/reserve", cafe.inventory);
    // It reserves, so that the lesson need not wait for it.
    let order = async move || {
        let cake = json!({"itemId": "cake", "quantity": 1});
        http.post(reserve).json(&cake).send().await.unwrap();
        (StatusCode::GATEWAY_TIMEOUT, Json(told))
    };
    let asked = Arc::<Mutex<u64>>::default();
    let counters = async move || {
        let mut asked = asked.lock().unwrap();
        *asked += 1;
        format!("order_retries_total{{item=\"{evil}\"}} {asked}\n")
    };
    let router = Router::new().route("/orders", post(order)).route("/metrics", get(counters));
    let url = serve(router).await;
    let arguments = ["slow", "--order-url", &url, "--inventory-url", &cafe.inventory];
    let (_, text) = experiment(&arguments).await;
    assert!(text.contains("Order \\u{1b}[2J\\u{9b}31m\\u{202e} failed"), "{text}");
    assert!(text.contains("order_retries_total{item=\"\\u{1b}[2J"), "{text}");
    let steers = |c: char| c.is_control() && c != '\n' || c == '\u{202e}';
    assert!(!text.contains(steers), "{text:?}");

    let not_an_order = Router::new()
        .route("/orders", post(async move || Json(json!({ "detail": evil }))))
        .route("/metrics", get(async || ""));
    let url = serve(not_an_order).await;
    let arguments = ["experiment", "slow", "--order-url", &url, "--inventory-url", &cafe.inventory];
    let (code, _, stderr) = Process::run("campuscafe", &arguments, &[]).await;
    assert_eq!((code, stderr.lines().count()), (Some(1), 1), "{stderr}");
    assert!(!stderr.contains(steers), "{stderr:?}");
}

#[tokio::test]
async fn a_reservation_of_something_else_than_was_ordered_confirms_nothing() {
    let id = "0b54ad6f1c1f4ed9a7f3d5a3b8a4c2e1";
    let reservation = |id: &str, item: &str, quantity: i64| {
        let body = json!({"reservationId": id, "itemId": item, "quantity": quantity});
        Manner::Say(answer("200 OK", &body.to_string()))
    };
    for manner in [
        reservation(id, "tea", 1),
        reservation(id, "cake", 2),
        reservation(id, "cake", 0),
        reservation("", "cake", 1),
        reservation(&"0".repeat(10_000), "cake", 1),
    ] {
        let case = format!("{manner:?}").chars().take(200).collect::<String>();
        let impostor = Impostor::new(manner).await;
        let (told, metrics, _order) = order_from(&impostor.url, "5s", true).await;
        assert_problem(&case, &told, 502, "is not an inventory; see --inventory-url");
        assert_problem(&case, &told, 502, "contains no reservation for this order");
        assert_eq!((told.text("outcome"), told.results()), ("failed", vec!["rejected"]), "{case}");
        assert_eq!(told.body["attempts"][0]["status"], 200, "{case}");
        let series = "order_outcomes_total{outcome=\"confirmed\",lane=\"naive\"} 0\n";
        assert!(metrics.contains(series), "{case}: {metrics}");
    }
    let impostor = Impostor::new(reservation(id, "Cake", 1)).await;
    let (told, _, _order) = order_from(&impostor.url, "5s", false).await;
    assert_eq!((told.status, told.text("outcome")), (200, "confirmed"), "names ignore case");
}

#[tokio::test]
async fn an_overloaded_inventory_fails_an_order_for_certain_unless_an_attempt_is_unanswered() {
    let overloaded = answer(
        "503 Service Unavailable",
        &json!({
            "type": "urn:problem-type:campuscafe:overloaded", "title": "Overloaded", "status": 503,
            "detail": "1000 requests are under way already",
        })
        .to_string(),
    );
    let impostor = Impostor::new(Manner::Say(overloaded)).await;
    let (told, _, _order) = order_from(&impostor.url, "5s", true).await;
    let words = "the inventory was overloaded and reserved nothing: 1000 requests are";
    assert_problem("at once", &told, 502, words);
    assert_eq!((told.text("outcome"), told.results()), ("failed", vec!["rejected"]));
    assert_eq!(told.body["attempts"][0]["status"], 503);

    let impostor = Impostor::new(Manner::StallThenSay(overloaded)).await;
    let (told, metrics, _order) = order_from(&impostor.url, "300ms", true).await;
    assert_problem("after a timeout", &told, 504, "nobody knows whether the inventory reserved it");
    assert_eq!((told.text("outcome"), told.results()), ("unknown", vec!["timeout", "rejected"]));
    assert!(
        metrics.contains("order_outcomes_total{outcome=\"unknown\",lane=\"naive\"} 1\n"),
        "{metrics}"
    );
}

#[tokio::test]
async fn of_a_huge_refusal_a_customer_reads_a_few_lines() {
    let long = "x".repeat(15_000);
    let problem = json!({
        "type": "about:blank", "title": long, "status": 409, "message": long,
        "currentStock": [long], "orderId": long, "outcome": "confirmed", "hue": "red",
    });
    let impostor = Impostor::new(Manner::Say(answer("409 Conflict", &problem.to_string()))).await;
    // More than the order service reads of an answer.
    let endless = Impostor::new(Manner::Say(answer("409 Conflict", &long.repeat(5)))).await;
    let (told, _, _order) = order_from(&impostor.url, "5s", true).await;
    assert_problem("huge", &told, 409, "the inventory refused: xxx");
    assert_eq!(told.text("detail").len(), "the inventory refused: ".len() + 512);
    assert_eq!((told.text("outcome"), told.results()), ("failed", vec!["rejected"]));
    assert!(told.body.to_string().len() < 1_500, "{}", told.body);
    assert_eq!(told.body.get("hue"), None);

    let (told, _, _order) = order_from(&endless.url, "5s", true).await;
    assert_problem("endless", &told, 504, "the connection was lost before an answer came");
    assert_eq!((told.text("outcome"), told.results()), ("unknown", vec!["connection_lost"]));
}

#[tokio::test]
async fn a_ping_that_is_refused_is_told_with_the_status_and_the_words_of_the_inventory() {
    let problem = json!({
        "type": "urn:problem-type:campuscafe:overloaded", "title": "Overloaded", "status": 503,
        "detail": "1000 requests are under way already",
    });
    let words = answer("503 Service Unavailable", &problem.to_string());
    for (words, tells) in [
        (words, "answered a ping with 503 Service Unavailable: 1000 requests are under way"),
        (answer("200 OK", "hi"), "the inventory did not answer a ping"),
    ] {
        let impostor = Impostor::new(Manner::Say(words)).await;
        let arguments = ["--listen", ANY_PORT, "--inventory-url", &impostor.url];
        let mut service = Process::start("order", &arguments, &[("RUST_LOG", "warn")]);
        let url = format!("{}/demo/out-of-order?count=2", service.address().await);
        let response = Client::builder().no_proxy().build().unwrap().get(url).send().await.unwrap();
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let told = Answer { status, headers, body: response.json().await.unwrap() };
        assert_problem(words, &told, 502, tells);
    }
}
