//! A trace that is far larger than that of any lesson: an order of many attempts.

use std::time::{SystemTime, UNIX_EPOCH};

use campuscafe_tests::Cafe;
use serde_json::{Value, json};

const INTERNAL: u64 = 1;
const SERVER: u64 = 2;
const CLIENT: u64 = 3;
const ATTEMPTS: usize = 125;
/// That of the order, and of each attempt one on each side, its fault and its commit.
pub(crate) const SPANS: usize = 1 + 4 * ATTEMPTS;
const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";
const ORDER: &str = "5f0c6c0e7a4b4f7f9a3b1c2d3e4f5a6b";

/// Sends the trace to the lab; its id.
pub(crate) async fn send(cafe: &Cafe) -> &'static str {
    let spans = all();
    assert_eq!(spans.iter().map(Vec::len).sum::<usize>(), SPANS);
    let of = |(service, spans): (&str, &Vec<Value>)| {
        json!({
            "resource": {"attributes": attributes(&json!({"service.name": service}))},
            "scopeSpans": [{"spans": spans}],
        })
    };
    let resources: Vec<_> = ["order", "inventory"].into_iter().zip(&spans).map(of).collect();
    let export = cafe.http.post(format!("{}/v1/traces", cafe.lab));
    let answer = cafe.send(export.json(&json!({"resourceSpans": resources}))).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    TRACE
}

/// The spans of the order service and those of the inventory.
fn all() -> [Vec<Value>; 2] {
    let told = json!({
        "campuscafe.order.id": ORDER, "campuscafe.order.outcome": "confirmed",
        "campuscafe.order.chaos": "slow:5", "http.response.status_code": 200,
    });
    let mut order = vec![span(1, 0, SERVER, [0, 10 * ATTEMPTS + 10], &told)];
    let mut inventory = Vec::new();
    for attempt in 0..ATTEMPTS {
        let (id, at) = (10 * (attempt + 1), 10 * attempt);
        let answer = json!({
            "http.request.resend_count": attempt, "http.response.status_code": 200,
        });
        let served = json!({
            "campuscafe.request.id": format!("order-{ORDER}"),
            "campuscafe.chaos.step": "slow:5", "http.response.status_code": 200,
        });
        let commit = json!({
            "campuscafe.reservation.id": ORDER, "campuscafe.reservation.item": "cake",
            "campuscafe.reservation.stock.before": ATTEMPTS - attempt,
            "campuscafe.reservation.stock.after": ATTEMPTS - attempt - 1,
            "campuscafe.reservation.late": false,
            "campuscafe.reservation.duplicate": attempt > 0,
        });
        let fault = json!({"campuscafe.chaos.step": "slow:5"});
        order.push(span(id, 1, CLIENT, [at + 1, at + 9], &answer));
        inventory.push(span(id + 1, id, SERVER, [at + 2, at + 8], &served));
        inventory.push(span(id + 2, id + 1, INTERNAL, [at + 2, at + 7], &fault));
        inventory.push(span(id + 3, id + 1, INTERNAL, [at + 7, at + 7], &commit));
    }
    [order, inventory]
}

/// A span at these milliseconds; 0 is no parent.
fn span(id: usize, parent: usize, kind: u64, at: [usize; 2], more: &Value) -> Value {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970").as_secs();
    let [start, end] = at.map(|ms| format!("{}", now * 1_000_000_000 + ms as u64 * 1_000_000));
    let name = if kind == INTERNAL { "work" } else { "POST /inventory/reserve" };
    let parent = if parent == 0 { String::new() } else { format!("{parent:016x}") };
    json!({
        "traceId": TRACE, "spanId": format!("{id:016x}"), "parentSpanId": parent, "name": name,
        "kind": kind, "startTimeUnixNano": start, "endTimeUnixNano": end,
        "attributes": attributes(more),
    })
}

fn attributes(values: &Value) -> Vec<Value> {
    let value = |value: &Value| match value {
        Value::Number(number) => json!({"intValue": number.to_string()}),
        Value::Bool(flag) => json!({"boolValue": flag}),
        other => json!({"stringValue": other}),
    };
    let values = values.as_object().into_iter().flatten();
    values.map(|(key, held)| json!({"key": key, "value": value(held)})).collect()
}
