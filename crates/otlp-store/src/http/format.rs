//! The two encodings of OTLP over HTTP. `Content-Type` names the one of an export;
//! the answer uses the same.

use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use prost::Message;
use serde::Serialize;
use serde_json::{Value, json};

use crate::buffer::Buffer;
use crate::error::ExportError;
use crate::export::Export;
use crate::json::{Transcoded, check_size, transcode};
use crate::limits::{MAX_DECOMPRESSED, MAX_EXPORT_DECODED};
use crate::signal::Signal;

/// What a body is written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Format {
    Protobuf,
    Json,
}

/// The part of `google.rpc.Status` that OTLP uses for failures.
#[derive(Clone, PartialEq, Message, Serialize)]
pub(super) struct RpcStatus {
    /// One of `google.rpc.Code`.
    #[prost(int32, tag = "1")]
    pub(super) code: i32,
    /// What happened, for a developer.
    #[prost(string, tag = "2")]
    pub(super) message: String,
}

/// An `ExportTraceServiceResponse` or an `ExportLogsServiceResponse`: in protobuf they are
/// the same.
#[derive(Clone, PartialEq, Message)]
struct ExportResponse {
    #[prost(message, optional, tag = "1")]
    partial_success: Option<PartialSuccess>,
}

/// What was refused of an export that was taken.
#[derive(Clone, PartialEq, Message)]
pub(super) struct PartialSuccess {
    /// How many items.
    #[prost(int64, tag = "1")]
    pub(super) rejected: i64,
    /// Why, for a developer.
    #[prost(string, tag = "2")]
    pub(super) error_message: String,
}

impl Format {
    /// The media types that name a format.
    pub(super) const MEDIA_TYPES: [&str; 2] = ["application/x-protobuf", "application/json"];

    /// The format that `Content-Type` names; None if it names neither.
    pub(super) fn of(headers: &HeaderMap) -> Option<Self> {
        let value = headers.get(header::CONTENT_TYPE)?.to_str().ok()?;
        let essence = value.split(';').next()?.trim();
        let formats = [Self::Protobuf, Self::Json];
        formats.into_iter().find(|format| essence.eq_ignore_ascii_case(format.media_type()))
    }

    /// Checks a body. JSON is rewritten in protobuf first, so that there is one way
    /// to check and to store items.
    pub(super) fn read(self, signal: Signal, body: Buffer) -> Result<Export, ExportError> {
        if self == Self::Protobuf {
            return Export::checked(signal, body);
        }
        check_size(&body, MAX_EXPORT_DECODED)?;
        let Transcoded { protobuf, too_large } = transcode(signal, &body, MAX_DECOMPRESSED)?;
        drop(body);
        let mut export = Export::checked(signal, protobuf)?;
        export.too_large = too_large;
        Ok(export)
    }

    /// How many bytes of memory it takes to read a body of this size, which
    /// decompresses to that size.
    pub(super) fn room(self, size: usize, decompressed: usize) -> usize {
        match self {
            Self::Protobuf => size + decompressed,
            Self::Json => (size + decompressed).max(2 * decompressed).max(2 * size),
        }
    }

    /// The answer to an export that was taken, at least in part.
    pub(super) fn success(self, of: Signal, partial_success: Option<PartialSuccess>) -> Response {
        let json = match &partial_success {
            None => json!({}),
            Some(partial) => json!({ "partialSuccess": {
                of.rejected(): partial.rejected.to_string(),
                "errorMessage": partial.error_message,
            }}),
        };
        self.response(StatusCode::OK, &ExportResponse { partial_success }, &json)
    }

    /// The answer to an export that was refused whole.
    pub(super) fn failure(self, http: StatusCode, status: &RpcStatus) -> Response {
        self.response(http, status, &json!(status))
    }

    fn response(self, status: StatusCode, protobuf: &impl Message, json: &Value) -> Response {
        let body = match self {
            Self::Protobuf => protobuf.encode_to_vec(),
            Self::Json => json.to_string().into_bytes(),
        };
        (status, [(header::CONTENT_TYPE, self.media_type())], body).into_response()
    }

    const fn media_type(self) -> &'static str {
        match self {
            Self::Protobuf => Self::MEDIA_TYPES[0],
            Self::Json => Self::MEDIA_TYPES[1],
        }
    }
}
