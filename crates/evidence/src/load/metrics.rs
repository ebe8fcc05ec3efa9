//! What the services tell of themselves on `/metrics`, at one moment.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::counters::{self, Counters};

const EXPORTED: &str = "telemetry_spans_exported_total";
const DROPPED: &str = "telemetry_spans_dropped_total";
const QUEUED: &str = "telemetry_spans_queued";
const IN_PROGRESS: &str = "inventory_work_in_progress";
const UNKNOWN: &str = "order_unknown";

/// Both services' metrics, as far as the load needs them.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct MetricsReading {
    counters: Counters,
    /// Both services have the same series of spans, so each has its own place.
    spans: [Counters; 2],
    /// Work that the inventory has under way; none if it does not tell.
    in_progress: Option<f64>,
    /// Orders with a key that are unknown; none if the order service does not tell.
    unknown: Option<f64>,
    queued: f64,
}

/// What became of the spans of both services since the load began.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct SpanCounts {
    /// Spans that reached their collector.
    pub exported: u64,
    /// By reason, those that are not 0.
    pub lost: BTreeMap<String, u64>,
}

impl MetricsReading {
    /// Reads the page of the order service and that of the inventory.
    #[must_use]
    pub fn of(order: &str, inventory: &str) -> Self {
        let mut counters = counters::read(order);
        counters.extend(counters::read(inventory));
        let gauge =
            |page, name| series(page, name).next().and_then(|(_, value)| value.parse().ok());
        Self {
            counters,
            spans: [order, inventory].map(span_counters),
            in_progress: gauge(inventory, IN_PROGRESS),
            unknown: gauge(order, UNKNOWN),
            queued: [order, inventory].iter().filter_map(|page| gauge(page, QUEUED)).sum(),
        }
    }

    /// Which of their counters grew since an earlier reading, and by how much.
    #[must_use]
    pub fn deltas(&self, earlier: &Self) -> Counters {
        counters::deltas(&earlier.counters, &self.counters)
    }

    /// None if the services do not count their spans.
    #[must_use]
    pub fn spans(&self, earlier: &Self) -> Option<SpanCounts> {
        self.spans.iter().any(|of_one| !of_one.is_empty()).then(|| {
            let mut spans = SpanCounts::default();
            for (before, now) in earlier.spans.iter().zip(&self.spans) {
                for (series, by) in counters::deltas(before, now) {
                    match reason(&series) {
                        Some(reason) => *spans.lost.entry(reason.to_owned()).or_default() += by,
                        None => spans.exported += by,
                    }
                }
            }
            spans
        })
    }

    /// Whether the inventory has no work left. One that does not tell is not
    /// waited for.
    #[must_use]
    pub fn is_idle(&self) -> bool {
        self.in_progress.is_none_or(|at_work| at_work <= 0.0)
    }

    /// How many orders with a key are unknown, and being settled.
    #[must_use]
    pub fn unknown(&self) -> u64 {
        self.unknown.map_or(0, |unknown| unknown as u64)
    }

    /// Whether no span waits for its export.
    #[must_use]
    pub fn has_exported_all(&self) -> bool {
        self.queued <= 0.0
    }
}

impl SpanCounts {
    /// Spans that were lost, for whatever reason.
    #[must_use]
    pub fn lost_in_all(&self) -> u64 {
        self.lost.values().sum()
    }
}

fn span_counters(page: &str) -> Counters {
    let counter = |(series, value): (&str, &str)| Some((series.to_owned(), value.parse().ok()?));
    [EXPORTED, DROPPED].iter().flat_map(|name| series(page, name).filter_map(counter)).collect()
}

/// The series of a metric, with their values as text.
fn series<'a>(page: &'a str, name: &'a str) -> impl Iterator<Item = (&'a str, &'a str)> {
    let lines = page.lines().filter_map(|line| line.rsplit_once(' '));
    lines.filter(move |(series, _)| series.split('{').next() == Some(name))
}

/// The value of the label `reason`, which what is lost has.
fn reason(series: &str) -> Option<&str> {
    series.split_once("reason=\"")?.1.split('"').next()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(service: &str, exported: u64, full: u64, failed: u64, queued: u64) -> String {
        format!(
            "# TYPE telemetry_spans_exported_total counter\n\
             telemetry_spans_exported_total {exported}\n\
             telemetry_spans_dropped_total{{reason=\"queue_full\"}} {full}\n\
             telemetry_spans_dropped_total{{reason=\"export_failed\"}} {failed}\n\
             telemetry_spans_queued {queued}\n\
             {service}_work_in_progress 0\n"
        )
    }

    #[test]
    fn spans_of_both_services_are_added_up_although_their_series_have_the_same_names() {
        let before =
            MetricsReading::of(&page("order", 10, 1, 0, 0), &page("inventory", 20, 0, 0, 0));
        let after =
            MetricsReading::of(&page("order", 110, 4, 0, 0), &page("inventory", 7, 2, 5, 3));
        let lost = [("export_failed", 5), ("queue_full", 5)];
        let lost = lost.map(|(reason, spans)| (reason.to_owned(), spans)).into();
        // The inventory was started anew, so what it counts now is all that is known.
        assert_eq!(after.spans(&before), Some(SpanCounts { exported: 107, lost }));
        assert_eq!(after.spans(&after), Some(SpanCounts::default()));
        assert!(before.has_exported_all() && !after.has_exported_all());
    }

    #[test]
    fn services_that_do_not_count_their_spans_are_said_to_be_such() {
        let old = MetricsReading::of("order_retries_total 1\n", "inventory_work_in_progress 2\n");
        assert_eq!(old.spans(&MetricsReading::default()), None);
        assert!(!old.is_idle() && old.has_exported_all());
        assert!(MetricsReading::of("", "").is_idle());
    }
}
