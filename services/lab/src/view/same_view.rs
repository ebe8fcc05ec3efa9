//! Orders side by side, as the order service sees them, and whether it can tell them
//! apart.

use std::fmt::Write as _;

use campuscafe_evidence::local_history::LocalHistory;
use serde_json::{Value, json};

use super::columns::{WIDTH, left, right, width, wrap};
use super::events::in_words;
use super::style::Tone;
use super::voice::Voice;
use crate::lessons::{Conclusion, SameView};
use crate::messages::Message;

/// Columns of the times of one order.
const TIME: usize = 11;

pub(super) fn text(view: &SameView, voice: Voice) -> String {
    let conclusion = view.conclusion();
    let word = voice.tone(Tone::of(conclusion), &voice.conclusion(conclusion, true));
    let sentence = wrap(&sentence(view, voice), WIDTH - 2).join("\n  ");
    let table = if view.known().is_empty() { String::new() } else { table(view, voice) + "\n" };
    format!("{table}{word}\n  {sentence}\n")
}

/// The events that all orders have in common, with the times of each.
fn table(view: &SameView, voice: Voice) -> String {
    let known = view.known();
    let events = known.first().map_or(&[][..], |history| &history.events);
    let common = events.get(..view.first_difference().unwrap_or(events.len())).unwrap_or(events);
    let words: Vec<_> = common.iter().map(|event| in_words(voice.language, event)).collect();
    let title = voice.say("saw");
    let widest = words.iter().map(|words| width(words) + 5).max().unwrap_or_default();
    let columns = widest.max(width(&title));
    let mut text = left(&title, columns);
    for (chaos, _) in &view.runs {
        text.push_str(&right(chaos, TIME));
    }
    text.push('\n');
    for (number, words) in words.iter().enumerate() {
        text.push_str(&left(&format!("  {}. {words}", number + 1), columns));
        for (_, history) in &view.runs {
            let ms = history.as_ref().and_then(|history| history.times_ms.get(number));
            let time = ms.map_or_else(|| "?".to_owned(), |ms| format!("{ms} ms"));
            let _ = write!(text, "{time:>TIME$}");
        }
        text.push('\n');
    }
    text
}

/// What the comparison comes to.
fn sentence(view: &SameView, voice: Voice) -> String {
    let message = |id: &'static str| Message::new(id);
    match (view.conclusion(), view.first_difference()) {
        (Conclusion::Shown, _) => {
            let events = view.known().first().map_or(0, |history| history.events.len());
            let same = message("worlds-same").with("runs", view.runs.len()).with("events", events);
            voice.put(&same.and(message("worlds-times")))
        }
        (_, Some(event)) => {
            let differ = message("worlds-differ").with("number", event + 1);
            let each = message("worlds-differ-each").with("each", at(view, event, voice));
            voice.put(&differ.and(each))
        }
        _ => voice.put(&message("worlds-lost").with("faults", view.unknown().join(", "))),
    }
}

/// What each order has in this place.
fn at(view: &SameView, event: usize, voice: Voice) -> String {
    let words = |history: &LocalHistory| {
        let event = history.events.get(event);
        event.map_or_else(
            || voice.say("event-none"),
            |event| in_words(voice.language, event).into_owned(),
        )
    };
    let runs = view.runs.iter();
    let known = runs.filter_map(|(chaos, history)| Some((chaos, history.as_ref()?)));
    let all = known.map(|(chaos, history)| format!("{chaos}: {}", words(history)));
    all.collect::<Vec<_>>().join("; ")
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
        "verdict": sentence(view, Voice::ENGLISH),
        "firstDifference": view.first_difference(),
        "runs": view.runs.iter().map(run).collect::<Vec<_>>(),
    })
}

#[cfg(test)]
mod tests;
