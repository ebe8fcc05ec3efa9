//! What an order that is under way may claim.

use super::*;
use crate::diagram::{Content, Diagram, Note, Step};
use crate::testing::{
    MS, START, With as _, answer, answered, commit, double, order, resent, served, unanswered,
};

const PLAN: &str = "slow,none";

fn diagram(spans: &[Span], answer: Option<&Answered>, retries: bool) -> Diagram {
    let plan = PLAN.parse().expect("a plan");
    let answer = answer.map(|answered| Answer { at: START + 1006 * MS, status: 200, answered });
    Diagram::so_far(&SoFar { sent_at: START, retries, plan: &plan, answer, crash: None, spans })
}

fn commits(diagram: &Diagram) -> Vec<(u32, Commit)> {
    let of = |step: &Step| match &step.note {
        Some(Note::Committed(commit)) => Some((step.mark?.attempt, commit.clone())),
        _ => None,
    };
    diagram.steps.iter().filter_map(of).collect()
}

/// The attempts that nothing tells the end of.
fn open(diagram: &Diagram) -> Vec<u32> {
    let end = diagram.steps.len();
    let is_open = |bar: &&crate::diagram::Bar| bar.phases.last().is_some_and(|last| last.to == end);
    diagram.bars.iter().filter(is_open).map(|bar| bar.attempt).collect()
}

#[test]
fn before_any_span_the_order_is_sent_and_nothing_else_is_claimed() {
    let diagram = diagram(&[], None, true);
    let contents: Vec<_> =
        diagram.steps.iter().map(|step| step.message.clone().expect("it").content).collect();
    assert_eq!((contents, diagram.bars), (vec![Content::Order], vec![]));
}

#[test]
fn whichever_spans_have_come_nothing_is_claimed_that_they_do_not_show() {
    let all = double();
    let answer = answer(&all, PLAN);
    let whole = commits(&diagram(&all, Some(&answer), true));
    assert_eq!(whole.len(), 2);
    for come in 0_u32..1 << all.len() {
        let some = |place: &usize| come & 1 << place != 0;
        let spans: Vec<_> = (0..all.len()).filter(some).map(|place| all[place].clone()).collect();
        for answer in [None, Some(&answer)] {
            let drawn = diagram(&spans, answer, true);
            let claimed = commits(&drawn);
            assert!(claimed.iter().all(|commit| whole.contains(commit)), "{come:b}: {claimed:?}");
            for (attempt, commit) in &claimed {
                let id = if *attempt == 1 { "commit-in1" } else { "commit-in2" };
                let shown = spans.iter().find(|span| span.id == id);
                assert_eq!(shown.map(|span| span.start), Some(commit.at), "{come:b}");
            }
            let told = drawn.steps.iter().any(|step| {
                matches!(&step.message, Some(told) if matches!(told.content, Content::Outcome { .. }))
            });
            assert_eq!(told, answer.is_some(), "{come:b}");
            for bar in &drawn.bars {
                assert!(bar.phases.iter().all(|phase| phase.to <= drawn.steps.len()), "{come:b}");
            }
        }
    }
}

#[test]
fn an_attempt_that_was_given_up_stays_open_until_the_inventory_tells_of_it() {
    let all = double();
    let answer = answer(&all, PLAN);
    let late = ["in1", "fault-in1", "commit-in1"];
    let at_once: Vec<_> = all.iter().filter(|span| !late.contains(&&*span.id)).cloned().collect();
    let first = diagram(&at_once, Some(&answer), true);
    assert_eq!((open(&first), commits(&first).len()), (vec![1], 1));
    let complete = diagram(&all, Some(&answer), true);
    assert_eq!((open(&complete), commits(&complete).len()), (vec![], 2));
    let order_trace = <OrderTrace as crate::from_spans::FromSpans>::of(&all, &answer);
    assert_eq!(complete, Diagram::of(&order_trace.expect("an order")));
}

#[test]
fn a_commit_is_shown_while_its_answer_is_held_if_only_one_attempt_can_be_meant() {
    let spans = [commit("in1", 3, 10, false, false)];
    let held = diagram(&spans, None, false);
    assert_eq!(commits(&held).first().map(|(attempt, _)| *attempt), Some(1));
    assert_eq!(open(&held), [1]);
    assert_eq!(commits(&diagram(&spans, None, true)), [], "attempt 1 or 2: nobody can say");
    // It came before the first attempt had ended, so it is of the first.
    let spans = [spans[0].clone(), unanswered("one", 1..1001, "timeout")];
    let given_up = diagram(&spans, None, true);
    assert_eq!(commits(&given_up).first().map(|(attempt, _)| *attempt), Some(1));
    assert_eq!(open(&given_up), [1]);
    // It came after that: the request says which one it is of.
    let late = commit("in2", 1003, 9, false, false);
    let spans = [late.clone(), spans[1].clone()];
    assert_eq!(commits(&diagram(&spans, None, true)), []);
    let server = served("in2", "two", 1003..1004, "none").status(200);
    let spans = [late, spans[1].clone(), server];
    let second = diagram(&spans, None, true);
    assert_eq!(commits(&second).first().map(|(attempt, _)| *attempt), Some(2));
}

#[test]
fn an_attempt_that_never_left_is_no_work() {
    let refused = diagram(&[unanswered("one", 1..2, "connection_refused")], None, false);
    assert_eq!((open(&refused), refused.steps.len()), (vec![], 3));
}

#[test]
fn copies_and_spans_that_anybody_made_up_do_no_harm() {
    let mut spans = double();
    spans.extend(double());
    spans.push(order(1, "confirmed", 200));
    spans.push(
        resent(unanswered("x", 0..0, ""))
            .with(attribute::HTTP_REQUEST_RESEND_COUNT, crate::span::Value::Int(i64::MAX)),
    );
    spans.push(commit("commit-in1", 0, 0, true, true));
    for retries in [true, false] {
        let drawn = diagram(&spans, None, retries);
        assert!(drawn.bars.len() <= 4 && commits(&drawn).len() <= 3, "{drawn:?}");
    }
}

#[test]
fn a_message_about_the_order_is_no_attempt() {
    let url = "http://127.0.0.1:5101/inventory/notifications?chaos=none";
    let message = answered("message", 1..2, 200).text(attribute::URL_FULL, url);
    let drawn = diagram(&[message], None, true);
    assert_eq!((drawn.bars.len(), drawn.steps.len()), (0, 1), "the order, and nothing else");
}
