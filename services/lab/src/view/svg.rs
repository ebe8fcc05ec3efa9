//! A space–time diagram as SVG, for a page: rows are steps, lanes are columns.
//!
//! A pure function from a [`Diagram`] to markup. A row is as high as its text,
//! whatever time has passed, so that four steps within a millisecond stay readable; a
//! long pause is a tear across the lanes. Colours are classes, since the page forbids
//! styles of an element's own; sizes are attributes, since the places of the text
//! follow from them. [`storm`] draws charts instead.

mod beside;
mod frame;
mod layout;
mod legend;
mod line;
mod mark;
mod now;
mod row;
mod storm;
mod text;
mod tone;
mod words;
mod worlds;

use campuscafe_evidence::diagram::{
    Bar, Content, Diagram, Lane, Mark, MarkKind, Message, Phase, Step,
};
use maud::{Markup, html};

pub(crate) use beside::beside;
use frame::Frame;
use layout::Layout;
pub(crate) use legend::{legend, legend_of_calls, legend_of_crash, legend_of_keys, legend_so_far};
pub(crate) use storm::{storm, storm_legend};
use text::{Anchor, Label};
pub(crate) use words::Words;
pub(crate) use worlds::worlds;

/// How far a bar goes on below the last row of a diagram that goes on.
const OPEN: i32 = 22;

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

/// Up to when a diagram is drawn that goes on.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Now<'a> {
    /// In milliseconds after the order arrived.
    pub(crate) ms: u64,
    /// What is to be said about it.
    pub(crate) told: &'a str,
}

/// Draws a diagram.
pub(crate) fn draw(diagram: &Diagram, words: Words, sheet: Sheet<'_>) -> Markup {
    picture(diagram, words, sheet, None)
}

/// Draws a diagram that goes on: what nothing tells the end of is open.
pub(crate) fn so_far(diagram: &Diagram, words: Words, sheet: Sheet<'_>, now: Now<'_>) -> Markup {
    picture(diagram, words, sheet, Some(now))
}

fn picture(diagram: &Diagram, words: Words, sheet: Sheet<'_>, now: Option<Now<'_>>) -> Markup {
    drawn(diagram, words, sheet, Layout::of(diagram, words, sheet.shape), now)
}

/// A diagram whose parts stand where the layout says.
fn drawn(
    diagram: &Diagram,
    words: Words,
    sheet: Sheet<'_>,
    mut layout: Layout<'_>,
    now: Option<Now<'_>>,
) -> Markup {
    if now.is_some() {
        // The bars are seen to go on below the last row.
        layout.bottom += OPEN;
    }
    let Layout { frame, rows, pauses, bottom, left_out } = &layout;
    let now = now.map(|now| now::row(now, words, frame, *bottom));
    let end = now.as_ref().map_or(*bottom, |now| now.bottom);
    let (width, height) = (frame.width, end + 8);
    let id = |name: &str| format!("{}-{name}", sheet.prefix);
    html! {
        svg class=(sheet.shape.class()) role="img" viewBox={ "0 0 " (width) " " (height) }
            width=(width) height=(height)
            aria-labelledby=(id("title")) aria-describedby=(id("text")) {
            title id=(id("title")) { (words.title(diagram)) }
            desc id=(id("text")) { (sheet.text) }
            defs { (hatch(&id("hatch"))) (tear(&id("tear"), frame)) }
            @for row in rows { (row.band(frame)) }
            (lanes(frame, words, *bottom))
            (waits(diagram, &layout))
            (callers(diagram, &layout))
            @for bar in &diagram.bars {
                (work(bar, frame.column(bar.column), &layout, &id("hatch"), now.is_some()))
            }
            @for row in rows { (row.tear(frame, &id("tear"))) }
            @for (y, time) in pauses { (row::tear(frame, &id("tear"), *y, time)) }
            @for row in rows { (row.draw(frame, &diagram.bars)) }
            @if let Some(now) = &now { (now.drawn) }
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
    let nothing = Diagram { start: 0, steps: Vec::new(), bars: Vec::new(), once: false };
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

/// From an order, or a question about it, to what the customer was told, both who sent it and
/// who took it wait.
fn waits(diagram: &Diagram, layout: &Layout<'_>) -> Markup {
    let says = |step: &Step, wanted: fn(&Content) -> bool| {
        step.message.as_ref().is_some_and(|message| wanted(&message.content))
    };
    let asks =
        |step: &Step| says(step, |content| matches!(content, Content::Order | Content::Question));
    let tells = |step: &Step| says(step, |content| matches!(content, Content::Outcome { .. }));
    html! {
        @for (from, _) in diagram.steps.iter().enumerate().filter(|(_, step)| asks(step)) {
            @let told = diagram.steps.iter().skip(from).position(tells);
            @let to = told.map_or(diagram.steps.len(), |place| from + place);
            @for lane in [Lane::Customer, Lane::Order] {
                (layout.frame.bar("wait", layout.frame.lane(lane), layout.axis(from), layout.axis(to)))
            }
        }
    }
}

/// From a call to its answer its caller waits, and so does the order service that works on it.
fn callers(diagram: &Diagram, layout: &Layout<'_>) -> Markup {
    let ends = |step: &Step, number: u32| {
        let replied = matches!(&step.message, Some(Message { content: Content::Reply { call, .. }, .. }) if *call == number);
        let given_up = |mark: Mark| mark.kind == MarkKind::GivenUp && mark.attempt == number;
        replied || step.mark.is_some_and(given_up)
    };
    html! {
        @for (from, step) in diagram.steps.iter().enumerate() {
            @if let Some(Message { from: caller, to, content: Content::Call { call, .. }, .. }) = &step.message {
                @let to_end = diagram.steps.iter().skip(from).position(|step| ends(step, *call));
                @let to_end = to_end.map_or(diagram.steps.len(), |place| from + place);
                @for lane in [*caller, *to].into_iter().filter(|lane| *lane != Lane::Inventory) {
                    (layout.frame.bar("wait", layout.frame.lane(lane), layout.axis(from), layout.axis(to_end)))
                }
            }
        }
    }
}

/// The inventory's work on one attempt.
fn work(bar: &Bar, x: i32, layout: &Layout<'_>, hatch: &str, goes_on: bool) -> Markup {
    let is_open = |phase: &Phase| goes_on && phase.to >= layout.rows.len();
    let phase = |phase: &Phase| {
        let (top, bottom) = (layout.axis(phase.from), layout.axis(phase.to));
        // Too short for a row of its own: as high as a mark.
        let (top, bottom) = if top == bottom { (top - 7, bottom + 7) } else { (top, bottom) };
        let bar = |class| layout.frame.bar(class, x, top, bottom);
        html! {
            @if is_open(phase) { (layout.frame.open(x, top, bottom)) }
            @else if phase.awaited { (bar("work")) }
            @else { g fill={ "url(#" (hatch) ")" } { (bar("unheard")) } }
        }
    };
    html! {
        g class="bar" data-attempt=(bar.attempt) { @for each in &bar.phases { (phase(each)) } }
    }
}

#[cfg(test)]
mod tests;
