//! How it goes while it goes: one line that is rewritten on a terminal, a line
//! now and then elsewhere. On stderr, since stdout belongs to the summary.

use std::io::{IsTerminal as _, Write as _, stderr};
use std::time::Duration;

use campuscafe_api::order::Outcome;
use tokio::time::Instant;

use super::summary::Gap;
use super::tally::{Ended, Tally};
use crate::evidence::counters::Counters;

/// How often a line is written where lines stay.
const LINE_EVERY: Duration = Duration::from_secs(5);

pub(crate) struct Progress {
    begun: Instant,
    said: Instant,
    over: u64,
    terminal: bool,
}

impl Progress {
    pub(crate) fn new(begun: Instant) -> Self {
        Self { begun, said: begun, over: 0, terminal: stderr().is_terminal() }
    }

    pub(crate) fn say(&mut self, tally: &Tally, under_way: usize, jumps: &Counters) {
        let since = self.said.elapsed();
        if since.is_zero() || (!self.terminal && since < LINE_EVERY) {
            return;
        }
        let rate = (tally.over() - self.over) as f64 / since.as_secs_f64();
        (self.said, self.over) = (Instant::now(), tally.over());
        let line = line(self.begun.elapsed(), rate, under_way, tally, &Gap::of(jumps));
        let (start, end) = if self.terminal { ("\r\x1b[K", "") } else { ("", "\n") };
        let _ = write!(stderr(), "{start}{line}{end}");
    }

    /// Leaves the line for what comes after it.
    pub(crate) fn end(&self) {
        if self.terminal {
            let _ = write!(stderr(), "\r\x1b[K");
        }
    }
}

fn line(elapsed: Duration, rate: f64, under_way: usize, tally: &Tally, gap: &Gap) -> String {
    let count = |outcome| tally.of(Ended::Told(outcome));
    format!(
        "{:>4} s  {rate:.0}/s  in flight {under_way}  confirmed {}  failed {}  unknown {}  gap {}",
        elapsed.as_secs(),
        count(Outcome::Confirmed),
        count(Outcome::Failed),
        count(Outcome::Unknown),
        gap.gap
    )
}
