//! The verdict: what was predicted and seen, beside what the evidence says.

use std::time::Duration;

use campuscafe_evidence::order::Order;
use campuscafe_evidence::order_trace::OrderTrace;
use maud::{Markup, html};

use super::question::{Knows, LastCommit};
use super::{Case, Reader, View};
use crate::lessons::{Conclusion, Finding, Link};
use crate::messages::Value;
use crate::printable::printable;

/// The verdict on an order: the answers beside the evidence, and why it is so.
pub(super) fn verdict(
    reader: Reader,
    view: &View<'_>,
    case: Case,
    finding: &Finding,
    order: &Order,
) -> Markup {
    let shown = finding.verdict.conclusion.is_shown();
    html! {
        section class=(class(finding)) {
            h2 { (reader.say("verdict")) }
            @if view.asks && !view.case.is_free() { (compared(reader, view, order)) }
            @if shown { p class="lead" { (why(reader, case, order)) } }
            (conclusion(reader, finding))
        }
    }
}

/// The verdict on what is told as a table.
pub(super) fn told(reader: Reader, finding: &Finding) -> Markup {
    html! {
        section class=(class(finding)) {
            h2 { (reader.say("verdict")) }
            @if finding.verdict.conclusion.is_shown() {
                p class="lead" lang="en" { (finding.verdict.sentence) }
            }
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
                dd class="detail" { (words) }
            }
            div class="tile" {
                dt { (reader.say("ledger-known")) }
                dd { (count(reader, ledger.known)) }
            }
            div class="tile" {
                dt { (reader.say("ledger-made")) }
                dd class=[(ledger.reservations > 0).then_some("committed")] { (count(reader, ledger.reservations)) }
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
    match finding.verdict.conclusion {
        Conclusion::Shown => "verdict",
        Conclusion::Incomplete => "verdict unknown",
        Conclusion::NotShown => "verdict doubled",
    }
}

/// The word of the verdict. What was seen instead is told in the words of the terminal.
fn conclusion(reader: Reader, finding: &Finding) -> Markup {
    let (class, words) = match finding.verdict.conclusion {
        Conclusion::Shown => ("why", "verdict-shown"),
        Conclusion::Incomplete => ("lead", "verdict-incomplete"),
        Conclusion::NotShown => ("lead", "verdict-not-shown"),
    };
    html! {
        p class=(class) { (reader.say(words)) }
        @if !finding.verdict.conclusion.is_shown() {
            p class="why" lang="en" { (finding.verdict.sentence) }
        }
    }
}

fn why(reader: Reader, case: Case, order: &Order) -> std::borrow::Cow<'static, str> {
    let language = reader.language;
    let commit = match order.complete_story().and_then(OrderTrace::last_commit) {
        Some(at) => language.tell("commit-at", &[("seconds", Value::from(seconds(at)))]),
        None => language.say("commit-sometime"),
    };
    language.tell(
        &case.message("why"),
        &[
            ("words", Value::from(printable(&order.response.words).to_string())),
            ("after", Value::from(seconds(order.response.after))),
            ("made", order.ledger.reservations.into()),
            ("commit", commit.into()),
        ],
    )
}

/// Seconds with one decimal, for a message that names the unit.
fn seconds(time: Duration) -> String {
    format!("{:.1}", time.as_secs_f64())
}

/// A row for each question: the answer, and the evidence.
fn compared(reader: Reader, view: &View<'_>, order: &Order) -> Markup {
    let held = view.case.holds();
    let answers = &view.answers;
    let knows = |knows: Knows| reader.say(&format!("knows-{}", knows.as_str()));
    let commit = |commit: LastCommit| reader.say(&format!("commit-{}", commit.as_str()));
    let rows = [
        (
            if held { "predict-knows-held" } else { "predict-knows" },
            answers.knows.map(knows),
            Knows::of(order, held).map(knows),
        ),
        (
            "predict-reservations",
            answers.reservations.map(|made| count(reader, made)),
            Some(count(reader, order.ledger.reservations)),
        ),
        ("observe-commit", answers.commit.map(commit), LastCommit::of(order).map(commit)),
    ];
    let heads = ["verdict-question", "verdict-yours", "verdict-evidence"].map(|id| reader.say(id));
    html! {
        div class="scroll" { table class="sides" {
            thead { tr { @for head in &heads { th scope="col" { (head) } } } }
            tbody { @for (question, yours, evidence) in rows { tr {
                th scope="row" { (reader.say(question)) }
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
