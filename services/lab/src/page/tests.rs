//! What the pages promise, whatever a run holds.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use campuscafe_api::inventory::{Key, KeyState};
use campuscafe_api::order::AttemptResult;

use super::*;
use crate::lessons::script_testing::{asked, late_attempt, played};
use crate::lessons::{self, Calls, Evidence, Finding, LocalAndRemote};
use crate::messages::Language;

/// The messages that are named after lessons, cases, answers and ends.
fn used() -> BTreeSet<String> {
    let mut used: BTreeSet<String> = Case::lessons()
        .flat_map(|lesson| {
            (1..=lesson.experiment.trials.len()).map(move |number| Case { number, ..lesson })
        })
        .flat_map(|case| {
            let name = case.experiment.name;
            [format!("name-{name}"), format!("lesson-{name}"), case.message("trial")]
        })
        .collect();
    for experiment in every() {
        let name = experiment.name;
        used.insert(format!("title-{name}"));
        used.extend(experiment.trials.iter().map(|trial| trial.caption.to_owned()));
    }
    used.extend(["double", "cut"].map(|name| format!("title-compare-{name}")));
    for experiment in lessons::comparisons() {
        used.extend(experiment.trials.iter().map(|trial| trial.caption.to_owned()));
    }
    used.extend(["reserved", "refused", "cancelled", "void"].map(|it| format!("key-{it}")));
    for name in lessons::names() {
        used.extend([format!("look-jaeger-{name}"), format!("look-grafana-{name}")]);
    }
    let cases = Case::lessons().flat_map(|lesson| {
        (1..=lesson.experiment.trials.len()).map(move |number| Case { number, ..lesson })
    });
    let questions = cases.flat_map(|case| case.questions().iter().copied());
    used.extend(questions.chain([&question::COMMIT]).flat_map(Question::messages));
    used.extend(quiz::ALL.into_iter().flat_map(Quiz::messages));
    used.extend(catalogue::messages().chain(menu::messages()));
    used.extend(["none", "flaky", "jitter"].map(|it| format!("fault-{it}")));
    used.extend(AttemptResult::ALL.map(|it| format!("result-{}", it.as_str())));
    for kind in ["outcome", "gloss"] {
        used.extend(["confirmed", "failed", "unknown"].map(|it| format!("{kind}-{it}")));
    }
    used.extend(["release", "cut", "wait"].map(|it| format!("held-{it}")));
    used
}

/// Whether the message stands between quotes in one of these sources.
fn named(id: &str, sources: &[String]) -> bool {
    sources.iter().any(|source| source.contains(&format!("\"{id}\"")))
}

/// The sources of the lab, without tests in files of their own.
fn sources(folder: &Path) -> Vec<String> {
    let paths = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    paths
        .filter(|path| path.file_stem().is_some_and(|name| name != "tests"))
        .flat_map(|path| match path.is_dir() {
            true => sources(&path),
            false => vec![std::fs::read_to_string(&path).unwrap()],
        })
        .collect()
}

/// The messages that these sources say by a name between quotes.
fn said(sources: &[String]) -> BTreeSet<String> {
    let calls = [".say(\"", ".tell(\"", "Message::new(\""];
    let names = sources.iter().flat_map(|source| {
        calls
            .iter()
            .flat_map(|call| source.split(call).skip(1).filter_map(|rest| rest.split('"').next()))
    });
    names.map(str::to_owned).collect()
}

#[test]
fn every_message_is_used_and_every_message_of_a_lesson_is_there() {
    let ids: BTreeSet<String> = Language::English.ids().collect();
    let used = used();
    let sources = sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"));
    let said = said(&sources);
    assert!(said.len() > 100, "these are the sources");
    let missing: Vec<_> = used.union(&said).filter(|id| !ids.contains(*id)).collect();
    assert!(missing.is_empty(), "not in the files: {missing:?}");
    let unused: Vec<_> =
        ids.iter().filter(|id| !used.contains(*id) && !named(id, &sources)).collect();
    assert!(unused.is_empty(), "nobody says: {unused:?}");
}

#[test]
fn every_lesson_has_its_page_in_both_languages_with_nothing_of_style_or_script_in_it() {
    for language in [Language::English, Language::Japanese] {
        for case in Case::lessons() {
            let page = lesson(Reader { language, wall: false }, case, None);
            let says_language = format!("<html lang=\"{}\">", language.tag());
            let action = if case.is_free() { "action=\"/free\"" } else { "action=\"/runs\"" };
            assert!(page.contains(&says_language) && page.contains(action), "{page}");
            assert!(!page.contains(" style=") && !page.contains("<style"), "{page}");
            assert_eq!(
                page.matches("<script").count(),
                page.matches("<script type=\"module\" src=\"/assets/page.js\"></script>").count()
            );
            // A message that is missing would stand there by its id.
            for id in ["lesson-", "trial-", "predict-", "name-", "knows-", "ask-"] {
                assert!(!page.contains(&format!(">{id}")), "{id} in {page}");
            }
        }
    }
}

#[test]
fn whoever_goes_on_to_the_next_case_meets_every_case_once() {
    let paths: Vec<_> =
        std::iter::successors(Case::lessons().next(), |case| case.next()).map(Case::path).collect();
    let all = Case::lessons().flat_map(|lesson| {
        (1..=lesson.experiment.trials.len()).map(move |number| Case { number, ..lesson }.path())
    });
    assert_eq!(paths, all.collect::<Vec<_>>());
}

#[test]
fn the_pages_come_with_their_files_and_fetch_nothing_from_elsewhere() {
    let page = home(Reader::default(), &[]);
    for name in ["page.css", "page.js", "icon.svg"] {
        assert!(page.contains(&format!("/assets/{name}")), "{name}");
        let asset = assets::asset(name).expect("it is in the program");
        assert!(!asset.body.contains("@import") && !asset.body.contains("url(http"), "{name}");
    }
    let script = assets::asset("page.js").expect("it is in the program").body;
    for module in script.split(" from \"./").skip(1).filter_map(|rest| rest.split('"').next()) {
        assert!(assets::asset(module).is_some(), "{module}");
    }
    assert!(!page.contains("http://") && !page.contains("https://"), "{page}");
}

#[test]
fn the_verdict_of_every_kind_of_lesson_is_in_the_language_of_its_reader() {
    let calls = |us| Calls::new(vec![Duration::from_micros(us); 10], 0);
    let told = LocalAndRemote { local: calls(1), remote: calls(900), trace_id: None };
    let local = Case::find("local", 1).unwrap();
    let Some(Act::Calls { judge, .. }) = local.act() else { panic!("its act") };
    let finding = Finding {
        caption: "caption-local-1",
        verdict: judge(&told),
        evidence: Evidence::Calls(Box::new(told)),
        had_span_source: true,
        in_lab: None,
        in_jaeger: None,
        in_grafana: None,
    };
    let findings = [Arc::new(finding)];
    let lines = [Arc::default()];
    let page = |language| {
        let stage = Stage::Ended(&findings);
        let view = View {
            id: "1",
            case: local,
            stage,
            answers: Answers::default(),
            asks: true,
            orders: None,
            lines: &lines,
            keys: &[],
        };
        run(Reader { language, wall: false }, &view)
    };
    let english = page(Language::English);
    assert!(english.contains("took 900 times as long as the median local call"), "{english}");
    let japanese = page(Language::Japanese);
    assert!(japanese.contains("ローカル呼び出しの 900 倍の時間がかかりました"), "{japanese}");
    assert!(japanese.contains("ネットワーク越し      900.0 us"), "the table too: {japanese}");
    // Only the name of the other language is left in English.
    let english = japanese.matches("lang=\"en\"").count();
    assert!(english == 1 && !japanese.contains("local call"), "{japanese}");
}

#[test]
fn a_script_has_its_picture_its_answers_and_its_ledger_in_the_language_of_its_reader() {
    let case = Case::find("settle", 1).unwrap();
    let Some(Act::Script(_, lane, judge)) = case.act() else { panic!("its act") };
    let mut played = played(*lane);
    played.asked = vec![asked(Err("timeout"), None), asked(Ok(200), Some("none"))];
    played.after.reservations = 1;
    played.calls = Some(late_attempt(false));
    played.keys = vec![Key {
        key: "lesson-019ad4c1f4007b4f8f9a3b1c2d3e4f5a".to_owned(),
        state: KeyState::Void,
        age_ms: 1_500,
        reservation: None,
    }];
    let finding = Finding {
        caption: "caption-settle-1",
        verdict: judge(&played),
        evidence: Evidence::Script(Box::new(played)),
        had_span_source: true,
        in_lab: None,
        in_jaeger: None,
        in_grafana: None,
    };
    let (findings, lines) = ([Arc::new(finding)], [Arc::default()]);
    for (language, answered, conclusion, key) in [
        (
            Language::English,
            "answered 200 after 0\u{a0}ms: nothing",
            "the gap",
            "void: nothing can be reserved under it",
        ),
        (
            Language::Japanese,
            "0\u{a0}ms 後に 200: なし",
            "食い違い",
            "無効（このキーではもう予約できない）",
        ),
    ] {
        let view = View {
            id: "1",
            case,
            stage: Stage::Ended(&findings),
            answers: Answers::default(),
            asks: true,
            orders: None,
            lines: &lines,
            keys: &[],
        };
        let page = run(Reader { language, wall: false }, &view);
        let parts = ["class=\"spacetime wide\"", "class=\"verdict", "lesson-…2d3e4f5a"];
        for expected in parts.into_iter().chain([answered, conclusion, key]) {
            assert!(page.contains(expected), "no {expected} in {page}");
        }
        assert!(!page.contains(" style=") && !page.contains(">script-"), "{page}");
    }
}

#[test]
fn the_catalogue_starts_a_run_for_each_pain_and_leads_to_the_last_one_of_its_lesson() {
    let past = |id: &str, name: &str| Past {
        id: id.to_owned(),
        case: Case::find(name, 1).unwrap(),
        one_case: true,
        began_at: "2026-11-28T10:15:30.250Z".to_owned(),
        state: "state-shown",
    };
    let runs = [past("newest", "double"), past("older", "double"), past("other", "jitter")];
    for language in [Language::English, Language::Japanese] {
        let reader = Reader { language, wall: false };
        let page = catalogue(reader, &runs);
        assert_eq!(page.matches("action=\"/runs\"").count(), 4, "{page}");
        for (name, number) in [("slow", 1), ("cut", 2), ("reorder", 1), ("double", 2)] {
            let case = Case::find(name, number).unwrap();
            let begins = format!(
                "name=\"experiment\" value=\"{name}\"><input type=\"hidden\" name=\"trial\" value=\"{number}\">"
            );
            assert!(page.contains(&begins), "no {begins} in {page}");
            assert!(page.contains(&format!("href=\"{}\"", case.path())), "{name}");
        }
        assert_eq!(page.matches("href=\"/runs/").count(), 1, "{page}");
        assert!(page.contains("href=\"/runs/newest\""), "{page}");
        for part in ["pain-", "symptom-", "trap-", "remedy-", "catalogue-", " style="] {
            assert!(!page.contains(&format!(">{part}")), "{part} in {page}");
        }
    }
}
