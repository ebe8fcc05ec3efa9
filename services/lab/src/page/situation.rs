//! What a case is about, and what it asks for.

use std::borrow::Cow;

use campuscafe_api::order::PlaceOrder;
use maud::{Markup, html};

use super::{Case, Reader, worlds};
use crate::lessons::Experiment;
use crate::messages::Language;

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

/// The request, and the same with curl.
pub(super) fn request(language: Language, order: &PlaceOrder) -> Markup {
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
