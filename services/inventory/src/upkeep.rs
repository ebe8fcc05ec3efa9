//! What goes on beside the requests: a store that does not work is tried again until it does,
//! and what is too old is forgotten.

use std::sync::Arc;
use std::time::Duration;

use campuscafe_api::Problem;
use campuscafe_database::{MigrateError, Reason as DatabaseReason, Watched, until_prepared};

use crate::App;
use crate::store::{DatabaseInventory, Found, LoadError, Reason, StoreError};

/// How long to wait before a store is tried again, at first and at most.
const FIRST_WAIT: Duration = Duration::from_millis(100);
const LONGEST_WAIT: Duration = Duration::from_secs(1);

/// How often the database is looked at: others change the stock too.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// After how many looks what is too old is removed.
const FORGET_EVERY: u32 = 10;

/// Tells what the file has brought along: it may differ from what the settings say.
pub(crate) fn tell(app: &App, found: &Found) {
    app.metrics.stock(&found.snapshot.left);
    app.metrics.keys(found.keys);
    for item in &found.unknown_items {
        tracing::warn!(
            item,
            "The file has an item that --stock does not name; it is not sold: {item}"
        );
    }
    if !found.is_new {
        let left = found.snapshot.left.iter().map(|(item, pieces)| format!("{item}={pieces}"));
        let left = left.collect::<Vec<_>>().join(",");
        tracing::info!(
            reservations = found.snapshot.reservations,
            keys = found.keys,
            "Goes on with the stock of the file, {left}; a reset returns to that of --stock"
        );
    }
}

/// Whenever a commit has failed, opens the file again until it can be written.
pub(crate) async fn recover_file_always(app: Arc<App>) {
    let Some(store) = app.store.file() else { return };
    loop {
        store.failed().await;
        let (kind, title) = Reason::FileFailed.problem();
        let detail = Reason::FileFailed.sentence();
        app.lifecycle.set_unavailable(Some(Problem::new(503, kind, title).detail(detail)));
        let mut wait = FIRST_WAIT;
        let mut said = None;
        loop {
            let error = match recover(&app).await {
                Ok(()) => break,
                Err(error) => error,
            };
            if said.as_ref() != Some(&error) {
                tracing::error!("The stock takes no changes: {error}. Tries again until it does");
            }
            said = Some(error);
            tokio::time::sleep(wait).await;
            wait = (wait * 2).min(LONGEST_WAIT);
        }
        app.lifecycle.set_unavailable(None);
        tracing::info!("The stock takes changes again, from what its file says");
    }
}

/// # Errors
///
/// Why the file still cannot be used.
async fn recover(app: &Arc<App>) -> Result<(), String> {
    let inventory = app.clone();
    // It reads the whole file.
    let recovered = tokio::task::spawn_blocking(move || match inventory.store.file() {
        Some(store) => store.recover().map(|snapshot| inventory.metrics.stock(&snapshot.left)),
        None => Ok::<(), LoadError>(()),
    });
    match recovered.await {
        Ok(result) => result.map_err(|error| error.to_string()),
        Err(error) => Err(error.to_string()),
    }
}

/// Makes the database ready for requests.
///
/// # Errors
///
/// Why it is not.
pub(crate) async fn prepare_database(app: &App) -> Result<(), MigrateError> {
    let Some(store) = app.store.database() else { return Ok(()) };
    let prepared = store.prepare().await;
    match &prepared {
        Ok(settings) => app.set_secret(settings.secret),
        Err(error) => {
            let detail = format!("the database is not ready: {error}");
            let problem = Problem::new(503, "store-unavailable", "Store unavailable");
            app.lifecycle.set_unavailable(Some(problem.detail(detail)));
        }
    }
    prepared.map(|_| ())
}

/// Waits for the database, and then says whenever it cannot be used and when it can be used
/// again. The gauges follow the database: other inventories change it too.
pub(crate) async fn watch_database(app: Arc<App>) {
    let Some(store) = app.store.database() else { return };
    wait_until_prepared(&app).await;
    let mut watched = Watched::default();
    for look in (0..FORGET_EVERY).cycle() {
        let failed = look_at(&app, store, look == 0).await.err();
        if watched.saw(failed, |error| error.reason().sentence()) {
            app.lifecycle.set_unavailable(failed.map(StoreError::problem));
        }
        if failed.is_some_and(|error| error.reason() == Reason::Database(DatabaseReason::Refused)) {
            // Somebody has removed the tables, or put an empty database in its place.
            let _ = store.prepare().await;
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
}

async fn wait_until_prepared(app: &App) {
    if app.keys().is_err() {
        until_prepared(|| prepare_database(app)).await;
    }
    app.lifecycle.set_unavailable(None);
    tracing::info!("The stock is in the database");
}

async fn look_at(app: &App, store: &DatabaseInventory, forget: bool) -> Result<(), StoreError> {
    let snapshot = store.state().await?;
    app.metrics.stock(&snapshot.left);
    app.metrics.keys(store.count_keys().await?);
    while forget && store.forget().await? {}
    Ok(())
}
