//! OTLP's protobuf, checked and measured without decoding it.

mod schema;
mod wire;

use crate::error::ExportError;

pub(crate) use schema::{Message, decoded_size};
pub(crate) use wire::messages;

impl From<prost::DecodeError> for ExportError {
    fn from(error: prost::DecodeError) -> Self {
        Self::malformed(error)
    }
}
