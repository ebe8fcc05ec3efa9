//! A span as the lab reads it.

use std::collections::BTreeMap;
use std::fmt;

use campuscafe_attributes as attribute;
use opentelemetry_proto::tonic::common::v1::{KeyValue, any_value};
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::{Span as OtlpSpan, TracesData, span, status};

/// On whose side of a call a span stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// The called side.
    Server,
    /// The calling side.
    Client,
    /// Neither.
    Internal,
}

/// An attribute's value, as far as the lab looks at values.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// Text.
    Text(String),
    /// A whole number.
    Int(i64),
    /// True or false.
    Flag(bool),
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => f.write_str(text),
            Self::Int(number) => write!(f, "{number}"),
            Self::Flag(flag) => write!(f, "{flag}"),
        }
    }
}

/// A moment on a span.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Moment {
    /// What happened.
    pub name: String,
    /// When, in nanoseconds since 1970.
    pub at: u64,
}

/// One finished span.
#[derive(Debug, Clone, PartialEq)]
pub struct Span {
    /// 16 hexadecimal digits.
    pub id: String,
    /// The span it belongs under, if any.
    pub parent: Option<String>,
    /// Method and route, or operation.
    pub name: String,
    /// On whose side it stands.
    pub kind: Kind,
    /// `service.name` of the process it comes from.
    pub service: String,
    /// `service.instance.id` of that process, if it says one.
    pub instance: Option<String>,
    /// Nanoseconds since 1970.
    pub start: u64,
    /// Nanoseconds since 1970.
    pub end: u64,
    /// Whether its status is ERROR.
    pub error: bool,
    /// By name.
    pub attributes: BTreeMap<String, Value>,
    /// In the order of time.
    pub events: Vec<Moment>,
}

impl Span {
    /// An attribute that holds text.
    #[must_use]
    pub fn text(&self, name: &str) -> Option<&str> {
        match self.attributes.get(name) {
            Some(Value::Text(text)) => Some(text),
            _ => None,
        }
    }

    /// An attribute that holds a whole number.
    #[must_use]
    pub fn int(&self, name: &str) -> Option<i64> {
        match self.attributes.get(name) {
            Some(Value::Int(number)) => Some(*number),
            _ => None,
        }
    }

    /// Whether an attribute is there and true.
    #[must_use]
    pub fn flag(&self, name: &str) -> bool {
        self.attributes.get(name) == Some(&Value::Flag(true))
    }
}

/// All spans of an OTLP message, in the order of their start.
#[must_use]
pub fn from_otlp(data: &TracesData) -> Vec<Span> {
    let mut spans: Vec<Span> = data
        .resource_spans
        .iter()
        .flat_map(|group| {
            let process = Process::of(group.resource.as_ref());
            let spans = group.scope_spans.iter().flat_map(|scope| &scope.spans);
            spans.map(move |span| read(span, &process))
        })
        .collect();
    spans.sort_by_key(|span| (span.start, span.end));
    spans
}

/// Who sent a group of spans or of log records.
pub(crate) struct Process {
    pub(crate) service: String,
    instance: Option<String>,
}

impl Process {
    pub(crate) fn of(resource: Option<&Resource>) -> Self {
        let mut attributes =
            resource.map(|resource| attributes(&resource.attributes)).unwrap_or_default();
        let mut text = |name| match attributes.remove(name) {
            Some(Value::Text(text)) => Some(text),
            _ => None,
        };
        Self {
            service: text("service.name").unwrap_or_else(|| "unknown_service".to_owned()),
            instance: text("service.instance.id"),
        }
    }
}

fn read(span: &OtlpSpan, process: &Process) -> Span {
    let mut events: Vec<Moment> = span
        .events
        .iter()
        .map(|event| Moment { name: event.name.clone(), at: event.time_unix_nano })
        .collect();
    events.sort_by_key(|event| event.at);
    Span {
        id: hex(&span.span_id),
        parent: Some(hex(&span.parent_span_id)).filter(|id| !id.is_empty()),
        name: span.name.clone(),
        kind: match span.kind() {
            span::SpanKind::Server => Kind::Server,
            // A statement for a database: for the story of an order it is inner work.
            span::SpanKind::Client if is_statement(span) => Kind::Internal,
            span::SpanKind::Client => Kind::Client,
            _ => Kind::Internal,
        },
        service: process.service.clone(),
        instance: process.instance.clone(),
        start: span.start_time_unix_nano,
        end: span.end_time_unix_nano,
        error: span
            .status
            .as_ref()
            .is_some_and(|status| status.code() == status::StatusCode::Error),
        attributes: attributes(&span.attributes),
        events,
    }
}

fn is_statement(span: &OtlpSpan) -> bool {
    span.attributes.iter().any(|pair| pair.key == attribute::DB_SYSTEM_NAME)
}

pub(crate) fn attributes(pairs: &[KeyValue]) -> BTreeMap<String, Value> {
    let value = |pair: &KeyValue| match pair.value.as_ref()?.value.as_ref()? {
        any_value::Value::StringValue(text) => Some(Value::Text(text.clone())),
        any_value::Value::IntValue(number) => Some(Value::Int(*number)),
        any_value::Value::BoolValue(flag) => Some(Value::Flag(*flag)),
        _ => None,
    };
    pairs.iter().filter_map(|pair| Some((pair.key.clone(), value(pair)?))).collect()
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
