//! Log records in OTLP's JSON.

use opentelemetry_proto::tonic::logs::v1::{LogRecord, LogsData, ResourceLogs, ScopeLogs};

use super::*;

fn export(log_record: &Value) -> String {
    json!({"resourceLogs": [{"scopeLogs": [{"logRecords": [log_record]}]}]}).to_string()
}

fn read_record(record: &Value) -> Result<LogRecord, ExportError> {
    let transcoded = transcode(Signal::Logs, export(record).as_bytes(), 1024 * 1024)?;
    let logs = LogsData::decode(&*transcoded.protobuf).expect("protobuf");
    Ok(logs.resource_logs[0].scope_logs[0].log_records[0].clone())
}

#[test]
fn a_log_record_that_was_written_is_read_back_whole() {
    let spans = everything().resource_spans.remove(0);
    let attributes = spans.scope_spans[0].spans[0].attributes.clone();
    let full = LogRecord {
        time_unix_nano: u64::MAX,
        observed_time_unix_nano: 5,
        severity_number: 17,
        severity_text: "ERROR".into(),
        body: attributes[6].value.clone(),
        attributes,
        dropped_attributes_count: 1,
        flags: 257,
        trace_id: vec![1; 16],
        span_id: vec![2; 8],
        event_name: "retry".into(),
    };
    let written = to_json(&Otlp(&full)).unwrap();
    let written: Value = serde_json::from_slice(&written).unwrap();
    assert_eq!(read_record(&written).unwrap(), full);
    assert_eq!(written["traceId"], "01010101010101010101010101010101");
    assert_eq!(written["timeUnixNano"], u64::MAX.to_string());
    let bare = serde_json::from_slice(&to_json(&Otlp(&LogRecord::default())).unwrap()).unwrap();
    assert_eq!(read_record(&bare).unwrap(), LogRecord::default());
}

#[test]
fn a_log_record_is_read_as_leniently_as_a_span() {
    let record = read_record(&json!({
        "timeUnixNano": 1.7e18, "severityNumber": "9", "severityText": null, "new": [[1]],
        "body": {"stringValue": "reserved"}, "traceId": "0AF7651916CD43DD8448EB211C80319C",
    }));
    let record = record.unwrap();
    assert_eq!((record.time_unix_nano, record.severity_number), (1_700_000_000_000_000_000, 9));
    assert_eq!(record.body.unwrap().value, Some(Any::StringValue("reserved".into())));
    assert_eq!(record.trace_id, TRACE.to_be_bytes());
    for (wrong, tells) in [
        (json!({"body": "reserved"}), "body: expected an object"),
        (json!({"traceId": "xy"}), "traceId: expected hexadecimal digits in pairs"),
        (json!([]), "logRecords: expected an object"),
    ] {
        let error = read_record(&wrong).unwrap_err().to_string();
        assert!(error.ends_with(tells), "{error}");
    }
}

#[test]
fn an_export_of_the_other_kind_is_one_of_nothing() {
    let spans = write_otlp_json(&everything()).unwrap();
    assert!(transcode(Signal::Logs, &spans, 1024).unwrap().protobuf.is_empty());
    let logs = export(&json!({"severityText": "INFO"}));
    assert_eq!(parse_export(logs.as_bytes()).unwrap(), TracesData::default());
    let logs = LogsData {
        resource_logs: vec![ResourceLogs {
            scope_logs: vec![ScopeLogs::default()],
            ..ResourceLogs::default()
        }],
    };
    let empty = br#"{"resourceLogs":[{"scopeLogs":[{}]}]}"#;
    let transcoded = transcode(Signal::Logs, empty, 1024).unwrap();
    assert_eq!(LogsData::decode(&*transcoded.protobuf).unwrap(), logs);
}
