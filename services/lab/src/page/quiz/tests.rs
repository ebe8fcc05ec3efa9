//! An answer is proven by what a run showed, and by nothing else.

use campuscafe_api::order::Attempt;
use campuscafe_evidence::from_spans::FromSpans as _;
use campuscafe_evidence::message_order::PingRounds;
use campuscafe_evidence::order_trace::OrderTrace;
use campuscafe_evidence::testing::{answer, double};

use super::*;
use crate::lessons::{ALL as LESSONS, Verdict, testing};
use crate::messages::Language;

const LANGUAGES: [Language; 2] = [Language::English, Language::Japanese];

/// A finding of an order whose attempts ended like this, with so many reservations.
fn order(results: &[AttemptResult], made: u64, whole: bool) -> Arc<Finding> {
    let spans = double();
    let order_trace = whole.then(|| OrderTrace::of(&spans, &answer(&spans, "slow,none")));
    let mut finding = Arc::into_inner(testing::finding("slow", order_trace.flatten())).unwrap();
    let Evidence::Order(order) = &mut finding.evidence else { panic!("an order") };
    let attempt = |(result, number): (&AttemptResult, u32)| Attempt {
        number,
        result: *result,
        duration_ms: 1_000,
        status: None,
    };
    order.response.report.attempts = results.iter().zip(1..).map(attempt).collect();
    order.ledger = order.ledger.clone().with_commits(made);
    let conclusion = if whole { Conclusion::NotShown } else { Conclusion::Incomplete };
    finding.verdict = Verdict { conclusion, ..finding.verdict };
    Arc::new(finding)
}

fn rounds(inversions: Vec<u64>) -> Arc<Finding> {
    let rounds = PingRounds {
        count: 20,
        inversions,
        trace_id: None,
        counters: [].into(),
        incomplete: Vec::new(),
    };
    let evidence = Evidence::Rounds(Box::new(rounds));
    let finding = Arc::into_inner(order(&[], 0, true)).unwrap();
    Arc::new(Finding { evidence, ..finding })
}

fn truth(name: &str, findings: &[Arc<Finding>]) -> Option<Answer> {
    (Quiz::find(name).unwrap().question.truth)(findings)
}

fn said(language: Language, name: &str, choice: &str, findings: &[Arc<Finding>]) -> String {
    let quiz = Quiz::find(name).unwrap();
    let mut answers = Answers::to(quiz);
    assert!(answers.note(&quiz.question, choice));
    proven(Reader { language, wall: false }, quiz, &answers, findings).into_string()
}

#[test]
fn a_timeout_tells_nothing_if_one_order_was_reserved_and_another_was_not() {
    use AttemptResult::{ConnectionLost, Ok, Timeout};
    let timeout = |made| order(&[Timeout], made, true);
    for (findings, expected) in [
        (vec![timeout(1), timeout(0), timeout(1)], Some("unknown")),
        (vec![timeout(1), timeout(1)], Some("reserved")),
        (vec![timeout(0)], Some("failed")),
        (vec![order(&[Ok], 1, true), order(&[ConnectionLost], 0, true)], None),
        (vec![timeout(1), order(&[Timeout], 0, false)], None),
        (vec![], None),
    ] {
        assert_eq!(truth("timeout", &findings), expected.map(Answer::Choice));
    }
}

#[test]
fn a_run_without_a_retry_says_nothing_about_retries() {
    use AttemptResult::{Ok, Timeout};
    for (attempts, made, whole, expected) in [
        (&[Timeout, Ok][..], 2, true, Some("twice")),
        (&[Timeout, Ok], 1, true, Some("once")),
        (&[Timeout, Timeout], 0, true, Some("refused")),
        (&[Ok], 1, true, None),
        (&[Timeout, Ok], 2, false, None),
    ] {
        let told = truth("retry", &[order(attempts, made, whole)]);
        assert_eq!(told, expected.map(Answer::Choice), "{attempts:?} {made}");
    }
}

#[test]
fn reordering_is_natural_only_where_a_run_without_faults_shows_it() {
    let shown = truth("reorder", &[rounds(vec![0, 3, 0])]);
    assert_eq!(shown, Some(Answer::Choice("nature")));
    assert_eq!(truth("reorder", &[rounds(vec![0, 0])]), None);
}

#[test]
fn an_answer_stands_beside_what_the_run_showed_with_the_figures_of_that_run() {
    use AttemptResult::{Ok, Timeout};
    let doubled = [order(&[Timeout, Ok], 2, true)];
    let right = said(Language::English, "retry", "twice", &doubled);
    for expected in [
        "it reserves twice <span class=\"grade\">✓ right",
        "made 2 attempts for one order. The inventory made 2 reservations",
        "Giving up does not cancel the first attempt.",
        "href=\"#picture-1\"",
        "href=\"/quiz#reorder\"",
        "href=\"/lessons/double/2\"",
    ] {
        assert!(right.contains(expected), "no {expected} in {right}");
    }
    let wrong = said(Language::Japanese, "retry", "once", &doubled);
    assert!(wrong.contains("✗ 違います") && wrong.contains("2\u{a0}回試行しました"), "{wrong}");
}

#[test]
fn a_run_that_cannot_answer_grades_nobody_and_says_why() {
    let patient = [order(&[AttemptResult::Ok], 1, true)];
    let page = said(Language::English, "retry", "twice", &patient);
    assert!(page.contains("The expected effect did not happen."), "{page}");
    assert!(page.contains("nothing was sent again"), "{page}");
    assert!(!page.contains("grade") && !page.contains("does not cancel"), "{page}");
    let lost = [order(&[AttemptResult::Timeout], 1, false)];
    let page = said(Language::English, "timeout", "failed", &lost);
    assert!(page.contains("Spans are missing, so nobody can say."), "{page}");
    assert!(!page.contains("grade"), "{page}");
}

#[test]
fn every_question_is_on_the_page_with_its_choices_and_names_a_run_that_there_is() {
    for language in LANGUAGES {
        let reader = Reader { language, wall: false };
        let page = quiz(reader);
        for one in ALL {
            let case = one.case().expect("a lesson");
            assert!(one.trial.is_some() || LESSONS.iter().any(|it| it.name == one.experiment));
            let lesson = reader.say(&format!("lesson-{}", case.experiment.name));
            assert!(!page.contains(&*lesson), "it tells the answer: {lesson}");
            let Kind::Choice { values, .. } = one.question.kind else { panic!("a choice") };
            assert!(values.contains(&one.teaches), "{}", one.name);
            for value in values {
                assert!(page.contains(&format!("value=\"{value}\"")), "{value}");
            }
        }
        assert_eq!(page.matches("action=\"/quiz\"").count(), ALL.len());
        assert!(!page.contains(">quiz-") && !page.contains(" style="), "{page}");
    }
}

#[test]
fn what_is_no_answer_is_not_noted() {
    let quiz = Quiz::find("cut").unwrap();
    let mut answers = Answers::to(quiz);
    assert!(!answers.note(&quiz.question, "maybe"));
    assert_eq!(answers.get(&quiz.question), None);
    assert!(Quiz::find("").is_none());
}
