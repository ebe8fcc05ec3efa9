//! What the lab says to people, in English and in Japanese: the messages stand in Fluent files.

mod message;

use std::borrow::Cow;
use std::sync::LazyLock;

use fluent_bundle::concurrent::FluentBundle;
use fluent_bundle::{FluentArgs, FluentResource, FluentValue};
use unic_langid::LanguageIdentifier;

pub(crate) use message::{Message, Value};

/// A language of the lab.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Language {
    #[default]
    #[value(name = "en")]
    English,
    #[value(name = "ja")]
    Japanese,
}

impl Language {
    /// The language of this tag, such as `ja` or `en-GB`, if the lab has it.
    pub(crate) fn of_tag(tag: &str) -> Option<Self> {
        match tag.trim().split(['-', '_']).next()?.to_ascii_lowercase().as_str() {
            "en" => Some(Self::English),
            "ja" => Some(Self::Japanese),
            _ => None,
        }
    }

    /// The first language that a browser accepts and the lab has, as `Accept-Language` of
    /// RFC 9110 lists them; of equal weight, the one that comes first.
    pub(crate) fn accepted(header: &str) -> Option<Self> {
        let choice = |range: &str| {
            let (tag, weight) = range.split_once(";q=").unwrap_or((range, "1"));
            let weight = weight.trim().parse::<f32>().ok().filter(|weight| *weight > 0.0)?;
            Some((Self::of_tag(tag)?, weight))
        };
        let mut best: Option<(Self, f32)> = None;
        for (language, weight) in header.split(',').filter_map(choice) {
            if best.is_none_or(|(_, most)| weight > most) {
                best = Some((language, weight));
            }
        }
        best.map(|(language, _)| language)
    }

    /// Its tag after BCP 47.
    pub(crate) const fn tag(self) -> &'static str {
        match self {
            Self::English => "en",
            Self::Japanese => "ja",
        }
    }

    pub(crate) const fn other(self) -> Self {
        match self {
            Self::English => Self::Japanese,
            Self::Japanese => Self::English,
        }
    }

    /// What a message says.
    pub(crate) fn say(self, id: &str) -> Cow<'static, str> {
        self.tell(id, &[])
    }

    /// What a message says with these values.
    pub(crate) fn tell(self, id: &str, values: &[(&'static str, Value)]) -> Cow<'static, str> {
        let bundle = self.bundle();
        // A test looks for every message in both languages, so this is never met.
        let Some(pattern) = bundle.get_message(id).and_then(|message| message.value()) else {
            return Cow::Owned(id.to_owned());
        };
        let values: FluentArgs<'_> =
            values.iter().map(|(name, value)| (*name, self.fluent(value))).collect();
        bundle.format_pattern(pattern, Some(&values), &mut Vec::new())
    }

    /// What a message says with its own values.
    pub(crate) fn put(self, message: &Message) -> Cow<'static, str> {
        self.tell(&message.id, &message.values)
    }

    /// A number chooses the form of its word, so it stays one.
    fn fluent(self, value: &Value) -> FluentValue<'_> {
        match value {
            Value::Number(number) => FluentValue::from(*number),
            other => FluentValue::from(other.in_words(self)),
        }
    }

    /// Every message.
    #[cfg(test)]
    pub(crate) fn ids(self) -> impl Iterator<Item = String> {
        tests::messages(self.source()).into_keys()
    }

    fn source(self) -> &'static str {
        match self {
            Self::English => include_str!("../../messages/en.ftl"),
            Self::Japanese => include_str!("../../messages/ja.ftl"),
        }
    }

    fn bundle(self) -> &'static Bundle {
        static ENGLISH: LazyLock<Bundle> = LazyLock::new(|| bundle(Language::English));
        static JAPANESE: LazyLock<Bundle> = LazyLock::new(|| bundle(Language::Japanese));
        match self {
            Self::English => &ENGLISH,
            Self::Japanese => &JAPANESE,
        }
    }
}

type Bundle = FluentBundle<FluentResource>;

fn bundle(language: Language) -> Bundle {
    let source = language.source();
    let language = language.tag().parse::<LanguageIdentifier>().unwrap_or_default();
    let mut bundle = Bundle::new_concurrent(vec![language]);
    // Both languages run from left to right, and the marks would stand in attributes.
    bundle.set_use_isolating(false);
    // What could be read is used; a test asserts that all of it can.
    let resource = FluentResource::try_new(source.to_owned()).unwrap_or_else(|(read, _)| read);
    let _ = bundle.add_resource(resource);
    bundle
}

#[cfg(test)]
mod tests;
