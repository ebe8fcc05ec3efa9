#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use opentelemetry_proto::tonic::common::v1::any_value::Value as Any;
use opentelemetry_proto::tonic::common::v1::{AnyValue, ArrayValue, EntityRef, KeyValueList};
use opentelemetry_proto::tonic::trace::v1::span::{Event, Link};
use opentelemetry_proto::tonic::trace::v1::{Span, Status};
use prost::Message as _;
use serde_json::{Value, json};

use super::*;
use crate::error::ExportError;
use crate::signal::Signal;
use crate::testing::{TRACE, attribute, of_service, span, with_parent};

mod logs;
mod refusals;

fn read(value: Value) -> TracesData {
    parse_otlp_json(value.to_string().as_bytes()).unwrap()
}

fn parse_export(bytes: &[u8]) -> Result<TracesData, ExportError> {
    let transcoded = transcode(Signal::Spans, bytes, 1024 * 1024)?;
    Ok(TracesData::decode(&*transcoded.protobuf).expect("protobuf"))
}

fn read_span(span: Value) -> Result<Span, OtlpJsonError> {
    let whole = json!({"resourceSpans": [{"scopeSpans": [{"spans": [span]}]}]});
    let traces = parse_otlp_json(whole.to_string().as_bytes())?;
    Ok(traces.resource_spans[0].scope_spans[0].spans[0].clone())
}

fn read_value(value: Value) -> Result<Option<AnyValue>, OtlpJsonError> {
    let span = read_span(json!({"attributes": [{"key": "k", "value": value}]}))?;
    Ok(span.attributes[0].value.clone())
}

fn value(value: Value) -> Option<Any> {
    read_value(value).unwrap().unwrap().value
}

/// A trace with something in every field.
fn everything() -> TracesData {
    let values = vec![
        Any::StringValue("text".into()),
        Any::BoolValue(true),
        Any::IntValue(i64::MIN),
        Any::DoubleValue(0.5),
        Any::BytesValue(vec![0xfb, 0xff]),
        Any::ArrayValue(ArrayValue { values: vec![AnyValue { value: Some(Any::IntValue(1)) }] }),
        Any::ArrayValue(ArrayValue { values: vec![] }),
        Any::KvlistValue(KeyValueList { values: vec![attribute("k", Any::IntValue(2))] }),
    ];
    let mut attributes: Vec<_> = values.into_iter().map(|value| attribute("a", value)).collect();
    attributes.push(attribute("empty", Any::IntValue(0)));
    attributes.last_mut().unwrap().value = None;
    let id = span(TRACE, 7, "", 0..0);
    let full = Span {
        attributes: attributes.clone(),
        trace_state: "a=b".into(),
        flags: 257,
        kind: 2,
        dropped_attributes_count: 1,
        dropped_events_count: 2,
        dropped_links_count: 3,
        events: vec![Event {
            time_unix_nano: u64::MAX,
            name: "retry".into(),
            attributes: attributes.clone(),
            dropped_attributes_count: 4,
        }],
        links: vec![Link {
            trace_id: id.trace_id,
            span_id: id.span_id,
            trace_state: "c=d".into(),
            attributes: attributes.clone(),
            dropped_attributes_count: 5,
            flags: 1,
        }],
        status: Some(Status { message: "out of stock".into(), code: 2 }),
        ..with_parent(span(TRACE, 1, "POST /orders", 1_700_000_000_123_456_789..u64::MAX), 2)
    };
    let mut whole = of_service("order", vec![full, span(TRACE, 2, "bare", 1..2)]);
    whole.schema_url = "https://opentelemetry.io/schemas/1.40.0".into();
    whole.scope_spans[0].schema_url.clone_from(&whole.schema_url);
    whole.scope_spans[0].scope =
        Some(opentelemetry_proto::tonic::common::v1::InstrumentationScope {
            name: "scope".into(),
            version: "1".into(),
            attributes,
            dropped_attributes_count: 6,
        });
    let resource = whole.resource.as_mut().unwrap();
    resource.dropped_attributes_count = 7;
    resource.entity_refs = vec![EntityRef {
        schema_url: "u".into(),
        r#type: "service".into(),
        id_keys: vec!["service.name".into()],
        description_keys: vec!["service.version".into()],
    }];
    TracesData { resource_spans: vec![whole] }
}

#[test]
fn what_was_written_is_read_back_whole() {
    let written = write_otlp_json(&everything()).unwrap();
    assert_eq!(parse_otlp_json(&written).unwrap(), everything());
    assert_eq!(parse_export(&written).unwrap(), everything());
}

#[test]
fn what_is_written_has_hex_ids_string_integers_number_enums_and_no_nulls() {
    let text = String::from_utf8(write_otlp_json(&everything()).unwrap()).unwrap();
    for part in [
        r#""traceId":"0af7651916cd43dd8448eb211c80319c""#,
        r#""parentSpanId":"0000000000000002""#,
        r#""startTimeUnixNano":"1700000000123456789""#,
        r#""kind":2"#,
        r#""intValue":"-9223372036854775808""#,
        r#""bytesValue":"+/8=""#,
        r#"{"key":"empty"}"#,
    ] {
        assert!(text.contains(part), "{part} in {text}");
    }
    assert!(!text.contains("null"), "{text}");
}

#[test]
fn no_control_character_is_written_as_itself() {
    let control = "\u{0}\u{7}\u{1b}[2J\u{7f}\u{85}\u{9b}2J";
    let mut traces = everything();
    traces.resource_spans[0].scope_spans[0].spans[0].name = control.to_owned();
    let written = write_otlp_json(&traces).unwrap();
    let text = std::str::from_utf8(&written).unwrap();
    assert!(!text.contains(char::is_control), "{text}");
    assert!(text.contains(r"\u0000\u0007\u001b[2J\u007f\u0085\u009b2J"), "{text}");
    assert_eq!(parse_otlp_json(&written).unwrap(), traces);
}

#[test]
fn an_export_of_very_many_members_takes_about_its_own_size() {
    let members = r#"{"a":{}},"#.repeat(50_000);
    let spans = format!(r#"{{"name":"kept"}},{{"attributes":[{members}{{}}]}}"#);
    let json = format!(r#"{{"resourceSpans":[{{"scopeSpans":[{{"spans":[{spans}]}}]}}]}}"#);
    let Transcoded { protobuf, too_large } =
        transcode(Signal::Spans, json.as_bytes(), json.len()).unwrap();
    assert_eq!((protobuf.len() < 100, too_large), (true, 1), "the large span is left out");

    let spans = r#"{"attributes":[{}]},"#.repeat(10_000);
    let json = format!(r#"{{"resourceSpans":[{{"scopeSpans":[{{"spans":[{spans}{{}}]}}]}}]}}"#);
    let transcoded = transcode(Signal::Spans, json.as_bytes(), json.len()).unwrap();
    assert_eq!((transcoded.too_large, transcoded.protobuf.len() < json.len()), (0, true));
    let refused = transcode(Signal::Spans, json.as_bytes(), 1_000).unwrap_err();
    assert!(matches!(refused, ExportError::TooLarge { limit: 1_000 }), "{refused}");
}

#[test]
fn many_values_that_nest_deep_are_left_out_before_they_take_memory() {
    let export = |depth| {
        let open = r#"{"arrayValue":{"values":["#.repeat(depth);
        let value = format!("{open}{}{{}}{}", "{},".repeat(3_000), "]}}".repeat(depth));
        let span = format!(r#"{{"attributes":[{{"value":{value}}}]}}"#);
        let json = format!(r#"{{"resourceSpans":[{{"scopeSpans":[{{"spans":[{span}]}}]}}]}}"#);
        transcode(Signal::Spans, json.as_bytes(), 1024 * 1024).unwrap().too_large
    };
    assert_eq!([1, 3, 36].map(export), [0, 0, 1]);
}

#[test]
fn a_double_that_is_not_finite_is_written_as_an_empty_value() {
    let mut traces = everything();
    traces.resource_spans[0].scope_spans[0].spans[1].attributes =
        vec![attribute("ratio", Any::DoubleValue(f64::NAN))];
    let read = parse_otlp_json(&write_otlp_json(&traces).unwrap()).unwrap();
    let span = &read.resource_spans[0].scope_spans[0].spans[1];
    assert_eq!(span.attributes[0].value, Some(AnyValue { value: None }));
}

#[test]
fn jaegers_wrapper_is_opened_but_an_export_has_none() {
    let whole = serde_json::to_value(everything()).unwrap();
    let wrapped = json!({"result": whole}).to_string();
    assert_eq!(parse_otlp_json(wrapped.as_bytes()).unwrap(), everything());
    assert_eq!(parse_export(wrapped.as_bytes()).unwrap(), TracesData::default());
}

#[test]
fn what_the_javascript_sdk_sends_is_read() {
    let traces = read(json!({"resourceSpans": [{
        "resource": {
            "attributes": [{"key": "process.pid", "value": {"intValue": 7}}],
            "droppedAttributesCount": 0,
        },
        "scopeSpans": [{"scope": {"name": "http", "version": ""}, "spans": [{
            "traceId": "0AF7651916CD43DD8448EB211C80319C", "spanId": "b7ad6b7169203331",
            "name": "GET", "kind": 3, "startTimeUnixNano": "1700000000000000001",
            "endTimeUnixNano": 1_700_000_000_000_000_002_u64, "attributes": [],
            "droppedAttributesCount": 0, "events": [], "droppedEventsCount": 0,
            "status": {"code": 0}, "links": [], "droppedLinksCount": 0, "flags": 257,
        }]}],
    }]}));
    let span = &traces.resource_spans[0].scope_spans[0].spans[0];
    assert_eq!(span.trace_id, TRACE.to_be_bytes());
    assert_eq!((span.kind, span.flags), (3, 257));
    assert_eq!(span.start_time_unix_nano, 1_700_000_000_000_000_001);
    assert_eq!(span.end_time_unix_nano, 1_700_000_000_000_000_002);
}

#[test]
fn what_the_collector_sends_is_read() {
    let traces = read(
        json!({"resourceSpans": [{"resource": {}, "scopeSpans": [{"scope": {}, "spans": [{
            "traceId": "0af7651916cd43dd8448eb211c80319c", "spanId": "b7ad6b7169203331",
            "parentSpanId": "", "status": {}, "name": "GET",
            "attributes": [{"key": "list", "value": {"arrayValue": {}}}, {"key": "nothing", "value": {}}],
        }]}]}]}),
    );
    let span = &traces.resource_spans[0].scope_spans[0].spans[0];
    assert!(span.parent_span_id.is_empty());
    assert_eq!(span.status, Some(Status::default()));
    let list = Any::ArrayValue(ArrayValue::default());
    assert_eq!(span.attributes[0].value, Some(AnyValue { value: Some(list) }));
    assert_eq!(span.attributes[1].value, Some(AnyValue { value: None }));
}

#[test]
fn missing_fields_and_nulls_are_defaults() {
    assert_eq!(read(json!({})), TracesData::default());
    assert_eq!(read(json!({"resourceSpans": null})), TracesData::default());
    let null = json!({
        "traceId": null, "name": null, "kind": null, "startTimeUnixNano": null,
        "attributes": null, "status": null, "flags": null,
    });
    assert_eq!(read_span(null).unwrap(), Span::default());
    assert_eq!(read_span(json!({})).unwrap(), Span::default());
    let attribute = read_span(json!({"attributes": [{}]})).unwrap().attributes.remove(0);
    assert_eq!((attribute.key.as_str(), attribute.value), ("", None));
}

#[test]
fn an_entity_may_lack_what_is_not_known() {
    let traces =
        read(json!({"resourceSpans": [{"resource": {"entityRefs": [{"type": "service"}]}}]}));
    let entity = &traces.resource_spans[0].resource.as_ref().unwrap().entity_refs[0];
    assert_eq!(entity.r#type, "service");
}

#[test]
fn unknown_fields_are_ignored_whatever_they_hold() {
    let span = read_span(json!({"spanID": [[1]], "new": {"deep": [[null]]}, "name": "n"})).unwrap();
    assert_eq!(span.name, "n");
    assert_eq!(value(json!({"newValue": [[1]]})), None);
}

#[test]
fn integers_may_be_strings_or_numbers() {
    for five in [json!("5"), json!(5), json!(5.0), json!("+5")] {
        assert_eq!(value(json!({"intValue": five})), Some(Any::IntValue(5)), "{five}");
    }
    for nanos in [json!("1700000000000000000"), json!(1_700_000_000_000_000_000_u64), json!(1.7e18)]
    {
        let span = read_span(json!({"startTimeUnixNano": nanos})).unwrap();
        assert_eq!(span.start_time_unix_nano, 1_700_000_000_000_000_000, "{nanos}");
    }
    let span = read_span(json!({"endTimeUnixNano": u64::MAX.to_string(), "flags": "1"})).unwrap();
    assert_eq!((span.end_time_unix_nano, span.flags), (u64::MAX, 1));
    assert_eq!(value(json!({"intValue": i64::MIN.to_string()})), Some(Any::IntValue(i64::MIN)));
}

#[test]
fn every_kind_of_value_is_read() {
    assert_eq!(value(json!({"stringValue": ""})), Some(Any::StringValue(String::new())));
    assert_eq!(value(json!({"boolValue": false})), Some(Any::BoolValue(false)));
    for (double, expected) in [
        (json!(0.5), 0.5),
        (json!(2), 2.0),
        (json!("0.5"), 0.5),
        (json!("-Infinity"), f64::NEG_INFINITY),
    ] {
        assert_eq!(value(json!({"doubleValue": double})), Some(Any::DoubleValue(expected)));
    }
    let Some(Any::DoubleValue(nan)) = value(json!({"doubleValue": "NaN"})) else {
        panic!("no double")
    };
    assert!(nan.is_nan());
    for base64 in ["+/8=", "+/8", "-_8=", "-_8"] {
        assert_eq!(value(json!({"bytesValue": base64})), Some(Any::BytesValue(vec![0xfb, 0xff])));
    }
    assert_eq!(value(json!({"bytesValue": ""})), Some(Any::BytesValue(vec![])));
    let list =
        value(json!({"kvlistValue": {"values": [{"key": "k", "value": {"intValue": "2"}}]}}));
    let expected = KeyValueList { values: vec![attribute("k", Any::IntValue(2))] };
    assert_eq!(list, Some(Any::KvlistValue(expected)));
}

#[test]
fn a_value_within_a_value_is_read_as_leniently_as_any() {
    let values = json!([
        {"doubleValue": "NaN"}, {"intValue": 5.0}, {"arrayValue": {}}, {"arrayValue": null},
        {"kvlistValue": {"values": [{}, {"key": null, "value": {"bytesValue": "-_8"}}]}},
    ]);
    let Some(Any::ArrayValue(list)) = value(json!({"arrayValue": {"values": values}})) else {
        panic!("no list")
    };
    let [nan, five, empty, nothing, pairs] = list.values.as_slice() else { panic!("not five") };
    assert!(matches!(nan.value, Some(Any::DoubleValue(nan)) if nan.is_nan()));
    assert_eq!(five.value, Some(Any::IntValue(5)));
    assert_eq!(empty.value, Some(Any::ArrayValue(ArrayValue::default())));
    assert_eq!(nothing.value, None);
    let mut expected =
        vec![attribute("", Any::IntValue(0)), attribute("", Any::BytesValue(vec![0xfb, 0xff]))];
    expected[0].value = None;
    assert_eq!(pairs.value, Some(Any::KvlistValue(KeyValueList { values: expected })));
    let error = read_value(json!({"arrayValue": {"values": [[]]}})).unwrap_err().to_string();
    assert_eq!(error, "values: expected an object");
}
