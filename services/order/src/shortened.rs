//! Values from outside are cut before a span or a log line keeps them.

use std::borrow::Cow;

/// The longest text from outside that a span or a log line keeps, in bytes.
const MAX_VALUE: usize = 256;

/// The text, or as much of its beginning as may be kept.
pub(crate) fn shortened(text: &str) -> Cow<'_, str> {
    text[..text.floor_char_boundary(MAX_VALUE)].into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn at_most_256_bytes_of_a_value_are_kept_and_no_half_characters() {
        assert_eq!(shortened("cake"), "cake");
        assert_eq!(shortened(&"x".repeat(10_000)).len(), 256);
        assert_eq!(shortened(&"日".repeat(100)), "日".repeat(85));
    }
}
