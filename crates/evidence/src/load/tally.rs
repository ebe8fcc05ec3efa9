//! Keeping count: how many orders came to what, and after how long.

use std::time::Duration;

use campuscafe_api::order::Outcome;
use hdrhistogram::{CreationError, Histogram};
use serde::Serialize;

/// The longest time that is told apart, in microseconds: an hour.
const LONGEST: u64 = 3_600_000_000;

/// What an order came to, as its customer saw it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OrderResult {
    /// With an answer that has an outcome.
    Answered(Outcome),
    /// With the answer that too much work is under way: nothing was done.
    Shed,
    /// Without one.
    NoAnswer,
}

impl OrderResult {
    /// Every end there is.
    pub const ALL: [Self; 5] = [
        Self::Answered(Outcome::Confirmed),
        Self::Answered(Outcome::Failed),
        Self::Answered(Outcome::Unknown),
        Self::Shed,
        Self::NoAnswer,
    ];

    /// As a table shows it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Answered(outcome) => outcome.as_str(),
            Self::Shed => "shed",
            Self::NoAnswer => "no answer",
        }
    }
}

/// All orders so far, in memory of a fixed size.
#[derive(Debug, Clone)]
pub struct Tally {
    times: [Histogram<u64>; OrderResult::ALL.len()],
    /// Orders that were due and were not sent, since too many were under way.
    pub not_sent: u64,
}

/// The times of the orders that ended alike, in milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Times {
    /// The time that half of them were faster than.
    pub p50_ms: f64,
    /// 19 of 20.
    pub p95_ms: f64,
    /// 99 of 100.
    pub p99_ms: f64,
    /// The slowest of them.
    pub max_ms: f64,
}

impl Tally {
    /// Nothing counted yet.
    ///
    /// # Errors
    ///
    /// When the machine cannot hold a histogram.
    pub fn new() -> Result<Self, CreationError> {
        // Three digits of precision.
        let empty = Histogram::new_with_bounds(1, LONGEST, 3)?;
        Ok(Self { times: OrderResult::ALL.map(|_| empty.clone()), not_sent: 0 })
    }

    /// Counts an order; `after` runs from the moment it was due.
    pub fn count(&mut self, ended: OrderResult, after: Duration) {
        let micros = u64::try_from(after.as_micros()).unwrap_or(LONGEST);
        for (times, kind) in self.times.iter_mut().zip(OrderResult::ALL) {
            if kind == ended {
                times.saturating_record(micros.clamp(1, LONGEST));
            }
        }
    }

    /// How many ended so.
    #[must_use]
    pub fn of(&self, ended: OrderResult) -> u64 {
        self.histogram(ended).map_or(0, Histogram::len)
    }

    /// Orders whose customers were told an outcome.
    #[must_use]
    pub fn answered(&self) -> u64 {
        Outcome::ALL.into_iter().map(|outcome| self.of(OrderResult::Answered(outcome))).sum()
    }

    /// Orders that were sent and are over.
    #[must_use]
    pub fn over(&self) -> u64 {
        OrderResult::ALL.into_iter().map(|ended| self.of(ended)).sum()
    }

    /// None where no order ended so.
    #[must_use]
    pub fn times(&self, ended: OrderResult) -> Option<Times> {
        let times = self.histogram(ended).filter(|times| !times.is_empty())?;
        let ms = |micros: u64| micros as f64 / 1_000.0;
        Some(Times {
            p50_ms: ms(times.value_at_quantile(0.5)),
            p95_ms: ms(times.value_at_quantile(0.95)),
            p99_ms: ms(times.value_at_quantile(0.99)),
            max_ms: ms(times.max()),
        })
    }

    fn histogram(&self, ended: OrderResult) -> Option<&Histogram<u64>> {
        self.times
            .iter()
            .zip(OrderResult::ALL)
            .find(|(_, kind)| *kind == ended)
            .map(|(times, _)| times)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_outcome_has_its_own_count_and_times() {
        let mut tally = Tally::new().unwrap();
        let confirmed = OrderResult::Answered(Outcome::Confirmed);
        for ms in 1..=100 {
            tally.count(confirmed, Duration::from_millis(ms));
        }
        tally.count(OrderResult::NoAnswer, Duration::from_secs(7_200));
        tally.count(OrderResult::Shed, Duration::from_millis(1));
        assert_eq!((tally.of(confirmed), tally.answered(), tally.over()), (100, 100, 102));
        let times = tally.times(confirmed).unwrap();
        for (found, expected) in [
            (times.p50_ms, 50.0),
            (times.p95_ms, 95.0),
            (times.p99_ms, 99.0),
            (times.max_ms, 100.0),
        ] {
            assert!((found - expected).abs() < 0.2, "{times:?}");
        }
        assert_eq!(tally.times(OrderResult::Answered(Outcome::Failed)), None);
        assert!(
            tally.times(OrderResult::NoAnswer).unwrap().max_ms >= 3_600_000.0,
            "kept, if not told apart"
        );
    }
}
