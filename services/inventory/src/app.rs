//! What the inventory is made of, and where its calls lead.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::Router;
use campuscafe_service::{AllowedHosts, Lifecycle, WorkLimit, service_router};
use campuscafe_telemetry::Metrics;
use utoipa::OpenApi;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::history::KeyHasher;
use crate::holds::{Holds, most_holds};
use crate::metrics::{InventoryMetrics, WORK};
use crate::plans::Plans;
use crate::stock::InitialStock;
use crate::store::Store;
use crate::{deliveries, holds, ping, reserve, state};

/// One inventory.
#[derive(Debug)]
pub struct App {
    pub(crate) store: Store,
    plans: Mutex<Plans>,
    pub(crate) keys: KeyHasher,
    pub(crate) work: WorkLimit,
    pub(crate) holds: Holds,
    pub(crate) metrics: InventoryMetrics,
    pub(crate) lifecycle: Lifecycle,
    registry: Metrics,
}

impl App {
    /// An inventory with its initial stock, which takes on so much work at one
    /// time, counting into `metrics`.
    #[must_use]
    pub fn new(
        initial: &InitialStock,
        seed: u64,
        max_work: usize,
        metrics: Metrics,
        lifecycle: Lifecycle,
    ) -> Arc<Self> {
        Arc::new(Self {
            holds: Holds::new(most_holds(max_work), lifecycle.clone()),
            work: WorkLimit::new(max_work, WORK, &metrics),
            metrics: InventoryMetrics::new(&metrics, initial.pieces()),
            keys: KeyHasher::new(rand::random()),
            store: Store::in_memory(initial.clone()),
            plans: Mutex::new(Plans::new(seed)),
            lifecycle,
            registry: metrics,
        })
    }

    /// The lock is held for a few instructions, never across an await, and
    /// nothing is logged under it: a slow reader of the log must not stop the
    /// requests. Its holders cannot leave the plans half written, so poison is no
    /// danger.
    pub(crate) fn plans(&self) -> MutexGuard<'_, Plans> {
        self.plans.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether nobody holds a lock now.
    #[cfg(test)]
    pub(crate) fn is_unlocked(&self) -> bool {
        self.store.is_unlocked() && self.plans.try_lock().is_ok()
    }
}

#[derive(OpenApi)]
#[openapi(info(
    title = "CampusCafe inventory",
    description = "Reserves pieces of a stock, and misbehaves on request. \
                   Every refusal is a problem after RFC 9457."
))]
struct Description;

/// Everything the inventory answers to, where a request names an address of this
/// machine or one of the `allowed` hosts.
pub fn router(app: Arc<App>, allowed: &AllowedHosts) -> Router {
    let (metrics, lifecycle) = (app.registry.clone(), app.lifecycle.clone());
    let (work, description) = OpenApiRouter::with_openapi(Description::openapi())
        .routes(routes!(state::get_state))
        .routes(routes!(state::reset))
        .routes(routes!(deliveries::deliver))
        .routes(routes!(ping::ping))
        .routes(routes!(reserve::reserve))
        .routes(routes!(holds::list_holds))
        .routes(routes!(holds::release_hold))
        .routes(routes!(holds::cut_hold))
        .with_state(app)
        .split_for_parts();
    service_router(work, description, allowed, &metrics, &lifecycle)
}
