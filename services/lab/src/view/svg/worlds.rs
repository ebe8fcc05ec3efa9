//! Orders that look the same to the customer and to the order service, in one picture: what
//! those two did is drawn once, and each world has an inventory of its own.
//!
//! The rows are the steps of the order service, in their order. What an inventory did between
//! two of them stands between those rows, world by world. Times have no place in it: they
//! differ from world to world.

use campuscafe_evidence::diagram::{Bar, Diagram, Lane, Step};
use maud::{Markup, html};

use super::frame::Frame;
use super::row::Row;
use super::{Shape, Sheet, Words};

/// A step of all worlds, or of the world in this place.
struct MergedStep {
    world: Option<usize>,
    step: Step,
}

/// The steps of all worlds.
struct Merged {
    steps: Vec<MergedStep>,
    /// For each world, the place of each of its steps among them.
    places: Vec<Vec<usize>>,
}

/// Draws orders, each with a name whose first word is short. None if they are not the same to the order service, or if
/// one of them has more attempts than its world has columns.
pub(crate) fn worlds(
    worlds: &[(String, &Diagram)],
    words: Words,
    sheet: Sheet<'_>,
) -> Option<Markup> {
    let diagrams: Vec<_> = worlds.iter().map(|(_, diagram)| *diagram).collect();
    let merged = merge(&diagrams)?;
    let frame = Frame::of_worlds(sheet.shape, worlds.len());
    let mut bottom = frame.top + 4;
    let mut rows = Vec::new();
    for (index, MergedStep { world, step }) in merged.steps.iter().enumerate() {
        let name = world.and_then(|world| worlds.get(world));
        let name = name.map(|(name, _)| short(name));
        let mut row = Row::of_world(index, step, name, words, &frame);
        bottom = row.put(&frame, bottom);
        rows.push((*world, row));
    }
    let bottom = bottom + 6;
    let axis = |row: usize| rows.get(row).map_or(bottom, |(_, row)| row.axis);
    let columns: Vec<_> = diagrams.iter().enumerate().map(columns).collect();
    let (width, height) = (frame.width, bottom + 8);
    let id = |name: &str| format!("{}-{name}", sheet.prefix);
    Some(html! {
        svg class=(sheet.shape.class()) role="img" viewBox={ "0 0 " (width) " " (height) }
            width=(width) height=(height)
            aria-labelledby=(id("title")) aria-describedby=(id("text")) {
            title id=(id("title")) { (words.worlds_title()) }
            desc id=(id("text")) { (sheet.text) }
            defs { (super::hatch(&id("hatch"))) }
            @for (_, row) in &rows { (row.band(&frame)) }
            (super::lanes(&frame, words, bottom))
            @for (place, (name, _)) in worlds.iter().enumerate() {
                path class="life" d={ "M" (frame.column(place)) " " (frame.top) "V" (bottom) } {}
                (frame.world(place, if sheet.shape == Shape::Wide { name } else { short(name) }))
            }
            (waits(&merged, &frame, &axis))
            @for (place, (diagram, places)) in diagrams.iter().zip(&merged.places).enumerate() {
                @let row = |step: usize| places.get(step).map_or(bottom, |row| axis(*row));
                (work(diagram, &frame, place, &row, &id("hatch")))
            }
            @for (world, row) in &rows {
                @match world.and_then(|world| columns.get(world)) {
                    Some(own) => (row.draw_worlds(&frame, std::slice::from_ref(own))),
                    None => (row.draw_worlds(&frame, &columns)),
                }
            }
        }
    })
}

/// The first word of a world's name.
fn short(name: &str) -> &str {
    name.split(' ').next().unwrap_or(name)
}

/// Brings the steps of all worlds into one order, if the order service has the same in each.
fn merge(worlds: &[&Diagram]) -> Option<Merged> {
    let mut merged = Merged { steps: Vec::new(), places: vec![Vec::new(); worlds.len()] };
    if worlds.iter().any(|world| world.bars.len() > 1) {
        return None;
    }
    loop {
        for (place, (world, places)) in worlds.iter().zip(&mut merged.places).enumerate() {
            let own = world.steps.iter().skip(places.len()).take_while(|step| !is_shared(step));
            for step in own {
                places.push(merged.steps.len());
                merged.steps.push(MergedStep { world: Some(place), step: step.clone() });
            }
        }
        let next = worlds.iter().zip(&merged.places).map(|(world, places)| {
            world.steps.get(places.len()).and_then(|step| step.known_to(Lane::Order))
        });
        let next: Vec<Option<Step>> = next.collect();
        let timeless = |step: &Option<Step>| step.clone().map(|step| Step { at: 0, ..step });
        let mut all = next.iter().map(timeless);
        let first = all.next()?;
        if all.any(|other| other != first) {
            return None;
        }
        let Some(step) = first else { return Some(merged) };
        for places in &mut merged.places {
            places.push(merged.steps.len());
        }
        merged.steps.push(MergedStep { world: None, step });
    }
}

fn is_shared(step: &Step) -> bool {
    step.known_to(Lane::Order).is_some()
}

/// The bars of a world in the column of the world.
fn columns((place, world): (usize, &&Diagram)) -> Vec<Bar> {
    let bar = |bar: &Bar| Bar { column: place, ..bar.clone() };
    world.bars.iter().map(bar).collect()
}

/// From the first to the last step of the order service, it and the customer wait.
fn waits(merged: &Merged, frame: &Frame, axis: &dyn Fn(usize) -> i32) -> Markup {
    let shared = |merged: &MergedStep| merged.world.is_none();
    let from = merged.steps.iter().position(shared);
    let to = merged.steps.iter().rposition(shared);
    html! {
        @if let (Some(from), Some(to)) = (from, to) {
            @for lane in [Lane::Customer, Lane::Order] {
                (frame.bar("wait", frame.lane(lane), axis(from), axis(to)))
            }
        }
    }
}

fn work(
    world: &Diagram,
    frame: &Frame,
    place: usize,
    row: &dyn Fn(usize) -> i32,
    hatch: &str,
) -> Markup {
    let x = frame.column(place);
    html! {
        @for phase in world.bars.iter().flat_map(|bar| &bar.phases) {
            @let bar = |class| frame.bar(class, x, row(phase.from), row(phase.to));
            @if phase.awaited { (bar("work")) }
            @else { g fill={ "url(#" (hatch) ")" } { (bar("unheard")) } }
        }
    }
}
