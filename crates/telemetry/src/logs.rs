//! Who gets to see what: log lines go to stderr, spans to OpenTelemetry.

use std::io::{IsTerminal as _, stderr};

use opentelemetry::trace::TracerProvider as _;
use opentelemetry_sdk::trace::SdkTracerProvider;
use tracing_subscriber::filter::{FilterExt as _, filter_fn};
use tracing_subscriber::prelude::*;
use tracing_subscriber::{EnvFilter, Registry};

use crate::log_line::Line;
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
    let filter = settings.log_filter.as_deref().unwrap_or(identity.log_filter);
    let logs = tracing_subscriber::fmt::layer()
        .with_writer(stderr)
        .with_ansi(colour)
        .event_format(Line { service: identity.service, format })
        // Lines name the trace, never the spans: those need not be written out for them.
        .with_filter(filter_fn(|metadata| metadata.is_event()).and(EnvFilter::new(filter)));
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
    // A test binary may have installed one already; then that one stays. A layer
    // that is `None` would do too, but makes every span be opened for nobody.
    let logged = Registry::default().with(logs);
    let _ = match spans {
        Some(spans) => logged.with(spans).try_init(),
        None => logged.try_init(),
    };
}
