//! Protobuf's wire format, read field by field without decoding it
//! (<https://protobuf.dev/programming-guides/encoding/>).

use prost::DecodeError;
use prost::encoding::{WireType, decode_key, decode_varint};

use super::otlp::Failure;

/// What a field holds, as far as the wire tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Value<'a> {
    Varint,
    Fixed64([u8; 8]),
    Fixed32,
    /// Text, bytes or a message: only its place tells which.
    Length(&'a [u8]),
}

/// The fields of a message, each with its number, up to the first broken one.
#[derive(Debug)]
pub(super) struct Fields<'a> {
    rest: &'a [u8],
}

impl<'a> Fields<'a> {
    pub(super) const fn of(message: &'a [u8]) -> Self {
        Self { rest: message }
    }

    fn field(&mut self) -> Result<(u32, Value<'a>), Failure> {
        let (number, wire_type) = decode_key(&mut self.rest).map_err(broken)?;
        let value = match wire_type {
            WireType::Varint => {
                decode_varint(&mut self.rest).map_err(broken)?;
                Value::Varint
            }
            WireType::SixtyFourBit => Value::Fixed64(*self.chunk()?),
            WireType::ThirtyTwoBit => {
                self.chunk::<4>()?;
                Value::Fixed32
            }
            WireType::LengthDelimited => {
                let length = decode_varint(&mut self.rest).map_err(broken)?;
                let length = usize::try_from(length).unwrap_or(usize::MAX);
                let (value, rest) = self.rest.split_at_checked(length).ok_or_else(truncated)?;
                self.rest = rest;
                Value::Length(value)
            }
            WireType::StartGroup | WireType::EndGroup => {
                return Err(malformed("a group, which OTLP never had"));
            }
        };
        Ok((number, value))
    }

    fn chunk<const N: usize>(&mut self) -> Result<&'a [u8; N], Failure> {
        let (chunk, rest) = self.rest.split_first_chunk().ok_or_else(truncated)?;
        self.rest = rest;
        Ok(chunk)
    }
}

impl<'a> Iterator for Fields<'a> {
    type Item = Result<(u32, Value<'a>), Failure>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.rest.is_empty() {
            return None;
        }
        let field = self.field();
        if field.is_err() {
            self.rest = &[];
        }
        Some(field)
    }
}

/// The messages that stand in a field, in their order.
pub(super) fn messages(message: &[u8], field: u32) -> impl Iterator<Item = &[u8]> {
    Fields::of(message).filter_map(move |found| match found {
        Ok((number, Value::Length(body))) if number == field => Some(body),
        _ => None,
    })
}

/// Text, which protobuf wants in UTF-8.
pub(super) fn text(bytes: &[u8]) -> Result<&str, Failure> {
    std::str::from_utf8(bytes).map_err(|_| malformed("text that is not UTF-8"))
}

pub(super) fn malformed(what: impl Into<String>) -> Failure {
    Failure::Malformed(what.into())
}

/// A known field that holds what it cannot.
pub(super) fn another_type(field: u32) -> Failure {
    malformed(format!("field {field} of another type"))
}

fn truncated() -> Failure {
    malformed("it ends in the middle of a field")
}

fn broken(error: DecodeError) -> Failure {
    malformed(error.to_string())
}
