//! What the order service is made of, and where its calls lead.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use campuscafe_service::{AllowedHosts, Lifecycle, WorkKind, WorkLimit, service_router};
use campuscafe_telemetry::Metrics;
use campuscafe_telemetry::http_client::{Observe, Template};
use reqwest::Url;
use utoipa::OpenApi;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::attempts::Clients;
use crate::config::Config;
use crate::metrics::{OrderMetrics, WORK};
use crate::{place_order, reorder};

/// One order service.
#[derive(Debug)]
pub struct App {
    pub(crate) clients: Clients,
    pub(crate) metrics: Arc<OrderMetrics>,
    pub(crate) lifecycle: Lifecycle,
    pub(crate) attempt_timeout: Duration,
    pub(crate) work: WorkLimit,
    /// How many permits slow work may have at one time.
    pub(crate) slow_share: usize,
    inventory: Url,
    registry: Metrics,
}

impl App {
    /// An order service that counts into `metrics`.
    ///
    /// # Errors
    ///
    /// When the platform gives no HTTP client.
    pub fn new(
        config: &Config,
        registry: Metrics,
        lifecycle: Lifecycle,
    ) -> reqwest::Result<Arc<Self>> {
        let metrics = Arc::new(OrderMetrics::new(&registry));
        let observe = Observe::new(&registry);
        Ok(Arc::new(Self {
            clients: Clients::new(observe, metrics.clone(), reorder::PositionRecorder)?,
            metrics,
            lifecycle,
            attempt_timeout: config.attempt_timeout,
            work: WorkLimit::new(config.max_work, WORK, &registry),
            slow_share: WorkLimit::share(config.max_work, WorkKind::Slow),
            inventory: config.inventory_url.clone(),
            registry,
        }))
    }

    /// The inventory's URL for a call.
    pub(crate) fn url(&self, call: Template) -> Url {
        let mut url = self.inventory.clone();
        url.set_path(call.0);
        url
    }
}

#[derive(OpenApi)]
#[openapi(info(
    title = "CampusCafe order",
    description = "Takes orders and reserves at the inventory, with a limit and a naive retry. \
                   Every refusal is a problem after RFC 9457."
))]
struct Description;

/// Everything the order service answers to, where a request names an address of this
/// machine or one of the `allowed` hosts.
pub fn router(app: Arc<App>, allowed: &AllowedHosts) -> Router {
    let (metrics, lifecycle) = (app.registry.clone(), app.lifecycle.clone());
    let (work, description) = OpenApiRouter::with_openapi(Description::openapi())
        .routes(routes!(place_order::place_order))
        .routes(routes!(reorder::out_of_order))
        .with_state(app)
        .split_for_parts();
    service_router(work, description, allowed, &metrics, &lifecycle)
}
