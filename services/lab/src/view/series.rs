//! A series of orders: a bar for each, or a line for each group.

use std::fmt::Write as _;
use std::time::Duration;

use campuscafe_api::order::Outcome;

use super::columns::{left, right};
use super::style::Tone;
use super::voice::Voice;
use crate::lessons::{self, Layout, Series, SeriesResult, seconds};

/// Columns of one second.
const SECOND: usize = 20;

/// The longest bar, in seconds.
const LONGEST: usize = 2;

pub(super) fn draw(series: &Series, voice: Voice) -> String {
    match series.layout {
        Layout::Bars => bars(series, voice),
        Layout::Groups => groups(series, voice),
    }
}

/// Customers wait along the line; every order has one line.
fn bars(series: &Series, voice: Voice) -> String {
    let name = left(&voice.say("bars-order"), 5);
    let mut text = format!("  {name} 0 s{:>SECOND$}{:>SECOND$}\n", "1 s", "2 s");
    let late = series.results.iter().any(SeriesResult::timed_out);
    for (number, result) in series.results.iter().enumerate() {
        let (tone, line) = (tone(result), bar(number + 1, result, voice));
        let _ = writeln!(text, "{}", voice.tone(tone, &line));
    }
    if late {
        let _ = writeln!(text, "  {}", voice.say("bars-legend"));
    }
    text
}

fn bar(number: usize, result: &SeriesResult, voice: Voice) -> String {
    let columns = |time: Duration| (time.as_secs_f64() * SECOND as f64).round() as usize;
    let length = columns(result.response.after).clamp(1, LONGEST * SECOND);
    let mut bar: String = "=".repeat(length - 1) + if result.timed_out() { "x" } else { "]" };
    // The inventory goes on, although nobody waits any more.
    let late = result.last_commit.filter(|commit| *commit > result.response.after).map(columns);
    // Beside the x, not under it, where it came as the limit ended.
    if let Some(commit) = late.map(|commit| commit.max(length + 1)) {
        bar.push_str(&"-".repeat(commit.min(LONGEST * SECOND) - length));
        bar.pop();
        bar.push('*');
    }
    let made = match result.commits {
        Some(0) => voice.say("bars-made-0"),
        Some(1) => voice.say("bars-made-1"),
        Some(_) => voice.say("bars-made-2"),
        None => "?".to_owned(),
    };
    let (outcome, after) = (short(result.outcome(), voice), seconds(result.response.after));
    let width = LONGEST * SECOND;
    let line = format!("  {number:>5} [{bar:<width$} {after:>6} {}  {made}", left(&outcome, 9));
    line.trim_end().to_owned()
}

/// An outcome that fits into a column.
pub(super) fn short(outcome: Outcome, voice: Voice) -> String {
    match outcome {
        Outcome::Failed => voice.say("drawn-failed"),
        outcome => voice.put(&lessons::outcome(outcome)),
    }
}

fn tone(result: &SeriesResult) -> Tone {
    match result.outcome() {
        Outcome::Confirmed => Tone::Plain,
        Outcome::Failed => Tone::Bad,
        Outcome::Unknown => Tone::Doubt,
    }
}

/// The columns of a table of groups, after the first.
const COLUMNS: [usize; 7] = [9, 8, 9, 9, 8, 10, 10];

fn groups(series: &Series, voice: Voice) -> String {
    let row = |name: &str, cells: [String; 7]| {
        let cells = cells.iter().zip(COLUMNS).map(|(cell, columns)| right(cell, columns));
        format!("  {}{}\n", left(name, 15), cells.collect::<String>())
    };
    let [confirmed, failed, unknown] =
        [Outcome::Confirmed, Outcome::Failed, Outcome::Unknown].map(|it| short(it, voice));
    let [doubled, calls, reserved] =
        ["col-doubled", "col-calls", "col-reserved"].map(|id| voice.say(id));
    let heads = [confirmed, failed, unknown, doubled, "p95".to_owned(), calls, reserved];
    let mut text = row(&voice.say("col-policy"), heads);
    for group in series.groups() {
        let cells = [
            group.confirmed.to_string(),
            group.failed.to_string(),
            group.unknown.to_string(),
            group.doubled.to_string(),
            seconds(group.p95),
            group.attempts.to_string(),
            group.reservations.to_string(),
        ];
        text.push_str(&row(&voice.say(group.name), cells));
    }
    text
}
