//! Spans for tests, as the services make them, and the answers that go with them.

use std::collections::BTreeMap;

use campuscafe_api::order::{Attempt, AttemptResult, OrderReport, Outcome};
use campuscafe_attributes as attribute;

use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue, any_value};
use opentelemetry_proto::tonic::logs::v1::{LogRecord, LogsData, ResourceLogs, ScopeLogs};
use opentelemetry_proto::tonic::resource::v1::Resource;

use super::order_trace::Answered;
use super::span::{Kind, Moment, Span, Value};

/// The id of the order that [`order`] makes.
pub const ORDER_ID: &str = "5f0c6c0e7a4b4f7f9a3b1c2d3e4f5a6b";

/// Nanoseconds.
pub const MS: u64 = 1_000_000;
/// Any moment will do; the picture counts from the order's arrival.
pub const START: u64 = 1_700_000_000_000 * MS;

/// A span that lasts for these milliseconds after [`START`].
pub fn span(id: &str, parent: &str, kind: Kind, at: std::ops::Range<u64>) -> Span {
    Span {
        id: id.to_owned(),
        parent: Some(parent.to_owned()).filter(|parent| !parent.is_empty()),
        name: String::new(),
        kind,
        service: String::new(),
        instance: None,
        start: START + at.start * MS,
        end: START + at.end * MS,
        error: false,
        attributes: BTreeMap::new(),
        events: Vec::new(),
    }
}

/// A span with something more to it.
pub trait With: Sized {
    /// With this attribute.
    fn with(self, name: &str, value: Value) -> Self;
    /// With this text as an attribute.
    fn text(self, name: &str, value: &str) -> Self {
        self.with(name, Value::Text(value.to_owned()))
    }
    /// With this HTTP status.
    fn status(self, status: i64) -> Self {
        self.with(attribute::HTTP_RESPONSE_STATUS_CODE, Value::Int(status))
    }
    /// With the moment at which the caller left.
    fn left_at(self, ms: u64) -> Self;
}

impl With for Span {
    fn with(mut self, name: &str, value: Value) -> Self {
        self.attributes.insert(name.to_owned(), value);
        self
    }

    fn left_at(mut self, ms: u64) -> Self {
        let name = attribute::EVENT_CLIENT_DISCONNECTED.to_owned();
        self.events.push(Moment { name, at: START + ms * MS });
        self
    }
}

/// The order service's span of the order.
pub fn order(until: u64, outcome: &str, status: i64) -> Span {
    span("order", "", Kind::Server, 0..until)
        .text(attribute::ORDER_ID, ORDER_ID)
        .text(attribute::ORDER_OUTCOME, outcome)
        .status(status)
}

/// An attempt that got an answer.
pub fn answered(id: &str, at: std::ops::Range<u64>, status: i64) -> Span {
    span(id, "order", Kind::Client, at).status(status)
}

/// An attempt that got none.
pub fn unanswered(id: &str, at: std::ops::Range<u64>, error: &str) -> Span {
    span(id, "order", Kind::Client, at).text(attribute::ERROR_TYPE, error)
}

/// The inventory's span of an attempt.
pub fn served(id: &str, attempt: &str, at: std::ops::Range<u64>, fault: &str) -> Span {
    span(id, attempt, Kind::Server, at)
        .text(attribute::REQUEST_ID, &format!("order-{ORDER_ID}"))
        .text(attribute::CHAOS_STEP, fault)
}

/// The commit of an attempt.
pub fn commit(parent: &str, at: u64, before: i64, late: bool, duplicate: bool) -> Span {
    span(&format!("commit-{parent}"), parent, Kind::Internal, at..at)
        .text(attribute::RESERVATION_ID, "id")
        .text(attribute::RESERVATION_ITEM, "cake")
        .with(attribute::STOCK_BEFORE, Value::Int(before))
        .with(attribute::STOCK_AFTER, Value::Int(before - 1))
        .with(attribute::RESERVATION_LATE, Value::Flag(late))
        .with(attribute::RESERVATION_DUPLICATE, Value::Flag(duplicate))
}

/// The second attempt at the same thing.
pub fn resent(attempt: Span) -> Span {
    attempt.with(attribute::HTTP_REQUEST_RESEND_COUNT, Value::Int(1))
}

/// The span of the fault itself.
pub fn fault(parent: &str, at: std::ops::Range<u64>, step: &str) -> Span {
    span(&format!("fault-{parent}"), parent, Kind::Internal, at).text(attribute::CHAOS_STEP, step)
}

/// A customer with two cakes: every span that `slow,none` with a retry makes.
pub fn double() -> Vec<Span> {
    vec![
        order(1005, "confirmed", 200),
        unanswered("one", 1..1001, "timeout"),
        resent(answered("two", 1002..1004, 200)),
        served("in1", "one", 2..2002, "slow:2000").left_at(1002),
        served("in2", "two", 1003..1004, "none").status(200),
        fault("in1", 2..2002, "slow:2000"),
        commit("in1", 2002, 9, true, true),
        commit("in2", 1003, 10, false, false),
    ]
}

/// A customer with one cake: the same with an idempotency key. The late attempt finds what
/// was decided for the second one.
pub fn keyed_double() -> Vec<Span> {
    let mut spans = double();
    spans.retain(|span| span.id != "commit-in1");
    for span in spans.iter_mut().filter(|span| span.id == "in1") {
        *span = span.clone().with(attribute::IDEMPOTENT_REPLAYED, Value::Flag(true));
    }
    spans
}

/// What the order service answers when its spans are these: none is missing.
pub fn answer(spans: &[Span], plan: &str) -> Answered {
    let root = spans.iter().find(|span| span.id == "order").expect("an order");
    let outcome = Outcome::ALL.into_iter().find(|outcome| {
        root.attributes.get(attribute::ORDER_OUTCOME)
            == Some(&Value::Text(outcome.as_str().to_owned()))
    });
    let clients = spans.iter().filter(|span| span.kind == Kind::Client);
    let attempts = clients.zip(1..).map(|(client, number)| {
        let status = client.int(attribute::HTTP_RESPONSE_STATUS_CODE);
        let status = status.and_then(|status| u16::try_from(status).ok());
        let error = Span::text(client, attribute::ERROR_TYPE);
        let result = match (status, error) {
            (Some(200), _) => AttemptResult::Ok,
            (Some(_), _) => AttemptResult::Rejected,
            (None, Some("timeout")) => AttemptResult::Timeout,
            (None, Some("connection_refused")) => AttemptResult::Refused,
            (None, _) => AttemptResult::ConnectionLost,
        };
        Attempt { number, result, duration_ms: 0, status }
    });
    let report = OrderReport {
        order_id: ORDER_ID.to_owned(),
        outcome: outcome.expect("an outcome"),
        attempts: attempts.collect(),
        trace_id: None,
    };
    Answered { report, plan: plan.parse().expect("a plan"), crash: None }
}

/// What the span of this id writes, so many milliseconds after [`START`].
pub fn record(span: u64, message: &str, ms: u64) -> LogRecord {
    LogRecord {
        time_unix_nano: START + ms * MS,
        severity_number: 9,
        body: Some(text(message)),
        span_id: span.to_be_bytes().to_vec(),
        ..LogRecord::default()
    }
}

/// A log record with something more to it.
pub trait WithField {
    /// With this text as a field.
    #[must_use]
    fn with_field(self, name: &str, value: &str) -> Self;
}

impl WithField for LogRecord {
    fn with_field(mut self, name: &str, value: &str) -> Self {
        self.attributes.push(pair(name, value));
        self
    }
}

/// What a service writes.
pub fn logs(service: &str, log_records: Vec<LogRecord>) -> LogsData {
    let attributes = vec![pair("service.name", service)];
    let resource = Some(Resource { attributes, ..Resource::default() });
    let scope_logs = vec![ScopeLogs { log_records, ..ScopeLogs::default() }];
    LogsData { resource_logs: vec![ResourceLogs { resource, scope_logs, ..Default::default() }] }
}

fn pair(name: &str, value: &str) -> KeyValue {
    KeyValue { key: name.to_owned(), value: Some(text(value)), ..KeyValue::default() }
}

fn text(text: &str) -> AnyValue {
    AnyValue { value: Some(any_value::Value::StringValue(text.to_owned())) }
}
