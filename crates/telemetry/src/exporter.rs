//! An exporter that complains once, however long its collector is away.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::trace::{SpanData, SpanExporter};

/// Says that spans cannot be sent when that begins, and that they can again
/// when it ends; a line per failed batch would bury everything else.
#[derive(Debug)]
pub(crate) struct WarnOnce<E> {
    inner: E,
    failing: AtomicBool,
}

impl<E> WarnOnce<E> {
    pub(crate) const fn new(inner: E) -> Self {
        Self { inner, failing: AtomicBool::new(false) }
    }

    fn note(&self, result: &OTelSdkResult) {
        let failing = result.is_err();
        if self.failing.swap(failing, Ordering::Relaxed) == failing {
            return;
        }
        match result {
            Err(error) => tracing::warn!(
                %error,
                "spans cannot be exported and are dropped until the collector is back; the service is not affected"
            ),
            Ok(()) => tracing::info!("the collector is back, spans are exported again"),
        }
    }
}

impl<E: SpanExporter> SpanExporter for WarnOnce<E> {
    async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
        let result = self.inner.export(batch).await;
        self.note(&result);
        result
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.inner.shutdown_with_timeout(timeout)
    }

    fn force_flush(&self) -> OTelSdkResult {
        self.inner.force_flush()
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.inner.set_resource(resource);
    }
}
