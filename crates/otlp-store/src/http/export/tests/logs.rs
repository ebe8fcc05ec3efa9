//! Exports of log records: as those of spans, but for what is in them.

use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceResponse;
use opentelemetry_proto::tonic::logs::v1::LogsData;

use super::*;
use crate::testing::{get, messages};

const PATH: &str = "/v1/logs";
const TRACE_PATH: &str = "/api/traces/0af7651916cd43dd8448eb211c80319c/logs";

/// Two log records of one span, as protobuf and as JSON.
fn both() -> [(&'static str, Vec<u8>); 2] {
    let records = vec![record(TRACE, 1, "attempt 1", 10), record(TRACE, 1, "attempt 2", 20)];
    let json = json!({"resourceLogs": [{
        "resource": {"attributes": [{"key": "service.name", "value": {"stringValue": "order"}}]},
        "scopeLogs": [{"logRecords": records.iter().map(|record| json!({
            "timeUnixNano": record.time_unix_nano.to_string(), "severityText": "INFO",
            "traceId": "0af7651916cd43dd8448eb211c80319c", "spanId": "0000000000000001",
            "body": record.body,
        })).collect::<Vec<_>>()}],
    }]});
    let protobuf = logs("order", records).encode_to_vec();
    [(PROTOBUF, protobuf), (JSON, json.to_string().into_bytes())]
}

#[tokio::test]
async fn log_records_are_the_same_in_both_formats_compressed_or_not_and_are_handed_out() {
    let mut all = Vec::new();
    for (media_type, body) in both() {
        for (encoding, body) in [("identity", body.clone()), ("gzip", gzip(&body))] {
            let store = store();
            let headers = [("content-type", media_type), ("content-encoding", encoding)];
            let answer = post_to(PATH, &store, &headers, body).await;
            assert_eq!((answer.status, answer.content_type()), (StatusCode::OK, media_type));
            assert_eq!(answer.body, if media_type == JSON { &b"{}"[..] } else { b"" });
            let handed_out = get(&store, TRACE_PATH).await;
            assert_eq!((handed_out.status, handed_out.content_type()), (StatusCode::OK, JSON));
            let again: Arc<TraceStore> = Arc::default();
            let headers = [("content-type", JSON)];
            post_to(PATH, &again, &headers, handed_out.body).await;
            for store in [store, again] {
                all.push(store.logs(trace_id(TRACE)).expect("log records"));
            }
        }
    }
    assert_eq!(messages(&all[0]), ["attempt 1", "attempt 2"]);
    let [first, rest @ ..] = &all[..] else { panic!("none") };
    assert_eq!(rest.len(), 7);
    assert!(rest.iter().all(|logs| logs == first), "{all:#?}");
}

#[tokio::test]
async fn a_trace_without_log_records_has_none_and_an_unknown_one_is_a_404() {
    let store = store();
    post_as(&store, PROTOBUF, protobuf()).await;
    let none = get(&store, TRACE_PATH).await;
    assert_eq!((none.status, &*none.body), (StatusCode::OK, &br#"{"resourceLogs":[]}"#[..]));
    let unknown = get(&store, "/api/traces/00000000000000000000000000000001/logs").await;
    assert_eq!(unknown.status, StatusCode::NOT_FOUND);
    assert!(String::from_utf8_lossy(&unknown.body).contains("no span and no log record"));
    assert_eq!(get(&store, "/api/traces/x/logs").await.status, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn log_records_that_were_refused_are_explained_and_those_of_no_trace_are_not() {
    let limits = Limits { logs_per_trace: 1, ..Limits::default() };
    let why = "log records refused: 1 beyond the limits of one trace: 1 log records, 262144 bytes, \
               or 25165824 bytes decoded";
    for (media_type, body) in both() {
        let store = Arc::new(TraceStore::new(limits));
        let answer = post_to(PATH, &store, &[("content-type", media_type)], body).await;
        assert_eq!(answer.status, StatusCode::OK);
        if media_type == JSON {
            let response: Value = serde_json::from_slice(&answer.body).unwrap();
            let told = json!({"rejectedLogRecords": "1", "errorMessage": why});
            assert_eq!(response["partialSuccess"], told);
        } else {
            let response = ExportLogsServiceResponse::decode(&*answer.body).unwrap();
            let partial = response.partial_success.unwrap();
            assert_eq!((partial.rejected_log_records, &*partial.error_message), (1, why));
        }
    }
    let body = logs("order", vec![record(0, 0, "the service listens", 1)]).encode_to_vec();
    let answer = post_to(PATH, &store(), &[("content-type", PROTOBUF)], body).await;
    assert_eq!((answer.status, answer.body.len()), (StatusCode::OK, 0));
}

#[tokio::test]
async fn garbage_is_no_log_record_whatever_kind_of_garbage_it_is() {
    for (media_type, body) in both() {
        let truncated = body[..body.len() - 3].to_vec();
        // A body whose text is not UTF-8.
        let mut broken = body.clone();
        let at = broken.windows(4).position(|four| four == b"INFO").unwrap();
        broken[at] = 0xff;
        for garbage in [truncated, broken] {
            let answer = post_to(PATH, &store(), &[("content-type", media_type)], garbage).await;
            assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{media_type}");
            assert_eq!(failure(&answer, media_type).code, 3);
        }
        let other = post_to(PATH, &store(), &[("content-type", "text/plain")], body).await;
        assert_eq!(other.status, StatusCode::UNSUPPORTED_MEDIA_TYPE);
    }
    let decoded = LogsData::decode(&*both()[0].1).unwrap();
    assert_eq!(messages(&decoded).len(), 2, "what was broken was sound before");
}
