//! The receiver's counters. They show where spans and log records are lost. Their names begin with
//! `lab_`, after the program that this crate was made for.

use campuscafe_telemetry::{Counter, Metric, Metrics};

use crate::error::{ExportError, Rejection};
use crate::signal::Signal;
use crate::store::Inserted;

const RECEIVED: Metric =
    Metric { name: "lab_spans_received_total", help: "Spans that the lab accepted." };
const REFUSED: Metric = Metric {
    name: "lab_spans_refused_total",
    help: "Spans that the lab refused, by reason; trace_evicted: the lab had already removed the \
           trace.",
};
const RECORDS_RECEIVED: Metric =
    Metric { name: "lab_log_records_received_total", help: "Log records that the lab accepted." };
const RECORDS_REFUSED: Metric = Metric {
    name: "lab_log_records_refused_total",
    help: "Log records that the lab did not keep, by reason; no_trace: they belong to no trace; \
           trace_evicted: the lab had already removed the trace.",
};
const EXPORTS_REFUSED: Metric = Metric {
    name: "lab_exports_refused_total",
    help: "Exports that the lab refused completely, by reason; the number of their spans or log records is unknown.",
};
const EVICTED: Metric = Metric {
    name: "lab_traces_evicted_total",
    help: "Traces that the lab removed to make room for newer ones.",
};

/// The counters, all of them at 0 from the start.
pub(crate) struct ReceiverMetrics {
    spans: Received,
    records: Received,
    exports_refused: [(&'static str, Counter); ExportError::REASONS.len()],
    evicted: Counter,
}

/// What became of the items of one kind.
struct Received {
    received: Counter,
    refused: [(Rejection, Counter); 4],
}

impl std::fmt::Debug for ReceiverMetrics {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ReceiverMetrics").finish_non_exhaustive()
    }
}

impl ReceiverMetrics {
    pub(crate) fn new(metrics: &Metrics) -> Self {
        let exports = |reason| (reason, metrics.counter(EXPORTS_REFUSED, &[("reason", reason)]));
        Self {
            spans: Received::new(metrics, Signal::Spans, RECEIVED, REFUSED),
            records: Received::new(metrics, Signal::Logs, RECORDS_RECEIVED, RECORDS_REFUSED),
            exports_refused: ExportError::REASONS.map(exports),
            evicted: metrics.counter(EVICTED, &[]),
        }
    }

    /// Counts what became of the items of an export.
    pub(crate) fn inserted(&self, of: Signal, inserted: &Inserted) {
        let Received { received, refused } = match of {
            Signal::Spans => &self.spans,
            Signal::Logs => &self.records,
        };
        received.increment(inserted.accepted as u64);
        for (unfit, counter) in refused {
            counter.increment(inserted.refused(*unfit) as u64);
        }
        self.evicted.increment(inserted.evicted_traces as u64);
    }

    /// Counts an export that was refused whole.
    pub(crate) fn refused(&self, reason: &'static str) {
        if let Some((_, counter)) = self.exports_refused.iter().find(|(word, _)| *word == reason) {
            counter.increment(1);
        }
    }
}

impl Received {
    fn new(metrics: &Metrics, of: Signal, received: Metric, refused: Metric) -> Self {
        let counter = |unfit: Rejection| metrics.counter(refused, &[("reason", unfit.as_str())]);
        Self {
            received: metrics.counter(received, &[]),
            refused: Rejection::all(of).map(|unfit| (unfit, counter(unfit))),
        }
    }
}
