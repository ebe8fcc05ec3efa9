//! What every refusal must be.

use serde_json::Value;

use crate::cafe::Answer;

/// Whether a value is 32 hexadecimal digits.
#[must_use]
pub fn is_hex_id(value: &Value) -> bool {
    let digits = |text: &str| text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
    value.as_str().is_some_and(|text| text.len() == 32 && digits(text))
}

/// Fails unless the answer is a problem after RFC 9457 whose detail has this in it.
///
/// # Panics
///
/// When it is not.
#[track_caller]
pub fn assert_problem_without_trace(case: &str, answer: &Answer, status: u16, tells: &str) {
    let body = &answer.body;
    assert_eq!(answer.status, status, "{case}: {body}");
    let media_type = answer.headers.get("content-type").and_then(|value| value.to_str().ok());
    assert_eq!(media_type, Some("application/problem+json"), "{case}: {body}");
    assert_eq!(body["status"], status, "{case}: {body}");
    assert!(answer.text("type").starts_with("urn:problem-type:campuscafe:"), "{case}: {body}");
    assert!(!answer.text("title").is_empty(), "{case}: {body}");
    assert!(!answer.text("detail").is_empty(), "{case}: {body}");
    assert!(answer.text("detail").contains(tells), "{case}: no {tells:?} in {body}");
}

/// The same, of a call that is traced.
///
/// # Panics
///
/// When it is not.
#[track_caller]
pub fn assert_problem(case: &str, answer: &Answer, status: u16, tells: &str) {
    assert_problem_without_trace(case, answer, status, tells);
    assert!(is_hex_id(&answer.body["traceId"]), "{case}: no trace id in {}", answer.body);
}
