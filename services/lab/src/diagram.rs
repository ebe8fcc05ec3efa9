//! A space–time diagram: time runs down, messages run across.
//!
//! A pure function from a [`Story`] to lines of plain ASCII, 100 columns at
//! most. Box-drawing characters would be finer, but they are two columns wide
//! on many East Asian terminals, and the picture would fall apart.

use crate::evidence::story::{Attempt, Commit, End, Served, Story};
use crate::printable::printable;

/// No line is longer.
pub const WIDTH: usize = 100;

const TIME: usize = 8;
const CUSTOMER_TO_ORDER: usize = 19;
const ORDER_TO_INVENTORY: usize = 19;

/// What a line is about, for whoever paints it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tone {
    /// Nothing to point at.
    Plain,
    /// Names and legend.
    Faint,
    /// A commit somebody waited for.
    Good,
    /// An answer that did not come.
    Doubt,
    /// A commit that nobody waited for, or the second of one order.
    Bad,
}

/// One line of the picture.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// Plain text, no line break.
    pub text: String,
    /// What it is about.
    pub tone: Tone,
}

/// Draws an order.
#[must_use]
pub fn draw(story: &Story) -> Vec<Line> {
    let mut lines = vec![header()];
    let mut bars = Bars::new(&story.attempts);
    let mut previous: Option<u64> = None;
    for (at, event) in events(story) {
        if let Some(previous) = previous {
            let passed = pauses(at.saturating_sub(previous));
            lines.extend((0..passed).map(|_| Row::default().line(&bars, "    :")));
        }
        previous = Some(at);
        let time = format!("{:>5} ms", story.ms(at));
        let row = event.row(&mut bars);
        let mut notes = wrap(&row.note, bars.room());
        let rest = if notes.is_empty() { Vec::new() } else { notes.split_off(1) };
        let tone = row.tone;
        let first = Row { note: notes.pop().unwrap_or_default(), ..row };
        lines.push(first.line(&bars, &time));
        bars.settle();
        let more = rest.into_iter().map(|note| Row { note, tone, ..Row::default() });
        lines.extend(more.map(|row| row.line(&bars, "")));
    }
    lines.push(Line {
        text:
            "  # at work, the caller waits   . at work, nobody waits   * commit   x cut or given up"
                .to_owned(),
        tone: Tone::Faint,
    });
    lines
}

fn header() -> Line {
    let text = format!(
        "{:>TIME$}  {:<width$} {:<ORDER_TO_INVENTORY$} inventory",
        "time",
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

enum Event<'a> {
    Placed,
    Sent(&'a Attempt),
    Committed(&'a Attempt, &'a Commit),
    Cut(&'a Attempt),
    Ended(&'a Attempt),
    Abandoned(&'a Attempt),
    Unheard(&'a Attempt),
    Told(&'a Story),
}

fn events(story: &Story) -> Vec<(u64, Event<'_>)> {
    let mut events = vec![(story.start, Event::Placed), (story.told_at, Event::Told(story))];
    for attempt in &story.attempts {
        events.push((attempt.sent, Event::Sent(attempt)));
        events.push((attempt.ended, Event::Ended(attempt)));
        let Some(served) = &attempt.served else { continue };
        if let Some(commit) = &served.commit {
            events.push((commit.at, Event::Committed(attempt, commit)));
        }
        if let Some(at) = served.abandoned {
            events.push((at, Event::Abandoned(attempt)));
        }
        if served.cut {
            events.push((served.ended, Event::Cut(attempt)));
        } else if ends_unheard(served) {
            events.push((served.ended, Event::Unheard(attempt)));
        }
    }
    events.sort_by_key(|(at, _)| *at);
    events
}

/// Whether the inventory ended this attempt with nobody waiting, and not just
/// by the commit that has a line of its own.
fn ends_unheard(served: &Served) -> bool {
    let late = served.commit.as_ref().is_some_and(|commit| commit.late);
    served.abandoned.is_some() && !late
}

impl Event<'_> {
    fn row(&self, bars: &mut Bars) -> Row {
        match self {
            Event::Placed => {
                Row { left: arrow_right("order", CUSTOMER_TO_ORDER), ..Row::default() }
            }
            Event::Sent(attempt) => {
                if attempt.served.is_some() {
                    bars.set(attempt, '#', Some('#'));
                }
                let label = format!("attempt {}", attempt.number);
                Row {
                    right: if attempt.never_left() {
                        broken_arrow(&label, ORDER_TO_INVENTORY)
                    } else {
                        arrow_right(&label, ORDER_TO_INVENTORY)
                    },
                    note: attempt.served.as_ref().map_or_else(String::new, fault_in_words),
                    ..Row::default()
                }
            }
            Event::Committed(attempt, commit) => {
                // A late commit is the last thing heard of its attempt; after any
                // other one the bar goes on until the answer or the cut.
                bars.set(attempt, '*', if commit.late { None } else { bars.of(attempt) });
                Row {
                    note: commit_in_words(commit),
                    tone: if commit.late || commit.duplicate { Tone::Bad } else { Tone::Good },
                    ..Row::default()
                }
            }
            Event::Cut(attempt) => {
                bars.set(attempt, 'x', None);
                Row {
                    note: format!("cuts the connection of attempt {}", attempt.number),
                    tone: Tone::Doubt,
                    ..Row::default()
                }
            }
            Event::Ended(attempt) => match &attempt.end {
                End::Answered(status) => {
                    bars.set(attempt, '#', None);
                    Row {
                        right: arrow_left(&status.to_string(), ORDER_TO_INVENTORY),
                        ..Row::default()
                    }
                }
                End::Unanswered(reason) => Row {
                    order: 'x',
                    right: format!(" {}", reason.replace('_', " ")),
                    note: format!("attempt {} is given up", attempt.number),
                    tone: Tone::Doubt,
                    ..Row::default()
                },
            },
            Event::Abandoned(attempt) => {
                bars.set(attempt, '.', Some('.'));
                Row {
                    note: format!("nobody waits for attempt {} any more", attempt.number),
                    tone: Tone::Doubt,
                    ..Row::default()
                }
            }
            Event::Unheard(attempt) => {
                bars.set(attempt, '.', None);
                Row {
                    note: format!("the answer to attempt {} goes nowhere", attempt.number),
                    ..Row::default()
                }
            }
            Event::Told(story) => {
                let status = story.status.map_or_else(String::new, |status| format!("{status} "));
                Row {
                    left: arrow_left(&format!("{status}{}", story.outcome), CUSTOMER_TO_ORDER),
                    ..Row::default()
                }
            }
        }
    }
}

fn commit_in_words(commit: &Commit) -> String {
    let mut words = format!("COMMIT {} {} -> {}", commit.item, commit.before, commit.after);
    if commit.late {
        words.push_str(", late");
    }
    if commit.duplicate {
        words.push_str(", 2nd of this order");
    }
    words
}

fn fault_in_words(served: &Served) -> String {
    let does = match served.fault.split(':').next().unwrap_or_default() {
        "slow" => "waits, then commits",
        "fail" => "refuses",
        "slowfail" => "waits, then refuses",
        "abort" => "cuts before the commit",
        "lostreply" => "commits, then cuts",
        "slowreply" => "commits, then waits",
        "hold" => "commits, then holds the answer",
        _ => return String::new(),
    };
    format!("{}: {does}", served.fault)
}

fn arrow_right(label: &str, width: usize) -> String {
    format!("{:-<width$}>", format!("-- {label} "), width = width - 1)
}

/// A message that did not get through.
fn broken_arrow(label: &str, width: usize) -> String {
    format!("{:-<width$}x", format!("-- {label} "), width = width - 3)
}

fn arrow_left(label: &str, width: usize) -> String {
    format!("{:-<width$}", format!("<-- {label} "))
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
    fn line(&self, bars: &Bars, time: &str) -> Line {
        let Self { left, order, right, note, tone } = self;
        let (left, right, note) = (printable(left), printable(right), printable(note));
        let text = format!(
            "{time:<TIME$}  |{left:<CUSTOMER_TO_ORDER$}{order}{right:<ORDER_TO_INVENTORY$}|{} {note}",
            bars.cells()
        );
        Line { text: text.trim_end().chars().take(WIDTH).collect(), tone: *tone }
    }
}

/// A bar for each attempt in the inventory: how it stands on this line, and
/// how on the next.
struct Bars {
    attempts: Vec<u32>,
    now: Vec<char>,
    next: Vec<char>,
}

impl Bars {
    fn new(attempts: &[Attempt]) -> Self {
        let blank = vec![' '; attempts.len()];
        let attempts = attempts.iter().map(|attempt| attempt.number).collect();
        Self { attempts, now: blank.clone(), next: blank }
    }

    fn place(&self, attempt: &Attempt) -> Option<usize> {
        self.attempts.iter().position(|number| *number == attempt.number)
    }

    fn of(&self, attempt: &Attempt) -> Option<char> {
        self.next.get(self.place(attempt)?).copied()
    }

    fn set(&mut self, attempt: &Attempt, now: char, next: Option<char>) {
        let Some(place) = self.place(attempt) else { return };
        if let (Some(cell), Some(after)) = (self.now.get_mut(place), self.next.get_mut(place)) {
            *cell = now;
            *after = next.unwrap_or(' ');
        }
    }

    fn settle(&mut self) {
        self.now.clone_from(&self.next);
    }

    fn cells(&self) -> String {
        self.now.iter().flat_map(|cell| [' ', *cell]).collect()
    }

    fn room(&self) -> usize {
        let used = TIME + 2 + 1 + CUSTOMER_TO_ORDER + 1 + ORDER_TO_INVENTORY + 1;
        WIDTH.saturating_sub(used + 2 * self.now.len() + 1).max(20)
    }
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
