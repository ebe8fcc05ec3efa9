#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod logs;

use std::sync::atomic::{AtomicUsize, Ordering};

use opentelemetry_proto::tonic::common::v1::{InstrumentationScope, KeyValue};
use opentelemetry_proto::tonic::trace::v1::Span;
use prost::Message as _;

use super::*;
use crate::encoded::{COMPARED, DECODED};
use crate::limits::MAX_PART_DECODED;
use crate::testing::{TRACE, encoded, export, of_service, of_trace, span, span_names, trace_id};

fn store(limits: Limits) -> TraceStore {
    TraceStore::new(limits)
}

fn kept(store: &TraceStore) -> Vec<TraceId> {
    store.recent(usize::MAX).into_iter().map(|summary| summary.trace_id).collect()
}

#[test]
fn the_trace_that_arrived_first_is_evicted_by_count_even_if_it_grew_last() {
    let store = store(Limits { traces: 2, ..Limits::default() });
    for trace in [1, 2] {
        store.insert(&encoded(&of_trace(trace, 1)));
    }
    store.insert(&encoded(&of_trace(1, 2)));
    store.insert(&encoded(&of_trace(3, 1)));
    assert_eq!(kept(&store), [trace_id(3), trace_id(2)]);
    assert!(store.trace(trace_id(1)).is_none());
}

#[test]
fn the_trace_that_arrived_first_is_evicted_by_bytes() {
    let one = store(Limits::default());
    one.insert(&encoded(&of_trace(1, 1)));
    let bytes = one.contents().traces.bytes;
    let length = of_trace(1, 1).encoded_len();
    assert!(bytes > length + size_of::<EncodedSpan>(), "a span weighs more than its protobuf");

    let store = store(Limits { bytes: 2 * bytes, ..Limits::default() });
    for trace in [1, 2] {
        store.insert(&encoded(&of_trace(trace, 1)));
    }
    assert_eq!(kept(&store), [trace_id(2), trace_id(1)], "exactly at the bound is within it");
    store.insert(&encoded(&of_trace(3, 1)));
    assert_eq!(kept(&store), [trace_id(3), trace_id(2)]);
    assert_eq!(store.contents().traces.bytes, 2 * bytes);
}

#[test]
fn a_trace_is_found_by_what_it_holds_the_newest_first_and_not_beyond_the_newest() {
    let store = store(Limits::default());
    for trace in [1, 2, 3] {
        store.insert(&encoded(&of_trace(trace, 1)));
    }
    let has = |wanted: u8| {
        move |data: &TracesData| {
            let spans = data.resource_spans.iter().flat_map(|group| &group.scope_spans);
            spans.flat_map(|scope| &scope.spans).any(|span| span.trace_id.last() == Some(&wanted))
        }
    };
    let last = trace_id(2).to_string();
    let last = u8::from_str_radix(&last[30..], 16).unwrap();
    assert_eq!(store.find(2, has(last)), Some(trace_id(2)));
    assert_eq!(store.find(1, has(last)), None, "it is not the newest");
    assert_eq!(store.find(9, |_| true), Some(trace_id(3)));
}

#[test]
fn a_trace_larger_than_the_whole_store_is_not_kept() {
    let store = store(Limits { bytes: 10, ..Limits::default() });
    store.insert(&encoded(&of_trace(1, 1)));
    assert_eq!(kept(&store), []);
    let held = store.contents();
    assert_eq!((held.traces.bytes, held.traces.traces.len()), (0, 0));
}

#[test]
fn a_huge_resource_counts_even_if_its_span_is_tiny() {
    let store = store(Limits { bytes: 1_000, ..Limits::default() });
    let huge = "x".repeat(1_000);
    store.insert(&encoded(&export(vec![of_service(&huge, vec![span(TRACE, 1, "", 0..0)])])));
    assert_eq!(kept(&store), []);
}

#[test]
fn a_full_trace_refuses_new_spans_but_takes_new_versions_of_old_ones() {
    let store = store(Limits { spans_per_trace: 2, ..Limits::default() });
    for (id, accepted) in [(1, 1), (2, 1), (3, 0), (2, 1)] {
        let inserted = store.insert(&encoded(&of_trace(1, id)));
        assert_eq!((inserted.accepted, inserted.over_limit), (accepted, 1 - accepted));
    }
    let summary = store.recent(1).remove(0);
    assert_eq!((summary.spans, summary.dropped_spans), (2, 1));
}

#[test]
fn a_trace_is_full_when_reading_it_would_take_too_much() {
    let store = store(Limits::default());
    let attributes = vec![KeyValue::default(); MAX_PART_DECODED / size_of::<KeyValue>() - 1_000];
    let large = |id| {
        let span = Span { attributes: attributes.clone(), ..span(TRACE, id, "large", 1..2) };
        encoded(&export(vec![of_service("order", vec![span])]))
    };
    let accepted: Vec<_> = (1..=30).map(|id| store.insert(&large(id)).accepted).collect();
    let fit = accepted.iter().sum();
    assert!((20..30).contains(&fit), "{fit} spans of less than 1 MiB in 24 MiB");
    assert!(accepted.is_sorted_by(|earlier, later| earlier >= later), "{accepted:?}");
    let summary = store.recent(1).remove(0);
    assert_eq!((summary.spans, summary.dropped_spans), (fit, 30 - fit));
}

#[test]
fn a_trace_is_full_when_it_weighs_too_much() {
    let store = store(Limits { bytes_per_trace: 2_000, ..Limits::default() });
    let name = "x".repeat(500);
    let long = |id| {
        let spans = vec![span(TRACE, id, &name, 1..2)];
        encoded(&export(vec![of_service("order", spans)]))
    };
    let accepted: Vec<_> = (1..=4).map(|id| store.insert(&long(id)).accepted).collect();
    assert_eq!(accepted, [1, 0, 0, 0]);
    assert!(store.contents().traces.bytes <= 2_000);
    // The other bound counts every span; a trace can have many light ones.
    assert_eq!(store.insert(&encoded(&of_trace(TRACE, 9))).accepted, 1);
}

#[test]
fn what_comes_after_its_trace_was_evicted_does_not_push_out_whole_traces() {
    let store = store(Limits { traces: 100, ..Limits::default() });
    // Each trace's second span comes when 150 others have begun.
    let late = 150;
    let mut inserted = Inserted::default();
    for trace in 1..=1_000 {
        let first = store.insert(&encoded(&of_trace(trace, 1)));
        let second = store.insert(&encoded(&of_trace(trace.saturating_sub(late), 2)));
        inserted.evicted += first.evicted + second.evicted;
        inserted.evicted_traces += first.evicted_traces + second.evicted_traces;
        assert_eq!(second.rejected(), usize::from(trace <= late), "its sender has no part in that");
    }
    assert_eq!(inserted.evicted, 850);
    assert_eq!(inserted.evicted_traces, 900);
    let newest: Vec<_> = (901..=1_000).rev().map(trace_id).collect();
    assert_eq!(kept(&store), newest);
    for trace in 901..=1_000 {
        store.insert(&encoded(&of_trace(trace, 2)));
    }
    assert!(store.recent(100).iter().all(|summary| summary.spans == 2), "none is in part");
}

#[test]
fn listing_decodes_nothing() {
    let store = store(Limits::default());
    for trace in 1..=2_000 {
        store.insert(&encoded(&of_trace(trace, 1)));
    }
    let before = DECODED.get();
    let list = store.recent(2_000);
    assert_eq!((list.len(), DECODED.get() - before), (2_000, 0));
    assert_eq!((list[0].root.as_str(), list[0].service.as_str()), ("POST /orders", "order"));
    assert!(store.trace(trace_id(1)).is_some());
    assert_eq!(DECODED.get() - before, 2, "a resource and a span");
}

#[test]
fn a_trace_of_as_many_scopes_as_spans_takes_no_longer_than_one_of_few() {
    let store = store(Limits::default());
    let resource_spans = (1..=2_000).map(|id| {
        let mut spans = of_service(&format!("service {id}"), vec![span(TRACE, id, "a", id..id)]);
        spans.scope_spans[0].scope =
            Some(InstrumentationScope { name: format!("scope {id}"), ..Default::default() });
        spans
    });
    let export = encoded(&export(resource_spans.collect()));
    let compared = COMPARED.get();
    assert_eq!(store.insert(&export).accepted, 2_000);
    // Again, so that every scope is known, and replaced.
    assert_eq!(store.insert(&export).accepted, 2_000);
    assert_eq!(store.trace(trace_id(TRACE)).unwrap().resource_spans.len(), 2_000);
    let compared = COMPARED.get() - compared;
    assert!(compared < 50_000, "{compared} comparisons of fingerprints");
    let summary = store.recent(1).remove(0);
    assert_eq!((summary.spans, summary.services.len()), (2_000, 64));
}

#[test]
fn spans_without_a_valid_id_are_refused_and_counted() {
    let good = span(TRACE, 1, "good", 1..2);
    let broken = [
        (vec![1; 15], vec![1; 8]),
        (vec![0; 16], vec![1; 8]),
        (vec![1; 16], vec![1; 9]),
        (vec![1; 16], vec![0; 8]),
        (vec![], vec![]),
    ];
    let broken = broken.map(|(trace_id, span_id)| Span { trace_id, span_id, ..good.clone() });
    let store = store(Limits::default());
    let inserted =
        store.insert(&encoded(&export(vec![of_service("order", [&broken[..], &[good]].concat())])));
    assert_eq!(inserted, Inserted { accepted: 1, malformed: 5, ..Inserted::default() });
    assert_eq!((inserted.rejected(), kept(&store).len()), (5, 1));
}

#[test]
fn a_span_seen_again_replaces_the_first_and_its_bytes() {
    let (once, twice) = (store(Limits::default()), store(Limits::default()));
    let second = || export(vec![of_service("order", vec![span(TRACE, 1, "second", 1..2)])]);
    once.insert(&encoded(&second()));
    twice.insert(&encoded(&export(vec![of_service(
        "inventory",
        vec![span(TRACE, 1, "the first", 1..2)],
    )])));
    twice.insert(&encoded(&second()));
    assert_eq!(once.trace(trace_id(TRACE)), twice.trace(trace_id(TRACE)));
    assert_eq!(once.contents().traces.bytes, twice.contents().traces.bytes);
}

#[test]
fn a_trace_is_put_together_by_resource_and_scope_and_start() {
    let store = store(Limits::default());
    let mut client = of_service("order", vec![span(TRACE, 4, "d", 40..50)]);
    client.scope_spans[0].scope =
        Some(InstrumentationScope { name: "client".into(), ..Default::default() });
    store.insert(&encoded(&export(vec![of_service(
        "inventory",
        vec![span(TRACE, 3, "c", 30..40)],
    )])));
    store.insert(&encoded(&export(vec![of_service("order", vec![span(TRACE, 2, "b", 20..30)])])));
    store.insert(&encoded(&export(vec![
        client,
        of_service("order", vec![span(TRACE, 1, "a", 10..20)]),
    ])));
    let trace = store.trace(trace_id(TRACE)).unwrap();
    assert_eq!(trace.resource_spans.len(), 2, "one per resource, whatever the exports were");
    assert_eq!(trace.resource_spans[0].scope_spans.len(), 2, "one per scope");
    assert_eq!(span_names(&trace), ["a", "b", "d", "c"]);
}

#[tokio::test(start_paused = true)]
async fn waiting_ends_when_a_later_export_meets_the_condition() {
    let store = Arc::new(store(Limits::default()));
    let complete = |trace: &TracesData| (span_names(trace).len() == 2).then(|| span_names(trace));
    let id = trace_id(7);
    let waiting = tokio::spawn({
        let store = Arc::clone(&store);
        async move { store.wait_for(id, Duration::from_secs(5), complete).await }
    });
    for export in [of_trace(7, 1), of_trace(8, 1), of_trace(7, 2)] {
        // Lets the waiting task see each state on its own.
        tokio::task::yield_now().await;
        assert!(!waiting.is_finished());
        store.insert(&encoded(&export));
    }
    assert_eq!(waiting.await.unwrap().unwrap().len(), 2);
}

#[tokio::test(start_paused = true)]
async fn whoever_waits_for_one_trace_looks_at_it_only_when_it_has_changed() {
    let store = Arc::new(store(Limits::default()));
    store.insert(&encoded(&of_trace(7, 1)));
    let looks = Arc::new(AtomicUsize::new(0));
    let waiting = |id: u128, spans: usize| {
        let (store, looks) = (Arc::clone(&store), Arc::clone(&looks));
        tokio::spawn(async move {
            let complete = |trace: &TracesData| {
                looks.fetch_add(1, Ordering::Relaxed);
                (span_names(trace).len() == spans).then_some(())
            };
            store.wait_for(trace_id(id), Duration::from_secs(5), complete).await
        })
    };
    let (one, another) = (waiting(7, 2), waiting(7, 3));
    tokio::task::yield_now().await;
    for trace in 1..=1_000 {
        if trace != 7 {
            store.insert(&encoded(&of_trace(trace, 2)));
            tokio::task::yield_now().await;
        }
    }
    assert_eq!(looks.load(Ordering::Relaxed), 2, "once each, at the beginning");
    store.insert(&encoded(&of_trace(7, 2)));
    one.await.unwrap().unwrap();
    store.insert(&encoded(&of_trace(7, 3)));
    another.await.unwrap().unwrap();
    assert_eq!(looks.load(Ordering::Relaxed), 5);
    assert!(store.contents().awaited.is_empty(), "nobody waits any more");
}

#[tokio::test(start_paused = true)]
async fn waiting_for_what_is_there_takes_no_time() {
    let store = store(Limits::default());
    store.insert(&encoded(&of_trace(1, 1)));
    let found = store.wait_for(trace_id(1), Duration::ZERO, |_| Some(1)).await;
    assert_eq!(found.unwrap(), 1);
}

#[tokio::test(start_paused = true)]
async fn waiting_ends_at_the_deadline_with_what_is_there() {
    let store = store(Limits::default());
    let begin = tokio::time::Instant::now();
    let never = |_: &TracesData| None::<()>;
    let missed = store.wait_for(trace_id(1), Duration::from_secs(5), never).await.unwrap_err();
    assert!(missed.last.is_none());
    assert_eq!(begin.elapsed(), Duration::from_secs(5));
    store.insert(&encoded(&of_trace(1, 1)));
    let missed = store.wait_for(trace_id(1), Duration::from_secs(5), never).await.unwrap_err();
    assert_eq!(span_names(&missed.last.unwrap()).len(), 1);
}

#[test]
fn a_panic_elsewhere_does_not_make_the_store_panic() {
    let store = store(Limits::default());
    std::thread::scope(|scope| {
        let poisoner = scope.spawn(|| {
            let _held = store.contents();
            panic!("on purpose");
        });
        assert!(poisoner.join().is_err());
    });
    assert!(store.contents.is_poisoned());
    assert_eq!(store.insert(&encoded(&of_trace(1, 1))).accepted, 1);
}
