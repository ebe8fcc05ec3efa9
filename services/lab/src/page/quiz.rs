//! The quiz: a question of the course, answered first, and then proven by a run.

use std::collections::BTreeSet;
use std::sync::Arc;

use campuscafe_api::order::AttemptResult;
use campuscafe_evidence::order::Order;
use maud::{Markup, html};

use super::frame::{Place, page};
use super::outcome::{class_of, compared};
use super::question::{Answer, Kind, Question, sole_order};
use super::{Answers, Case, Reader, worlds};
use crate::lessons::{Conclusion, Evidence, Finding};
use crate::messages::Value;

/// Where the quiz is.
pub(super) const PATH: &str = "/quiz";

/// A question of the quiz, and the run that proves its answer.
///
/// Its messages are `quiz-`, which asks; `proof-`, the figures of the run; `because-`, what
/// they teach; and `unproven-`, if the run cannot answer. Each ends with its name.
pub(crate) struct Quiz {
    pub(super) name: &'static str,
    pub(crate) experiment: &'static str,
    /// Only this case; without it, the whole experiment.
    pub(crate) trial: Option<usize>,
    pub(crate) question: Question,
    /// The answer that the course teaches.
    teaches: &'static str,
    /// The values of the figures.
    figures: fn(&[Arc<Finding>]) -> Figures,
}

/// What a run came to, for a message.
type Figures = Vec<(&'static str, Value)>;

/// The field of every question: a form asks one.
const FIELD: &str = "choice";

static TIMEOUT: Quiz = Quiz {
    name: "timeout",
    experiment: "slow",
    trial: None,
    question: Question {
        field: FIELD,
        asks: "quiz-timeout",
        kind: Kind::Choice { words: "timeout", values: &["failed", "reserved", "unknown"] },
        truth: |findings| tells(findings, AttemptResult::Timeout),
    },
    teaches: "unknown",
    figures: |findings| ends(findings, AttemptResult::Timeout),
};

static RETRY: Quiz = Quiz {
    name: "retry",
    experiment: "double",
    trial: Some(2),
    question: Question {
        field: FIELD,
        asks: "quiz-retry",
        kind: Kind::Choice { words: "resent", values: &["once", "twice", "refused"] },
        truth: |findings| resent(sole_order(findings)?),
    },
    teaches: "twice",
    figures: |findings| sole_order(findings).map(made).unwrap_or_default(),
};

static REORDER: Quiz = Quiz {
    name: "reorder",
    experiment: "nature",
    trial: Some(1),
    question: Question {
        field: FIELD,
        asks: "quiz-reorder",
        kind: Kind::Choice { words: "overtaking", values: &["bug", "nature"] },
        truth: |findings| {
            let Evidence::Rounds(rounds) = &findings.first()?.evidence else { return None };
            (rounds.reordered() > 0).then_some(Answer::Choice("nature"))
        },
    },
    teaches: "nature",
    figures: overtaken,
};

static CUT: Quiz = Quiz {
    name: "cut",
    experiment: "cut",
    trial: None,
    question: Question {
        field: FIELD,
        asks: "quiz-cut",
        kind: Kind::Choice { words: "broken", values: &["failed", "reserved", "unknown"] },
        truth: |findings| tells(findings, AttemptResult::ConnectionLost),
    },
    teaches: "unknown",
    figures: |findings| ends(findings, AttemptResult::ConnectionLost),
};

/// Every question, in its order.
pub(super) static ALL: [&Quiz; 4] = [&TIMEOUT, &RETRY, &REORDER, &CUT];

impl Quiz {
    /// The question of this name.
    pub(crate) fn find(name: &str) -> Option<&'static Self> {
        ALL.into_iter().find(|quiz| quiz.name == name)
    }

    fn message(&self, kind: &str) -> String {
        format!("{kind}-{}", self.name)
    }

    /// Where it is asked.
    pub(super) fn path(&self) -> String {
        format!("{PATH}#{}", self.name)
    }

    fn next(&self) -> Option<&'static Self> {
        ALL.into_iter().skip_while(|quiz| quiz.name != self.name).nth(1)
    }

    fn case(&self) -> Option<Case> {
        Case::find(self.experiment, self.trial.unwrap_or(1))
    }

    /// Every message that it may need.
    #[cfg(test)]
    pub(super) fn messages(&self) -> Vec<String> {
        let own = ["proof", "because", "unproven"].map(|kind| self.message(kind));
        self.question.messages().into_iter().chain(own).collect()
    }
}

/// The page of all questions. It names no lesson, since the name of a lesson tells an answer.
pub(crate) fn quiz(reader: Reader) -> String {
    let title = reader.say("quiz-title");
    let main = html! {
        section class="lesson" { header {
            h1 { (title) }
            p class="lead" { (reader.say("quiz-lead")) }
        } }
        ol class="quiz" { @for quiz in ALL { (asked(reader, quiz)) } }
    };
    page(reader, &Place { path: PATH, lesson: None }, &title, &main)
}

fn asked(reader: Reader, quiz: &Quiz) -> Markup {
    html! {
        li class="card" id=(quiz.name) {
            form method="post" action=(PATH) {
                input type="hidden" name="question" value=(quiz.name);
                (quiz.question.ask(reader))
                p class="actions" {
                    button class="run" type="submit" { (reader.say("quiz-run")) }
                }
            }
        }
    }
}

/// What stands above the run that is to prove an answer.
pub(super) fn heading(reader: Reader, quiz: &Quiz, case: Case) -> Markup {
    let lead = match quiz.trial {
        Some(_) => reader.say(&case.message("trial")),
        None => worlds::lead(reader, case.experiment),
    };
    html! {
        section class="lesson" { header {
            p class="hint" { a href=(quiz.path()) { (reader.say("quiz-title")) } }
            h1 { (reader.say(quiz.question.asks)) }
            p class="lead" { (lead) }
        } }
    }
}

/// The answer beside what the run showed.
pub(super) fn proven(
    reader: Reader,
    quiz: &'static Quiz,
    answers: &Answers,
    findings: &[Arc<Finding>],
) -> Markup {
    let truth = (quiz.question.truth)(findings);
    let worst = findings.iter().map(|finding| finding.verdict.conclusion).max();
    let conclusion = match (truth, worst) {
        (Some(_), _) => Conclusion::Shown,
        (None, Some(Conclusion::Incomplete)) => Conclusion::Incomplete,
        (None, _) => Conclusion::NotShown,
    };
    let figures = (quiz.figures)(findings);
    html! {
        section class={ (class_of(conclusion)) " proof" } {
            h2 { (reader.say("quiz-shown")) }
            (compared(reader, &[&quiz.question], answers, findings))
            @if !figures.is_empty() {
                p class="lead" { (reader.language.tell(&quiz.message("proof"), &figures)) }
            }
            @match (truth, conclusion) {
                (Some(Answer::Choice(value)), _) if value == quiz.teaches => {
                    p class="why" { (reader.say(&quiz.message("because"))) }
                }
                (Some(_), _) => {}
                (None, Conclusion::Incomplete) => p class="why" { (reader.say("verdict-incomplete")) },
                (None, _) => {
                    p class="lead" { (reader.say("verdict-not-shown")) }
                    p class="why" { (reader.say(&quiz.message("unproven"))) }
                }
            }
            p class="actions" {
                a class="button" href="#picture-1" { (reader.say("quiz-picture")) }
                @if let Some(next) = quiz.next() {
                    a class="button" href=(next.path()) { (reader.say("quiz-next")) }
                }
            }
            @if let Some(case) = quiz.case() {
                p class="hint" {
                    (reader.say("quiz-proven-by")) " "
                    a href=(case.path()) { (reader.say(&format!("lesson-{}", quiz.experiment))) }
                }
            }
        }
    }
}

/// The orders whose only attempt ended like this.
fn ended(findings: &[Arc<Finding>], result: AttemptResult) -> Vec<&Order> {
    let orders = findings.iter().filter_map(|finding| match &finding.evidence {
        Evidence::Order(order) => Some(&**order),
        _ => None,
    });
    let ended = |order: &&Order| matches!(&order.response.report.attempts[..], [one] if one.result == result);
    orders.filter(ended).collect()
}

/// Whether such an end tells what the inventory did: not if it reserved for one order and
/// not for another.
fn tells(findings: &[Arc<Finding>], result: AttemptResult) -> Option<Answer> {
    let orders = ended(findings, result);
    if orders.iter().any(|order| order.complete_story().is_none()) {
        return None;
    }
    let reserved: BTreeSet<_> = orders.iter().map(|order| order.ledger.reservations > 0).collect();
    Some(Answer::Choice(match (reserved.contains(&true), reserved.contains(&false)) {
        (true, true) => "unknown",
        (true, false) => "reserved",
        (false, true) => "failed",
        (false, false) => return None,
    }))
}

fn ends(findings: &[Arc<Finding>], result: AttemptResult) -> Figures {
    let orders = ended(findings, result);
    let reserved = orders.iter().filter(|order| order.ledger.reservations > 0).count();
    vec![
        ("orders", orders.len().into()),
        ("reserved", reserved.into()),
        ("rest", (orders.len() - reserved).into()),
    ]
}

/// What the inventory made of an order that was sent again.
fn resent(order: &Order) -> Option<Answer> {
    order.complete_story()?;
    if order.response.report.attempts.len() < 2 {
        return None;
    }
    Some(Answer::Choice(match order.ledger.reservations {
        0 => "refused",
        1 => "once",
        _ => "twice",
    }))
}

fn made(order: &Order) -> Figures {
    vec![
        ("attempts", order.response.report.attempts.len().into()),
        ("made", order.ledger.reservations.into()),
        ("known", order.ledger.known.into()),
    ]
}

fn overtaken(findings: &[Arc<Finding>]) -> Figures {
    let [finding] = findings else { return Vec::new() };
    let Evidence::Rounds(rounds) = &finding.evidence else { return Vec::new() };
    vec![
        ("reordered", rounds.reordered().into()),
        ("rounds", rounds.inversions.len().into()),
        ("pairs", rounds.inversions.iter().sum::<u64>().into()),
    ]
}

#[cfg(test)]
mod tests;
