//! OTLP's JSON, which is protobuf's JSON with hexadecimal ids
//! (<https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding>).
//!
//! `opentelemetry-proto`'s serde reads it, behind a layer that makes it as
//! tolerant as protobuf's JSON has to be: see [`read`]. It does not write it: it
//! writes `null`s, and every default.
//!
//! An export is rewritten an item at a time, and a trace is written an item at a
//! time, since either may be large.

mod read;
mod size;
mod transcode;
mod write;

use opentelemetry_proto::tonic::trace::v1::TracesData;
use serde_json::Value;

use crate::error::ExportError;

pub(crate) use size::check_size;
pub(crate) use transcode::{Transcoded, transcode};
pub(crate) use write::{Otlp, append, to_json};

/// Why some bytes are no traces in OTLP's JSON.
#[derive(Debug, thiserror::Error)]
pub enum OtlpJsonError {
    /// They are no JSON, or JSON nested deeper than 128 levels.
    #[error("not JSON: {0}")]
    Syntax(#[from] serde_json::Error),
    /// They are JSON, but of another shape.
    #[error("{0}")]
    Shape(String),
}

impl OtlpJsonError {
    fn expected(field: &str, expected: &str) -> Self {
        Self::Shape(format!("{field}: expected {expected}"))
    }
}

impl From<OtlpJsonError> for ExportError {
    fn from(error: OtlpJsonError) -> Self {
        Self::malformed(error)
    }
}

/// Reads traces as `GET /api/traces/{id}` gives them, or as Jaeger's
/// `GET /api/v3/traces/{id}` does, which wraps them in `{"result":…}`.
///
/// Unknown fields are ignored, as OTLP demands; so an object with none of the
/// known ones is zero traces.
///
/// # Errors
///
/// When the bytes are no JSON object, or a known field does not hold what OTLP
/// says it does. Ids are read as they are, of any length.
pub fn parse_otlp_json(bytes: &[u8]) -> Result<TracesData, OtlpJsonError> {
    let mut whole: Value = serde_json::from_slice(bytes)?;
    match whole.get_mut("result").map(Value::take) {
        Some(result) if !result.is_null() => read::read("result", result),
        _ => read::read("the whole", whole),
    }
}

/// Writes traces as OTLP's JSON: lower-case hexadecimal ids, 64-bit integers as
/// strings, enums as numbers, no empty lists and no counts of 0. A double that
/// is not finite becomes an empty value, since JSON has no such number.
///
/// # Errors
///
/// Never for traces; serde's interface leaves it open.
pub fn write_otlp_json(traces: &TracesData) -> Result<Vec<u8>, serde_json::Error> {
    to_json(&write::Otlp(traces))
}

#[cfg(test)]
mod tests;
