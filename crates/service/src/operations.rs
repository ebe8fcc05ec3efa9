//! What every service offers besides its work: health, metrics, its own
//! description; and the layers around its work.

use axum::Router;
use axum::middleware::from_fn_with_state;
use axum::response::IntoResponse;
use axum::routing::get;
use campuscafe_api::Problem;
use campuscafe_telemetry::{Metrics, http_server};
use http::header;
use utoipa::openapi::OpenApi;
use utoipa_swagger_ui::SwaggerUi;

use crate::refusal::{no_such_method, no_such_path};
use crate::{Lifecycle, Refusal};

/// The media type of the Prometheus text format.
const PROMETHEUS_TEXT: &str = "text/plain; version=0.0.4; charset=utf-8";

/// A service's whole router: its work, observed, and beside it what
/// [`with_operations`] adds, `/openapi.json` and `/swagger/`.
pub fn assemble(
    work: Router,
    description: OpenApi,
    metrics: &Metrics,
    lifecycle: &Lifecycle,
) -> Router {
    let work = work
        .fallback(no_such_path)
        .method_not_allowed_fallback(no_such_method)
        .layer(from_fn_with_state(http_server::Observe::new(metrics), http_server::observe));
    let pages = SwaggerUi::new("/swagger").url("/openapi.json", description);
    with_operations(work.merge(pages), metrics, lifecycle)
}

/// Adds `/healthz`, `/readyz` and `/metrics`. They leave no spans and no
/// durations, since probes and scrapes would drown the orders.
pub fn with_operations(work: Router, metrics: &Metrics, lifecycle: &Lifecycle) -> Router {
    let lifecycle = lifecycle.clone();
    let scraped = metrics.clone();
    work.route("/healthz", get(async || "ok\n"))
        .route("/readyz", get(async move || ready(&lifecycle)))
        .route(
            "/metrics",
            get(async move || ([(header::CONTENT_TYPE, PROMETHEUS_TEXT)], scraped.render())),
        )
        .method_not_allowed_fallback(no_such_method)
}

/// Ready means: takes requests. It asks no other service, because an order
/// service without its inventory still has something true to say.
fn ready(lifecycle: &Lifecycle) -> Result<impl IntoResponse + use<>, Refusal> {
    if lifecycle.is_ready() {
        Ok("ready\n")
    } else {
        Err(Problem::new(503, "ending", "Ending").detail("this service is about to stop").into())
    }
}
