//! One script in both lanes, told one below the other, and then side by side in a few lines.

use std::fmt::Write as _;
use std::sync::Arc;

use campuscafe_api::order::Lane;

use super::columns::{WIDTH, left, wrap};
use super::style::Tone;
use super::text;
use super::voice::Voice;
use crate::lessons::{
    Conclusion, Event, Experiment, Finding, Findings, Tally, Trial, reservations,
};
use crate::messages::Message;
use crate::printable::printable;

/// Columns of the names of the table, and of each lane.
const NAME: usize = 26;
const LANE: usize = 20;

/// What there is to say about an event, if anything.
pub(super) fn of(event: Event<'_>, voice: Voice) -> Option<String> {
    match event {
        Event::ExperimentBegan(experiment) => Some(heading(experiment, voice)),
        Event::TrialBegan { trial, seed } => Some(lane(trial, seed, voice)),
        Event::Judged(judged) => Some(finding(judged, voice)),
        Event::ExperimentEnded(findings) => Some(closing(findings, voice)),
        Event::AllEnded(_) => None,
        event => text::of(event, voice),
    }
}

fn heading(experiment: &Experiment, voice: Voice) -> String {
    let heading = Message::new("compare-heading")
        .with("name", experiment.name)
        .with("title", experiment.title_of_comparison());
    format!("\n{}\n", voice.strong(&wrap(&voice.put(&heading), WIDTH).join("\n")))
}

/// The message that names a lane.
pub(crate) const fn name(lane: Lane) -> &'static str {
    match lane {
        Lane::Naive => "compare-naive",
        Lane::Cured => "compare-cured",
    }
}

fn lane(trial: &Trial, seed: u64, voice: Voice) -> String {
    let lane = voice.say(trial.act.lane().map_or("", name));
    let rule = "=".repeat(WIDTH);
    format!("\n{rule}\n{}\n{}", voice.strong(&lane), text::announcement(trial, seed, voice))
}

fn finding(finding: &Finding, voice: Voice) -> String {
    let why = wrap(&printable(&voice.put(&finding.verdict.why)), WIDTH).join("\n");
    let (evidence, places) = (text::evidence(finding, voice), text::places(finding, voice));
    format!("{evidence}\n{why}\n{places}")
}

fn closing(findings: &Findings, voice: Voice) -> String {
    let mut text = format!("\n{}\n", "=".repeat(WIDTH));
    if let Some(rows) = table(&findings.all) {
        let line = |name: &str, cells: [String; 2]| {
            let [naive, cured] = cells;
            format!("  {}{}{cured}\n", left(name, NAME), left(&naive, LANE))
        };
        let heads = [Lane::Naive, Lane::Cured].map(|lane| voice.say(name(lane)));
        text.push_str(&voice.strong(&line("", heads)));
        for (name, cells) in rows {
            text.push_str(&line(&voice.say(name), cells.map(|cell| voice.put(&cell))));
        }
        text.push('\n');
    }
    let conclusion = findings.conclusion();
    let word = voice.conclusion(conclusion, !findings.is_incomplete());
    let verdict = wrap(&voice.put(&verdict(findings.conclusion(), &findings.all)), WIDTH - 2);
    let _ =
        writeln!(text, "{}\n  {}", voice.tone(Tone::of(conclusion), &word), verdict.join("\n  "));
    text
}

/// What customers know of, what was made, and the difference, for each lane.
pub(crate) fn table(findings: &[Arc<Finding>]) -> Option<[(&'static str, [Message; 2]); 3]> {
    let [naive, cured] = tallies(findings)?;
    let row = |cell: fn(Tally) -> Message| [cell(naive), cell(cured)];
    Some([
        ("compare-told", row(|tally| reservations(tally.told))),
        ("compare-made", row(|tally| reservations(tally.reserved))),
        (
            "compare-gap",
            row(|tally| Message::new("compare-count").with("count", tally.gap.to_string())),
        ),
    ])
}

fn tallies(findings: &[Arc<Finding>]) -> Option<[Tally; 2]> {
    let [naive, cured] = findings else { return None };
    Some([naive.tally()?, cured.tally()?])
}

/// What both lanes come to, in a sentence.
pub(crate) fn verdict(conclusion: Conclusion, findings: &[Arc<Finding>]) -> Message {
    let shown = findings.iter().map(|finding| finding.verdict.conclusion.is_shown());
    match (conclusion, shown.collect::<Vec<_>>().as_slice(), tallies(findings)) {
        (Conclusion::Shown, _, Some([naive, cured])) if naive.gap != cured.gap => {
            Message::new("compare-shown-gap")
                .with("naive", naive.gap.to_string())
                .with("cured", cured.gap.to_string())
        }
        (Conclusion::Shown, ..) => Message::new("compare-shown"),
        (Conclusion::Incomplete, ..) => Message::new("compare-incomplete"),
        (Conclusion::NotShown, [false, _], _) => Message::new("compare-no-pain"),
        (Conclusion::NotShown, ..) => Message::new("compare-no-cure"),
    }
}
