//! A space–time diagram as text: time runs down, messages run across.
//!
//! A pure function from a [`Diagram`] to lines of plain ASCII, 80 columns at
//! most. Box-drawing characters would be finer, but they are two columns wide
//! on many East Asian terminals, and the picture would fall apart.

use campuscafe_evidence::diagram::{Bar, Content, Diagram, Lane, MarkKind, Message, Note, Step};
use campuscafe_evidence::order_trace::{Commit, OrderTrace};

use super::style::Tone;
use crate::printable::printable;

/// No line is longer.
pub(crate) const WIDTH: usize = 80;

const TIME: usize = 5;
const CUSTOMER_TO_ORDER: usize = 18;
const ORDER_TO_INVENTORY: usize = 16;

/// One line of the picture.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Line {
    /// Plain text, no line break.
    pub(crate) text: String,
    /// What it is about.
    pub(crate) tone: Tone,
}

/// Draws an order.
#[must_use]
pub(crate) fn draw(order_trace: &OrderTrace) -> Vec<Line> {
    let diagram = Diagram::of(order_trace);
    let mut lines = vec![header()];
    let mut previous: Option<u64> = None;
    for (index, step) in diagram.steps.iter().enumerate() {
        if let Some(previous) = previous {
            let passed = pauses(step.at.saturating_sub(previous));
            let cells = cells_after(&diagram.bars, index.saturating_sub(1));
            lines.extend((0..passed).map(|_| Row::default().line(&cells, "    :")));
        }
        previous = Some(step.at);
        let time = format!("{:>TIME$}", diagram.ms(step.at));
        let row = Row::of(step);
        let mut notes = wrap(&row.note, room(diagram.bars.len()));
        let rest = if notes.is_empty() { Vec::new() } else { notes.split_off(1) };
        let tone = row.tone;
        let first = Row { note: notes.pop().unwrap_or_default(), ..row };
        lines.push(first.line(&cells_at(&diagram, index), &time));
        let cells = cells_after(&diagram.bars, index);
        let more = rest.into_iter().map(|note| Row { note, tone, ..Row::default() });
        lines.extend(more.map(|row| row.line(&cells, "")));
    }
    lines.push(Line {
        text: "  # working   . working, nobody waits   * commit   x cut or given up".to_owned(),
        tone: Tone::Faint,
    });
    lines
}

/// The picture as one text.
pub(crate) fn text(order_trace: &OrderTrace) -> String {
    draw(order_trace).into_iter().map(|line| line.text + "\n").collect()
}

fn header() -> Line {
    let text = format!(
        "{:>TIME$} {:<width$} {:<ORDER_TO_INVENTORY$} inventory",
        "ms",
        "customer",
        "order",
        width = CUSTOMER_TO_ORDER,
    );
    Line { text, tone: Tone::Faint }
}

/// Lines that stand for time in which nothing happened, so that a second
/// looks longer than a millisecond.
const fn pauses(nanoseconds: u64) -> usize {
    match nanoseconds / 1_000_000 {
        0..300 => 0,
        300..1_200 => 1,
        1_200..3_000 => 2,
        _ => 3,
    }
}

fn in_words(note: &Note) -> String {
    match note {
        Note::Fault(fault) => fault_in_words(fault),
        Note::Committed(commit) => commit_in_words(commit),
        Note::Cut(attempt) => format!("cuts connection of attempt {attempt}"),
        Note::GivenUp { attempt, .. } => format!("order gives up attempt {attempt}"),
        Note::CallerLeft(attempt) => format!("nobody waits for attempt {attempt}"),
        Note::AnswerDropped(attempt) => format!("answer {attempt} reaches nobody"),
    }
}

const fn tone(note: &Note) -> Tone {
    match note {
        Note::Committed(commit) if commit.late || commit.duplicate => Tone::Bad,
        Note::Committed(_) => Tone::Good,
        Note::Cut(_) | Note::GivenUp { .. } | Note::CallerLeft(_) => Tone::Doubt,
        Note::Fault(_) | Note::AnswerDropped(_) => Tone::Plain,
    }
}

fn commit_in_words(commit: &Commit) -> String {
    let mut words = format!("COMMIT {} {} -> {}", commit.item, commit.before, commit.after);
    if commit.duplicate {
        words.push_str(", AGAIN");
    }
    if commit.late {
        words.push_str(", LATE");
    }
    words
}

fn fault_in_words(fault: &str) -> String {
    let does = match fault.split(':').next().unwrap_or_default() {
        "slow" => "waits, then commits",
        "fail" => "refuses",
        "slowfail" => "waits, then refuses",
        "abort" => "cuts before the commit",
        "lostreply" => "commits, then cuts",
        "slowreply" => "commits, then waits",
        "hold" => "commits, then holds the answer",
        _ => return String::new(),
    };
    format!("{fault}: {does}")
}

/// Short enough to stand between two lanes.
fn end_in_words(reason: &str) -> String {
    match reason {
        "connection_refused" => "no connection".to_owned(),
        _ => reason.replace('_', " "),
    }
}

fn arrow_right(label: &str, width: usize) -> String {
    format!("{:-<width$}>", format!("- {label} "), width = width - 1)
}

/// A message that did not get through.
fn broken_arrow(label: &str, width: usize) -> String {
    format!("{:-<width$}x", format!("- {label} "), width = width - 1)
}

fn arrow_left(label: &str, width: usize) -> String {
    format!("{:-<width$}", format!("<- {label} "))
}

fn broken_arrow_left(label: &str, width: usize) -> String {
    format!("  x{:-<width$}", format!("-- {label} "), width = width - 3)
}

/// What stands between the lanes on one line.
struct Row {
    left: String,
    order: char,
    right: String,
    note: String,
    tone: Tone,
}

impl Default for Row {
    fn default() -> Self {
        Self {
            left: String::new(),
            order: '|',
            right: String::new(),
            note: String::new(),
            tone: Tone::Plain,
        }
    }
}

impl Row {
    fn of(step: &Step) -> Self {
        let mut row = Self::default();
        if let Some(message) = &step.message {
            row.put(message);
        }
        if step.mark.is_some_and(|mark| mark.lane == Lane::Order) {
            row.order = 'x';
        }
        let Some(note) = &step.note else { return row };
        if let Note::GivenUp { reason, .. } = note {
            row.right = format!(" {}", end_in_words(reason));
        }
        Self { note: in_words(note), tone: tone(note), ..row }
    }

    fn put(&mut self, message: &Message) {
        match &message.content {
            Content::Order => self.left = arrow_right("order", CUSTOMER_TO_ORDER),
            Content::Attempt(number) => {
                let label = format!("attempt {number}");
                let arrow = if message.arrives { arrow_right } else { broken_arrow };
                self.right = arrow(&label, ORDER_TO_INVENTORY);
            }
            Content::Answer { status, .. } => {
                let arrow = if message.arrives { arrow_left } else { broken_arrow_left };
                self.right = arrow(&status.to_string(), ORDER_TO_INVENTORY);
            }
            Content::Outcome { status, outcome } => {
                let status = status.map_or_else(String::new, |status| format!("{status} "));
                self.left = arrow_left(&format!("{status}{outcome}"), CUSTOMER_TO_ORDER);
            }
        }
    }

    fn line(&self, cells: &str, time: &str) -> Line {
        let Self { left, order, right, note, tone } = self;
        let (left, right, note) = (printable(left), printable(right), printable(note));
        let text = format!(
            "{time:<TIME$} |{left:<CUSTOMER_TO_ORDER$}{order}{right:<ORDER_TO_INVENTORY$}|{cells} {note}",
        );
        Line { text: text.trim_end().chars().take(WIDTH).collect(), tone: *tone }
    }
}

/// The bars of the inventory at a step, side by side.
fn cells_at(diagram: &Diagram, step: usize) -> String {
    let mark = diagram.steps.get(step).and_then(|step| step.mark);
    let mark = mark.filter(|mark| mark.lane == Lane::Inventory);
    let marked =
        mark.and_then(|mark| diagram.bars.iter().position(|bar| bar.attempt == mark.attempt));
    cells(diagram.bars.iter().enumerate().map(|(place, bar)| match mark {
        Some(mark) if marked == Some(place) => match mark.kind {
            MarkKind::Commit => '*',
            MarkKind::Cut | MarkKind::GivenUp => 'x',
        },
        _ => cell(bar, |from, to| from <= step && step <= to),
    }))
}

/// The same between a step and the next.
fn cells_after(bars: &[Bar], step: usize) -> String {
    cells(bars.iter().map(|bar| cell(bar, |from, to| from <= step && step < to)))
}

fn cells(all: impl Iterator<Item = char>) -> String {
    all.flat_map(|cell| [' ', cell]).collect()
}

/// Where one phase ends and the next begins, it is the next.
fn cell(bar: &Bar, covers: impl Fn(usize, usize) -> bool) -> char {
    let phase = bar.phases.iter().rfind(|phase| covers(phase.from, phase.to));
    phase.map_or(' ', |phase| if phase.awaited { '#' } else { '.' })
}

/// The columns that are left for a note.
fn room(bars: usize) -> usize {
    let used = TIME + 1 + 1 + CUSTOMER_TO_ORDER + 1 + ORDER_TO_INVENTORY + 1;
    WIDTH.saturating_sub(used + 2 * bars + 1).max(20)
}

/// Breaks text between words, so that no line is longer than `width`
/// characters unless a single word is.
pub(crate) fn wrap(text: &str, width: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        match lines.last_mut() {
            Some(line) if line.chars().count() + 1 + word.chars().count() <= width => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}

#[cfg(test)]
mod tests;
