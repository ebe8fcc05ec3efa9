//! The verdict: what was predicted and seen, beside what the evidence says.

use std::sync::Arc;

use campuscafe_evidence::order::Order;
use maud::{Markup, html};

use super::question::{Answers, Question};
use super::verbatim::verbatim;
use super::{Reader, View};
use crate::lessons::{Conclusion, Finding, Link};
use crate::printable::printable;

/// The verdict: the answers beside the evidence, and why it is so.
pub(super) fn verdict(reader: Reader, view: &View<'_>, finding: &Arc<Finding>) -> Markup {
    html! {
        section class=(class(finding)) {
            h2 { (reader.say("verdict")) }
            (graded(reader, view, finding))
            (conclusion(reader, finding))
        }
    }
}

pub(super) fn ledger(reader: Reader, order: &Order) -> Markup {
    let (ledger, response) = (&order.ledger, &order.response);
    let told = ledger.told.as_str();
    let gap = ledger.reservations.abs_diff(ledger.known);
    let words = format!("{} \"{}\"", response.status, printable(&response.words));
    html! {
        h2 { (reader.say("ledger")) }
        dl class="ledger" {
            div class="tile" {
                dt { (reader.say("ledger-told")) }
                dd class=(told) { (reader.say(&format!("outcome-{told}"))) }
                dd class="detail" lang="en" { (verbatim(&words)) }
                dd class="gloss" { (reader.say(&format!("gloss-{told}"))) }
            }
            div class="tile" {
                dt { (reader.say("ledger-known")) }
                dd { (count(reader, ledger.known)) }
            }
            div class="tile" {
                dt { (reader.say("ledger-made")) }
                dd class=[(ledger.reservations > 0).then_some("committed")] { (count(reader, ledger.reservations)) }
                @if order.forgotten() > 0 {
                    dd class="detail" { (reader.language.tell("ledger-forgotten", &[("count", order.forgotten().into())])) }
                }
            }
            div class=(if gap > 0 { "tile gap" } else { "tile" }) {
                dt { (reader.say("ledger-gap")) }
                dd { (gap) }
            }
        }
    }
}

fn count(reader: Reader, reservations: u64) -> std::borrow::Cow<'static, str> {
    reader.language.tell("reservations", &[("count", reservations.into())])
}

fn class(finding: &Finding) -> &'static str {
    class_of(finding.verdict.conclusion)
}

pub(super) const fn class_of(conclusion: Conclusion) -> &'static str {
    match conclusion {
        Conclusion::Shown => "verdict",
        Conclusion::Incomplete => "verdict unknown",
        Conclusion::NotShown => "verdict doubled",
    }
}

/// Why the verdict is as it is, and its word. Where the effect did not happen, the
/// sentence itself says so.
fn conclusion(reader: Reader, finding: &Finding) -> Markup {
    let why = reader.language.put(&finding.verdict.why);
    html! {
        @if finding.verdict.conclusion == Conclusion::Incomplete {
            p class="lead" { (reader.say("verdict-incomplete")) }
            p class="why" { (verbatim(&printable(&why))) }
        } @else {
            p class="lead" { (verbatim(&printable(&why))) }
            @if finding.verdict.conclusion.is_shown() {
                p class="why" { (reader.say("verdict-shown")) }
            }
        }
    }
}

/// The answers to what the page asks about this finding.
fn graded(reader: Reader, view: &View<'_>, finding: &Arc<Finding>) -> Markup {
    let questions = view.questions();
    html! { @if !questions.is_empty() {
        (compared(reader, &questions, &view.answers, std::slice::from_ref(finding)))
    } }
}

/// A row for each question: the answer, and the evidence.
pub(super) fn compared(
    reader: Reader,
    questions: &[&Question],
    answers: &Answers,
    findings: &[Arc<Finding>],
) -> Markup {
    let heads = ["verdict-question", "verdict-yours", "verdict-evidence"].map(|id| reader.say(id));
    let rows = questions.iter().map(|question| {
        let say = |answer| question.say(reader, answer);
        (question.asks, answers.get(question).map(say), (question.truth)(findings).map(say))
    });
    html! {
        div class="scroll" { table class="sides" {
            thead { tr { @for head in &heads { th scope="col" { (head) } } } }
            tbody { @for (asks, yours, evidence) in rows { tr {
                th scope="row" { (reader.say(asks)) }
                (answer(reader, &heads[1], yours.as_deref(), evidence.as_deref()))
                td data-head=(heads[2]) { (evidence.as_deref().unwrap_or("?")) }
            } } }
        } }
    }
}

fn answer(reader: Reader, head: &str, yours: Option<&str>, evidence: Option<&str>) -> Markup {
    let graded = match (yours, evidence) {
        (Some(yours), Some(evidence)) if yours == evidence => {
            Some(("confirmed", "✓", "verdict-right"))
        }
        (Some(_), Some(_)) => Some(("unknown", "✗", "verdict-wrong")),
        _ => None,
    };
    let none = reader.say("verdict-none");
    let yours = yours.unwrap_or(&none);
    html! {
        td data-head=(head) class=[graded.map(|(class, ..)| class)] {
            @if let Some((_, sign, words)) = graded {
                (yours) " " span class="grade" { (sign) " " (reader.say(words)) }
            } @else {
                (yours)
            }
        }
    }
}

/// Where the run can be looked at, in tools that are there.
pub(super) fn links(reader: Reader, id: &str, finding: &Finding) -> Markup {
    let tools = [("link-jaeger", &finding.in_jaeger), ("link-grafana", &finding.in_grafana)];
    let tools =
        tools.map(|(words, link)| Some((words, link.as_ref().and_then(Link::url)?.to_owned())));
    let own = [("link-json", ""), ("link-markdown", ".md")]
        .map(|(words, suffix)| Some((words, format!("/api/runs/{id}{suffix}"))));
    html! {
        h2 { (reader.say("links")) }
        p class="links" { @for (words, url) in tools.into_iter().chain(own).flatten() {
            a href=(url) { (reader.say(words)) }
        } }
    }
}
