//! A run: while it goes on, what it left behind, and what a person saw of it.

use std::sync::Arc;

use campuscafe_evidence::diagram::Diagram;
use campuscafe_evidence::order::Order;
use maud::{Markup, html};

use super::frame::page;
use super::knows::knows;
use super::outcome::{conclusion, links, outcome};
use super::question::{Answers, LastCommit};
use super::situation::{request, situation};
use super::{Case, Reader, waterfall, worlds};
use crate::lessons::{Evidence, Finding};
use crate::view::svg::{self, Shape, Sheet, Words};
use crate::view::{diagram, text};

/// A run, as a person looks at it.
pub(crate) struct View<'a> {
    pub(crate) id: &'a str,
    pub(crate) case: Case,
    pub(crate) stage: Stage<'a>,
    pub(crate) answers: Answers,
    /// Whether it is of one case, of which the page asks its questions.
    pub(crate) asks: bool,
}

/// How far a run has come.
pub(crate) enum Stage<'a> {
    Running {
        /// Whether an answer is held until a person decides what becomes of it.
        held: bool,
    },
    /// The sentence says why.
    Failed(&'a str),
    Ended(&'a [Arc<Finding>]),
}

/// The page of a run.
pub(crate) fn run(reader: Reader, view: &View<'_>) -> String {
    let path = format!("/runs/{}", view.id);
    let experiment = view.case.experiment;
    let title = reader.say(&format!("lesson-{}", experiment.name));
    let compares = !view.asks && worlds::has(experiment);
    let again = if compares { worlds::path(experiment) } else { view.case.path() };
    let main = html! {
        @if compares { (worlds::situation(reader, experiment)) }
        @else { (situation(reader, view.case)) }
        @match &view.stage {
            Stage::Running { held } => (running(reader, view.id, *held)),
            Stage::Failed(reason) => section class="card" {
                p { (reader.language.tell("run-failed", &[("reason", (*reason).to_owned().into())])) }
            },
            Stage::Ended(findings) => {
                @if compares { (worlds::compared(reader, experiment, findings)) }
                @for (number, finding) in (1..).zip(*findings) {
                    @if !view.asks {
                        p class="lead" { (reader.say(&Case { number, ..view.case }.message("trial"))) }
                    }
                    (ended(reader, view, finding, number))
                }
            },
        }
        p class="links" { a class="button" href=(again) { (reader.say("run-again")) } }
    };
    page(reader, &path, &title, &main)
}

fn running(reader: Reader, id: &str, held: bool) -> Markup {
    html! {
        section class="card running" data-run=(id) data-held=(held) {
            @if held {
                (decide(reader, id))
            } @else {
                p role="status" { (reader.say("running")) }
                p class="hint" { (reader.say("running-hint")) }
                // Without a script the page is asked for again.
                noscript { a class="button" href={ "/runs/" (id) } { (reader.say("reload")) } }
            }
        }
    }
}

fn decide(reader: Reader, id: &str) -> Markup {
    html! {
        form class="doubt" method="post" action={ "/runs/" (id) "/decision" } {
            p { (reader.say("held-question")) }
            div class="actions" {
                @for decision in ["release", "cut", "wait"] {
                    button name="decision" value=(decision) { (reader.say(&format!("held-{decision}"))) }
                }
            }
        }
    }
}

fn ended(reader: Reader, view: &View<'_>, finding: &Finding, number: usize) -> Markup {
    match &finding.evidence {
        Evidence::Order(order) => html! {
            @if view.case.is_free() { (request(reader.language, &order.request)) }
            (stage(reader, order, number))
            @if view.asks && !view.case.is_free() && view.answers.commit.is_none() && LastCommit::of(order).is_some() {
                (observe(reader, view.id))
            } @else {
                (outcome(reader, view, finding, order))
            }
        },
        _ => html! {
            h2 { (reader.say("table")) }
            pre class="card table" tabindex="0" { (text::plain_evidence(finding)) }
            (conclusion(reader, finding))
            (links(reader, view.id, finding))
        },
    }
}

/// The picture of an order, with the text of the terminal as its text.
fn stage(reader: Reader, order: &Order, number: usize) -> Markup {
    let Some(order_trace) = &order.order_trace else {
        return html! { p class="card empty" { (reader.say("no-picture")) } };
    };
    let drawn = Diagram::of(order_trace);
    let words = Words(reader.language);
    let text = diagram::text(order_trace);
    html! {
        h2 { (reader.say("picture")) }
        section class="stage" aria-label=(reader.say("picture")) data-spans=(waterfall::id(number)) {
            figure class="card diagram" {
                @for (name, shape) in [("wide", Shape::Wide), ("narrow", Shape::Narrow)] {
                    @let prefix = format!("{name}-{number}");
                    (svg::draw(&drawn, words, Sheet { prefix: &prefix, text: &text, shape }))
                }
                (svg::legend(words, &format!("legend-{number}")))
                (controls(reader, drawn.steps.len()))
            }
            (knows(reader, &drawn))
        }
        (waterfall::waterfall(reader, &order.waterfall, &drawn, number))
        details class="card" {
            summary { (reader.say("picture-text")) }
            pre class="table" tabindex="0" { (text) }
        }
    }
}

/// Hidden without a script, which alone can use them.
fn controls(reader: Reader, steps: usize) -> Markup {
    let said = reader.language.tell("step", &[("number", 0_u64.into()), ("all", steps.into())]);
    html! {
        div class="steps" hidden {
            button type="button" { (reader.say("step-back")) }
            button type="button" { (reader.say("step-next")) }
            input type="range" min="0" max=(steps.saturating_sub(1)) aria-label=(said) data-said=(said);
            output {}
        }
    }
}

fn observe(reader: Reader, id: &str) -> Markup {
    html! {
        h2 { (reader.say("observe")) }
        form class="card predict" method="post" action={ "/runs/" (id) "/observation" } {
            fieldset {
                legend { (reader.say("observe-commit")) }
                div class="chips" { @for commit in LastCommit::ALL {
                    label class="chip" {
                        input type="radio" name="commit" value=(commit.as_str()) required;
                        span { (reader.say(&format!("commit-{}", commit.as_str()))) }
                    }
                } }
            }
            button class="run" type="submit" { (reader.say("observe-send")) }
        }
    }
}
