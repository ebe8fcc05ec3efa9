//! A batch processor and an exporter that count every log record, as those in
//! `span_processor.rs` count spans, and for the same reason.
//!
//! Whoever makes a record has asked [`ExportCounts::admit`] before: to make one that is
//! then dropped would cost most when there is least time.

use std::sync::Arc;
use std::time::Duration;

use opentelemetry::InstrumentationScope;
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::logs::{
    BatchConfigBuilder, BatchLogProcessor, LogBatch, LogExporter, LogProcessor, SdkLogRecord,
};

use crate::counted_export::{CountedExport, LastAnswer};
use crate::export_counts::ExportCounts;
use crate::settings::Batch;

/// Queues log records that were admitted, hands them to its exporter in batches, and counts
/// them.
#[derive(Debug)]
pub(crate) struct CountingLogProcessor {
    batches: BatchLogProcessor,
    counts: Arc<ExportCounts>,
}

impl CountingLogProcessor {
    /// `answer` is where the exporter puts what its collector says.
    pub(crate) fn new(
        exporter: impl LogExporter + 'static,
        answer: Arc<LastAnswer>,
        batch: Batch,
        counts: Arc<ExportCounts>,
    ) -> Self {
        let counted = CountedExport::new(answer, counts.clone());
        let config = BatchConfigBuilder::default()
            .with_max_queue_size(batch.queue_size)
            .with_max_export_batch_size(batch.size)
            .with_scheduled_delay(batch.delay)
            .build();
        let exporter = CountingLogExporter { inner: exporter, counted };
        let batches = BatchLogProcessor::builder(exporter).with_batch_config(config).build();
        Self { batches, counts }
    }
}

impl LogProcessor for CountingLogProcessor {
    fn emit(&self, record: &mut SdkLogRecord, scope: &InstrumentationScope) {
        self.batches.emit(record, scope);
    }

    fn force_flush(&self) -> OTelSdkResult {
        self.batches.force_flush()
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        let result = self.batches.shutdown_with_timeout(timeout);
        self.counts.close();
        result
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.batches.set_resource(resource);
    }
}

#[derive(Debug)]
struct CountingLogExporter<E> {
    inner: E,
    counted: CountedExport,
}

impl<E: LogExporter> LogExporter for CountingLogExporter<E> {
    async fn export(&self, batch: LogBatch<'_>) -> OTelSdkResult {
        let number = batch.iter().count();
        self.counted.of(number, self.inner.export(batch)).await
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.inner.shutdown_with_timeout(timeout)
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.inner.set_resource(resource);
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::sync::mpsc::{Receiver, Sender};
    use std::thread;

    use opentelemetry::logs::{Logger as _, LoggerProvider as _};
    use opentelemetry_sdk::logs::{SdkLogger, SdkLoggerProvider};

    use super::*;
    use crate::export_counts::{Counts, LOG_RECORDS, Reason};
    use crate::gate::{Answer, Gate, LONG};

    struct Pipeline {
        // Dropped first, so that the provider's end finds no gate closed.
        answers: Sender<Answer>,
        provider: SdkLoggerProvider,
        logger: SdkLogger,
        counts: Arc<ExportCounts>,
        came: Receiver<usize>,
    }

    impl Pipeline {
        fn new(queue_size: usize, size: usize) -> Self {
            let answer = Arc::<LastAnswer>::default();
            let (gate, came, answers) = Gate::new(answer.clone());
            let counts = ExportCounts::of(LOG_RECORDS, queue_size);
            let batch = Batch { queue_size, size, delay: LONG };
            let processor = CountingLogProcessor::new(gate, answer, batch, counts.clone());
            let provider = SdkLoggerProvider::builder().with_log_processor(processor).build();
            let logger = provider.logger("test");
            Self { answers, provider, logger, counts, came }
        }

        /// Emits records on four threads at once.
        fn emit(&self, records: usize) {
            let (logger, counts) = (&self.logger, &self.counts);
            thread::scope(|scope| {
                for _ in 0..4 {
                    scope.spawn(|| {
                        for _ in 0..records / 4 {
                            if counts.admit() {
                                logger.emit(logger.create_log_record());
                            }
                        }
                    });
                }
            });
        }

        fn batch(&self) -> usize {
            self.came.recv_timeout(LONG).unwrap()
        }

        /// Lets an export end so, and waits until that many fewer are queued.
        fn answer(&self, answer: Answer, fewer: usize) -> Counts {
            let queued = self.counts.now().queued();
            self.answers.send(answer).unwrap();
            while self.counts.now().queued() > queued - fewer {
                thread::yield_now();
            }
            self.counts.now()
        }
    }

    #[test]
    fn what_the_queue_has_no_room_for_is_dropped_and_counted_and_the_caller_does_not_wait() {
        let records = Pipeline::new(16, 8);
        records.emit(8);
        assert_eq!(records.batch(), 8, "the collector has them, and does not answer");
        records.emit(1_000);
        let now = records.counts.now();
        assert_eq!((now.queued(), now.dropped.by(Reason::QueueFull)), (8 + 16, 1_000 - 16));
        assert_eq!(records.answer(Answer::Accept, 8).exported, 8);
        assert_eq!(records.batch(), 8);
        let now = records.answer(Answer::Reject(3), 8);
        assert_eq!((now.exported, now.dropped.by(Reason::Rejected)), (8 + 5, 3));
        assert_eq!(records.batch(), 8);
        assert_eq!(records.answer(Answer::Fail, 8).dropped.by(Reason::ExportFailed), 8);
    }

    #[test]
    fn a_collector_that_takes_no_log_records_gets_no_more_and_what_waits_is_written_off() {
        let records = Pipeline::new(64, 8);
        records.emit(8);
        records.batch();
        records.emit(32);
        assert!(!records.counts.given_up());
        let left = records.answer(Answer::NotFound, 8 + 32);
        assert!(records.counts.given_up());
        assert_eq!((left.exported, left.dropped.by(Reason::ExportFailed)), (0, 8 + 32));
        records.emit(100);
        records.provider.shutdown_with_timeout(LONG).unwrap();
        assert_eq!(records.counts.now(), left, "not even counted any more");
        assert_eq!(records.came.try_iter().count(), 0);
    }

    #[test]
    fn a_shutdown_exports_what_is_queued_and_what_it_leaves_behind_is_dropped() {
        let records = Pipeline::new(1_000, 100);
        records.emit(240);
        for _ in 0..20 {
            records.answers.send(Answer::Accept).unwrap();
        }
        records.provider.shutdown_with_timeout(LONG).unwrap();
        let now = records.counts.now();
        assert_eq!((now.exported, now.dropped), (240, Default::default()));

        let records = Pipeline::new(16, 8);
        records.emit(8);
        records.batch();
        records.emit(16);
        assert!(records.provider.shutdown_with_timeout(Duration::from_millis(1)).is_err());
        let now = records.counts.now();
        assert_eq!((now.queued(), now.dropped.by(Reason::Shutdown)), (0, 8 + 16));
    }
}
