//! What goes on beside the requests where the orders are in a database, which other processes
//! use too.

use std::sync::Arc;
use std::time::Duration;

use campuscafe_api::Problem;
use campuscafe_database::{MigrateError, Reason, Watched, until_prepared};
use tokio::time::sleep;

use super::{NOTHING_ORDERED, take_over};
use crate::App;
use crate::orders::Question;
use crate::store::{DatabaseOrders, Unavailable};

/// A third of the lease, so that one renewal may fail.
const RENEW_EVERY: Duration = Duration::from_secs(1);

/// After how many renewals what is too old is removed.
const FORGET_EVERY: u32 = 10;

/// Makes the database ready for orders.
///
/// # Errors
///
/// Why it is not.
pub(crate) async fn prepare(app: &App, store: &DatabaseOrders) -> Result<(), MigrateError> {
    let prepared = store.prepare().await;
    if let Err(error) = &prepared {
        let problem = Problem::new(503, "store-unavailable", "Store unavailable");
        let detail = format!("the database is not ready: {error}; {NOTHING_ORDERED}");
        app.lifecycle.set_unavailable(Some(problem.detail(detail)));
    }
    prepared
}

/// Waits for the database, renews the lease of this process, takes over what others have left
/// behind, and says whenever the database cannot be used and when it can be used again.
pub(super) async fn keep(app: &Arc<App>, store: &DatabaseOrders) {
    if !store.is_prepared() {
        until_prepared(|| prepare(app, store)).await;
    }
    app.lifecycle.set_unavailable(None);
    tracing::info!("The orders are in the database");
    let mut watched = Watched::default();
    for round in (0..FORGET_EVERY).cycle() {
        let failed = look_after(app, store, round == 0).await.err();
        if watched.saw(failed, Unavailable::sentence) {
            app.lifecycle.set_unavailable(failed.map(|it| it.problem(NOTHING_ORDERED)));
        }
        if failed == Some(Unavailable::Database(Reason::Refused)) {
            // Somebody has removed the tables, or put an empty database in its place.
            let _ = store.prepare().await;
        }
        sleep(RENEW_EVERY).await;
    }
}

async fn look_after(
    app: &Arc<App>,
    store: &DatabaseOrders,
    forget: bool,
) -> Result<(), Unavailable> {
    store.renew_lease().await?;
    let to_ask = store.end_abandoned().await?;
    take_over(app, to_ask.into_iter().map(|id| (id, Question::Cancel)).collect(), Vec::new());
    loop {
        let left = store.take_over((app.now)()).await?;
        if left.len() == 0 {
            break;
        }
        let orders = left.len();
        tracing::info!(orders, "Takes over what no process works on; orders: {orders}");
        take_over(app, left.open(), left.with_untold());
    }
    while forget && store.forget((app.now)()).await? {}
    Ok(())
}
