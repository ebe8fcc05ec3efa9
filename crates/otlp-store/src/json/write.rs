//! OTLP's messages as JSON. Every struct is destructured, so that a new field of
//! OTLP is a compile error here, not a loss.
//!
//! `opentelemetry-proto`'s serde could write them into a `serde_json::Value`, from
//! which nulls and defaults could be removed. But a hostile span of 16,000 empty
//! attributes takes 8 MB there; here a slow reader costs one page.

use std::fmt;
use std::io;

use opentelemetry_proto::tonic::common::v1::any_value::Value as Any;
use opentelemetry_proto::tonic::common::v1::{
    AnyValue, ArrayValue, EntityRef, InstrumentationScope, KeyValue, KeyValueList,
};
use opentelemetry_proto::tonic::logs::v1::LogRecord;
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::span::{Event, Link};
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span, Status, TracesData};
use serde::ser::{Serialize, SerializeMap, Serializer};
use serde_json::ser::Formatter;

/// A value as JSON in which every control character is escaped: the name of a
/// span must not control the terminal that shows it.
pub(crate) fn to_json(value: &impl Serialize) -> Result<Vec<u8>, serde_json::Error> {
    let mut json = Vec::new();
    append(&mut json, value)?;
    Ok(json)
}

/// The same, after what is there already.
pub(crate) fn append(json: &mut Vec<u8>, value: &impl Serialize) -> Result<(), serde_json::Error> {
    value.serialize(&mut serde_json::Serializer::with_formatter(json, Escaped))
}

/// Escapes DEL and the control characters U+0080 to U+009F, of which serde_json
/// knows nothing; some terminals obey them.
struct Escaped;

impl Formatter for Escaped {
    fn write_string_fragment<W: ?Sized + io::Write>(
        &mut self,
        writer: &mut W,
        mut fragment: &str,
    ) -> io::Result<()> {
        while let Some((at, control)) = fragment.char_indices().find(|(_, it)| it.is_control()) {
            writer.write_all(&fragment.as_bytes()[..at])?;
            write!(writer, "\\u{:04x}", u32::from(control))?;
            fragment = &fragment[at + control.len_utf8()..];
        }
        writer.write_all(fragment.as_bytes())
    }
}

/// A message of OTLP.
pub(crate) trait Message {
    /// Writes it as an object.
    fn write<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error>;
}

/// A message as JSON.
pub(crate) struct Otlp<'a, T>(pub(crate) &'a T);

impl<T: Message> Serialize for Otlp<'_, T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.write(serializer)
    }
}

/// Messages as a list.
struct List<'a, T>(&'a [T]);

impl<T: Message> Serialize for List<'_, T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.iter().map(Otlp))
    }
}

/// Bytes as hexadecimal digits.
struct Hex<'a>(&'a [u8]);

impl fmt::Display for Hex<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// An object that has a field only if it says something.
struct Object<M>(M);

impl<M: SerializeMap> Object<M> {
    fn of<S: Serializer<SerializeMap = M>>(serializer: S) -> Result<Self, S::Error> {
        serializer.serialize_map(None).map(Self)
    }

    fn always(mut self, name: &'static str, value: &impl Serialize) -> Result<Self, M::Error> {
        self.0.serialize_entry(name, value)?;
        Ok(self)
    }

    fn written(self, name: &'static str, value: &dyn fmt::Display) -> Result<Self, M::Error> {
        self.always(name, &format_args!("{value}"))
    }

    fn text(self, name: &'static str, text: &str) -> Result<Self, M::Error> {
        if text.is_empty() { Ok(self) } else { self.always(name, &text) }
    }

    fn number(self, name: &'static str, number: u32) -> Result<Self, M::Error> {
        if number == 0 { Ok(self) } else { self.always(name, &number) }
    }

    fn one(self, name: &'static str, message: Option<&impl Message>) -> Result<Self, M::Error> {
        match message {
            Some(message) => self.always(name, &Otlp(message)),
            None => Ok(self),
        }
    }

    fn many(self, name: &'static str, messages: &[impl Message]) -> Result<Self, M::Error> {
        if messages.is_empty() { Ok(self) } else { self.always(name, &List(messages)) }
    }

    fn texts(self, name: &'static str, texts: &[String]) -> Result<Self, M::Error> {
        if texts.is_empty() { Ok(self) } else { self.always(name, &texts) }
    }
}

/// How a message becomes an object.
macro_rules! object {
    ($message:ident { $($field:ident),* $(,)? } => |$object:ident| $written:expr) => {
        impl Message for $message {
            fn write<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                let Self { $($field),* } = self;
                let $object = Object::of(serializer)?;
                let written: Object<S::SerializeMap> = $written;
                written.0.end()
            }
        }
    };
}

object!(TracesData { resource_spans } => |it| it.many("resourceSpans", resource_spans)?);

object!(ResourceSpans { resource, scope_spans, schema_url } => |it| it
    .one("resource", resource.as_ref())?
    .many("scopeSpans", scope_spans)?
    .text("schemaUrl", schema_url)?);

object!(ScopeSpans { scope, spans, schema_url } => |it| it
    .one("scope", scope.as_ref())?
    .many("spans", spans)?
    .text("schemaUrl", schema_url)?);

object!(Resource { attributes, dropped_attributes_count, entity_refs } => |it| it
    .many("attributes", attributes)?
    .number("droppedAttributesCount", *dropped_attributes_count)?
    .many("entityRefs", entity_refs)?);

object!(EntityRef { schema_url, r#type, id_keys, description_keys } => |it| it
    .text("schemaUrl", schema_url)?
    .text("type", r#type)?
    .texts("idKeys", id_keys)?
    .texts("descriptionKeys", description_keys)?);

object!(InstrumentationScope { name, version, attributes, dropped_attributes_count } => |it| it
    .text("name", name)?
    .text("version", version)?
    .many("attributes", attributes)?
    .number("droppedAttributesCount", *dropped_attributes_count)?);

// What every reader looks for in a span is always there.
object!(Span {
    trace_id, span_id, trace_state, parent_span_id, flags, name, kind, start_time_unix_nano,
    end_time_unix_nano, attributes, dropped_attributes_count, events, dropped_events_count, links,
    dropped_links_count, status,
} => |it| it
    .written("traceId", &Hex(trace_id))?
    .written("spanId", &Hex(span_id))?
    .text("traceState", trace_state)?
    .written("parentSpanId", &Hex(parent_span_id))?
    .number("flags", *flags)?
    .always("name", name)?
    .always("kind", kind)?
    .written("startTimeUnixNano", start_time_unix_nano)?
    .written("endTimeUnixNano", end_time_unix_nano)?
    .many("attributes", attributes)?
    .number("droppedAttributesCount", *dropped_attributes_count)?
    .many("events", events)?
    .number("droppedEventsCount", *dropped_events_count)?
    .many("links", links)?
    .number("droppedLinksCount", *dropped_links_count)?
    .one("status", status.as_ref())?);

object!(Event { time_unix_nano, name, attributes, dropped_attributes_count } => |it| it
    .written("timeUnixNano", time_unix_nano)?
    .always("name", name)?
    .many("attributes", attributes)?
    .number("droppedAttributesCount", *dropped_attributes_count)?);

object!(Link { trace_id, span_id, trace_state, attributes, dropped_attributes_count, flags } => |it| it
    .written("traceId", &Hex(trace_id))?
    .written("spanId", &Hex(span_id))?
    .text("traceState", trace_state)?
    .many("attributes", attributes)?
    .number("droppedAttributesCount", *dropped_attributes_count)?
    .number("flags", *flags)?);

object!(Status { message, code } => |it| {
    let it = it.text("message", message)?;
    if *code == 0 { it } else { it.always("code", code)? }
});

object!(LogRecord {
    time_unix_nano, observed_time_unix_nano, severity_number, severity_text, body, attributes,
    dropped_attributes_count, flags, trace_id, span_id, event_name,
} => |it| it
    .written("timeUnixNano", time_unix_nano)?
    .written("observedTimeUnixNano", observed_time_unix_nano)?
    .always("severityNumber", severity_number)?
    .text("severityText", severity_text)?
    .one("body", body.as_ref())?
    .many("attributes", attributes)?
    .number("droppedAttributesCount", *dropped_attributes_count)?
    .number("flags", *flags)?
    .written("traceId", &Hex(trace_id))?
    .written("spanId", &Hex(span_id))?
    .text("eventName", event_name)?);

object!(KeyValue { key, value, key_strindex } => |it| {
    // Means something in profiles only.
    let _ = key_strindex;
    it.always("key", key)?.one("value", value.as_ref())?
});

impl Message for AnyValue {
    fn write<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        // Its own serde has base64.
        if let Some(Any::BytesValue(_)) = &self.value {
            return self.serialize(serializer);
        }
        let it = Object::of(serializer)?;
        let written = match &self.value {
            Some(Any::StringValue(text)) => it.always("stringValue", text)?,
            Some(Any::BoolValue(bool)) => it.always("boolValue", bool)?,
            Some(Any::IntValue(integer)) => it.written("intValue", integer)?,
            Some(Any::DoubleValue(double)) if double.is_finite() => {
                it.always("doubleValue", double)?
            }
            Some(Any::ArrayValue(array)) => it.one("arrayValue", Some(array))?,
            Some(Any::KvlistValue(list)) => it.one("kvlistValue", Some(list))?,
            // The last of these means something in profiles only.
            Some(Any::DoubleValue(_) | Any::BytesValue(_) | Any::StringValueStrindex(_)) | None => {
                it
            }
        };
        written.0.end()
    }
}

object!(ArrayValue { values } => |it| it.many("values", values)?);

object!(KeyValueList { values } => |it| it.many("values", values)?);
