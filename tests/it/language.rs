//! The command line speaks the language of its reader; programs are spoken to in English.

use campuscafe_tests::{Cafe, Process};
use serde_json::Value;
use unicode_width::UnicodeWidthStr as _;

const JAPANESE: &str = "お客さん 1 人に、ケーキ 2 つです。";

/// Runs an experiment: exit code, stdout, stderr.
async fn run(arguments: &str, environment: &[(&str, &str)]) -> (Option<i32>, String, String) {
    let arguments: Vec<_> = ["experiment"].into_iter().chain(arguments.split(' ')).collect();
    Process::run("campuscafe", &arguments, environment).await
}

/// The text without its spaces and line breaks.
fn flat(text: &str) -> String {
    text.split_whitespace().collect()
}

#[tokio::test]
async fn the_option_decides_the_language_and_without_it_the_locale() {
    let cafe = Cafe::open().await;
    let double = format!("double --trial 2 --lab-url {}", cafe.lab);
    let english = "one customer, two cakes.";
    for (option, environment, expected) in [
        (" --lang ja", &[("LANG", "C")][..], JAPANESE),
        ("", &[("LANG", "ja_JP.UTF-8")], JAPANESE),
        ("", &[("LANG", "ja_JP.UTF-8"), ("LC_ALL", "C")], english),
        (" --lang en", &[("LC_ALL", "ja_JP.UTF-8")], english),
        ("", &[], english),
    ] {
        let (code, text, stderr) = run(&format!("{double}{option}"), environment).await;
        assert_eq!((code, stderr.as_str()), (Some(0), ""), "{text}");
        assert!(flat(&text).contains(&flat(expected)), "{option:?} {environment:?}: {text}");
    }
}

#[tokio::test]
async fn every_line_of_a_whole_run_has_room_in_80_columns_and_nothing_is_left_in_english() {
    let (code, text, stderr) = run("all --seed 7 --own --lang ja", &[]).await;
    // It is up to the machine whether a reply overtakes another.
    assert!(matches!(code, Some(0 | 1)), "{stderr}");
    assert_eq!(stderr, "");
    let narrow = |line: &&str| !line.contains("+1 ") && !line.trim_start().starts_with("http");
    for line in text.lines().filter(narrow) {
        assert!(line.width() <= 80, "{}: {line}", line.width());
    }
    for english in [" the ", "Ledger", "SHOWN", "customer", "reserved:"] {
        assert!(!text.contains(english), "{english} in {text}");
    }
    for expected in
        ["実験 double：", "台帳", "カウンターの段差", "並べて比べる", "まとめ", "現れた"]
    {
        assert!(text.contains(expected), "no {expected} in {text}");
    }
    assert!(text.contains("「Order failed 💥」"), "the API's words stay: {text}");
}

#[tokio::test]
async fn programs_get_the_same_document_in_any_language() {
    let cafe = Cafe::open().await;
    let cut = format!("cut --trial 3 --json --lab-url {}", cafe.lab);
    let (code, text, _) = run(&format!("{cut} --lang ja"), &[]).await;
    let json: Value = serde_json::from_str(&text).expect("JSON");
    let verdict = "The inventory answered no. The order failed, and no cake is reserved.";
    assert_eq!((code, &json["findings"][0]["verdict"]), (Some(0), &verdict.into()));
    assert!(text.is_ascii() || text.contains('💥'), "{text}");
    assert!(!text.contains(|c: char| ('\u{3040}'..='\u{9fff}').contains(&c)), "{text}");
}

#[tokio::test]
async fn a_language_that_the_lab_does_not_speak_is_wrong_usage() {
    let (code, stdout, stderr) = run("double --lang xx", &[]).await;
    assert_eq!((code, stdout.as_str(), stderr.lines().count()), (Some(2), "", 1), "{stderr}");
    assert!(stderr.contains("--lang") && stderr.contains("'xx'"), "{stderr}");
    assert!(stderr.contains("en") && stderr.contains("ja"), "{stderr}");
    let (code, list, _) = run("--list --lang ja", &[]).await;
    assert_eq!(code, Some(0));
    assert!(list.contains("  double   お客さん 1 人に、ケーキ 2 つ\n"), "{list}");
}

#[tokio::test]
async fn a_cafe_and_a_load_speak_the_language_of_the_locale_too() {
    let japanese = ("LANG", "ja_JP.UTF-8");
    let mut cafe = Cafe::open_with(&[japanese]).await;
    let next_steps = |line: &str| (line == "別の端末で試してください：").then_some(());
    cafe.process.said("what to try", next_steps).await;
    let said = cafe.process.stdout();
    for expected in [
        &format!("CampusCafe が開きました。ブラウザーで {} を見てください。\n", cafe.lab),
        "在庫を持つ。遅くすることもできる",
    ] {
        assert!(said.contains(expected), "no {expected} in {said}");
    }
    let arguments = ["load", "--rate", "20", "--duration", "1s", "--mix", "none=1"];
    let arguments = [&arguments[..], &["--lab-url", &cafe.lab]].concat();
    let (code, text, _) = Process::run("campuscafe", &arguments, &[japanese]).await;
    assert_eq!(code, Some(0), "{text}");
    assert!(text.contains("食い違い                どのお客さんも知らない予約が 0 件\n"), "{text}");
    for line in text.lines() {
        assert!(line.width() <= 80, "{}: {line}", line.width());
    }
    assert!(!text.contains("confirmed") && !text.contains("orders"), "{text}");
}
