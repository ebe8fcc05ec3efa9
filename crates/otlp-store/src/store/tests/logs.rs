//! Log records beside the spans of their trace.

use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;

use super::*;
use crate::testing::{encoded_logs, logs, messages, record};

fn line(trace: u128, message: &str) -> ExportLogsServiceRequest {
    logs("order", vec![record(trace, 1, message, 1)])
}

fn logged(store: &TraceStore, trace: u128) -> Option<Vec<String>> {
    store.logs(trace_id(trace)).as_ref().map(messages)
}

#[test]
fn log_records_are_kept_with_their_trace_whichever_comes_first_and_evicted_with_it() {
    let store = store(Limits { traces: 2, ..Limits::default() });
    store.insert_logs(&encoded_logs(&line(1, "before the span")));
    assert_eq!((kept(&store), store.trace(trace_id(1))), (vec![], None), "no trace yet");
    store.insert(&encoded(&of_trace(1, 1)));
    store.insert_logs(&encoded_logs(&line(1, "after the span")));
    assert_eq!(kept(&store), [trace_id(1)]);
    assert_eq!(logged(&store, 1).unwrap(), ["before the span", "after the span"]);
    assert_eq!(store.contents().waiting.bytes, 0);

    for trace in [2, 3] {
        store.insert(&encoded(&of_trace(trace, 1)));
    }
    assert_eq!((kept(&store).len(), logged(&store, 1)), (2, None));
    let late = store.insert_logs(&encoded_logs(&line(1, "too late")));
    assert_eq!((late.accepted, late.evicted, late.rejected()), (0, 1, 0));
    assert_eq!(logged(&store, 1), None);
}

#[test]
fn log_records_are_ordered_by_time_and_by_arrival_where_it_is_the_same() {
    let store = store(Limits::default());
    let mut observed = record(TRACE, 1, "third", 0);
    observed.observed_time_unix_nano = 30;
    let records = vec![
        observed,
        record(TRACE, 1, "second", 20),
        record(TRACE, 2, "second, too", 20),
        record(TRACE, 1, "first", 10),
    ];
    store.insert_logs(&encoded_logs(&logs("order", records)));
    assert_eq!(logged(&store, TRACE).unwrap(), ["first", "second", "second, too", "third"]);
}

#[test]
fn a_trace_has_room_for_so_many_log_records_and_bytes_and_they_leave_room_for_spans() {
    let few = store(Limits { logs_per_trace: 2, ..Limits::default() });
    for (message, accepted) in [("one", 1), ("two", 1), ("three", 0)] {
        let inserted = few.insert_logs(&encoded_logs(&line(1, message)));
        assert_eq!((inserted.accepted, inserted.rejected()), (accepted, 1 - accepted));
    }
    assert_eq!(logged(&few, 1).unwrap(), ["one", "two"]);
    few.insert(&encoded(&of_trace(1, 1)));
    let summary = few.recent(1).remove(0);
    assert_eq!((summary.spans, summary.dropped_spans), (1, 0), "they are not counted as spans");

    let limits = Limits { log_bytes_per_trace: 4_000, bytes_per_trace: 8_000, ..Limits::default() };
    let small = store(limits);
    let long = "x".repeat(1_000);
    let accepted: Vec<_> =
        (0..6).map(|_| small.insert_logs(&encoded_logs(&line(1, &long))).accepted).collect();
    assert!(accepted.is_sorted_by(|earlier, later| earlier >= later), "{accepted:?}");
    assert_eq!(accepted.iter().sum::<usize>(), 3, "of more than 1,000 bytes each");
    assert_eq!(small.insert(&encoded(&of_trace(1, 1))).accepted, 1);
}

#[test]
fn log_records_count_against_the_bound_of_the_store() {
    let without = store(Limits::default());
    without.insert(&encoded(&of_trace(1, 1)));
    let bytes = without.contents().traces.bytes;
    let long = "x".repeat(1_000);
    let store = store(Limits { bytes: bytes + 500, ..Limits::default() });
    store.insert(&encoded(&of_trace(1, 1)));
    assert_eq!(store.insert_logs(&encoded_logs(&line(1, &long))).evicted_traces, 1);
    assert_eq!((kept(&store), store.contents().traces.bytes), (vec![], 0));
}

#[test]
fn a_flood_of_log_records_of_unknown_traces_evicts_no_trace_and_is_bounded() {
    let store = store(Limits { traces: 10, ..Limits::default() });
    for trace in 1..=10 {
        store.insert(&encoded(&of_trace(trace, 1)));
        store.insert_logs(&encoded_logs(&line(trace, "kept")));
    }
    let long = "x".repeat(1_000);
    for trace in 1_001..=6_000 {
        let inserted = store.insert_logs(&encoded_logs(&line(trace, &long)));
        assert_eq!((inserted.accepted, inserted.evicted_traces), (1, 0));
    }
    assert_eq!(kept(&store).len(), 10);
    assert!((1..=10).all(|trace| logged(&store, trace).unwrap() == ["kept"]));
    let waiting = store.contents().waiting.bytes;
    assert!((MAX_WAITING_BYTES / 2..=MAX_WAITING_BYTES).contains(&waiting), "{waiting}");
    assert_eq!((logged(&store, 1_001), logged(&store, 6_000)), (None, Some(vec![long])));

    let inserted = store.insert(&encoded(&of_trace(1_001, 1)));
    assert_eq!(inserted.accepted, 1, "its log records are gone, and its spans are welcome");
    for trace in 10_001..=19_000 {
        let inserted = store.insert_logs(&encoded_logs(&line(trace, "")));
        assert_eq!(inserted.accepted, 1);
        // Its log records are taken from where they waited.
        store.insert(&encoded(&of_trace(trace, 1)));
    }
    let contents = store.contents();
    let length = contents.waiting.newest().count();
    assert!(length <= MAX_WAITING, "{length} ids");
}

#[test]
fn a_log_record_without_a_trace_id_is_counted_and_not_kept() {
    let store = store(Limits::default());
    let none = [vec![], vec![0; 16], vec![1; 15]];
    let mut records: Vec<_> = none
        .map(|trace_id| opentelemetry_proto::tonic::logs::v1::LogRecord {
            trace_id,
            ..record(TRACE, 1, "of no trace", 1)
        })
        .into();
    records.push(record(TRACE, 0, "of no span", 1));
    let inserted = store.insert_logs(&encoded_logs(&logs("order", records)));
    assert_eq!(inserted, Inserted { accepted: 1, without_trace: 3, ..Inserted::default() });
    assert_eq!(
        (inserted.rejected(), logged(&store, TRACE).unwrap()),
        (0, vec!["of no span".into()])
    );
}
