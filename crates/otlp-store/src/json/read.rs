//! Protobuf's JSON mapping (<https://protobuf.dev/programming-guides/json/>) for
//! `opentelemetry-proto`'s serde.
//!
//! Its serde refuses what exporters send: `null`, an absent list, `"NaN"`,
//! unpadded base64, digits in a string or a number where it wants the other. It
//! also takes a list for an object. A [`Field`] stands between it and the JSON.

use serde::de::value::{Error, MapDeserializer, SeqDeserializer};
use serde::de::{DeserializeOwned, Deserializer, Error as _, IntoDeserializer, Visitor};
use serde::forward_to_deserialize_any;
use serde_json::{Map, Number, Value};

use super::OtlpJsonError;

/// Reads what stands in a field; of a list of messages, one of them.
pub(super) fn read<T: DeserializeOwned>(name: &str, value: Value) -> Result<T, OtlpJsonError> {
    let kind = match Kind::of(name) {
        Kind::Messages => Kind::Message,
        kind => kind,
    };
    let field = Field { name: name.to_owned(), kind, value };
    T::deserialize(field).map_err(|error| OtlpJsonError::Shape(error.to_string()))
}

/// What a field of OTLP holds. A name means the same in every message.
#[derive(Clone, Copy)]
enum Kind {
    Message,
    Messages,
    Text,
    Texts,
    Hex,
    Base64,
    Bool,
    Double,
    U32,
    U64,
    I32,
    I64,
    Unknown,
}

impl Kind {
    fn of(name: &str) -> Self {
        match name {
            "the whole" | "result" | "resource" | "scope" | "status" | "value" | "arrayValue"
            | "kvlistValue" | "body" => Self::Message,
            "resourceSpans" | "scopeSpans" | "spans" | "attributes" | "events" | "links"
            | "values" | "entityRefs" | "logRecords" => Self::Messages,
            "schemaUrl" | "name" | "version" | "type" | "traceState" | "message" | "key"
            | "stringValue" | "severityText" | "eventName" => Self::Text,
            "idKeys" | "descriptionKeys" => Self::Texts,
            "traceId" | "spanId" | "parentSpanId" => Self::Hex,
            "bytesValue" => Self::Base64,
            "boolValue" => Self::Bool,
            "doubleValue" => Self::Double,
            "flags" | "droppedAttributesCount" | "droppedEventsCount" | "droppedLinksCount" => {
                Self::U32
            }
            "startTimeUnixNano" | "endTimeUnixNano" | "timeUnixNano" | "observedTimeUnixNano" => {
                Self::U64
            }
            "kind" | "code" | "severityNumber" => Self::I32,
            "intValue" => Self::I64,
            _ => Self::Unknown,
        }
    }

    const fn expected(self) -> &'static str {
        match self {
            Self::Message => "an object",
            Self::Messages => "an array",
            Self::Text => "a string",
            Self::Texts => "strings",
            Self::Hex => "hexadecimal digits in pairs",
            Self::Base64 => "base64",
            Self::Bool => "a boolean",
            Self::Double => "a number",
            Self::U32 | Self::U64 | Self::I32 | Self::I64 => {
                "an integer within the field's range, as a number or a string"
            }
            Self::Unknown => "anything",
        }
    }
}

/// A field of a message, as serde reads it.
struct Field {
    name: String,
    kind: Kind,
    value: Value,
}

impl<'de> Deserializer<'de> for Field {
    type Error = Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        let Self { name, kind, value } = self;
        let wrong = || Error::custom(format_args!("{name}: expected {}", kind.expected()));
        let items = |kind| {
            let name = name.clone();
            move |value| Self { name: name.clone(), kind, value }
        };
        match (kind, value) {
            (Kind::Message, Value::Object(members)) => {
                visitor.visit_map(MapDeserializer::new(fields(&name, members)))
            }
            (Kind::Messages, Value::Array(list)) => {
                visitor.visit_seq(SeqDeserializer::new(list.into_iter().map(items(Kind::Message))))
            }
            (Kind::Texts, Value::Array(list)) => {
                visitor.visit_seq(SeqDeserializer::new(list.into_iter().map(items(Kind::Text))))
            }
            (Kind::Text, Value::String(text)) => visitor.visit_string(text),
            (Kind::Hex, Value::String(hex)) if is_hex(&hex) => visitor.visit_string(hex),
            (Kind::Base64, Value::String(text)) => {
                visitor.visit_string(standard_base64(&text).ok_or_else(wrong)?)
            }
            (Kind::Bool, Value::Bool(bool)) => visitor.visit_bool(bool),
            (Kind::Double, value) => visitor.visit_f64(double(&value).ok_or_else(wrong)?),
            (Kind::U32, value) => visitor.visit_u32(integer(&value).ok_or_else(wrong)?),
            (Kind::U64, value) => visitor.visit_u64(integer(&value).ok_or_else(wrong)?),
            (Kind::I32, value) => visitor.visit_i32(integer(&value).ok_or_else(wrong)?),
            (Kind::I64, value) => visitor.visit_i64(integer(&value).ok_or_else(wrong)?),
            (Kind::Unknown, _) => visitor.visit_unit(),
            _ => Err(wrong()),
        }
    }

    /// Fields that are `null` never get here.
    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_some(self)
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_unit()
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit
        unit_struct newtype_struct seq tuple tuple_struct map struct enum identifier
    }
}

impl IntoDeserializer<'_> for Field {
    type Deserializer = Self;

    fn into_deserializer(self) -> Self {
        self
    }
}

/// The members of an object that stands in a field: without those that are null,
/// and with empty ones where serde would miss them.
fn fields(name: &str, mut members: Map<String, Value>) -> impl Iterator<Item = (String, Field)> {
    let required: &[&str] = match name {
        "the whole" | "result" => &["resourceSpans"],
        "arrayValue" | "kvlistValue" => &["values"],
        "attributes" | "values" => &["key"],
        "entityRefs" => &["schemaUrl", "type", "idKeys", "descriptionKeys"],
        _ => &[],
    };
    members.retain(|_, value| !value.is_null());
    for &name in required {
        let empty = || match Kind::of(name) {
            Kind::Text => Value::String(String::new()),
            _ => Value::Array(Vec::new()),
        };
        members.entry(name).or_insert_with(empty);
    }
    members
        .into_iter()
        .map(|(name, value)| (name.clone(), Field { kind: Kind::of(&name), name, value }))
}

fn is_hex(text: &str) -> bool {
    text.len().is_multiple_of(2) && text.bytes().all(|digit| digit.is_ascii_hexdigit())
}

/// Protobuf's JSON allows either alphabet, padded or not.
fn standard_base64(text: &str) -> Option<String> {
    let mut standard = text.trim_end_matches('=').replace('-', "+").replace('_', "/");
    let known = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/');
    let whole = standard.bytes().all(known) && standard.len() % 4 != 1;
    standard.extend(std::iter::repeat_n('=', standard.len().wrapping_neg() % 4));
    whole.then_some(standard)
}

fn double(value: &Value) -> Option<f64> {
    match value {
        Value::String(text) => text.parse().ok(),
        value => value.as_f64(),
    }
}

fn integer<T: TryFrom<i128>>(value: &Value) -> Option<T> {
    // JavaScript writes large integers as `1.7e18`. Too large a number saturates,
    // and so stays out of every field's range.
    let whole = |number: &Number| {
        let number = number.as_f64().filter(|number| number.fract() == 0.0)?;
        Some(number as i128)
    };
    let integer = match value {
        Value::String(text) => text.parse().ok(),
        Value::Number(number) => number.as_i128().or_else(|| whole(number)),
        _ => None,
    };
    T::try_from(integer?).ok()
}
