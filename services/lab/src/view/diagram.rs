//! A space–time diagram as text: time runs down, messages run across.
//!
//! A pure function from a [`Diagram`] to lines of 80 columns at most: ASCII, but for
//! Japanese words. Box-drawing characters would be finer, but they are two columns wide
//! on many East Asian terminals, and the picture would fall apart.

use campuscafe_evidence::calls::Calls;
use campuscafe_evidence::diagram::{
    CallEvent, CallNote, Content, Diagram, Lane, MarkKind, Message, Note, Step,
};
use campuscafe_evidence::order_trace::{Commit, OrderTrace, UnderKey};
use campuscafe_evidence::refusal::{Decided, Refusal};

use super::columns::{WIDTH, cut, left, width, wrap};
use super::style::Tone;
use super::svg::Words;
use super::voice::Voice;
use crate::messages::{Language, Value};
use crate::printable::printable;

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

/// Draws an order with the words of a language.
#[must_use]
pub(crate) fn draw(order_trace: &OrderTrace, language: Language) -> Vec<Line> {
    let legend = if order_trace.crash.is_some() { "drawn-legend-crash" } else { "drawn-legend" };
    lines(&Diagram::of(order_trace), legend, language)
}

/// Draws the calls of a script with the words of a language.
#[must_use]
pub(crate) fn draw_calls(calls: &Calls, language: Language) -> Vec<Line> {
    lines(&Diagram::of_calls(calls), "drawn-legend-calls", language)
}

fn lines(diagram: &Diagram, legend: &str, language: Language) -> Vec<Line> {
    let said = Said(Voice::plain(language));
    let mut lines = vec![said.header()];
    let mut previous: Option<u64> = None;
    for (index, step) in diagram.steps.iter().enumerate() {
        if let Some(previous) = previous {
            let passed = pauses(step.at.saturating_sub(previous));
            let cells = cells_after(diagram, index.saturating_sub(1));
            lines.extend((0..passed).map(|_| Row::default().line(&cells, "    :")));
        }
        previous = Some(step.at);
        let time = format!("{:>TIME$}", diagram.ms(step.at));
        let row = said.row(step);
        let mut notes = wrap(&row.note, room(diagram.columns()));
        let rest = if notes.is_empty() { Vec::new() } else { notes.split_off(1) };
        let tone = row.tone;
        let first = Row { note: notes.pop().unwrap_or_default(), ..row };
        lines.push(first.line(&cells_at(diagram, index), &time));
        let cells = cells_after(diagram, index);
        let more = rest.into_iter().map(|note| Row { note, tone, ..Row::default() });
        lines.extend(more.map(|row| row.line(&cells, "")));
    }
    lines.push(Line { text: format!("  {}", said.0.say(legend)), tone: Tone::Faint });
    lines
}

/// The picture as one text.
pub(crate) fn text(order_trace: &OrderTrace, language: Language) -> String {
    draw(order_trace, language).into_iter().map(|line| line.text + "\n").collect()
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

/// What a picture says.
#[derive(Clone, Copy)]
struct Said(Voice);

impl Said {
    fn header(self) -> Line {
        let [customer, order, inventory] =
            ["lane-customer", "drawn-order-service", "lane-inventory"].map(|id| self.0.say(id));
        let text = format!(
            "{:>TIME$} {} {} {inventory}",
            "ms",
            left(&customer, CUSTOMER_TO_ORDER),
            left(&order, ORDER_TO_INVENTORY),
        );
        Line { text, tone: Tone::Faint }
    }

    fn row(self, step: &Step) -> Row {
        let mut row = Row::default();
        if let Some(message) = &step.message {
            self.put(message, &mut row);
        }
        match step.mark.map(|mark| mark.lane) {
            Some(Lane::Order) => row.order = 'x',
            Some(Lane::Customer) => row.customer = 'x',
            _ => {}
        }
        if matches!(step.note, Some(Note::Settled(_))) {
            row.order = '=';
        }
        let Some(note) = &step.note else { return row };
        match note {
            Note::GivenUp { reason, .. } => row.right = format!(" {}", self.end(reason)),
            Note::Call(CallNote { lane, event: CallEvent::GivenUp(reason), .. }) => {
                let beside = if *lane == Lane::Customer { &mut row.left } else { &mut row.right };
                *beside = format!(" {}", self.end(reason));
            }
            _ => {}
        }
        Row { note: self.note(note), tone: tone(note), ..row }
    }

    fn put(self, message: &Message, row: &mut Row) {
        let label = self.label(&message.content);
        match &message.content {
            Content::Order | Content::Question => row.left = arrow_right(&label, CUSTOMER_TO_ORDER),
            Content::Attempt(_) => {
                let arrow = if message.arrives { arrow_right } else { broken_arrow };
                row.right = arrow(&label, ORDER_TO_INVENTORY);
            }
            Content::Answer { .. } => {
                let arrow = if message.arrives { arrow_left } else { broken_arrow_left };
                row.right = arrow(&label, ORDER_TO_INVENTORY);
            }
            Content::Outcome { .. } => row.left = arrow_left(&label, CUSTOMER_TO_ORDER),
            Content::Call { .. } | Content::Reply { .. } => across(message, &label, row),
        }
    }

    /// Short enough to stand between two lanes.
    fn label(self, content: &Content) -> String {
        match content {
            Content::Outcome { status, outcome } if outcome == "failed" => {
                let status = status.map_or_else(String::new, |status| format!("{status} "));
                status + &self.0.say("drawn-failed")
            }
            _ => Words(self.0.language).message(content),
        }
    }

    /// Why an attempt was given up, as short.
    fn end(self, reason: &str) -> String {
        match reason {
            "connection_refused" => self.0.say("drawn-no-connection"),
            _ => Words(self.0.language).given_up(reason),
        }
    }

    fn note(self, note: &Note) -> String {
        let of_attempt = |id: &str, number: &u32| self.0.tell(id, &[("number", (*number).into())]);
        match note {
            Note::Fault(fault) => self.fault(fault),
            Note::Committed(commit) => self.commit(commit),
            Note::UnderKey { attempt, found: UnderKey::Replayed, late } => {
                self.late(of_attempt("drawn-replayed", attempt), *late)
            }
            Note::UnderKey { attempt, found: UnderKey::Void, late } => {
                self.late(of_attempt("drawn-void", attempt), *late)
            }
            Note::Settled(outcome) => {
                let outcome = Words(self.0.language).outcome(outcome);
                self.0.tell("drawn-settled", &[("outcome", outcome.into())])
            }
            Note::Cut(attempt) => of_attempt("drawn-cut", attempt),
            Note::Killed(_) => self.0.say("drawn-killed"),
            Note::Restarted { kept } => self.0.say(restarted(*kept)),
            Note::GivenUp { attempt, .. } => of_attempt("drawn-given-up", attempt),
            Note::CallerLeft(attempt) => of_attempt("drawn-caller-left", attempt),
            Note::AnswerDropped(attempt) => of_attempt("drawn-dropped", attempt),
            Note::Call(note) => Words(self.0.language).of_call(note),
        }
    }

    fn fault(self, fault: &str) -> String {
        let does = Words(self.0.language).fault(fault);
        if does.is_empty() {
            return does;
        }
        self.0.tell("drawn-fault", &[("fault", fault.into()), ("does", does.into())])
    }

    fn commit(self, commit: &Commit) -> String {
        let values: [(&'static str, Value); 3] = [
            ("item", commit.item.as_str().into()),
            ("before", commit.before.to_string().into()),
            ("after", commit.after.to_string().into()),
        ];
        let mut words = self.0.tell("drawn-commit", &values);
        if commit.duplicate {
            words = self.0.tell("drawn-again", &[("commit", words.into())]);
        }
        self.late(words, commit.late)
    }

    /// The same of something that nobody waited for any more, if it was so.
    fn late(self, words: String, late: bool) -> String {
        if late { self.0.tell("drawn-late", &[("commit", words.into())]) } else { words }
    }
}

const fn restarted(kept: bool) -> &'static str {
    if kept { "drawn-restarted-kept" } else { "drawn-restarted-forgot" }
}

fn tone(note: &Note) -> Tone {
    match note {
        Note::Committed(commit) if commit.late || commit.duplicate => Tone::Bad,
        Note::Committed(_) | Note::UnderKey { .. } => Tone::Good,
        Note::Settled(outcome) if outcome == "confirmed" => Tone::Good,
        Note::Killed(_) | Note::Restarted { kept: false } => Tone::Bad,
        Note::Restarted { kept: true } => Tone::Good,
        Note::Cut(_) | Note::GivenUp { .. } | Note::CallerLeft(_) => Tone::Doubt,
        Note::Fault(_) | Note::AnswerDropped(_) | Note::Settled(_) => Tone::Plain,
        Note::Call(note) => match note.event {
            CallEvent::GivenUp(_) | CallEvent::CallerLeft | CallEvent::Cut => Tone::Doubt,
            CallEvent::Decided(Decided::Refused(Refusal::OutOfStock))
            | CallEvent::AnswerDropped
            | CallEvent::Told(_) => Tone::Plain,
            CallEvent::Decided(_) | CallEvent::Changed(_) => Tone::Good,
        },
    }
}

/// Puts a call or its answer between the lanes that it runs between; one between the
/// customer and the inventory passes the order service.
fn across(message: &Message, label: &str, row: &mut Row) {
    let is_call = matches!(message.content, Content::Call { .. });
    let draw = match (is_call, message.arrives) {
        (true, true) => arrow_right,
        (true, false) => broken_arrow,
        (false, true) => arrow_left,
        (false, false) => broken_arrow_left,
    };
    let ends = [message.from, message.to];
    if !ends.contains(&Lane::Inventory) {
        row.left = draw(label, CUSTOMER_TO_ORDER);
    } else if !ends.contains(&Lane::Customer) {
        row.right = draw(label, ORDER_TO_INVENTORY);
    } else {
        let whole = draw(label, CUSTOMER_TO_ORDER + 1 + ORDER_TO_INVENTORY);
        row.left = cut(&whole, CUSTOMER_TO_ORDER);
        row.order = '-';
        row.right = whole.strip_prefix(&row.left).unwrap_or_default().chars().skip(1).collect();
    }
}

/// A line with this label, as long as the way from one lane to the next.
fn dashes(label: &str, columns: usize) -> String {
    let line = "-".repeat(columns.saturating_sub(width(label) + 1));
    cut(&format!("{label} {line}"), columns)
}

fn arrow_right(label: &str, columns: usize) -> String {
    dashes(&format!("- {label}"), columns - 1) + ">"
}

/// A message that did not get through.
fn broken_arrow(label: &str, columns: usize) -> String {
    dashes(&format!("- {label}"), columns - 1) + "x"
}

fn arrow_left(label: &str, columns: usize) -> String {
    dashes(&format!("<- {label}"), columns)
}

fn broken_arrow_left(label: &str, columns: usize) -> String {
    format!("  x{}", dashes(&format!("-- {label}"), columns - 3))
}

/// What stands between the lanes on one line.
struct Row {
    customer: char,
    left: String,
    order: char,
    right: String,
    note: String,
    tone: Tone,
}

impl Default for Row {
    fn default() -> Self {
        Self {
            customer: '|',
            left: String::new(),
            order: '|',
            right: String::new(),
            note: String::new(),
            tone: Tone::Plain,
        }
    }
}

impl Row {
    fn line(&self, cells: &str, time: &str) -> Line {
        let Self { customer, order, tone, .. } = self;
        let before = left(&printable(&self.left), CUSTOMER_TO_ORDER);
        let after = left(&printable(&self.right), ORDER_TO_INVENTORY);
        let text = format!(
            "{time:<TIME$} {customer}{before}{order}{after}|{cells} {}",
            printable(&self.note)
        );
        Line { text: cut(text.trim_end(), WIDTH), tone: *tone }
    }
}

/// The bars of the inventory at a step, side by side.
fn cells_at(diagram: &Diagram, step: usize) -> String {
    let mark = diagram.steps.get(step).and_then(|step| step.mark);
    let mark = mark.filter(|mark| mark.lane == Lane::Inventory);
    let marked = mark.and_then(|mark| diagram.bars.iter().find(|bar| bar.attempt == mark.attempt));
    let marked = marked.map(|bar| bar.column);
    cells(diagram, |column| match mark {
        Some(mark) if marked == Some(column) => Some(match mark.kind {
            MarkKind::Commit => '*',
            MarkKind::Change => 'o',
            MarkKind::Killed => 'X',
            MarkKind::Cut | MarkKind::GivenUp | MarkKind::Refused => 'x',
        }),
        _ => phase(diagram, column, |from, to| from <= step && step <= to),
    })
}

/// The same between a step and the next.
fn cells_after(diagram: &Diagram, step: usize) -> String {
    cells(diagram, |column| phase(diagram, column, |from, to| from <= step && step < to))
}

fn cells(diagram: &Diagram, cell: impl Fn(usize) -> Option<char>) -> String {
    (0..diagram.columns()).flat_map(|column| [' ', cell(column).unwrap_or(' ')]).collect()
}

/// Where one phase ends and the next begins, it is the next.
fn phase(diagram: &Diagram, column: usize, covers: impl Fn(usize, usize) -> bool) -> Option<char> {
    let bars = diagram.bars.iter().filter(|bar| bar.column == column);
    let phase = bars.flat_map(|bar| &bar.phases).filter(|it| covers(it.from, it.to)).last()?;
    Some(if phase.awaited { '#' } else { '.' })
}

/// The columns that are left for a note.
fn room(bars: usize) -> usize {
    let used = TIME + 1 + 1 + CUSTOMER_TO_ORDER + 1 + ORDER_TO_INVENTORY + 1;
    WIDTH.saturating_sub(used + 2 * bars + 1).max(20)
}

#[cfg(test)]
mod tests;
