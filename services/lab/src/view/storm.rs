//! A storm: goodput second by second in both lanes, on one axis.

use std::fmt::Write as _;
use std::ops::Range;

use serde_json::{Value, json};

use super::columns::{left, right};
use super::voice::Voice;
use crate::lessons::{Storm, StormLane, StormPlan, tenths};
use crate::messages::{Language, Message};

/// Lines of a chart.
const HEIGHT: u32 = 4;

/// Columns before a chart.
const AXIS: usize = 8;

/// Both charts, and the numbers below them. A column is a second.
pub(crate) fn draw(storm: &Storm, voice: Voice) -> String {
    let Storm { plan, naive, cured } = storm;
    let lanes = [("storm-naive", naive), ("storm-cured", cured)];
    let highest = lanes.iter().flat_map(|(_, lane)| &lane.goodput).copied().max().unwrap_or(0);
    let step = highest.div_ceil(HEIGHT).max(1);
    let mut text = format!("  {}\n", voice.say("storm-chart"));
    for (name, lane) in lanes {
        let _ = write!(text, "\n  {}\n{}", voice.say(name), chart(lane, step));
        let _ = writeln!(text, "{:>axis$} +{}", 0, "-".repeat(plan.ends as usize), axis = AXIS - 2);
    }
    let _ = writeln!(text, "{}\n{}\n", seconds(plan), mark(plan, voice));
    text + &table(storm, voice)
}

fn chart(lane: &StormLane, step: u32) -> String {
    let line = |level: u32| {
        // A column reaches a line when it fills at least half of it.
        let is_high = |told: &u32| 2 * told >= (2 * level - 1) * step;
        let bars = lane.goodput.iter().map(|told| if is_high(told) { '#' } else { ' ' });
        let line =
            format!("{:>axis$} |{}", level * step, bars.collect::<String>(), axis = AXIS - 2);
        format!("{}\n", line.trim_end())
    };
    (1..=HEIGHT).rev().map(line).collect()
}

/// The seconds below the charts, in tens.
fn seconds(plan: &StormPlan) -> String {
    let mut line = " ".repeat(AXIS);
    for second in (0..=plan.ends).step_by(10) {
        let column = AXIS + second as usize;
        line = left(&line, column) + &second.to_string();
    }
    line + " s"
}

fn mark(plan: &StormPlan, voice: Voice) -> String {
    let Range { start, end } = plan.during();
    let (before, storm) = (AXIS + start as usize, (end - start) as usize);
    format!("{}{} {}", " ".repeat(before), "^".repeat(storm), voice.say("storm-mark"))
}

/// Columns of the tables, after the first.
const COLUMNS: usize = 12;

fn table(storm: &Storm, voice: Voice) -> String {
    let Storm { plan, naive, cured } = storm;
    let row = |name: &str, cells: [String; 5]| {
        let cells: String = cells.iter().map(|cell| right(cell, COLUMNS)).collect();
        format!("  {}{cells}\n", left(&voice.say(name), 14))
    };
    let goodput = |lane: &StormLane| {
        let windows = [plan.before(), plan.during(), plan.later(), plan.last()];
        let [before, during, later, last] = windows.map(|it| format!("{:.1}/s", lane.rate(it)));
        let back = lane.back_after(plan).map_or_else(
            || voice.say("storm-never"),
            |after| voice.tell("storm-after", &[("seconds", after.into())]),
        );
        [before, during, later, last, back]
    };
    let costs = |lane: &StormLane| {
        let StormLane { retries, refused, late, .. } = lane;
        let [each, queue] =
            [format!("{:.1}", lane.attempts_each()), lane.longest_queue().to_string()];
        [each, retries.to_string(), refused.to_string(), late.to_string(), queue]
    };
    let heads = |ids: [&str; 5]| ids.map(|id| voice.say(id));
    let windows = ["col-before", "col-storm", "col-later", "col-end", "col-back"];
    let counts = ["col-attempts", "col-retries", "col-refused", "col-late", "col-queue"];
    [
        row("storm-goodput", heads(windows)),
        row("storm-naive", goodput(naive)),
        row("storm-cured", goodput(cured)),
        "\n".to_owned(),
        row("storm-work", heads(counts)),
        row("storm-naive", costs(naive)),
        row("storm-cured", costs(cured)),
    ]
    .concat()
}

/// A row of figures: the message that names it, and what it says of both lanes.
pub(crate) type Figures = (&'static str, [Message; 2]);

/// What came of both lanes, in figures.
pub(crate) fn figures(storm: &Storm) -> Vec<Figures> {
    let Storm { plan, naive, cured } = storm;
    let row = |cell: &dyn Fn(&StormLane) -> Message| [cell(naive), cell(cured)];
    let count = |count: u64| Message::new("compare-count").with("count", count.to_string());
    let rate = |window: Range<u32>| {
        row(&|lane| Message::new("storm-rate").with("rate", tenths(lane.rate(window.clone()))))
    };
    let back = |lane: &StormLane| match lane.back_after(plan) {
        Some(seconds) => Message::new("storm-after").with("seconds", seconds),
        None => Message::new("storm-never"),
    };
    vec![
        ("storm-row-before", rate(plan.before())),
        ("storm-row-during", rate(plan.during())),
        ("storm-row-later", rate(plan.later())),
        ("storm-row-last", rate(plan.last())),
        ("storm-row-back", row(&back)),
        (
            "storm-row-attempts",
            row(&|lane| Message::new("compare-count").with("count", tenths(lane.attempts_each()))),
        ),
        ("storm-row-retries", row(&|lane| count(lane.retries))),
        ("storm-row-refused", row(&|lane| count(lane.refused))),
        ("storm-row-late", row(&|lane| count(lane.late))),
        ("storm-row-queue", row(&|lane| count(lane.longest_queue().into()))),
    ]
}

/// What the charts show, in sentences, for those who cannot see them.
pub(crate) fn in_words(storm: &Storm, language: Language) -> String {
    let Storm { plan, naive, cured } = storm;
    let seconds = storm.seconds();
    let newest = |lane: &StormLane| lane.goodput.last().copied().unwrap_or(0);
    if seconds < plan.ends {
        return language
            .tell(
                "storm-so-far",
                &[
                    ("second", seconds.into()),
                    ("seconds", plan.ends.into()),
                    ("naive", newest(naive).into()),
                    ("cured", newest(cured).into()),
                ],
            )
            .into_owned();
    }
    let lane = |(name, lane): (&str, &StormLane)| {
        language.tell(
            "storm-in-words",
            &[
                ("lane", language.say(name).into_owned().into()),
                ("before", tenths(lane.rate(plan.before()))),
                ("during", tenths(lane.rate(plan.during()))),
                ("later", tenths(lane.rate(plan.later()))),
                ("last", tenths(lane.rate(plan.last()))),
                ("queue", lane.longest_queue().into()),
            ],
        )
    };
    [("storm-naive", naive), ("storm-cured", cured)].map(lane).join(" ")
}

/// The newest second that is over, for machines.
pub(super) fn second(storm: &Storm) -> Value {
    let Storm { naive, cured, .. } = storm;
    let lane =
        |lane: &StormLane| json!({ "goodput": lane.goodput.last(), "queue": lane.queue.last() });
    json!({ "second": storm.seconds(), "naive": lane(naive), "cured": lane(cured) })
}

/// The same for machines.
pub(super) fn json(storm: &Storm) -> Value {
    let Storm { plan, naive, cured } = storm;
    let lane = |lane: &StormLane| {
        json!({
            "goodput": lane.goodput,
            "queue": lane.queue,
            "before": lane.rate(plan.before()),
            "during": lane.rate(plan.during()),
            "tenSecondsLater": lane.rate(plan.later()),
            "last": lane.rate(plan.last()),
            "backAfterSeconds": lane.back_after(plan),
            "customers": lane.customers,
            "attempts": lane.attempts,
            "retries": lane.retries,
            "retriesRefused": lane.refused,
            "lateCommits": lane.late,
        })
    };
    json!({
        "plan": {
            "rate": plan.rate,
            "extra": plan.extra,
            "capacity": plan.capacity,
            "stormBegins": plan.storm_begins,
            "stormEnds": plan.storm_ends,
            "ends": plan.ends,
            "presses": plan.presses,
        },
        "naive": lane(naive),
        "cured": lane(cured),
    })
}

#[cfg(test)]
mod tests {
    use super::super::columns::{WIDTH, width};
    use super::*;
    use crate::lessons::storm_testing::storm;

    #[test]
    fn the_goodput_of_both_lanes_stands_on_one_axis_below_which_the_storm_is_marked() {
        let text = draw(&storm(), Voice::plain(Language::English));
        for line in [
            "     4 |            ##",
            "     2 |##############",
            "     3 |            ##",
            "     2 |############## #############################################".trim_end(),
            "        0         10        20        30        40        50        60 s",
            "                    ^^^ the storm",
            &format!("     0 +{}", "-".repeat(60)),
        ] {
            assert!(text.lines().any(|found| found == line), "no {line:?} in\n{text}");
        }
        let rows: Vec<Vec<&str>> = text.lines().map(|l| l.split_whitespace().collect()).collect();
        for row in [
            ["naive", "2.0/s", "2.7/s", "0.0/s", "0.0/s", "never"].as_slice(),
            &["naive", "2.0", "0", "0", "0", "7"],
        ] {
            assert!(rows.iter().any(|found| found == row), "no {row:?} in\n{text}");
        }
    }

    #[test]
    fn no_line_is_wider_than_a_terminal_in_either_language() {
        for language in [Language::English, Language::Japanese] {
            let text = draw(&storm(), Voice::plain(language));
            assert!(text.lines().all(|line| width(line) <= WIDTH), "{text}");
        }
    }

    #[test]
    fn machines_get_every_second_and_what_it_comes_to() {
        let json = json(&storm());
        assert_eq!(json["naive"]["goodput"].as_array().map(Vec::len), Some(60));
        assert_eq!((&json["naive"]["last"], &json["cured"]["last"]), (&json!(0.0), &json!(2.0)));
        assert_eq!(json["naive"]["queue"], json!([null, 7]));
    }
}
