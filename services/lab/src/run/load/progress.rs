//! How it goes while it goes: one line that is rewritten on a terminal, a line
//! now and then elsewhere. On stderr, since stdout belongs to the summary.

use std::io::{IsTerminal as _, stderr};
use std::sync::Arc;
use std::time::Duration;

use campuscafe_evidence::load::Gap;
use campuscafe_evidence::load::reading::Reading;
use campuscafe_evidence::load::tally::{Ended, Tally};
use tokio::sync::watch;
use tokio::time::{Instant, interval, interval_at};

use super::Shared;
use crate::run::Bench;
use crate::stderr;

/// How often the services are read.
const READ_EVERY: Duration = Duration::from_millis(500);

/// How often a line is rewritten on a terminal.
const REWRITE_EVERY: Duration = Duration::from_millis(500);

/// How often a line is written where lines stay.
const LINE_EVERY: Duration = Duration::from_secs(5);

/// Takes back the line on a terminal.
const ERASE: &str = "\r\x1b[K";

/// What the progress is read from.
pub(super) struct Watched {
    bench: Bench,
    before: Reading,
    shared: Arc<Shared>,
}

impl Watched {
    pub(super) const fn new(bench: Bench, before: Reading, shared: Arc<Shared>) -> Self {
        Self { bench, before, shared }
    }
}

/// Says how it goes until it is dropped. Services that do not answer delay only
/// what is known of them.
pub(super) async fn say(watched: Watched, begun: Instant) {
    let Watched { bench, before, shared } = watched;
    let (gap, mut latest) = watch::channel(Some(Gap::default()));
    let read = async {
        let mut again = interval(READ_EVERY);
        loop {
            again.tick().await;
            let now = bench.reading().await;
            gap.send_replace(now.ok().map(|now| Gap::of(&now.jumps(&before))));
        }
    };
    let line = Line { begun, terminal: stderr().is_terminal() };
    let every = if line.terminal { REWRITE_EVERY } else { LINE_EVERY };
    let say = async {
        let mut again = interval_at(begun + every, every);
        let (mut said, mut over) = (begun, 0);
        loop {
            again.tick().await;
            let (now, tally) = (Instant::now(), shared.tally().clone());
            let rate = (tally.over() - over) as f64 / (now - said).as_secs_f64();
            (said, over) = (now, tally.over());
            line.write(rate, shared.under_way(), &tally, *latest.borrow_and_update());
        }
    };
    tokio::join!(read, say);
}

/// Says something else; on a terminal it takes the place of the line.
pub(super) fn aside(text: &str) {
    let start = if stderr().is_terminal() { ERASE } else { "" };
    stderr::write(format!("{start}{text}\n"));
}

struct Line {
    begun: Instant,
    terminal: bool,
}

impl Line {
    fn write(&self, rate: f64, under_way: u64, tally: &Tally, gap: Option<Gap>) {
        let line = line(self.begun.elapsed(), rate, under_way, tally, gap);
        let (start, end) = if self.terminal { (ERASE, "") } else { ("", "\n") };
        stderr::write(format!("{start}{line}{end}"));
    }
}

impl Drop for Line {
    /// Leaves the line for what comes after it.
    fn drop(&mut self) {
        if self.terminal {
            stderr::write(ERASE);
        }
    }
}

fn line(elapsed: Duration, rate: f64, under_way: u64, tally: &Tally, gap: Option<Gap>) -> String {
    let mut line = format!("{:>4} s  {rate:.0}/s  in flight {under_way}", elapsed.as_secs());
    for ended in Ended::ALL {
        let count = tally.of(ended);
        // What rarely happens is only said when it does.
        if count > 0 || matches!(ended, Ended::Told(_)) {
            line.push_str(&format!("  {} {count}", ended.as_str()));
        }
    }
    if tally.not_sent > 0 {
        line.push_str(&format!("  not sent {}", tally.not_sent));
    }
    match gap {
        Some(Gap { gap, .. }) => line.push_str(&format!("  gap {gap}")),
        None => line.push_str("  gap ? (the services do not answer)"),
    }
    line
}

#[cfg(test)]
mod tests {
    use campuscafe_api::order::Outcome;

    use super::*;

    #[test]
    fn the_line_says_what_is_rare_only_when_it_happens() {
        let mut tally = Tally::new().unwrap();
        let first = line(Duration::from_secs(3), 9.6, 2, &tally, Some(Gap::default()));
        assert_eq!(first, "   3 s  10/s  in flight 2  confirmed 0  failed 0  unknown 0  gap 0");
        tally.count(Ended::Told(Outcome::Confirmed), Duration::ZERO);
        tally.count(Ended::Shed, Duration::ZERO);
        tally.not_sent = 7;
        let second = line(Duration::from_secs(3), 9.6, 2, &tally, None);
        assert_eq!(
            second,
            "   3 s  10/s  in flight 2  confirmed 1  failed 0  unknown 0  shed 1  not sent 7  \
             gap ? (the services do not answer)"
        );
    }
}
