//! Text from outside, made safe to print.
//!
//! Spans, answers and URLs hold whatever somebody sent. A terminal obeys
//! control sequences: they clear the screen, hide text and make links. So
//! every place that makes text for people passes such values through
//! [`printable`]. JSON does not need it: its readers are programs.

use std::borrow::Cow;
use std::fmt::Write as _;

/// The text with every control character written as `\u{..}`: C0 (line breaks
/// too), DEL, C1, and the characters that change the direction of text or
/// break a line.
#[must_use]
pub(crate) fn printable(text: &str) -> Cow<'_, str> {
    if !text.contains(steers) {
        return Cow::Borrowed(text);
    }
    let mut safe = String::with_capacity(text.len() + 16);
    for character in text.chars() {
        if steers(character) {
            // Writing into a String never fails.
            let _ = write!(safe, "{}", character.escape_unicode());
        } else {
            safe.push(character);
        }
    }
    Cow::Owned(safe)
}

/// Whether a terminal obeys this character instead of showing it. The
/// directional ones are those of <https://www.unicode.org/reports/tr9/>.
fn steers(character: char) -> bool {
    let directional = matches!(character,
        '\u{061c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    character.is_control() || directional || matches!(character, '\u{2028}' | '\u{2029}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_steers_a_terminal_is_written_out_and_everything_else_stays() {
        for (text, expected) in [
            ("cake", "cake"),
            ("Order failed 💥 ⚠️ ケーキ é", "Order failed 💥 ⚠️ ケーキ é"),
            ("\x1b[2J", "\\u{1b}[2J"),
            ("a\r\nb\tc\0", "a\\u{d}\\u{a}b\\u{9}c\\u{0}"),
            ("\x7f", "\\u{7f}"),
            ("\u{9b}31m\u{85}", "\\u{9b}31m\\u{85}"),
            ("\x1b]8;;http://x\x07link", "\\u{1b}]8;;http://x\\u{7}link"),
            ("\u{202e}ekac\u{2066}\u{200f}", "\\u{202e}ekac\\u{2066}\\u{200f}"),
            ("\u{2028}\u{2029}", "\\u{2028}\\u{2029}"),
        ] {
            assert_eq!(printable(text), expected, "{text:?}");
        }
    }

    #[test]
    fn text_that_is_safe_is_not_copied() {
        assert!(matches!(printable("two words"), Cow::Borrowed(_)));
    }
}
