//! The span contract, read from the lab's own API: what arrived, not what was
//! meant to be sent.

use campuscafe_tests::{Cafe, ReservedPort, Span};

const INTERNAL: u64 = 1;
const SERVER: u64 = 2;
const CLIENT: u64 = 3;
const UNSET: u64 = 0;
const ERROR: u64 = 2;

/// Name, service and kind of each span under its parent, as indented text.
fn tree(spans: &[Span]) -> String {
    fn below(spans: &[Span], parent: &str, depth: usize, text: &mut String) {
        for span in spans.iter().filter(|span| span.parent == parent) {
            let kind = ["?", "INTERNAL", "SERVER", "CLIENT"][usize::try_from(span.kind).unwrap()];
            let indent = "  ".repeat(depth);
            text.push_str(&format!("{indent}{} [{kind} {}]\n", span.name, span.service));
            below(spans, &span.id, depth + 1, text);
        }
    }
    let mut text = String::new();
    below(spans, "", 0, &mut text);
    text
}

fn of_kind(spans: &[Span], kind: u64, service: &str) -> Vec<Span> {
    spans.iter().filter(|span| span.kind == kind && span.service == service).cloned().collect()
}

fn named<'a>(spans: &'a [Span], name: &str) -> Vec<&'a Span> {
    spans.iter().filter(|span| span.name == name).collect()
}

#[tokio::test]
async fn a_retried_order_has_the_whole_tree_with_the_late_commit_in_it() {
    let cafe = Cafe::open().await;
    let told = cafe.order_cake("slow,none", true).await;
    let spans = cafe.trace(told.text("traceId"), 8).await;
    assert_eq!(
        tree(&spans),
        "\
POST /orders [SERVER order]
  POST /inventory/reserve [CLIENT order]
    POST /inventory/reserve [SERVER inventory]
      chaos slow [INTERNAL inventory]
      commit reservation (late, duplicate) [INTERNAL inventory]
  POST /inventory/reserve (retry) [CLIENT order]
    POST /inventory/reserve [SERVER inventory]
      commit reservation [INTERNAL inventory]
"
    );

    let order = &of_kind(&spans, SERVER, "order")[0];
    assert_eq!(order.text("campuscafe.order.id"), Some(told.text("orderId")));
    assert_eq!(order.text("campuscafe.order.item"), Some("cake"));
    assert_eq!(order.int("campuscafe.order.quantity"), Some(1));
    assert_eq!(order.text("campuscafe.order.chaos"), Some("slow:2000,none"));
    assert_eq!(order.text("campuscafe.order.outcome"), Some("confirmed"));
    assert_eq!(order.text("http.request.method"), Some("POST"));
    assert_eq!(order.text("http.route"), Some("/orders"));
    assert_eq!(order.int("http.response.status_code"), Some(200));

    let attempts = of_kind(&spans, CLIENT, "order");
    let [first, second] = &attempts[..] else { panic!("two attempts") };
    for attempt in [first, second] {
        assert_eq!(attempt.text("http.request.method"), Some("POST"));
        assert_eq!(attempt.text("server.address"), Some("127.0.0.1"));
        let url = format!("{}/inventory/reserve?chaos=", cafe.inventory);
        assert!(attempt.text("url.full").unwrap().starts_with(&url));
        let port = cafe.inventory.rsplit(':').next().unwrap().parse().ok();
        assert_eq!(attempt.int("server.port"), port);
    }
    assert_eq!((first.text("error.type"), first.status), (Some("timeout"), ERROR));
    assert_eq!(first.int("http.response.status_code"), None);
    assert_eq!(first.int("http.request.resend_count"), None);
    assert_eq!((second.text("error.type"), second.status), (None, UNSET));
    assert_eq!(second.int("http.response.status_code"), Some(200));
    assert_eq!(second.int("http.request.resend_count"), Some(1));
    assert!(second.start >= first.end, "one after the other");

    let served = of_kind(&spans, SERVER, "inventory");
    let late = served.iter().find(|span| span.parent == first.id).unwrap();
    assert_eq!(late.status, UNSET, "nothing went wrong in the inventory");
    assert!(late.end > first.end + 500_000_000, "it ran on after the caller left");
    let [(event, at)] = &late.events[..] else { panic!("one event: {:?}", late.events) };
    assert_eq!(event, "client.disconnected");
    assert!((first.start..late.end).contains(at));
    assert_eq!(late.text("campuscafe.chaos.step"), Some("slow:2000"));

    let chaos = named(&spans, "chaos slow")[0];
    assert_eq!(chaos.text("campuscafe.chaos.step"), Some("slow:2000"));
    assert!(chaos.end - chaos.start >= 1_990_000_000, "it covers the wait");

    let on_time = named(&spans, "commit reservation")[0];
    let belated = named(&spans, "commit reservation (late, duplicate)")[0];
    let id = on_time.text("campuscafe.reservation.id");
    assert_eq!(id, told.body["reserved"]["reservationId"].as_str());
    for (commit, before, late) in [(on_time, 10, false), (belated, 9, true)] {
        assert_eq!(commit.int("campuscafe.reservation.stock.before"), Some(before));
        assert_eq!(commit.int("campuscafe.reservation.stock.after"), Some(before - 1));
        assert_eq!(commit.flag("campuscafe.reservation.late"), Some(late));
        assert_eq!(commit.flag("campuscafe.reservation.duplicate"), Some(late));
        assert_eq!(commit.kind, INTERNAL);
    }
    assert!(belated.start > order.end, "committed after the customer was told");
}

#[tokio::test]
async fn each_way_of_getting_no_answer_has_its_own_error_type() {
    let cafe = Cafe::open().await;
    for (chaos, spans, error, outcome) in [
        ("slow", 5, "timeout", "unknown"),
        ("abort", 4, "connection_lost", "unknown"),
        ("lostreply", 5, "connection_lost", "unknown"),
        ("fail", 4, "503", "failed"),
    ] {
        let told = cafe.order_cake(chaos, false).await;
        let spans = cafe.trace(told.text("traceId"), spans).await;
        let attempt = &of_kind(&spans, CLIENT, "order")[0];
        assert_eq!((attempt.text("error.type"), attempt.status), (Some(error), ERROR), "{chaos}");
        let order = &of_kind(&spans, SERVER, "order")[0];
        assert_eq!(order.text("campuscafe.order.outcome"), Some(outcome), "{chaos}");
        let faults = named(&spans, &format!("chaos {chaos}"));
        assert_eq!(faults.len(), 1, "{chaos}\n{}", tree(&spans));
        let commits =
            spans.iter().map(|span| &*span.name).filter(|name| name.starts_with("commit"));
        let expected: &[_] = match chaos {
            "slow" => &["commit reservation (late)"],
            "lostreply" => &["commit reservation"],
            _ => &[],
        };
        assert_eq!(commits.collect::<Vec<_>>(), expected, "{chaos}");
    }
}

#[tokio::test]
async fn an_inventory_that_cannot_be_reached_is_connection_refused() {
    let cafe = Cafe::open().await;
    let closed = ReservedPort::take();
    let mut order = campuscafe_tests::Process::start(
        "order",
        &["--listen", "127.0.0.1:0", "--inventory-url", &closed.url()],
        &[("OTEL_EXPORTER_OTLP_ENDPOINT", &cafe.lab)],
    );
    let order = format!("{}/orders", order.address().await);
    let body = serde_json::json!({"itemId": "cake", "quantity": 1, "retryOnTimeout": true});
    let told = cafe.send(cafe.http.post(order).json(&body)).await;
    assert_eq!(
        (told.status, told.text("outcome"), told.results()),
        (502, "failed", vec!["refused"])
    );
    let spans = cafe.trace(told.text("traceId"), 2).await;
    assert_eq!(of_kind(&spans, CLIENT, "order")[0].text("error.type"), Some("connection_refused"));
}

#[tokio::test]
async fn reordered_pings_are_siblings_that_know_both_their_places() {
    let cafe = Cafe::open().await;
    let told = cafe.send(cafe.http.get(format!("{}/demo/out-of-order?count=6", cafe.order))).await;
    let spans = cafe.trace(told.text("traceId"), 13).await;
    let root = &of_kind(&spans, SERVER, "order")[0];
    assert_eq!(root.name, "GET /demo/out-of-order");
    assert_eq!(root.int("campuscafe.reorder.inversions"), told.body["inversions"].as_i64());
    let mut pings = of_kind(&spans, CLIENT, "order");
    assert!(pings.iter().all(|ping| ping.parent == root.id));
    pings.sort_by_key(|ping| ping.int("campuscafe.reorder.sent"));
    let names: Vec<_> = pings.iter().map(|ping| &*ping.name).collect();
    assert_eq!(
        names,
        (0..6).map(|sent| format!("GET /inventory/ping #{sent}")).collect::<Vec<_>>()
    );
    pings.sort_by_key(|ping| ping.int("campuscafe.reorder.completed"));
    let places = |name| pings.iter().filter_map(|ping| ping.int(name)).collect::<Vec<_>>();
    assert_eq!(places("campuscafe.reorder.completed"), [0, 1, 2, 3, 4, 5]);
    let completed = told.body["completedOrder"].as_array().unwrap();
    let expected: Vec<_> = completed.iter().map(|ping| ping["i"].as_i64().unwrap()).collect();
    assert_eq!(places("campuscafe.reorder.sent"), expected);
}

#[tokio::test]
async fn an_order_continues_the_trace_that_its_customer_began() {
    let cafe = Cafe::open().await;
    let (trace, parent) = ("4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7");
    let order = serde_json::json!({"itemId": "cake", "quantity": 1});
    let request = cafe.http.post(format!("{}/orders", cafe.order)).json(&order);
    let told = cafe.send(request.header("traceparent", format!("00-{trace}-{parent}-01"))).await;
    assert_eq!(told.text("traceId"), trace);
    let spans = cafe.trace(trace, 4).await;
    assert_eq!(of_kind(&spans, SERVER, "order")[0].parent, parent);
}

#[tokio::test]
async fn probes_and_scrapes_leave_no_spans() {
    let cafe = Cafe::open().await;
    for service in [&cafe.order, &cafe.inventory] {
        for path in ["/healthz", "/readyz", "/metrics"] {
            cafe.page(&format!("{service}{path}")).await;
        }
    }
    // Spans of one process arrive in order, so those would be there before these.
    let told = cafe.order_cake("none", false).await;
    cafe.trace(told.text("traceId"), 4).await;
    let list = cafe.send(cafe.http.get(format!("{}/api/traces", cafe.lab))).await;
    let roots: Vec<_> =
        list.body["traces"].as_array().unwrap().iter().map(|trace| &trace["root"]).collect();
    assert_eq!(roots, ["POST /orders"]);
}

#[tokio::test]
async fn every_decision_is_a_log_line_with_trace_id_and_request_id() {
    let cafe = Cafe::open_with(&[("LOG_FORMAT", "json")]).await;
    let told = cafe.order_cake("slow:10,none", false).await;
    let request = format!("order-{}", told.text("orderId"));
    let lines = campuscafe_tests::eventually("three log lines", || async {
        let lines: Vec<serde_json::Value> = cafe
            .process
            .stderr()
            .lines()
            .filter_map(|line| serde_json::from_str(line).ok())
            .filter(|line: &serde_json::Value| line["request_id"] == request.as_str())
            .collect();
        (lines.len() >= 3).then_some(lines)
    })
    .await;
    for line in &lines {
        assert_eq!(line["trace_id"], told.text("traceId"), "{line}");
    }
    for (service, words) in [
        ("inventory", "Reserved: cake x1 (10 -> 9)"),
        ("order", "Attempt 1: reserved, after "),
        ("order", "Answers the customer after "),
    ] {
        let said = |line: &serde_json::Value| {
            line["service"] == service && line["message"].as_str().unwrap().starts_with(words)
        };
        assert!(lines.iter().any(said), "{words}: {lines:?}");
    }
    let order = &of_kind(&cafe.trace(told.text("traceId"), 4).await, SERVER, "order")[0];
    assert_eq!(order.text("campuscafe.request.id"), Some(&*request), "one id for one order");
}

/// What both services write, without times and ids, once `last` is among it.
async fn log_of(cafe: &Cafe, last: &str) -> Vec<String> {
    campuscafe_tests::eventually("the lines", || async {
        let text = cafe.process.stderr();
        text.contains(last).then(|| text.lines().map(str::to_owned).collect())
    })
    .await
}

#[tokio::test]
async fn the_log_of_a_double_tells_a_person_when_each_side_gave_up_and_what_came_of_it() {
    let cafe = Cafe::open_with(&[("LOG_FORMAT", "pretty"), ("NO_COLOR", "1")]).await;
    let told = cafe.order_cake("slow,none", true).await;
    let lines = log_of(&cafe, "LATE").await;
    // It begins with the time, so the end tells it from others.
    let id = format!("order-{}", &told.text("orderId")[24..]);
    let trace = &told.text("traceId")[..8];
    let of_order: Vec<_> = lines.iter().filter(|line| line.contains(&id)).collect();
    for line in &of_order {
        assert!(line.chars().count() <= 120, "{line}");
        assert!(line.ends_with(&format!(" {id} trace {trace}")), "{line}");
    }
    let position = |words: &str| {
        let found = of_order.iter().position(|line| line[13..].contains(words));
        found.unwrap_or_else(|| panic!("no {words:?} in {of_order:#?}"))
    };
    let gave_up = position("order     Gives up attempt 1 after 1.0 s: no answer");
    assert!(gave_up < position("order     Retries: sends attempt 2"));
    assert!(
        position("order     Attempt 2: reserved, after") < position("Answers the customer after")
    );
    position("inventory The caller left after 1.0 s; still working");
    position("inventory Reserved: cake x1 (10 -> 9) ");
    position("inventory Reserved AGAIN: cake x1 (9 -> 8), LATE: the caller left 1.0 s ago ");
    assert_eq!(of_order.len(), 7, "{of_order:#?}");
}

#[tokio::test]
async fn the_log_of_the_order_service_says_when_its_customer_leaves() {
    let cafe = Cafe::open_with(&[("LOG_FORMAT", "pretty"), ("NO_COLOR", "1")]).await;
    let order = serde_json::json!({"itemId": "cake", "quantity": 1, "chaos": "slow:900"});
    let order = cafe.http.post(format!("{}/orders", cafe.order)).json(&order);
    let sent = order.timeout(std::time::Duration::from_millis(200)).send().await;
    assert!(sent.unwrap_err().is_timeout());
    let lines = log_of(&cafe, "order     Attempt 1: reserved").await;
    let left = lines.iter().find(|line| line.contains("order     The caller left after 0."));
    let left = left.unwrap_or_else(|| panic!("{lines:#?}"));
    assert!(left.contains("s; still working") && left.contains(" order-"), "{left}");
}

#[tokio::test]
async fn both_server_spans_name_the_experiment_and_foreign_baggage_ends_at_the_first_service() {
    let cafe = Cafe::open().await;
    let run = "0af7651916cd43dd8448eb211c80319c";
    let order = serde_json::json!({"itemId": "cake", "quantity": 1});
    for (experiment, expected) in [("double", Some("double")), ("nonsense", None)] {
        let baggage =
            format!("user=7,campuscafe.experiment={experiment},campuscafe.run={run};ttl=1");
        let request = cafe.http.post(format!("{}/orders", cafe.order)).json(&order);
        let told = cafe.send(request.header("baggage", baggage)).await;
        let spans = cafe.trace(told.text("traceId"), 4).await;
        for service in ["order", "inventory"] {
            let span = &of_kind(&spans, SERVER, service)[0];
            assert_eq!(span.text("campuscafe.experiment"), expected, "{service}");
            assert_eq!(span.text("campuscafe.run"), Some(run), "{service}");
        }
        // It is sent before the span of its request ends.
        let commit = named(&spans, "commit reservation")[0];
        assert_eq!(commit.text("campuscafe.run"), Some(run));
        let told = format!("{spans:?}");
        assert!(!told.contains("nonsense") && !told.contains("user=7"), "{told}");
    }
    for service in [&cafe.order, &cafe.inventory] {
        let page = cafe.http.get(format!("{service}/metrics")).send().await.unwrap();
        let page = page.text().await.unwrap();
        assert!(!page.contains(run) && !page.contains("double\""), "never a label: {page}");
    }
}
