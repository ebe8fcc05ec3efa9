//! The tracer provider, and the few verbs that put facts on the current span.

use std::borrow::Cow;
use std::sync::Arc;

use opentelemetry::trace::{Status, TraceContextExt as _};
use opentelemetry::{KeyValue, StringValue, Value};
use opentelemetry_otlp::{SpanExporter, WithExportConfig as _, WithHttpConfig as _};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::SdkTracerProvider;
use tracing::Span;
use tracing_opentelemetry::{OpenTelemetrySpanExt as _, get_otel_context};

use crate::otlp_client::OtlpClient;
use crate::span_counts::SpanCounts;
use crate::span_processor::CountingProcessor;
use crate::{Identity, SettingError, Settings, attribute, shortened};

/// The target of every span that is meant as evidence; spans of libraries
/// have others, and stay out of the traces.
pub const SPAN_TARGET: &str = "campuscafe::span";

/// `None` where tracing is switched off.
pub(crate) fn provider(
    identity: &Identity,
    settings: &Settings,
    counts: &Arc<SpanCounts>,
) -> Result<Option<SdkTracerProvider>, SettingError> {
    if !settings.tracing {
        return Ok(None);
    }
    // OTEL_RESOURCE_ATTRIBUTES and OTEL_SERVICE_NAME are read by the builder;
    // a name given there wins over ours.
    let named = std::env::var("OTEL_SERVICE_NAME").is_ok_and(|name| !name.is_empty());
    let mut resource =
        Resource::builder().with_attribute(KeyValue::new("service.version", identity.version));
    if !named {
        resource = resource.with_service_name(identity.service);
    }
    let mut builder = SdkTracerProvider::builder().with_resource(resource.build());
    if settings.export {
        builder = builder.with_span_processor(processor(settings, counts)?);
    }
    Ok(Some(builder.build()))
}

fn processor(
    settings: &Settings,
    counts: &Arc<SpanCounts>,
) -> Result<CountingProcessor, SettingError> {
    let rejected = Arc::default();
    let client = OtlpClient::new(settings.export_timeout, Arc::clone(&rejected))
        .map_err(|error| SettingError::exporter(&error))?;
    let exporter = SpanExporter::builder()
        .with_http()
        .with_http_client(client)
        .with_timeout(settings.export_timeout)
        .build()
        .map_err(|error| SettingError::exporter(&error))?;
    Ok(CountingProcessor::new(exporter, rejected, settings.batch, counts.clone()))
}

/// The id of the trace that the current span belongs to: 32 hexadecimal
/// digits, or `None` where tracing is switched off.
#[must_use]
pub fn current_trace_id() -> Option<String> {
    let context = tracing::dispatcher::get_default(|dispatch| {
        get_otel_context(dispatch.current_span().id()?, dispatch)
    })?;
    let span = context.span();
    let span_context = span.span_context();
    span_context.is_valid().then(|| span_context.trace_id().to_string())
}

/// Puts an attribute on a span; a text is cut as [`shortened()`] says. Integers
/// must come as `i64`: OpenTelemetry has no unsigned ones.
pub fn set_attribute(span: &Span, name: &'static str, value: impl Into<Value>) {
    let mut value = value.into();
    if let Value::String(text) = &value
        && let Cow::Owned(short) = shortened(text.as_str())
    {
        value = short.into();
    }
    span.set_attribute(name, value);
}

/// Puts a header of a request on a span, as a list of its one value: so the semantic
/// conventions record headers.
pub fn set_header(span: &Span, name: &'static str, value: String) {
    span.set_attribute(name, Value::Array(vec![StringValue::from(value)].into()));
}

/// Puts an event on a span, at this moment.
pub fn add_event(span: &Span, name: &'static str) {
    span.add_event(name, Vec::new());
}

/// Marks a span as failed, in the words of the semantic conventions.
pub fn set_error(span: &Span, error_type: impl Into<String>) {
    let error_type = shortened(&error_type.into()).into_owned();
    span.set_status(Status::error(error_type.clone()));
    span.set_attribute(attribute::ERROR_TYPE, error_type);
}
