//! Who knows what at each step of a picture, in words.

use std::borrow::Cow;

use campuscafe_evidence::diagram::Diagram;
use campuscafe_evidence::knowledge::{
    Answer, Certainty, Customer, End, Inventory, Knowledge, OrderService, Process, ReceivedAttempt,
    SentAttempt,
};
use campuscafe_evidence::order_trace::UnderKey;
use maud::{Markup, html};

use super::Reader;
use crate::messages::Value;
use crate::printable::printable;
use crate::view::svg::Words;

/// A sentence, and the colour of what it is about.
struct Said(Option<&'static str>, Cow<'static, str>);

/// What each party knows at each step. Without a script, the last step is shown.
pub(super) fn knows(reader: Reader, diagram: &Diagram) -> Markup {
    let last = diagram.steps.len().saturating_sub(1);
    html! {
        aside class="card know" aria-live="polite" {
            @for (number, step) in diagram.steps.iter().enumerate() {
                @let knowledge = Knowledge::at(diagram, number);
                div class="known" data-step=(number) hidden[number != last] {
                    header {
                        h2 { (reader.say("knows")) }
                        time { (Words(reader.language).moment(diagram.ms(step.at))) }
                    }
                    (party(reader, "lane-customer", &customer(reader, &knowledge.customer)))
                    (party(reader, "lane-order", &order_service(reader, &knowledge.order)))
                    (party(reader, "lane-inventory", &inventory(reader, &knowledge.inventory)))
                }
            }
        }
    }
}

/// What each party knows of an order that is under way. What a party knows of which no span
/// has come yet the page cannot say, so it counts no reservations here.
pub(super) fn knows_so_far(reader: Reader, diagram: &Diagram) -> Markup {
    let knowledge = Knowledge::at(diagram, diagram.steps.len());
    let attempts = &knowledge.order.attempts;
    let mut order: Vec<_> = attempts.iter().map(|attempt| sent(reader, attempt)).collect();
    if knowledge.order.told.is_none() {
        order.push(Said(Some("unknown"), reader.say("know-still-waits")));
    }
    let mut inventory = inventory(reader, &knowledge.inventory);
    for said in [&mut order, &mut inventory] {
        if said.is_empty() {
            said.push(Said(None, reader.say("know-no-span")));
        }
    }
    html! {
        div class="card know" {
            header { h2 { (reader.say("knows")) } }
            (party(reader, "lane-customer", &customer(reader, &knowledge.customer)))
            (party(reader, "lane-order", &order))
            (party(reader, "lane-inventory", &inventory))
        }
    }
}

fn party(reader: Reader, name: &str, said: &[Said]) -> Markup {
    html! {
        div class="who" {
            h3 { (reader.say(name)) }
            ul {
                @for Said(class, sentence) in said { li class=[class] { (sentence) } }
                @if said.is_empty() { li { (reader.say("know-nothing-yet")) } }
            }
        }
    }
}

fn customer(reader: Reader, knows: &Customer) -> Vec<Said> {
    let mut said = Vec::new();
    if knows.asked_ms.is_none() {
        return said;
    }
    said.push(Said(None, reader.say("know-asked")));
    match &knows.told {
        None => said.push(Said(Some("unknown"), reader.say("know-waits"))),
        Some(told) => {
            let (class, outcome) = match told.outcome.as_str() {
                "confirmed" => (Some("confirmed"), reader.say("outcome-confirmed")),
                "failed" => (Some("failed"), reader.say("outcome-failed")),
                "unknown" => (Some("unknown"), reader.say("outcome-unknown")),
                other => (None, Cow::Owned(printable(other).into_owned())),
            };
            let outcome = [("outcome", Value::from(outcome))];
            said.push(Said(class, reader.language.tell("know-told", &outcome)));
            let reserved = match knows.reserved {
                Certainty::Yes => Said(Some("confirmed"), reader.say("know-is-reserved")),
                Certainty::No => Said(Some("failed"), reader.say("know-is-not-reserved")),
                Certainty::Unknown => Said(Some("unknown"), reader.say("know-cannot")),
            };
            said.push(reserved);
        }
    }
    said
}

fn order_service(reader: Reader, knows: &OrderService) -> Vec<Said> {
    let mut said: Vec<_> = knows.attempts.iter().map(|attempt| sent(reader, attempt)).collect();
    if let Some(outcome) = &knows.settled {
        let values = [("outcome", Value::from(Words(reader.language).outcome(outcome)))];
        let class = if outcome == "confirmed" { "confirmed" } else { "failed" };
        said.push(Said(Some(class), reader.language.tell("know-settled", &values)));
    }
    if !knows.attempts.is_empty() {
        said.push(bounds(reader, knows.certain, knows.possible));
    }
    said
}

fn sent(reader: Reader, attempt: &SentAttempt) -> Said {
    let mut values = vec![("number", u64::from(attempt.number).into())];
    let (class, id) = match (&attempt.end, attempt.reserved) {
        (None, _) => (None, "know-attempt-waits"),
        (Some(End::Answer { status, .. }), reserved) => {
            values.push(("status", Value::from(status.to_string())));
            match reserved {
                Certainty::Yes => (Some("confirmed"), "know-attempt-reserved"),
                _ => (Some("failed"), "know-attempt-refused"),
            }
        }
        (Some(End::NoAnswer { .. }), Certainty::No) => (Some("failed"), "know-attempt-not-sent"),
        (Some(End::NoAnswer { reason, .. }), _) => {
            values.push(("reason", Value::from(Words(reader.language).given_up(reason))));
            (Some("unknown"), "know-attempt-unknown")
        }
    };
    Said(class, reader.language.tell(id, &values))
}

/// How many reservations there are, as far as the order service can count.
fn bounds(reader: Reader, certain: usize, possible: usize) -> Said {
    if certain == possible {
        let count = [("count", certain.into())];
        return Said(None, reader.language.tell("know-exactly", &count));
    }
    let bounds = [("certain", certain.into()), ("possible", possible.into())];
    Said(Some("unknown"), reader.language.tell("know-between", &bounds))
}

fn inventory(reader: Reader, knows: &Inventory) -> Vec<Said> {
    let process = match knows.process {
        Process::First => None,
        Process::Killed => Some(Said(Some("failed"), reader.say("know-killed"))),
        Process::Kept => Some(Said(Some("confirmed"), reader.say("know-kept"))),
        Process::Forgot => Some(Said(Some("failed"), reader.say("know-forgot"))),
    };
    let attempts = knows.attempts.iter().flat_map(|attempt| received(reader, attempt));
    process.into_iter().chain(attempts).collect()
}

fn received(reader: Reader, attempt: &ReceivedAttempt) -> Vec<Said> {
    let tell = |id: &str| {
        let number = [("number", u64::from(attempt.number).into())];
        reader.language.tell(id, &number)
    };
    let work = match &attempt.commit {
        Some(commit) if commit.duplicate => Said(Some("doubled"), tell("know-committed-again")),
        Some(_) => Said(Some("committed"), tell("know-committed")),
        None => match attempt.answer {
            _ if attempt.found == Some(UnderKey::Replayed) => Said(None, tell("know-replayed")),
            _ if attempt.found == Some(UnderKey::Void) => Said(None, tell("know-void")),
            Answer::NotYet => Said(None, tell("know-works")),
            _ => Said(None, tell("know-not-committed")),
        },
    };
    let answer = match attempt.answer {
        Answer::NotYet if attempt.caller_left_ms.is_some() => {
            Some(Said(Some("unknown"), tell("know-caller-left")))
        }
        Answer::NotYet => None,
        Answer::NobodyKnows => Some(Said(Some("unknown"), tell("know-answer-lost"))),
        Answer::Sent { .. } => Some(Said(None, tell("know-answer-sent"))),
        Answer::Cut { .. } => Some(Said(None, tell("know-answer-cut"))),
        Answer::NobodyLeft { .. } => Some(Said(Some("unknown"), tell("know-nobody-left"))),
    };
    std::iter::once(work).chain(answer).collect()
}
