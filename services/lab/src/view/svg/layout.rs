//! Where everything stands.

use campuscafe_evidence::diagram::Diagram;

use super::Shape;
use super::frame::Frame;
use super::row::Row;
use super::words::Words;

/// More are counted and not drawn.
pub(super) const MAX_STEPS: usize = 600;
/// A shorter pause, in nanoseconds, is none.
pub(super) const PAUSE: u64 = 300_000_000;

/// Where everything stands, from top to bottom.
pub(super) struct Layout<'a> {
    pub(super) frame: Frame,
    pub(super) rows: Vec<Row<'a>>,
    /// Pauses that are before no row of its own: their middle, and how long they are.
    pub(super) pauses: Vec<(i32, String)>,
    /// Where the lanes end.
    pub(super) bottom: i32,
    /// The steps that found no room.
    pub(super) left_out: usize,
}

impl<'a> Layout<'a> {
    pub(super) fn of(diagram: &'a Diagram, words: Words, shape: Shape) -> Self {
        let frame = Frame::of(shape, diagram.columns());
        let mut rows: Vec<Row<'a>> = Vec::new();
        let mut top = frame.top + 4;
        let mut before: Option<u64> = None;
        for (index, step) in diagram.steps.iter().take(MAX_STEPS).enumerate() {
            let passed = before.map_or(0, |before| step.at.saturating_sub(before));
            let mut row = Row::of(index, step, diagram.ms(step.at), words, &frame);
            if passed >= PAUSE {
                row.pause = Some((top + frame.pause / 2, words.pause(passed / 1_000_000)));
                top += frame.pause;
            }
            top = row.put(&frame, top);
            rows.push(row);
            before = Some(step.at);
        }
        let left_out = diagram.steps.len().saturating_sub(rows.len());
        let more = if left_out > 0 { 30 } else { 6 };
        if let Some(last) = rows.last_mut().filter(|_| left_out == 0) {
            last.tail = more + 2;
        }
        Self { frame, rows, pauses: Vec::new(), bottom: top + more, left_out }
    }

    /// The height of a step, or the end of the lanes for one that is not drawn.
    pub(super) fn axis(&self, step: usize) -> i32 {
        self.rows.get(step).map_or(self.bottom, |row| row.axis)
    }
}
