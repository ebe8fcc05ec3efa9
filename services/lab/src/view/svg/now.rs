//! Where a diagram ends that goes on.

use maud::{Markup, html};

use super::frame::Frame;
use super::text::{Anchor, Label, number, wrap};
use super::{Now, Words};

/// From one line of text to the next.
const LINE: i32 = 18;
const SIZE: i32 = 13;
/// The left edge of the text.
const LEFT: i32 = 12;

/// The last row of a diagram that goes on, and where it ends.
pub(super) struct NowRow {
    pub(super) drawn: Markup,
    pub(super) bottom: i32,
}

/// The row below the lanes, which end at `y`.
pub(super) fn row(now: Now<'_>, words: Words, frame: &Frame, y: i32) -> NowRow {
    let room = frame.width - 2 * LEFT;
    let lines = wrap(now.told, SIZE, false, room, 2);
    let (left, right) = frame.tear();
    let line = |y, text: &str| {
        let (class, size, anchor) = ("detail plain", SIZE, Anchor::Start);
        Label { class, x: LEFT, y, size, bold: false, room, anchor }.write(text)
    };
    let bottom = y + 8 + LINE * number(lines.len());
    let drawn = html! {
        g class="present" {
            path class="edge" d={ "M" (left) " " (y) "H" (right) } {}
            (frame.time_label("time", y + 4).write(&words.moment(now.ms)))
            @for (place, text) in lines.iter().enumerate() {
                (line(y + 4 + LINE * number(place + 1), text))
            }
        }
    };
    NowRow { drawn, bottom }
}
