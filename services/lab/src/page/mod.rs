//! The pages of the lab: a person predicts, runs, sees the run drawn from its spans, and
//! says what they saw before the verdict.
//!
//! Pure functions to HTML. Everything works without a script; `page.js` adds what needs
//! one. Nothing of an element stands in an attribute of style or of script, which the
//! policy of the pages forbids.

pub(crate) mod assets;
mod catalogue;
mod command;
mod compare;
mod counted;
mod frame;
mod free;
mod home;
mod keys;
mod knows;
mod lesson;
mod logs;
mod menu;
mod outcome;
mod question;
mod quiz;
mod run;
mod script;
mod situation;
mod so_far;
mod storm;
mod trace;
mod verbatim;
mod waterfall;
mod worlds;

use std::borrow::Cow;

use campuscafe_api::order::PlaceOrder;
use campuscafe_evidence::order::USUAL_ITEM;

use crate::lessons::{ALL, ATTEMPT_TIMEOUT, Act, Experiment, FREE};

pub(crate) use catalogue::catalogue;
pub(crate) use compare::comparison;
pub(crate) use frame::{Reader, message};
pub(crate) use free::{FreeOrder, free};
pub(crate) use home::{Past, home};
pub(crate) use question::{Answers, Question};
pub(crate) use quiz::{Quiz, quiz};
pub(crate) use run::{Growing, Stage, View, run};
pub(crate) use so_far::SoFar;
pub(crate) use storm::NoRoom;
pub(crate) use trace::trace;
pub(crate) use worlds::worlds;

/// The page of a case. Orders are sent to this address.
pub(crate) fn lesson(reader: Reader, case: Case, orders: Option<&str>) -> String {
    if case.is_free() {
        free(reader, case, &FreeOrder::default(), None, None)
    } else {
        lesson::lesson(reader, case, orders)
    }
}

/// Every experiment, and free play after them.
fn every() -> impl Iterator<Item = &'static Experiment> {
    ALL.into_iter().chain([&FREE])
}

/// A case of a lesson: one trial of an experiment, counted from 1.
#[derive(Clone, Copy)]
pub(crate) struct Case {
    pub(crate) experiment: &'static Experiment,
    pub(crate) number: usize,
}

impl Case {
    /// The case of this name and number, if the lab can run it by itself.
    pub(crate) fn find(name: &str, number: usize) -> Option<Self> {
        let experiment =
            every().find(|experiment| experiment.name == name && experiment.runs_in_lab())?;
        (1..=experiment.trials.len()).contains(&number).then_some(Self { experiment, number })
    }

    /// Every lesson of a course, in its order, by its first case.
    pub(crate) fn lessons() -> impl Iterator<Item = Self> {
        every()
            .filter(|experiment| experiment.runs_in_lab())
            .map(|experiment| Self { experiment, number: 1 })
    }

    fn act(self) -> Option<&'static Act> {
        Some(&self.experiment.trials.get(self.number.checked_sub(1)?)?.act)
    }

    /// The order that it sends, if it is one order; the pages ask about such a case.
    fn request(self) -> Option<PlaceOrder> {
        match self.act()? {
            Act::Order(plan, _) => Some(plan.order(USUAL_ITEM, None)),
            Act::HeldOrder(plan, _) | Act::Crash(plan, ..) => {
                Some(plan.order(USUAL_ITEM, Some(ATTEMPT_TIMEOUT)))
            }
            _ => None,
        }
    }

    /// What is asked before its run.
    pub(crate) fn questions(self) -> &'static [&'static Question] {
        self.act().map_or(&[], |act| question::before(act, self.experiment.name))
    }

    /// Whether a person writes its order.
    pub(crate) fn is_free(self) -> bool {
        matches!(self.act(), Some(Act::FreeOrder(_)))
    }

    /// Where the case is shown.
    pub(crate) fn path(self) -> String {
        format!("/lessons/{}/{}", self.experiment.name, self.number)
    }

    /// The case after this one, in the order of the course.
    fn next(self) -> Option<Self> {
        let name = self.experiment.name;
        Self::find(name, self.number + 1)
            .or_else(|| Self::lessons().skip_while(|it| it.experiment.name != name).nth(1))
    }

    fn is_one_of_many(self) -> bool {
        self.experiment.trials.len() > 1
    }

    /// What its lesson is called.
    fn title(self, reader: Reader) -> Cow<'static, str> {
        reader.say(&format!("lesson-{}", self.experiment.name))
    }

    fn name(self, reader: Reader) -> Cow<'static, str> {
        reader.language.tell("trial-number", &[("number", self.number.into())])
    }

    fn message(self, kind: &str) -> String {
        format!("{kind}-{}-{}", self.experiment.name, self.number)
    }
}

#[cfg(test)]
mod tests;
