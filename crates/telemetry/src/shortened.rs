//! Values from outside are cut to a length before they are kept.

use std::borrow::Cow;
use std::fmt::{self, Write};

/// The longest value in a span, a log line or a label, in bytes.
pub const MAX_VALUE: usize = 256;

/// Room for a usual value, in bytes.
const USUAL_VALUE: usize = 64;

/// Ends a value that was cut; part of its [`MAX_VALUE`] bytes.
const MARK: &str = "…";

/// The text, if it has at most [`MAX_VALUE`] bytes; otherwise as many of its
/// first characters as fit, and `…`.
///
/// Put every text that a request brings through it before a span, a log line
/// or a label keeps it. [`crate::set_attribute`] and the log lines do so
/// themselves.
#[must_use]
pub fn shortened(text: &str) -> Cow<'_, str> {
    if text.len() <= MAX_VALUE {
        return Cow::Borrowed(text);
    }
    let end = text.floor_char_boundary(MAX_VALUE - MARK.len());
    Cow::Owned(format!("{}{MARK}", &text[..end]))
}

/// What a value looks like as text, cut like [`shortened()`]. Formatting ends
/// where the text is full, however long the value is.
pub(crate) fn formatted(value: &dyn fmt::Debug) -> String {
    let mut text = Full(String::with_capacity(USUAL_VALUE));
    // Fails only when the text is full.
    let _ = write!(text, "{value:?}");
    match shortened(&text.0) {
        Cow::Borrowed(_) => text.0,
        Cow::Owned(short) => short,
    }
}

/// Takes text until it is longer than [`MAX_VALUE`].
struct Full(String);

impl Write for Full {
    fn write_str(&mut self, more: &str) -> fmt::Result {
        let room = (MAX_VALUE + MARK.len()).saturating_sub(self.0.len());
        self.0.push_str(&more[..more.floor_char_boundary(room)]);
        if self.0.len() > MAX_VALUE { Err(fmt::Error) } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_of_up_to_256_bytes_stays_and_a_longer_one_ends_with_a_mark() {
        for text in ["", "cake", &"x".repeat(256), &"\u{e9}".repeat(128)] {
            assert_eq!(shortened(text), text);
            assert_eq!(formatted(&format_args!("{text}")), text);
        }
        for text in ["x".repeat(257), "\u{e9}".repeat(5_000), "日本語".repeat(100)] {
            let short = shortened(&text);
            assert!((MAX_VALUE - 3..=MAX_VALUE).contains(&short.len()), "{}", short.len());
            assert!(text.starts_with(short.strip_suffix(MARK).expect("a mark")));
            assert_eq!(formatted(&format_args!("{text}")), short);
        }
    }

    #[test]
    fn formatting_ends_where_the_text_is_full() {
        struct Endless;
        impl fmt::Debug for Endless {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                loop {
                    f.write_str("and so on ")?;
                }
            }
        }
        assert_eq!(formatted(&Endless).len(), MAX_VALUE);
    }
}
