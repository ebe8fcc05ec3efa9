//! Rounds of pings and calls as small tables.

use std::fmt::Write as _;
use std::time::Duration;

use campuscafe_evidence::message_order::PingRounds;

use super::columns::{WIDTH, left, right};
use super::voice::Voice;
use crate::lessons::{Calls, LocalAndRemote};

/// Bins of a histogram: up to so many inversions.
const BINS: [u64; 5] = [0, 9, 49, 99, u64::MAX];

/// Columns of the bars of a histogram: what the names and the numbers leave.
const BAR: usize = WIDTH - "  ".len() - 24 - " ".len() - 6 - "  ".len();

pub(super) fn rounds(rounds: &PingRounds, voice: Voice) -> String {
    let (pairs, heading) = (voice.say("rounds-pairs"), voice.say("rounds"));
    let mut text = format!("  {} {}\n", left(&pairs, 24), right(&heading, 6));
    let mut from = 0;
    for to in BINS {
        let within = |inversions: &&u64| (from..=to).contains(*inversions);
        let count = rounds.inversions.iter().filter(within).count();
        let bin = match (from, to) {
            (0, _) => "bin-none",
            (_, u64::MAX) => "bin-more",
            _ => "bin-range",
        };
        let name = voice.tell(bin, &[("from", from.into()), ("to", to.into())]);
        let bar = "=".repeat(bar(count, rounds.inversions.len()));
        let line = format!("  {} {count:>6}  {bar}", left(&name, 24));
        let _ = writeln!(text, "{}", line.trim_end());
        from = to.saturating_add(1);
    }
    text
}

/// A column for each round, or less if all of them have no room.
fn bar(count: usize, rounds: usize) -> usize {
    (count * BAR).div_ceil(rounds.max(BAR))
}

pub(super) fn calls(calls: &LocalAndRemote, voice: Voice) -> String {
    let failures = right(&voice.say("calls-failures"), 10);
    let mut text = format!("  {:<18}{:>12}{:>12}{:>12}{failures}\n", "", "p50", "p99", "max");
    for (name, of) in [("calls-local", &calls.local), ("calls-remote", &calls.remote)] {
        let time = |percent| in_words(of.percentile(percent));
        let Calls { failures, .. } = of;
        let _ = writeln!(
            text,
            "  {}{:>12}{:>12}{:>12}{failures:>10}",
            left(&voice.say(name), 18),
            time(50),
            time(99),
            time(100)
        );
    }
    text
}

/// With three digits, whatever its size.
fn in_words(time: Duration) -> String {
    let us = time.as_secs_f64() * 1e6;
    match us {
        ..1.0 => format!("{:.0} ns", us * 1e3),
        ..1e3 => format!("{us:.1} us"),
        _ => format!("{:.2} ms", us / 1e3),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::messages::Language;
    use crate::view::columns::width;

    fn told(inversions: Vec<u64>) -> PingRounds {
        PingRounds {
            count: 20,
            inversions,
            trace_id: None,
            counters: [].into(),
            incomplete: Vec::new(),
        }
    }

    #[test]
    fn every_round_is_in_one_bin() {
        let inversions: Vec<u64> = vec![0, 0, 1, 9, 10, 49, 50, 99, 100, u64::MAX];
        let text = rounds(&told(inversions), Voice::ENGLISH);
        let counts: Vec<_> = text.lines().skip(1).map(|line| line.matches('=').count()).collect();
        assert_eq!(counts, [2, 2, 2, 2, 2], "{text}");
    }

    #[test]
    fn a_bar_has_room_in_80_columns_and_is_there_for_a_single_round() {
        let mut inversions = vec![60; 49];
        inversions.push(0);
        let told = told(inversions);
        for voice in [Voice::ENGLISH, Voice::plain(Language::Japanese)] {
            let text = rounds(&told, voice);
            let widest = text.lines().map(width).max();
            assert!(widest > Some(70) && widest <= Some(WIDTH), "{widest:?}: {text}");
            let none = text.lines().nth(1).unwrap();
            assert!(none.ends_with("1  ="), "{text}");
        }
    }

    #[test]
    fn a_time_has_the_unit_that_fits_it() {
        for (nanos, expected) in [(85, "85 ns"), (1_234, "1.2 us"), (1_234_567, "1.23 ms")] {
            assert_eq!(in_words(Duration::from_nanos(nanos)), expected);
        }
    }
}
