//! Protobuf's wire format (<https://protobuf.dev/programming-guides/encoding/>),
//! a field at a time.
//!
//! A derived `prost` message with the spans as `Vec<Bytes>` would take 32 bytes for
//! each span, and 80 for each `ResourceSpans`. In a hostile body each has 2 bytes,
//! so a body of 8 MiB would become 335 MB. These iterators take nothing.

use prost::encoding::{DecodeContext, WireType, decode_key, decode_varint, skip_field};

use crate::error::ExportError;

/// A field of a message.
#[derive(Debug)]
pub(crate) struct Field<'a> {
    pub(crate) number: u32,
    pub(super) wire_type: WireType,
    /// The text, bytes or message of a length-delimited field; empty for numbers.
    pub(crate) bytes: &'a [u8],
}

/// The fields of a message, up to the first one that is broken.
pub(crate) fn fields(mut rest: &[u8]) -> impl Iterator<Item = Result<Field<'_>, ExportError>> {
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let field = take_field(&mut rest);
        if field.is_err() {
            rest = &[];
        }
        Some(field)
    })
}

/// The messages in one field of a message that was checked.
pub(crate) fn messages(message: &[u8], number: u32) -> impl Iterator<Item = &[u8]> {
    let fields = fields(message).flatten();
    fields.filter(move |field| field.number == number).map(|field| field.bytes)
}

fn take_field<'a>(rest: &mut &'a [u8]) -> Result<Field<'a>, ExportError> {
    let (number, wire_type) = decode_key(rest)?;
    let mut bytes = &[][..];
    match wire_type {
        WireType::LengthDelimited => {
            let length = usize::try_from(decode_varint(rest)?).unwrap_or(usize::MAX);
            let truncated = || ExportError::malformed("it ends in the middle of a field");
            (bytes, *rest) = rest.split_at_checked(length).ok_or_else(truncated)?;
        }
        WireType::StartGroup | WireType::EndGroup => {
            return Err(ExportError::malformed("a group, which OTLP never had"));
        }
        _ => skip_field(wire_type, number, rest, DecodeContext::default())?,
    }
    Ok(Field { number, wire_type, bytes })
}
