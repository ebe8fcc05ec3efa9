//! Every refusal leaves as a problem.

use std::time::Duration;

use axum::response::{IntoResponse, Response};
use campuscafe_api::Problem;
use campuscafe_telemetry::current_trace_id;
use http::{HeaderValue, StatusCode, header};

/// A problem on its way to the client.
#[derive(Debug, Clone)]
pub struct ProblemResponse {
    /// What is wrong.
    pub problem: Problem,
    retry_after: Option<u64>,
    throttle: bool,
}

/// In the extensions of a response after which its connection is throttled, see
/// [`ProblemResponse::throttled`]: the `Retry-After` that its client is told.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Throttle(pub(crate) Duration);

impl ProblemResponse {
    /// Adds `Retry-After`: the same request may be answered after so many seconds.
    #[must_use]
    pub const fn retry_after(mut self, seconds: u64) -> Self {
        self.retry_after = Some(seconds);
        self
    }

    /// Throttles the connection after the answer: the service is short of processor time. The
    /// next request on this connection is read shortly before `Retry-After`, or when the
    /// service has time to spare.
    pub(crate) const fn throttled(mut self) -> Self {
        self.throttle = true;
        self
    }
}

impl From<Problem> for ProblemResponse {
    fn from(problem: Problem) -> Self {
        Self { problem, retry_after: None, throttle: false }
    }
}

impl IntoResponse for ProblemResponse {
    fn into_response(self) -> Response {
        let Self { mut problem, retry_after, throttle } = self;
        if let Some(trace_id) = current_trace_id() {
            problem.extensions.entry("traceId").or_insert_with(|| trace_id.into());
        }
        tracing::debug!(
            status = problem.status,
            title = problem.title,
            detail = problem.detail,
            "refused"
        );
        let status =
            StatusCode::from_u16(problem.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut response = (status, axum::Json(problem)).into_response();
        response
            .headers_mut()
            .insert(header::CONTENT_TYPE, HeaderValue::from_static(Problem::MEDIA_TYPE));
        if let Some(seconds) = retry_after {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
            if throttle {
                response.extensions_mut().insert(Throttle(Duration::from_secs(seconds)));
            }
        }
        response
    }
}

/// The fallback for paths that lead nowhere.
pub async fn not_found(request: axum::extract::Request) -> ProblemResponse {
    nothing_at(request.uri().path())
}

pub(crate) fn nothing_at(path: &str) -> ProblemResponse {
    Problem::new(404, "no-such-path", "No such path")
        .detail(format!("there is nothing at {path}"))
        .into()
}

/// For paths that lead somewhere, but not by this method.
pub(crate) async fn method_not_allowed(request: axum::extract::Request) -> ProblemResponse {
    let (method, path) = (request.method(), request.uri().path());
    Problem::new(405, "method-not-allowed", "Method not allowed")
        .detail(format!("{path} does not support {method}; see the Allow header"))
        .into()
}
