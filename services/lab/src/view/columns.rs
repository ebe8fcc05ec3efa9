//! Columns of a terminal: a Japanese character takes two of them.

use unicode_width::{UnicodeWidthChar as _, UnicodeWidthStr as _};

/// No line is longer.
pub(crate) const WIDTH: usize = 80;

/// The columns that a text takes.
pub(super) fn width(text: &str) -> usize {
    text.width()
}

/// The text at the left of so many columns.
pub(crate) fn left(text: &str, columns: usize) -> String {
    text.to_owned() + &" ".repeat(columns.saturating_sub(width(text)))
}

/// The text at the right of so many columns.
pub(super) fn right(text: &str, columns: usize) -> String {
    " ".repeat(columns.saturating_sub(width(text))) + text
}

/// As much of the text as has room in so many columns.
pub(super) fn cut(text: &str, columns: usize) -> String {
    let mut used = 0;
    let fits = |character: &char| {
        used += character.width().unwrap_or_default();
        used <= columns
    };
    text.chars().take_while(fits).collect()
}

/// Breaks text between words, and Japanese between phrases, so that no line takes more
/// than so many columns unless a single word does.
pub(super) fn wrap(text: &str, columns: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for phrase in phrases(text) {
        let Some(line) = lines.last_mut() else { continue };
        if line.is_empty() || width(line) + width(phrase.trim_end()) <= columns {
            line.push_str(&phrase);
        } else {
            lines.push(phrase);
        }
    }
    lines.iter_mut().for_each(|line| line.truncate(line.trim_end().len()));
    lines.retain(|line| !line.is_empty());
    lines
}

/// What no line breaks, each with the space after it.
fn phrases(text: &str) -> Vec<String> {
    let mut phrases = vec![String::new()];
    let [mut before, mut last] = [' '; 2];
    for next in text.chars() {
        if may_break(before, last, next) {
            phrases.push(String::new());
        }
        if let Some(phrase) = phrases.last_mut() {
            phrase.push(next);
        }
        (before, last) = (last, next);
    }
    phrases
}

/// Whether a line may end with the second of these and go on with the third: after a
/// space, unless it stands between a number and what is counted in Japanese, after a mark, and
/// where the ending of a Japanese word is over.
fn may_break(before: char, last: char, next: char) -> bool {
    if last.is_whitespace() {
        return !(next.is_whitespace() || before.is_ascii_digit() && is_japanese(next));
    }
    let ends = is_hiragana(last) && last != 'お' && is_japanese(next) && !is_hiragana(next);
    (MARKS.contains(last) || ends) && !MARKS.contains(next) && next != 'ー' && !next.is_whitespace()
}

/// A line may end with one of these, and begins with none.
const MARKS: &str = "、。，．：；」』）";

fn is_japanese(character: char) -> bool {
    matches!(character, '\u{3000}'..='\u{9fff}' | '\u{ff00}'..='\u{ffef}')
}

fn is_hiragana(character: char) -> bool {
    matches!(character, '\u{3041}'..='\u{309f}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_filled_up_and_cut_by_the_columns_that_it_takes() {
        assert_eq!(left("注文", 6) + "|", "注文  |");
        assert_eq!(right("注文", 6) + "|", "  注文|");
        assert_eq!(left("order", 3), "order");
        assert_eq!(
            (cut("注文サービス", 5), cut("order", 3)),
            ("注文".to_owned(), "ord".to_owned())
        );
    }

    #[test]
    fn a_line_breaks_between_words_and_between_japanese_phrases() {
        assert_eq!(wrap("one two  three", 8), ["one two", "three"]);
        assert_eq!(wrap("averylongword it", 4), ["averylongword", "it"]);
        assert_eq!(wrap("予約は、済みました。次です", 14), ["予約は、", "済みました。", "次です"]);
        assert_eq!(wrap("お客さんの予約は 2 件です", 16), ["お客さんの予約は", "2 件です"]);
        assert_eq!(wrap("切るサービスです", 8), ["切る", "サービスです"]);
        assert_eq!(wrap("", 8), Vec::<String>::new());
    }
}
