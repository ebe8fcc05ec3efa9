//! A series of orders: a bar for each, or a line for each group.

use std::fmt::Write as _;
use std::time::Duration;

use campuscafe_api::order::Outcome;

use super::style::{Style, Tone};
use crate::lessons::{Layout, Series, SeriesResult, seconds};

/// Columns of one second.
const SECOND: usize = 20;

/// The longest bar, in seconds.
const LONGEST: usize = 2;

pub(super) fn draw(series: &Series, style: Style) -> String {
    match series.layout {
        Layout::Bars => bars(series, style),
        Layout::Groups => groups(series),
    }
}

/// Customers wait along the line; every order has one line.
fn bars(series: &Series, style: Style) -> String {
    let mut text = format!("  order 0 s{:>SECOND$}{:>SECOND$}\n", "1 s", "2 s");
    let late = series.results.iter().any(SeriesResult::timed_out);
    for (number, result) in series.results.iter().enumerate() {
        let (tone, line) = (tone(result), bar(number + 1, result));
        let _ = writeln!(text, "{}", style.tone(tone, &line));
    }
    if late {
        text.push_str("  = the customer waits   x given up   - nobody waits   * late commit\n");
    }
    text
}

fn bar(number: usize, result: &SeriesResult) -> String {
    let columns = |time: Duration| (time.as_secs_f64() * SECOND as f64).round() as usize;
    let length = columns(result.response.after).clamp(1, LONGEST * SECOND);
    let mut bar: String = "=".repeat(length - 1) + if result.timed_out() { "x" } else { "]" };
    // The inventory goes on, although nobody waits any more.
    let late = result.last_commit.map(columns).filter(|commit| *commit > length);
    if let Some(commit) = late {
        bar.push_str(&"-".repeat(commit.min(LONGEST * SECOND) - length));
        bar.pop();
        bar.push('*');
    }
    let made = match result.commits {
        Some(0) => "not reserved",
        Some(1) => "reserved",
        Some(_) => "reserved twice",
        None => "?",
    };
    let (outcome, after) = (result.outcome().as_str(), seconds(result.response.after));
    format!(
        "  {number:>5} [{bar:<width$} {after:>6} {outcome:<9}  {made}",
        width = LONGEST * SECOND
    )
    .trim_end()
    .to_owned()
}

fn tone(result: &SeriesResult) -> Tone {
    match result.outcome() {
        Outcome::Confirmed => Tone::Plain,
        Outcome::Failed => Tone::Bad,
        Outcome::Unknown => Tone::Doubt,
    }
}

fn groups(series: &Series) -> String {
    let mut text = format!(
        "  {:<15}{:>9} {:>7} {:>8} {:>8} {:>7} {:>9} {:>9}\n",
        "policy", "confirmed", "failed", "unknown", "doubled", "p95", "calls", "reserved"
    );
    for group in series.groups() {
        let _ = writeln!(
            text,
            "  {:<15}{:>9} {:>7} {:>8} {:>8} {:>7} {:>9} {:>9}",
            group.name,
            group.confirmed,
            group.failed,
            group.unknown,
            group.doubled,
            seconds(group.p95),
            group.attempts,
            group.reservations,
        );
    }
    text
}
