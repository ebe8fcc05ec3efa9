//! How much a body would become in memory, known before it is decoded.
//!
//! An empty span is two bytes of protobuf and some hundred bytes in memory, so
//! a limit on bytes alone does not bound what a hostile body turns into. The
//! number of messages in it does, and counting them takes no memory.

use super::otlp::Failure;

/// The most messages in one export: resources, scopes, spans, attributes,
/// events, links and values. The largest batches of the OpenTelemetry Collector,
/// 8,192 spans of a dozen attributes, stay below.
pub const MAX_ELEMENTS: usize = 250_000;

/// Values nest; what nests deeper than this the decoder refuses itself.
const MAX_DEPTH: usize = 100;

/// Where a message stands in an `ExportTraceServiceRequest`
/// (<https://github.com/open-telemetry/opentelemetry-proto>).
#[derive(Debug, Clone, Copy)]
enum Message {
    Export,
    ResourceSpans,
    Resource,
    ScopeSpans,
    Scope,
    Span,
    Event,
    Link,
    KeyValue,
    AnyValue,
    ArrayValue,
    KeyValueList,
    Leaf,
}

impl Message {
    /// The message in a field, by the field's number; None if it holds none.
    const fn child(self, field: u64) -> Option<Self> {
        Some(match (self, field) {
            (Self::Export, 1) => Self::ResourceSpans,
            (Self::ResourceSpans, 1) => Self::Resource,
            (Self::ResourceSpans, 2) => Self::ScopeSpans,
            (Self::ScopeSpans, 1) => Self::Scope,
            (Self::ScopeSpans, 2) => Self::Span,
            (Self::Span, 11) => Self::Event,
            (Self::Span, 13) => Self::Link,
            (Self::Resource, 1)
            | (Self::Scope | Self::Event, 3)
            | (Self::Span, 9)
            | (Self::Link, 4)
            | (Self::KeyValueList, 1) => Self::KeyValue,
            (Self::Resource, 3) => Self::Leaf,
            (Self::KeyValue, 2) | (Self::ArrayValue, 1) => Self::AnyValue,
            (Self::AnyValue, 5) => Self::ArrayValue,
            (Self::AnyValue, 6) => Self::KeyValueList,
            _ => return None,
        })
    }
}

/// Whether a protobuf body holds at most `limit` messages.
///
/// # Errors
///
/// When it holds more, or is no protobuf.
pub(super) fn check_protobuf(body: &[u8], limit: usize) -> Result<(), Failure> {
    let mut left = limit;
    count(body, Message::Export, &mut left, MAX_DEPTH)
}

fn count(mut body: &[u8], message: Message, left: &mut usize, depth: usize) -> Result<(), Failure> {
    while !body.is_empty() {
        let key = varint(&mut body)?;
        match key & 7 {
            0 => {
                varint(&mut body)?;
            }
            1 => skip(&mut body, 8)?,
            5 => skip(&mut body, 4)?,
            2 => {
                let length = usize::try_from(varint(&mut body)?).unwrap_or(usize::MAX);
                let inner = body.get(..length).ok_or_else(truncated)?;
                body = &body[length..];
                let Some(child) = message.child(key >> 3) else { continue };
                *left = left.checked_sub(1).ok_or(Failure::TooMany)?;
                if depth > 0 {
                    count(inner, child, left, depth - 1)?;
                }
            }
            // Groups are a relic that OTLP never had.
            other => return Err(Failure::Malformed(format!("unexpected wire type {other}"))),
        }
    }
    Ok(())
}

/// A number of 7 bits a byte, the lowest first.
fn varint(body: &mut &[u8]) -> Result<u64, Failure> {
    let mut number = 0;
    for shift in (0..64).step_by(7) {
        let (&byte, rest) = body.split_first().ok_or_else(truncated)?;
        *body = rest;
        number |= u64::from(byte & 0x7f) << shift;
        if byte < 0x80 {
            return Ok(number);
        }
    }
    Err(Failure::Malformed("a number of more than 64 bits".to_owned()))
}

fn skip(body: &mut &[u8], bytes: usize) -> Result<(), Failure> {
    *body = body.get(bytes..).ok_or_else(truncated)?;
    Ok(())
}

fn truncated() -> Failure {
    Failure::Malformed("it ends in the middle of a field".to_owned())
}

/// Whether a JSON body holds at most `limit` objects, lists and further members.
///
/// # Errors
///
/// When it holds more. Whether it is JSON at all is not looked at.
pub(super) fn check_json(body: &[u8], limit: usize) -> Result<(), Failure> {
    let (mut found, mut in_string, mut escaped) = (0_usize, false, false);
    for byte in body {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_string => escaped = true,
            b'"' => in_string = !in_string,
            b'{' | b'[' | b',' if !in_string => found += 1,
            _ => {}
        }
    }
    if found > limit { Err(Failure::TooMany) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
    use opentelemetry_proto::tonic::common::v1::any_value::Value;
    use opentelemetry_proto::tonic::common::v1::{
        AnyValue, ArrayValue, InstrumentationScope, KeyValue, KeyValueList,
    };
    use opentelemetry_proto::tonic::resource::v1::Resource;
    use opentelemetry_proto::tonic::trace::v1::span::{Event, Link};
    use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span};
    use prost::Message as _;

    use super::*;

    fn value(value: Value) -> AnyValue {
        AnyValue { value: Some(value) }
    }

    fn pair(inner: AnyValue) -> KeyValue {
        KeyValue { key: "k".to_owned(), value: Some(inner), ..KeyValue::default() }
    }

    fn text() -> AnyValue {
        value(Value::StringValue("v".to_owned()))
    }

    /// One message of each kind, in each place where it can stand.
    fn everything() -> (ExportTraceServiceRequest, usize) {
        let list = value(Value::ArrayValue(ArrayValue { values: vec![text(), text()] }));
        let pairs = value(Value::KvlistValue(KeyValueList { values: vec![pair(text())] }));
        let span = Span {
            attributes: vec![pair(list), pair(pairs)],
            events: vec![Event { attributes: vec![pair(text())], ..Event::default() }],
            links: vec![Link { attributes: vec![pair(text())], ..Link::default() }],
            ..Span::default()
        };
        let scope = ScopeSpans {
            scope: Some(InstrumentationScope {
                attributes: vec![pair(text())],
                ..InstrumentationScope::default()
            }),
            spans: vec![span, Span::default()],
            ..ScopeSpans::default()
        };
        let resource = Resource { attributes: vec![pair(text())], ..Resource::default() };
        let spans = ResourceSpans {
            resource: Some(resource),
            scope_spans: vec![scope],
            ..ResourceSpans::default()
        };
        // resource spans 1; resource 1 + pair 2; scope spans 1; scope 1 + pair 2; spans 2;
        // list: pair 1, value 1, list 1, values 2; pairs: pair 1, value 1, list 1, pair 2;
        // event 1 + pair 2; link 1 + pair 2.
        let count = 1 + 3 + 1 + 3 + 2 + 5 + 5 + 3 + 3;
        (ExportTraceServiceRequest { resource_spans: vec![spans] }, count)
    }

    #[test]
    fn every_message_counts_wherever_it_stands() {
        let (export, count) = everything();
        let body = export.encode_to_vec();
        assert!(check_protobuf(&body, count).is_ok());
        assert!(matches!(check_protobuf(&body, count - 1), Err(Failure::TooMany)));
    }

    #[test]
    fn what_ends_early_or_is_no_protobuf_is_malformed_and_never_a_panic() {
        let body = everything().0.encode_to_vec();
        for end in 0..body.len() {
            let _ = check_protobuf(&body[..end], usize::MAX);
        }
        for broken in [
            &b"\x0a"[..],
            b"\x0a\x05",
            b"\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff",
            b"\x0b",
            b"\x09\x00",
        ] {
            assert!(matches!(check_protobuf(broken, 9), Err(Failure::Malformed(_))), "{broken:?}");
        }
    }

    #[test]
    fn values_that_nest_without_end_are_left_to_the_decoder() {
        let mut nested = text();
        for _ in 0..1_000 {
            nested = value(Value::ArrayValue(ArrayValue { values: vec![nested] }));
        }
        let mut body = pair(nested).encode_to_vec();
        for field in [9_u8, 2, 2, 1] {
            let mut outer = vec![field << 3 | 2];
            prost::encoding::encode_varint(body.len() as u64, &mut outer);
            outer.extend(body);
            body = outer;
        }
        assert!(check_protobuf(&body, 10_000).is_ok());
    }

    #[test]
    fn json_counts_what_becomes_a_value_and_not_what_stands_in_text() {
        for (body, found) in [
            ("", 0),
            ("{}", 1),
            (r#"{"a":[1,2,{}]}"#, 5),
            (r#"{"a":"{[,\"{[,\\"}"#, 1),
            (r#"["a","b"]"#, 2),
        ] {
            assert!(check_json(body.as_bytes(), found).is_ok(), "{body}");
            if found > 0 {
                assert!(check_json(body.as_bytes(), found - 1).is_err(), "{body}");
            }
        }
    }
}
