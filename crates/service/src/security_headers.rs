//! What browsers are told about every answer.

use axum::response::Response;
use http::{HeaderValue, header};

/// For pages that say nothing else: their own files, and no frame around them.
const OWN_FILES_ONLY: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; \
     base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
);

const CROSS_ORIGIN_RESOURCE_POLICY: &str = "cross-origin-resource-policy";

/// Adds the headers; a handler's own policy for its page stays.
pub(crate) fn secure(mut response: Response) -> Response {
    let headers = response.headers_mut();
    let set = [
        // A body is what its media type says, never a script by its looks.
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        // No page of another origin may load it, not even as an image.
        (http::HeaderName::from_static(CROSS_ORIGIN_RESOURCE_POLICY), "same-origin"),
        // Not `no-referrer`: with it browsers would send `Origin: null` to us, too.
        (header::REFERRER_POLICY, "same-origin"),
    ];
    for (name, value) in set {
        headers.insert(name, HeaderValue::from_static(value));
    }
    let html =
        headers.get(header::CONTENT_TYPE).is_some_and(|it| it.as_bytes().starts_with(b"text/html"));
    if html {
        headers.entry(header::CONTENT_SECURITY_POLICY).or_insert(OWN_FILES_ONLY);
    }
    response
}
