//! What a case is about, and what it asks for.

use campuscafe_api::order::PlaceOrder;
use maud::{Markup, html};

use super::{Case, Reader};

/// What the case is about, the other cases of its lesson, and an order that it sends.
pub(super) fn situation(reader: Reader, case: Case, order: Option<&PlaceOrder>) -> Markup {
    html! {
        section class="lesson" {
            header {
                h1 { (reader.say(&format!("lesson-{}", case.experiment.name))) }
                (cases(reader, case))
                p class="lead" { (reader.say(&case.message("trial"))) }
            }
            @if let Some(order) = order { (ticket(reader, order)) }
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
