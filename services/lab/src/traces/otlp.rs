//! `POST /v1/traces`, after OTLP over HTTP
//! (<https://opentelemetry.io/docs/specs/otlp/#otlphttp>).

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use campuscafe_api::Problem;
use campuscafe_service::ProblemResponse;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTracePartialSuccess;

use super::body::{self, Received};
use super::budget::Busy;
use super::elements::{MAX_ELEMENTS, MAX_PART_BYTES, MAX_PART_ELEMENTS};
use super::format::{Format, RpcStatus};
use super::json::OtlpJsonError;
use super::receiver::Receiver;
use super::store::{Inserted, Limits};

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
    #[error("expected the whole body; {0}")]
    Interrupted(String),
    #[error("expected an ExportTraceServiceRequest in the encoding that Content-Type names; {0}")]
    Malformed(String),
    #[error(
        "too many exports are being read; nothing was done for this one, so it can be sent again after {RETRY_AFTER} s"
    )]
    Busy,
}

/// When an export that found no room may be sent again, in seconds.
const RETRY_AFTER: u64 = 1;

impl From<Busy> for Failure {
    fn from(_: Busy) -> Self {
        Self::Busy
    }
}

impl From<OtlpJsonError> for Failure {
    fn from(error: OtlpJsonError) -> Self {
        Self::Malformed(error.to_string())
    }
}

impl Failure {
    /// The reason for what is neither of the formats, or packed in another way.
    pub(super) const UNSUPPORTED: &'static str = "unsupported";

    /// Every reason, for series that must exist from the start.
    pub(super) const REASONS: [&'static str; 6] =
        [Self::UNSUPPORTED, "too_large", "too_slow", "interrupted", "malformed", "busy"];

    const fn reason(&self) -> &'static str {
        match self {
            Self::UnsupportedEncoding => Self::UNSUPPORTED,
            Self::TooLarge { .. } | Self::TooMany => "too_large",
            Self::TooSlow => "too_slow",
            Self::Interrupted(_) => "interrupted",
            Self::Malformed(_) => "malformed",
            Self::Busy => "busy",
        }
    }

    /// The HTTP status, and the `google.rpc.Code` closest to it.
    const fn codes(&self) -> (StatusCode, i32) {
        const INVALID_ARGUMENT: i32 = 3;
        const DEADLINE_EXCEEDED: i32 = 4;
        const RESOURCE_EXHAUSTED: i32 = 8;
        const UNAVAILABLE: i32 = 14;
        match self {
            Self::UnsupportedEncoding => (StatusCode::UNSUPPORTED_MEDIA_TYPE, INVALID_ARGUMENT),
            Self::TooLarge { .. } | Self::TooMany => {
                (StatusCode::PAYLOAD_TOO_LARGE, RESOURCE_EXHAUSTED)
            }
            Self::TooSlow => (StatusCode::REQUEST_TIMEOUT, DEADLINE_EXCEEDED),
            Self::Malformed(_) | Self::Interrupted(_) => {
                (StatusCode::BAD_REQUEST, INVALID_ARGUMENT)
            }
            Self::Busy => (StatusCode::SERVICE_UNAVAILABLE, UNAVAILABLE),
        }
    }

    fn response(&self, format: Format) -> Response {
        let (http, code) = self.codes();
        let mut response = format.failure(http, &RpcStatus { code, message: self.to_string() });
        let header = match self {
            // RFC 9110 15.5.16 wants a 415 to say which of the two it was about.
            Self::UnsupportedEncoding => {
                Some((header::ACCEPT_ENCODING, HeaderValue::from_static("gzip")))
            }
            Self::Busy => Some((header::RETRY_AFTER, HeaderValue::from(RETRY_AFTER))),
            _ => None,
        };
        response.headers_mut().extend(header);
        response
    }
}

pub(super) async fn export(State(lab): State<Arc<Receiver>>, request: Request) -> Response {
    let Some(format) = Format::of(request.headers()) else {
        lab.counts.refused(Failure::UNSUPPORTED);
        return neither_format();
    };
    match receive(&lab, format, request).await {
        Ok(inserted) => {
            lab.counts.inserted(&inserted);
            format.success(partial_success(inserted, lab.store.limits()))
        }
        Err(failure) => {
            lab.counts.refused(failure.reason());
            failure.response(format)
        }
    }
}

async fn receive(
    lab: &Arc<Receiver>,
    format: Format,
    request: Request,
) -> Result<Inserted, Failure> {
    let mut share = lab.budget.share();
    let body = Received::read(request, &mut share).await?;
    // All that is needed is taken before the turn: nobody who has a turn waits.
    let (size, unpacked) = body.sizes();
    share.grow_to(format.room(size, unpacked)).await?;
    let store = Arc::clone(&lab.store);
    let stored = lab.worker.run(move || {
        let body = body.unpacked(&mut share)?;
        Ok(store.insert(&format.read(body)?))
    });
    stored.await?
}

/// None if every span was taken: OTLP wants the field unset then.
fn partial_success(inserted: Inserted, limits: Limits) -> Option<ExportTracePartialSuccess> {
    let Inserted { malformed, over_limit, too_large, .. } = inserted;
    let mut reasons = Vec::new();
    if malformed > 0 {
        reasons.push(format!(
            "{malformed} without a trace id of 16 bytes and a span id of 8 bytes that are not all zero"
        ));
    }
    if too_large > 0 {
        reasons.push(format!(
            "{too_large} of more than {MAX_PART_BYTES} bytes or {MAX_PART_ELEMENTS} messages, the \
             same for their resource and scope"
        ));
    }
    if over_limit > 0 {
        let Limits { spans_per_trace, bytes_per_trace, .. } = limits;
        reasons.push(format!(
            "{over_limit} beyond the {spans_per_trace} spans, {MAX_ELEMENTS} messages or \
             {bytes_per_trace} bytes that are kept of a trace"
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
    ([(header::ACCEPT, accepted)], ProblemResponse::from(problem)).into_response()
}

#[cfg(test)]
mod tests;
