//! A lesson before its run: the situation, the request, and the prediction.

use campuscafe_api::order::PlaceOrder;
use maud::{Markup, html};

use super::frame::page;
use super::free::free;
use super::question::Knows;
use super::{Case, Reader};
use crate::messages::Language;

/// The most reservations that a person may predict.
pub(super) const MOST: u64 = 9;

/// The page of a case.
pub(crate) fn lesson(reader: Reader, case: Case) -> String {
    if case.is_free() {
        return free(reader, case);
    }
    let title = reader.say(&format!("lesson-{}", case.experiment.name));
    let main = html! {
        (situation(reader, case))
        @if let Some(order) = case.request() { (request(reader.language, &order)) }
        (predict(reader, case))
    };
    page(reader, &case.path(), &title, &main)
}

/// What the case is about, and the other cases of its lesson.
pub(super) fn situation(reader: Reader, case: Case) -> Markup {
    let all = case.experiment.trials.len();
    let number = |number: usize| {
        reader.language.tell("trial-number", &[("number", number.into()), ("all", all.into())])
    };
    html! {
        section class="lesson" { header {
            @if all > 1 { p class="kicker" { (number(case.number)) } }
            h1 { (reader.say(&format!("lesson-{}", case.experiment.name))) }
            p class="lead" { (reader.say(&case.message("trial"))) }
        } }
        @if all > 1 {
            ul class="cases" { @for other in 1..=all {
                @let here = (other == case.number).then_some("page");
                li { a href=(Case { number: other, ..case }.path()) aria-current=[here] { (number(other)) } }
            } }
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
