//! What the inventory is made of, and where its calls lead.

use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use axum::Router;
use campuscafe_cures::UnixMillis;
use campuscafe_cures::decisions::Bounds;
use campuscafe_database::{DatabaseUrl, Limits, MigrateError, Reason as DatabaseReason};
use campuscafe_service::{
    AllowedHosts, ExitError, Lifecycle, WorkLimit, service_router, unix_millis,
};
use campuscafe_telemetry::Metrics;
use utoipa::OpenApi;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::board::Board;
use crate::capacity::Capacity;
use crate::config::Config;
use crate::history::KeyHasher;
use crate::holds::{Holds, most_holds};
use crate::metrics::{InventoryMetrics, WORK};
use crate::plans::Plans;
use crate::store::{DatabaseInventory, FileInventory, Own, Reason, Store, StoreError, StoreErrors};
use crate::{
    deliveries, holds, keys, notifications, ping, prices, reservations, reserve, state, upkeep,
};

/// How many idempotency keys requests may record: 200 orders a second for the default
/// horizon of 10 minutes, and a quarter more. One of an order takes 330 bytes (measured),
/// so all of them, with those that are made void, take 52 MiB. Longer ones count as several:
/// 165,000 keys of 255 bytes would take 97 MiB, and the container has 128.
const MAX_KEYS: usize = 150_000;

/// How many more keys may be made void.
const MAX_VOIDS: usize = 15_000;

/// One inventory.
#[derive(Debug)]
pub struct App {
    pub(crate) store: Store,
    plans: Mutex<Plans>,
    /// Of the ids whose attempts are counted here.
    pub(crate) attempts: KeyHasher,
    /// Of the ids of what the store keeps; a database tells it when it is reached first.
    keys: OnceLock<KeyHasher>,
    pub(crate) work: WorkLimit,
    pub(crate) holds: Holds,
    /// What is shown of each order.
    pub(crate) board: Board,
    /// None if every request is worked at once.
    pub(crate) capacity: Option<Capacity>,
    pub(crate) metrics: InventoryMetrics,
    pub(crate) lifecycle: Lifecycle,
    /// The clock by which keys expire. They carry a time of another machine's, so it is
    /// the time of day.
    pub(crate) now: fn() -> UnixMillis,
    registry: Metrics,
}

impl App {
    /// An inventory whose flaky faults follow this seed, counting into `metrics`.
    #[must_use]
    pub fn new(config: &Config, seed: u64, metrics: Metrics, lifecycle: Lifecycle) -> Arc<Self> {
        Self::with_clock(config, seed, metrics, lifecycle, unix_millis)
    }

    /// The same, with its stock in a database or in a file if the settings name one. It blocks
    /// while it reads the file. A database that cannot be reached is waited for in the
    /// background.
    ///
    /// # Errors
    ///
    /// When the file or the schema of the database cannot be used: a line for a person.
    pub async fn open(
        config: &Config,
        seed: u64,
        metrics: Metrics,
        lifecycle: Lifecycle,
    ) -> Result<Arc<Self>, ExitError> {
        let database = config.database.database();
        let database = database.map_err(|error| ExitError::Usage(error.to_string()))?;
        match (database, &config.data) {
            (Some(database), _) => {
                Self::in_database(config, database, seed, metrics, lifecycle).await
            }
            (None, Some(directory)) => Self::in_file(config, directory, seed, metrics, lifecycle),
            (None, None) => Ok(Self::new(config, seed, metrics, lifecycle)),
        }
    }

    fn in_file(
        config: &Config,
        directory: &Path,
        seed: u64,
        metrics: Metrics,
        lifecycle: Lifecycle,
    ) -> Result<Arc<Self>, ExitError> {
        let (stock, bounds) = (config.stock.clone(), bounds(config));
        let opened = FileInventory::open(directory, stock, bounds, unix_millis, &metrics);
        let (store, found) = opened.map_err(|error| refused("--data / DATA_DIR", &error))?;
        let keys = KeyHasher::new(found.secret);
        let store = Store::Own(Own::File(store));
        let app =
            Self::with_store(config, seed, metrics, lifecycle, unix_millis, (store, Some(keys)));
        upkeep::tell(&app, &found);
        app.lifecycle.spawn_background(upkeep::recover_file_always(app.clone()));
        Ok(app)
    }

    async fn in_database(
        config: &Config,
        (url, connections): (DatabaseUrl, usize),
        seed: u64,
        metrics: Metrics,
        lifecycle: Lifecycle,
    ) -> Result<Arc<Self>, ExitError> {
        let (stock, bounds) = (config.stock.clone(), bounds(config));
        let store = DatabaseInventory::new(
            &url,
            (connections, Limits::OF_A_SERVICE),
            stock,
            bounds,
            unix_millis,
            &metrics,
        );
        let store = Store::Database(store);
        let app = Self::with_store(config, seed, metrics, lifecycle, unix_millis, (store, None));
        match upkeep::prepare_database(&app).await {
            Ok(()) | Err(MigrateError::Unavailable(_)) => {}
            Err(error) => return Err(refused(DATABASE_URL, &error)),
        }
        app.lifecycle.spawn_background(upkeep::watch_database(app.clone()));
        Ok(app)
    }

    /// An inventory in memory with a time of day that a test decides.
    #[must_use]
    pub fn with_clock(
        config: &Config,
        seed: u64,
        metrics: Metrics,
        lifecycle: Lifecycle,
        now: fn() -> UnixMillis,
    ) -> Arc<Self> {
        let store = Store::in_memory(config.stock.clone(), bounds(config));
        let keys = KeyHasher::new(rand::random());
        Self::with_store(config, seed, metrics, lifecycle, now, (store, Some(keys)))
    }

    fn with_store(
        config: &Config,
        seed: u64,
        metrics: Metrics,
        lifecycle: Lifecycle,
        now: fn() -> UnixMillis,
        (store, keys): (Store, Option<KeyHasher>),
    ) -> Arc<Self> {
        let Config { stock, max_work, max_wait, capacity, .. } = config;
        StoreErrors::new(&metrics);
        Arc::new(Self {
            holds: Holds::new(most_holds(*max_work), lifecycle.clone()),
            board: Board::default(),
            work: WorkLimit::new(*max_work, *max_wait, WORK, &metrics),
            capacity: capacity.map(Capacity::new),
            metrics: InventoryMetrics::new(&metrics, stock.pieces()),
            attempts: KeyHasher::new(rand::random()),
            keys: keys.map_or_else(OnceLock::new, OnceLock::from),
            store,
            plans: Mutex::new(Plans::new(seed)),
            lifecycle,
            now,
            registry: metrics,
        })
    }

    /// Makes keys of ids for the store.
    ///
    /// # Errors
    ///
    /// When the store has not told its secret yet.
    pub(crate) fn keys(&self) -> Result<&KeyHasher, StoreError> {
        let unavailable = StoreError::Unavailable(Reason::Database(DatabaseReason::Unavailable));
        self.keys.get().ok_or(unavailable)
    }

    pub(crate) fn set_secret(&self, secret: u128) {
        self.keys.get_or_init(|| KeyHasher::new(secret));
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

const DATABASE_URL: &str = "--database-url / DATABASE_URL";

fn refused(setting: &str, error: &impl std::fmt::Display) -> ExitError {
    ExitError::Usage(format!("{setting}: {error}"))
}

fn bounds(config: &Config) -> Bounds {
    Bounds { horizon: config.key_horizon(), keys: MAX_KEYS, voids: MAX_VOIDS }
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
        .routes(routes!(reservations::cancel_of_request))
        .routes(routes!(reservations::cancel_reservation))
        .routes(routes!(holds::list_holds))
        .routes(routes!(holds::release_hold))
        .routes(routes!(holds::cut_hold))
        .routes(routes!(prices::get_price, prices::change_price))
        .routes(routes!(keys::list_keys))
        .routes(routes!(keys::settle_key))
        .routes(routes!(keys::cancel_key))
        .routes(routes!(notifications::notify))
        .routes(routes!(notifications::get_notifications))
        .with_state(app)
        .split_for_parts();
    service_router(work, description, allowed, &metrics, &lifecycle)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use campuscafe_cures::{Decisions, IdempotencyKey, OrderId};

    use super::*;
    use crate::config::DEFAULT_KEY_HORIZON;

    #[test]
    fn orders_at_200_a_second_never_reach_the_bound_on_keys_within_the_default_horizon() {
        let bounds = Bounds { horizon: DEFAULT_KEY_HORIZON, keys: MAX_KEYS, voids: MAX_VOIDS };
        let mut decisions = Decisions::<u64, u64, ()>::new(bounds);
        let each = 1_000 / 200;
        let two_horizons = 2 * DEFAULT_KEY_HORIZON.as_secs() * 200;
        let mut most = 0;
        for number in 0..two_horizons {
            let now = 1_800_000_000_000 + number * each;
            let key = IdempotencyKey::of_order(OrderId::new(now, [0; 10]));
            assert!(decisions.decide(&key, 1, now, || Ok(number)).is_ok(), "order {number}");
            most = most.max(decisions.len());
        }
        // They are forgotten by whole seconds.
        assert!((120_000..=120_200).contains(&most), "{most} keys at one time");
    }
}
