//! Which counters jumped, read from the services' own `/metrics`, and what the spans of one
//! run add to them.

mod of_spans;

use std::collections::BTreeMap;

pub use of_spans::{of_calls, of_order, of_pings, sum};

/// Counters by name and labels, as the text format writes them.
pub type Counters = BTreeMap<String, u64>;

/// The lab's counters in a page of the Prometheus text format: those of the
/// two services that count whole things, named `..._total`.
#[must_use]
pub fn read(page: &str) -> Counters {
    let counter = |line: &str| {
        let (series, value) = line.rsplit_once(' ')?;
        let name = series.split('{').next()?;
        let ours = name.starts_with("inventory_") || name.starts_with("order_");
        (ours && name.ends_with("_total")).then_some((series.to_owned(), value.parse().ok()?))
    };
    page.lines().filter(|line| !line.starts_with('#')).filter_map(counter).collect()
}

/// What grew, and by how much. A counter that shrank was restarted in between;
/// then what it shows now is all that is known.
#[must_use]
pub fn deltas(before: &Counters, after: &Counters) -> Counters {
    let grown = |(series, now): (&String, &u64)| {
        let was = before.get(series).copied().unwrap_or(0);
        let by = now.checked_sub(was).unwrap_or(*now);
        (by > 0).then(|| (series.clone(), by))
    };
    after.iter().filter_map(grown).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: &str = "\
# HELP order_retries_total Second attempts.
# TYPE order_retries_total counter
order_retries_total 3

inventory_reservations_total{item=\"ice cream\"} 2
inventory_stock{item=\"cake\"} 8
http_server_request_duration_seconds_count{http_route=\"/orders\"} 9
nonsense
";

    #[test]
    fn only_counters_of_whole_things_are_read() {
        let read = read(PAGE);
        let expected =
            [("inventory_reservations_total{item=\"ice cream\"}", 2), ("order_retries_total", 3)];
        assert_eq!(read, expected.map(|(name, value)| (name.to_owned(), value)).into());
    }

    #[test]
    fn a_jump_is_what_a_counter_grew_by_even_after_a_restart() {
        let counters = |values: &[(&str, u64)]| -> Counters {
            values.iter().map(|(name, value)| ((*name).to_owned(), *value)).collect()
        };
        let before = counters(&[("a", 1), ("b", 5), ("c", 7)]);
        let after = counters(&[("a", 3), ("b", 5), ("c", 2), ("d", 1)]);
        assert_eq!(deltas(&before, &after), counters(&[("a", 2), ("c", 2), ("d", 1)]));
    }
}
