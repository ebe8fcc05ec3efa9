//! What stands where across a picture.

use campuscafe_evidence::diagram::Lane;
use maud::{Markup, html};

use super::Shape;
use super::text::{Anchor, Label, number};

/// Bars beyond these share the columns of the first.
const MAX_COLUMNS: usize = 8;

/// What stands where across the picture.
pub(super) struct Frame {
    pub(super) shape: Shape,
    pub(super) width: i32,
    /// The right edge of the times.
    pub(super) time: i32,
    customer: i32,
    order: i32,
    inventory: i32,
    /// From one bar of the inventory to the next.
    pitch: i32,
    /// Half the width of a bar.
    pub(super) half: i32,
    /// The left edge of the notes.
    pub(super) notes: i32,
    /// Where the lanes begin.
    pub(super) top: i32,
    /// The height of a pause, however long it is.
    pub(super) pause: i32,
}

impl Frame {
    pub(super) fn of(shape: Shape, bars: usize) -> Self {
        let columns = number(bars.clamp(1, MAX_COLUMNS));
        match shape {
            Shape::Wide => {
                let notes = 474 + 26 * columns;
                Self {
                    shape,
                    width: (notes + 264).max(790),
                    time: 76,
                    customer: 118,
                    order: 294,
                    inventory: 474,
                    pitch: 26,
                    half: 7,
                    notes,
                    top: 40,
                    pause: 34,
                }
            }
            Shape::Narrow => {
                let notes = 160 + 15 * columns;
                Self {
                    shape,
                    width: notes + 180,
                    time: 76,
                    customer: 92,
                    order: 126,
                    inventory: 160,
                    pitch: 15,
                    half: 5,
                    notes,
                    top: 44,
                    pause: 26,
                }
            }
        }
    }

    /// For several worlds: each has a column in the place of the inventory, and there are no
    /// times.
    pub(super) fn of_worlds(shape: Shape, worlds: usize) -> Self {
        let columns = number(worlds.clamp(1, MAX_COLUMNS));
        let one = Self::of(shape, 1);
        let (customer, order, inventory, pitch, room) = match shape {
            Shape::Wide => (62, 238, 418, 104, 300),
            Shape::Narrow => (34, 72, 110, 26, 190),
        };
        let notes = inventory + pitch * columns - pitch / 3;
        let (width, time) = (notes + room, 0);
        Self { width, time, customer, order, inventory, pitch, notes, top: one.top + 18, ..one }
    }

    /// The name of a world over its column.
    pub(super) fn world(&self, place: usize, name: &str) -> Markup {
        let (class, anchor, y) = ("lane world", Anchor::Middle, self.top - 6);
        let (x, room) = (self.column(place), self.pitch - 4);
        Label { class, x, y, size: 13, bold: true, room, anchor }.write(name)
    }

    pub(super) const fn lane(&self, lane: Lane) -> i32 {
        match lane {
            Lane::Customer => self.customer,
            Lane::Order => self.order,
            Lane::Inventory => self.inventory,
        }
    }

    /// The middle of a bar of the inventory.
    pub(super) fn column(&self, place: usize) -> i32 {
        self.inventory + self.pitch * number(place % MAX_COLUMNS)
    }

    /// Where a line between a column and the order service passes over other bars.
    pub(super) const fn crossing(&self, column: i32) -> Option<(i32, i32)> {
        if column > self.inventory {
            Some((self.inventory - self.half - 3, column - self.half - 4))
        } else {
            None
        }
    }

    /// The room of a note.
    pub(super) const fn note_room(&self) -> i32 {
        self.width - self.notes - 6
    }

    /// Where the tear of a pause begins and ends.
    pub(super) const fn tear(&self) -> (i32, i32) {
        (self.customer - self.half - 5, self.notes - 6)
    }

    pub(super) fn heading(&self, lane: Lane, words: &str) -> Markup {
        let (x, middle) = (self.lane(lane), Anchor::Middle);
        let (x, y, size, room, anchor) = match (self.shape, lane) {
            (Shape::Wide, Lane::Inventory) => (x, 24, 14, 140, middle),
            (Shape::Wide, _) => (x, 24, 14, 150, middle),
            (Shape::Narrow, Lane::Customer) => (x, 18, 12, 66, middle),
            (Shape::Narrow, Lane::Order) => (x, 36, 12, 120, middle),
            // Only to the right is there room for a long word.
            (Shape::Narrow, Lane::Inventory) => (x - 28, 18, 12, 140, Anchor::Start),
        };
        Label { class: "lane", x, y, size, bold: true, room, anchor }.write(words)
    }

    /// A place among the times.
    pub(super) const fn time_label<'a>(&self, class: &'a str, y: i32) -> Label<'a> {
        Label {
            class,
            x: self.time,
            y,
            size: 12,
            bold: false,
            room: self.time,
            anchor: Anchor::End,
        }
    }

    /// A bar without an end.
    pub(super) fn open(&self, x: i32, top: i32, bottom: i32) -> Markup {
        let (left, width) = (x - self.half, 2 * self.half);
        html! {
            path class="open" d={ "M" (left) " " (bottom) "V" (top) "h" (width) "V" (bottom) } {}
        }
    }

    pub(super) fn bar(&self, class: &str, x: i32, top: i32, bottom: i32) -> Markup {
        let (left, width, height) = (x - self.half, 2 * self.half, bottom - top);
        html! { rect class=(class) x=(left) y=(top) width=(width) height=(height) rx="3" {} }
    }
}
