//! The connections.

use std::time::Duration;

use campuscafe_telemetry::Metrics;
use deadpool_postgres::{Manager, ManagerConfig, Object, Pool, RecyclingMethod, Runtime, Status};
use tokio_postgres::NoTls;

use crate::error::Error;
use crate::observe::Observed;
use crate::url::DatabaseUrl;

/// How long a database may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// A transaction in all. A service must answer within 1 s when the database does not.
    pub transaction: Duration,
    /// The server for one statement: shorter, so that it gives up first and says so.
    pub statement: Duration,
    /// A free connection, and a new one.
    pub connection: Duration,
}

impl Limits {
    /// What a service keeps: 0.9 s, 0.7 s and 0.4 s.
    pub const OF_A_SERVICE: Self = Self {
        transaction: Duration::from_millis(900),
        statement: Duration::from_millis(700),
        connection: Duration::from_millis(400),
    };
}

/// Connections to one database, and what is observed of them.
#[derive(Debug, Clone)]
pub struct Database {
    pool: Pool,
    pub(crate) observed: Observed,
    pub(crate) schema: &'static str,
    pub(crate) limits: Limits,
}

impl Database {
    /// A database whose tables stand in `schema`, with at most so many connections. Nothing is
    /// sent yet.
    #[must_use]
    pub fn new(
        url: &DatabaseUrl,
        schema: &'static str,
        most_connections: usize,
        limits: Limits,
        metrics: &Metrics,
    ) -> Self {
        let mut config = url.config().clone();
        let options = config.get_options().unwrap_or_default();
        // Statements are planned once for a connection, often while the tables are empty. A plan
        // that reads a whole table then would still do so when it is full. A plan that must read
        // one costs so much on paper then that the server would compile it, for 40 ms.
        config.options(format!(
            "{options} -c search_path={schema} -c statement_timeout={} \
             -c enable_seqscan=off -c jit=off -c idle_in_transaction_session_timeout={}",
            limits.statement.as_millis(),
            2 * limits.transaction.as_millis(),
        ));
        config.connect_timeout(limits.connection);
        if config.get_application_name().is_none() {
            config.application_name(schema);
        }
        let namespace = config.get_dbname().unwrap_or_default().to_owned();
        let recycling = ManagerConfig { recycling_method: RecyclingMethod::Fast };
        let manager = Manager::from_config(config, NoTls, recycling);
        let observed = Observed::new(metrics, namespace, url.server(), most_connections);
        let builder = Pool::builder(manager)
            .max_size(most_connections)
            .wait_timeout(Some(limits.connection))
            .create_timeout(Some(limits.connection))
            .recycle_timeout(Some(limits.connection))
            .runtime(Runtime::Tokio1);
        #[expect(clippy::expect_used, reason = "it fails only without a runtime, and there is one")]
        let pool = builder.build().expect("a pool with a runtime");
        Self { pool, observed, schema, limits }
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
