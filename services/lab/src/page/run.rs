//! A run: while it goes on, what it left behind, and what a person saw of it.

use std::sync::Arc;

use campuscafe_api::inventory::Key;
use campuscafe_api::order::PlaceOrder;
use campuscafe_evidence::diagram::Diagram;
use campuscafe_evidence::log_lines::LogLines;
use campuscafe_evidence::order::Order;
use campuscafe_evidence::order_trace::OrderTrace;
use campuscafe_evidence::waterfall::Waterfall;
use maud::{Markup, html};

use super::counted::counted;
use super::frame::{Place, page};
use super::knows::knows;
use super::outcome::{ledger, links, verdict};
use super::question::{Answers, COMMIT, Question};
use super::situation::situation;
use super::so_far::{SoFar, growing};
use super::{Case, Reader, compare, quiz, script, storm, waterfall, worlds};
use crate::lessons::{Evidence, Finding, Storm};
use crate::view::svg::{self, Shape, Sheet, Words};
use crate::view::voice::Voice;
use crate::view::{diagram, text};

/// A run, as a person looks at it.
pub(crate) struct View<'a> {
    pub(crate) id: &'a str,
    pub(crate) case: Case,
    pub(crate) stage: Stage<'a>,
    pub(crate) answers: Answers,
    /// Where clients send orders, if that is known.
    pub(crate) orders: Option<&'a str>,
    /// Whether it is of one case, of which the page asks its questions.
    pub(crate) asks: bool,
    /// The log lines of each finding.
    pub(crate) lines: &'a [Arc<LogLines>],
    /// What the inventory has decided under the keys of the orders.
    pub(crate) keys: &'a [Key],
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

    /// The message that says what was done for a finding of this number. The trials of two
    /// lanes may be of two lessons.
    fn said_of(&self, number: usize, finding: &Finding, lanes: bool) -> String {
        if lanes { finding.caption.to_owned() } else { self.case_of(number).message("trial") }
    }

    /// What the page asks about the one case that it is of. The quiz asks above the case.
    pub(super) fn questions(&self) -> Vec<&'static Question> {
        if !self.asks || self.answers.quiz.is_some() || self.case.is_free() {
            return Vec::new();
        }
        let seen = self.case.request().map(|_| &COMMIT);
        self.case.questions().iter().copied().chain(seen).collect()
    }

    /// Whether the verdict waits for what a person saw.
    fn asks_about(&self, finding: &Arc<Finding>) -> bool {
        let findings = std::slice::from_ref(finding);
        let waits = |question: &&Question| {
            question.field == COMMIT.field && self.answers.get(question).is_none()
        };
        self.questions().iter().any(waits) && (COMMIT.truth)(findings).is_some()
    }
}

/// How far a run has come.
pub(crate) enum Stage<'a> {
    Running {
        /// Whether an answer is held until a person decides what becomes of it.
        held: bool,
        /// What there is to see of it so far, if there is anything.
        so_far: Option<Growing<'a>>,
    },
    /// The sentence says why.
    Failed(&'a str),
    Ended(&'a [Arc<Finding>]),
}

/// What is under way.
#[derive(Clone, Copy)]
pub(crate) enum Growing<'a> {
    /// One order.
    Order(&'a SoFar),
    /// A storm in both lanes.
    Storm(&'a Storm),
}

/// The page of a run.
pub(crate) fn run(reader: Reader, view: &View<'_>) -> String {
    let path = format!("/runs/{}", view.id);
    let experiment = view.case.experiment;
    let title = view.case.title(reader);
    let compares = !view.asks && worlds::has(experiment);
    let lanes = !view.asks && experiment.compares();
    let is_comparison = !view.asks && experiment.is_comparison();
    let again = match view.answers.quiz {
        Some(quiz) => quiz.path(),
        None if is_comparison => compare::path(experiment),
        None if compares => worlds::path(experiment),
        None => view.case.path(),
    };
    let main = html! {
        @if let Some(quiz) = view.answers.quiz { (quiz::heading(reader, quiz, view.case)) }
        @else if is_comparison { (compare::situation(reader, experiment)) }
        @else if compares { (worlds::situation(reader, experiment)) }
        @else { (situation(reader, view.case, view.order(), view.orders)) }
        @match &view.stage {
            Stage::Running { held, so_far } => (running(reader, view.id, *held, *so_far)),
            Stage::Failed(reason) => section class="card" {
                p { (reader.language.tell("run-failed", &[("reason", (*reason).to_owned().into())])) }
                @if experiment.storm().is_some() { (storm::in_terminal(reader, experiment)) }
            },
            Stage::Ended(findings) => {
                @if let Some(quiz) = view.answers.quiz {
                    (quiz::proven(reader, quiz, &view.answers, findings))
                }
                @if compares { (worlds::compared(reader, experiment, findings)) }
                @if lanes { (compare::compared(reader, experiment, findings, view.keys)) }
                @for ((number, finding), lines) in (1..).zip(*findings).zip(view.lines) {
                    @if view.asks || !view.case.is_one_of_many() { (ended(reader, view, finding, number, lines)) }
                    // Below a comparison there would be much to scroll through.
                    @else { details class="case" open[!compares && !lanes] {
                        summary { (reader.say(&view.said_of(number, finding, lanes))) }
                        (ended(reader, view, finding, number, lines))
                    } }
                }
                @if view.is_answered() { (counted(reader, findings)) }
            },
        }
        @if !matches!(view.stage, Stage::Running { .. }) { p class="actions onward" {
            a class="button" href=(again) { (reader.say("run-again")) }
            @if let (true, false, None, Some(next)) = (view.is_answered(), is_comparison, view.answers.quiz, view.case.next()) {
                a class="button" href=(next.path()) {
                    (reader.say(if next.number > 1 { "next-case" } else { "next-lesson" }))
                }
            }
        } }
    };
    page(reader, &Place { path: &path, lesson: Some(view.case) }, &title, &main)
}

fn running(reader: Reader, id: &str, held: bool, so_far: Option<Growing<'_>>) -> Markup {
    let (status, hint) = match so_far {
        None => (reader.say("running"), "running-hint"),
        Some(Growing::Order(order)) if order.is_answered() => {
            (reader.say("running-answered"), "running-hint")
        }
        Some(Growing::Order(_)) => (reader.say("running-sent"), "running-hint"),
        Some(Growing::Storm(seen)) => (storm::status(reader, seen), "storm-running-hint"),
    };
    html! {
        section class="card running" data-run=(id) data-held=(held)
            data-done=(reader.say("running-done")) {
            @if held {
                (decide(reader, id))
            } @else {
                p role="status" { (status) }
                p class="hint" { (reader.say(hint)) }
                // Without a script the page is asked for again.
                noscript { a class="button" href={ "/runs/" (id) } { (reader.say("reload")) } }
            }
        }
        @match so_far {
            Some(Growing::Order(order)) => (growing(reader, order, held)),
            Some(Growing::Storm(seen)) => (storm::growing(reader, seen)),
            None => (pending(reader, true)),
        }
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

fn ended(
    reader: Reader,
    view: &View<'_>,
    finding: &Arc<Finding>,
    number: usize,
    lines: &LogLines,
) -> Markup {
    match &finding.evidence {
        Evidence::Order(order) => {
            let asks = view.asks_about(finding);
            html! {
                @if !asks { (verdict(reader, view, finding)) }
                (stage(reader, order, number, lines))
                @if asks { (observe(reader, view.id)) }
                @else {
                    (ledger(reader, order))
                    (links(reader, view.id, finding))
                }
            }
        }
        Evidence::Script(played) => html! {
            (verdict(reader, view, finding))
            (script::script(reader, played, number, lines))
            (links(reader, view.id, finding))
        },
        Evidence::Storm(seen) => storm::ended(reader, view, finding, seen, number),
        _ => html! {
            h2 id=(picture_id(number)) { (reader.say("table")) }
            pre class="card table" tabindex="0" { (text::evidence(finding, Voice::plain(reader.language))) }
            (verdict(reader, view, finding))
            (links(reader, view.id, finding))
        },
    }
}

/// What a link names the picture or the table of a finding by.
pub(super) fn picture_id(number: usize) -> String {
    format!("picture-{number}")
}

/// The picture of an order, with the text of the terminal as its text.
fn stage(reader: Reader, order: &Order, number: usize, lines: &LogLines) -> Markup {
    match &order.order_trace {
        Some(order_trace) => picture(reader, order_trace, &order.waterfall, number, lines),
        None => html! { p class="card empty" { (reader.say("no-picture")) } },
    }
}

pub(super) fn picture(
    reader: Reader,
    order_trace: &OrderTrace,
    spans: &Waterfall,
    number: usize,
    lines: &LogLines,
) -> Markup {
    let drawn = Diagram::of(order_trace);
    let words = Words(reader.language);
    let text = diagram::text(order_trace, reader.language);
    // On a page of many pictures each has a name of its own.
    let name = reader.say("picture");
    let label = if number > 1 { format!("{name} {number}") } else { name.to_string() };
    html! {
        h2 id=(picture_id(number)) { (name) }
        section class="stage" aria-label=(label) data-spans=(waterfall::id(number)) {
            figure class="card diagram" {
                @for (name, shape) in [("wide", Shape::Wide), ("narrow", Shape::Narrow)] {
                    @let prefix = format!("{name}-{number}");
                    (svg::draw(&drawn, words, Sheet { prefix: &prefix, text: &text, shape }))
                }
                @let prefix = format!("legend-{number}");
                @if order_trace.crash.is_some() { (svg::legend_of_crash(words, &prefix)) }
                @else if drawn.once { (svg::legend_of_keys(words, &prefix)) }
                @else { (svg::legend(words, &prefix)) }
                (controls(reader, drawn.steps.len()))
            }
            (knows(reader, &drawn))
        }
        (waterfall::waterfall(reader, spans, lines, &drawn, number))
        details class="card" {
            summary { (reader.say("picture-text")) }
            pre class="table" tabindex="0" { (text) }
        }
    }
}

/// Hidden without a script, which alone can use them.
pub(super) fn controls(reader: Reader, steps: usize) -> Markup {
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
            (COMMIT.ask(reader))
            button class="run" type="submit" { (reader.say("observe-send")) }
        }
    }
}
