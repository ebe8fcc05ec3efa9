//! Counts what becomes of the batches that an exporter sends.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use opentelemetry_sdk::error::{OTelSdkError, OTelSdkResult};

use crate::export_counts::ExportCounts;

/// What the collector said to the last export, beside its success or failure.
#[derive(Debug, Default)]
pub(crate) struct LastAnswer {
    /// How much of a confirmed export it did not accept.
    pub(crate) rejected: AtomicUsize,
    /// It does not know the path: it takes no exports of this kind.
    pub(crate) not_found: AtomicBool,
}

/// Counts the exports of one signal.
#[derive(Debug)]
pub(crate) struct CountedExport {
    answer: Arc<LastAnswer>,
    counts: Arc<ExportCounts>,
}

impl CountedExport {
    /// `answer` is where the exporter's client puts what the collector says.
    pub(crate) const fn new(answer: Arc<LastAnswer>, counts: Arc<ExportCounts>) -> Self {
        Self { answer, counts }
    }

    /// Has so many exported, and counts what becomes of them.
    pub(crate) async fn of(
        &self,
        number: usize,
        export: impl Future<Output = OTelSdkResult>,
    ) -> OTelSdkResult {
        let Some(counted) = self.counts.begin_export(number) else {
            return Err(OTelSdkError::AlreadyShutdown);
        };
        self.answer.rejected.store(0, Ordering::Relaxed);
        self.answer.not_found.store(false, Ordering::Relaxed);
        let result = export.await;
        match &result {
            Ok(()) => counted.confirmed(self.answer.rejected.load(Ordering::Relaxed)),
            Err(error) if self.answer.not_found.load(Ordering::Relaxed) => {
                counted.not_found(&error.to_string());
            }
            Err(error) => counted.failed(&error.to_string()),
        }
        result
    }
}
