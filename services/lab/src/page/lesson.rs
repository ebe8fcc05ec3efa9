//! A lesson before its run: the situation, the request, and the prediction.

use std::borrow::Cow;

use campuscafe_api::order::PlaceOrder;
use maud::{Markup, html};

use super::frame::page;
use super::question::Knows;
use super::{Case, Reader, worlds};
use crate::lessons::Experiment;
use crate::messages::Language;

/// The most reservations that a person may predict.
pub(super) const MOST: u64 = 9;

/// The page of a case.
pub(crate) fn lesson(reader: Reader, case: Case) -> String {
    let title = reader.say(&format!("lesson-{}", case.experiment.name));
    let main = html! {
        (situation(reader, case))
        @if let Some(order) = case.request() { (body(reader.language, &order)) }
        (predict(reader, case))
    };
    page(reader, &case.path(), &title, &main)
}

/// What the case is about, and the other cases of its lesson.
pub(super) fn situation(reader: Reader, case: Case) -> Markup {
    html! {
        section class="lesson" { header {
            @if case.experiment.trials.len() > 1 { p class="kicker" { (number(reader, case)) } }
            h1 { (reader.say(&format!("lesson-{}", case.experiment.name))) }
            p class="lead" { (reader.say(&case.message("trial"))) }
        } }
        (cases(reader, case.experiment, Some(case.number)))
    }
}

fn number(reader: Reader, case: Case) -> Cow<'static, str> {
    let all = case.experiment.trials.len();
    reader.language.tell("trial-number", &[("number", case.number.into()), ("all", all.into())])
}

/// The cases of a lesson, if there are several, and its worlds, if it has any. The one that
/// is shown has this number; the worlds have none.
pub(super) fn cases(
    reader: Reader,
    experiment: &'static Experiment,
    shown: Option<usize>,
) -> Markup {
    let all = experiment.trials.len();
    let here = |entry| (entry == shown).then_some("page");
    html! {
        @if all > 1 {
            ul class="cases" {
                @for case in (1..=all).map(|number| Case { experiment, number }) {
                    li { a href=(case.path()) aria-current=[here(Some(case.number))] {
                        (number(reader, case))
                    } }
                }
                @if worlds::has(experiment) {
                    li { a href=(worlds::path(experiment)) aria-current=[here(None)] {
                        (worlds::title(reader, experiment))
                    } }
                }
            }
        }
    }
}

fn body(language: Language, order: &PlaceOrder) -> Markup {
    let body = serde_json::to_string(order).unwrap_or_default();
    html! {
        h2 { (language.say("request")) }
        pre class="request" tabindex="0" { code { "POST /orders\n" (body) } }
        details class="card" {
            summary { (language.say("request-curl")) }
            pre class="request" tabindex="0" { code {
                "curl -s localhost:5201/orders -H 'content-type: application/json' -d '" (body) "'"
            } }
        }
    }
}

/// The form that begins a run. A lesson that is told as a table has no question.
fn predict(reader: Reader, case: Case) -> Markup {
    let say = |id: &str| reader.say(id);
    let held = case.holds();
    html! {
        @if case.request().is_some() { h2 { (say("predict")) } }
        form class="card predict" method="post" action="/runs" {
            input type="hidden" name="experiment" value=(case.experiment.name);
            input type="hidden" name="trial" value=(case.number);
            @if case.request().is_some() {
                fieldset {
                    legend { (say(if held { "predict-knows-held" } else { "predict-knows" })) }
                    div class="chips" { @for knows in Knows::ALL {
                        label class="chip" {
                            input type="radio" name="knows" value=(knows.as_str()) required;
                            span { (say(&format!("knows-{}", knows.as_str()))) }
                        }
                    } }
                }
                label class="field" {
                    (say("predict-reservations"))
                    input type="number" name="reservations" min="0" max=(MOST) required;
                }
            } @else {
                p { (say("run-only")) }
            }
            button class="run" type="submit" { (say("run")) }
        }
    }
}
