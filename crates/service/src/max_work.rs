//! The settings `--max-work` and `--max-wait`, which both services have.

use std::time::Duration;

/// More than any machine carries.
const MAX: usize = 1_000_000;

/// Reads how much work may be under way, for a [`WorkLimit`](crate::WorkLimit).
///
/// # Errors
///
/// When it is not a whole number from 1 to 1,000,000; the error says so.
pub fn max_work(text: &str) -> Result<usize, String> {
    text.parse()
        .ok()
        .filter(|max| (1..=MAX).contains(max))
        .ok_or_else(|| format!("expected a whole number from 1 to {MAX}"))
}

/// How long a request may wait until it is read, unless it is set: its client hardly notices.
pub const DEFAULT_MAX_WAIT: &str = "100ms";

/// Reads how long a request may wait until it is read, for a [`WorkLimit`](crate::WorkLimit).
///
/// # Errors
///
/// When it is not a duration from 1 ms to 1 min; the error says so.
pub fn max_wait(text: &str) -> Result<Duration, String> {
    humantime::parse_duration(text)
        .ok()
        .filter(|wait| (Duration::from_millis(1)..=Duration::from_mins(1)).contains(wait))
        .ok_or_else(|| "expected a duration from 1ms to 1m, such as 100ms".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bound_on_work_that_takes_nothing_or_is_no_number_is_refused() {
        for text in ["", "0", "-1", "1.5", "many", "1000001", "99999999999999999999"] {
            let expected = "expected a whole number from 1 to 1000000";
            assert_eq!(max_work(text).unwrap_err(), expected, "{text}");
        }
        assert_eq!((max_work("1"), max_work("1000000")), (Ok(1), Ok(1_000_000)));
    }

    #[test]
    fn a_wait_that_is_none_or_too_long_is_refused() {
        for text in ["", "0s", "100", "0.5ms", "61s", "soon"] {
            assert!(max_wait(text).unwrap_err().contains("from 1ms to 1m"), "{text}");
        }
        assert_eq!(max_wait(DEFAULT_MAX_WAIT), Ok(Duration::from_millis(100)));
        assert_eq!(max_wait("1m"), Ok(Duration::from_mins(1)));
    }
}
