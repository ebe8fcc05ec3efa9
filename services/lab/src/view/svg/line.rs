//! What is written in a row: lines of text, safe to show, each with its tone.

use campuscafe_evidence::diagram::{CallEvent, CallNote, Content, Note, Step};
use maud::Markup;

use super::Shape;
use super::frame::Frame;
use super::text::{Anchor, Label, shorten, wrap};
use super::tone::Tone;
use super::words::Words;
use crate::printable::printable;

/// An item's name leaves room for what is said about it.
const ITEM: usize = 12;

/// A line of text, of one of three kinds.
pub(super) struct Line {
    kind: &'static str,
    tone: Tone,
    text: String,
}

impl Line {
    fn size(&self) -> i32 {
        if self.kind == "head" { 14 } else { 13 }
    }

    fn bold(&self) -> bool {
        match self.kind {
            "label" => self.tone != Tone::Plain,
            kind => kind == "head",
        }
    }

    fn wrapped(self, room: i32, lines: usize) -> Vec<Self> {
        let (size, bold, Self { kind, tone, text }) = (self.size(), self.bold(), self);
        let line = |text| Self { kind, tone, text };
        wrap(&text, size, bold, room, lines).into_iter().map(line).collect()
    }

    pub(super) fn write(&self, x: i32, y: i32, room: i32, anchor: Anchor) -> Markup {
        let class = format!("{} {}", self.kind, self.tone.class());
        let (size, bold) = (self.size(), self.bold());
        Label { class: &class, x, y, size, bold, room, anchor }.write(&self.text)
    }
}

/// The line between the lanes, where there is room for it, and those beside them.
/// What is said of the inventory begins with the name of its world, if it has one.
pub(super) fn written(
    step: &Step,
    words: Words,
    frame: &Frame,
    world: Option<&str>,
) -> (Option<Line>, Vec<Line>) {
    let note = step.note.as_ref().map(printable_note);
    let said = note.as_ref().map(|note| words.note(note)).unwrap_or_default();
    let (head, detail) = note.as_ref().map_or((Tone::Plain, Tone::Plain), Tone::of_note);
    let label = label(step, note.as_ref(), words);
    let text = match world {
        Some(world) if !said.head.is_empty() => format!("{world}: {}", said.head),
        _ => said.head,
    };
    let head = Line { kind: "head", tone: head, text };
    let detail = Line { kind: "detail", tone: detail, text: said.detail };
    let room = frame.note_room();
    match frame.shape {
        Shape::Wide => {
            let lines = if detail.text.is_empty() { 2 } else { 1 };
            let detail = detail.wrapped(room, 1);
            (label, head.wrapped(room, lines).into_iter().chain(detail).collect())
        }
        Shape::Narrow => {
            let all = label.into_iter().chain([head, detail]);
            (None, all.flat_map(|line| line.wrapped(room, 2)).collect())
        }
    }
}

fn label(step: &Step, note: Option<&Note>, words: Words) -> Option<Line> {
    let (tone, text) = match (&step.message, note) {
        (Some(message), _) => {
            (Tone::of_message(message), words.message(&printable_content(&message.content)))
        }
        (None, Some(Note::GivenUp { reason, .. })) => {
            (Tone::of_end(reason), words.given_up(reason))
        }
        (None, Some(Note::Call(CallNote { event: CallEvent::GivenUp(reason), .. }))) => {
            (Tone::of_end(reason), words.given_up(reason))
        }
        _ => return None,
    };
    Some(Line { kind: "label", tone, text })
}

/// The note without anything that steers, and with a short name for the item.
fn printable_note(note: &Note) -> Note {
    let safe = |text: &str| printable(text).into_owned();
    match note {
        Note::Fault(fault) => Note::Fault(safe(fault)),
        Note::Committed(commit) => {
            let mut commit = commit.clone();
            commit.item = shorten(&safe(&commit.item), ITEM);
            Note::Committed(commit)
        }
        Note::GivenUp { attempt, reason } => {
            Note::GivenUp { attempt: *attempt, reason: safe(reason) }
        }
        Note::Settled(outcome) => Note::Settled(safe(outcome)),
        other => other.clone(),
    }
}

fn printable_content(content: &Content) -> Content {
    match content {
        Content::Outcome { status, outcome } => {
            Content::Outcome { status: *status, outcome: printable(outcome).into_owned() }
        }
        other => other.clone(),
    }
}
