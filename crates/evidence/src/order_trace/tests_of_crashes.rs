//! Orders whose inventory was killed between the commit and the answer.

use super::*;
use crate::diagram::{Diagram, Lane, Note};
use crate::flaw::Part;
use crate::knowledge::{Answer, Knowledge, Process};
use crate::local_history::{LocalEvent, LocalHistory};
use crate::so_far;
use crate::span::Kind;
use crate::testing::{MS, START, answer, commit, fault, order, served, span, unanswered};
use crate::waterfall::Waterfall;

const PLAN: &str = "hold";

/// The process was killed after 400 ms; the other one takes requests 100 ms later.
fn crash(kept: bool) -> Crash {
    let restart = Some(Restart { at: START + 500 * MS, kept });
    Crash { killed_at: START + 400 * MS, restart }
}

/// What was sent: the spans of the order service, and the commit, which had ended before.
fn sent() -> Vec<Span> {
    vec![
        order(403, "unknown", 202),
        unanswered("one", 1..402, "connection_lost"),
        commit("in", 3, 10, false, false),
    ]
}

fn answered(crash: Crash) -> Answered {
    Answered { crash: Some(crash), ..answer(&sent(), PLAN) }
}

fn read(spans: &[Span], kept: bool) -> OrderTrace {
    OrderTrace::of(spans, &answered(crash(kept))).expect("an order")
}

#[test]
fn of_a_killed_process_the_commit_is_the_whole_evidence_and_nobody_misses_the_span_that_holds_it() {
    let read = read(&sent(), true);
    assert_eq!(read.flaws, []);
    let killed = read.attempts[0].served.as_ref().expect("an attempt");
    assert_eq!((killed.killed, &*killed.fault), (Some(START + 400 * MS), "hold:60000"));
    assert_eq!(read.commits().len(), 1);
    // To whoever does not know of the kill a span is missing.
    let flaws = OrderTrace::of(&sent(), &answer(&sent(), PLAN)).expect("an order").flaws;
    assert_eq!(flaws, [Flaw::Missing(Part::ServerAttempt(1))]);
}

#[test]
fn a_killed_process_whose_commit_never_arrived_or_arrived_twice_is_no_evidence() {
    let read = |spans: &[Span]| read(spans, true).flaws;
    assert_eq!(read(&sent()[..2]), [Flaw::Missing(Part::Commit(1))]);
    let two = [&sent()[..], &[commit("other", 4, 9, false, false)]].concat();
    assert_eq!(read(&two), [Flaw::Ambiguous(Part::Commit(1))]);
    let copied = [&sent()[..], &sent()[2..]].concat();
    assert_eq!(read(&copied), [], "an exporter may send a span again");
    // A commit below a span that is there is of another request.
    let foreign = [&sent()[..2], &[served("in", "else", 2..4, "none"), sent()[2].clone()]].concat();
    assert_eq!(read(&foreign), [Flaw::Missing(Part::Commit(1))]);
}

#[test]
fn an_attempt_that_was_sent_after_the_kill_needs_the_span_of_the_inventory() {
    let late = [order(410, "unknown", 202), unanswered("one", 405..409, "connection_lost")];
    let flaws = OrderTrace::of(&late, &answered(crash(true))).expect("an order").flaws;
    assert_eq!(flaws, [Flaw::Missing(Part::ServerAttempt(1))]);
}

#[test]
fn the_inventory_holds_what_its_next_process_has() {
    assert_eq!(read(&sent(), true).held(), 1);
    assert_eq!(read(&sent(), false).held(), 0);
}

#[test]
fn the_picture_ends_the_work_with_the_kill_and_says_what_the_next_process_has() {
    for kept in [true, false] {
        let drawn = Diagram::of(&read(&sent(), kept));
        let find =
            |note: &Note| drawn.steps.iter().position(|step| step.note.as_ref() == Some(note));
        let killed = find(&Note::Killed(1)).expect("the kill");
        assert_eq!(drawn.ms(drawn.steps[killed].at), 400);
        assert_eq!(drawn.bars[0].phases.last().map(|phase| phase.to), Some(killed));
        let restarted = find(&Note::Restarted { kept }).expect("the next process");
        assert_eq!(drawn.ms(drawn.steps[restarted].at), 500);
        let of_order = LocalHistory::of(&drawn, Lane::Order).events;
        let tells = |event: &LocalEvent| {
            matches!(event, LocalEvent::Killed(_) | LocalEvent::Restarted { .. })
        };
        assert!(
            !of_order.iter().any(tells),
            "the order service sees a lost connection: {of_order:?}"
        );

        let known = |step| Knowledge::at(&drawn, step).inventory;
        let before = known(killed - 1);
        assert_eq!((before.process, before.reservations), (Process::First, 1));
        let between = known(killed);
        assert_eq!((between.process, between.attempts.len()), (Process::Killed, 0));
        let after = known(restarted);
        let process = if kept { Process::Kept } else { Process::Forgot };
        assert_eq!((after.process, after.reservations), (process, usize::from(kept)));
        assert!(after.attempts.iter().all(|attempt| attempt.answer == Answer::NobodyKnows));
    }
}

#[test]
fn while_the_order_is_under_way_its_picture_ends_the_work_with_the_kill() {
    let plan = PLAN.parse().expect("a plan");
    let killed = Crash { killed_at: START + 400 * MS, restart: None };
    let spans = [commit("in", 3, 10, false, false)];
    for (crash, ends) in [(None, false), (Some(killed), true)] {
        let order = so_far::SoFar {
            sent_at: START,
            retries: false,
            plan: &plan,
            answer: None,
            crash,
            spans: &spans,
        };
        let drawn = Diagram::so_far(&order);
        let last = drawn.bars[0].phases.last().expect("a bar");
        assert_eq!(last.to < drawn.steps.len(), ends);
    }
}

#[test]
fn spans_whose_parent_was_killed_stand_below_the_attempt() {
    let mut spans = sent();
    spans.push(span("statement", "gone", Kind::Client, 2..3));
    let rows = |crash| -> Vec<(usize, String, Part)> {
        let answered = Answered { crash, ..answer(&sent(), PLAN) };
        let rows = Waterfall::of(&spans, &answered).rows.into_iter();
        rows.map(|row| (row.depth, row.span.id, row.part)).collect()
    };
    let own = [(0, "order".to_owned(), Part::Order), (1, "one".to_owned(), Part::Attempt(1))];
    let orphans = [
        (2, "commit-in".to_owned(), Part::Commit(1)),
        (2, "statement".to_owned(), Part::Attempt(1)),
    ];
    assert_eq!(rows(Some(crash(true))), [&own[..], &orphans].concat());
    assert_eq!(rows(None), own, "anybody may send spans without a parent");
}

#[test]
fn a_fault_that_ended_before_the_kill_changes_nothing() {
    let spans = [&sent()[..], &[fault("in", 3..4, PLAN)]].concat();
    assert_eq!(read(&spans, true).flaws, []);
}
