//! How a reader of plain text is spoken to: in which language, and in which colours.

use super::style::{Style, Tone};
use crate::lessons::Conclusion;
use crate::messages::{Language, Message, Value};

/// A language and a style.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Voice {
    pub(crate) language: Language,
    style: Style,
}

impl Voice {
    /// For programs and for assistants, which are spoken to in English.
    pub(crate) const ENGLISH: Self = Self::plain(Language::English);

    /// On stdout, in colour where the terminal has some.
    pub(crate) fn on_stdout(language: Language) -> Self {
        Self { language, style: Style::stdout() }
    }

    /// Without colour.
    pub(crate) const fn plain(language: Language) -> Self {
        Self { language, style: Style::never() }
    }

    pub(crate) fn say(self, id: &str) -> String {
        plain(&self.language.say(id))
    }

    pub(crate) fn tell(self, id: &str, values: &[(&'static str, Value)]) -> String {
        plain(&self.language.tell(id, values))
    }

    pub(crate) fn put(self, message: &Message) -> String {
        plain(&self.language.put(message))
    }

    pub(super) fn value(self, value: &Value) -> String {
        plain(&value.in_words(self.language))
    }

    /// The word of a verdict; whole if no spans are missing.
    pub(super) fn conclusion(self, conclusion: Conclusion, whole: bool) -> String {
        let word = self.say(conclusion.state()).to_uppercase();
        match conclusion.is_shown() && !whole {
            true => self.tell("word-incomplete", &[("word", word.into())]),
            false => word,
        }
    }

    pub(super) fn strong(self, text: &str) -> String {
        self.style.strong(text)
    }

    pub(super) fn tone(self, tone: Tone, text: &str) -> String {
        self.style.tone(tone, text)
    }
}

/// A no-break space looks like a space in a terminal, and no search for a space finds it.
fn plain(text: &str) -> String {
    text.replace('\u{a0}', " ")
}
