//! Two diagrams beside each other on one time axis: what stands at the same height happened
//! at about the same time after the beginning of each.

use campuscafe_evidence::diagram::Diagram;
use maud::Markup;

use super::frame::Frame;
use super::layout::{Layout, MAX_STEPS, PAUSE};
use super::row::Row;
use super::{Shape, Sheet, Words, drawn};

/// Steps that are no farther apart share a height, in nanoseconds.
const SAME: u64 = 50_000_000;

/// Draws both, for sheets of the same shape.
pub(crate) fn beside(diagrams: [&Diagram; 2], words: Words, sheets: [Sheet<'_>; 2]) -> [Markup; 2] {
    let ([one, two], [first, second]) = (diagrams, sheets);
    let [left, right] = layouts(diagrams, words, first.shape);
    [drawn(one, words, first, left, None), drawn(two, words, second, right, None)]
}

/// Steps at one height: when, counted from the beginning, and which step of each diagram.
#[derive(Debug, PartialEq, Eq)]
struct Slot {
    at: u64,
    steps: [Option<usize>; 2],
}

fn layouts<'a>(diagrams: [&'a Diagram; 2], words: Words, shape: Shape) -> [Layout<'a>; 2] {
    let mut sides = diagrams.map(|diagram| (diagram, empty(diagram, shape)));
    let Frame { top, pause, .. } = Frame::of(shape, 1);
    let mut top = top + 4;
    let mut before: Option<u64> = None;
    for Slot { at, steps } in slots(diagrams) {
        let passed = before.map_or(0, |before| at.saturating_sub(before));
        let torn = (passed >= PAUSE).then(|| {
            let middle = top + pause / 2;
            top += pause;
            (middle, words.pause(passed / 1_000_000))
        });
        let mut steps = steps.into_iter();
        let mut rows = sides.each_ref().map(|(diagram, layout)| {
            let index = steps.next().flatten()?;
            let step = diagram.steps.get(index)?;
            let mut row = Row::of(index, step, diagram.ms(step.at), words, &layout.frame);
            row.put(&layout.frame, top);
            row.pause.clone_from(&torn);
            Some(row)
        });
        if let [Some(left), Some(right)] = &mut rows {
            left.align(right);
            right.align(left);
        }
        top = rows.iter().flatten().map(Row::bottom).max().unwrap_or(top);
        for ((_, layout), row) in sides.iter_mut().zip(rows) {
            match row {
                Some(row) => layout.rows.push(row),
                None => layout.pauses.extend(torn.clone()),
            }
        }
        before = Some(at);
    }
    let more = if sides.iter().any(|(_, layout)| layout.left_out > 0) { 30 } else { 6 };
    sides.map(|(_, layout)| Layout { bottom: top + more, ..layout })
}

fn empty<'a>(diagram: &Diagram, shape: Shape) -> Layout<'a> {
    let frame = Frame::of(shape, diagram.columns());
    let left_out = diagram.steps.len().saturating_sub(MAX_STEPS);
    Layout { frame, rows: Vec::new(), pauses: Vec::new(), bottom: 0, left_out }
}

/// The steps of both in the order of time.
fn slots(diagrams: [&Diagram; 2]) -> Vec<Slot> {
    let times = diagrams.map(|diagram| {
        let steps = diagram.steps.iter().take(MAX_STEPS).enumerate();
        steps.map(|(index, step)| (index, step.at.saturating_sub(diagram.start))).peekable()
    });
    let [mut left, mut right] = times;
    let mut slots = Vec::new();
    loop {
        let next = [left.peek().map(|(_, at)| *at), right.peek().map(|(_, at)| *at)];
        let (at, here) = match next {
            [None, None] => return slots,
            [Some(one), None] => (one, [true, false]),
            [None, Some(two)] => (two, [false, true]),
            [Some(one), Some(two)] => {
                let same = one.abs_diff(two) <= SAME;
                (one.min(two), [same || one < two, same || two < one])
            }
        };
        let [one, two] = here;
        let taken = [left.next_if(|_| one), right.next_if(|_| two)];
        slots.push(Slot { at, steps: taken.map(|step| step.map(|(index, _)| index)) });
    }
}

#[cfg(test)]
mod tests {
    use campuscafe_evidence::diagram::Step;

    use super::*;

    fn diagram(start: u64, ms: &[u64]) -> Diagram {
        let step =
            |ms: &u64| Step { at: start + ms * 1_000_000, message: None, mark: None, note: None };
        Diagram { start, steps: ms.iter().map(step).collect(), bars: Vec::new(), once: false }
    }

    #[test]
    fn steps_of_the_same_time_after_the_beginning_stand_at_the_same_height_and_others_alone() {
        let (naive, cured) = (diagram(5, &[0, 1, 1000, 2000]), diagram(900, &[0, 2, 3, 1010]));
        let found = slots([&naive, &cured]);
        let steps: Vec<_> = found.iter().map(|slot| slot.steps).collect();
        let expected = [
            [Some(0), Some(0)],
            [Some(1), Some(1)],
            [None, Some(2)],
            [Some(2), Some(3)],
            [Some(3), None],
        ];
        assert_eq!(steps, expected);
        assert!(found.is_sorted_by_key(|slot| slot.at));
    }

    #[test]
    fn a_pause_is_torn_in_both_diagrams_and_both_are_as_high() {
        let (naive, cured) = (diagram(0, &[0, 2000]), diagram(0, &[0]));
        let words = Words(crate::messages::Language::English);
        let [one, two] = layouts([&naive, &cured], words, Shape::Narrow);
        assert_eq!(one.bottom, two.bottom);
        assert_eq!(one.rows.last().unwrap().pause, two.pauses.last().cloned());
        assert_eq!(one.rows[0].axis, two.rows[0].axis);
    }
}
