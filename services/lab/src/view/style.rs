//! Colour, where the reader has some.

use std::io::IsTerminal as _;

use crate::lessons::Conclusion;

/// What a line is about; its colour follows from that.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tone {
    /// Nothing to point at.
    Plain,
    /// Names and legend.
    Faint,
    /// A commit somebody waited for.
    Good,
    /// An answer that did not come.
    Doubt,
    /// A commit that nobody waited for, or the second of one order.
    Bad,
}

impl Tone {
    /// That of a verdict.
    pub(super) const fn of(conclusion: Conclusion) -> Self {
        match conclusion {
            Conclusion::Shown => Self::Good,
            Conclusion::Incomplete => Self::Doubt,
            Conclusion::NotShown => Self::Bad,
        }
    }
}

/// Whether to use colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Style(bool);

impl Style {
    /// Only on a terminal that can, and not where <https://no-color.org> asks for none.
    pub(crate) fn stdout() -> Self {
        let set = |name| std::env::var_os(name).is_some_and(|value| !value.is_empty());
        let dumb = std::env::var_os("TERM").is_some_and(|term| term == "dumb");
        Self(std::io::stdout().is_terminal() && !set("NO_COLOR") && !dumb)
    }

    /// For text that no terminal shows.
    pub(crate) const fn never() -> Self {
        Self(false)
    }

    pub(crate) fn strong(self, text: &str) -> String {
        self.wrap("1", text)
    }

    pub(crate) fn tone(self, tone: Tone, text: &str) -> String {
        match tone {
            Tone::Plain => text.to_owned(),
            Tone::Faint => self.wrap("2", text),
            Tone::Good => self.wrap("32", text),
            Tone::Doubt => self.wrap("33", text),
            Tone::Bad => self.wrap("1;31", text),
        }
    }

    fn wrap(self, code: &str, text: &str) -> String {
        if self.0 { format!("\x1b[{code}m{text}\x1b[0m") } else { text.to_owned() }
    }
}
