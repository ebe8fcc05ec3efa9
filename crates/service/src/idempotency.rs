//! The idempotency key of a request, checked at the door.

use axum::extract::FromRequestParts;
use campuscafe_api::{IDEMPOTENCY_KEY_HEADER, Problem};
use campuscafe_cures::key::MAX_LENGTH;
use campuscafe_cures::{IdempotencyKey, InvalidKey};
use http::request::Parts;

use crate::ProblemResponse;

/// The header `Idempotency-Key` of a request, if it has one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyHeader(pub Option<IdempotencyKey>);

impl<S: Sync> FromRequestParts<S> for KeyHeader {
    type Rejection = ProblemResponse;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ProblemResponse> {
        let mut values = parts.headers.get_all(IDEMPOTENCY_KEY_HEADER).iter();
        let Some(value) = values.next() else { return Ok(Self(None)) };
        if values.next().is_some() {
            return Err(malformed("expected one Idempotency-Key, got several"));
        }
        IdempotencyKey::from_header(value.as_bytes())
            .map(|key| Self(Some(key)))
            .map_err(|error| malformed_key(&error))
    }
}

/// The refusal of a text that is no idempotency key.
#[must_use]
pub fn malformed_key(error: &InvalidKey) -> ProblemResponse {
    malformed(&format!(
        "{error}; expected 1 to {MAX_LENGTH} visible ASCII characters, in quotes or without"
    ))
}

fn malformed(detail: &str) -> ProblemResponse {
    Problem::new(400, "malformed-idempotency-key", "Malformed Idempotency-Key")
        .detail(detail)
        .into()
}
