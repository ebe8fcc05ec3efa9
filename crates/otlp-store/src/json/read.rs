//! OTLP's messages, field by field. Every struct is written out whole, so that a
//! field that a new version of OTLP brings is a compile error here, not a loss.

use opentelemetry_proto::tonic::common::v1::any_value::Value as Any;
use opentelemetry_proto::tonic::common::v1::{
    AnyValue, ArrayValue, EntityRef, InstrumentationScope, KeyValue, KeyValueList,
};
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::span::{Event, Link};
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span, Status, TracesData};
use serde_json::json;

use super::OtlpJsonError;
use super::fields::Fields;

type Read<T> = Result<T, OtlpJsonError>;

pub(crate) fn traces(mut fields: Fields) -> Read<TracesData> {
    Ok(TracesData { resource_spans: fields.many("resourceSpans", resource_spans)? })
}

fn resource_spans(mut fields: Fields) -> Read<ResourceSpans> {
    Ok(ResourceSpans {
        resource: fields.one("resource", resource)?,
        scope_spans: fields.many("scopeSpans", scope_spans)?,
        schema_url: fields.text("schemaUrl")?,
    })
}

pub(crate) fn resource(mut fields: Fields) -> Read<Resource> {
    Ok(Resource {
        attributes: fields.many("attributes", key_value)?,
        dropped_attributes_count: fields.integer("droppedAttributesCount")?,
        entity_refs: fields.many("entityRefs", entity_ref)?,
    })
}

fn entity_ref(mut fields: Fields) -> Read<EntityRef> {
    Ok(EntityRef {
        schema_url: fields.text("schemaUrl")?,
        r#type: fields.text("type")?,
        id_keys: fields.texts("idKeys")?,
        description_keys: fields.texts("descriptionKeys")?,
    })
}

fn scope_spans(mut fields: Fields) -> Read<ScopeSpans> {
    Ok(ScopeSpans {
        scope: fields.one("scope", scope)?,
        spans: fields.many("spans", span)?,
        schema_url: fields.text("schemaUrl")?,
    })
}

pub(crate) fn scope(mut fields: Fields) -> Read<InstrumentationScope> {
    Ok(InstrumentationScope {
        name: fields.text("name")?,
        version: fields.text("version")?,
        attributes: fields.many("attributes", key_value)?,
        dropped_attributes_count: fields.integer("droppedAttributesCount")?,
    })
}

pub(crate) fn span(mut fields: Fields) -> Read<Span> {
    Ok(Span {
        trace_id: fields.hex("traceId")?,
        span_id: fields.hex("spanId")?,
        trace_state: fields.text("traceState")?,
        parent_span_id: fields.hex("parentSpanId")?,
        flags: fields.integer("flags")?,
        name: fields.text("name")?,
        kind: fields.integer("kind")?,
        start_time_unix_nano: fields.integer("startTimeUnixNano")?,
        end_time_unix_nano: fields.integer("endTimeUnixNano")?,
        attributes: fields.many("attributes", key_value)?,
        dropped_attributes_count: fields.integer("droppedAttributesCount")?,
        events: fields.many("events", event)?,
        dropped_events_count: fields.integer("droppedEventsCount")?,
        links: fields.many("links", link)?,
        dropped_links_count: fields.integer("droppedLinksCount")?,
        status: fields.one("status", status)?,
    })
}

fn event(mut fields: Fields) -> Read<Event> {
    Ok(Event {
        time_unix_nano: fields.integer("timeUnixNano")?,
        name: fields.text("name")?,
        attributes: fields.many("attributes", key_value)?,
        dropped_attributes_count: fields.integer("droppedAttributesCount")?,
    })
}

fn link(mut fields: Fields) -> Read<Link> {
    Ok(Link {
        trace_id: fields.hex("traceId")?,
        span_id: fields.hex("spanId")?,
        trace_state: fields.text("traceState")?,
        attributes: fields.many("attributes", key_value)?,
        dropped_attributes_count: fields.integer("droppedAttributesCount")?,
        flags: fields.integer("flags")?,
    })
}

fn status(mut fields: Fields) -> Read<Status> {
    Ok(Status { message: fields.text("message")?, code: fields.integer("code")? })
}

fn key_value(mut fields: Fields) -> Read<KeyValue> {
    Ok(KeyValue {
        key: fields.text("key")?,
        value: fields.one("value", any_value)?,
        // Means something in profiles only.
        key_strindex: 0,
    })
}

/// The first known kind of value; a sender sets one.
fn any_value(mut fields: Fields) -> Read<AnyValue> {
    let value = if let Some(text) = fields.optional_text("stringValue")? {
        Some(Any::StringValue(text))
    } else if let Some(bool) = fields.typed("boolValue", "a boolean", |value| value.as_bool())? {
        Some(Any::BoolValue(bool))
    } else if let Some(integer) = fields.optional_integer("intValue")? {
        Some(Any::IntValue(integer))
    } else if let Some(double) = fields.optional_double("doubleValue")? {
        Some(Any::DoubleValue(double))
    } else if let Some(values) =
        fields.one("arrayValue", |mut array| array.many("values", any_value))?
    {
        Some(Any::ArrayValue(ArrayValue { values }))
    } else if let Some(values) =
        fields.one("kvlistValue", |mut list| list.many("values", key_value))?
    {
        Some(Any::KvlistValue(KeyValueList { values }))
    } else {
        fields.typed("bytesValue", "base64", |value| bytes(value.as_str()?))?
    };
    Ok(AnyValue { value })
}

/// Base64 in either alphabet, padded or not, as protobuf's JSON allows;
/// `opentelemetry-proto` decodes the standard one, padded.
fn bytes(base64: &str) -> Option<Any> {
    let mut standard = base64.trim_end_matches('=').replace('-', "+").replace('_', "/");
    standard.extend(std::iter::repeat_n('=', standard.len().wrapping_neg() % 4));
    serde_json::from_value::<AnyValue>(json!({ "bytesValue": standard })).ok()?.value
}
