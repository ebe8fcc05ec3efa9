//! What is said of runs that look the same, of those that do not, and of lost spans.

use super::super::{Answers, Case, Stage, View, lesson, run};
use super::*;
use crate::lessons::ALL;
use crate::lessons::testing::{finding, order_trace};
use crate::messages::Language;

const ENGLISH: Reader = Reader { language: Language::English, wall: false };
const JAPANESE: Reader = Reader { language: Language::Japanese, wall: false };

fn experiment(name: &str) -> &'static Experiment {
    ALL.into_iter().find(|experiment| experiment.name == name).unwrap()
}

fn lost(ms: u64) -> Option<campuscafe_evidence::order_trace::OrderTrace> {
    order_trace(Err("connection_lost"), ms)
}

fn said(reader: Reader, findings: &[Arc<Finding>]) -> String {
    compared(reader, experiment("cut"), findings).into_string()
}

fn page_of(findings: &[Arc<Finding>], asks: bool) -> String {
    let lines = vec![Arc::default(); findings.len()];
    let view = View {
        id: "1",
        case: Case { experiment: experiment("cut"), number: 1 },
        stage: Stage::Ended(findings),
        answers: Answers::default(),
        orders: None,
        asks,
        lines: &lines,
        keys: &[],
    };
    run(ENGLISH, &view)
}

#[test]
fn runs_that_look_the_same_stand_in_one_picture_over_one_list_with_the_times_of_each() {
    let findings = [
        finding("abort", lost(5)),
        finding("lostreply", lost(7)),
        finding("fail", order_trace(Ok(503), 5)),
    ];
    let page = said(ENGLISH, &findings);
    assert_eq!(page.matches("<svg class=\"spacetime narrow\"").count(), 1, "{page}");
    assert!(page.contains("<strong>A abort</strong> cuts before the commit"), "{page}");
    assert!(
        page.contains("Only the column of the inventory differs. Times are left out"),
        "{page}"
    );
    for expected in [
        "<th scope=\"row\">3. attempt 1 ended without an answer: connection lost</th>\
         <td data-head=\"abort\">5 ms</td><td data-head=\"lostreply\">7 ms</td>",
        "<th scope=\"row\">4. told the customer: 504 unknown</th>",
        "The order service cannot tell them apart (asserted: 2 runs, the same 4 events).",
        "Times were left out of the comparison",
    ] {
        assert!(page.contains(expected), "no {expected} in {page}");
    }
    let page = said(JAPANESE, &findings);
    assert!(page.contains("注文サービスには区別できません（確認済み：2 回の実行、"), "{page}");
}

#[test]
fn runs_that_differ_are_listed_up_to_there_and_each_is_quoted() {
    let findings = [finding("abort", lost(5)), finding("lostreply", order_trace(Ok(200), 7))];
    let page = said(ENGLISH, &findings);
    assert_eq!(page.matches("<svg class=\"spacetime narrow\"").count(), 2, "side by side");
    assert!(page.contains("2. sent attempt 1") && !page.contains("<th scope=\"row\">3."), "{page}");
    for expected in [
        "can tell them apart by event 3.",
        "<li>abort: attempt 1 ended without an answer: connection lost</li>",
        "<li>lostreply: got the answer 200 to attempt 1</li>",
    ] {
        assert!(page.contains(expected), "no {expected} in {page}");
    }
    assert!(!page.contains("asserted"), "{page}");
}

#[test]
fn a_run_without_spans_is_named_and_nothing_is_asserted() {
    let page = said(ENGLISH, &[finding("abort", lost(5)), finding("lostreply", None)]);
    assert!(page.contains("missing or wrong (chaos lostreply)."), "{page}");
    assert!(page.contains("<td data-head=\"lostreply\">?</td>"), "{page}");
    assert!(!page.contains("asserted"), "{page}");
}

#[test]
fn only_a_run_of_the_whole_experiment_is_compared_and_its_ids_stay_its_own() {
    let findings = [finding("abort", lost(5)), finding("lostreply", lost(7))];
    let page = page_of(&findings, false);
    assert!(page.contains("overlaid") && page.contains("asserted"), "{page}");
    assert!(page.contains("href=\"/lessons/cut/worlds\" aria-current=\"page\""), "{page}");
    assert!(!page.contains("you said"), "nobody was asked");
    let mut ids: Vec<_> =
        page.split(" id=\"").skip(1).filter_map(|rest| rest.split('"').next()).collect();
    let all = ids.len();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), all, "{ids:?}");
    let page = page_of(&findings[..1], true);
    assert!(!page.contains("overlaid") && !page.contains("asserted"), "{page}");
}

#[test]
fn a_lesson_with_worlds_leads_to_them_and_they_begin_a_run_of_every_trial() {
    for reader in [ENGLISH, JAPANESE] {
        for lessons_case in Case::lessons() {
            let experiment = lessons_case.experiment;
            let leads = lesson(reader, lessons_case, None).contains(&path(experiment));
            let page = worlds(reader, experiment);
            assert_eq!((leads, page.is_some()), (has(experiment), has(experiment)));
            let Some(page) = page else { continue };
            assert!(page.contains("action=\"/runs\"") && !page.contains("name=\"trial\""));
            assert!(!page.contains(" style=") && !page.contains(">worlds-"), "{page}");
            for fault in experiment.same_view {
                let id = format!("fault-{fault}");
                assert_ne!(reader.say(&id), id, "a message");
            }
        }
    }
    assert!(worlds(ENGLISH, experiment("slow")).unwrap().contains("Three worlds, one view"));
}

#[test]
fn what_spans_say_is_written_out_and_not_obeyed() {
    let reason = "<img onerror=x>\u{202e}".to_owned();
    let event = LocalEvent::NoAnswer { attempt: 1, reason };
    let page = html! { (in_words(Language::English, &event)) }.into_string();
    assert_eq!(page, "attempt 1 ended without an answer: &lt;img onerror=x&gt;\\u{202e}");
}
