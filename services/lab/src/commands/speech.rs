//! In which language a command speaks.

use clap::Args;

use crate::messages::Language;

/// The language that is named, or that of the environment.
#[derive(Debug, Clone, Copy, Args)]
pub(super) struct Speech {
    /// Language of the text: en or ja; without it, that of LC_ALL, LC_MESSAGES or LANG
    #[arg(long, value_name = "LANGUAGE", value_enum, hide_possible_values = true)]
    lang: Option<Language>,
}

impl Speech {
    pub(super) fn language(self) -> Language {
        let variables = ["LC_ALL", "LC_MESSAGES", "LANG"];
        self.lang.unwrap_or_else(|| of_locale(variables.map(|name| std::env::var(name).ok())))
    }
}

/// The language of the first of these that is set, as POSIX has it; a language that the
/// lab does not speak is English.
fn of_locale(values: impl IntoIterator<Item = Option<String>>) -> Language {
    let locale = values.into_iter().flatten().find(|value| !value.is_empty());
    if locale.is_some_and(|locale| locale.starts_with("ja")) {
        Language::Japanese
    } else {
        Language::English
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_variable_that_is_set_decides() {
        let language = |all, messages, lang| {
            of_locale([all, messages, lang].map(|value: Option<&str>| value.map(str::to_owned)))
        };
        for (all, messages, lang, expected) in [
            (None, None, Some("ja_JP.UTF-8"), Language::Japanese),
            (None, None, Some("ja"), Language::Japanese),
            (None, Some("C"), Some("ja_JP.UTF-8"), Language::English),
            (None, Some("ja_JP.UTF-8"), Some("C"), Language::Japanese),
            (Some("en_GB.UTF-8"), Some("ja_JP"), Some("ja_JP"), Language::English),
            (Some(""), None, Some("ja_JP.UTF-8"), Language::Japanese),
            (Some("POSIX"), None, Some("ja_JP.UTF-8"), Language::English),
            (None, None, Some("de_DE.UTF-8"), Language::English),
            (None, None, None, Language::English),
        ] {
            assert_eq!(language(all, messages, lang), expected, "{all:?} {messages:?} {lang:?}");
        }
    }
}
