//! Spans as the lab's own API gives them out: OTLP JSON, read by hand, so that
//! the tests do not lean on the reader they test.

use std::collections::BTreeMap;

use serde_json::Value;

/// One span of a trace.
#[derive(Debug, Clone)]
pub struct Span {
    /// 16 hexadecimal digits.
    pub id: String,
    /// Empty for a root.
    pub parent: String,
    /// As Jaeger shows it.
    pub name: String,
    /// `service.name` of its process.
    pub service: String,
    /// `service.instance.id` of its process, if it says one.
    pub instance: Option<String>,
    /// OTLP's number: 1 internal, 2 server, 3 client.
    pub kind: u64,
    /// Nanoseconds since 1970.
    pub start: u64,
    /// Nanoseconds since 1970.
    pub end: u64,
    /// OTLP's number: 0 unset, 1 ok, 2 error.
    pub status: u64,
    /// Attributes with their OTLP types: `{"stringValue": ...}`.
    pub attributes: BTreeMap<String, Value>,
    /// Names and times of its events.
    pub events: Vec<(String, u64)>,
}

impl Span {
    /// An attribute's text.
    #[must_use]
    pub fn text(&self, name: &str) -> Option<&str> {
        self.attributes.get(name)?.get("stringValue")?.as_str()
    }

    /// An attribute that really is a whole number, not a text of digits.
    #[must_use]
    pub fn int(&self, name: &str) -> Option<i64> {
        whole(self.attributes.get(name)?.get("intValue")?)
    }

    /// An attribute's truth.
    #[must_use]
    pub fn flag(&self, name: &str) -> Option<bool> {
        self.attributes.get(name)?.get("boolValue")?.as_bool()
    }
}

/// Every span of a trace, in the order of their start.
///
/// # Panics
///
/// When the text is not OTLP JSON.
#[must_use]
pub fn spans_of(trace: &Value) -> Vec<Span> {
    let mut spans = Vec::new();
    for group in list(trace, "resourceSpans") {
        let resource = attributes(&group["resource"]);
        let service = resource["service.name"]["stringValue"].as_str().expect("a service name");
        let instance = resource.get("service.instance.id");
        let instance = instance.and_then(|id| id["stringValue"].as_str()).map(str::to_owned);
        for scope in list(group, "scopeSpans") {
            spans.extend(
                list(scope, "spans")
                    .iter()
                    .map(|span| Span { instance: instance.clone(), ..read(span, service) }),
            );
        }
    }
    spans.sort_by_key(|span| span.start);
    spans
}

fn read(span: &Value, service: &str) -> Span {
    let text = |name: &str| span[name].as_str().unwrap_or_default().to_owned();
    let time = |value: &Value| u64::try_from(whole(value).expect("nanoseconds")).expect("a time");
    let events = list(span, "events").iter();
    Span {
        id: text("spanId"),
        parent: text("parentSpanId"),
        name: text("name"),
        service: service.to_owned(),
        instance: None,
        kind: span["kind"].as_u64().expect("a kind"),
        start: time(&span["startTimeUnixNano"]),
        end: time(&span["endTimeUnixNano"]),
        status: span["status"]["code"].as_u64().unwrap_or(0),
        attributes: attributes(span),
        events: events
            .map(|event| {
                let name = event["name"].as_str().expect("a name").to_owned();
                (name, time(&event["timeUnixNano"]))
            })
            .collect(),
    }
}

fn attributes(of: &Value) -> BTreeMap<String, Value> {
    let pair =
        |pair: &Value| (pair["key"].as_str().expect("a key").to_owned(), pair["value"].clone());
    list(of, "attributes").iter().map(pair).collect()
}

fn list<'a>(of: &'a Value, name: &str) -> &'a [Value] {
    of[name].as_array().map_or(&[], Vec::as_slice)
}

/// OTLP JSON writes 64-bit numbers as text.
fn whole(value: &Value) -> Option<i64> {
    value.as_i64().or_else(|| value.as_str()?.parse().ok())
}
