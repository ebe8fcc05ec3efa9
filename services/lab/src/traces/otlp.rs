//! `POST /v1/traces`, after OTLP over HTTP
//! (<https://opentelemetry.io/docs/specs/otlp/#otlphttp>).

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use campuscafe_api::Problem;
use campuscafe_service::Refusal;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTracePartialSuccess;

use super::body;
use super::elements::MAX_ELEMENTS;
use super::format::{Format, RpcStatus};
use super::store::{Inserted, Limits, TraceStore};

/// Why an export was refused whole.
#[derive(Debug, thiserror::Error)]
pub(super) enum Failure {
    #[error("expected Content-Encoding gzip, identity or none")]
    UnsupportedEncoding,
    #[error("expected a body of at most {limit} bytes")]
    TooLarge { limit: usize },
    #[error("expected at most {MAX_ELEMENTS} spans, attributes and other messages")]
    TooMany,
    #[error("expected the whole body within {} s", body::TIME_LIMIT.as_secs())]
    TooSlow,
    #[error("expected an ExportTraceServiceRequest in the encoding that Content-Type names; {0}")]
    Malformed(String),
}

impl Failure {
    /// The HTTP status, and the `google.rpc.Code` closest to it.
    const fn codes(&self) -> (StatusCode, i32) {
        const INVALID_ARGUMENT: i32 = 3;
        const DEADLINE_EXCEEDED: i32 = 4;
        const RESOURCE_EXHAUSTED: i32 = 8;
        match self {
            Self::UnsupportedEncoding => (StatusCode::UNSUPPORTED_MEDIA_TYPE, INVALID_ARGUMENT),
            Self::TooLarge { .. } | Self::TooMany => {
                (StatusCode::PAYLOAD_TOO_LARGE, RESOURCE_EXHAUSTED)
            }
            Self::TooSlow => (StatusCode::REQUEST_TIMEOUT, DEADLINE_EXCEEDED),
            Self::Malformed(_) => (StatusCode::BAD_REQUEST, INVALID_ARGUMENT),
        }
    }

    fn response(&self, format: Format) -> Response {
        let (http, code) = self.codes();
        let mut response = format.failure(http, &RpcStatus { code, message: self.to_string() });
        if matches!(self, Self::UnsupportedEncoding) {
            // RFC 9110 15.5.16 wants a 415 to say which of the two it was about.
            response
                .headers_mut()
                .insert(header::ACCEPT_ENCODING, HeaderValue::from_static("gzip"));
        }
        response
    }
}

pub(super) async fn export(State(store): State<Arc<TraceStore>>, request: Request) -> Response {
    let Some(format) = Format::of(request.headers()) else { return neither_format() };
    match receive(&store, format, request).await {
        Ok(inserted) => format.success(partial_success(inserted, store.limits())),
        Err(failure) => failure.response(format),
    }
}

async fn receive(
    store: &TraceStore,
    format: Format,
    request: Request,
) -> Result<Inserted, Failure> {
    // Held until the spans are stored: what is read and decoded at one time is
    // bounded, however many senders there are.
    let _turn = store.turn().await;
    let body = body::read(request).await?;
    Ok(store.insert(format.read(&body)?))
}

/// None if every span was taken: OTLP wants the field unset then.
fn partial_success(inserted: Inserted, limits: Limits) -> Option<ExportTracePartialSuccess> {
    let Inserted { malformed, over_limit, .. } = inserted;
    let mut reasons = Vec::new();
    if malformed > 0 {
        reasons.push(format!(
            "{malformed} without a trace id of 16 bytes and a span id of 8 bytes that are not all zero"
        ));
    }
    if over_limit > 0 {
        let limit = limits.spans_per_trace;
        reasons.push(format!(
            "{over_limit} beyond the {limit} spans, or the {MAX_ELEMENTS} messages in them, that are kept of a trace"
        ));
    }
    let rejected_spans = i64::try_from(inserted.rejected()).unwrap_or(i64::MAX);
    let error_message = format!("spans refused: {}", reasons.join("; "));
    (rejected_spans > 0).then_some(ExportTracePartialSuccess { rejected_spans, error_message })
}

/// Whoever speaks neither format could not read an answer in one.
fn neither_format() -> Response {
    let accepted = Format::MEDIA_TYPES.join(", ");
    let problem = Problem::new(415, "unsupported-media-type", "Unsupported media type")
        .detail(format!("expected a Content-Type of {accepted}"));
    ([(header::ACCEPT, accepted)], Refusal::from(problem)).into_response()
}

#[cfg(test)]
mod tests;
