//! One line per decision, for a person at a terminal or for a machine.
//!
//! The lines are our own format because both of them must carry the trace id,
//! which the stock formats do not know.

use std::fmt::{self, Write as _};
use std::io::{IsTerminal as _, stderr};

use opentelemetry::trace::{TraceContextExt as _, TracerProvider as _};
use opentelemetry_sdk::trace::SdkTracerProvider;
use serde_json::{Map, Value, json};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use tracing::field::{Field, Visit};
use tracing::{Event, Level, Subscriber};
use tracing_opentelemetry::get_otel_context;
use tracing_subscriber::filter::filter_fn;
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields};
use tracing_subscriber::prelude::*;
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::{EnvFilter, Registry};

use crate::traces::SPAN_TARGET;
use crate::{Identity, Settings};

/// How log lines look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogFormat {
    /// For people: time of day, level, service, sentence, fields.
    Pretty,
    /// For machines: a JSON object a line.
    Json,
}

impl LogFormat {
    pub(crate) fn named(name: &str) -> Option<Self> {
        match name.to_ascii_lowercase().as_str() {
            "pretty" => Some(Self::Pretty),
            "json" => Some(Self::Json),
            _ => None,
        }
    }
}

/// Logs go to stderr: stdout belongs to what a program was asked to print.
pub(crate) fn install(
    identity: &Identity,
    settings: &Settings,
    provider: Option<&SdkTracerProvider>,
) {
    let terminal = stderr().is_terminal();
    let format =
        settings.log_format.unwrap_or(if terminal { LogFormat::Pretty } else { LogFormat::Json });
    let colour = terminal && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
    let logs = tracing_subscriber::fmt::layer()
        .with_writer(stderr)
        .with_ansi(colour)
        .event_format(Line { service: identity.service, format })
        .with_filter(EnvFilter::new(settings.log_filter.as_deref().unwrap_or(identity.log_filter)));
    let spans = provider.map(|provider| {
        tracing_opentelemetry::layer()
            .with_tracer(provider.tracer("campuscafe"))
            .with_location(false)
            .with_threads(false)
            .with_target(false)
            .with_tracked_inactivity(false)
            // Nothing here asks OpenTelemetry for the current context: parents
            // come from tracing's own spans.
            .with_context_activation(false)
            // Spans only: log lines stay out of the traces, whose events are chosen.
            .with_filter(filter_fn(|metadata| {
                metadata.is_span() && metadata.target() == SPAN_TARGET
            }))
    });
    // A test binary may have installed one already; then that one stays.
    let _ = Registry::default().with(spans).with(logs).try_init();
}

struct Line {
    service: &'static str,
    format: LogFormat,
}

impl<S, N> FormatEvent<S, N> for Line
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(
        &self,
        context: &FmtContext<'_, S, N>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        let mut fields = Fields::default();
        event.record(&mut fields);
        if let Some(trace_id) = trace_id(context) {
            fields.others.insert("trace_id".to_owned(), trace_id.into());
        }
        let level = *event.metadata().level();
        let now = OffsetDateTime::now_utc();
        match self.format {
            LogFormat::Json => {
                let mut line = json!({
                    "timestamp": now.format(&Rfc3339).map_err(|_| fmt::Error)?,
                    "level": level.as_str(),
                    "service": self.service,
                    "message": fields.message,
                });
                if let Value::Object(line) = &mut line {
                    line.append(&mut fields.others);
                }
                writeln!(writer, "{line}")
            }
            LogFormat::Pretty => {
                let (paint, plain) =
                    if writer.has_ansi_escapes() { (colour(level), "\x1b[0m") } else { ("", "") };
                write!(
                    writer,
                    "{:02}:{:02}:{:02}.{:03}Z {paint}{level:>5}{plain} {:<9} {}",
                    now.hour(),
                    now.minute(),
                    now.second(),
                    now.millisecond(),
                    self.service,
                    fields.message
                )?;
                for (name, value) in &fields.others {
                    match value {
                        Value::String(text) => write!(writer, " {name}={text}")?,
                        other => write!(writer, " {name}={other}")?,
                    }
                }
                writeln!(writer)
            }
        }
    }
}

const fn colour(level: Level) -> &'static str {
    match level {
        Level::ERROR => "\x1b[31m",
        Level::WARN => "\x1b[33m",
        Level::INFO => "\x1b[32m",
        _ => "\x1b[2m",
    }
}

fn trace_id<S, N>(context: &FmtContext<'_, S, N>) -> Option<String>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    let span = context.lookup_current()?;
    let otel = tracing::dispatcher::get_default(|dispatch| get_otel_context(&span.id(), dispatch))?;
    let span_context = otel.span().span_context().clone();
    span_context.is_valid().then(|| span_context.trace_id().to_string())
}

#[derive(Default)]
struct Fields {
    message: String,
    others: Map<String, Value>,
}

impl Fields {
    fn put(&mut self, field: &Field, value: impl Into<Value>) {
        self.others.insert(field.name().to_owned(), value.into());
    }
}

impl Visit for Fields {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        if field.name() == "message" {
            let _ = write!(self.message, "{value:?}");
        } else {
            self.put(field, format!("{value:?}"));
        }
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        if field.name() == "message" {
            self.message.push_str(value);
        } else {
            self.put(field, value);
        }
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.put(field, value);
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.put(field, value);
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.put(field, value);
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        self.put(field, value);
    }
}
