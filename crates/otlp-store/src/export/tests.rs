#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value as Any;
use opentelemetry_proto::tonic::common::v1::{
    AnyValue, ArrayValue, EntityRef, InstrumentationScope, KeyValue, KeyValueList,
};
use opentelemetry_proto::tonic::logs::v1::{LogRecord, ResourceLogs, ScopeLogs};
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::span::{Event, Link};
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span, Status};
use prost::Message as _;

use super::*;
use crate::limits::{MAX_PART_BYTES, MAX_PART_DECODED};
use crate::testing::{attribute, checked, checked_of, encoded, of_service, span};

const EXPORT: Message = Message::Export(Signal::Spans);

fn text(text: &str) -> AnyValue {
    AnyValue { value: Some(Any::StringValue(text.to_owned())) }
}

fn pair() -> KeyValue {
    attribute("key", Any::StringValue("value".to_owned()))
}

/// An export in which every field of every message is set, and how many
/// messages it holds.
fn everything() -> (ExportTraceServiceRequest, usize) {
    let plain = [
        Any::BoolValue(true),
        Any::IntValue(-1),
        Any::DoubleValue(0.5),
        Any::BytesValue(vec![255, 0]),
        Any::StringValueStrindex(3),
    ];
    let list = Any::ArrayValue(ArrayValue { values: vec![text("ä"), text("")] });
    let pairs = Any::KvlistValue(KeyValueList { values: vec![pair()] });
    let indexed = KeyValue { key_strindex: 7, ..pair() };
    let mut attributes = vec![attribute("list", list), attribute("pairs", pairs), indexed];
    attributes.extend(plain.into_iter().map(|value| attribute("plain", value)));
    let span = Span {
        trace_id: vec![1; 16],
        span_id: vec![2; 8],
        trace_state: "a=b".to_owned(),
        parent_span_id: vec![3; 8],
        flags: 257,
        name: "commit reservation".to_owned(),
        kind: 2,
        start_time_unix_nano: u64::MAX,
        end_time_unix_nano: 5,
        attributes,
        dropped_attributes_count: 1,
        events: vec![Event {
            time_unix_nano: 4,
            name: "client.disconnected".to_owned(),
            attributes: vec![pair()],
            dropped_attributes_count: 2,
        }],
        dropped_events_count: 3,
        links: vec![Link {
            trace_id: vec![4; 16],
            span_id: vec![5; 8],
            trace_state: "c=d".to_owned(),
            attributes: vec![pair()],
            dropped_attributes_count: 4,
            flags: 1,
        }],
        dropped_links_count: 5,
        status: Some(Status { message: "late".to_owned(), code: 2 }),
    };
    let entity = EntityRef {
        schema_url: "entity".to_owned(),
        r#type: "service".to_owned(),
        id_keys: vec!["service.name".to_owned()],
        description_keys: vec!["service.version".to_owned()],
    };
    let resource = Resource {
        attributes: vec![pair()],
        dropped_attributes_count: 6,
        entity_refs: vec![entity],
    };
    let scope = InstrumentationScope {
        name: "campuscafe".to_owned(),
        version: "1".to_owned(),
        attributes: vec![pair()],
        dropped_attributes_count: 7,
    };
    let scope_spans =
        ScopeSpans { scope: Some(scope), spans: vec![span], schema_url: "scope".to_owned() };
    let resource_spans = ResourceSpans {
        resource: Some(resource),
        scope_spans: vec![scope_spans],
        schema_url: "resource".to_owned(),
    };
    let pairs = 13 * (size_of::<KeyValue>() + size_of::<AnyValue>());
    let values = 2 * size_of::<AnyValue>() + size_of::<(ArrayValue, KeyValueList)>();
    let parts = size_of::<(Resource, EntityRef, InstrumentationScope)>();
    let spans = size_of::<Span>() + size_of::<(Event, Link)>() + size_of::<Status>();
    let lists = size_of::<(ExportTraceServiceRequest, ResourceSpans, ScopeSpans)>();
    let export = ExportTraceServiceRequest { resource_spans: vec![resource_spans] };
    (export, pairs + values + parts + spans + lists)
}

/// The spans of an export.
fn spans_of(export: &Export) -> Vec<(TraceId, SpanId, EncodedSpan)> {
    export.spans().map(|span| span.expect("a span that fits")).collect()
}

/// The export again, from its parts, one `ResourceSpans` for each span.
fn decoded(export: &Export) -> ExportTraceServiceRequest {
    let resource_spans = spans_of(export).into_iter().map(|(_, _, span)| {
        let (resource, scope) = (&span.scope.resource.head, &span.scope.head);
        let scope_spans = ScopeSpans {
            scope: scope.message.as_ref().map(|it| it.decode().expect("a scope")),
            spans: vec![span.message.decode().expect("a span")],
            schema_url: scope.schema_url.clone(),
        };
        ResourceSpans {
            resource: resource.message.as_ref().map(|it| it.decode().expect("a resource")),
            scope_spans: vec![scope_spans],
            schema_url: resource.schema_url.clone(),
        }
    });
    ExportTraceServiceRequest { resource_spans: resource_spans.collect() }
}

#[test]
fn what_was_encoded_is_decoded_to_the_last_field() {
    let (export, _) = everything();
    let encoded = encoded(&export);
    assert_eq!(decoded(&encoded), export);
    let (trace_id, span_id, span) = spans_of(&encoded).remove(0);
    assert_eq!((span.start_unix_nano, span.end_unix_nano), (u64::MAX, 5));
    assert_eq!((trace_id.as_bytes(), span_id.as_bytes()), (&[1; 16], &[2; 8]));
    assert_eq!(span.parent.unwrap().as_bytes(), &[3; 8]);
    assert_eq!(span.name(), "commit reservation");
    assert_eq!(span.scope.resource.service, "unknown_service");
}

#[test]
fn every_message_counts_wherever_it_stands() {
    let (export, size) = everything();
    let body = export.encode_to_vec();
    let whole = body.len() + size;
    assert_eq!(decoded_size(&body, EXPORT, whole).unwrap(), whole);
    let refused = decoded_size(&body, EXPORT, whole - 1);
    assert!(matches!(refused, Err(ExportError::TooLargeDecoded)));
    let (_, _, span) = spans_of(&checked(&body).unwrap()).remove(0);
    let outside = size_of::<(ExportTraceServiceRequest, ResourceSpans, ScopeSpans)>();
    let parts = span.message.decoded_size + span.scope.decoded_size();
    // The keys and lengths of the parts, and the schema URLs, belong to none of them.
    assert!((outside..outside + 64).contains(&(whole - parts)));
}

#[test]
fn what_is_larger_than_any_that_is_kept_is_refused_and_the_rest_is_taken() {
    let many = vec![KeyValue::default(); MAX_PART_DECODED / size_of::<KeyValue>()];
    let long = "x".repeat(MAX_PART_BYTES);
    let sound = span(1, 1, "sound", 1..2);
    let spans = vec![
        Span { attributes: many.clone(), ..sound.clone() },
        Span { name: long.clone(), ..sound.clone() },
        sound.clone(),
    ];
    let mut wide = of_service("order", vec![sound.clone()]);
    wide.resource.as_mut().unwrap().attributes = many;
    let mut linked = of_service("order", vec![sound.clone()]);
    linked.schema_url = long.clone() + "x";
    let mut scoped = of_service("order", vec![sound]);
    scoped.scope_spans[0].scope = Some(InstrumentationScope { name: long, ..Default::default() });
    let resource_spans = vec![of_service("order", spans), wide, linked, scoped];
    let encoded = encoded(&ExportTraceServiceRequest { resource_spans });
    let taken: Vec<_> = encoded.spans().map(Result::err).collect();
    let large = Some(Rejection::TooLarge);
    assert_eq!(taken, [large, large, None, large, large, large]);
}

#[test]
fn a_name_is_cut_where_a_list_would_grow_with_it() {
    let name = "ä".repeat(256);
    let export = ExportTraceServiceRequest {
        resource_spans: vec![of_service(&name, vec![span(1, 1, &name, 1..2)])],
    };
    let (_, _, span) = spans_of(&encoded(&export)).remove(0);
    assert_eq!(span.name(), "ä".repeat(128));
    assert_eq!(span.scope.resource.service, "ä".repeat(128));
}

/// An item is decoded when somebody looks at it. Its sender is gone by then, and
/// cannot be told that it is broken.
#[test]
fn whatever_is_taken_can_be_decoded() {
    damaged(&everything().0.encode_to_vec(), |body| {
        for (_, _, EncodedSpan { message, scope, .. }) in checked(body)?.spans().flatten() {
            assert!(decodes(&scope) && message.decode::<Span>().is_some(), "{body:?}");
        }
        assert!(ExportTraceServiceRequest::decode(body).is_ok(), "{body:?}");
        Ok(())
    });
    damaged(&everything_logged().encode_to_vec(), |body| {
        let export = checked_of(Signal::Logs, body)?;
        for (_, EncodedRecord { message, scope, .. }) in export.records().flatten() {
            assert!(decodes(&scope) && message.decode::<LogRecord>().is_some(), "{body:?}");
        }
        assert!(ExportLogsServiceRequest::decode(body).is_ok(), "{body:?}");
        Ok(())
    });
}

fn decodes(scope: &ScopeKey) -> bool {
    let resource = scope.resource.head.message.as_ref();
    let resource = resource.is_none_or(|it| it.decode::<Resource>().is_some());
    let scope = scope.head.message.as_ref();
    resource && scope.is_none_or(|it| it.decode::<InstrumentationScope>().is_some())
}

/// Tries an export with some of its bytes changed, very often.
fn damaged(sound: &[u8], mut take: impl FnMut(&[u8]) -> Result<(), ExportError>) {
    let mut random = 1_u64;
    let mut below = |limit: usize| {
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        usize::try_from(random >> 33).unwrap() % limit
    };
    let (mut taken, mut refused) = (0, 0);
    for _ in 0..50_000 {
        let mut body = sound.to_vec();
        for _ in 0..=below(3) {
            let at = below(body.len());
            match below(4) {
                0 => body[at] = u8::try_from(below(256)).unwrap(),
                1 => body[at] ^= 1 << below(8),
                2 => drop(body.remove(at)),
                _ => body.insert(at, u8::try_from(below(256)).unwrap()),
            }
        }
        match take(&body) {
            Ok(()) => taken += 1,
            Err(ExportError::Malformed(_)) => refused += 1,
            Err(other) => panic!("{other}"),
        }
    }
    assert!(taken > 5_000 && refused > 5_000, "{taken} taken, {refused} refused");
}

/// An export in which every field of a log record is set.
fn everything_logged() -> ExportLogsServiceRequest {
    let span = everything().0.resource_spans.remove(0);
    let attributes = span.scope_spans[0].spans[0].attributes.clone();
    let log_record = LogRecord {
        time_unix_nano: 1,
        observed_time_unix_nano: 2,
        severity_number: 9,
        severity_text: "INFO".to_owned(),
        body: attributes[0].value.clone(),
        attributes,
        dropped_attributes_count: 3,
        flags: 1,
        trace_id: vec![1; 16],
        span_id: vec![2; 8],
        event_name: "commit".to_owned(),
    };
    let scope = span.scope_spans[0].scope.clone();
    let scope_logs =
        ScopeLogs { scope, log_records: vec![log_record], schema_url: "scope".to_owned() };
    let resource_logs = ResourceLogs {
        resource: span.resource,
        scope_logs: vec![scope_logs],
        schema_url: "resource".to_owned(),
    };
    ExportLogsServiceRequest { resource_logs: vec![resource_logs] }
}

#[test]
fn every_message_of_a_log_record_counts_and_none_is_lost() {
    let export = everything_logged();
    let body = export.encode_to_vec();
    let taken = checked_of(Signal::Logs, &body).unwrap();
    let (trace_id, record) = taken.records().next().unwrap().unwrap();
    assert_eq!((trace_id.as_bytes(), record.at_unix_nano), (&[1; 16], 1));
    let sent = &export.resource_logs[0].scope_logs[0].log_records[0];
    assert_eq!(record.message.decode::<LogRecord>().as_ref(), Some(sent));
    let pairs = 9 * (size_of::<KeyValue>() + size_of::<AnyValue>());
    let values =
        4 * size_of::<AnyValue>() + 2 * size_of::<ArrayValue>() + size_of::<KeyValueList>();
    let own = size_of::<LogRecord>() + size_of::<AnyValue>();
    assert_eq!(record.message.decoded_size, sent.encoded_len() + own + pairs + values);
}

#[test]
fn what_ends_early_or_is_no_protobuf_is_malformed_and_never_a_panic() {
    let body = everything().0.encode_to_vec();
    for end in 1..body.len() {
        let short = checked(&body[..end]);
        assert!(matches!(short, Err(ExportError::Malformed(_))), "{end}");
    }
    for broken in [
        &b"\x0a"[..],
        b"\x0a\x05",
        b"\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff",
        b"\x0b",
        b"\x08\x00",
        b"\x00\x00",
        b"\x09\x00",
    ] {
        let broken = checked(broken);
        assert!(matches!(broken, Err(ExportError::Malformed(_))), "{broken:?}");
    }
}

#[test]
fn values_that_nest_without_end_are_malformed() {
    let nested = |depth| {
        let nest = |inner, _| AnyValue {
            value: Some(Any::ArrayValue(ArrayValue { values: vec![inner] })),
        };
        let value = Some((0..depth).fold(text("core"), nest));
        let attributes = vec![KeyValue { key: "deep".to_owned(), value, key_strindex: 0 }];
        let spans = vec![Span { attributes, ..span(1, 1, "deep", 1..2) }];
        let scope_spans = vec![ScopeSpans { spans, ..ScopeSpans::default() }];
        let resource_spans = vec![ResourceSpans { scope_spans, ..ResourceSpans::default() }];
        let body = ExportTraceServiceRequest { resource_spans }.encode_to_vec();
        checked(&body)
    };
    let _ = decoded(&nested(40).unwrap());
    for depth in [50, 1_000] {
        assert!(matches!(nested(depth), Err(ExportError::Malformed(_))));
    }
}
