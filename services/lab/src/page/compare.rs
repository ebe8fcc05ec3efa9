//! One script in both lanes: both pictures beside each other on one time axis, both ledgers,
//! what was decided under the keys, and what the comparison comes to.

use std::sync::Arc;

use campuscafe_api::inventory::Key;
use campuscafe_api::order::Lane;
use campuscafe_evidence::diagram::Diagram;
use maud::{Markup, html};

use super::frame::{Place, page, run_form};
use super::outcome::class_of;
use super::{Case, NoRoom, Reader, keys, storm};
use crate::lessons::{Conclusion, Evidence, Experiment, Finding};
use crate::messages::Language;
use crate::view::svg::{self, Shape, Sheet, Words};
use crate::view::{compare, diagram, script};

/// Where a comparison is shown.
pub(super) fn path(experiment: &Experiment) -> String {
    format!("/compare/{}", experiment.name)
}

/// The page that begins a comparison; for a storm there may be no room.
pub(crate) fn comparison(
    reader: Reader,
    experiment: &'static Experiment,
    no_room: Option<NoRoom>,
) -> String {
    let is_storm = experiment.storm().is_some();
    let invites = if is_storm { "compare-predict-storm" } else { "compare-predict" };
    let main = html! {
        (situation(reader, experiment))
        @match no_room.filter(|_| is_storm) {
            Some(no_room) => (storm::no_room(reader, experiment, no_room)),
            None => {
                (run_form(reader, ("compare", experiment), invites))
                @if is_storm { section { (storm::in_terminal(reader, experiment)) } }
            }
        }
    };
    let (path, lesson) = (path(experiment), Some(Case { experiment, number: 1 }));
    page(reader, &Place { path: &path, lesson }, &title(reader, experiment), &main)
}

fn title(reader: Reader, experiment: &Experiment) -> String {
    let title = [("title", experiment.title_of_comparison().into())];
    reader.language.tell("compare-title", &title).into_owned()
}

/// What is compared.
pub(super) fn situation(reader: Reader, experiment: &'static Experiment) -> Markup {
    let lesson = Case::find(experiment.name, 1);
    html! {
        section class="lesson" { header {
            h1 { (title(reader, experiment)) }
            @if experiment.compares() {
                p class="lead" { (reader.say("compare-lead")) }
                dl class="lanes-do" { @for trial in experiment.trials {
                    dt { (lane(reader, trial.act.lane())) }
                    dd { (reader.say(trial.caption)) }
                } }
            } @else {
                @for trial in experiment.trials { p class="lead" { (reader.say(trial.caption)) } }
            }
            @if let Some(lesson) = lesson {
                p class="hint" { a href=(lesson.path()) { (lesson.title(reader)) } }
            }
        } }
    }
}

fn lane(reader: Reader, lane: Option<Lane>) -> std::borrow::Cow<'static, str> {
    lane.map_or_else(Default::default, |lane| reader.say(compare::name(lane)))
}

/// The pictures of both lanes, their ledgers, the keys, and the verdict.
pub(super) fn compared(
    reader: Reader,
    experiment: &Experiment,
    findings: &[Arc<Finding>],
    decided: &[Key],
) -> Markup {
    let conclusion = findings.iter().map(|finding| finding.verdict.conclusion).max();
    let conclusion = conclusion.unwrap_or(Conclusion::Incomplete);
    html! {
        section class="worlds lanes" {
            @for ((trial, finding), picture) in
                experiment.trials.iter().zip(findings).zip(pictures(reader, findings))
            {
                div {
                    figure class="card diagram" {
                        figcaption { h2 { (lane(reader, trial.act.lane())) } p { (reader.say(trial.caption)) } }
                        @match picture {
                            Some(picture) => (picture),
                            None => p class="empty" { (reader.say("no-picture")) },
                        }
                    }
                    (ledger(reader, finding))
                    @if let Evidence::Script(played) = &finding.evidence {
                        (keys::of_script(reader, played))
                    }
                }
            }
        }
        section class=(class_of(conclusion)) {
            h2 { (reader.say("verdict")) }
            p class="lead" { (reader.language.put(&compare::verdict(conclusion, findings))) }
            (table(reader, findings))
        }
        (keys::now(reader, decided))
        h2 { (reader.say("compare-each")) }
    }
}

/// A picture of each finding; on one time axis if both have one.
fn pictures(reader: Reader, findings: &[Arc<Finding>]) -> Vec<Option<Markup>> {
    let drawn: Vec<_> = findings.iter().map(|finding| drawing(reader.language, finding)).collect();
    let words = Words(reader.language);
    let (shape, names) = (Shape::Narrow, ["lane-naive", "lane-cured"]);
    if let [Some((one, naive)), Some((two, cured))] = &drawn[..] {
        let sheet = |prefix, text| Sheet { prefix, text, shape };
        let sheets = [sheet(names[0], naive), sheet(names[1], cured)];
        return svg::beside([one, two], words, sheets).map(Some).into();
    }
    let alone = |(drawn, prefix): (&Option<(Diagram, String)>, &str)| {
        let (drawn, text) = drawn.as_ref()?;
        Some(svg::draw(drawn, words, Sheet { prefix, text, shape }))
    };
    drawn.iter().zip(names).map(alone).collect()
}

/// What there is to draw of a finding, and the same as text.
fn drawing(language: Language, finding: &Finding) -> Option<(Diagram, String)> {
    match &finding.evidence {
        Evidence::Order(order) => {
            let order_trace = order.order_trace.as_ref()?;
            Some((Diagram::of(order_trace), diagram::text(order_trace, language)))
        }
        Evidence::Script(played) => {
            Some((played.diagram()?, script::picture(played.calls.as_ref()?, language)))
        }
        _ => None,
    }
}

/// What the customer knows of, what was made, and the difference.
fn ledger(reader: Reader, finding: &Finding) -> Markup {
    let Some(tally) = finding.tally() else { return html! {} };
    let count = |count: u64| reader.language.tell("reservations", &[("count", count.into())]);
    html! {
        dl class="ledger" {
            div class="tile" { dt { (reader.say("ledger-known")) } dd { (count(tally.told)) } }
            div class="tile" { dt { (reader.say("ledger-made")) } dd { (count(tally.reserved)) } }
            div class=(if tally.gap == 0 { "tile" } else { "tile gap" }) {
                dt { (reader.say("ledger-gap")) }
                dd { (tally.gap) }
            }
        }
    }
}

/// Both ledgers, line by line.
fn table(reader: Reader, findings: &[Arc<Finding>]) -> Markup {
    let Some(rows) = compare::table(findings) else { return html! {} };
    let lanes = [Lane::Naive, Lane::Cured].map(|lane| reader.say(compare::name(lane)));
    html! {
        div class="scroll" { table class="sides" {
            thead { tr { td {} @for lane in &lanes { th scope="col" { (lane) } } } }
            tbody { @for (name, cells) in &rows { tr {
                th scope="row" { (reader.say(name)) }
                @for (lane, cell) in lanes.iter().zip(cells) {
                    td data-head=(lane) { (reader.language.put(cell)) }
                }
            } } }
        } }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lessons::comparisons;

    #[test]
    fn each_comparison_has_its_page_in_both_languages_and_begins_with_a_form() {
        for language in [Language::English, Language::Japanese] {
            for experiment in comparisons() {
                let page = comparison(Reader { language, wall: false }, experiment, None);
                let begins = format!("name=\"compare\" value=\"{}\"", experiment.name);
                assert!(page.contains(&begins) && page.contains("action=\"/runs\""), "{page}");
                for id in ["compare-", "caption-", "title-", "lesson-"] {
                    assert!(!page.contains(&format!(">{id}")), "{id} in {page}");
                }
            }
        }
    }
}
