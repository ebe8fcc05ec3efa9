//! What a diagram holds, whoever draws it.

use campuscafe_attributes as attribute;

use super::*;
use crate::local_history::LocalHistory;
use crate::span::Span;
use crate::testing::{With as _, answer, answered, commit, double, order, served, unanswered};

fn diagram(spans: &[Span]) -> Diagram {
    Diagram::of(&OrderTrace::of(spans, &answer(spans, "none")).expect("an order"))
}

/// The moments that begin and end the phases of a bar, in milliseconds.
fn phases(diagram: &Diagram, bar: usize) -> Vec<(u64, u64, bool)> {
    let ms = |step: usize| diagram.ms(diagram.steps[step].at);
    let phase = |phase: &Phase| (ms(phase.from), ms(phase.to), phase.awaited);
    diagram.bars[bar].phases.iter().map(phase).collect()
}

#[test]
fn a_bar_says_how_long_the_work_was_awaited_and_how_long_it_was_not() {
    let double = diagram(&double());
    assert_eq!(phases(&double, 0), [(1, 1002, true), (1002, 2002, false)]);
    assert_eq!(phases(&double, 1), [(1002, 1004, true)]);
}

#[test]
fn only_the_inventory_knows_a_cut_before_the_commit_from_one_after_it() {
    let cut = |committed: bool| {
        let server = served("in", "one", 2..4, "abort")
            .text(attribute::ERROR_TYPE, attribute::CONNECTION_ABORTED);
        let mut spans =
            vec![order(6, "unknown", 504), unanswered("one", 1..5, "connection_lost"), server];
        spans.extend(committed.then(|| commit("in", 3, 10, false, false)));
        diagram(&spans)
    };
    let (before, after) = (cut(false), cut(true));
    for lane in [Lane::Customer, Lane::Order] {
        assert_eq!(before.history(lane), after.history(lane), "{lane:?}");
    }
    assert_ne!(before.history(Lane::Inventory), after.history(Lane::Inventory));
}

#[test]
fn a_message_that_was_never_sent_is_unknown_to_who_was_meant_to_get_it() {
    let refused =
        diagram(&[order(3, "failed", 502), unanswered("one", 1..2, "connection_refused")]);
    assert_eq!(refused.history(Lane::Inventory), []);
    assert_eq!(refused.history(Lane::Order).len(), refused.steps.len());
}

#[test]
fn the_inventory_knows_that_it_answered_and_not_whether_anyone_heard_it() {
    let heard = |heard: bool| {
        let attempt = match heard {
            true => answered("one", 1..1003, 200),
            false => unanswered("one", 1..1001, "timeout"),
        };
        let server = served("in", "one", 2..1002, "slow:1000").status(200);
        diagram(&[
            order(1004, if heard { "confirmed" } else { "unknown" }, 200),
            attempt,
            server,
            commit("in", 1000, 10, false, false),
        ])
    };
    let (heard, lost) = (heard(true), heard(false));
    let events = |diagram: &Diagram, lane| LocalHistory::of(diagram, lane).events;
    assert_eq!(events(&heard, Lane::Inventory), events(&lost, Lane::Inventory));
    assert_ne!(events(&heard, Lane::Order), events(&lost, Lane::Order));
    assert_eq!(phases(&lost, 0), [(1, 1002, true)]);
}

#[test]
fn an_answer_that_reaches_nobody_has_one_step_even_where_its_span_has_a_status() {
    let diagram = diagram(&[
        order(1003, "unknown", 504),
        unanswered("one", 1..1001, "timeout"),
        served("in", "one", 2..2003, "slowfail:2000").left_at(1002).status(503),
    ]);
    let answers = diagram.steps.iter().filter(|step| {
        let content = step.message.as_ref().map(|message| &message.content);
        matches!(content, Some(Content::Answer { .. }))
            || matches!(step.note, Some(Note::AnswerDropped(_)))
    });
    assert_eq!(answers.count(), 1);
}
