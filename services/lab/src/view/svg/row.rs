//! One step: its time, what runs across, what stands in a lane, and what is said.

use campuscafe_evidence::diagram::{
    Bar, CallEvent, CallNote, Lane, Mark, MarkKind, Message, Note, Step,
};
use campuscafe_evidence::refusal::Decided;
use maud::{Markup, html};

use super::Shape;
use super::frame::Frame;
use super::line::{self, Line};
use super::mark;
use super::text::{Anchor, number};
use super::tone::Tone;
use super::words::Words;

/// From one line of text to the next.
const LINE: i32 = 17;

pub(super) struct Row<'a> {
    index: usize,
    step: &'a Step,
    time: String,
    /// Between the lanes, where there is room for it.
    between: Option<Line>,
    /// Beside the lanes.
    beside: Vec<Line>,
    /// The middle of the pause before it, and how long that is.
    pub(super) pause: Option<(i32, String)>,
    top: i32,
    /// The line on which its message runs.
    pub(super) axis: i32,
    bottom: i32,
    /// Below the last row the lanes go on.
    pub(super) tail: i32,
}

impl<'a> Row<'a> {
    pub(super) fn of(index: usize, step: &'a Step, ms: u64, words: Words, frame: &Frame) -> Self {
        let time = words.moment(ms);
        Self { time, ..Self::of_world(index, step, None, words, frame) }
    }

    /// Without a time, which is none that several worlds have in common.
    pub(super) fn of_world(
        index: usize,
        step: &'a Step,
        world: Option<&str>,
        words: Words,
        frame: &Frame,
    ) -> Self {
        let (between, beside) = line::written(step, words, frame, world);
        let (time, pause, tail) = (String::new(), None, 0);
        Self { index, step, time, between, beside, pause, top: 0, axis: 0, bottom: 0, tail }
    }

    /// Puts it below what ends at `top`, and returns where it ends itself.
    pub(super) fn put(&mut self, frame: &Frame, top: i32) -> i32 {
        let (height, axis) = match frame.shape {
            Shape::Wide => (46, 27),
            Shape::Narrow => {
                let height = (LINE * number(self.beside.len()) + 11).max(30);
                (height, height / 2)
            }
        };
        (self.top, self.axis, self.bottom) = (top, top + axis, top + height);
        self.bottom
    }

    /// Where it ends.
    pub(super) const fn bottom(&self) -> i32 {
        self.bottom
    }

    /// Its ground, which lies under the bars.
    pub(super) fn band(&self, frame: &Frame) -> Markup {
        html! {
            rect class={ "band" (self.flags()) } data-step=(self.index) x="1" y=(self.top)
                width=(frame.width - 2) height=(self.bottom - self.top - 1) rx="8" {}
        }
    }

    /// What kind of step it is, for the style sheet.
    fn flags(&self) -> &'static str {
        match &self.step.note {
            Some(Note::Committed(commit)) => match (commit.late, commit.duplicate) {
                (false, false) => " commit",
                (true, false) => " commit late",
                (false, true) => " commit duplicate",
                (true, true) => " commit late duplicate",
            },
            _ => "",
        }
    }

    /// The pause before it, with the tear of this id.
    pub(super) fn tear(&self, frame: &Frame, id: &str) -> Markup {
        html! { @if let Some((y, time)) = &self.pause { (tear(frame, id, *y, time)) } }
    }

    /// Makes it as high as another one that stands beside it.
    pub(super) fn align(&mut self, other: &Self) {
        self.axis = self.axis.max(other.axis);
        self.bottom = self.bottom.max(other.bottom);
    }

    pub(super) fn draw(&self, frame: &Frame, bars: &[Bar]) -> Markup {
        html! {
            g class={ "row" (self.flags()) } data-step=(self.index) {
                (frame.time_label("time", self.axis + 4).write(&self.time))
                @if let Some(message) = &self.step.message { (self.message(message, frame, bars)) }
                @if let Some(note) = &self.step.note { (self.sign(note, frame, bars)) }
                @if let Some(label) = &self.between { (self.between(label, frame)) }
                (self.beside(frame))
                (self.veil(frame))
            }
        }
    }

    /// The same for several worlds, each with the bars of its own columns: what runs between
    /// lanes is drawn to each of them.
    pub(super) fn draw_worlds(&self, frame: &Frame, worlds: &[Vec<Bar>]) -> Markup {
        let first = worlds.first().map_or(&[][..], Vec::as_slice);
        let to_each = |message: &Message| [message.from, message.to].contains(&Lane::Inventory);
        html! {
            g class={ "row" (self.flags()) } data-step=(self.index) {
                @if let Some(message) = &self.step.message {
                    @if to_each(message) {
                        // The shortest lies above the others, so that each is seen to end.
                        @for bars in worlds.iter().rev() { (self.message(message, frame, bars)) }
                    } @else { (self.message(message, frame, first)) }
                }
                @if let Some(note) = &self.step.note { (self.sign(note, frame, first)) }
                @if let Some(label) = &self.between { (self.between(label, frame)) }
                (self.beside(frame))
            }
        }
    }

    /// Covers it and the pause before it, for a reader who has not come so far.
    fn veil(&self, frame: &Frame) -> Markup {
        let top = if self.pause.is_some() { self.top - frame.pause } else { self.top };
        let height = self.bottom + self.tail - top;
        html! { rect class="veil" x="0" y=(top) width=(frame.width) height=(height) {} }
    }

    fn message(&self, message: &Message, frame: &Frame, bars: &[Bar]) -> Markup {
        let column = match message.content.number() {
            Some(number) => column(bars, frame, |bar| bar.attempt == number),
            None => frame.column(0),
        };
        let x = |lane| if lane == Lane::Inventory { column } else { frame.lane(lane) };
        let (from, to) = inside(x(message.from), x(message.to), frame);
        let tone = Tone::of_message(message);
        let told = message.to == Lane::Customer;
        let over = if told { None } else { frame.crossing(column) };
        html! {
            @if !message.arrives { (mark::broken(from, to, self.axis, tone, over)) }
            @else if told {
                (mark::arrow(from, to + 4, self.axis, tone, over))
                (mark::outcome(frame.lane(Lane::Customer), self.axis, tone))
            } @else { (mark::arrow(from, to, self.axis, tone, over)) }
        }
    }

    /// What a note looks like in its lane.
    fn sign(&self, note: &Note, frame: &Frame, bars: &[Bar]) -> Markup {
        let own = |number: u32| column(bars, frame, |bar| bar.attempt == number);
        let order = frame.lane(Lane::Order);
        match note {
            Note::Fault(_) => html! {},
            Note::Committed(commit) => {
                let is = |bar: &Bar| {
                    let mark = self.step.mark.filter(|mark| mark.kind == MarkKind::Commit);
                    mark.is_some_and(|mark| mark.attempt == bar.attempt)
                };
                mark::commit(column(bars, frame, is), self.axis, frame.half, commit)
            }
            Note::UnderKey { attempt, .. } => mark::refused(own(*attempt), self.axis),
            Note::Settled(outcome) => mark::outcome(order, self.axis, Tone::of_outcome(outcome)),
            Note::Cut(number) | Note::AnswerDropped(number) => {
                let column = own(*number);
                let (from, to) = inside(column, order, frame);
                mark::broken(from, to, self.axis, Tone::Unknown, frame.crossing(column))
            }
            Note::Killed(number) => mark::killed(own(*number), self.axis),
            Note::Restarted { .. } => mark::restarted(frame.column(0), self.axis),
            Note::CallerLeft(number) => mark::left(own(*number), self.axis, frame.half),
            Note::GivenUp { reason, .. } => mark::given_up(order, self.axis, reason),
            Note::Call(note) => self.of_call(note, frame, own(note.call)),
        }
    }

    /// What a note about a call looks like; `column` is that of its bar.
    fn of_call(&self, note: &CallNote, frame: &Frame, column: i32) -> Markup {
        let lane = |lane| if lane == Lane::Inventory { column } else { frame.lane(lane) };
        let own = lane(note.lane);
        match &note.event {
            CallEvent::GivenUp(reason) => mark::given_up(own, self.axis, reason),
            CallEvent::CallerLeft => mark::left(own, self.axis, frame.half),
            CallEvent::Cut | CallEvent::AnswerDropped => {
                let before = if note.lane == Lane::Order { Lane::Customer } else { Lane::Order };
                let (from, to) = inside(own, frame.lane(before), frame);
                mark::broken(from, to, self.axis, Tone::Unknown, frame.crossing(own))
            }
            CallEvent::Changed(_) => mark::change(own, self.axis),
            CallEvent::Told(arrival) if !arrival.dropped => mark::change(own, self.axis),
            CallEvent::Decided(Decided::Refused(_)) | CallEvent::Told(_) => {
                mark::refused(own, self.axis)
            }
            CallEvent::Decided(Decided::Replayed) => html! {},
        }
    }

    /// The label between the lanes that its message runs between.
    fn between(&self, label: &Line, frame: &Frame) -> Markup {
        let lane = |of: fn(&Message) -> Lane| self.step.message.as_ref().map(of);
        let given_up = |mark: Mark| mark.kind == MarkKind::GivenUp;
        let of_customer = self.step.mark.filter(|mark| given_up(*mark)).map(|mark| mark.lane);
        let outside = [lane(|message| message.from), lane(|message| message.to), of_customer]
            .contains(&Some(Lane::Customer));
        let (left, right) =
            if outside { (Lane::Customer, Lane::Order) } else { (Lane::Order, Lane::Inventory) };
        let (left, right) = inside(frame.lane(left), frame.lane(right), frame);
        match &self.step.message {
            None => label.write(left + 8, self.axis + 5, right - left - 12, Anchor::Start),
            Some(message) => {
                let right = if message.arrives { right } else { mark::broken_end(left, right) - 6 };
                let (x, y) = (i32::midpoint(left, right), self.axis - 7);
                label.write(x, y, right - left - 12, Anchor::Middle)
            }
        }
    }

    /// Lines beside the lanes, around the axis.
    fn beside(&self, frame: &Frame) -> Markup {
        let first = self.axis + 5 - LINE * (number(self.beside.len()) - 1) / 2;
        html! {
            @for (place, line) in self.beside.iter().enumerate() {
                (line.write(frame.notes, first + LINE * number(place), frame.note_room(), Anchor::Start))
            }
        }
    }
}

/// A pause of this length, with the tear of this id.
pub(super) fn tear(frame: &Frame, id: &str, y: i32, time: &str) -> Markup {
    html! {
        g class="pause" {
            use href={ "#" (id) } y=(y) {}
            (frame.time_label("pause-time", y + 4).write(time))
        }
    }
}

/// The column of the first bar of which this is true.
fn column(bars: &[Bar], frame: &Frame, is: impl Fn(&Bar) -> bool) -> i32 {
    frame.column(bars.iter().find(|bar| is(bar)).map(|bar| bar.column).unwrap_or_default())
}

/// From edge to edge instead of from middle to middle.
const fn inside(from: i32, to: i32, frame: &Frame) -> (i32, i32) {
    let edge = frame.half + 2;
    if from < to { (from + edge, to - edge) } else { (from - edge, to + edge) }
}
