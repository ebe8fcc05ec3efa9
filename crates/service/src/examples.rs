//! Examples of problems in the OpenAPI document: each is one that the call answers with
//! that status.
//!
//! A call gives the examples of its own problems. Those that all calls have in common are
//! added here.

use campuscafe_api::Problem;
use utoipa::openapi::path::{Operation, ParameterIn};
use utoipa::openapi::{OpenApi, RefOr};

/// Adds an example to each problem that has none.
pub(crate) fn add_examples(description: &mut OpenApi) {
    for call in calls(description) {
        let examples: Vec<_> =
            call.responses.responses.keys().map(|status| common(status, call)).collect();
        for (response, example) in call.responses.responses.values_mut().zip(examples) {
            let RefOr::T(response) = response else { continue };
            if let Some(RefOr::T(content)) = response.content.get_mut(Problem::MEDIA_TYPE)
                && content.example.is_none()
            {
                content.example = example.and_then(|it| serde_json::to_value(it).ok());
            }
        }
    }
}

/// Every call that a document describes.
pub(crate) fn calls(description: &mut OpenApi) -> impl Iterator<Item = &mut Operation> {
    description.paths.paths.values_mut().flat_map(|item| {
        [&mut item.get, &mut item.post, &mut item.put, &mut item.patch, &mut item.delete]
            .into_iter()
            .flatten()
    })
}

/// What every call with such a body or such parameters answers with this status.
fn common(status: &str, call: &Operation) -> Option<Problem> {
    let has = |place| {
        let mut parameters = call.parameters.iter().flatten();
        parameters.any(|one| matches!(one, RefOr::T(one) if one.parameter_in == place))
    };
    let (kind, title, detail) = match status {
        "400" if call.request_body.is_some() => (
            "malformed-body",
            "Malformed body",
            "unknown field `item`, expected `itemId` or `quantity` at line 1 column 7",
        ),
        "400" if has(ParameterIn::Path) => (
            "malformed-request-id",
            "Malformed X-Request-Id",
            "expected 1 to 128 printable ASCII characters",
        ),
        "400" if has(ParameterIn::Query) => {
            ("malformed-query", "Malformed query", "unknown field `wait`, expected `delayMs`")
        }
        "400" => ("malformed-host", "Malformed Host", "expected one Host header, got several"),
        "403" => (
            "cross-origin",
            "Cross-origin request",
            "a page of another origin sent this request; nothing was done",
        ),
        "408" => ("body-too-slow", "Body too slow", "the body took longer than 10 s"),
        "413" => ("body-too-large", "Body too large", "expected at most 16384 bytes"),
        "415" => (
            "unsupported-media-type",
            "Unsupported media type",
            "expected Content-Type: application/json",
        ),
        "421" => (
            "misdirected-request",
            "Misdirected request",
            "this service does not know the host cafe.example; see ALLOWED_HOSTS",
        ),
        "503" => (
            "overloaded",
            "Overloaded",
            "66 requests of the kind ordinary are under way, which is the limit. Nothing was done \
             for this one; send it again after 1 s",
        ),
        _ => return None,
    };
    Some(Problem::new(status.parse().ok()?, kind, title).detail(detail))
}
