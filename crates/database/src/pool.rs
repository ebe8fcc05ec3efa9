//! The connections.

use std::time::Duration;

use campuscafe_telemetry::Metrics;
use deadpool_postgres::{Manager, ManagerConfig, Object, Pool, RecyclingMethod, Runtime, Status};
use tokio_postgres::NoTls;

use crate::error::Error;
use crate::observe::Observed;
use crate::url::DatabaseUrl;

/// How long a transaction may take in all. A service must answer within 1 s when the database
/// does not.
pub(crate) const TRANSACTION_TIMEOUT: Duration = Duration::from_millis(900);

/// How long the server works on one statement: shorter, so that it gives up first and says so.
const STATEMENT_TIMEOUT_MS: u64 = 700;

/// How long to wait for a free connection, and for a new one.
const CONNECTION_TIMEOUT: Duration = Duration::from_millis(400);

/// Connections to one database, and what is observed of them.
#[derive(Debug, Clone)]
pub struct Database {
    pool: Pool,
    pub(crate) observed: Observed,
    pub(crate) schema: &'static str,
}

impl Database {
    /// A database whose tables stand in `schema`, with at most so many connections. Nothing is
    /// sent yet.
    #[must_use]
    pub fn new(
        url: &DatabaseUrl,
        schema: &'static str,
        most_connections: usize,
        metrics: &Metrics,
    ) -> Self {
        let mut config = url.config().clone();
        let options = config.get_options().unwrap_or_default();
        // Statements are planned once for a connection, often while the tables are empty. A plan
        // that reads a whole table then would still do so when it is full.
        config.options(format!(
            "{options} -c search_path={schema} -c statement_timeout={STATEMENT_TIMEOUT_MS} \
             -c enable_seqscan=off -c idle_in_transaction_session_timeout={}",
            2 * TRANSACTION_TIMEOUT.as_millis(),
        ));
        config.connect_timeout(CONNECTION_TIMEOUT);
        if config.get_application_name().is_none() {
            config.application_name(schema);
        }
        let namespace = config.get_dbname().unwrap_or_default().to_owned();
        let recycling = ManagerConfig { recycling_method: RecyclingMethod::Fast };
        let manager = Manager::from_config(config, NoTls, recycling);
        let observed = Observed::new(metrics, namespace, url.server(), most_connections);
        let builder = Pool::builder(manager)
            .max_size(most_connections)
            .wait_timeout(Some(CONNECTION_TIMEOUT))
            .create_timeout(Some(CONNECTION_TIMEOUT))
            .recycle_timeout(Some(CONNECTION_TIMEOUT))
            .runtime(Runtime::Tokio1);
        #[expect(clippy::expect_used, reason = "it fails only without a runtime, and there is one")]
        let pool = builder.build().expect("a pool with a runtime");
        Self { pool, observed, schema }
    }

    pub(crate) async fn connection(&self) -> Result<Object, Error> {
        let connection = self.pool.get().await;
        self.tell_connections();
        connection.map_err(|error| Error::of_pool(&error))
    }

    pub(crate) fn tell_connections(&self) {
        self.observed.connections(&self.status());
    }

    fn status(&self) -> Status {
        self.pool.status()
    }
}
