//! OTLP's JSON, which is protobuf's JSON with hexadecimal ids
//! (<https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding>).
//!
//! Reading is our own: `opentelemetry-proto`'s serde refuses what exporters
//! send (an `arrayValue` without `values`, `null`, `"NaN"`, unpadded base64, an
//! entity without a schema) and takes arrays for objects. Writing is its own,
//! less the `null`s.

mod fields;
mod read;

use opentelemetry_proto::tonic::trace::v1::TracesData;
use serde_json::Value;

use fields::Fields;

/// Why some bytes are no traces in OTLP's JSON.
#[derive(Debug, thiserror::Error)]
pub enum OtlpJsonError {
    /// They are no JSON, or JSON nested deeper than 128 levels.
    #[error("not JSON: {0}")]
    Syntax(#[from] serde_json::Error),
    /// They are JSON, but of another shape.
    #[error("{field}: expected {expected}")]
    Field {
        /// The field's name.
        field: &'static str,
        /// What belongs there.
        expected: &'static str,
    },
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
    let mut fields = Fields::of("the whole", serde_json::from_slice(bytes)?)?;
    match fields.one("result", Ok)? {
        Some(result) => read::traces(result),
        None => read::traces(fields),
    }
}

/// Reads the body of an export.
///
/// # Errors
///
/// As [`parse_otlp_json`].
pub(super) fn parse_export(bytes: &[u8]) -> Result<TracesData, OtlpJsonError> {
    read::traces(Fields::of("the whole", serde_json::from_slice(bytes)?)?)
}

/// Writes traces as OTLP's JSON: lower-case hexadecimal ids, 64-bit integers as
/// strings, enums as numbers. A double that is not finite becomes an empty
/// value, since JSON has no such number.
///
/// # Errors
///
/// Never for traces; serde's interface leaves it open.
pub fn write_otlp_json(traces: &TracesData) -> Result<Vec<u8>, serde_json::Error> {
    let mut value = serde_json::to_value(traces)?;
    without_nulls(&mut value);
    serde_json::to_vec(&value)
}

/// For protobuf `null` is the same as nothing, but not every reader knows.
fn without_nulls(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            fields.retain(|_, value| !value.is_null());
            fields.values_mut().for_each(without_nulls);
        }
        Value::Array(items) => items.iter_mut().for_each(without_nulls),
        _ => {}
    }
}

#[cfg(test)]
mod tests;
