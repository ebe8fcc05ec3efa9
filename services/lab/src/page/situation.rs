//! What a case is about, and what it asks for.

use campuscafe_api::order::PlaceOrder;
use maud::{Markup, html};

use super::{Case, Reader, command, compare, worlds};
use crate::lessons::Experiment;

/// What the case is about, the other cases of its lesson, and an order that it sends to this
/// address.
pub(super) fn situation(
    reader: Reader,
    case: Case,
    order: Option<&PlaceOrder>,
    orders: Option<&str>,
) -> Markup {
    html! {
        section class="lesson" {
            header {
                h1 { (case.title(reader)) }
                (cases(reader, case.experiment, Some(case.number)))
                p class="lead" { (reader.say(&case.message("trial"))) }
            }
            @if let Some(order) = order { (ticket(reader, order, orders, case.is_free())) }
        }
    }
}

/// The cases of a lesson, if there are several, and its worlds, if it has any. The one that
/// is shown has this number; the worlds have none.
pub(super) fn cases(
    reader: Reader,
    experiment: &'static Experiment,
    shown: Option<usize>,
) -> Markup {
    let all = (1..=experiment.trials.len()).map(|number| Case { experiment, number });
    let here = |entry| (entry == shown).then_some("page");
    html! {
        @if experiment.trials.len() > 1 || experiment.comparison().is_some() {
            ul class="cases" {
                @for case in all {
                    li { a href=(case.path()) aria-current=[here(Some(case.number))] {
                        (case.name(reader))
                    } }
                }
                @if let Some(comparison) = experiment.comparison() {
                    li { a href=(compare::path(comparison)) { (reader.say("compare-link")) } }
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

/// The request as a person reads it, and as they can send it to this address. The commands
/// are open where a person asks for them.
fn ticket(reader: Reader, order: &PlaceOrder, orders: Option<&str>, open: bool) -> Markup {
    let read = serde_json::to_string_pretty(order).unwrap_or_default();
    let commands = orders.map(|orders| {
        [
            ("request-curl", command::sh(orders, order)),
            ("request-powershell", command::powershell(orders, order)),
        ]
    });
    html! {
        aside class="ticket" {
            h2 { (reader.say("request")) }
            pre class="request" tabindex="0" { code { b { "POST /orders" } "\n" (read) } }
            @for (words, command) in commands.iter().flatten() { details open[open] {
                summary { (reader.say(words)) }
                pre class="request" tabindex="0" { code { (command) } }
            } }
        }
    }
}
