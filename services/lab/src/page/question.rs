//! What the pages ask, and what the evidence answers.

mod order;
mod script;
mod table;

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

use maud::{Markup, html};

use super::Reader;
use super::quiz::Quiz;
use crate::lessons::{Act, Finding};

pub(super) use order::{COMMIT, sole_order};

/// A question, and how it is judged.
pub(crate) struct Question {
    /// Its field in a form.
    pub(crate) field: &'static str,
    /// The message that asks it.
    pub(super) asks: &'static str,
    pub(super) kind: Kind,
    /// What the evidence of a run answers, if it can.
    pub(super) truth: fn(&[Arc<Finding>]) -> Option<Answer>,
}

/// How a question is answered.
pub(super) enum Kind {
    /// By one of these values; the messages that say them begin with `words`.
    Choice { words: &'static str, values: &'static [&'static str] },
    /// By a number of reservations up to this one.
    Reservations { most: u64 },
}

/// What a person answers, and what the evidence does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Answer {
    Choice(&'static str),
    Reservations(u64),
}

/// What a person has answered so far, by field.
#[derive(Clone, Default)]
pub(crate) struct Answers {
    /// The question of the quiz that the run is to prove. Then it is the only one.
    pub(super) quiz: Option<&'static Quiz>,
    given: BTreeMap<&'static str, Answer>,
}

impl Answers {
    /// Those of a run that is to prove an answer of the quiz.
    pub(crate) fn to(quiz: &'static Quiz) -> Self {
        Self { quiz: Some(quiz), ..Self::default() }
    }

    pub(super) fn get(&self, question: &Question) -> Option<Answer> {
        self.given.get(question.field).copied()
    }

    /// Notes an answer as a form sends it; false if it is none of this question's.
    pub(crate) fn note(&mut self, question: &Question, text: &str) -> bool {
        let answer = question.read(text);
        self.given.extend(answer.map(|answer| (question.field, answer)));
        answer.is_some()
    }
}

impl Question {
    /// What is asked about the picture of a run.
    pub(crate) const fn seen() -> &'static Self {
        &COMMIT
    }

    /// The answer of this text.
    fn read(&self, text: &str) -> Option<Answer> {
        match self.kind {
            Kind::Choice { values, .. } => {
                values.iter().find(|value| **value == text).map(|value| Answer::Choice(value))
            }
            Kind::Reservations { most } => {
                text.parse().ok().filter(|number| *number <= most).map(Answer::Reservations)
            }
        }
    }

    /// An answer in words.
    pub(super) fn say(&self, reader: Reader, answer: Answer) -> Cow<'static, str> {
        match (answer, &self.kind) {
            (Answer::Choice(value), Kind::Choice { words, .. }) => {
                reader.say(&format!("{words}-{value}"))
            }
            (Answer::Choice(value), Kind::Reservations { .. }) => Cow::Borrowed(value),
            (Answer::Reservations(number), _) => {
                reader.language.tell("reservations", &[("count", number.into())])
            }
        }
    }

    /// The question, with what it is answered by.
    pub(super) fn ask(&self, reader: Reader) -> Markup {
        match self.kind {
            Kind::Choice { words, values } => html! {
                fieldset {
                    legend { (reader.say(self.asks)) }
                    div class="chips" { @for value in values {
                        label class="chip" {
                            input type="radio" name=(self.field) value=(value) required;
                            span { (reader.say(&format!("{words}-{value}"))) }
                        }
                    } }
                }
            },
            Kind::Reservations { most } => html! {
                label class="field" {
                    (reader.say(self.asks))
                    input type="number" name=(self.field) min="0" max=(most) required;
                }
            },
        }
    }

    /// Every message that it may need.
    #[cfg(test)]
    pub(super) fn messages(&self) -> Vec<String> {
        let asks = self.asks.to_owned();
        match self.kind {
            Kind::Choice { words, values } => {
                let values = values.iter().map(|value| format!("{words}-{value}"));
                values.chain([asks]).collect()
            }
            Kind::Reservations { .. } => vec![asks, "reservations".to_owned()],
        }
    }
}

/// What is asked before a run of this trial.
pub(super) fn before(act: &Act, experiment: &str) -> &'static [&'static Question] {
    match act {
        Act::Order(..) | Act::Crash(..) => &[&order::KNOWS, &order::RESERVATIONS],
        Act::HeldOrder(..) => &[&order::KNOWS_HELD, &order::RESERVATIONS],
        Act::FreeOrder(_) => &[],
        Act::Script(..) => script::of(experiment),
        _ => table::of(experiment),
    }
}
