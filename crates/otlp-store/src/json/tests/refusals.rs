//! What is refused, and by which words.

use super::*;

#[test]
fn an_export_is_refused_by_the_name_of_the_field_that_is_wrong() {
    for (export, expected) in [
        (json!([]), "the whole: expected an object"),
        (json!({"resourceSpans": {}}), "resourceSpans: expected an array"),
        (json!({"resourceSpans": [[]]}), "resourceSpans: expected an object"),
        (json!({"resourceSpans": [{"resource": []}]}), "resource: expected an object"),
        (json!({"resourceSpans": [{"schemaUrl": 5}]}), "schemaUrl: expected a string"),
        (json!({"resourceSpans": [{"scopeSpans": [null]}]}), "scopeSpans: expected an object"),
        (json!({"resourceSpans": [{"scopeSpans": [{"spans": [5]}]}]}), "spans: expected an object"),
    ] {
        let error = parse_export(export.to_string().as_bytes()).unwrap_err().to_string();
        assert!(error.ends_with(expected), "{error}");
    }
}

#[test]
fn a_known_field_that_holds_something_else_is_refused_by_name() {
    for (field, wrong) in [
        ("traceId", json!("0af")),
        ("spanId", json!("b7ad6b71692033zz")),
        ("parentSpanId", json!(5)),
        ("name", json!(5)),
        ("kind", json!("SPAN_KIND_SERVER")),
        ("kind", json!(1.5)),
        ("flags", json!(-1)),
        ("startTimeUnixNano", json!(-1)),
        ("startTimeUnixNano", json!(1e30)),
        ("startTimeUnixNano", json!({"low": 1, "high": 2})),
        ("attributes", json!({})),
        ("events", json!([[]])),
        ("status", json!([])),
    ] {
        let error = read_span(json!({field: wrong})).unwrap_err().to_string();
        assert!(error.starts_with(&format!("{field}: expected ")), "{error}");
    }
    for (kind, wrong) in [
        ("intValue", json!("9223372036854775808")),
        ("intValue", json!("five")),
        ("doubleValue", json!("much")),
        ("boolValue", json!("true")),
        ("bytesValue", json!("!")),
        ("arrayValue", json!([])),
    ] {
        let error = read_value(json!({kind: wrong})).unwrap_err().to_string();
        assert!(error.starts_with(&format!("{kind}: expected ")), "{error}");
    }
}

#[test]
fn what_is_no_json_object_is_refused() {
    for garbage in [
        "",
        " ",
        "[]",
        "5",
        "null",
        "\"text\"",
        "{",
        "{} {}",
        "{\"resourceSpans\": [[]]}",
        "\u{feff}{}",
        "{\"a\": NaN}",
    ] {
        assert!(parse_otlp_json(garbage.as_bytes()).is_err(), "{garbage}");
        assert!(parse_export(garbage.as_bytes()).is_err(), "{garbage}");
    }
    assert!(parse_otlp_json(&[0xff, 0xfe]).is_err());
}

#[test]
fn json_nested_without_end_is_refused_without_exhausting_the_stack() {
    let deep = 100_000;
    let unknown = format!("{{\"x\":{}{}}}", "[".repeat(deep), "]".repeat(deep));
    assert!(matches!(parse_otlp_json(unknown.as_bytes()), Err(OtlpJsonError::Syntax(_))));
    // Unknown fields are skipped; the receiver looks at the depth beforehand.
    assert_eq!(parse_export(unknown.as_bytes()).unwrap(), TracesData::default());
    let nest = |levels| {
        let value = format!(
            "{}{{}}{}",
            "{\"arrayValue\":{\"values\":[".repeat(levels),
            "]}}".repeat(levels)
        );
        format!(
            "{{\"resourceSpans\":[{{\"resource\":{{\"attributes\":[{{\"value\":{value}}}]}}}}]}}"
        )
    };
    assert!(matches!(parse_otlp_json(nest(deep).as_bytes()), Err(OtlpJsonError::Syntax(_))));
    assert!(parse_export(nest(deep).as_bytes()).is_err());
    assert!(parse_otlp_json(nest(30).as_bytes()).is_ok());
    assert!(parse_export(nest(30).as_bytes()).is_ok());
}
