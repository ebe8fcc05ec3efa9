//! `POST /v1/traces` and `POST /v1/logs`, after OTLP over HTTP
//! (<https://opentelemetry.io/docs/specs/otlp/#otlphttp>).

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use campuscafe_api::Problem;
use campuscafe_service::ProblemResponse;

use super::Receiver;
use super::body::RequestBody;
use super::format::{Format, PartialSuccess, RpcStatus};
use crate::error::ExportError;
use crate::limits::{Limits, MAX_PART_BYTES, MAX_PART_DECODED, RETRY_AFTER};
use crate::signal::Signal;
use crate::store::Inserted;

/// Takes spans: OTLP over HTTP, as protobuf or JSON, with or without gzip.
#[utoipa::path(post, path = "/v1/traces", tag = "OTLP",
    request_body(description = "An ExportTraceServiceRequest, see https://opentelemetry.io/docs/specs/otlp/#otlphttp-request",
        content((Vec<u8> = "application/x-protobuf"), (Value = "application/json"))),
    responses((status = 200, description = "Taken, whole or in part: an ExportTraceServiceResponse"),
        (status = 400, description = "It cannot be decoded: a google.rpc.Status"),
        (status = 408, description = "The body did not arrive in time"),
        (status = 413, description = "Too large, encoded or decoded"),
        (status = 415, description = "Neither protobuf nor JSON, or an encoding other than gzip"),
        (status = 503, description = "Too many exports are being read; send it again after `Retry-After`",
            headers(("Retry-After" = u64, description = "Seconds")))))]
pub(super) async fn export_traces(
    State(receiver): State<Arc<Receiver>>,
    request: Request,
) -> Response {
    export(&receiver, Signal::Spans, request).await
}

/// Takes log records: OTLP over HTTP, as protobuf or JSON, with or without gzip.
///
/// They are kept with the spans of their trace. A record without a trace id is counted and
/// not kept; its sender is not told, since it has no part in that.
#[utoipa::path(post, path = "/v1/logs", tag = "OTLP",
    request_body(description = "An ExportLogsServiceRequest, see https://opentelemetry.io/docs/specs/otlp/#otlphttp-request",
        content((Vec<u8> = "application/x-protobuf"), (Value = "application/json"))),
    responses((status = 200, description = "Taken, whole or in part: an ExportLogsServiceResponse"),
        (status = 400, description = "It cannot be decoded: a google.rpc.Status"),
        (status = 408, description = "The body did not arrive in time"),
        (status = 413, description = "Too large, encoded or decoded"),
        (status = 415, description = "Neither protobuf nor JSON, or an encoding other than gzip"),
        (status = 503, description = "Too many exports are being read; send it again after `Retry-After`",
            headers(("Retry-After" = u64, description = "Seconds")))))]
pub(super) async fn export_logs(
    State(receiver): State<Arc<Receiver>>,
    request: Request,
) -> Response {
    export(&receiver, Signal::Logs, request).await
}

async fn export(receiver: &Arc<Receiver>, signal: Signal, request: Request) -> Response {
    let Some(format) = Format::of(request.headers()) else {
        receiver.metrics.refused(ExportError::UNSUPPORTED);
        return unsupported_media_type();
    };
    match receive(receiver, signal, format, request).await {
        Ok(inserted) => {
            receiver.metrics.inserted(signal, &inserted);
            let partial = partial_success(signal, inserted, receiver.store.limits());
            format.success(signal, partial)
        }
        Err(error) => {
            receiver.metrics.refused(error.reason());
            refusal(&error, format)
        }
    }
}

async fn receive(
    receiver: &Arc<Receiver>,
    signal: Signal,
    format: Format,
    request: Request,
) -> Result<Inserted, ExportError> {
    let mut share = receiver.budget.share();
    let body = RequestBody::read(request, &mut share).await?;
    // All memory is taken before the turn, so that a job never waits for memory.
    let (size, decompressed) = body.sizes();
    share.grow_to(format.room(size, decompressed)).await?;
    let store = Arc::clone(&receiver.store);
    let stored = receiver.worker.run(move || {
        let body = body.decompressed(&mut share)?;
        let export = format.read(signal, body)?;
        Ok(match signal {
            Signal::Spans => store.insert(&export),
            Signal::Logs => store.insert_logs(&export),
        })
    });
    stored.await?
}

/// The answer to an export that was refused whole.
fn refusal(error: &ExportError, format: Format) -> Response {
    let (http, code) = codes(error);
    let mut response = format.failure(http, &RpcStatus { code, message: error.to_string() });
    let header = match error {
        // RFC 9110 15.5.16 wants a 415 to say which of the two it was about.
        ExportError::UnsupportedEncoding => {
            Some((header::ACCEPT_ENCODING, HeaderValue::from_static("gzip")))
        }
        ExportError::Busy => Some((header::RETRY_AFTER, HeaderValue::from(RETRY_AFTER))),
        _ => None,
    };
    response.headers_mut().extend(header);
    response
}

/// The HTTP status, and the `google.rpc.Code` closest to it.
const fn codes(error: &ExportError) -> (StatusCode, i32) {
    const INVALID_ARGUMENT: i32 = 3;
    const DEADLINE_EXCEEDED: i32 = 4;
    const RESOURCE_EXHAUSTED: i32 = 8;
    const UNAVAILABLE: i32 = 14;
    match error {
        ExportError::UnsupportedEncoding => (StatusCode::UNSUPPORTED_MEDIA_TYPE, INVALID_ARGUMENT),
        ExportError::TooLarge { .. } | ExportError::TooLargeDecoded => {
            (StatusCode::PAYLOAD_TOO_LARGE, RESOURCE_EXHAUSTED)
        }
        ExportError::TooSlow => (StatusCode::REQUEST_TIMEOUT, DEADLINE_EXCEEDED),
        ExportError::Malformed(_) | ExportError::Interrupted(_) => {
            (StatusCode::BAD_REQUEST, INVALID_ARGUMENT)
        }
        ExportError::Busy => (StatusCode::SERVICE_UNAVAILABLE, UNAVAILABLE),
    }
}

/// None if every item was taken. OTLP wants the field unset then.
fn partial_success(of: Signal, inserted: Inserted, limits: Limits) -> Option<PartialSuccess> {
    let Inserted { malformed, over_limit, too_large, .. } = inserted;
    let mut reasons = Vec::new();
    if malformed > 0 {
        reasons.push(format!(
            "{malformed} without a trace id of 16 bytes and a span id of 8 bytes that are not all zero"
        ));
    }
    if too_large > 0 {
        reasons.push(format!(
            "{too_large} of more than {MAX_PART_BYTES} bytes, or {MAX_PART_DECODED} bytes decoded, in \
             the item, its resource or its scope"
        ));
    }
    if over_limit > 0 {
        let (count, bytes) = match of {
            Signal::Spans => (limits.spans_per_trace, limits.bytes_per_trace),
            Signal::Logs => (limits.logs_per_trace, limits.log_bytes_per_trace),
        };
        reasons.push(format!(
            "{over_limit} beyond the limits of one trace: {count} {}, {bytes} bytes, or {} bytes \
             decoded",
            of.items(),
            limits.decoded_bytes_per_trace
        ));
    }
    let rejected = i64::try_from(inserted.rejected()).unwrap_or(i64::MAX);
    let error_message = format!("{} refused: {}", of.items(), reasons.join("; "));
    (rejected > 0).then_some(PartialSuccess { rejected, error_message })
}

/// A sender that uses neither format could not read an answer in one.
fn unsupported_media_type() -> Response {
    let accepted = Format::MEDIA_TYPES.join(", ");
    let problem = Problem::new(415, "unsupported-media-type", "Unsupported media type")
        .detail(format!("expected a Content-Type of {accepted}"));
    ([(header::ACCEPT, accepted)], ProblemResponse::from(problem)).into_response()
}

#[cfg(test)]
mod tests;
