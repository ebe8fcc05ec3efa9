//! Statements and connections in telemetry, by the
//! [semantic conventions](https://opentelemetry.io/docs/specs/semconv/database/).

use std::future::Future;
use std::sync::Arc;

use campuscafe_telemetry::{
    Gauge, HistogramFamily, Metric, Metrics, SPAN_TARGET, attribute, set_attribute, set_error,
};
use tokio::time::Instant;
use tracing::{Instrument as _, Span, info_span};

use crate::error::Error;
use crate::statement::Statement;

/// The value of `db.system.name`.
const SYSTEM: &str = "postgresql";

/// How long statements took.
const OPERATION_DURATION: Metric = Metric {
    name: "db_client_operation_duration_seconds",
    help: "Time from sending a statement to the database until its answer, or until it failed \
           (error_type).",
};

/// Connections of the pool.
const CONNECTION_COUNT: Metric = Metric {
    name: "db_client_connection_count",
    help: "Connections to the database, by whether they are in use (used) or not (idle).",
};

/// The most connections that the pool opens.
const CONNECTION_MAX: Metric = Metric {
    name: "db_client_connection_max",
    help: "How many connections to the database there may be.",
};

/// Who waits for a connection.
const PENDING_REQUESTS: Metric = Metric {
    name: "db_client_connection_pending_requests",
    help: "Requests that wait for a connection to the database.",
};

/// The telemetry of one database.
#[derive(Clone)]
pub(crate) struct Observed(Arc<Inner>);

struct Inner {
    durations: HistogramFamily,
    used: Gauge,
    idle: Gauge,
    pending: Gauge,
    namespace: String,
    server: (String, u16),
}

impl std::fmt::Debug for Observed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Observed").finish_non_exhaustive()
    }
}

impl Observed {
    pub(crate) fn new(
        metrics: &Metrics,
        namespace: String,
        server: (String, u16),
        most_connections: usize,
    ) -> Self {
        let connections = |state| metrics.gauge(CONNECTION_COUNT, &[("state", state)]);
        #[expect(clippy::cast_precision_loss, reason = "a handful of connections")]
        metrics.gauge(CONNECTION_MAX, &[]).set(most_connections as f64);
        Self(Arc::new(Inner {
            durations: metrics.histogram_family(OPERATION_DURATION),
            used: connections("used"),
            idle: connections("idle"),
            pending: metrics.gauge(PENDING_REQUESTS, &[]),
            namespace,
            server,
        }))
    }

    /// Tells how the connections of the pool stand now.
    #[expect(clippy::cast_precision_loss, reason = "a handful of connections")]
    pub(crate) fn connections(&self, status: &deadpool_postgres::Status) {
        let idle = status.available;
        self.0.used.set(status.size.saturating_sub(idle) as f64);
        self.0.idle.set(idle as f64);
        self.0.pending.set(status.waiting as f64);
    }

    /// Runs a statement under a span of its own.
    pub(crate) async fn statement<T>(
        &self,
        statement: Statement,
        run: impl Future<Output = Result<T, tokio_postgres::Error>>,
    ) -> Result<T, Error> {
        let span = self.span(statement);
        let begun = Instant::now();
        let result = run.instrument(span.clone()).await.map_err(|error| Error::of(&error));
        let error_type = match &result {
            Ok(_) => "",
            Err(error) => {
                if let Some(state) = &error.state {
                    set_attribute(
                        &span,
                        attribute::DB_RESPONSE_STATUS_CODE,
                        state.code().to_owned(),
                    );
                }
                set_error(&span, error.error_type());
                error.reason.as_str()
            }
        };
        let labels = [("db_query_summary", statement.summary), ("error_type", error_type)];
        self.0.durations.with_labels(&labels).record(begun.elapsed().as_secs_f64());
        result
    }

    /// A statement belongs to a request. What a service does in the background would be a
    /// trace for each statement, and drive out those of the requests.
    fn span(&self, statement: Statement) -> Span {
        if Span::current().is_none() {
            return Span::none();
        }
        let Inner { namespace, server: (address, port), .. } = &*self.0;
        info_span!(
            target: SPAN_TARGET,
            "statement",
            otel.name = statement.summary,
            otel.kind = "client",
            { attribute::DB_SYSTEM_NAME } = SYSTEM,
            { attribute::DB_NAMESPACE } = namespace,
            { attribute::DB_OPERATION_NAME } = statement.operation(),
            { attribute::DB_QUERY_SUMMARY } = statement.summary,
            { attribute::SERVER_ADDRESS } = address,
            { attribute::SERVER_PORT } = i64::from(*port),
        )
    }
}
