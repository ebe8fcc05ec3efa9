//! What the inventory is made of, and where its calls lead.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::Router;
use campuscafe_chaos::{Fault, Roll, Step};
use campuscafe_service::{AllowedHosts, Lifecycle, assemble};
use campuscafe_telemetry::Metrics;
use utoipa::OpenApi;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::holds::Holds;
use crate::metrics::InventoryMetrics;
use crate::requests::Requests;
use crate::stock::{Opening, Stock};
use crate::{holds, ping, reserve, state};

/// One inventory.
#[derive(Debug)]
pub struct App {
    books: Mutex<Books>,
    pub(crate) holds: Holds,
    pub(crate) metrics: InventoryMetrics,
    pub(crate) lifecycle: Lifecycle,
    registry: Metrics,
    seed: u64,
    rolls: AtomicU64,
}

/// What is changed under one lock, so that check and commit are one step.
#[derive(Debug)]
pub(crate) struct Books {
    pub(crate) stock: Stock,
    pub(crate) requests: Requests,
}

impl App {
    /// An inventory with its opening stock, counting into `metrics`.
    #[must_use]
    pub fn new(opening: &Opening, seed: u64, metrics: Metrics, lifecycle: Lifecycle) -> Arc<Self> {
        let stock = Stock::new(opening.clone());
        Arc::new(Self {
            holds: Holds::new(lifecycle.clone()),
            metrics: InventoryMetrics::new(&metrics, stock.left()),
            books: Mutex::new(Books { stock, requests: Requests::default() }),
            lifecycle,
            registry: metrics,
            seed,
            rolls: AtomicU64::new(0),
        })
    }

    /// The lock is held for a few instructions, never across an await. Its
    /// holders cannot leave the books half written, so poison is no danger.
    pub(crate) fn books(&self) -> MutexGuard<'_, Books> {
        self.books.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What a step comes to; each flaky one takes the next roll of the seed.
    pub(crate) fn decide(&self, step: Step) -> Fault {
        step.decide(|| Roll::nth(self.seed, self.rolls.fetch_add(1, Ordering::Relaxed)))
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
        .routes(routes!(ping::ping))
        .routes(routes!(reserve::reserve))
        .routes(routes!(holds::list_holds))
        .routes(routes!(holds::release_hold))
        .with_state(app)
        .split_for_parts();
    assemble(work, description, allowed, &metrics, &lifecycle)
}
