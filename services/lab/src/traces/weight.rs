//! What a span takes in memory, near enough to bound the store honestly: its
//! encoded length alone would let two bytes stand for some hundred.

use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue};
use opentelemetry_proto::tonic::trace::v1::Span;
use opentelemetry_proto::tonic::trace::v1::span::{Event, Link};
use prost::Message as _;

/// The text and bytes of a span, plus the fixed parts of everything in it; in bytes.
pub(super) fn of_span(span: &Span) -> usize {
    let events = span.events.iter();
    let links = span.links.iter();
    span.encoded_len()
        + size_of::<Span>()
        + of_pairs(&span.attributes)
        + events.map(|event| size_of::<Event>() + of_pairs(&event.attributes)).sum::<usize>()
        + links.map(|link| size_of::<Link>() + of_pairs(&link.attributes)).sum::<usize>()
}

/// The fixed parts of attributes, and of whatever nests in them; in bytes.
pub(super) fn of_pairs(pairs: &[KeyValue]) -> usize {
    let nested = |pair: &KeyValue| pair.value.as_ref().map_or(0, of_nested);
    pairs.iter().map(|pair| size_of::<KeyValue>() + nested(pair)).sum()
}

fn of_nested(value: &AnyValue) -> usize {
    match &value.value {
        Some(Value::ArrayValue(list)) => {
            list.values.iter().map(|value| size_of::<AnyValue>() + of_nested(value)).sum()
        }
        Some(Value::KvlistValue(list)) => of_pairs(&list.values),
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use opentelemetry_proto::tonic::common::v1::ArrayValue;

    use super::*;

    #[test]
    fn whatever_is_empty_still_weighs_what_it_takes() {
        let empty = of_span(&Span::default());
        assert!(empty >= size_of::<Span>());
        let pairs = Span { attributes: vec![KeyValue::default(); 10], ..Span::default() };
        assert!(of_span(&pairs) >= empty + 10 * size_of::<KeyValue>());
        let events = Span { events: vec![Event::default(); 10], ..Span::default() };
        assert!(of_span(&events) >= empty + 10 * size_of::<Event>());
        let list = ArrayValue { values: vec![AnyValue::default(); 10] };
        let nested = KeyValue {
            value: Some(AnyValue { value: Some(Value::ArrayValue(list)) }),
            ..KeyValue::default()
        };
        let nested = Span { attributes: vec![nested], ..Span::default() };
        assert!(of_span(&nested) >= empty + 10 * size_of::<AnyValue>());
    }
}
