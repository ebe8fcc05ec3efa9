//! What every service offers besides its work: health, metrics, its own
//! description; and the layers around its work.

use std::convert::Infallible;

use axum::Router;
use axum::body::Body;
use axum::middleware::from_fn_with_state;
use axum::response::{IntoResponse, Redirect};
use axum::routing::get;
use campuscafe_api::Problem;
use campuscafe_telemetry::{Metrics, http_server};
use futures_util::stream;
use http::header;
use utoipa::openapi::{Content, OpenApi, Ref, RefOr, ResponseBuilder};

use crate::examples::{add_examples, calls};
use crate::guard::Guard;
use crate::problem_response::{method_not_allowed, not_found};
use crate::{AllowedHosts, Lifecycle, ProblemResponse, guard, swagger};

/// The media type of the Prometheus text format.
const PROMETHEUS_TEXT: &str = "text/plain; version=0.0.4; charset=utf-8";

/// Where a service describes its calls.
const DESCRIPTION: &str = "/openapi.json";

/// A service's whole router: its work, observed, and beside it what
/// [`with_admin_routes`] adds. `/` leads to `/swagger/`.
pub fn service_router(
    work: Router,
    description: OpenApi,
    allowed: &AllowedHosts,
    metrics: &Metrics,
    lifecycle: &Lifecycle,
) -> Router {
    let observe = from_fn_with_state(http_server::Observe::new(metrics), http_server::observe);
    // The guard stands within the observation, so that a refusal leaves a span.
    let observed = |guarded: Router| guarded.layer(observe);
    let home = Router::new().route("/", get(async || Redirect::to("/swagger/")));
    router(work, observed, home, description, allowed, metrics, lifecycle)
}

/// Adds `/healthz`, `/readyz` and `/metrics`, and `/openapi.json` and `/swagger/`. Neither
/// this nor the work leaves spans.
pub fn with_admin_routes(
    work: Router,
    description: OpenApi,
    allowed: &AllowedHosts,
    metrics: &Metrics,
    lifecycle: &Lifecycle,
) -> Router {
    let home = Router::new();
    router(work, std::convert::identity, home, description, allowed, metrics, lifecycle)
}

/// The work and the pages beside it, all guarded; `observed` goes around the work only.
fn router(
    work: Router,
    observed: impl FnOnce(Router) -> Router,
    home: Router,
    mut description: OpenApi,
    allowed: &AllowedHosts,
    metrics: &Metrics,
    lifecycle: &Lifecycle,
) -> Router {
    describe_refusals(&mut description);
    add_examples(&mut description);
    let guard = Guard::new(allowed, metrics);
    let guarded = |routes: Router| {
        routes
            .method_not_allowed_fallback(method_not_allowed)
            .layer(from_fn_with_state(guard.clone(), guard::guard))
    };
    let pages = swagger::page(DESCRIPTION)
        .route(DESCRIPTION, get(async move || axum::Json(description)))
        .merge(home)
        .merge(operations(metrics, lifecycle));
    observed(guarded(work.fallback(not_found))).merge(guarded(pages))
}

/// They leave no spans and no durations, since probes and scrapes would drown
/// the orders.
fn operations(metrics: &Metrics, lifecycle: &Lifecycle) -> Router {
    let lifecycle = lifecycle.clone();
    let scraped = metrics.clone();
    Router::new()
        .route("/healthz", get(async || "ok\n"))
        .route("/readyz", get(async move || ready(&lifecycle)))
        .route("/metrics", get(async move || metrics_page(&scraped)))
}

/// Each part is written when the client has read those before it.
fn metrics_page(metrics: &Metrics) -> impl IntoResponse + use<> {
    let parts = stream::iter(metrics.parts().map(Ok::<_, Infallible>));
    ([(header::CONTENT_TYPE, PROMETHEUS_TEXT)], Body::from_stream(parts))
}

/// Adds to every call what the guard answers; a call's own 400 stays.
fn describe_refusals(description: &mut OpenApi) {
    for call in calls(description) {
        for (status, meaning) in guard::REFUSALS {
            call.responses.responses.entry(status.to_owned()).or_insert_with(|| {
                let problem = Content::new(Some(Ref::from_schema_name("Problem")));
                let response = ResponseBuilder::new().description(meaning);
                RefOr::T(response.content(Problem::MEDIA_TYPE, problem).build())
            });
        }
    }
}

/// Ready means: takes requests. It asks no other service, because an order
/// service without its inventory still has something true to say.
fn ready(lifecycle: &Lifecycle) -> Result<impl IntoResponse + use<>, ProblemResponse> {
    if !lifecycle.is_ready() {
        return Err(Problem::new(503, "ending", "Ending")
            .detail("this service is stopping")
            .into());
    }
    lifecycle.unavailable().map_or(Ok("ready\n"), |why| Err(why.into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_service_that_cannot_do_its_work_is_not_ready_until_it_can() {
        let lifecycle = Lifecycle::default();
        let status = || ready(&lifecycle).map_or_else(|it| it.problem.status, |_| 200);
        assert_eq!(status(), 200);
        lifecycle.set_unavailable(Some(Problem::new(
            503,
            "store-unavailable",
            "Store unavailable",
        )));
        assert_eq!(status(), 503);
        lifecycle.set_unavailable(None);
        assert_eq!(status(), 200);
    }
}
