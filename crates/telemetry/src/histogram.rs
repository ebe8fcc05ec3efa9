//! Durations in buckets, and how they are shown.
//!
//! The exporter has histograms too. For each bucket they format all labels again at every
//! scrape, which took most of the 7.5 ms of a page of ours, and they keep every duration until
//! then. Here a duration is counted into its bucket at once, and labels are written out when
//! their series begins. The same page takes 1.5 ms, and no memory grows.

use std::fmt::Write as _;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use metrics::{Histogram, HistogramFn};

use crate::metrics::Metric;

/// Edges in seconds. The lab's own moments are among them: 1 s, the limit of an
/// attempt; 1.5 s, a flaky answer; 2 s, a slow one. What happens at such a moment
/// ends a little after it, so each has a narrow bucket above it: a quantile is
/// interpolated within a bucket, and in a wide one it would be far off.
const EDGES: [f64; 17] = [
    0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 1.05, 1.5, 1.55, 2.0, 2.05, 3.05,
    5.0,
];

/// How many label sets are written at a time; each takes about 3.5 kB.
const SERIES_IN_PART: usize = 4;

/// The durations of one label set.
#[derive(Debug, Default)]
struct Durations {
    /// How many are at most at each edge and above the one before it; the last ones are above
    /// all edges.
    counts: [AtomicU64; EDGES.len() + 1],
    /// In seconds, as the bits of a number.
    sum: AtomicU64,
}

impl HistogramFn for Durations {
    fn record(&self, seconds: f64) {
        let at = EDGES.partition_point(|edge| *edge < seconds);
        if let Some(count) = self.counts.get(at) {
            count.fetch_add(1, Ordering::Relaxed);
        }
        let add = |sum| Some((f64::from_bits(sum) + seconds).to_bits());
        let _ = self.sum.fetch_update(Ordering::Relaxed, Ordering::Relaxed, add);
    }
}

/// All histograms of one name.
#[derive(Debug)]
pub(crate) struct Family {
    metric: Metric,
    /// Sorted by the values of their labels: there are some dozens, and each request looks
    /// for one. A page that is being read keeps those of its beginning.
    series: RwLock<Arc<Vec<Series>>>,
}

#[derive(Debug, Clone)]
struct Series {
    values: Vec<String>,
    /// As they are shown.
    labels: String,
    durations: Arc<Durations>,
    histogram: Histogram,
}

impl Family {
    pub(crate) fn new(metric: Metric) -> Self {
        Self { metric, series: RwLock::default() }
    }

    /// The histogram of these labels; its buckets exist at 0 from now on.
    pub(crate) fn with_labels(&self, labels: &[(&'static str, &str)]) -> Histogram {
        let values: Vec<&str> = labels.iter().map(|(_, value)| *value).collect();
        let mut all = self.series.write().unwrap_or_else(PoisonError::into_inner);
        let position = match position(&all, &values) {
            Ok(known) => return all[known].histogram.clone(),
            Err(position) => position,
        };
        let durations = Arc::new(Durations::default());
        let series = Series {
            values: values.into_iter().map(str::to_owned).collect(),
            labels: labels
                .iter()
                .map(|(name, value)| format!("{name}=\"{}\"", escaped(value)))
                .collect::<Vec<_>>()
                .join(","),
            histogram: Histogram::from_arc(durations.clone()),
            durations,
        };
        let histogram = series.histogram.clone();
        Arc::make_mut(&mut all).insert(position, series);
        histogram
    }

    /// The histogram whose labels have these values, if there is one already.
    pub(crate) fn get(&self, values: &[&str]) -> Option<Histogram> {
        let all = self.series.read().unwrap_or_else(PoisonError::into_inner);
        Some(all[position(&all, values).ok()?].histogram.clone())
    }

    /// As they are at this moment, in the Prometheus text format 0.0.4; each part is written
    /// when it is asked for.
    pub(crate) fn parts(&self) -> impl Iterator<Item = String> + use<> {
        let Metric { name, help } = self.metric;
        let all = self.series.read().unwrap_or_else(PoisonError::into_inner).clone();
        let parts = all.len().div_ceil(SERIES_IN_PART);
        (0..parts).map(move |part| {
            let series = all.chunks(SERIES_IN_PART).nth(part).unwrap_or_default();
            let mut text = if part == 0 {
                format!("# HELP {name} {help}\n# TYPE {name} histogram\n")
            } else {
                String::new()
            };
            series.iter().for_each(|series| series.render(name, &mut text));
            if part + 1 == parts {
                text.push('\n');
            }
            text
        })
    }
}

impl Series {
    fn render(&self, name: &str, page: &mut String) {
        let Self { labels, durations, .. } = self;
        let comma = if labels.is_empty() { "" } else { "," };
        let mut count = 0;
        let edges = EDGES.iter().map(Some).chain([None]);
        for (edge, in_bucket) in edges.zip(&durations.counts) {
            count += in_bucket.load(Ordering::Relaxed);
            // Writing to a string does not fail.
            let _ = match edge {
                Some(edge) => write!(page, "{name}_bucket{{{labels}{comma}le=\"{edge}\"}}"),
                None => write!(page, "{name}_bucket{{{labels}{comma}le=\"+Inf\"}}"),
            };
            let _ = writeln!(page, " {count}");
        }
        let sum = f64::from_bits(durations.sum.load(Ordering::Relaxed));
        let (open, close) = if labels.is_empty() { ("", "") } else { ("{", "}") };
        let _ = writeln!(page, "{name}_sum{open}{labels}{close} {sum}");
        let _ = writeln!(page, "{name}_count{open}{labels}{close} {count}");
    }
}

/// From the last label to the first: the last ones, such as the status, differ most.
fn position(all: &[Series], values: &[&str]) -> Result<usize, usize> {
    let values = || values.iter().rev().copied();
    all.binary_search_by(|series| series.values.iter().rev().map(String::as_str).cmp(values()))
}

/// As the text format writes the value of a label.
fn escaped(value: &str) -> String {
    value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECONDS: Metric = Metric { name: "test_seconds", help: "Time." };

    fn page(family: &Family) -> String {
        family.parts().collect()
    }

    #[test]
    fn a_duration_at_an_edge_is_in_its_bucket_and_in_all_above_it() {
        let family = Family::new(SECONDS);
        let histogram = family.with_labels(&[("route", "/a"), ("status", "200")]);
        [0.000_976_562_5, 1.0, 1.0, 7.5].iter().for_each(|seconds| histogram.record(*seconds));
        let page = page(&family);
        for line in [
            "# HELP test_seconds Time.",
            "# TYPE test_seconds histogram",
            "test_seconds_bucket{route=\"/a\",status=\"200\",le=\"0.001\"} 1",
            "test_seconds_bucket{route=\"/a\",status=\"200\",le=\"0.5\"} 1",
            "test_seconds_bucket{route=\"/a\",status=\"200\",le=\"1\"} 3",
            "test_seconds_bucket{route=\"/a\",status=\"200\",le=\"5\"} 3",
            "test_seconds_bucket{route=\"/a\",status=\"200\",le=\"+Inf\"} 4",
            "test_seconds_sum{route=\"/a\",status=\"200\"} 9.5009765625",
            "test_seconds_count{route=\"/a\",status=\"200\"} 4",
        ] {
            assert!(page.lines().any(|found| found == line), "no {line} in\n{page}");
        }
    }

    #[test]
    fn labels_that_are_asked_for_again_are_the_same_series() {
        let family = Family::new(SECONDS);
        for status in ["200", "404", "200"] {
            family.with_labels(&[("status", status)]).record(1.0);
        }
        family.get(&["404"]).unwrap().record(1.0);
        assert!(family.get(&["500"]).is_none());
        let page = page(&family);
        for status in ["200", "404"] {
            let line = format!("test_seconds_count{{status=\"{status}\"}} 2");
            assert_eq!(page.lines().filter(|found| **found == *line).count(), 1, "{page}");
        }
    }

    #[test]
    fn a_series_that_begins_while_a_page_is_read_is_in_the_next_page() {
        let family = Family::new(SECONDS);
        let begin = |label: usize| drop(family.with_labels(&[("number", &label.to_string())]));
        (0..2 * SERIES_IN_PART).for_each(|number| begin(2 * number));
        let mut parts = family.parts();
        let first = parts.next();
        begin(1);
        let read: String = first.into_iter().chain(parts).collect();
        let counts = |page: &str| page.lines().filter(|line| line.contains("_count")).count();
        assert_eq!([counts(&read), counts(&page(&family))], [8, 9]);
        assert!(!read.contains("number=\"1\""), "{read}");
    }

    #[test]
    fn a_value_cannot_break_out_of_its_quotes() {
        let family = Family::new(SECONDS);
        let _ = family.with_labels(&[("text", "a\"b\\c\nd")]);
        assert!(page(&family).contains("test_seconds_sum{text=\"a\\\"b\\\\c\\nd\"} 0\n"));
    }
}
