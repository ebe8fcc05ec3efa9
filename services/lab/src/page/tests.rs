//! What the pages promise, whatever a run holds.

use std::collections::BTreeSet;

use super::*;
use crate::messages::Language;

/// The messages of the pages: those that the sources name, and those that are named
/// after lessons, cases and answers.
fn used() -> BTreeSet<String> {
    let mut used: BTreeSet<String> = Case::lessons()
        .flat_map(|lesson| {
            (1..=lesson.experiment.trials.len()).map(move |number| Case { number, ..lesson })
        })
        .flat_map(|case| {
            let name = case.experiment.name;
            let why = (case.request().is_some() || case.is_free()).then(|| case.message("why"));
            [format!("name-{name}"), format!("lesson-{name}"), case.message("trial")]
                .into_iter()
                .chain(why)
        })
        .collect();
    used.extend(question::Knows::ALL.map(|it| format!("knows-{}", it.as_str())));
    used.extend(question::LastCommit::ALL.map(|it| format!("commit-{}", it.as_str())));
    used.extend(["none", "flaky", "jitter"].map(|it| format!("fault-{it}")));
    used.extend(["confirmed", "failed", "unknown"].map(|it| format!("outcome-{it}")));
    used.extend(["release", "cut", "wait"].map(|it| format!("held-{it}")));
    used
}

/// The messages that stand between quotes in the sources of the pages.
fn named(id: &str) -> bool {
    let sources = [
        include_str!("frame.rs"),
        include_str!("free.rs"),
        include_str!("home.rs"),
        include_str!("knows.rs"),
        include_str!("lesson.rs"),
        include_str!("mod.rs"),
        include_str!("outcome.rs"),
        include_str!("run.rs"),
        include_str!("situation.rs"),
        include_str!("waterfall.rs"),
        include_str!("worlds.rs"),
        include_str!("../server/pages.rs"),
        include_str!("../view/svg/words.rs"),
    ];
    sources.iter().any(|source| source.contains(&format!("\"{id}\"")))
}

#[test]
fn every_message_is_used_and_every_message_of_a_lesson_is_there() {
    let ids: BTreeSet<String> = Language::English.ids().collect();
    let used = used();
    let missing: Vec<_> = used.difference(&ids).collect();
    assert!(missing.is_empty(), "not in the files: {missing:?}");
    let unused: Vec<_> = ids.iter().filter(|id| !used.contains(*id) && !named(id)).collect();
    assert!(unused.is_empty(), "nobody says: {unused:?}");
}

#[test]
fn every_lesson_has_its_page_in_both_languages_with_nothing_of_style_or_script_in_it() {
    for language in [Language::English, Language::Japanese] {
        for case in Case::lessons() {
            let page = lesson(Reader { language, wall: false }, case);
            let says_language = format!("<html lang=\"{}\">", language.tag());
            let action = if case.is_free() { "action=\"/free\"" } else { "action=\"/runs\"" };
            assert!(page.contains(&says_language) && page.contains(action), "{page}");
            assert!(!page.contains(" style=") && !page.contains("<style"), "{page}");
            assert_eq!(
                page.matches("<script").count(),
                page.matches("<script type=\"module\" src=\"/assets/page.js\"></script>").count()
            );
            // A message that is missing would stand there by its id.
            for id in ["lesson-", "trial-", "predict-", "name-", "knows-"] {
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
