//! A crash: the inventory is killed between the commit and the answer, with each store.

use campuscafe_tests::postgres::test_database;
use campuscafe_tests::{Cafe, Process, eventually};
use serde_json::{Value, json};

async fn run(arguments: &[&str], environment: &[(&str, &str)]) -> (Option<i32>, String, String) {
    Process::run("campuscafe", &[&["experiment", "crash"], arguments].concat(), environment).await
}

/// What each trial has in this place.
fn each(json: &Value, pointer: &str) -> Vec<Value> {
    let findings = json["findings"].as_array().map_or(&[][..], Vec::as_slice);
    findings.iter().map(|finding| finding.pointer(pointer).cloned().unwrap_or_default()).collect()
}

/// The columns that a text takes, where a Japanese character takes two.
fn columns(line: &str) -> usize {
    line.chars().map(|c| if c < '\u{2e80}' { 1 } else { 2 }).sum()
}

#[tokio::test]
async fn memory_forgets_what_was_committed_before_a_kill_and_a_file_and_postgresql_keep_it() {
    let Some(database) = test_database().await else { return };
    let folder = std::env::temp_dir().join(format!("campuscafe-crashes-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let environment =
        [("EXPERIMENT_DATABASE_URL", &*database), ("TMPDIR", folder.to_str().unwrap())];
    // The second time the database has the stock and the keys of the first.
    for _ in 0..2 {
        let (code, stdout, stderr) = run(&["--json"], &environment).await;
        let json: Value = serde_json::from_str(&stdout).expect(&stderr);
        assert_eq!((code, &json["shown"]), (Some(0), &json!(true)), "{json:#}");
        assert_eq!(stderr, "", "nothing to complain about");
        assert_eq!(each(&json, "/evidence"), ["spans"; 3]);
        assert_eq!(each(&json, "/crash/kept"), [false, true, true], "{json:#}");
        assert_eq!(each(&json, "/told/attempts/0/result"), ["connection_lost"; 3]);
        assert_eq!(each(&json, "/told/status"), [202; 3]);
        assert_eq!(each(&json, "/later/outcome"), ["failed", "confirmed", "confirmed"]);
        assert_eq!(each(&json, "/ledger/reservations"), [0, 1, 1], "what the inventory holds");
        assert_eq!(each(&json, "/ledger/gap"), [0; 3]);
        let left = |pieces: &str| each(&json, &format!("/ledger/{pieces}"));
        let sold: Vec<_> = left("stockBefore")
            .iter()
            .zip(left("stockAfter"))
            .map(|(before, after)| before.as_u64().unwrap() - after.as_u64().unwrap())
            .collect();
        assert_eq!(sold, [0, 1, 1]);
        for finding in json["findings"].as_array().unwrap() {
            let commits = finding["commits"].as_array().unwrap();
            assert_eq!(commits.len(), 1, "the killed process told of its commit: {finding:#}");
            let killed = finding["crash"]["killedAtMs"].as_u64().unwrap();
            assert!(commits[0]["atMs"].as_u64().unwrap() <= killed, "{finding:#}");
            assert!(finding["crash"]["restartedAtMs"].as_u64().unwrap() >= killed, "{finding:#}");
            // A process that is killed forgets its counters too, so they were read before.
            let counted =
                &finding["counters"]["inventory_reservations_total{item=\"cake\",lane=\"cured\"}"];
            assert_eq!(counted, 1, "{finding:#}");
        }
    }
    let left: Vec<_> = std::fs::read_dir(&folder).unwrap().collect();
    assert!(left.is_empty(), "{left:?}");
    std::fs::remove_dir(&folder).unwrap();
}

#[tokio::test]
async fn without_a_database_the_third_trial_is_skipped_aloud_and_alone_it_is_refused() {
    let (code, stdout, _) = run(&["--json"], &[]).await;
    let json: Value = serde_json::from_str(&stdout).unwrap();
    assert_eq!((code, json["findings"].as_array().unwrap().len()), (Some(0), 2), "{json:#}");
    assert_eq!(json["skipped"], json!(["The same, with the stock in PostgreSQL."]));

    for (language, skipped) in [("en", "SKIPPED: this trial needs"), ("ja", "省略：")] {
        let (code, text, stderr) = run(&["--lang", language], &[]).await;
        assert_eq!(code, Some(0), "{text}{stderr}");
        let kept =
            if language == "en" { "X KILLED (SIGKILL)" } else { "X 強制終了（SIGKILL）" };
        for expected in [skipped, kept, "EXPERIMENT_DATABASE_URL"] {
            assert!(text.contains(expected), "no {expected} in\n{text}");
        }
        let wide = text.lines().find(|line| columns(line) > 80);
        assert_eq!(wide, None, "{text}");
    }

    let (code, stdout, stderr) = run(&["--trial", "3"], &[]).await;
    assert_eq!(code, Some(2), "{stdout}{stderr}");
    assert!(stderr.contains("--experiment-database-url / EXPERIMENT_DATABASE_URL"), "{stderr}");
}

#[tokio::test]
async fn a_database_that_cannot_be_used_is_named_with_the_reason() {
    let environment = [("EXPERIMENT_DATABASE_URL", "mysql://cafe@127.0.0.1/cafe")];
    let (code, _, stderr) = run(&["--trial", "3"], &environment).await;
    assert_eq!(code, Some(2), "{stderr}");
    assert!(stderr.contains("the inventory service did not start"), "{stderr}");
    assert!(stderr.contains("postgres://"), "it says what was expected: {stderr}");
}

#[tokio::test]
async fn no_service_that_is_named_or_open_is_killed() {
    let cafe = Cafe::open().await;
    let urls =
        [("ORDER_URL", &*cafe.order), ("INVENTORY_URL", &cafe.inventory), ("LAB_URL", &cafe.lab)];
    let children = cafe.process.children();
    let (code, text, _) = run(&["--trial", "1"], &urls).await;
    assert_eq!(code, Some(0), "{text}");
    assert!(text.contains("This run starts services of its own"), "{text}");
    assert_eq!(cafe.state().await["reservations"], 0);
    assert_eq!(cafe.process.children(), children);
}

#[tokio::test]
async fn a_lab_runs_it_at_services_of_its_own_and_tells_of_the_kill() {
    let cafe = Cafe::open().await;
    let begin = |run: Value| cafe.send(cafe.http.post(format!("{}/api/runs", cafe.lab)).json(&run));
    let refused = begin(json!({"experiment": "crash", "trial": 3})).await;
    assert_eq!(refused.status, 503, "{}", refused.body);
    assert!(refused.text("detail").contains("EXPERIMENT_DATABASE_URL"), "{}", refused.body);

    let over = async |id: &str| {
        eventually("the run is over", async || {
            let run = cafe.send(cafe.http.get(format!("{}/api/runs/{id}", cafe.lab))).await;
            (run.text("state") != "running").then_some(run.body)
        })
        .await
    };
    let whole = begin(json!({"experiment": "crash"})).await;
    let run = over(whole.text("id")).await;
    assert_eq!((&run["shown"], run["skipped"].as_array().unwrap().len()), (&true.into(), 1));

    let begun = begin(json!({"experiment": "crash", "trial": 2})).await;
    let id = begun.text("id");
    let another = begin(json!({"experiment": "crash"})).await;
    assert_eq!(another.status, 503);
    assert!(another.text("detail").contains("starts services of its own"), "{}", another.body);

    let events = cafe.page(&format!("{}/api/runs/{id}/events", cafe.lab)).await;
    let order: Vec<_> = events.lines().filter_map(|line| line.strip_prefix("event: ")).collect();
    let order: Vec<_> = order.into_iter().filter(|event| *event != "picture").collect();
    let expected = [
        "began",
        "trial_began",
        "order_sent",
        "inventory_killed",
        "order_answered",
        "inventory_restarted",
        "spans_arrived",
        "settled",
        "judged",
        "ended",
    ];
    assert_eq!(order, expected, "{events}");
    let run = over(id).await;
    assert_eq!((&run["shown"], &run["findings"][0]["crash"]["kept"]), (&true.into(), &true.into()));
    assert_eq!(cafe.state().await["reservations"], 0, "its customer ordered elsewhere");
    eventually("its services are gone", async || {
        (cafe.process.children().len() == 2).then_some(())
    })
    .await;
}
