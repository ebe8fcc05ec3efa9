//! Traces, metrics and logs, set up in one call: [`init`].
//!
//! A program keeps the [`Telemetry`] it gets, hands its [`Metrics`] to whoever
//! counts, layers its routes with [`http_server::observe`], its HTTP client
//! with [`http_client::Observe`], and calls [`Telemetry::shutdown`] last, since
//! the newest spans are still in memory until then.

pub mod attribute;
mod exporter;
pub mod http_client;
pub mod http_server;
mod log_line;
mod logs;
mod metrics;
mod settings;
mod traces;

use std::time::Duration;

use opentelemetry_sdk::trace::SdkTracerProvider;
use tracing::Level;

pub use http_server::{Caller, NoAnswer};
pub use logs::LogFormat;
pub use metrics::{Counter, Durations, Gauge, Histogram, Metric, Metrics};
pub use settings::{SettingError, Settings};
pub use traces::{SPAN_TARGET, add_event, current_trace_id, set_attribute, set_error};

/// How long the last export may take when the program ends.
const FLUSH_LIMIT: Duration = Duration::from_secs(3);

/// What [`init`] set up.
#[derive(Debug)]
pub struct Telemetry {
    /// Where this process counts.
    pub metrics: Metrics,
    provider: Option<SdkTracerProvider>,
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
/// ids exist in any case, so that logs and answers can name them.
///
/// # Errors
///
/// When a variable has a value that cannot be meant; the error names it.
pub fn init(identity: Identity) -> Result<Telemetry, SettingError> {
    let settings = Settings::from_env(|name| std::env::var(name).ok())?;
    let provider = traces::provider(&identity, &settings)?;
    logs::install(&identity, &settings, provider.as_ref());
    Ok(Telemetry { metrics: Metrics::new(identity.version), provider })
}

impl Telemetry {
    /// Sends what is still in memory; waits 3 seconds at most.
    ///
    /// Blocks the calling thread: call it when the runtime has nothing left to do.
    pub fn shutdown(self) {
        if let Some(provider) = self.provider {
            // The exporter has warned already if there is nobody to send to.
            let _ = provider.shutdown_with_timeout(FLUSH_LIMIT);
        }
    }
}
