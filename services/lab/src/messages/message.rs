//! What is to be said, in no language yet.

use std::borrow::Cow;
use std::time::Duration;

use campuscafe_service::seconds;

use super::Language;

/// A message and its values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Message {
    pub(super) id: Cow<'static, str>,
    pub(super) values: Vec<(&'static str, Value)>,
}

impl Message {
    /// The message with this id.
    pub(crate) fn new(id: impl Into<Cow<'static, str>>) -> Self {
        Self { id: id.into(), values: Vec::new() }
    }

    /// The same with one more value.
    pub(crate) fn with(mut self, name: &'static str, value: impl Into<Value>) -> Self {
        self.values.push((name, value.into()));
        self
    }

    /// This sentence and the next one.
    pub(crate) fn and(self, next: Self) -> Self {
        Self::new("two-sentences").with("first", self).with("second", next)
    }
}

/// A value that stands in a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Value {
    Number(u64),
    Text(String),
    Message(Message),
    /// Messages with what stands between two of them.
    List(Vec<Message>, &'static str),
}

impl Value {
    /// What it says in a language.
    pub(crate) fn in_words(&self, language: Language) -> Cow<'_, str> {
        match self {
            Self::Number(number) => number.to_string().into(),
            Self::Text(text) => text.into(),
            Self::Message(message) => language.put(message),
            Self::List(messages, between) => {
                let all: Vec<_> = messages.iter().map(|one| language.put(one)).collect();
                all.join(&language.say(between)).into()
            }
        }
    }
}

impl From<u64> for Value {
    fn from(number: u64) -> Self {
        Self::Number(number)
    }
}

impl From<u32> for Value {
    fn from(number: u32) -> Self {
        Self::Number(number.into())
    }
}

impl From<usize> for Value {
    fn from(number: usize) -> Self {
        Self::Number(number as u64)
    }
}

/// A number and its unit are joined by a no-break space.
impl From<Duration> for Value {
    fn from(time: Duration) -> Self {
        Self::Text(seconds(time).replace(' ', "\u{a0}"))
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<Cow<'static, str>> for Value {
    fn from(text: Cow<'static, str>) -> Self {
        Self::Text(text.into_owned())
    }
}

impl From<Message> for Value {
    fn from(message: Message) -> Self {
        Self::Message(message)
    }
}
