//! Traces, metrics and logs for a service, set up in one call: [`init`].
//!
//! A program keeps the [`Telemetry`] that it gets. It gives its [`Metrics`] to the code
//! that counts. It puts [`http_server::observe`] around its routes and
//! [`http_client::Observe`] into its HTTP client. It calls [`Telemetry::shutdown`] last,
//! because the newest spans are still in memory until then. `examples/two_services.rs`
//! shows all of it in one file.
//!
//! # Requests that their callers abandon
//!
//! A server drops the future of a handler when the client closes its connection, at
//! whatever `await` it has reached. A layer that ends its span and records its duration
//! after `next.run(request).await` then does neither: the request that was too slow is
//! the one that leaves no trace. So the layer here holds a guard across that `await`, and
//! the guard's `Drop` does the rest. It records the duration with an empty status, adds
//! the event `client.disconnected` to the span, and tells the handler's own tasks by
//! [`ClientPresence::has_left`]. The span ends when the last holder lets it go: work that was
//! spawned with it goes on, and its spans are in the same trace.
//!
//! # Attempts, not calls
//!
//! [`http_client::Observe`] stands inside of a retry middleware, so each attempt gets a
//! span of its own, with `http.request.resend_count` from the second on. It reads the
//! answer to its last byte before the span ends, because a timeout may strike between.
//!
//! # Nothing is lost in silence
//!
//! Spans and log lines wait in bounded queues. `telemetry_spans_exported_total`,
//! `telemetry_spans_dropped_total`, `telemetry_spans_queued` and
//! `telemetry_log_lines_dropped_total` say what became of them.

mod baggage;
pub mod http_client;
pub mod http_server;
mod log_layer;
mod log_queue;
mod logs;
mod losses;
mod metrics;
mod otlp_client;
mod settings;
mod shortened;
mod span_counts;
mod span_processor;
mod traces;

use std::sync::Arc;
use std::time::Duration;

use opentelemetry_sdk::trace::SdkTracerProvider;
use tracing::Level;

use crate::log_queue::LogQueue;
use crate::losses::LossWarnings;
use crate::span_counts::SpanCounts;

pub use baggage::{Baggage, HEADER as BAGGAGE_HEADER};
pub use campuscafe_attributes as attribute;
pub use http_server::{ClientPresence, SuppressedResponse};
pub use logs::LogFormat;
pub use metrics::{Counter, Gauge, Histogram, HistogramFamily, Metric, Metrics};
pub use settings::{SettingError, Settings};
pub use shortened::{MAX_VALUE, shortened};
pub use traces::{SPAN_TARGET, add_event, current_trace_id, set_attribute, set_error, set_header};

/// How long the last exports may take when the program ends.
const FLUSH_TIMEOUT: Duration = Duration::from_secs(3);

/// How long the last log lines may take after that.
const LOG_FLUSH_TIMEOUT: Duration = Duration::from_secs(1);

/// What [`init`] set up.
#[derive(Debug)]
pub struct Telemetry {
    /// Where this process counts.
    pub metrics: Metrics,
    provider: Option<SdkTracerProvider>,
    losses: LossWarnings,
    log: LogQueue,
}

/// Who a process is in its telemetry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Identity {
    /// `service.name`, unless `OTEL_SERVICE_NAME` gives another.
    pub service: &'static str,
    /// `service.version`.
    pub version: &'static str,
    /// What is logged unless `RUST_LOG` says otherwise.
    pub log_level: Level,
}

/// Sets up traces, metrics and logs for this process, from the standard
/// `OTEL_*` variables, `RUST_LOG` and `LOG_FORMAT`.
///
/// Spans are exported only where `OTEL_EXPORTER_OTLP_ENDPOINT` says so; trace
/// ids exist in any case, so that logs and answers can name them. Spans and log
/// lines wait in bounded queues; what those have no room for is dropped and
/// counted in the [`Metrics`].
///
/// # Errors
///
/// When a variable has an invalid value; the error names the variable.
pub fn init(identity: Identity) -> Result<Telemetry, SettingError> {
    let settings = Settings::from_env(|name| std::env::var(name).ok())?;
    let spans = Arc::<SpanCounts>::default();
    let provider = traces::provider(&identity, &settings, &spans)?;
    let log = LogQueue::to_stderr();
    logs::install(&identity, &settings, provider.as_ref(), &log);
    let metrics = Metrics::new(identity.version);
    spans.show_in(&metrics);
    log.show_in(&metrics);
    Ok(Telemetry { metrics, provider, losses: LossWarnings::start(spans), log })
}

impl Telemetry {
    /// Sends the spans that are still in memory, for 3 seconds at most, and
    /// then writes the log lines that are, for 1 second at most.
    ///
    /// Blocks the calling thread: call it when the runtime has nothing left to do.
    pub fn shutdown(self) {
        if let Some(provider) = self.provider {
            // What it could not send is dropped, and told with the other losses.
            let _ = provider.shutdown_with_timeout(FLUSH_TIMEOUT);
        }
        self.losses.end();
        self.log.close(LOG_FLUSH_TIMEOUT);
    }
}
