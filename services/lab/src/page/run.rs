//! A run: while it goes on, what it left behind, and what a person saw of it.

use std::sync::Arc;

use campuscafe_api::order::PlaceOrder;
use campuscafe_evidence::diagram::Diagram;
use campuscafe_evidence::order::Order;
use maud::{Markup, html};

use super::frame::{Place, page};
use super::knows::knows;
use super::outcome::{ledger, links, told, verdict};
use super::question::{Answers, LastCommit};
use super::situation::situation;
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

impl View<'_> {
    /// Whether there is nothing left to ask.
    fn is_answered(&self) -> bool {
        let Stage::Ended(findings) = &self.stage else { return false };
        !findings.iter().any(|finding| self.asks_about(finding))
    }

    /// The order that a person wrote, when it is answered.
    fn order(&self) -> Option<&PlaceOrder> {
        let Stage::Ended([finding]) = &self.stage else { return None };
        match &finding.evidence {
            Evidence::Order(order) if self.case.is_free() => Some(&order.request),
            _ => None,
        }
    }

    /// The case of a finding of this number.
    fn case_of(&self, number: usize) -> Case {
        if self.asks { self.case } else { Case { number, ..self.case } }
    }

    /// Whether the verdict waits for what a person saw.
    fn asks_about(&self, finding: &Finding) -> bool {
        let can_be_seen =
            matches!(&finding.evidence, Evidence::Order(order) if LastCommit::of(order).is_some());
        self.asks && !self.case.is_free() && self.answers.commit.is_none() && can_be_seen
    }
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
        @else { (situation(reader, view.case, view.order())) }
        @match &view.stage {
            Stage::Running { held } => (running(reader, view.id, *held)),
            Stage::Failed(reason) => section class="card" {
                p { (reader.language.tell("run-failed", &[("reason", (*reason).to_owned().into())])) }
            },
            Stage::Ended(findings) => {
                @if compares { (worlds::compared(reader, experiment, findings)) }
                @for (number, finding) in (1..).zip(*findings) {
                    @if !view.asks {
                        p class="lead" { (reader.say(&view.case_of(number).message("trial"))) }
                    }
                    (ended(reader, view, finding, number))
                }
            },
        }
        @if !matches!(view.stage, Stage::Running { .. }) { p class="actions onward" {
            a class="button" href=(again) { (reader.say("run-again")) }
            @if let (true, Some(next)) = (view.is_answered(), view.case.next()) {
                a class="button" href=(next.path()) {
                    (reader.say(if next.number > 1 { "next-case" } else { "next-lesson" }))
                }
            }
        } }
    };
    page(reader, &Place { path: &path, lesson: Some(view.case) }, &title, &main)
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
        (pending(reader, true))
    }
}

/// The place of a picture before there is one.
pub(super) fn pending(reader: Reader, busy: bool) -> Markup {
    let words = Words(reader.language);
    html! {
        section class="pending" aria-hidden="true" data-busy=[busy.then_some("")] {
            div class="card diagram" {
                (svg::lanes_only(words, Shape::Wide))
                (svg::lanes_only(words, Shape::Narrow))
            }
            div class="card know" {
                header { p class="h2" { (reader.say("knows")) } }
                @for lane in ["lane-customer", "lane-order", "lane-inventory"] {
                    div class="who" {
                        p class="h3" { (reader.say(lane)) }
                        // During a run they know something, and the page does not know what.
                        p { @if busy { "…" } @else { (reader.say("know-nothing-yet")) } }
                    }
                }
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
        Evidence::Order(order) => {
            let asks = view.asks_about(finding);
            html! {
                @if !asks { (verdict(reader, view, view.case_of(number), finding, order)) }
                (stage(reader, order, number))
                @if asks { (observe(reader, view.id)) }
                @else {
                    (ledger(reader, order))
                    (links(reader, view.id, finding))
                }
            }
        }
        _ => html! {
            h2 { (reader.say("table")) }
            pre class="card table" tabindex="0" { (text::plain_evidence(finding)) }
            (told(reader, finding))
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
    // On a page of many pictures each has a name of its own.
    let name = reader.say("picture");
    let label = if number > 1 { format!("{name} {number}") } else { name.to_string() };
    html! {
        h2 { (name) }
        section class="stage" aria-label=(label) data-spans=(waterfall::id(number)) {
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
