//! Who gets to see what: log lines go to stderr, and those of a trace also to
//! OpenTelemetry; spans go to OpenTelemetry.

use std::io::{IsTerminal as _, stderr};

use jiff::tz::TimeZone;
use opentelemetry::trace::TracerProvider as _;
use opentelemetry_sdk::trace::SdkTracerProvider;
use tracing::{Metadata, Subscriber};
use tracing_subscriber::Registry;
use tracing_subscriber::filter::{FilterFn, LevelFilter, Targets, filter_fn};
use tracing_subscriber::layer::Filter;
use tracing_subscriber::prelude::*;

use crate::log_layer::LogLayer;
use crate::log_queue::LogQueue;
use crate::log_records::RecordLayer;
use crate::traces::SPAN_TARGET;
use crate::{Identity, Settings};

/// How log lines look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogFormat {
    /// For people: local time, service, sentence, and the first digits of the ids.
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

pub(crate) fn install(
    identity: &Identity,
    settings: &Settings,
    provider: Option<&SdkTracerProvider>,
    records: RecordLayer,
    log: &LogQueue,
) {
    // A test binary may have installed one already; then that one stays.
    let _ = subscriber(identity, settings, provider, records, log).try_init();
}

/// Logs go to stderr: stdout belongs to what a program was asked to print.
pub(crate) fn subscriber(
    identity: &Identity,
    settings: &Settings,
    provider: Option<&SdkTracerProvider>,
    records: RecordLayer,
    log: &LogQueue,
) -> impl Subscriber + Send + Sync + 'static {
    let terminal = stderr().is_terminal();
    let format =
        settings.log_format.unwrap_or(if terminal { LogFormat::Pretty } else { LogFormat::Json });
    let set = |name| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    // The second name is for a log that reaches a terminal through a pipe.
    let colour = (terminal || set("CLICOLOR_FORCE")) && !set("NO_COLOR");
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
            // Log lines stay out of the traces, whose events are chosen.
            .with_filter(filter_fn(|metadata| metadata.is_span()))
    });
    let levels = settings.log_levels.clone();
    let levels = levels.unwrap_or_else(|| Targets::new().with_default(identity.log_level));
    Registry::default()
        .with(wanted(levels, spans.is_some()))
        .with(LogLayer {
            service: identity.service,
            format,
            colour,
            zone: TimeZone::system(),
            queue: log.clone(),
        })
        .with(records)
        .with(spans)
}

/// One filter for all: one for each layer would be asked again whenever a span
/// is entered or left, which happens a dozen times an order.
fn wanted(
    lines: Targets,
    spans: bool,
) -> FilterFn<impl Fn(&Metadata<'_>) -> bool + Send + Sync + 'static> {
    let most = Filter::<Registry>::max_level_hint(&lines).unwrap_or(LevelFilter::TRACE);
    let most = if spans { most.max(LevelFilter::INFO) } else { most };
    let wanted = move |metadata: &Metadata<'_>| {
        if metadata.is_span() {
            spans && metadata.target() == SPAN_TARGET
        } else {
            lines.would_enable(metadata.target(), metadata.level())
        }
    };
    filter_fn(wanted).with_max_level_hint(most)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use tracing::{Level, enabled, info_span};

    use super::*;
    use crate::export_counts::{ExportCounts, LOG_RECORDS};

    #[test]
    fn only_what_somebody_sees_is_enabled() {
        let identity = Identity { service: "test", version: "1", log_level: Level::INFO };
        let provider = SdkTracerProvider::builder().build();
        for (log, traced, lines) in [
            ("info", true, true),
            ("info", false, true),
            ("off", true, false),
            ("off", false, false),
        ] {
            let settings = Settings::from_env(|name| (name == "RUST_LOG").then(|| log.to_owned()));
            let provider = traced.then_some(&provider);
            let queue = LogQueue::new(std::io::sink());
            let records = RecordLayer::new(None, ExportCounts::of(LOG_RECORDS, 1));
            let subscriber = subscriber(&identity, &settings.unwrap(), provider, records, &queue);
            tracing::subscriber::with_default(subscriber, || {
                let ours = info_span!(target: SPAN_TARGET, "ours");
                assert_eq!(!ours.is_disabled(), traced, "{log}");
                assert!(info_span!("of a library").is_disabled(), "{log}, {traced}");
                assert_eq!(enabled!(Level::INFO), lines, "{log}, {traced}");
                assert!(!enabled!(Level::DEBUG), "{log}, {traced}");
            });
        }
    }
}
