//! A space–time diagram as SVG, for a page: rows are steps, lanes are columns.
//!
//! A pure function from a [`Diagram`] to markup. A row is as high as its text,
//! whatever time has passed, so that four steps within a millisecond stay readable; a
//! long pause is a tear across the lanes. Colours are classes, since the page forbids
//! styles of an element's own; sizes are attributes, since the places of the text
//! follow from them.

mod frame;
mod layout;
mod legend;
mod line;
mod mark;
mod row;
mod text;
mod tone;
mod words;

use campuscafe_evidence::diagram::{Bar, Content, Diagram, Lane, Phase, Step};
use maud::{Markup, html};

use frame::Frame;
use layout::Layout;
pub(crate) use legend::legend;
use text::{Anchor, Label};
pub(crate) use words::Words;

/// How a diagram stands on its page.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Sheet<'a> {
    /// What the ids in it begin with; no two diagrams of a page may share it.
    pub(crate) prefix: &'a str,
    /// The diagram in words, for those who cannot see it.
    pub(crate) text: &'a str,
    /// How much room there is.
    pub(crate) shape: Shape,
}

/// How much room there is for a diagram.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shape {
    /// Messages have their words on them.
    Wide,
    /// The lanes stand close together, and all words beside them.
    Narrow,
}

impl Shape {
    const fn class(self) -> &'static str {
        match self {
            Self::Wide => "spacetime wide",
            Self::Narrow => "spacetime narrow",
        }
    }
}

/// Draws a diagram.
pub(crate) fn draw(diagram: &Diagram, words: Words, sheet: Sheet<'_>) -> Markup {
    let layout = Layout::of(diagram, words, sheet.shape);
    let Layout { frame, rows, bottom, left_out } = &layout;
    let (width, height) = (frame.width, bottom + 8);
    let id = |name: &str| format!("{}-{name}", sheet.prefix);
    html! {
        svg class=(sheet.shape.class()) role="img" viewBox={ "0 0 " (width) " " (height) }
            width=(width) height=(height)
            aria-labelledby=(id("title")) aria-describedby=(id("text")) {
            title id=(id("title")) { (words.title()) }
            desc id=(id("text")) { (sheet.text) }
            defs { (hatch(&id("hatch"))) (tear(&id("tear"), frame)) }
            @for row in rows { (row.band(frame)) }
            (lanes(frame, words, *bottom))
            (waits(diagram, &layout))
            @for (place, bar) in diagram.bars.iter().enumerate() {
                (work(bar, frame.column(place), &layout, &id("hatch")))
            }
            @for row in rows { (row.tear(frame, &id("tear"))) }
            @for row in rows { (row.draw(frame, &diagram.bars)) }
            @if *left_out > 0 {
                (Label {
                    class: "detail plain",
                    x: frame.notes,
                    y: bottom - 8,
                    size: 13,
                    bold: false,
                    room: frame.note_room(),
                    anchor: Anchor::Start,
                }.write(&words.left_out(*left_out)))
            }
        }
    }
}

/// The lanes before anything has happened.
pub(crate) fn lanes_only(words: Words, shape: Shape) -> Markup {
    let nothing = Diagram { start: 0, steps: Vec::new(), bars: Vec::new() };
    let frame = Layout::of(&nothing, words, shape).frame;
    let (width, height) = (frame.width, 240);
    html! {
        svg class=(shape.class()) viewBox={ "0 0 " (width) " " (height) }
            width=(width) height=(height) { (lanes(&frame, words, height)) }
    }
}

/// Stripes for the work that nobody waits for.
fn hatch(id: &str) -> Markup {
    html! {
        pattern id=(id) width="6" height="6" patternUnits="userSpaceOnUse"
            patternTransform="rotate(45)" {
            rect class="hatch-ground" width="6" height="6" {}
            path class="hatch-line" d="M1.5 0V6" {}
        }
    }
}

/// The edge of a pause: two waves across the lanes.
fn tear(id: &str, frame: &Frame) -> Markup {
    let (from, to) = frame.tear();
    let waves = (to - from) / 12;
    let right = "q3-4 6 0t6 0".repeat(usize::try_from(waves).unwrap_or_default());
    let left = "q-3-4-6 0t-6 0".repeat(usize::try_from(waves).unwrap_or_default());
    let right_end = from + 12 * waves;
    html! {
        g id=(id) {
            path class="tear" d={ "M" (from) "-4" (right) "V4" (left) "Z" } {}
            path class="tear-edge" d={ "M" (from) "-4" (right) "M" (right_end) " 4" (left) } {}
        }
    }
}

fn lanes(frame: &Frame, words: Words, bottom: i32) -> Markup {
    html! {
        g class="lanes" {
            @for lane in [Lane::Customer, Lane::Order, Lane::Inventory] {
                path class="life" d={ "M" (frame.lane(lane)) " " (frame.top) "V" (bottom) } {}
                (frame.heading(lane, &words.lane(lane)))
            }
        }
    }
}

/// From the order to what the customer was told, both who placed it and who took it
/// wait.
fn waits(diagram: &Diagram, layout: &Layout<'_>) -> Markup {
    let step = |wanted: fn(&Content) -> bool| {
        let is =
            |step: &Step| step.message.as_ref().is_some_and(|message| wanted(&message.content));
        diagram.steps.iter().position(is)
    };
    let Some(from) = step(|content| matches!(content, Content::Order)) else { return html! {} };
    let told = step(|content| matches!(content, Content::Outcome { .. }));
    let (top, bottom) = (layout.axis(from), layout.axis(told.unwrap_or(diagram.steps.len())));
    html! {
        @for lane in [Lane::Customer, Lane::Order] {
            (layout.frame.bar("wait", layout.frame.lane(lane), top, bottom))
        }
    }
}

/// The inventory's work on one attempt.
fn work(bar: &Bar, x: i32, layout: &Layout<'_>, hatch: &str) -> Markup {
    let phase = |phase: &Phase| {
        let (top, bottom) = (layout.axis(phase.from), layout.axis(phase.to));
        // Too short for a row of its own: as high as a mark.
        let (top, bottom) = if top == bottom { (top - 7, bottom + 7) } else { (top, bottom) };
        let bar = |class| layout.frame.bar(class, x, top, bottom);
        html! {
            @if phase.awaited { (bar("work")) }
            @else { g fill={ "url(#" (hatch) ")" } { (bar("unheard")) } }
        }
    };
    html! {
        g class="bar" data-attempt=(bar.attempt) { @for each in &bar.phases { (phase(each)) } }
    }
}

#[cfg(test)]
mod tests;
