//! What a case is about, and what it asks for.

use campuscafe_api::order::PlaceOrder;
use maud::{Markup, html};

use super::{Case, Reader};
use crate::messages::Language;

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
