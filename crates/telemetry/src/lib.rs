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
//! Spans, log records and log lines wait in bounded queues. `telemetry_spans_exported_total`,
//! `telemetry_spans_dropped_total`, `telemetry_spans_queued`, the same three of
//! `telemetry_log_records`, and `telemetry_log_lines_dropped_total` say what became of them.

mod baggage;
mod counted_export;
mod export_counts;
#[cfg(test)]
mod gate;
mod histogram;
pub mod http_client;
pub mod http_server;
mod log_layer;
mod log_processor;
mod log_queue;
mod log_records;
mod logs;
mod losses;
mod metrics;
mod otlp_client;
mod resource;
mod settings;
mod shortened;
mod span_processor;
mod token_bucket;
mod traces;

use std::thread;
use std::time::Duration;

use opentelemetry_sdk::logs::SdkLoggerProvider;
use opentelemetry_sdk::trace::SdkTracerProvider;
use tracing::Level;

use crate::export_counts::{ExportCounts, LOG_RECORDS, SPANS};
use crate::log_queue::LogQueue;
use crate::log_records::RecordLayer;
use crate::losses::LossWarnings;

pub use baggage::{Baggage, HEADER as BAGGAGE_HEADER};
pub use campuscafe_attributes as attribute;
pub use http_server::{ClientPresence, SuppressedResponse};
pub use logs::LogFormat;
pub use metrics::{Counter, Gauge, Histogram, HistogramFamily, Metric, Metrics};
pub use settings::{SettingError, Settings};
pub use shortened::{MAX_VALUE, shortened};
pub use traces::{
    SPAN_TARGET, SpanLink, add_event, current_trace_id, set_attribute, set_error, set_header,
};

/// How long the last exports may take when the program ends.
const FLUSH_TIMEOUT: Duration = Duration::from_secs(3);

/// How long the last log lines may take after that.
const LOG_FLUSH_TIMEOUT: Duration = Duration::from_secs(1);

/// What [`init`] set up.
#[derive(Debug)]
pub struct Telemetry {
    /// Where this process counts.
    pub metrics: Metrics,
    spans: Option<SdkTracerProvider>,
    log_records: Option<SdkLoggerProvider>,
    losses: [LossWarnings; 2],
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
/// Spans, and the log lines that are written within them, are exported only where
/// `OTEL_EXPORTER_OTLP_ENDPOINT` says so; trace ids exist in any case, so that logs and
/// answers can name them. Both, and the log lines on their way to stderr, wait in
/// bounded queues; what those have no room for is dropped and counted in the
/// [`Metrics`].
///
/// # Errors
///
/// When a variable has an invalid value; the error names the variable.
pub fn init(identity: Identity) -> Result<Telemetry, SettingError> {
    let settings = Settings::from_env(|name| std::env::var(name).ok())?;
    let metrics = Metrics::new(identity.version);
    let span_counts = ExportCounts::of(SPANS, settings.spans.batch.queue_size);
    let record_counts = ExportCounts::of(LOG_RECORDS, settings.log_records.batch.queue_size);
    let spans = traces::provider(&identity, &settings, &span_counts)?;
    let log_records = log_records::provider(&identity, &settings, &record_counts)?;
    let log = LogQueue::to_stderr();
    let records = RecordLayer::new(log_records.as_ref(), record_counts.clone());
    logs::install(&identity, &settings, spans.as_ref(), records, &log);
    for counts in [&span_counts, &record_counts] {
        counts.show_in(&metrics);
    }
    log.show_in(&metrics);
    let losses = [span_counts, record_counts].map(LossWarnings::start);
    Ok(Telemetry { metrics, spans, log_records, losses, log })
}

impl Telemetry {
    /// Sends the spans and the log records that are still in memory, for 3 seconds at
    /// most, and then writes the log lines that are, for 1 second at most.
    ///
    /// Blocks the calling thread: call it when the runtime has nothing left to do.
    pub fn shutdown(self) {
        // Both at once, so that neither takes the other's time. What they cannot send is
        // dropped, and told with the other losses.
        thread::scope(|scope| {
            let spans =
                self.spans.map(|it| scope.spawn(move || it.shutdown_with_timeout(FLUSH_TIMEOUT)));
            if let Some(records) = self.log_records {
                let _ = records.shutdown_with_timeout(FLUSH_TIMEOUT);
            }
            drop(spans);
        });
        self.losses.into_iter().for_each(LossWarnings::end);
        self.log.close(LOG_FLUSH_TIMEOUT);
    }
}
