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
        // The held answer, once it is released.
        json!({"itemId": "cake", "quantity": 1}),
        json!({"holds": [{"requestId": "doubt"}]}),
        json!({"requestId": "doubt", "released": 1}),
        json!({"traces": [{}, {}, {}, {}, {}]}),
        json!({"stock": {"cake": 13, "coffee": 20}, "reservations": 7}),
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
    serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{command}: no JSON"))
}

#[tokio::test]
async fn every_curl_line_answers_what_the_readme_says() {
    let cafe = Cafe::open().await;
    let text = readme();
    let lines: Vec<_> = text.lines().filter(|line| line.starts_with("curl ")).collect();
    let expected = expected();
    assert_eq!(lines.len(), expected.len(), "an expected answer for each of {lines:#?}");
    let mut in_background = None;
    for (line, expected) in lines.into_iter().zip(expected) {
        let here = [("5201", &cafe.order), ("5101", &cafe.inventory), ("5301", &cafe.lab)];
        let command = here.iter().fold(line.to_owned(), |line, (port, url)| {
            line.replace(&format!("localhost:{port}"), url)
        });
        if let Some(command) = command.strip_suffix(" &") {
            let command = command.to_owned();
            in_background = Some((tokio::spawn(async move { answer(&command).await }), expected));
        } else if command.contains("-d ") || command.contains("-X ") {
            let answer = answer(&command).await;
            assert!(has(&answer, &expected), "{line}: {answer}, expected {expected}");
        } else {
            // A reader looks again until the work of the line before has arrived.
            eventually(&format!("{expected} from {line}"), || async {
                has(&answer(&command).await, &expected).then_some(())
            })
            .await;
        }
    }
    let (held, expected) = in_background.expect("the line with the ampersand");
    let answer = held.await.unwrap();
    assert!(has(&answer, &expected), "{answer}, expected {expected}");
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
