//! Trace and span ids: fixed numbers of bytes, never all zero (W3C Trace
//! Context; OTLP says the same of its fields), written as hexadecimal digits.

use std::fmt;
use std::str::FromStr;

/// A trace's id: 16 bytes, 32 hexadecimal digits.
pub type TraceId = Id<16>;

/// A span's id: 8 bytes, 16 hexadecimal digits.
pub type SpanId = Id<8>;

/// `N` bytes that are not all zero.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Id<const N: usize>([u8; N]);

/// A text or some bytes that are not an id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected {digits} hexadecimal digits that are not all zero")]
pub struct InvalidId {
    digits: usize,
}

impl<const N: usize> Id<N> {
    const INVALID: InvalidId = InvalidId { digits: 2 * N };

    /// The bytes as they stand in a span.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; N] {
        &self.0
    }
}

impl<const N: usize> TryFrom<&[u8]> for Id<N> {
    type Error = InvalidId;

    fn try_from(bytes: &[u8]) -> Result<Self, InvalidId> {
        let bytes: [u8; N] = bytes.try_into().map_err(|_| Self::INVALID)?;
        if bytes == [0; N] { Err(Self::INVALID) } else { Ok(Self(bytes)) }
    }
}

impl<const N: usize> FromStr for Id<N> {
    type Err = InvalidId;

    /// Takes either letter case.
    fn from_str(text: &str) -> Result<Self, InvalidId> {
        bytes_of_hex(text).ok_or(Self::INVALID)?.as_slice().try_into()
    }
}

impl<const N: usize> fmt::Display for Id<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl<const N: usize> fmt::Debug for Id<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The bytes that pairs of hexadecimal digits stand for, if that is what they are.
fn bytes_of_hex(text: &str) -> Option<Vec<u8>> {
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    let (pairs, []) = text.as_bytes().as_chunks::<2>() else { return None };
    pairs.iter().map(|&[high, low]| Some(digit(high)? << 4 | digit(low)?)).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use super::*;

    #[test]
    fn an_id_is_read_in_either_case_and_written_in_lower_case() {
        let id: TraceId = "0AF7651916CD43DD8448EB211C80319C".parse().unwrap();
        assert_eq!(id.to_string(), "0af7651916cd43dd8448eb211c80319c");
    }

    #[test]
    fn what_is_no_id_is_refused_with_what_was_expected() {
        for text in [
            "",
            "0",
            "00f067aa0ba902b",
            "00f067aa0ba902b77",
            "00f067aa0ba902bx",
            "+0f067aa0ba902b7",
        ] {
            assert!(text.parse::<SpanId>().is_err(), "{text}");
        }
        let error = "0".repeat(32).parse::<TraceId>().unwrap_err();
        assert_eq!(error.to_string(), "expected 32 hexadecimal digits that are not all zero");
        assert!(TraceId::try_from([1_u8; 15].as_slice()).is_err());
    }
}
