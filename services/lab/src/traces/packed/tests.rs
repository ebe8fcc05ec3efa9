#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value as Any;
use opentelemetry_proto::tonic::common::v1::{
    AnyValue, ArrayValue, EntityRef, InstrumentationScope, KeyValue, KeyValueList,
};
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::span::{Event, Link};
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span, Status};
use prost::Message as _;

use std::cell::Cell;

use super::super::elements::MAX_ELEMENTS;
use super::super::export::Export;
use super::super::otlp::Failure;
use super::super::testing::{attribute, checked, of_service, packed, span};
use super::*;

thread_local! {
    /// How many messages this thread has unpacked.
    pub(in crate::traces) static DECODED: Cell<usize> = const { Cell::new(0) };
    /// How many pairs of origins this thread has compared.
    pub(in crate::traces) static COMPARED: Cell<usize> = const { Cell::new(0) };
}

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
    // Resource spans 1; resource 1, pair 2, entity 1; scope spans 1; scope 1, pair 2;
    // span 1; list: pair 2, list 1, texts 2; pairs: pair 2, pairs 1, pair 2; indexed 2;
    // plain 5 times 2; event 1, pair 2; link 1, pair 2; status 1.
    let count = 1 + 4 + 1 + 3 + 1 + 5 + 5 + 2 + 10 + 3 + 3 + 1;
    (ExportTraceServiceRequest { resource_spans: vec![resource_spans] }, count)
}

/// The spans of an export.
fn spans_of(export: &Export) -> Vec<(Arc<Origin>, PackedSpan)> {
    export.spans().map(|(origin, span)| (origin, span.expect("a span that fits"))).collect()
}

/// The export again, from its parts, one `ResourceSpans` for each span.
fn unpacked(export: &Export) -> ExportTraceServiceRequest {
    let resource_spans = spans_of(export).into_iter().map(|(origin, span)| ResourceSpans {
        resource: origin.source.resource.as_ref().map(|it| it.decode().expect("a resource")),
        scope_spans: vec![ScopeSpans {
            scope: origin.scope.as_ref().map(|it| it.decode().expect("a scope")),
            spans: vec![span.packed.decode().expect("a span")],
            schema_url: origin.schema_url.clone(),
        }],
        schema_url: origin.source.schema_url.clone(),
    });
    ExportTraceServiceRequest { resource_spans: resource_spans.collect() }
}

#[test]
fn what_was_packed_is_unpacked_to_the_last_field() {
    let (export, _) = everything();
    let packed = packed(&export);
    assert_eq!(unpacked(&packed), export);
    let (origin, span) = spans_of(&packed).remove(0);
    assert_eq!((span.start_unix_nano, span.end_unix_nano), (u64::MAX, 5));
    assert_eq!((span.trace_id.as_bytes(), span.span_id.as_bytes()), (&[1; 16], &[2; 8]));
    assert_eq!(span.parent.unwrap().as_bytes(), &[3; 8]);
    assert_eq!(span.packed.text(&span.name), "commit reservation");
    assert_eq!(origin.source.service, "unknown_service");
}

#[test]
fn every_message_counts_wherever_it_stands() {
    let (export, count) = everything();
    let body = export.encode_to_vec();
    let packed = checked(&body, count).unwrap();
    let (origin, span) = spans_of(&packed).remove(0);
    let outside = 2;
    assert_eq!(origin.elements() + span.packed.elements + outside, count);
    assert!(matches!(checked(&body, count - 1), Err(Failure::TooMany)));
}

#[test]
fn what_is_larger_than_any_that_is_kept_is_refused_and_the_rest_is_taken() {
    let many = vec![KeyValue::default(); MAX_PART_ELEMENTS];
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
    let packed = packed(&ExportTraceServiceRequest { resource_spans });
    let taken: Vec<_> = packed.spans().map(|(_, span)| span.err()).collect();
    let large = Some(Unfit::TooLarge);
    assert_eq!(taken, [large, large, None, large, large, large]);
}

#[test]
fn a_name_is_cut_where_a_list_would_grow_with_it() {
    let name = "ä".repeat(MAX_NAME);
    let export = ExportTraceServiceRequest {
        resource_spans: vec![of_service(&name, vec![span(1, 1, &name, 1..2)])],
    };
    let (origin, span) = spans_of(&packed(&export)).remove(0);
    assert_eq!(span.packed.text(&span.name), "ä".repeat(MAX_NAME / 2));
    assert_eq!(origin.source.service, "ä".repeat(MAX_NAME / 2));
}

/// A span is unpacked when somebody looks at it, and then nobody can be told
/// any more that it is broken.
#[test]
fn whatever_is_taken_can_be_unpacked() {
    let sound = everything().0.encode_to_vec();
    let mut random = 1_u64;
    let mut below = |limit: usize| {
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        usize::try_from(random >> 33).unwrap() % limit
    };
    let (mut taken, mut refused) = (0, 0);
    for _ in 0..100_000 {
        let mut body = sound.clone();
        for _ in 0..=below(3) {
            let at = below(body.len());
            match below(4) {
                0 => body[at] = u8::try_from(below(256)).unwrap(),
                1 => body[at] ^= 1 << below(8),
                2 => drop(body.remove(at)),
                _ => body.insert(at, u8::try_from(below(256)).unwrap()),
            }
        }
        match checked(&body, MAX_ELEMENTS) {
            Ok(packed) => {
                taken += 1;
                for (origin, span) in packed.spans() {
                    let parts =
                        origin.source.resource.iter().map(|it| it.decode::<Resource>().is_some());
                    let scopes =
                        origin.scope.iter().map(|it| it.decode::<InstrumentationScope>().is_some());
                    let spans = span.iter().map(|it| it.packed.decode::<Span>().is_some());
                    assert!(parts.chain(scopes).chain(spans).all(|decoded| decoded), "{body:?}");
                }
                assert!(ExportTraceServiceRequest::decode(&*body).is_ok(), "{body:?}");
            }
            Err(Failure::Malformed(_)) => refused += 1,
            Err(other) => panic!("{other}"),
        }
    }
    assert!(taken > 10_000 && refused > 10_000, "{taken} taken, {refused} refused");
}

#[test]
fn what_ends_early_or_is_no_protobuf_is_malformed_and_never_a_panic() {
    let body = everything().0.encode_to_vec();
    for end in 1..body.len() {
        let short = checked(&body[..end], MAX_ELEMENTS);
        assert!(matches!(short, Err(Failure::Malformed(_))), "{end}");
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
        let broken = checked(broken, MAX_ELEMENTS);
        assert!(matches!(broken, Err(Failure::Malformed(_))), "{broken:?}");
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
        checked(&body, MAX_ELEMENTS)
    };
    let _ = unpacked(&nested(40).unwrap());
    for depth in [50, 1_000] {
        assert!(matches!(nested(depth), Err(Failure::Malformed(_))));
    }
}
