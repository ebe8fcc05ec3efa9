//! A storm: its charts while it goes on, and what came of both lanes.

use std::sync::Arc;

use campuscafe_api::order::Lane;
use maud::{Markup, html};

use super::outcome::{links, verdict};
use super::run::picture_id;
use super::{Reader, View};
use crate::lessons::{Experiment, Finding, Storm, StormLane, StormPhase, StormPlan};
use crate::view::svg::{self, Shape, Sheet};
use crate::view::voice::Voice;
use crate::view::{compare, storm};

/// Why a lab cannot run a storm: its container has less memory than that needs, in MiB.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct NoRoom {
    pub(crate) has: u64,
    pub(crate) needs: u64,
}

/// What stands in the place of the form that begins a storm.
pub(super) fn no_room(reader: Reader, experiment: &Experiment, room: NoRoom) -> Markup {
    let values = [("has", room.has.into()), ("needs", room.needs.into())];
    html! {
        section class="card" {
            p { (reader.language.tell("storm-no-room", &values)) }
            (command(experiment))
        }
    }
}

/// The storm as far as it has come, in the place of the complete charts. Nothing in it is
/// announced or can be pressed: the next second takes its place.
pub(super) fn growing(reader: Reader, seen: &Storm) -> Markup {
    let (second, seconds) = (seen.seconds(), seen.plan.ends);
    let values = [("second", second.into()), ("seconds", seconds.into())];
    let label = reader.language.tell("storm-second", &values);
    html! {
        section class="growing storm" aria-label=(reader.say("so-far-name")) {
            figure class="card diagram" {
                p class="so-far" {
                    progress value=(second) max=(seconds) aria-label=(label) {}
                    " " (label)
                }
                (charts(reader, seen, "storm-so-far"))
            }
        }
    }
}

/// Where a storm is that goes on, in a sentence.
pub(super) fn status(reader: Reader, seen: &Storm) -> std::borrow::Cow<'static, str> {
    let StormPlan { rate, extra, .. } = seen.plan;
    let id = match seen.phase() {
        StormPhase::Starting => "storm-starting",
        StormPhase::Before => "storm-before",
        StormPhase::During => "storm-during",
        StormPhase::After => "storm-over",
    };
    reader.language.tell(id, &[("rate", rate.into()), ("all", (rate + extra).into())])
}

/// The charts of a storm that is over, its figures and the verdict.
pub(super) fn ended(
    reader: Reader,
    view: &View<'_>,
    finding: &Arc<Finding>,
    seen: &Storm,
    number: usize,
) -> Markup {
    html! {
        h2 id=(picture_id(number)) { (reader.say("storm-charts")) }
        figure class="card diagram storm" { (charts(reader, seen, "storm")) }
        (verdict(reader, view, finding))
        h2 { (reader.say("storm-figures")) }
        section class="card" { (figures(reader, seen)) }
        details class="card" {
            summary { (reader.say("picture-text")) }
            pre class="table" tabindex="0" { (storm::draw(seen, Voice::plain(reader.language))) }
        }
        details class="card" {
            summary { (reader.say("storm-each-second")) }
            (each_second(reader, seen))
        }
        (links(reader, view.id, finding))
    }
}

/// Both shapes of the charts, and what their signs mean.
fn charts(reader: Reader, seen: &Storm, prefix: &str) -> Markup {
    let text = storm::in_words(seen, reader.language);
    html! {
        @let capacity = [("capacity", seen.plan.capacity.into())];
        figcaption { p class="hint" { (reader.language.tell("storm-caption", &capacity)) } }
        @for (name, shape) in [("wide", Shape::Wide), ("narrow", Shape::Narrow)] {
            @let prefix = format!("{prefix}-{name}");
            (svg::storm(seen, reader.language, Sheet { prefix: &prefix, text: &text, shape }))
        }
        (svg::storm_legend(reader.language))
    }
}

/// Both lanes in figures, line by line.
fn figures(reader: Reader, seen: &Storm) -> Markup {
    let lanes = [Lane::Naive, Lane::Cured].map(|lane| reader.say(compare::name(lane)));
    html! {
        div class="scroll" { table class="sides" {
            thead { tr { td {} @for lane in &lanes { th scope="col" { (lane) } } } }
            tbody { @for (name, cells) in storm::figures(seen) { tr {
                th scope="row" { (reader.say(name)) }
                @for (lane, cell) in lanes.iter().zip(&cells) {
                    td data-head=(lane) { (reader.language.put(cell)) }
                }
            } } }
        } }
    }
}

/// What the charts draw, as numbers.
fn each_second(reader: Reader, seen: &Storm) -> Markup {
    let heads = ["storm-naive", "storm-cured"].map(|lane| {
        ["storm-told-of", "storm-queue-of"].map(|id| {
            let lane = [("lane", reader.say(lane).into_owned().into())];
            reader.language.tell(id, &lane)
        })
    });
    let cells = |lane: &StormLane, second: usize| {
        let told = lane.goodput.get(second).map(u32::to_string);
        let queue = lane.queue.get(second).copied().flatten().map(|length| length.to_string());
        [told, queue].map(|cell| cell.unwrap_or_else(|| "?".to_owned()))
    };
    html! {
        div class="scroll" tabindex="0" role="group" aria-label=(reader.say("storm-each-second")) {
            table class="numbers" {
                thead { tr {
                    th scope="col" { (reader.say("storm-col-second")) }
                    @for head in heads.iter().flatten() { th scope="col" { (head) } }
                } }
                tbody { @for second in 0..seen.naive.goodput.len() { tr {
                    th scope="row" { (second + 1) }
                    @for cell in [&seen.naive, &seen.cured].iter().flat_map(|lane| cells(lane, second)) {
                        td { (cell) }
                    }
                } } }
            }
        }
    }
}

/// How a storm is run where the lab cannot.
pub(super) fn in_terminal(reader: Reader, experiment: &Experiment) -> Markup {
    html! {
        p class="hint" { (reader.say("storm-terminal")) }
        (command(experiment))
    }
}

fn command(experiment: &Experiment) -> Markup {
    html! {
        pre class="request" tabindex="0" { code { "campuscafe compare " (experiment.name) } }
    }
}

#[cfg(test)]
mod tests;
