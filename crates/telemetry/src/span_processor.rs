//! A batch processor and an exporter that count every span.
//!
//! The SDK's batch processor drops what its queue has no room for without
//! telling anybody. So the one here lets no more spans in than there is room
//! for, and counts the others as dropped.

use std::sync::Arc;
use std::time::Duration;

use opentelemetry::Context;
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::trace::{
    BatchConfigBuilder, BatchSpanProcessor, Span, SpanData, SpanExporter, SpanProcessor,
};

use crate::counted_export::{CountedExport, LastAnswer};
use crate::export_counts::ExportCounts;
use crate::settings::Batch;

/// Queues spans, hands them to its exporter in batches, and counts them.
#[derive(Debug)]
pub(crate) struct CountingProcessor {
    batches: BatchSpanProcessor,
    counts: Arc<ExportCounts>,
}

impl CountingProcessor {
    /// `answer` is where the exporter puts what its collector says.
    pub(crate) fn new(
        exporter: impl SpanExporter + 'static,
        answer: Arc<LastAnswer>,
        batch: Batch,
        counts: Arc<ExportCounts>,
    ) -> Self {
        let counted = CountedExport::new(answer, counts.clone());
        let exporter = CountingExporter { inner: exporter, counted };
        let config = BatchConfigBuilder::default()
            .with_max_queue_size(batch.queue_size)
            .with_max_export_batch_size(batch.size)
            .with_scheduled_delay(batch.delay)
            .build();
        let batches = BatchSpanProcessor::builder(exporter).with_batch_config(config).build();
        Self { batches, counts }
    }
}

impl SpanProcessor for CountingProcessor {
    fn on_start(&self, span: &mut Span, context: &Context) {
        self.batches.on_start(span, context);
    }

    fn on_end(&self, span: SpanData) {
        // A span waits until the exporter has it, and the queue has let go of
        // it before: so there is room for each one that is admitted.
        if self.counts.admit() {
            self.batches.on_end(span);
        }
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
struct CountingExporter<E> {
    inner: E,
    counted: CountedExport,
}

impl<E: SpanExporter> SpanExporter for CountingExporter<E> {
    async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
        self.counted.of(batch.len(), self.inner.export(batch)).await
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

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::sync::mpsc::{Receiver, Sender};
    use std::thread;

    use opentelemetry::trace::{Tracer as _, TracerProvider as _};
    use opentelemetry_sdk::trace::SdkTracerProvider;

    use super::*;
    use crate::export_counts::{Counts, Reason, SPANS};
    use crate::gate::{Answer, Gate, LONG};

    struct Pipeline {
        // Dropped first, so that the provider's end finds no gate closed.
        answers: Sender<Answer>,
        provider: SdkTracerProvider,
        counts: Arc<ExportCounts>,
        came: Receiver<usize>,
        ended: u64,
    }

    impl Pipeline {
        fn new(queue_size: usize, size: usize) -> Self {
            let answer = Arc::<LastAnswer>::default();
            let (gate, arrivals, answers) = Gate::new(answer.clone());
            let counts = ExportCounts::of(SPANS, queue_size);
            let batch = Batch { queue_size, size, delay: LONG };
            let processor = CountingProcessor::new(gate, answer, batch, counts.clone());
            let provider = SdkTracerProvider::builder().with_span_processor(processor).build();
            Self { answers, provider, counts, came: arrivals, ended: 0 }
        }

        /// Ends spans on four threads at once.
        fn end(&mut self, spans: u64) {
            thread::scope(|scope| {
                for _ in 0..4 {
                    scope.spawn(|| {
                        let tracer = self.provider.tracer("test");
                        for _ in 0..spans / 4 {
                            drop(tracer.start("a span"));
                        }
                    });
                }
            });
            self.ended += spans;
        }

        /// The counts, which must add up.
        fn counted(&self) -> Counts {
            let now = self.counts.now();
            let dropped: u64 = Reason::ALL.map(|reason| now.dropped.by(reason)).iter().sum();
            assert_eq!(now.exported + dropped + now.queued() as u64, self.ended, "{now:?}");
            now
        }

        /// Waits until the next batch is with the collector.
        fn batch(&self) -> usize {
            self.came.recv_timeout(LONG).unwrap()
        }

        /// Lets that many exports end so, and waits until they have.
        fn answer(&self, answer: Answer, spans: u64) -> Counts {
            let queued = self.counted().queued() as u64;
            self.answers.send(answer).unwrap();
            while self.counted().queued() as u64 > queued - spans {
                thread::yield_now();
            }
            self.counted()
        }
    }

    #[test]
    fn what_ended_is_exported_dropped_or_queued_when_a_burst_overflows_the_queue() {
        let mut spans = Pipeline::new(16, 8);
        spans.end(8);
        assert_eq!(spans.batch(), 8, "the collector has them, and does not answer");
        assert_eq!(spans.counted().queued(), 8);
        spans.end(1_000);
        let now = spans.counted();
        assert_eq!(now.queued(), 8 + 16, "the queue's size does not count what is being sent");
        assert_eq!(now.dropped.by(Reason::QueueFull), 1_000 - 16);

        assert_eq!(spans.answer(Answer::Accept, 8).exported, 8);
        assert_eq!(spans.batch(), 8);
        spans.end(100);
        let now = spans.counted();
        assert_eq!(now.queued(), 8 + 16, "the room that a batch left is used again");
        assert_eq!(now.dropped.by(Reason::QueueFull), 1_000 - 16 + 100 - 8);
    }

    #[test]
    fn what_ended_is_exported_or_dropped_when_exports_fail_or_are_rejected_in_part() {
        let mut spans = Pipeline::new(64, 8);
        let mut next = |answer| {
            spans.end(8);
            spans.batch();
            spans.answer(answer, 8)
        };
        assert_eq!(next(Answer::Fail).dropped.by(Reason::ExportFailed), 8);
        assert_eq!(next(Answer::Accept).exported, 8);
        let now = next(Answer::Reject(3));
        assert_eq!((now.exported, now.dropped.by(Reason::Rejected)), (8 + 5, 3));
        let now = next(Answer::Reject(1_000));
        assert_eq!(
            (now.exported, now.dropped.by(Reason::Rejected)),
            (13, 3 + 8),
            "not more than it got"
        );
        let now = next(Answer::Accept);
        assert_eq!((now.exported, now.dropped.by(Reason::Rejected)), (21, 11));
        assert_eq!(next(Answer::Panic).dropped.by(Reason::ExportFailed), 16);
    }

    #[test]
    fn what_a_shutdown_leaves_behind_is_dropped_and_stays_dropped() {
        let mut spans = Pipeline::new(16, 8);
        spans.end(24);
        spans.batch();
        let late = spans.provider.tracer("test").start("a span that ends too late");
        assert!(spans.provider.shutdown_with_timeout(Duration::from_millis(1)).is_err());
        let left = spans.counted();
        assert_eq!((left.queued(), left.exported), (0, 0));
        let lost = left.dropped.by(Reason::Shutdown) + left.dropped.by(Reason::QueueFull);
        assert_eq!(lost, 24);

        // The collector wakes up when everything is written off.
        for _ in 0..3 {
            let _ = spans.answers.send(Answer::Accept);
        }
        drop(late);
        assert_eq!(spans.counted(), left);
        assert!(spans.came.recv().is_err(), "and gets no more");
        assert_eq!(spans.counted(), left);
    }

    #[test]
    fn a_shutdown_exports_what_is_queued() {
        let mut spans = Pipeline::new(1_000, 100);
        spans.end(440);
        for _ in 0..20 {
            spans.answers.send(Answer::Accept).unwrap();
        }
        spans.provider.shutdown_with_timeout(LONG).unwrap();
        let now = spans.counted();
        assert_eq!((now.exported, now.dropped), (440, Default::default()));
    }
}
