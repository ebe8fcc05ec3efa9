//! The tracer provider, and the few verbs that put facts on the current span.

use std::borrow::Cow;
use std::sync::Arc;

use opentelemetry::trace::{SpanContext, Status, TraceContextExt as _};
use opentelemetry::{Context, StringValue, Value};
use opentelemetry_otlp::{SpanExporter, WithExportConfig as _, WithHttpConfig as _};
use opentelemetry_sdk::trace::SdkTracerProvider;
use tracing::span::Id;
use tracing::{Dispatch, Span};
use tracing_opentelemetry::{OpenTelemetrySpanExt as _, get_otel_context};

use crate::export_counts::ExportCounts;
use crate::otlp_client::OtlpClient;
use crate::resource::resource;
use crate::settings::Export;
use crate::span_processor::CountingProcessor;
use crate::{Identity, SettingError, Settings, attribute, shortened};

/// The target of every span that is meant as evidence; spans of libraries
/// have others, and stay out of the traces.
pub const SPAN_TARGET: &str = "campuscafe::span";

/// `None` where tracing is switched off.
pub(crate) fn provider(
    identity: &Identity,
    settings: &Settings,
    counts: &Arc<ExportCounts>,
) -> Result<Option<SdkTracerProvider>, SettingError> {
    if !settings.tracing {
        return Ok(None);
    }
    let mut builder = SdkTracerProvider::builder().with_resource(resource(identity));
    if settings.spans.enabled {
        builder = builder.with_span_processor(processor(settings.spans, counts)?);
    }
    Ok(Some(builder.build()))
}

fn processor(
    export: Export,
    counts: &Arc<ExportCounts>,
) -> Result<CountingProcessor, SettingError> {
    let answer = Arc::default();
    let client = OtlpClient::new(export.timeout, Arc::clone(&answer))
        .map_err(|error| SettingError::exporter(&error))?;
    let exporter = SpanExporter::builder()
        .with_http()
        .with_http_client(client)
        .with_timeout(export.timeout)
        .build()
        .map_err(|error| SettingError::exporter(&error))?;
    Ok(CountingProcessor::new(exporter, answer, export.batch, counts.clone()))
}

/// The id of the trace that the current span belongs to: 32 hexadecimal
/// digits, or `None` where tracing is switched off.
#[must_use]
pub fn current_trace_id() -> Option<String> {
    let context = tracing::dispatcher::get_default(|dispatch| {
        span_context(dispatch.current_span().id()?, dispatch)
    })?;
    Some(context.trace_id().to_string())
}

/// The ids of a span; `None` where tracing is switched off.
pub(crate) fn span_context(id: &Id, dispatch: &Dispatch) -> Option<SpanContext> {
    let context = get_otel_context(id, dispatch)?;
    let span = context.span();
    Some(span.span_context()).filter(|context| context.is_valid()).cloned()
}

/// A span that another one can be linked to, or be made a child of.
#[derive(Debug, Clone)]
pub struct SpanLink(SpanContext);

impl SpanLink {
    /// To this span.
    #[must_use]
    pub fn to(span: &Span) -> Self {
        Self(span.context().span().span_context().clone())
    }

    /// Makes a span, before it is entered, a child of the one that this leads to, which does
    /// not wait for it: a child of `tracing`'s keeps its parent open until it ends itself.
    pub fn adopt(&self, span: &Span) {
        if self.0.is_valid() {
            // Fails only where tracing is switched off, and then there is nothing to tell.
            let _ = span.set_parent(Context::new().with_remote_span_context(self.0.clone()));
        }
    }

    /// Links a span, before it is entered, to the one that this leads to: it belongs to
    /// it and is no part of its trace.
    pub fn link(&self, span: &Span) {
        if self.0.is_valid() {
            span.add_link(self.0.clone());
        }
    }
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
