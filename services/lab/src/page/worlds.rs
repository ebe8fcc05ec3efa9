//! Runs that differ in fact and look the same to the order service, in one picture.

use std::borrow::Cow;
use std::sync::Arc;

use campuscafe_evidence::diagram::Diagram;
use campuscafe_evidence::local_history::{LocalEvent, LocalHistory};
use campuscafe_evidence::order::Order;
use maud::{Markup, html};

use super::frame::{Place, page, run_form};
use super::situation::cases;
use super::{Case, Reader};
use crate::lessons::{self, Conclusion, Experiment, Finding, SameView};
use crate::messages::Value;
use crate::view::diagram;
use crate::view::events::in_words;
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
        (run_form(reader, ("experiment", experiment), "worlds-predict"))
    };
    let (path, lesson) = (path(experiment), Some(Case { experiment, number: 1 }));
    let place = Place { path: &path, lesson };
    let page = || page(reader, &place, &title(reader, experiment), &main);
    has(experiment).then(page)
}

/// What is compared.
pub(super) fn situation(reader: Reader, experiment: &'static Experiment) -> Markup {
    html! {
        section class="lesson" { header {
            h1 { (Case { experiment, number: 1 }.title(reader)) }
            (cases(reader, experiment, None))
            p class="lead" { (lead(reader, experiment)) }
        } }
    }
}

/// What a run of the whole experiment does.
pub(super) fn lead(reader: Reader, experiment: &Experiment) -> Cow<'static, str> {
    let faults = Value::from(experiment.same_view.join(", "));
    reader.language.tell("worlds-lead", &[("faults", faults)])
}

/// The pictures of the runs that are compared, and what the comparison comes to.
pub(super) fn compared(
    reader: Reader,
    experiment: &Experiment,
    findings: &[Arc<Finding>],
) -> Markup {
    let runs: Vec<_> = lessons::compared(experiment, findings).collect();
    html! {
        @match overlaid(reader, &runs) {
            Some(picture) => (picture),
            None => section class="worlds" {
                @for (fault, order) in &runs { (picture(reader, fault, order)) }
            },
        }
        @if let Some(view) = SameView::of(experiment, findings) {
            (table(reader, &view))
            (conclusion(reader, &view))
        }
        h2 { (reader.say("worlds-each")) }
    }
}

/// All runs in one picture, if the order service has the same steps in each.
fn overlaid(reader: Reader, runs: &[(&str, &Order)]) -> Option<Markup> {
    let words = Words(reader.language);
    let mut worlds = Vec::new();
    for ((fault, order), letter) in runs.iter().zip('A'..) {
        let order_trace = order.order_trace.as_ref()?;
        worlds.push((format!("{letter} {fault}"), *fault, order_trace, Diagram::of(order_trace)));
    }
    let text: Vec<_> = worlds
        .iter()
        .map(|(name, _, order_trace, _)| {
            format!("{name}\n{}", diagram::text(order_trace, reader.language))
        })
        .collect();
    let text = text.join("\n");
    let drawn: Vec<_> =
        worlds.iter().map(|(name, _, _, diagram)| (name.clone(), diagram)).collect();
    let [wide, narrow] = [("wide-worlds", Shape::Wide), ("narrow-worlds", Shape::Narrow)]
        .map(|(prefix, shape)| svg::worlds(&drawn, words, Sheet { prefix, text: &text, shape }));
    let (wide, narrow) = (wide?, narrow?);
    Some(html! {
        figure class="card diagram overlaid" {
            figcaption {
                p { (reader.say("worlds-overlaid")) }
                ul { @for (name, fault, ..) in &worlds {
                    li { strong { (name) } " " (reader.say(&format!("fault-{fault}"))) }
                } }
            }
            (wide) (narrow)
            (svg::legend(words, "worlds"))
        }
        details class="card" {
            summary { (reader.say("picture-text")) }
            pre class="table" tabindex="0" { (text) }
        }
    })
}

fn picture(reader: Reader, fault: &str, order: &Order) -> Markup {
    let words = Words(reader.language);
    html! {
        figure class="card diagram" {
            figcaption { strong { (fault) } " " (reader.say(&format!("fault-{fault}"))) }
            @if let Some(order_trace) = &order.order_trace {
                @let prefix = format!("world-{fault}");
                @let text = diagram::text(order_trace, reader.language);
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
                    th scope="row" { (number + 1) ". " (in_words(reader.language, event)) }
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
    let words = |event: &LocalEvent| in_words(reader.language, event);
    history.events.get(event).map_or_else(|| reader.say("event-none"), words)
}

#[cfg(test)]
mod tests;
