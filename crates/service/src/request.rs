//! What a request says, checked at the door: its body, its query, its id.

use std::time::Duration;

use axum::extract::{FromRequest, FromRequestParts, Request};
use axum::response::{IntoResponse, Response};
use campuscafe_api::{Problem, REQUEST_ID_HEADER};
use http::request::Parts;
use http::{HeaderMap, header};
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::{ProblemResponse, ids};

/// The largest request body, in bytes.
pub const MAX_BODY: usize = 16 * 1024;

/// The longest `X-Request-Id`, in characters.
const MAX_REQUEST_ID: usize = 128;

/// How long a client may take to send a body.
pub(crate) const BODY_TIMEOUT: Duration = Duration::from_secs(10);

/// How much of a body that is too large is read and thrown away, in bytes, and for how long.
const MAX_DISCARDED: usize = 4 * 1024 * 1024;
const DISCARD_TIMEOUT: Duration = Duration::from_secs(1);

/// A JSON body: read whole, within bounds, with no field missing or unknown.
#[derive(Debug, Clone, Copy)]
pub struct Json<T>(pub T);

impl<T: DeserializeOwned, S: Sync> FromRequest<S> for Json<T> {
    type Rejection = ProblemResponse;

    async fn from_request(request: Request, _: &S) -> Result<Self, ProblemResponse> {
        if !says_json(request.headers()) {
            return Err(Problem::new(415, "unsupported-media-type", "Unsupported media type")
                .detail("expected the header Content-Type: application/json")
                .into());
        }
        let body = read(request).await?;
        // serde would also take a list of the values in the right order.
        if body.trim_ascii_start().first() != Some(&b'{') {
            return Err(malformed(if body.is_empty() {
                "the body is empty; expected a JSON object".to_owned()
            } else {
                "expected a JSON object".to_owned()
            }));
        }
        let mut reader = serde_json::Deserializer::from_slice(&body);
        let value = serde_path_to_error::deserialize(&mut reader).map_err(|error| {
            let field = error.path().to_string();
            let error = error.into_inner();
            let message = in_plain_words(&error.to_string());
            malformed(if error.is_data() && field != "." {
                format!("{field}: {message}")
            } else {
                message
            })
        })?;
        reader.end().map_err(|error| malformed(error.to_string()))?;
        Ok(Self(value))
    }
}

impl<T: Serialize> IntoResponse for Json<T> {
    fn into_response(self) -> Response {
        axum::Json(self.0).into_response()
    }
}

/// A form that a page sent: read whole, within bounds.
#[derive(Debug, Clone, Copy)]
pub struct Form<T>(pub T);

impl<T: DeserializeOwned, S: Sync> FromRequest<S> for Form<T> {
    type Rejection = ProblemResponse;

    async fn from_request(request: Request, _: &S) -> Result<Self, ProblemResponse> {
        if !says(request.headers(), FORM) {
            return Err(Problem::new(415, "unsupported-media-type", "Unsupported media type")
                .detail(format!("expected the header Content-Type: {FORM}"))
                .into());
        }
        let body = read(request).await?;
        let value = serde_urlencoded::from_bytes(&body);
        value.map(Self).map_err(|error| malformed(in_plain_words(&error.to_string())))
    }
}

/// The media type of a form.
const FORM: &str = "application/x-www-form-urlencoded";

fn says_json(headers: &HeaderMap) -> bool {
    says(headers, "application/json")
}

fn says(headers: &HeaderMap, media_type: &str) -> bool {
    let value = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let essence = value.and_then(|value| value.split(';').next()).unwrap_or_default().trim();
    essence.eq_ignore_ascii_case(media_type)
}

async fn read(request: Request) -> Result<bytes::Bytes, ProblemResponse> {
    let mut rest = request.into_body();
    let body = Limited::new(&mut rest, MAX_BODY);
    match tokio::time::timeout(BODY_TIMEOUT, body.collect()).await {
        Ok(Ok(body)) => Ok(body.to_bytes()),
        Ok(Err(error)) if error.is::<LengthLimitError>() => {
            discard(rest).await;
            Err(Problem::new(413, "body-too-large", "Body too large")
                .detail(format!("expected at most {MAX_BODY} bytes"))
                .into())
        }
        Ok(Err(error)) => Err(malformed(error.to_string())),
        Err(_) => Err(Problem::new(408, "body-too-slow", "Body too slow")
            .detail(format!("expected the whole body within {} s", BODY_TIMEOUT.as_secs()))
            .into()),
    }
}

/// Reads more of a body that is too large, and keeps nothing of it. A connection that is
/// closed with bytes unread is reset, and whoever still sends loses the answer: see
/// [RFC 9112, section 9.6](https://www.rfc-editor.org/rfc/rfc9112#section-9.6).
async fn discard(mut body: axum::body::Body) {
    let mut left = MAX_DISCARDED;
    let read = async {
        while let Some(Ok(frame)) = body.frame().await {
            let size = frame.data_ref().map_or(0, bytes::Bytes::len);
            left = left.saturating_sub(size);
            if left == 0 {
                return;
            }
        }
    };
    // The answer is given whether or not all of it came.
    let _ = tokio::time::timeout(DISCARD_TIMEOUT, read).await;
}

/// The parsers speak to Rust programmers; learners should read what is expected.
fn in_plain_words(message: &str) -> String {
    const WORDS: [(&str, &str); 10] = [
        ("duplicate field", "expected only once: the field"),
        ("expected i64", "expected a whole number"),
        ("expected u64", "expected a whole number of 0 or more"),
        ("expected a boolean", "expected true or false"),
        ("expected a string", "expected text in quotes"),
        ("expected option", "expected a value or nothing"),
        ("invalid digit found in string", "expected a whole number"),
        ("cannot parse integer from empty string", "expected a whole number"),
        ("number too large to fit in target type", "expected a whole number of at most 64 bits"),
        ("number too small to fit in target type", "expected a whole number of at most 64 bits"),
    ];
    WORDS.iter().fold(message.to_owned(), |text, (theirs, ours)| text.replace(theirs, ours))
}

fn malformed(detail: String) -> ProblemResponse {
    Problem::new(400, "malformed-body", "Malformed body").detail(detail).into()
}

/// The query string's parameters.
#[derive(Debug, Clone, Copy)]
pub struct Query<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for Query<T> {
    type Rejection = ProblemResponse;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ProblemResponse> {
        let axum::extract::Query(value) =
            axum::extract::Query::from_request_parts(parts, state).await.map_err(|error| {
                let text = error.body_text();
                let detail = text.trim_start_matches("Failed to deserialize query string: ");
                malformed_query(&in_plain_words(detail))
            })?;
        Ok(Self(value))
    }
}

/// How many entries a list has unless the request says so.
const DEFAULT_LIMIT: usize = 100;

/// How many entries a list has at most.
const MAX_LIMIT: usize = 1_000;

/// How many entries to list, as the parameter `limit` of a request says.
///
/// # Errors
///
/// A 400 when it is not 1 to 1,000.
pub fn list_limit(limit: Option<usize>) -> Result<usize, ProblemResponse> {
    let limit = limit.unwrap_or(DEFAULT_LIMIT);
    if (1..=MAX_LIMIT).contains(&limit) {
        return Ok(limit);
    }
    Err(malformed_query(&format!("limit is {limit}; expected 1 to {MAX_LIMIT}")))
}

/// The refusal of a query string that cannot be meant.
#[must_use]
pub fn malformed_query(detail: &str) -> ProblemResponse {
    Problem::new(400, "malformed-query", "Malformed query").detail(detail).into()
}

/// The one variable part of a path, as text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PathParam(pub String);

impl<S: Send + Sync> FromRequestParts<S> for PathParam {
    type Rejection = ProblemResponse;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ProblemResponse> {
        let axum::extract::Path(part) =
            axum::extract::Path::from_request_parts(parts, state).await.map_err(|_| {
                Problem::new(400, "malformed-path", "Malformed path")
                    .detail("expected percent-encoded UTF-8")
            })?;
        Ok(Self(part))
    }
}

/// The `X-Request-Id` of a request; made up where the client sent none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestId(pub String);

impl<S: Sync> FromRequestParts<S> for RequestId {
    type Rejection = ProblemResponse;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ProblemResponse> {
        let mut values = parts.headers.get_all(REQUEST_ID_HEADER).iter();
        let Some(value) = values.next() else {
            return Ok(Self(format!("request-{}", ids::random())));
        };
        if values.next().is_some() {
            return Err(malformed_id("expected one X-Request-Id, got several"));
        }
        valid_request_id(value.as_bytes()).map(Self)
    }
}

/// An `X-Request-Id` that can stand in a log line, a span and a path.
///
/// # Errors
///
/// A 400 that says what was expected.
pub fn valid_request_id(value: &[u8]) -> Result<String, ProblemResponse> {
    let printable = value.iter().all(|byte| (b' '..=b'~').contains(byte));
    match std::str::from_utf8(value) {
        Ok(text) if printable && (1..=MAX_REQUEST_ID).contains(&text.len()) => Ok(text.to_owned()),
        _ => {
            Err(malformed_id(&format!("expected 1 to {MAX_REQUEST_ID} printable ASCII characters")))
        }
    }
}

fn malformed_id(detail: &str) -> ProblemResponse {
    Problem::new(400, "malformed-request-id", "Malformed X-Request-Id").detail(detail).into()
}
