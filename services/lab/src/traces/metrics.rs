//! What the receiver counts, so that it can be told where spans are lost.

use campuscafe_telemetry::{Counter, Metric, Metrics};

use super::otlp::Failure;
use super::store::Inserted;

const RECEIVED: Metric =
    Metric { name: "lab_spans_received_total", help: "Spans that the lab took." };
const REFUSED: Metric = Metric {
    name: "lab_spans_refused_total",
    help: "Spans that reached the lab and were not taken, by reason; trace_evicted: the lab keeps \
           the newest traces, and the span came after its trace had been removed.",
};
const EXPORTS_REFUSED: Metric = Metric {
    name: "lab_exports_refused_total",
    help: "Exports that were refused whole, with an unknown number of spans, by reason.",
};
const EVICTED: Metric = Metric {
    name: "lab_traces_evicted_total",
    help: "Traces that the lab removed to make room for newer ones.",
};

/// Why a span was not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unfit {
    /// Its trace id or span id is none.
    Malformed,
    /// It, its resource or its scope is too large.
    TooLarge,
    /// Its trace has as many spans, messages or bytes as are kept of one.
    TraceFull,
    /// Its trace was evicted before it came.
    TraceEvicted,
}

impl Unfit {
    pub(super) const ALL: [Self; 4] =
        [Self::Malformed, Self::TooLarge, Self::TraceFull, Self::TraceEvicted];

    const fn as_str(self) -> &'static str {
        match self {
            Self::Malformed => "malformed",
            Self::TooLarge => "too_large",
            Self::TraceFull => "trace_full",
            Self::TraceEvicted => "trace_evicted",
        }
    }
}

/// The counters, all of them at 0 from the start.
pub(super) struct Counts {
    received: Counter,
    refused: [Counter; Unfit::ALL.len()],
    exports_refused: [(&'static str, Counter); Failure::REASONS.len()],
    evicted: Counter,
}

impl std::fmt::Debug for Counts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Counts").finish_non_exhaustive()
    }
}

impl Counts {
    pub(super) fn new(metrics: &Metrics) -> Self {
        let exports = |reason| (reason, metrics.counter(EXPORTS_REFUSED, &[("reason", reason)]));
        Self {
            received: metrics.counter(RECEIVED, &[]),
            refused: Unfit::ALL
                .map(|unfit| metrics.counter(REFUSED, &[("reason", unfit.as_str())])),
            exports_refused: Failure::REASONS.map(exports),
            evicted: metrics.counter(EVICTED, &[]),
        }
    }

    /// Counts what became of the spans of an export.
    pub(super) fn inserted(&self, inserted: &Inserted) {
        self.received.increment(inserted.accepted as u64);
        for (unfit, counter) in Unfit::ALL.into_iter().zip(&self.refused) {
            counter.increment(inserted.refused(unfit) as u64);
        }
        self.evicted.increment(inserted.evicted_traces as u64);
    }

    /// Counts an export that was refused whole.
    pub(super) fn refused(&self, reason: &'static str) {
        if let Some((_, counter)) = self.exports_refused.iter().find(|(word, _)| *word == reason) {
            counter.increment(1);
        }
    }
}
