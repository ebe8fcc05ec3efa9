//! Whether a body can be decoded, and what it would become in memory, known
//! before it is.
//!
//! An empty span is two bytes of protobuf and some hundred bytes in memory, so
//! a limit on bytes alone does not bound what a hostile body turns into. The
//! number of messages in it does, and counting them takes no memory.

use super::otlp::Failure;
use super::wire::{Fields, Value, another_type, malformed, text};

/// The most messages in one export: resources, scopes, spans, attributes,
/// events, links and values. The largest batches of the OpenTelemetry Collector,
/// 8,192 spans of a dozen attributes, stay below.
pub const MAX_ELEMENTS: usize = 250_000;

/// The most messages in one span, resource or scope, itself included. OpenTelemetry's
/// own limits (128 attributes, events and links) allow more, but no span in use
/// comes near; unpacked, it takes about 1 MiB.
pub const MAX_PART_ELEMENTS: usize = 10_000;

/// The most bytes in one span, or in one resource or scope with its schema URL.
pub const MAX_PART_BYTES: usize = 256 * 1024;

/// Values nest; the decoder refuses what nests deeper than 100.
const MAX_DEPTH: usize = 90;

/// The same for JSON, whose reader refuses what nests deeper than 128.
const MAX_JSON_DEPTH: usize = 127;

/// A message that can stand in an `ExportTraceServiceRequest`
/// (<https://github.com/open-telemetry/opentelemetry-proto>).
#[derive(Debug, Clone, Copy)]
pub(super) enum Message {
    Resource,
    Entity,
    Scope,
    Span,
    Event,
    Link,
    Status,
    KeyValue,
    AnyValue,
    ArrayValue,
    KeyValueList,
}

/// What a field must hold.
enum Kind {
    Message(Message),
    Text,
    Bytes,
    Varint,
    Fixed64,
    Fixed32,
}

impl Message {
    /// What belongs in a field, by the field's number; None if nobody knows it.
    const fn field(self, number: u32) -> Option<Kind> {
        Some(match (self, number) {
            (Self::Span, 11) => Kind::Message(Self::Event),
            (Self::Span, 13) => Kind::Message(Self::Link),
            (Self::Span, 15) => Kind::Message(Self::Status),
            (Self::Resource, 3) => Kind::Message(Self::Entity),
            (Self::Resource | Self::KeyValueList, 1)
            | (Self::Scope | Self::Event, 3)
            | (Self::Span, 9)
            | (Self::Link, 4) => Kind::Message(Self::KeyValue),
            (Self::KeyValue, 2) | (Self::ArrayValue, 1) => Kind::Message(Self::AnyValue),
            (Self::AnyValue, 5) => Kind::Message(Self::ArrayValue),
            (Self::AnyValue, 6) => Kind::Message(Self::KeyValueList),
            (Self::Entity, 1..=4)
            | (Self::Scope, 1 | 2)
            | (Self::Span, 3 | 5)
            | (Self::Event | Self::Status, 2)
            | (Self::Link, 3)
            | (Self::KeyValue | Self::AnyValue, 1) => Kind::Text,
            (Self::Span, 1 | 2 | 4) | (Self::Link, 1 | 2) | (Self::AnyValue, 7) => Kind::Bytes,
            (Self::Span, 6 | 10 | 12 | 14)
            | (Self::Resource, 2)
            | (Self::Scope | Self::Event, 4)
            | (Self::Link, 5)
            | (Self::Status | Self::KeyValue, 3)
            | (Self::AnyValue, 2 | 3 | 8) => Kind::Varint,
            (Self::Span, 7 | 8) | (Self::Event, 1) | (Self::AnyValue, 4) => Kind::Fixed64,
            (Self::Span, 16) | (Self::Link, 6) => Kind::Fixed32,
            _ => return None,
        })
    }
}

/// Takes the messages in a message, itself included, from those that an export
/// may still have.
///
/// # Errors
///
/// When it has more, or would not decode as what it should be.
pub(super) fn check(body: &[u8], message: Message, left: &mut usize) -> Result<(), Failure> {
    nested(body, message, left, MAX_DEPTH)
}

fn nested(body: &[u8], message: Message, left: &mut usize, depth: usize) -> Result<(), Failure> {
    take_one(left)?;
    let depth = depth.checked_sub(1).ok_or_else(|| malformed("values nested too deep"))?;
    for field in Fields::of(body) {
        let (number, value) = field?;
        match (message.field(number), value) {
            (Some(Kind::Message(child)), Value::Length(body)) => nested(body, child, left, depth)?,
            (Some(Kind::Text), Value::Length(bytes)) => {
                text(bytes)?;
            }
            (Some(Kind::Bytes), Value::Length(_))
            | (Some(Kind::Varint), Value::Varint)
            | (Some(Kind::Fixed64), Value::Fixed64(_))
            | (Some(Kind::Fixed32), Value::Fixed32)
            | (None, _) => {}
            (Some(_), _) => return Err(another_type(number)),
        }
    }
    Ok(())
}

/// Takes one message from those that an export may still have.
pub(super) fn take_one(left: &mut usize) -> Result<(), Failure> {
    *left = left.checked_sub(1).ok_or(Failure::TooMany)?;
    Ok(())
}

/// Whether a JSON body holds at most `limit` objects, lists and further members.
///
/// # Errors
///
/// When it holds more, or nests deeper than any export. Whether it is JSON at
/// all is not looked at.
pub(super) fn check_json(body: &[u8], limit: usize) -> Result<(), Failure> {
    let (mut found, mut depth, mut in_string, mut escaped) = (0_usize, 0_usize, false, false);
    for byte in body {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_string => escaped = true,
            b'"' => in_string = !in_string,
            _ if in_string => {}
            b'{' | b'[' => {
                found += 1;
                depth += 1;
                if depth > MAX_JSON_DEPTH {
                    return Err(malformed("nested too deep"));
                }
            }
            b'}' | b']' => depth = depth.saturating_sub(1),
            b',' => found += 1,
            _ => {}
        }
    }
    if found > limit { Err(Failure::TooMany) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;

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
