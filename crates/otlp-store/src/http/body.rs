//! A request's body: read whole and decompressed, within bounds.

use std::io::Read as _;

use axum::body::{Body, HttpBody as _};
use axum::extract::Request;
use axum::http::{HeaderMap, header};
use flate2::bufread::MultiGzDecoder;
use http_body_util::BodyExt as _;
use tokio::time::{Instant, timeout_at};

use crate::budget::Share;
use crate::buffer::Buffer;
use crate::error::ExportError;
use crate::limits::{BODY_TIMEOUT, MAX_COMPRESSED, MAX_DECOMPRESSED};

/// A body's share of the budget grows in steps of this many bytes.
const STEP: usize = 16 * 1024;

/// How a body is compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum ContentEncoding {
    Identity,
    Gzip,
}

/// A body as it came.
#[derive(Debug)]
pub(super) struct RequestBody {
    bytes: Buffer,
    coding: ContentEncoding,
}

impl RequestBody {
    /// Reads a request's body. The share grows with what has arrived, not with
    /// what the sender announced: a sender that stops must not keep others out.
    ///
    /// # Errors
    ///
    /// When its encoding is not gzip, when it is larger than the bounds, when it
    /// does not arrive within [`BODY_TIMEOUT`], or when there is no memory for it.
    pub(super) async fn read(request: Request, share: &mut Share) -> Result<Self, ExportError> {
        let coding = coding(request.headers()).ok_or(ExportError::UnsupportedEncoding)?;
        let limit = match coding {
            ContentEncoding::Identity => MAX_DECOMPRESSED,
            ContentEncoding::Gzip => MAX_COMPRESSED,
        };
        let bytes = collect(request.into_body(), limit, share).await?;
        Ok(Self { bytes, coding })
    }

    /// Its size in bytes, and the size that it claims to have decompressed.
    pub(super) fn sizes(&self) -> (usize, usize) {
        let decompressed = match self.coding {
            ContentEncoding::Identity => 0,
            ContentEncoding::Gzip => claimed(&self.bytes),
        };
        (self.bytes.len(), decompressed)
    }

    /// The decompressed body.
    ///
    /// # Errors
    ///
    /// When it is broken, or larger than the bound, or when it is larger than it
    /// says and there is no room for that.
    pub(super) fn decompressed(self, share: &mut Share) -> Result<Buffer, ExportError> {
        if self.coding == ContentEncoding::Identity {
            return Ok(self.bytes);
        }
        match decompressed(&self.bytes, claimed(&self.bytes)) {
            // With several members in a row, the claim is that of the last one.
            Err(ExportError::TooLarge { limit }) if limit < MAX_DECOMPRESSED => {
                share.try_grow_to(self.bytes.len() + MAX_DECOMPRESSED)?;
                decompressed(&self.bytes, MAX_DECOMPRESSED)
            }
            result => result,
        }
    }
}

async fn collect(mut body: Body, limit: usize, share: &mut Share) -> Result<Buffer, ExportError> {
    let too_large = ExportError::TooLarge { limit };
    let announced = |size: u64| usize::try_from(size).unwrap_or(usize::MAX);
    let expected = announced(body.size_hint().upper().unwrap_or(limit as u64)).min(limit);
    if announced(body.size_hint().lower()) > limit {
        return Err(too_large);
    }
    let mut bytes = Buffer::new(expected)?;
    let mut deadline = Instant::now() + BODY_TIMEOUT;
    while let Some(frame) =
        timeout_at(deadline, body.frame()).await.map_err(|_| ExportError::TooSlow)?
    {
        let frame = frame.map_err(|error| ExportError::Interrupted(error.to_string()))?;
        let Ok(data) = frame.into_data() else { continue };
        let length = bytes.len() + data.len();
        // The time that the sender had to wait does not count as its own.
        deadline += share.grow_to(length.next_multiple_of(STEP).min(expected)).await?;
        if !bytes.add(&data) {
            return Err(too_large);
        }
    }
    Ok(bytes)
}

/// The size that a gzip file states at its end (RFC 1952 2.3.1), within the bound.
fn claimed(body: &[u8]) -> usize {
    let size = body.last_chunk().map_or(0, |size| u32::from_le_bytes(*size));
    usize::try_from(size).unwrap_or(usize::MAX).min(MAX_DECOMPRESSED)
}

/// None for any encoding but gzip, and for gzip twice.
fn coding(headers: &HeaderMap) -> Option<ContentEncoding> {
    let mut found = ContentEncoding::Identity;
    for value in headers.get_all(header::CONTENT_ENCODING) {
        for coding in
            value.to_str().ok()?.split(',').map(|coding| coding.trim().to_ascii_lowercase())
        {
            match (coding.as_str(), found) {
                ("" | "identity", _) => {}
                // RFC 9110 8.4.1.3: x-gzip is gzip's older name.
                ("gzip" | "x-gzip", ContentEncoding::Identity) => found = ContentEncoding::Gzip,
                _ => return None,
            }
        }
    }
    Some(found)
}

/// Never holds more than `limit` bytes and one: a bomb is cut off, not measured.
fn decompressed(body: &[u8], limit: usize) -> Result<Buffer, ExportError> {
    let mut decompressed = Buffer::new(limit + 1)?;
    let mut gzip = MultiGzDecoder::new(body);
    loop {
        let read = match gzip.read(decompressed.spare()) {
            Ok(read) => read,
            Err(error) => return Err(ExportError::Malformed(format!("not gzip: {error}"))),
        };
        decompressed.written(read);
        if decompressed.len() > limit {
            return Err(ExportError::TooLarge { limit });
        }
        if read == 0 {
            return Ok(decompressed);
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use super::*;
    use crate::testing::gzip;

    #[test]
    fn only_gzip_and_nothing_are_known_however_they_are_spelt() {
        let of = |values: &[&'static str]| {
            let mut headers = HeaderMap::new();
            for value in values {
                headers.append(header::CONTENT_ENCODING, value.parse().unwrap());
            }
            coding(&headers)
        };
        for nothing in [&[][..], &[""], &["identity"], &["Identity", "identity"]] {
            assert_eq!(of(nothing), Some(ContentEncoding::Identity), "{nothing:?}");
        }
        for gzip in
            [&["gzip"][..], &["GZip"], &["x-gzip"], &[" gzip ", "identity"], &["identity, gzip"]]
        {
            assert_eq!(of(gzip), Some(ContentEncoding::Gzip), "{gzip:?}");
        }
        for unknown in [&["br"][..], &["gzip, gzip"], &["gzip", "gzip"], &["gzip, zstd"], &["gzi"]]
        {
            assert_eq!(of(unknown), None, "{unknown:?}");
        }
    }

    #[test]
    fn exactly_at_the_limit_is_within_it() {
        assert_eq!(decompressed(&gzip(&[7; 100]), 100).unwrap().len(), 100);
        assert!(matches!(
            decompressed(&gzip(&[7; 101]), 100),
            Err(ExportError::TooLarge { limit: 100 })
        ));
    }

    #[test]
    fn a_bomb_is_cut_off_before_its_end_is_looked_at() {
        let bomb = gzip(&vec![0; 1_000_000]);
        let without_end = &bomb[..bomb.len() - 8];
        assert!(matches!(
            decompressed(without_end, 100),
            Err(ExportError::TooLarge { limit: 100 })
        ));
    }

    #[test]
    fn gzip_in_several_members_is_one_body() {
        let members = [gzip(b"one"), gzip(b"two")].concat();
        assert_eq!(*decompressed(&members, 100).unwrap(), *b"onetwo");
    }

    #[test]
    fn broken_gzip_is_malformed() {
        let whole = gzip(b"a body");
        let mut wrong_checksum = whole.clone();
        let end = wrong_checksum.len() - 8;
        wrong_checksum[end] ^= 1;
        for broken in [
            &whole[..whole.len() - 1],
            &whole[..12],
            b"",
            b"a body",
            &[&whole[..], b"rest"].concat(),
            &wrong_checksum,
        ] {
            assert!(
                matches!(decompressed(broken, 100), Err(ExportError::Malformed(_))),
                "{broken:?}"
            );
        }
    }
}
