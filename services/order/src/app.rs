//! What the order service is made of, and where its calls lead.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use campuscafe_cures::{Replica, UnixMillis};
use campuscafe_database::{Limits, MigrateError};
use campuscafe_service::{
    AllowedHosts, ExitError, Lifecycle, WorkKind, WorkLimit, service_router, unix_millis,
};
use campuscafe_telemetry::http_client::{Observe, Template};
use campuscafe_telemetry::{Baggage, Metrics};
use reqwest::{Response, Url};
use tokio::sync::Semaphore;
use utoipa::OpenApi;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::attempts::Clients;
use crate::calls::Call;
use crate::config::{Config, CustomerKeys};
use crate::cured_retry::CuredRetry;
use crate::metrics::{OrderMetrics, WORK, show_unknown};
use crate::notify::MAX_MESSAGES;
use crate::recovery::database::prepare;
use crate::recovery::keep;
use crate::settle::{Asked, MAX_ASKED};
use crate::store::{DatabaseOrders, Store, Unavailable};
use crate::{cancel, place_order, records, reorder};

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
    pub(crate) orders: Arc<Store>,
    pub(crate) asked: Asked,
    /// Which process this is, among all that ever take orders.
    pub(crate) replica: Replica,
    pub(crate) customer_keys: CustomerKeys,
    /// Permits to ask the inventory about an order.
    pub(crate) asking: Semaphore,
    /// Permits to have a message under way.
    pub(crate) telling: Arc<Semaphore>,
    /// The time of day: an order's id carries it.
    pub(crate) now: fn() -> UnixMillis,
    inventory: Url,
    registry: Metrics,
}

impl App {
    /// An order service that counts into `metrics`. A database that cannot be reached is waited
    /// for in the background.
    ///
    /// # Errors
    ///
    /// When the platform gives no HTTP client, or the file or the schema of the orders cannot be
    /// used.
    pub async fn open(
        config: &Config,
        registry: Metrics,
        lifecycle: Lifecycle,
    ) -> Result<Arc<Self>, ExitError> {
        let database = config.database.database();
        let database = database.map_err(|error| ExitError::Usage(error.to_string()))?;
        let Some((url, connections)) = database else {
            return Self::new(config, registry, lifecycle);
        };
        let store = DatabaseOrders::new(&url, (connections, Limits::OF_A_SERVICE), &registry);
        let store = Store::Database(store);
        let app = Self::with_store(config, registry, lifecycle, unix_millis, store)?;
        if let Some(store) = app.orders.database() {
            match prepare(&app, store).await {
                Ok(()) | Err(MigrateError::Unavailable(_)) => {}
                Err(error) => {
                    return Err(ExitError::Usage(format!(
                        "--database-url / DATABASE_URL: {error}"
                    )));
                }
            }
        }
        app.lifecycle.spawn_background(keep(app.clone()));
        Ok(app)
    }

    /// The same with its orders in memory or in a file.
    ///
    /// # Errors
    ///
    /// When the platform gives no HTTP client, or the file of the orders cannot be used.
    pub fn new(
        config: &Config,
        registry: Metrics,
        lifecycle: Lifecycle,
    ) -> Result<Arc<Self>, ExitError> {
        Self::with_clock(config, registry, lifecycle, unix_millis)
    }

    /// The same with a time of day that a test decides.
    ///
    /// # Errors
    ///
    /// As [`Self::new`].
    pub fn with_clock(
        config: &Config,
        registry: Metrics,
        lifecycle: Lifecycle,
        now: fn() -> UnixMillis,
    ) -> Result<Arc<Self>, ExitError> {
        let store = match &config.data {
            Some(directory) => Store::in_file(directory, now())
                .map_err(|error| ExitError::Usage(format!("--data / DATA_DIR: {error}")))?,
            None => Store::in_memory(),
        };
        Self::with_store(config, registry, lifecycle, now, store)
    }

    pub(crate) fn with_store(
        config: &Config,
        registry: Metrics,
        lifecycle: Lifecycle,
        now: fn() -> UnixMillis,
        store: Store,
    ) -> Result<Arc<Self>, ExitError> {
        let metrics = Arc::new(OrderMetrics::new(&registry));
        let observe = Observe::new(&registry);
        let cured = CuredRetry::new(config, metrics.clone());
        let orders = Arc::new(store);
        show_unknown(&registry, orders.clone(), now);
        let replica = orders.replica();
        let app = Arc::new(Self {
            clients: Clients::new(observe, metrics.clone(), cured, reorder::PositionRecorder)
                .map_err(|error| {
                    ExitError::Failed(format!("cannot make an HTTP client: {error}"))
                })?,
            metrics,
            lifecycle,
            attempt_timeout: config.attempt_timeout,
            work: WorkLimit::new(config.max_work, config.max_wait, WORK, &registry),
            slow_share: WorkLimit::share(config.max_work, WorkKind::Slow),
            orders,
            asked: Asked::default(),
            replica,
            customer_keys: config.customer_keys,
            asking: Semaphore::new(MAX_ASKED),
            telling: Arc::new(Semaphore::new(MAX_MESSAGES)),
            now,
            inventory: config.inventory_url.clone(),
            registry,
        });
        if app.orders.file().is_some() {
            app.lifecycle.spawn_background(keep(app.clone()));
        }
        Ok(app)
    }

    /// The inventory's URL for a call.
    pub(crate) fn url(&self, call: Template) -> Url {
        let mut url = self.inventory.clone();
        url.set_path(call.0);
        url
    }

    /// Hands over to other processes what this one works on, as far as there are any.
    pub(crate) async fn leave(&self) {
        if let Some(store) = self.orders.database()
            && let Err(Unavailable::Database(reason)) = store.end_lease().await
        {
            tracing::debug!("Cannot end the lease: {}", reason.sentence());
        }
    }

    /// Sends a call to the inventory; none if no whole answer came in time.
    pub(crate) async fn send(&self, call: &Call, baggage: &Baggage) -> Option<Response> {
        let (client, limit) = (&self.clients.settling, self.attempt_timeout);
        call.send(client, self.inventory.clone(), limit, baggage).await
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
        .routes(routes!(place_order::place_order, records::list_orders))
        .routes(routes!(records::get_order, cancel::cancel_order))
        .routes(routes!(reorder::out_of_order))
        .with_state(app)
        .split_for_parts();
    service_router(work, description, allowed, &metrics, &lifecycle)
}
