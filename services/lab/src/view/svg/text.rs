//! How wide a text is. The server does not know the reader's fonts, so it counts with
//! the widest of the usual ones: a text may end early, and never reaches the next.

use std::borrow::Cow;

use maud::{Markup, html};

/// Which part of a text stands at its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Anchor {
    Start,
    Middle,
    End,
}

/// A place for one line of text.
pub(super) struct Label<'a> {
    pub(super) class: &'a str,
    pub(super) x: i32,
    pub(super) y: i32,
    pub(super) size: i32,
    pub(super) bold: bool,
    /// How wide it may be.
    pub(super) room: i32,
    pub(super) anchor: Anchor,
}

impl Label<'_> {
    /// Writes there what there is room for.
    pub(super) fn write(&self, text: &str) -> Markup {
        let anchor = match self.anchor {
            Anchor::Start => "start",
            Anchor::Middle => "middle",
            Anchor::End => "end",
        };
        html! {
            @if !text.is_empty() {
                text class=(self.class) x=(self.x) y=(self.y) font-size=(self.size)
                    text-anchor=(anchor) { (fit(text, wide(self.size, self.bold), self.room)) }
            }
        }
    }
}

/// The size of which thin letters are as wide as these.
const fn wide(size: i32, bold: bool) -> i32 {
    if bold { size + 1 } else { size }
}

/// The width of a text of this size, rounded up.
pub(super) fn width(text: &str, size: i32) -> i32 {
    let thousandths: i32 = text.chars().map(advance).fold(0, i32::saturating_add);
    thousandths.saturating_mul(size).saturating_add(999) / 1_000
}

/// The text, or as much of it as there is room for, and an ellipsis.
fn fit(text: &str, size: i32, room: i32) -> Cow<'_, str> {
    if width(text, size) <= room {
        return Cow::Borrowed(text);
    }
    let mut used = width("…", size).saturating_mul(1_000);
    let fits = |character: &char| {
        used = used.saturating_add(advance(*character).saturating_mul(size));
        used <= room.saturating_mul(1_000)
    };
    let kept: String = text.chars().take_while(fits).collect();
    Cow::Owned(format!("{}…", kept.trim_end()))
}

/// A name of so many letters at most.
pub(super) fn shorten(name: &str, letters: usize) -> String {
    fit(name, 1_000, 640 * number(letters)).into_owned()
}

/// The text in so many lines at most, broken between words; the last line holds the
/// rest, even if that is too long for it.
pub(super) fn wrap(text: &str, size: i32, bold: bool, room: i32, lines: usize) -> Vec<String> {
    let mut wrapped: Vec<String> = Vec::new();
    for word in words(text) {
        let full = wrapped.len() >= lines;
        match wrapped.last_mut() {
            Some(line)
                if full
                    || width(&format!("{line}{}", word.trim_end()), wide(size, bold)) <= room =>
            {
                line.push_str(word);
            }
            _ => wrapped.push(word.to_owned()),
        }
    }
    for line in &mut wrapped {
        line.truncate(line.trim_end().len());
    }
    wrapped
}

/// A text in pieces that stay whole: a word with the space behind it, or a letter of a
/// script that has no spaces.
fn words(text: &str) -> Vec<&str> {
    let mut words = Vec::new();
    let mut start = 0;
    let letters: Vec<_> = text.char_indices().collect();
    for pair in letters.windows(2) {
        let &[(_, before), (at, after)] = pair else { continue };
        let apart = ideographic(before) && ideographic(after) && !clings(before, after);
        if before == ' ' && after != ' ' || apart {
            words.extend(text.get(start..at));
            start = at;
        }
    }
    words.extend(text.get(start..).filter(|last| !last.is_empty()));
    words
}

const fn ideographic(character: char) -> bool {
    matches!(character, '\u{3000}'..='\u{9fff}' | '\u{ff00}'..='\u{ff60}')
}

/// Whether no line may end between these two.
const fn clings(before: char, after: char) -> bool {
    matches!(before, '「' | '（')
        || matches!(
            after,
            '、' | '。'
                | '」'
                | '）'
                | 'ー'
                | '・'
                | 'っ'
                | 'ッ'
                | 'ゃ'
                | 'ャ'
                | 'ゅ'
                | 'ュ'
                | 'ょ'
                | 'ョ'
        )
}

/// In thousandths of the size.
const fn advance(character: char) -> i32 {
    match character {
        // Isolates direction and shows nothing.
        '\u{2066}'..='\u{2069}' => 0,
        // A mark takes no room, but a hundred on one letter are a tower.
        '\u{300}'..='\u{36f}' | '\u{200d}' | '\u{fe00}'..='\u{fe0f}' => 250,
        '\'' | 'i' | 'j' | 'l' | '|' => 290,
        ' ' | '\u{a0}' | '!' | ',' | '.' | ':' | ';' => 350,
        '(' | ')' | '-' | 'I' | '[' | ']' | 'f' | 'r' | 't' => 420,
        'M' | 'W' | 'm' | 'w' | '%' | '@' | '…' => 1_000,
        '+' | '<' | '=' | '>' | '~' => 840,
        'A'..='Z' => 790,
        '\0'..='\u{7f}' => 640,
        '\u{80}'..='\u{2ff}' | '\u{370}'..='\u{52f}' | '\u{2000}'..='\u{206f}' => 860,
        '\u{2190}'..='\u{21ff}' => 900,
        '\u{2e80}'..='\u{9fff}' | '\u{ac00}'..='\u{d7a3}' | '\u{ff00}'..='\u{ff60}' => 1_000,
        '\u{ff61}'..='\u{ff9f}' => 500,
        // Pictures, and the scripts that nobody measured for this.
        _ => 1_400,
    }
}

/// A small number as a coordinate.
pub(super) fn number(of: usize) -> i32 {
    i32::try_from(of).unwrap_or(i32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_that_is_too_long_ends_with_an_ellipsis_within_its_room() {
        for text in
            ["strawberry shortcake", "いちごのショートケーキ", "🍰🍰🍰🍰🍰🍰🍰", "WWWWWWWWWW"]
        {
            let cut = fit(text, 14, 80);
            assert!(cut.ends_with('…') && cut.chars().count() > 3, "{cut}");
            assert!(width(&cut, 14) <= 80, "{cut}");
        }
        assert_eq!(fit("cake", 14, 80), "cake");
        assert_eq!(fit("a cake of ", 10, 50), "a cake…", "no space before the ellipsis");
    }

    #[test]
    fn a_long_text_breaks_between_words_and_its_last_line_holds_the_rest() {
        for (text, expected) in [
            ("late, 2nd of this order", &["late, 2nd of", "this order"][..]),
            ("cake", &["cake"]),
            ("one two three four five six", &["one two", "three four five six"]),
            ("遅れて届いた、この注文の2回目", &["遅れて届いた、", "この注文の2回目"]),
            ("strawberryshortcake and tea", &["strawberryshortcake", "and tea"]),
        ] {
            assert_eq!(wrap(text, 10, false, 70, 2), expected);
        }
        assert!(wrap("", 10, false, 70, 2).is_empty());
    }

    #[test]
    fn a_tower_of_marks_counts_as_wide() {
        assert!(width(&format!("a{}", "\u{301}".repeat(100)), 10) > 200);
    }
}
