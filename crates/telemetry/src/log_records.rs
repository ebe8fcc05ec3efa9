//! Log lines on their way to the collector, beside the way to stderr.
//!
//! Only what is written within a sampled span leaves the process: these lines belong to a
//! trace that somebody can look at. It also ends every loop, because what telemetry says
//! about itself is written within no span.
//!
//! `opentelemetry-appender-tracing` does not fit. It takes the trace id from OpenTelemetry's
//! current context, which is not kept here, and it does not cut long values.

use std::fmt;
use std::sync::{Arc, OnceLock};
use std::time::SystemTime;

use opentelemetry::logs::{AnyValue, LogRecord as _, Logger as _, LoggerProvider as _, Severity};
use opentelemetry::trace::SpanContext;
use opentelemetry_otlp::{LogExporter, WithExportConfig as _, WithHttpConfig as _};
use opentelemetry_sdk::logs::{SdkLogRecord, SdkLogger, SdkLoggerProvider};
use tracing::dispatcher::WeakDispatch;
use tracing::field::{Field, Visit};
use tracing::span::Id;
use tracing::{Dispatch, Event, Level, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::Context;

use crate::export_counts::ExportCounts;
use crate::log_layer::MESSAGE;
use crate::log_processor::CountingLogProcessor;
use crate::otlp_client::OtlpClient;
use crate::resource::resource;
use crate::shortened::formatted;
use crate::traces::span_context;
use crate::{Identity, SettingError, Settings, shortened};

/// `None` where no log records are exported.
pub(crate) fn provider(
    identity: &Identity,
    settings: &Settings,
    counts: &Arc<ExportCounts>,
) -> Result<Option<SdkLoggerProvider>, SettingError> {
    let export = settings.log_records;
    if !export.enabled {
        return Ok(None);
    }
    let answer = Arc::default();
    let client = OtlpClient::new(export.timeout, Arc::clone(&answer))
        .map_err(|error| SettingError::exporter(&error))?;
    let exporter = LogExporter::builder()
        .with_http()
        .with_http_client(client)
        .with_timeout(export.timeout)
        .build()
        .map_err(|error| SettingError::exporter(&error))?;
    let processor = CountingLogProcessor::new(exporter, answer, export.batch, counts.clone());
    let builder = SdkLoggerProvider::builder().with_resource(resource(identity));
    Ok(Some(builder.with_log_processor(processor).build()))
}

/// Makes a log record of each event that belongs to a trace.
pub(crate) struct RecordLayer {
    /// `None` where no records are exported. Not an `Option` of the layer, which would be
    /// told of no dispatcher.
    logger: Option<SdkLogger>,
    counts: Arc<ExportCounts>,
    /// Knows which OpenTelemetry span a span of `tracing` is. While an event is recorded
    /// the default dispatcher cannot be asked.
    dispatch: OnceLock<WeakDispatch>,
}

impl RecordLayer {
    pub(crate) fn new(provider: Option<&SdkLoggerProvider>, counts: Arc<ExportCounts>) -> Self {
        Self {
            logger: provider.map(|it| it.logger("campuscafe")),
            counts,
            dispatch: OnceLock::new(),
        }
    }

    fn sampled(&self, span: &Id) -> Option<SpanContext> {
        let dispatch = self.dispatch.get()?.upgrade()?;
        span_context(span, &dispatch).filter(SpanContext::is_sampled)
    }
}

impl<S: Subscriber> Layer<S> for RecordLayer {
    fn on_register_dispatch(&self, dispatch: &Dispatch) {
        let _ = self.dispatch.set(dispatch.downgrade());
    }

    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        let Some(logger) = &self.logger else { return };
        let Some((number, text)) = severity(*event.metadata().level()) else { return };
        if self.counts.given_up() {
            return;
        }
        let current = context.current_span();
        let Some(span) = current.id().and_then(|id| self.sampled(id)) else { return };
        if !self.counts.admit() {
            return;
        }
        let mut record = logger.create_log_record();
        record.set_timestamp(SystemTime::now());
        record.set_severity_number(number);
        record.set_severity_text(text);
        record.set_trace_context(span.trace_id(), span.span_id(), Some(span.trace_flags()));
        event.record(&mut Fields(&mut record));
        logger.emit(record);
    }
}

/// Both forms of a level; `None` for levels that only help to find faults of a program.
const fn severity(level: Level) -> Option<(Severity, &'static str)> {
    match level {
        Level::ERROR => Some((Severity::Error, "ERROR")),
        Level::WARN => Some((Severity::Warn, "WARN")),
        Level::INFO => Some((Severity::Info, "INFO")),
        _ => None,
    }
}

/// Puts the message of an event into the body of a record, and its other fields into the
/// attributes.
struct Fields<'a>(&'a mut SdkLogRecord);

impl Fields<'_> {
    fn put(&mut self, field: &Field, value: impl Into<AnyValue>) {
        if field.name() == MESSAGE {
            self.0.set_body(value.into());
        } else {
            self.0.add_attribute(field.name(), value);
        }
    }
}

impl Visit for Fields<'_> {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.put(field, formatted(value));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.put(field, shortened(value).into_owned());
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.put(field, value);
    }

    /// OpenTelemetry has no unsigned integers; what does not fit is written out.
    fn record_u64(&mut self, field: &Field, value: u64) {
        match i64::try_from(value) {
            Ok(value) => self.put(field, value),
            Err(_) => self.put(field, value.to_string()),
        }
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.put(field, value);
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        self.put(field, value);
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::cell::Cell;
    use std::sync::{Mutex, PoisonError};

    use opentelemetry::trace::TraceContextExt as _;
    use opentelemetry_sdk::error::OTelSdkResult;
    use opentelemetry_sdk::logs::LogBatch;
    use opentelemetry_sdk::trace::{Sampler, SdkTracerProvider};
    use tracing::{Span, debug, info, info_span, warn};
    use tracing_opentelemetry::OpenTelemetrySpanExt as _;

    use super::*;
    use crate::export_counts::{LOG_RECORDS, Reason};
    use crate::log_queue::LogQueue;
    use crate::logs::subscriber;
    use crate::{MAX_VALUE, SPAN_TARGET};

    #[derive(Debug, Clone, Default)]
    struct Kept(Arc<Mutex<Vec<SdkLogRecord>>>);

    impl opentelemetry_sdk::logs::LogExporter for Kept {
        async fn export(&self, batch: LogBatch<'_>) -> OTelSdkResult {
            let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            kept.extend(batch.iter().map(|(record, _)| record.clone()));
            Ok(())
        }
    }

    /// What leaves the process of what `log` says.
    fn records(rust_log: &str, sampler: Sampler, log: impl FnOnce()) -> Vec<SdkLogRecord> {
        let counts = ExportCounts::of(LOG_RECORDS, 1_000);
        records_counted(&counts, rust_log, sampler, log)
    }

    fn records_counted(
        counts: &Arc<ExportCounts>,
        rust_log: &str,
        sampler: Sampler,
        log: impl FnOnce(),
    ) -> Vec<SdkLogRecord> {
        let identity = Identity { service: "test", version: "1", log_level: Level::INFO };
        let settings = Settings::from_env(|name| (name == "RUST_LOG").then(|| rust_log.to_owned()));
        let settings = settings.unwrap();
        let spans = SdkTracerProvider::builder().with_sampler(sampler).build();
        let kept = Kept::default();
        let batch = settings.log_records.batch;
        let processor =
            CountingLogProcessor::new(kept.clone(), Arc::default(), batch, counts.clone());
        let provider = SdkLoggerProvider::builder().with_log_processor(processor).build();
        let layer = RecordLayer::new(Some(&provider), counts.clone());
        let queue = LogQueue::new(std::io::sink());
        let subscriber = subscriber(&identity, &settings, Some(&spans), layer, &queue);
        tracing::subscriber::with_default(subscriber, log);
        provider.shutdown().unwrap();
        let mut kept = kept.0.lock().unwrap();
        std::mem::take(&mut *kept)
    }

    fn current() -> SpanContext {
        Span::current().context().span().span_context().clone()
    }

    fn bodies(records: &[SdkLogRecord]) -> Vec<String> {
        let text = |record: &SdkLogRecord| match record.body() {
            Some(AnyValue::String(text)) => text.to_string(),
            other => format!("{other:?}"),
        };
        records.iter().map(text).collect()
    }

    #[test]
    fn an_event_is_a_record_with_the_ids_of_its_span_its_sentence_and_all_its_fields() {
        let mut ids = Vec::new();
        let records = records("info", Sampler::AlwaysOn, || {
            info_span!(target: SPAN_TARGET, "outer").in_scope(|| {
                ids.push(current());
                info!(request_id = "order-1", late = true, left = 9_u32, "Reserved {}", "cake");
                info_span!(target: SPAN_TARGET, "inner").in_scope(|| {
                    ids.push(current());
                    warn!(huge = u64::MAX, ratio = 0.5, below = -1, why = ?Some(1), "odd");
                });
            });
        });
        assert_eq!(bodies(&records), ["Reserved cake", "odd"]);
        for (record, ids) in records.iter().zip(&ids) {
            let of_record = record.trace_context().unwrap();
            assert_eq!(of_record.trace_id, ids.trace_id());
            assert_eq!(of_record.span_id, ids.span_id());
            assert_eq!(of_record.trace_flags, Some(ids.trace_flags()));
            assert!(record.timestamp().is_some());
        }
        assert_ne!(ids[0].span_id(), ids[1].span_id());
        let severities = records.iter().map(|r| (r.severity_number(), r.severity_text()));
        assert_eq!(
            severities.collect::<Vec<_>>(),
            [(Some(Severity::Info), Some("INFO")), (Some(Severity::Warn), Some("WARN"))]
        );
        let fields = |record: &SdkLogRecord| {
            let fields = record.attributes_iter();
            fields.map(|(name, value)| (name.to_string(), value.clone())).collect::<Vec<_>>()
        };
        let expected = |fields: &[(&str, AnyValue)]| {
            fields.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect()
        };
        let of_first: Vec<_> = expected(&[
            ("request_id", "order-1".into()),
            ("late", true.into()),
            ("left", 9_i64.into()),
        ]);
        assert_eq!(fields(&records[0]), of_first);
        let of_second: Vec<_> = expected(&[
            ("huge", u64::MAX.to_string().into()),
            ("ratio", 0.5.into()),
            ("below", AnyValue::Int(-1)),
            ("why", "Some(1)".into()),
        ]);
        assert_eq!(fields(&records[1]), of_second);
    }

    /// Counts how often it is written out.
    struct Written<'a>(&'a Cell<u64>);

    impl fmt::Debug for Written<'_> {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            self.0.set(self.0.get() + 1);
            f.write_str("written")
        }
    }

    #[tokio::test(start_paused = true)]
    async fn no_record_is_made_of_a_line_beyond_the_bound_or_without_room_and_each_is_counted() {
        for (capacity, made, reason) in
            [(1_000, 400, Reason::RateLimited), (100, 100, Reason::QueueFull)]
        {
            let counts = ExportCounts::of(LOG_RECORDS, capacity);
            let written = Cell::new(0);
            let records = records_counted(&counts, "info", Sampler::AlwaysOn, || {
                let span = info_span!(target: SPAN_TARGET, "ours");
                span.in_scope(|| (0..700).for_each(|_| info!(value = ?Written(&written), "line")));
            });
            assert_eq!(records.len(), made);
            assert_eq!(counts.now().dropped.by(reason), 700 - made as u64);
            assert_eq!(written.get(), 700 + made as u64, "on stderr, and in a record");
        }
    }

    #[test]
    fn what_belongs_to_no_sampled_trace_or_is_not_logged_does_not_leave() {
        let log = || {
            warn!("outside of spans, such as what telemetry says about itself");
            info_span!("of a library").in_scope(|| warn!("in a span that is no evidence"));
            info_span!(target: SPAN_TARGET, "ours").in_scope(|| {
                debug!("debug");
                info!("info");
                warn!("warn");
            });
        };
        for (rust_log, sampler, expected) in [
            ("debug", Sampler::AlwaysOn, &["info", "warn"][..]),
            ("warn", Sampler::AlwaysOn, &["warn"]),
            ("off", Sampler::AlwaysOn, &[]),
            ("info", Sampler::AlwaysOff, &[]),
        ] {
            assert_eq!(bodies(&records(rust_log, sampler, log)), expected, "{rust_log}");
        }
    }

    #[test]
    fn long_values_are_cut() {
        let long = "x".repeat(3_000);
        let records = records("info", Sampler::AlwaysOn, || {
            info_span!(target: SPAN_TARGET, "ours")
                .in_scope(|| info!(item = long, other = ?long, "Refused: {long}"));
        });
        let [record] = &records[..] else { panic!("{records:?}") };
        let values = record.attributes_iter().map(|(_, value)| value).chain(record.body());
        let lengths = values.map(|value| match value {
            AnyValue::String(text) => text.as_str().len(),
            other => panic!("{other:?}"),
        });
        assert_eq!(lengths.collect::<Vec<_>>(), [MAX_VALUE; 3]);
    }
}
