//! What the README tells people to type works, word by word.

use std::process::Stdio;

use campuscafe_tests::{Cafe, root};
use clap::CommandFactory as _;
use serde_json::Value;
use tokio::process::Command;

fn readme() -> String {
    std::fs::read_to_string(root().join("README.md")).unwrap()
}

#[tokio::test]
async fn every_curl_line_works_as_it_stands() {
    let cafe = Cafe::open().await;
    let text = readme();
    let lines: Vec<_> = text.lines().filter(|line| line.starts_with("curl ")).collect();
    assert!(lines.len() > 10, "the experiments by hand");
    let mut background = None;
    for line in lines {
        let here = [("5201", &cafe.order), ("5101", &cafe.inventory), ("5301", &cafe.lab)];
        let command = here.iter().fold(line.to_owned(), |line, (port, url)| {
            line.replace(&format!("localhost:{port}"), url)
        });
        let (command, waits) = match command.strip_suffix(" &") {
            Some(command) => (command.to_owned(), false),
            None => (command, true),
        };
        let running = Command::new("sh")
            .args(["-c", &command])
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        if !waits {
            background = Some((line, running));
            // The next line looks for what this one began.
            let holds = format!("{}/inventory/holds", cafe.inventory);
            campuscafe_tests::eventually("a held answer", || async {
                let list = cafe.send(cafe.http.get(&holds)).await.body;
                list["holds"].get(0).map(|_| ())
            })
            .await;
            continue;
        }
        answers(line, running).await;
    }
    let (line, running) = background.expect("the line with the ampersand");
    answers(line, running).await;
}

async fn answers(line: &str, running: tokio::process::Child) {
    let output = running.wait_with_output().await.unwrap();
    assert!(output.status.success(), "{line}");
    let body: Value = serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{line}"));
    let status = body["status"].as_u64().unwrap_or(200);
    let meant = [200, 504].contains(&status);
    assert!(meant, "{line}\nanswered {body}");
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
