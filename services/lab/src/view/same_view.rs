//! Orders side by side, as the order service sees them, and whether it can tell them
//! apart.

use std::fmt::Write as _;

use campuscafe_evidence::diagram::Content;
use campuscafe_evidence::local_history::{LocalEvent, LocalHistory};
use serde_json::{Value, json};

use super::diagram::{WIDTH, wrap};
use super::style::{Style, Tone};
use crate::lessons::{Conclusion, SameView};
use crate::printable::printable;

const TITLE: &str = "What the order service saw";

pub(super) fn text(view: &SameView, style: Style) -> String {
    let conclusion = view.conclusion();
    let word = style.tone(Tone::of(conclusion), conclusion.as_str());
    let sentence = wrap(&sentence(view), WIDTH - 2).join("\n  ");
    let table = if view.known().is_empty() { String::new() } else { table(view) + "\n" };
    format!("{table}{word}\n  {sentence}\n")
}

/// The events that all orders have in common, with the times of each.
fn table(view: &SameView) -> String {
    let known = view.known();
    let events = known.first().map_or(&[][..], |history| &history.events);
    let common = events.get(..view.first_difference().unwrap_or(events.len())).unwrap_or(events);
    let words: Vec<_> = common.iter().map(in_words).collect();
    let widest = words.iter().map(|words| words.chars().count()).max().unwrap_or_default();
    let width = (widest + 5).max(TITLE.len());
    let mut text = format!("{TITLE:<width$}");
    for (chaos, _) in &view.runs {
        let _ = write!(text, "{chaos:>11}");
    }
    text.push('\n');
    for (number, words) in words.iter().enumerate() {
        let _ = write!(text, "{:<width$}", format!("  {}. {words}", number + 1));
        for (_, history) in &view.runs {
            let ms = history.as_ref().and_then(|history| history.times_ms.get(number));
            let time = ms.map_or_else(|| "?".to_owned(), |ms| format!("{ms} ms"));
            let _ = write!(text, "{time:>11}");
        }
        text.push('\n');
    }
    text
}

/// What the comparison comes to.
fn sentence(view: &SameView) -> String {
    let unknown = view.unknown().join(" and ");
    match (view.conclusion(), view.first_difference()) {
        (Conclusion::Shown, _) => format!(
            "The order service cannot tell them apart (asserted: {} runs, the same {} events). \
             Times were left out of the comparison; they are in the table.",
            view.runs.len(),
            view.known().first().map_or(0, |history| history.events.len()),
        ),
        (_, Some(event)) => format!(
            "The order service can tell them apart by event {}. {}.",
            event + 1,
            at(view, event)
        ),
        _ => format!(
            "It is not known whether the order service can tell them apart: spans of the order \
             service are missing or wrong (chaos {unknown})."
        ),
    }
}

/// What each order has in this place.
fn at(view: &SameView, event: usize) -> String {
    let words = |history: &LocalHistory| {
        history.events.get(event).map_or_else(|| "nothing more".to_owned(), in_words)
    };
    let runs = view.runs.iter();
    let known = runs.filter_map(|(chaos, history)| Some((chaos, history.as_ref()?)));
    let all = known.map(|(chaos, history)| format!("{chaos}: {}", words(history)));
    all.collect::<Vec<_>>().join("; ")
}

/// An event in plain words, from the side of the party whose event it is.
fn in_words(event: &LocalEvent) -> String {
    let words = match event {
        LocalEvent::Sent(Content::Order) => "sent the order".to_owned(),
        LocalEvent::Sent(Content::Attempt(attempt)) => format!("sent attempt {attempt}"),
        LocalEvent::Sent(Content::Answer { attempt, status }) => {
            format!("answered attempt {attempt} with {status}")
        }
        LocalEvent::Sent(Content::Outcome { status, outcome }) => {
            format!("told the customer: {}", told(*status, outcome))
        }
        LocalEvent::Received(Content::Order) => "got the order".to_owned(),
        LocalEvent::Received(Content::Attempt(attempt)) => format!("got attempt {attempt}"),
        LocalEvent::Received(Content::Answer { attempt, status }) => {
            format!("got the answer {status} to attempt {attempt}")
        }
        LocalEvent::Received(Content::Outcome { status, outcome }) => {
            format!("was told: {}", told(*status, outcome))
        }
        LocalEvent::NoAnswer { attempt, reason } => {
            format!("attempt {attempt} ended without an answer: {}", reason.replace('_', " "))
        }
        LocalEvent::Fault { attempt, fault } => format!("met attempt {attempt} with {fault}"),
        LocalEvent::Committed { attempt, late, duplicate } => {
            let late = if *late { ", late" } else { "" };
            let duplicate = if *duplicate { ", 2nd of this order" } else { "" };
            format!("committed attempt {attempt}{late}{duplicate}")
        }
        LocalEvent::Cut(attempt) => format!("cut the connection of attempt {attempt}"),
        LocalEvent::CallerLeft(attempt) => format!("saw the caller of attempt {attempt} leave"),
        LocalEvent::AnswerDropped(attempt) => {
            format!("had nobody left to answer for attempt {attempt}")
        }
    };
    printable(&words).into_owned()
}

fn told(status: Option<i64>, outcome: &str) -> String {
    status.map_or_else(|| outcome.to_owned(), |status| format!("{status} {outcome}"))
}

/// The same for machines.
pub(super) fn json(experiment: &str, view: &SameView) -> Value {
    let run = |(chaos, history): &(&str, Option<LocalHistory>)| {
        let history = history.as_ref();
        json!({
            "chaos": chaos,
            "events": history.map(|history| &history.events),
            "timesMs": history.map(|history| &history.times_ms),
        })
    };
    let conclusion = view.conclusion();
    json!({
        "experiment": experiment,
        "party": "order",
        "shown": conclusion.is_shown(),
        "conclusion": conclusion.code(),
        "verdict": sentence(view),
        "firstDifference": view.first_difference(),
        "runs": view.runs.iter().map(run).collect::<Vec<_>>(),
    })
}

#[cfg(test)]
mod tests;
