//! Counting, in the Prometheus text format.
//!
//! There is no global registry. Each service counts in its own [`Metrics`], so two
//! services in one process do not mix their counts.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use metrics::{Key, KeyName, Label, Level, Metadata, Recorder as _, SharedString};
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle, PrometheusRecorder};

use crate::histogram::Family;

pub use metrics::{Counter, Gauge, Histogram};

/// A metric's name and help text, declared once as a constant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Metric {
    /// As Prometheus shows it, unit and `_total` included.
    pub name: &'static str,
    /// One sentence that a learner understands.
    pub help: &'static str,
}

/// Which build this is; always 1.
pub(crate) const BUILD_INFO: Metric = Metric {
    name: "campuscafe_build_info",
    help: "Always 1; the label says which version of CampusCafe this is.",
};

/// The label of every status that nobody registered.
pub(crate) const OTHER: &str = "other";

const METADATA: Metadata<'static> = Metadata::new("campuscafe", Level::INFO, Some(module_path!()));

/// Where one process, or one service of it, counts.
#[derive(Clone)]
pub struct Metrics {
    recorder: Arc<PrometheusRecorder>,
    handle: PrometheusHandle,
    families: Arc<Mutex<BTreeMap<&'static str, Arc<Family>>>>,
    sources: Arc<Mutex<Vec<Source>>>,
}

/// Brings counts that are kept elsewhere up to date.
type Source = Box<dyn Fn() + Send + Sync>;

impl fmt::Debug for Metrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Metrics").finish_non_exhaustive()
    }
}

impl Metrics {
    /// An empty registry that says which version is counting.
    #[must_use]
    pub fn new(version: &'static str) -> Self {
        let recorder = PrometheusBuilder::new().build_recorder();
        let metrics = Self {
            handle: recorder.handle(),
            recorder: Arc::new(recorder),
            families: Arc::default(),
            sources: Arc::default(),
        };
        metrics.gauge(BUILD_INFO, &[("version", version)]).set(1.0);
        metrics
    }

    /// A counter; it exists at 0 from now on.
    pub fn counter(&self, metric: Metric, labels: &[(&'static str, &str)]) -> Counter {
        let (name, help) = described(metric);
        self.recorder.describe_counter(name, None, help);
        self.recorder.register_counter(&key(metric, labels), &METADATA)
    }

    /// A gauge; it exists at 0 from now on.
    pub fn gauge(&self, metric: Metric, labels: &[(&'static str, &str)]) -> Gauge {
        let (name, help) = described(metric);
        self.recorder.describe_gauge(name, None, help);
        self.recorder.register_gauge(&key(metric, labels), &METADATA)
    }

    /// Histograms of seconds under one name, for labels that are known only
    /// when something happened.
    #[must_use]
    pub fn histogram_family(&self, metric: Metric) -> HistogramFamily {
        let mut families = self.families.lock().unwrap_or_else(PoisonError::into_inner);
        let family = families.entry(metric.name).or_insert_with(|| Arc::new(Family::new(metric)));
        HistogramFamily { family: family.clone() }
    }

    /// Calls this before everything counted is shown: for counts that are kept
    /// elsewhere, and must be of one moment.
    pub fn before_render(&self, source: impl Fn() + Send + Sync + 'static) {
        self.sources.lock().unwrap_or_else(PoisonError::into_inner).push(Box::new(source));
    }

    /// Everything counted so far, in the Prometheus text format 0.0.4.
    #[must_use]
    pub fn render(&self) -> String {
        self.parts().collect()
    }

    /// The same in parts: first what is no histogram, at once, then a few histograms at a time,
    /// each when it is asked for. So a client that reads nothing keeps one part in memory.
    pub fn parts(&self) -> impl Iterator<Item = String> + use<> {
        for source in self.sources.lock().unwrap_or_else(PoisonError::into_inner).iter() {
            source();
        }
        let families = self.families.lock().unwrap_or_else(PoisonError::into_inner);
        let families: Vec<_> = families.values().cloned().collect();
        let histograms = families.into_iter().flat_map(|family| family.parts());
        std::iter::once(self.handle.render()).chain(histograms)
    }
}

/// Histograms of seconds under one name; all that are made from the same
/// [`Metrics`] know each other's label sets.
#[derive(Debug, Clone)]
pub struct HistogramFamily {
    family: Arc<Family>,
}

impl HistogramFamily {
    /// The histogram of these labels; its buckets exist at 0 from now on.
    pub fn with_labels(&self, labels: &[(&'static str, &str)]) -> Histogram {
        self.family.with_labels(labels)
    }

    /// The histogram whose labels have these values, if there is one already.
    #[must_use]
    pub fn get(&self, values: &[&str]) -> Option<Histogram> {
        self.family.get(values)
    }
}

fn described(metric: Metric) -> (KeyName, SharedString) {
    (KeyName::from_const_str(metric.name), SharedString::const_str(metric.help))
}

fn key(metric: Metric, labels: &[(&'static str, &str)]) -> Key {
    let labels: Vec<Label> =
        labels.iter().map(|(name, value)| Label::new(*name, (*value).to_owned())).collect();
    Key::from_parts(metric.name, labels)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ORDERS: Metric = Metric { name: "test_orders_total", help: "Orders." };
    const SECONDS: Metric = Metric { name: "test_seconds", help: "Time." };

    #[test]
    fn a_metric_exists_at_zero_before_it_first_counts() {
        let metrics = Metrics::new("1.2.3");
        let _ = metrics.counter(ORDERS, &[("outcome", "unknown")]);
        let _ = metrics.histogram_family(SECONDS).with_labels(&[]);
        let text = metrics.render();
        for line in [
            "# HELP test_orders_total Orders.",
            "# TYPE test_orders_total counter",
            "test_orders_total{outcome=\"unknown\"} 0",
            "# TYPE test_seconds histogram",
            "test_seconds_bucket{le=\"1\"} 0",
            "test_seconds_bucket{le=\"1.5\"} 0",
            "test_seconds_bucket{le=\"2\"} 0",
            "test_seconds_count 0",
            "campuscafe_build_info{version=\"1.2.3\"} 1",
        ] {
            assert!(text.lines().any(|found| found == line), "no {line:?} in\n{text}");
        }
    }

    /// As `histogram_quantile` of Prometheus does it: linear within a bucket.
    fn quantile(text: &str, quantile: f64) -> f64 {
        let bucket = |line: &str| {
            let (edge, count) =
                line.strip_prefix("test_seconds_bucket{le=\"")?.split_once("\"} ")?;
            Some((edge.parse::<f64>().unwrap(), count.parse::<f64>().unwrap()))
        };
        let buckets: Vec<_> = text.lines().filter_map(bucket).collect();
        let rank = quantile * buckets.last().unwrap().1;
        let at = buckets.iter().position(|(_, count)| *count >= rank).unwrap();
        let (start, below) = if at == 0 { (0.0, 0.0) } else { buckets[at - 1] };
        let (end, count) = buckets[at];
        start + (end - start) * (rank - below) / (count - below)
    }

    #[test]
    fn the_95th_percentile_of_what_always_ends_at_a_moment_of_the_lab_is_near_that_moment() {
        for moment in [1.0, 1.5, 2.0] {
            let metrics = Metrics::new("1");
            let histogram = metrics.histogram_family(SECONDS).with_labels(&[]);
            for late in 1..=20 {
                histogram.record(moment + f64::from(late) * 0.001);
            }
            let p95 = quantile(&metrics.render(), 0.95);
            assert!((moment..moment + 0.05).contains(&p95), "{moment} s reads as {p95} s");
        }
    }

    #[test]
    fn two_registries_in_one_process_do_not_count_into_each_other() {
        let (one, other) = (Metrics::new("1"), Metrics::new("1"));
        one.counter(ORDERS, &[]).increment(3);
        let _ = other.counter(ORDERS, &[]);
        assert!(one.render().contains("test_orders_total 3"));
        assert!(other.render().contains("test_orders_total 0"));
    }
}
