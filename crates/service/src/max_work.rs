//! The setting `--max-work`, which both services have.

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
}
