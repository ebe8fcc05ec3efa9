//! What the README tells people to type works, word by word.

use campuscafe_tests::{Cafe, eventually, root};
use clap::CommandFactory as _;
use serde_json::{Value, json};
use tokio::process::Command;

fn readme() -> String {
    std::fs::read_to_string(root().join("README.md")).unwrap()
}

/// What each curl line of the README answers, in their order.
fn expected() -> Vec<Value> {
    let unknown = || json!({"title": "Order failed 💥", "status": 504, "outcome": "unknown"});
    vec![
        json!({"outcome": "confirmed", "note": "reserved (first try) ✅"}),
        json!({"stock": {"cake": 9}, "reservations": 1}),
        // Slow: the late commit shows a second after the answer.
        unknown(),
        json!({"stock": {"cake": 8}, "reservations": 2}),
        // Doubled.
        json!({"outcome": "confirmed", "note": "reserved (after timeout retry) ⚠️"}),
        json!({"stock": {"cake": 6}, "reservations": 4}),
        // Cut, before the commit and after it.
        unknown(),
        json!({"stock": {"cake": 6}, "reservations": 4}),
        unknown(),
        json!({"stock": {"cake": 5}, "reservations": 5}),
        // Reordered.
        json!({"planned": [{"i": 0}, {"i": 1}, {"i": 2}, {"i": 3}, {"i": 4}, {"i": 5}, {"i": 6}, {"i": 7}]}),
        // A limit of 3 s for a fault of 2 s.
        json!({"outcome": "confirmed", "attempts": [{"result": "ok"}]}),
        // One cake for both attempts, then a reply that is lost.
        json!({"outcome": "confirmed", "attempts": [{"result": "timeout"}, {"result": "ok"}]}),
        json!({"keys": [{"state": "reserved"}]}),
        json!({"outcome": "unknown", "attempts": [{"result": "connection_lost"}]}),
        // Two presses, of which the test sends one.
        json!({"outcome": "confirmed", "note": "reserved (first try) ✅"}),
        // The order that is cancelled while it is placed.
        json!({"title": "Order cancelled", "outcome": "failed"}),
        json!({"orders": [{"state": "placing"}]}),
        json!({"state": "cancelled"}),
        // A price, and its change.
        json!({"itemId": "cake", "version": 1}),
        json!({"price": 450, "version": 2}),
        // The held answer, once it is released.
        json!({"itemId": "cake", "quantity": 1}),
        json!({"holds": [{"requestId": "doubt"}]}),
        json!({"requestId": "doubt", "released": 1}),
        json!({"traces": [{}, {}, {}, {}, {}]}),
        json!({"stock": {"cake": 10, "coffee": 20}, "reservations": 10}),
        json!({"stock": {"cake": 10, "coffee": 20}, "reservations": 0}),
    ]
}

/// Whether a value has everything that is expected of it, and perhaps more members.
fn has(value: &Value, expected: &Value) -> bool {
    match (value, expected) {
        (Value::Object(_), Value::Object(members)) => {
            members.iter().all(|(name, member)| has(&value[name], member))
        }
        (Value::Array(values), Value::Array(expected)) => {
            values.len() == expected.len() && values.iter().zip(expected).all(|(v, e)| has(v, e))
        }
        _ => value == expected,
    }
}

async fn answer(command: &str) -> Value {
    let mut shell = Command::new("sh");
    let output = shell.args(["-c", command]).kill_on_drop(true).output().await.unwrap();
    assert!(output.status.success(), "{command}");
    let text = String::from_utf8_lossy(&output.stdout);
    // `-i` prints the head before the body.
    let body = text.rsplit("\r\n\r\n").next().unwrap_or_default();
    serde_json::from_str(body).unwrap_or_else(|_| panic!("{command}: no JSON in {text}"))
}

#[tokio::test]
async fn every_curl_line_answers_what_the_readme_says() {
    let cafe = Cafe::open().await;
    let text = readme();
    let lines: Vec<_> = text.lines().filter(|line| line.starts_with("curl ")).collect();
    let expected = expected();
    assert_eq!(lines.len(), expected.len(), "an expected answer for each of {lines:#?}");
    let (mut in_background, mut order) = (Vec::new(), String::new());
    for (line, expected) in lines.into_iter().zip(expected) {
        let here = [("5201", &cafe.order), ("5101", &cafe.inventory), ("5301", &cafe.lab)];
        let command = here.iter().fold(line.to_owned(), |line, (port, url)| {
            line.replace(&format!("localhost:{port}"), url).replace("ORDER_ID", &order)
        });
        if let Some(command) = command.strip_suffix(" &") {
            let command = command.to_owned();
            let answer = tokio::spawn(async move { answer(&command).await });
            in_background.push((answer, expected));
        } else if command.contains("-d ") || command.contains("-X ") {
            let answer = answer(&command).await;
            assert!(has(&answer, &expected), "{line}: {answer}, expected {expected}");
        } else {
            // A reader looks again until the work of the line before has arrived.
            let found = eventually(&format!("{expected} from {line}"), || async {
                Some(answer(&command).await).filter(|answer| has(answer, &expected))
            })
            .await;
            if let Some(id) = found["orders"][0]["orderId"].as_str() {
                id.clone_into(&mut order);
            }
        }
    }
    assert_eq!(in_background.len(), 2, "the lines with the ampersand");
    for (answer, expected) in in_background {
        let answer = answer.await.unwrap();
        assert!(has(&answer, &expected), "{answer}, expected {expected}");
    }
}

#[test]
fn every_fault_and_every_setting_is_listed() {
    let text = readme();
    for word in campuscafe_chaos::Fault::NAMES.into_iter().chain(["none", "flaky"]) {
        let row = |line: &str| line.starts_with(&format!("| `{word}"));
        assert!(text.lines().any(row), "no row for {word}");
    }
    let program = campuscafe_lab::Campuscafe::command();
    for command in program.get_subcommands() {
        let variables = command.get_arguments().filter_map(clap::Arg::get_env);
        for name in variables.map(|name| name.to_string_lossy()) {
            assert!(text.contains(&format!("`{name}`")), "{name} is not in the README");
        }
    }
}

/// What must be the same in both languages, in the order in which it stands: headings by
/// their level, code whole, table rows and list items by their numbers.
fn skeleton(text: &str) -> Vec<String> {
    let (mut parts, mut code) = (Vec::new(), false);
    for line in text.lines() {
        let trimmed = line.trim_start();
        let fence = trimmed.starts_with("```");
        if fence || code {
            parts.push(line.to_owned());
            code ^= fence;
        } else if let Some(level) = trimmed.split(' ').next().filter(|word| word.starts_with('#')) {
            parts.push(level.to_owned());
        } else if trimmed.starts_with("| ") || trimmed.starts_with("|-") {
            let separators = trimmed.matches(" |").count();
            parts.push(format!("row of {separators}: {}", numbers(trimmed).join(" ")));
        } else if trimmed.starts_with("- ") {
            parts.push("item".to_owned());
        } else if let Some((number, _)) = trimmed.split_once(". ")
            && number.parse::<u8>().is_ok()
        {
            parts.push(format!("item {number}"));
        }
    }
    parts
}

/// The numbers of a table row, sorted: their order is that of the language.
fn numbers(row: &str) -> Vec<&str> {
    let is_part = |c: char| c.is_ascii_digit() || c == '.' || c == ',';
    let words = row.split(|c: char| !is_part(c)).map(|word| word.trim_matches(['.', ',']));
    let mut numbers: Vec<_> = words.filter(|word| !word.is_empty()).collect();
    numbers.sort_unstable();
    numbers
}

#[test]
fn the_japanese_readme_has_the_same_headings_commands_and_figures() {
    let japanese = std::fs::read_to_string(root().join("README.ja.md")).unwrap();
    let (english, japanese) = (skeleton(&readme()), skeleton(&japanese));
    for (one, other) in english.iter().zip(&japanese) {
        let figures = |part: &str| -> Vec<String> {
            part.split(' ').skip(3).filter(|figure| !figure.is_empty()).map(str::to_owned).collect()
        };
        match (one.split_once(": "), other.split_once(": ")) {
            (Some((kind, _)), Some((other_kind, _))) if kind.starts_with("row of") => {
                assert_eq!(kind, other_kind, "{one}\n{other}");
                let (figures, mut others) = (figures(one), figures(other));
                for figure in figures {
                    let at = others.iter().position(|other| *other == figure);
                    others.remove(at.unwrap_or_else(|| panic!("no {figure} in {other}")));
                }
                // Japanese has digits where English has words.
                let is_word = |other: &String| other.parse::<u8>().is_ok_and(|n| n <= 40);
                assert!(others.iter().all(is_word), "{others:?} is in Japanese only");
            }
            _ => assert_eq!(one, other),
        }
    }
    assert_eq!(english.len(), japanese.len());
}

#[test]
fn every_link_of_the_japanese_readme_within_it_leads_to_a_heading() {
    let japanese = std::fs::read_to_string(root().join("README.ja.md")).unwrap();
    for target in japanese.split("](#").skip(1).map(|rest| rest.split(')').next().unwrap()) {
        let heading = |line: &str| line.trim_start_matches('#').trim() == target;
        assert!(japanese.lines().any(|line| line.starts_with('#') && heading(line)), "{target}");
    }
}
