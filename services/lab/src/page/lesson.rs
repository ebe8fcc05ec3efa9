//! A lesson before its run: the situation, the request, and the prediction.

use campuscafe_api::order::PlaceOrder;
use maud::{Markup, html};

use super::frame::{Place, page};
use super::question::Knows;
use super::run::pending;
use super::{Case, Reader};

/// The most reservations that a person may predict.
pub(super) const MOST: u64 = 9;

/// The page of a case.
pub(crate) fn lesson(reader: Reader, case: Case) -> String {
    let title = reader.say(&format!("lesson-{}", case.experiment.name));
    let main = html! {
        (situation(reader, case, true))
        (predict(reader, case))
        @if case.request().is_some() { (pending(reader, false)) }
    };
    page(reader, &Place { path: &case.path(), lesson: Some(case) }, &title, &main)
}

/// What the case is about, the other cases of its lesson, and what it sends.
pub(super) fn situation(reader: Reader, case: Case, with_request: bool) -> Markup {
    let order = case.request().filter(|_| with_request);
    html! {
        section class="lesson" {
            header {
                h1 { (reader.say(&format!("lesson-{}", case.experiment.name))) }
                (cases(reader, case))
                p class="lead" { (reader.say(&case.message("trial"))) }
            }
            @if let Some(order) = order { (ticket(reader, &order)) }
        }
    }
}

fn cases(reader: Reader, case: Case) -> Markup {
    let others = (1..=case.experiment.trials.len()).map(|number| Case { number, ..case });
    html! {
        @if case.is_one_of_many() {
            ul class="cases" { @for other in others {
                @let here = (other.number == case.number).then_some("page");
                li { a href=(other.path()) aria-current=[here] { (other.name(reader)) } }
            } }
        }
    }
}

/// The request as a person reads it, and as they can send it.
fn ticket(reader: Reader, order: &PlaceOrder) -> Markup {
    let read = serde_json::to_string_pretty(order).unwrap_or_default();
    let sent = serde_json::to_string(order).unwrap_or_default();
    html! {
        aside class="ticket" {
            h2 { (reader.say("request")) }
            pre class="request" tabindex="0" { code { b { "POST /orders" } "\n" (read) } }
            details {
                summary { (reader.say("request-curl")) }
                pre class="request" tabindex="0" { code {
                    "curl -s localhost:5201/orders -H 'content-type: application/json' -d '" (sent) "'"
                } }
            }
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
