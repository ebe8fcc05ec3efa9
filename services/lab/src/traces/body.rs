//! A request's body: read whole, unpacked, within bounds.

use std::io::Read as _;
use std::time::Duration;

use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, FromRequest as _, Request};
use axum::http::{HeaderMap, StatusCode, header};
use flate2::bufread::MultiGzDecoder;
use tokio::time::timeout;

use super::otlp::Failure;

/// The largest compressed body, in bytes.
pub const MAX_COMPRESSED: usize = 4 * 1024 * 1024;

/// The largest body once it is unpacked, or if it never was packed, in bytes.
pub const MAX_DECOMPRESSED: usize = 8 * 1024 * 1024;

/// How long a sender may take to send a body.
pub(super) const TIME_LIMIT: Duration = Duration::from_secs(10);

/// How a body is packed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Coding {
    Identity,
    Gzip,
}

/// A request's body as it was before it was packed.
///
/// # Errors
///
/// When it is packed in another way than by gzip, larger than the bounds, or broken.
pub(super) async fn read(mut request: Request) -> Result<Bytes, Failure> {
    let coding = coding(request.headers()).ok_or(Failure::UnsupportedEncoding)?;
    let limit = match coding {
        Coding::Identity => MAX_DECOMPRESSED,
        Coding::Gzip => MAX_COMPRESSED,
    };
    DefaultBodyLimit::max(limit).apply(&mut request);
    let body = timeout(TIME_LIMIT, Bytes::from_request(request, &()));
    let body = body.await.map_err(|_| Failure::TooSlow)?.map_err(|rejection| {
        if rejection.status() == StatusCode::PAYLOAD_TOO_LARGE {
            Failure::TooLarge { limit }
        } else {
            Failure::Malformed(rejection.body_text())
        }
    })?;
    match coding {
        Coding::Identity => Ok(body),
        Coding::Gzip => unpacked(&body, MAX_DECOMPRESSED),
    }
}

/// None where a body is packed by anything but gzip, or twice.
fn coding(headers: &HeaderMap) -> Option<Coding> {
    let mut found = Coding::Identity;
    for value in headers.get_all(header::CONTENT_ENCODING) {
        for coding in
            value.to_str().ok()?.split(',').map(|coding| coding.trim().to_ascii_lowercase())
        {
            match (coding.as_str(), found) {
                ("" | "identity", _) => {}
                // RFC 9110 8.4.1.3: x-gzip is gzip's older name.
                ("gzip" | "x-gzip", Coding::Identity) => found = Coding::Gzip,
                _ => return None,
            }
        }
    }
    Some(found)
}

/// Never holds more than `limit` bytes and one: a bomb is cut off, not measured.
fn unpacked(body: &[u8], limit: usize) -> Result<Bytes, Failure> {
    let mut unpacked = Vec::new();
    let mut bounded = MultiGzDecoder::new(body).take(limit as u64 + 1);
    bounded
        .read_to_end(&mut unpacked)
        .map_err(|error| Failure::Malformed(format!("not gzip: {error}")))?;
    if unpacked.len() > limit { Err(Failure::TooLarge { limit }) } else { Ok(unpacked.into()) }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use super::super::testing::gzip;
    use super::*;

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
            assert_eq!(of(nothing), Some(Coding::Identity), "{nothing:?}");
        }
        for packed in
            [&["gzip"][..], &["GZip"], &["x-gzip"], &[" gzip ", "identity"], &["identity, gzip"]]
        {
            assert_eq!(of(packed), Some(Coding::Gzip), "{packed:?}");
        }
        for unknown in [&["br"][..], &["gzip, gzip"], &["gzip", "gzip"], &["gzip, zstd"], &["gzi"]]
        {
            assert_eq!(of(unknown), None, "{unknown:?}");
        }
    }

    #[test]
    fn exactly_at_the_limit_is_within_it() {
        assert_eq!(unpacked(&gzip(&[7; 100]), 100).unwrap().len(), 100);
        assert!(matches!(unpacked(&gzip(&[7; 101]), 100), Err(Failure::TooLarge { limit: 100 })));
    }

    #[test]
    fn a_bomb_is_cut_off_before_its_end_is_looked_at() {
        let bomb = gzip(&vec![0; 1_000_000]);
        let without_end = &bomb[..bomb.len() - 8];
        assert!(matches!(unpacked(without_end, 100), Err(Failure::TooLarge { limit: 100 })));
    }

    #[test]
    fn gzip_in_several_members_is_one_body() {
        let members = [gzip(b"one"), gzip(b"two")].concat();
        assert_eq!(unpacked(&members, 100).unwrap(), "onetwo");
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
            assert!(matches!(unpacked(broken, 100), Err(Failure::Malformed(_))), "{broken:?}");
        }
    }
}
