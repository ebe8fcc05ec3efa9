//! How a load or a storm goes while it goes: one line that is rewritten on a terminal, a line
//! now and then elsewhere. On stderr, since stdout belongs to what came of it.

use std::io::{IsTerminal as _, stderr};
use std::time::Duration;

use campuscafe_evidence::load::LoadLedger;
use campuscafe_evidence::load::tally::OrderResult;

use super::load::name;
use super::voice::Voice;
use crate::lessons::load::{LoadEvent, Progress};
use crate::lessons::{Storm, StormLane};
use crate::messages::Message;
use crate::stderr;

/// How often a line is rewritten on a terminal.
const REWRITE_EVERY: Duration = Duration::from_millis(500);

/// How often a line is written where lines stay.
const LINE_EVERY: Duration = Duration::from_secs(5);

/// Takes back the line on a terminal.
const ERASE: &str = "\r\x1b[K";

/// Where the line is written.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ProgressLine {
    terminal: bool,
    voice: Voice,
}

impl ProgressLine {
    pub(crate) fn on_stderr(voice: Voice) -> Self {
        Self { terminal: stderr().is_terminal(), voice }
    }

    /// How often it wants to be told how it goes.
    pub(crate) const fn every(self) -> Duration {
        if self.terminal { REWRITE_EVERY } else { LINE_EVERY }
    }

    pub(crate) fn tell(self, event: LoadEvent<'_>) {
        let (start, end) = if self.terminal { (ERASE, "") } else { ("", "\n") };
        match event {
            LoadEvent::Progress(progress) => {
                stderr::write(format!("{start}{}{end}", line(progress, self.voice)));
            }
            // On a terminal it takes the place of the line.
            LoadEvent::Waiting { under_way, limit } => {
                let values = [("count", under_way.into()), ("limit", limit.as_secs().into())];
                stderr::write(format!("{start}{}\n", self.voice.tell("load-waiting", &values)));
            }
            LoadEvent::Settling { unknown, limit } => {
                let values = [("count", unknown.into()), ("limit", limit.as_secs().into())];
                stderr::write(format!("{start}{}\n", self.voice.tell("load-settling", &values)));
            }
            // Leaves the line for what comes after it.
            LoadEvent::Over if self.terminal => stderr::write(ERASE),
            LoadEvent::Over => {}
        }
    }
}

impl ProgressLine {
    /// Tells the second of a storm that is over.
    pub(super) fn tell_storm(self, storm: &Storm) {
        let (second, seconds) = (storm.seconds(), storm.plan.ends);
        let is_last = second >= seconds;
        if self.terminal {
            let line = if is_last { String::new() } else { storm_line(storm, self.voice) };
            stderr::write(format!("{ERASE}{line}"));
        } else if u64::from(second).is_multiple_of(LINE_EVERY.as_secs()) {
            stderr::write(format!("{}\n", storm_line(storm, self.voice)));
        }
    }
}

fn storm_line(storm: &Storm, voice: Voice) -> String {
    let last = |lane: &StormLane| lane.goodput.last().copied().unwrap_or_default();
    let told = Message::new("storm-progress")
        .with("second", storm.seconds())
        .with("seconds", storm.plan.ends)
        .with("naive", last(&storm.naive))
        .with("cured", last(&storm.cured));
    voice.put(&told)
}

fn line(progress: Progress<'_>, voice: Voice) -> String {
    let Progress { elapsed, rate, under_way, tally, gap } = progress;
    let [in_flight, not_sent, gap_now] =
        ["load-in-flight", "load-not-sent", "load-gap-now"].map(|id| voice.say(id));
    let mut line = format!("{:>4} s  {rate:.0}/s  {in_flight} {under_way}", elapsed.as_secs());
    for ended in OrderResult::ALL {
        let count = tally.of(ended);
        // What rarely happens is only said when it does.
        if count > 0 || matches!(ended, OrderResult::Answered(_)) {
            line.push_str(&format!("  {} {count}", name(ended, voice)));
        }
    }
    if tally.not_sent > 0 {
        line.push_str(&format!("  {not_sent} {}", tally.not_sent));
    }
    match gap {
        Some(LoadLedger { gap, .. }) => line.push_str(&format!("  {gap_now} {gap}")),
        None => line.push_str(&format!("  {gap_now} {}", voice.say("load-gap-unknown"))),
    }
    line
}

#[cfg(test)]
mod tests {
    use campuscafe_api::order::Outcome;
    use campuscafe_evidence::load::tally::Tally;

    use super::*;
    use crate::view::columns::{WIDTH, width};

    fn at_3_s(tally: &Tally, gap: Option<LoadLedger>) -> Progress<'_> {
        Progress { elapsed: Duration::from_secs(3), rate: 9.6, under_way: 2, tally, gap }
    }

    #[test]
    fn a_storm_tells_the_second_that_is_over_in_80_columns() {
        let mut storm = crate::lessons::storm_testing::storm();
        storm.naive.goodput.truncate(12);
        storm.cured.goodput.truncate(12);
        let told = storm_line(&storm, Voice::ENGLISH);
        let [naive, cured] = [&storm.naive, &storm.cured].map(|lane| lane.goodput[11]);
        assert_eq!(
            told,
            format!(
                "second 12 of 60: the naive lane served {naive} customers, the cured lane {cured}"
            )
        );
        let japanese = storm_line(&storm, Voice::plain(crate::messages::Language::Japanese));
        assert!(width(&told) <= WIDTH && width(&japanese) <= WIDTH, "{japanese}");
    }

    #[test]
    fn the_line_says_what_is_rare_only_when_it_happens() {
        let mut tally = Tally::new().unwrap();
        let first = line(at_3_s(&tally, Some(LoadLedger::default())), Voice::ENGLISH);
        assert_eq!(first, "   3 s  10/s  in flight 2  confirmed 0  failed 0  unknown 0  gap 0");
        tally.count(OrderResult::Answered(Outcome::Confirmed), Duration::ZERO);
        tally.count(OrderResult::Shed, Duration::ZERO);
        tally.not_sent = 7;
        let second = line(at_3_s(&tally, None), Voice::ENGLISH);
        assert_eq!(
            second,
            "   3 s  10/s  in flight 2  confirmed 1  failed 0  unknown 0  shed 1  not sent 7  \
             gap ? (the services do not answer)"
        );
    }
}
