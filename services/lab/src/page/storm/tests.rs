use super::super::{Answers, Case, Growing, Stage, comparison, run};
use super::*;
use crate::lessons::storm_testing::storm as specimen;
use crate::lessons::{Act, Evidence};
use crate::messages::Language;

const LANGUAGES: [Language; 2] = [Language::English, Language::Japanese];

fn case() -> Case {
    Case::find("storm", 1).expect("the lesson")
}

fn page(language: Language, stage: Stage<'_>, asks: bool) -> String {
    let lines = [Arc::default()];
    let view = View {
        id: "1",
        case: case(),
        stage,
        answers: Answers::default(),
        asks,
        orders: None,
        lines: &lines,
        keys: &[],
    };
    run(Reader { language, wall: false }, &view)
}

fn finding(seen: Storm) -> [Arc<Finding>; 1] {
    let Act::Storm(_, judge) = &case().experiment.trials[0].act else { panic!("a storm") };
    [Arc::new(Finding {
        caption: "caption-storm-1",
        verdict: judge(&seen),
        evidence: Evidence::Storm(Box::new(seen)),
        had_span_source: true,
        in_lab: None,
        in_jaeger: None,
        in_grafana: None,
    })]
}

/// Fails if a message stands there by its id, or something has a style of its own.
fn is_said(page: &str) {
    for id in ["storm-", "col-", "compare-", "caption-", "then-", "why-", "seen-"] {
        assert!(!page.contains(&format!(">{id}")), "{id} in {page}");
    }
    assert!(!page.contains(" style=") && !page.contains("<style"), "{page}");
}

/// A storm of which so many seconds are over.
fn part(seconds: usize) -> Storm {
    let mut part = specimen();
    for lane in [&mut part.naive, &mut part.cured] {
        lane.goodput.truncate(seconds);
        lane.queue.truncate(seconds);
    }
    part
}

#[test]
fn a_storm_that_is_over_has_its_charts_its_figures_and_its_verdict_in_both_languages() {
    let findings = finding(specimen());
    for (language, attempts, never, promise) in [
        (Language::English, "attempts for each customer", "never", "the promise is"),
        (Language::Japanese, "お客さん 1 人あたりの試行", "戻らず", "のはずでした"),
    ] {
        for asks in [true, false] {
            let page = page(language, Stage::Ended(&findings), asks);
            for expected in [attempts, never, "class=\"chart wide\"", "class=\"chart narrow\""] {
                assert!(page.contains(expected), "no {expected} in {page}");
            }
            // The specimen has too few customers, and the verdict says what it saw.
            assert!(page.contains(promise) || page.contains("class=\"verdict"), "{page}");
            assert!(page.contains("href=\"/api/runs/1\""), "{page}");
            let again = if asks { "/lessons/storm/1" } else { "/compare/storm" };
            assert!(page.contains(&format!("class=\"button\" href=\"{again}\"")), "{page}");
            is_said(&page);
        }
    }
}

#[test]
fn the_figures_of_each_lane_stand_under_its_name() {
    let mut seen = specimen();
    (seen.cured.retries, seen.cured.refused, seen.naive.late) = (12, 34, 56);
    let page = page(Language::English, Stage::Ended(&finding(seen)), false);
    let row = |name: &str| {
        let (_, row) = page.split_once(&format!("{name}</th>")).expect("the row");
        let row = row.split("</tr>").next().expect("its end");
        let cells = row.split("</td>").filter_map(|cell| cell.rsplit('>').next());
        cells.filter(|cell| !cell.is_empty()).map(str::to_owned).collect::<Vec<_>>()
    };
    for (name, cells) in [
        ("goodput before the storm", ["2.0/s", "2.0/s"]),
        ("goodput in the last 10 s", ["0.0/s", "2.0/s"]),
        ("as before the storm again after", ["never", "0 s"]),
        ("attempts for each customer", ["2.0", "2.0"]),
        (">retries", ["0", "12"]),
        ("retries that the budget refused", ["0", "34"]),
        ("late commits: nobody waited any more", ["56", "0"]),
        ("longest queue", ["7", "7"]),
    ] {
        assert_eq!(row(name), cells, "{name}");
    }
}

#[test]
fn every_second_stands_there_as_a_number_and_what_was_not_told_as_a_question_mark() {
    let page = page(Language::English, Stage::Ended(&finding(specimen())), false);
    let row = |second: usize, cells: [&str; 4]| {
        let cells: String = cells.iter().map(|cell| format!("<td>{cell}</td>")).collect();
        format!("<tr><th scope=\"row\">{second}</th>{cells}</tr>")
    };
    for (second, cells) in [
        (1, ["2", "?", "2", "?"]),
        (2, ["2", "7", "2", "7"]),
        (14, ["4", "?", "3", "?"]),
        (60, ["0", "?", "2", "?"]),
    ] {
        assert!(page.contains(&row(second, cells)), "{second} in {page}");
    }
    assert!(!page.contains("<th scope=\"row\">61</th>"));
}

#[test]
fn a_storm_that_goes_on_says_how_far_it_is_and_where_it_is() {
    let running = |seconds, language| {
        let seen = part(seconds);
        let so_far = Some(Growing::Storm(&seen));
        page(language, Stage::Running { held: false, so_far }, false)
    };
    for (seconds, says) in [
        (0, "The lab starts an order service and an inventory for each lane."),
        (11, "Before the storm: 2 customers come in each second."),
        (12, "The storm: 8 customers come in each second."),
        (14, "The storm: 8 customers come in each second."),
        (15, "The storm is over: 2 customers come in each second, as before it."),
    ] {
        let page = running(seconds, Language::English);
        assert!(page.contains(&format!("<p role=\"status\">{says}</p>")), "{seconds}: {page}");
        assert!(page.contains(&format!("Second {seconds} of 60")), "{page}");
        assert!(page.contains(&format!("<progress value=\"{seconds}\" max=\"60\"")), "{page}");
        assert!(page.contains("data-run=\"1\"") && page.contains("class=\"now\""), "{page}");
        is_said(&page);
    }
    assert!(running(20, Language::Japanese).contains("60 秒のうち 20 秒"));
}

#[test]
fn its_pages_begin_a_run_lead_to_each_other_and_name_the_command() {
    for language in LANGUAGES {
        let reader = Reader { language, wall: false };
        let page = comparison(reader, case().experiment, None);
        for part in [
            "name=\"compare\" value=\"storm\"",
            "campuscafe compare storm",
            "href=\"/lessons/storm/1\"",
        ] {
            assert!(page.contains(part), "no {part} in {page}");
        }
        is_said(&page);
        let lesson = super::super::lesson(reader, case(), None);
        assert!(lesson.contains("href=\"/compare/storm\""), "{lesson}");
        assert!(lesson.contains("name=\"choice\" value=\"down\""), "{lesson}");
        is_said(&lesson);
    }
}

#[test]
fn a_storm_that_could_not_run_says_why_and_names_the_command() {
    let failed = Stage::Failed("cannot start inventory: no such file");
    let page = page(Language::English, failed, false);
    for part in ["cannot start inventory: no such file", "campuscafe compare storm"] {
        assert!(page.contains(part), "no {part} in {page}");
    }
}

#[test]
fn a_lab_without_room_for_a_storm_says_so_and_has_no_button() {
    let no_room = Some(NoRoom { has: 64, needs: 256 });
    for (language, says) in [
        (Language::English, "its container has 64 MiB of memory, and a storm needs 256 MiB"),
        (Language::Japanese, "メモリーは 64 MiB で、嵐には 256 MiB が必要です"),
    ] {
        let page = comparison(Reader { language, wall: false }, case().experiment, no_room);
        assert!(page.contains(says) && page.contains("campuscafe compare storm"), "{page}");
        assert!(!page.contains("action=\"/runs\""), "{page}");
    }
}
