//! Runs that differ in fact and look the same to the order service, side by side.

use std::borrow::Cow;
use std::sync::Arc;

use campuscafe_evidence::diagram::{Content, Diagram};
use campuscafe_evidence::local_history::{LocalEvent, LocalHistory};
use campuscafe_evidence::order::Order;
use maud::{Markup, html};

use super::frame::{Place, page};
use super::situation::cases;
use super::{Case, Reader};
use crate::lessons::{self, Conclusion, Experiment, Finding, SameView};
use crate::messages::Value;
use crate::printable::printable;
use crate::view::diagram;
use crate::view::svg::{self, Shape, Sheet, Words};

/// Whether an experiment has runs that must look the same.
pub(super) fn has(experiment: &Experiment) -> bool {
    !experiment.same_view.is_empty()
}

/// Where its worlds are shown.
pub(super) fn path(experiment: &Experiment) -> String {
    format!("/lessons/{}/worlds", experiment.name)
}

pub(super) fn title(reader: Reader, experiment: &Experiment) -> Cow<'static, str> {
    reader.language.tell("worlds-title", &[("count", experiment.same_view.len().into())])
}

/// The page that begins a run of the whole experiment, if it has worlds.
pub(crate) fn worlds(reader: Reader, experiment: &'static Experiment) -> Option<String> {
    let main = html! {
        (situation(reader, experiment))
        form class="card predict" method="post" action="/runs" {
            input type="hidden" name="experiment" value=(experiment.name);
            p { (reader.say("worlds-predict")) }
            button class="run" type="submit" { (reader.say("run")) }
        }
    };
    let (path, lesson) = (path(experiment), Some(Case { experiment, number: 1 }));
    let place = Place { path: &path, lesson };
    let page = || page(reader, &place, &title(reader, experiment), &main);
    has(experiment).then(page)
}

/// What is compared.
pub(super) fn situation(reader: Reader, experiment: &'static Experiment) -> Markup {
    let faults = Value::from(experiment.same_view.join(", "));
    html! {
        section class="lesson" { header {
            h1 { (reader.say(&format!("lesson-{}", experiment.name))) }
            (cases(reader, experiment, None))
            p class="lead" { (reader.language.tell("worlds-lead", &[("faults", faults)])) }
        } }
    }
}

/// The pictures of the runs that are compared, and what the comparison comes to.
pub(super) fn compared(
    reader: Reader,
    experiment: &Experiment,
    findings: &[Arc<Finding>],
) -> Markup {
    html! {
        section class="worlds" {
            @for (fault, order) in lessons::compared(experiment, findings) {
                (picture(reader, fault, order))
            }
        }
        @if let Some(view) = SameView::of(experiment, findings) {
            (table(reader, &view))
            (conclusion(reader, &view))
        }
        h2 { (reader.say("worlds-each")) }
    }
}

fn picture(reader: Reader, fault: &str, order: &Order) -> Markup {
    let words = Words(reader.language);
    html! {
        figure class="card diagram" {
            figcaption { strong { (fault) } " " (reader.say(&format!("fault-{fault}"))) }
            @if let Some(order_trace) = &order.order_trace {
                @let prefix = format!("world-{fault}");
                @let text = diagram::text(order_trace);
                @let sheet = Sheet { prefix: &prefix, text: &text, shape: Shape::Narrow };
                (svg::draw(&Diagram::of(order_trace), words, sheet))
            } @else {
                p class="empty" { (reader.say("no-picture")) }
            }
        }
    }
}

/// The events that all runs have in common, and the first by which they differ, with the
/// times of each.
fn table(reader: Reader, view: &SameView) -> Markup {
    let longest = view.known().into_iter().max_by_key(|history| history.events.len());
    let events = longest.map_or(&[][..], |history| &history.events);
    let common = events.get(..view.first_difference().unwrap_or(events.len())).unwrap_or(events);
    html! {
        div class="scroll" { table class="sides" {
            thead { tr {
                th scope="col" { (reader.say("worlds-saw")) }
                @for (fault, _) in &view.runs { th scope="col" { (fault) } }
            } }
            tbody {
                @for (number, event) in common.iter().enumerate() { tr {
                    th scope="row" { (number + 1) ". " (in_words(reader, event)) }
                    @for (fault, history) in &view.runs {
                        td data-head=(fault) { (time(reader, history.as_ref(), number)) }
                    }
                } }
            }
        } }
    }
}

fn time(reader: Reader, history: Option<&LocalHistory>, event: usize) -> String {
    let ms = history.and_then(|history| history.times_ms.get(event));
    ms.map_or_else(|| "?".to_owned(), |ms| Words(reader.language).moment(*ms))
}

/// Whether the order service can tell the runs apart.
fn conclusion(reader: Reader, view: &SameView) -> Markup {
    let tell = |id: &str, values: &[(&'static str, Value)]| reader.language.tell(id, values);
    let events = view.known().first().map_or(0, |history| history.events.len());
    html! {
        @match (view.conclusion(), view.first_difference()) {
            (Conclusion::Shown, _) => section class="verdict" {
                p { (tell("worlds-same", &[("runs", view.runs.len().into()), ("events", events.into())])) }
                p class="why" { (reader.say("worlds-times")) }
            },
            (_, Some(event)) => section class="verdict doubled" {
                p { (tell("worlds-differ", &[("number", (event + 1).into())])) }
                ul class="why" { @for (fault, history) in &view.runs {
                    li { (fault) ": " (at(reader, history.as_ref(), event)) }
                } }
            },
            _ => section class="verdict unknown" {
                p { (tell("worlds-lost", &[("faults", view.unknown().join(", ").into())])) }
            },
        }
    }
}

/// What a run has in the place where the runs differ.
fn at(reader: Reader, history: Option<&LocalHistory>, event: usize) -> Cow<'static, str> {
    let Some(history) = history else { return Cow::Borrowed("?") };
    let words = |event: &LocalEvent| in_words(reader, event);
    history.events.get(event).map_or_else(|| reader.say("event-none"), words)
}

/// An event in words, from the side of the party whose event it is.
fn in_words(reader: Reader, event: &LocalEvent) -> Cow<'static, str> {
    let tell = |id: &str, values: &[(&'static str, Value)]| reader.language.tell(id, values);
    let number = |attempt: &u32| ("number", Value::from(u64::from(*attempt)));
    let words = Words(reader.language);
    let message = |content: &Content| ("outcome", Value::from(words.message(content)));
    match event {
        LocalEvent::Received(Content::Order) => tell("event-order", &[]),
        LocalEvent::Sent(Content::Attempt(attempt)) => tell("event-attempt", &[number(attempt)]),
        LocalEvent::Received(Content::Answer { attempt, status }) => {
            let status = ("status", Value::from(status.to_string()));
            tell("event-answer", &[number(attempt), status])
        }
        LocalEvent::NoAnswer { attempt, reason } => {
            let reason = ("reason", Value::from(words.given_up(reason)));
            tell("event-no-answer", &[number(attempt), reason])
        }
        LocalEvent::Sent(told @ Content::Outcome { .. }) => tell("event-told", &[message(told)]),
        LocalEvent::Received(told @ Content::Outcome { .. }) => tell("know-told", &[message(told)]),
        LocalEvent::Sent(Content::Order) => tell("know-asked", &[]),
        LocalEvent::Received(Content::Attempt(attempt)) => tell("know-works", &[number(attempt)]),
        LocalEvent::Sent(Content::Answer { attempt, .. }) => {
            tell("know-answer-sent", &[number(attempt)])
        }
        LocalEvent::Fault { fault, .. } => Cow::Owned(printable(fault).into_owned()),
        LocalEvent::Committed { attempt, duplicate: false, .. } => {
            tell("know-committed", &[number(attempt)])
        }
        LocalEvent::Committed { attempt, .. } => tell("know-committed-again", &[number(attempt)]),
        LocalEvent::Cut(attempt) => tell("know-answer-cut", &[number(attempt)]),
        LocalEvent::CallerLeft(attempt) => tell("know-caller-left", &[number(attempt)]),
        LocalEvent::AnswerDropped(attempt) => tell("know-nobody-left", &[number(attempt)]),
    }
}

#[cfg(test)]
mod tests;
