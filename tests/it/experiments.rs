//! `campuscafe experiment`: shown where it shows, and not where it does not.

use std::fs::File;
use std::process::Stdio;

use campuscafe_tests::{Cafe, Process, ReservedPort, binary, eventually};
use serde_json::{Value, json};
use tokio::process::Command;

async fn run(arguments: &[&str], environment: &[(&str, &str)]) -> (Option<i32>, String) {
    let mut all = vec!["experiment"];
    all.extend(arguments);
    let (code, stdout, stderr) = Process::run("campuscafe", &all, environment).await;
    assert_eq!(stderr, "", "nothing to complain about");
    (code, stdout)
}

#[tokio::test]
async fn slow_is_shown_on_services_of_its_own() {
    let (code, text) = run(&["slow"], &[]).await;
    assert_eq!(code, Some(0), "{text}");
    for expected in [
        "* COMMIT cake 10 -> 9, LATE",
        "nobody waits for attempt 1",
        "504 \"Order failed",
        "1 reservation that no customer knows of",
        "+1  inventory_late_commits_total{item=\"cake\",lane=\"naive\"}",
        "SHOWN",
        "its outcome was unknown",
        "Side by side            slow              slowfail          slowreply",
        "the customer was told   504 after 1.",
        "the inventory made      1 reservation     0 reservations    1 reservation",
        "it committed            at 2.0 s          never             at ",
        "  4. told the customer: 504 unknown ",
        "The order service cannot tell them apart (asserted: 3 runs, the same 4\n",
    ] {
        assert!(text.contains(expected), "no {expected:?} in\n{text}");
    }
    assert!(!text.contains('\x1b'), "no colour where there is no terminal");
}

async fn run_json(arguments: &[&str], environment: &[(&str, &str)]) -> (Option<i32>, Value) {
    let arguments = [arguments, &["--json"]].concat();
    let (code, text) = run(&arguments, environment).await;
    (code, serde_json::from_str(&text).unwrap_or_else(|_| panic!("no JSON: {text}")))
}

fn all(json: &Value, pointer: &str) -> Vec<Value> {
    let findings = json["findings"].as_array().unwrap().iter();
    findings.map(|finding| finding.pointer(pointer).cloned().unwrap_or_default()).collect()
}

#[tokio::test]
async fn double_as_json_has_two_orders_and_both_verdicts() {
    let (code, json) = run_json(&["double"], &[]).await;
    assert_eq!(code, Some(0), "{json}");
    assert_eq!((&json["experiment"], &json["shown"]), (&"double".into(), &true.into()));
    assert_eq!(all(&json, "/shown"), [true, true]);
    assert_eq!(all(&json, "/evidence"), ["spans", "spans"]);
    assert_eq!(all(&json, "/told/outcome"), ["unknown", "confirmed"]);
    assert_eq!(all(&json, "/ledger/reservations"), [2, 2]);
    assert_eq!(all(&json, "/ledger/gap"), [2, 1]);
    assert_eq!(all(&json, "/commits/1/duplicate"), [true, true]);
    assert_eq!(all(&json, "/commits/2"), [Value::Null, Value::Null]);
    let verdict = json["findings"][1]["verdict"].as_str().unwrap();
    assert!(verdict.contains("Attempt 2 committed before attempt 1"), "{verdict}");
    for finding in json["findings"].as_array().unwrap() {
        assert_eq!(
            finding["counters"]["inventory_duplicate_reservations_total{item=\"cake\",lane=\"naive\"}"],
            1
        );
    }
}

#[tokio::test]
async fn the_lesson_does_not_show_where_nothing_times_out() {
    let cafe = Cafe::open_with(&[("ORDER_ATTEMPT_TIMEOUT", "5s")]).await;
    for (name, shown) in [("slow", &[false, false, false][..]), ("double", &[false, false])] {
        let (code, json) = run_json(&[name, "--lab-url", &cafe.lab], &[]).await;
        assert_eq!((code, &json["shown"]), (Some(1), &false.into()), "{json}");
        assert_eq!(all(&json, "/shown"), shown);
        for verdict in all(&json, "/verdict") {
            assert!(verdict.as_str().unwrap().contains("nothing timed out"), "{verdict}");
        }
        assert!(!json.to_string().contains("changed the order"), "one commit after the other");
    }
    let (code, text) = run(&["slow", "--lab-url", &cafe.lab], &[]).await;
    assert!(code == Some(1) && text.contains("NOT SHOWN"), "{text}");
    assert!(text.contains("can tell them apart by event 3. slow: got the answer 200"), "{text}");
}

#[tokio::test]
async fn a_cut_looks_the_same_to_the_client_and_is_not_in_the_inventory() {
    let (code, json) = run_json(&["cut"], &[]).await;
    assert_eq!(code, Some(0), "{json}");
    assert_eq!(all(&json, "/chaos"), ["abort", "lostreply", "fail"]);
    assert_eq!(
        all(&json, "/told/attempts/0/result"),
        ["connection_lost", "connection_lost", "rejected"]
    );
    assert_eq!(all(&json, "/told/outcome"), ["unknown", "unknown", "failed"]);
    assert_eq!(all(&json, "/told/status"), [504, 504, 502]);
    assert_eq!(all(&json, "/ledger/reservations"), [0, 1, 0]);

    let (_, text) = run(&["cut"], &[]).await;
    let row = |name: &str| text.lines().find(|line| line.trim_start().starts_with(name)).unwrap();
    let words = |line: &str| line.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
    assert_eq!(words(row("Side by side"))[3..], ["abort", "lostreply", "fail"]);
    assert_eq!(words(row("the order's outcome"))[3..], ["unknown", "unknown", "failed"]);
    let asserted = "The order service cannot tell them apart (asserted: 2 runs, the same 4\n";
    assert!(text.contains(asserted), "{text}");
}

#[tokio::test]
async fn the_order_service_cannot_tell_apart_what_only_the_inventory_knows() {
    let (cut, slow) = tokio::join!(run_json(&["cut"], &[]), run_json(&["slow"], &[]));
    for ((code, json), end, compared) in [
        (cut, "connection_lost", &["abort", "lostreply"][..]),
        (slow, "timeout", &["slow", "slowfail", "slowreply"]),
    ] {
        let view = &json["sameViews"][0];
        assert_eq!(
            (code, &view["shown"], &view["party"]),
            (Some(0), &true.into(), &"order".into())
        );
        let runs = view["runs"].as_array().unwrap();
        assert_eq!(runs.iter().map(|run| &run["chaos"]).collect::<Vec<_>>(), compared);
        let events = json!([
            {"received": "order"},
            {"sent": {"attempt": 1}},
            {"noAnswer": {"attempt": 1, "reason": end}},
            {"sent": {"outcome": {"status": 504, "outcome": "unknown"}}},
        ]);
        for run in runs {
            assert_eq!(run["events"], events, "{json:#}");
            assert_eq!(run["timesMs"].as_array().unwrap().len(), 4, "{json:#}");
        }
    }
}

#[tokio::test]
async fn a_seed_makes_the_race_of_answers_repeatable() {
    let (_, one) = run_json(&["reorder", "--seed", "7"], &[]).await;
    let (code, again) = run_json(&["reorder", "--seed", "7"], &[]).await;
    assert_eq!((code, &again["seed"]), (Some(0), &7.into()));
    let order = |json: &Value| -> Vec<Value> {
        let completed = json["findings"][0]["told"]["completedOrder"].as_array().unwrap().iter();
        completed.map(|ping| ping["i"].clone()).collect()
    };
    assert_eq!(order(&one), order(&again));
    assert_eq!(all(&one, "/told/planned"), all(&again, "/told/planned"));
    assert_eq!(all(&one, "/evidence"), ["spans"]);
    assert!(one["findings"][0]["told"]["inversions"].as_u64().unwrap() > 0);
    let (_, other) = run_json(&["reorder", "--seed", "8"], &[]).await;
    assert_ne!(all(&one, "/told/planned"), all(&other, "/told/planned"));
}

#[tokio::test]
async fn no_line_of_an_experiment_is_wider_than_80_columns() {
    for name in ["all", "doubt", "local", "nature", "policy"] {
        let (_, text) = run(&[name], &[]).await;
        let wide = |line: &&str| line.chars().count() > 80;
        assert_eq!(text.lines().find(wide), None, "{name}");
    }
}

#[tokio::test]
async fn all_experiments_are_shown_with_one_summary_and_one_exit_code() {
    let (code, text) = run(&["all", "--seed", "7"], &[]).await;
    assert_eq!(code, Some(0), "{text}");
    let summary = text.split("\nSummary\n").nth(1).unwrap();
    for name in ["slow", "jitter", "cut", "recover", "reorder", "nature", "double", "overtake"] {
        let line = summary.lines().find(|line| line.trim_start().starts_with(name)).unwrap();
        assert!(line.contains(" SHOWN ") && !line.contains("NOT"), "{line}");
    }

    let (code, list) = run(&["--list"], &[]).await;
    let names: Vec<_> = list.lines().filter_map(|line| line.split_whitespace().next()).collect();
    let expected =
        "local slow jitter cut doubt recover reorder nature double idempotent policy doubleclick \
                    settle overtake notify stale oversell storm crash kill rollout"
            .split_whitespace()
            .collect::<Vec<_>>();
    assert_eq!((code, names), (Some(0), expected));
}

#[tokio::test]
async fn services_of_a_running_lab_are_used_and_left_running() {
    let cafe = Cafe::open().await;
    let (code, json) = run_json(&["double"], &[("LAB_URL", &cafe.lab)]).await;
    assert_eq!(code, Some(0), "{json}");
    assert_eq!(cafe.state().await["reservations"], 4);
    assert_eq!(all(&json, "/evidence"), ["spans", "spans"]);
}

#[tokio::test]
async fn without_spans_the_verdict_rests_on_the_ledger_and_says_so() {
    let cafe = Cafe::open().await;
    let urls = [("ORDER_URL", cafe.order.as_str()), ("INVENTORY_URL", cafe.inventory.as_str())];
    let (code, text) = run(&["double"], &urls).await;
    assert_eq!(code, Some(0), "{text}");
    assert!(text.contains("uses only the ledger"), "{text}");
    assert!(text.contains("2 reservations that no customer knows of"), "{text}");
}

#[tokio::test]
async fn one_trial_can_be_had_alone() {
    let (code, json) = run_json(&["double", "--trial", "2"], &[]).await;
    assert_eq!(code, Some(0), "{json}");
    assert_eq!(all(&json, "/chaos"), ["slow,none"]);
    assert_eq!(all(&json, "/commits/0/stockBefore"), [10]);
    let (code, json) = run_json(&["cut", "--trial", "1"], &[]).await;
    assert_eq!((code, &json["sameViews"]), (Some(0), &json!([])), "nothing to compare it with");
}

#[tokio::test]
async fn misuse_is_one_line_and_exit_2() {
    for arguments in [
        &["experiment"][..],
        &["experiment", "triple"],
        &["experiment", "slow", "--order-url", "http://127.0.0.1:9"],
        &["experiment", "slow", "--lab-url", "nonsense"],
        &["experiment", "double", "--trial", "0"],
        &["experiment", "double", "--trial", "3"],
        &["experiment", "all", "--trial", "1"],
    ] {
        let (code, _, stderr) = Process::run("campuscafe", arguments, &[]).await;
        assert_eq!((code, stderr.lines().count()), (Some(2), 1), "{arguments:?}: {stderr}");
    }
}

#[tokio::test]
async fn services_that_cannot_be_reached_are_named_and_nothing_is_shown() {
    let closed = ReservedPort::take();
    let url = closed.url();
    let arguments = ["experiment", "slow", "--order-url", &url, "--inventory-url", &url];
    let (code, _, stderr) = Process::run("campuscafe", &arguments, &[]).await;
    assert_eq!((code, stderr.lines().count()), (Some(1), 1), "{stderr}");
    assert!(stderr.contains(&url) && stderr.contains("nothing answers there"), "{stderr}");
}

#[tokio::test]
async fn a_lesson_delivers_what_the_stock_of_a_shared_cafe_lacks_and_says_so() {
    let cafe = Cafe::open_with(&[("INVENTORY_STOCK", "cake=1,coffee=5")]).await;
    let (code, text) = run(&["double", "--lab-url", &cafe.lab], &[]).await;
    assert_eq!(code, Some(0), "{text}");
    let delivered = text.matches("Delivered 2 cakes: the stock was 1.").count();
    assert_eq!(delivered, 2, "once for each trial:\n{text}");
    let state = cafe.state().await;
    assert_eq!(state["reservations"], 4, "nobody has put the stock back");
    assert_eq!(state["stock"], json!({"cake": 1, "coffee": 5}), "nobody has taken coffee");

    let (code, json) = run_json(&["slow", "--lab-url", &cafe.lab], &[]).await;
    assert_eq!(code, Some(0), "{json}");
    let one = json!({"quantity": 1, "stockBefore": 1});
    assert_eq!(all(&json, "/delivered"), [one.clone(), Value::Null, one], "what each trial takes");
    assert_eq!(all(&json, "/ledger/item"), ["cake"; 3]);
}

#[tokio::test]
async fn a_lesson_delivers_nothing_where_the_stock_is_enough() {
    let cafe = Cafe::open_with(&[("INVENTORY_STOCK", "cake=5")]).await;
    let (code, json) = run_json(&["slow", "--lab-url", &cafe.lab], &[]).await;
    assert_eq!(code, Some(0), "{json}");
    assert_eq!(all(&json, "/delivered"), [Value::Null, Value::Null, Value::Null]);
    assert_eq!(cafe.state().await["stock"], json!({"cake": 3}));
}

#[tokio::test]
async fn a_lesson_orders_what_there_is_most_of_where_nobody_knows_cake_and_says_so() {
    let cafe = Cafe::open_with(&[("INVENTORY_STOCK", "bagel=1,tea=5")]).await;
    let (code, text) = run(&["slow", "--lab-url", &cafe.lab], &[]).await;
    assert_eq!(code, Some(0), "{text}");
    assert!(text.contains("The inventory does not know cake, so this orders tea."), "{text}");
    assert_eq!(cafe.state().await["stock"], json!({"bagel": 1, "tea": 3}));
}

/// Runs the program with its stdout going there: exit code and stderr.
async fn run_into(stdout: Stdio, arguments: &[&str]) -> (Option<i32>, String) {
    let program = Command::new(binary("campuscafe"))
        .args(arguments)
        .env_clear()
        .env("OWN_SERVICES", "true")
        .stdin(Stdio::null())
        .stdout(stdout)
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn();
    let output = program.unwrap().wait_with_output().await.unwrap();
    (output.status.code(), String::from_utf8(output.stderr).unwrap())
}

#[tokio::test]
async fn a_report_that_cannot_be_written_is_no_success() {
    for arguments in [
        &["experiment", "--list"][..],
        &["experiment", "cut"],
        &["experiment", "cut", "--json"],
        &["completions", "bash"],
    ] {
        let full = File::options().write(true).open("/dev/full").unwrap();
        let (code, stderr) = run_into(full.into(), arguments).await;
        assert_eq!((code, stderr.lines().count()), (Some(1), 1), "{arguments:?}: {stderr}");
        assert!(stderr.starts_with("error: cannot write to stdout: "), "{arguments:?}: {stderr}");
    }
}

#[tokio::test]
async fn a_reader_that_has_gone_away_is_no_failure() {
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let (code, stderr) = run_into(writer.into(), &["experiment", "cut"]).await;
    assert_eq!((code, stderr.as_str()), (Some(0), ""));
}

/// Where the inventory is that this experiment started: its order service is told.
fn own_inventory(experiment: u32) -> Option<String> {
    let children = format!("/proc/{experiment}/task/{experiment}/children");
    let children = std::fs::read_to_string(children).ok()?;
    children.split_whitespace().find_map(|child| {
        let words = std::fs::read_to_string(format!("/proc/{child}/cmdline")).ok()?;
        let mut words = words.split('\0').skip_while(|word| *word != "--inventory-url");
        Some(words.nth(1)?.trim_end_matches('/').to_owned())
    })
}

#[tokio::test]
async fn an_experiment_that_is_interrupted_lets_its_services_finish_their_work() {
    let mut experiment = Process::start("campuscafe", &["experiment", "slow"], &[]);
    experiment.said("the lesson", |line| line.starts_with("EXPERIMENT").then_some(())).await;
    let pid = experiment.pid();
    let inventory =
        eventually("the experiment's inventory", || std::future::ready(own_inventory(pid))).await;
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let slow = http
        .post(format!("{inventory}/inventory/reserve?chaos=slowreply:3000"))
        .json(&json!({"itemId": "coffee", "quantity": 1}));
    let answer = tokio::spawn(slow.send());
    eventually("work under way", || async {
        let state = http.get(format!("{inventory}/inventory/state")).send().await.ok()?;
        (state.json::<Value>().await.ok()?["stock"]["coffee"] == 19).then_some(())
    })
    .await;
    experiment.signal("INT");
    let answer = answer.await.unwrap().expect("an answer, although the experiment is over");
    assert_eq!(answer.status(), 200);
    assert_eq!(experiment.ended().await.code(), Some(1));
    assert!(experiment.stderr().contains("interrupted"), "{}", experiment.stderr());
}

#[tokio::test]
async fn a_bare_experiment_uses_the_open_cafe_and_says_so_in_its_second_line() {
    let cafe = Cafe::open().await;
    let lab = cafe.lab.trim_start_matches("http://");
    let usual =
        |own: &'static str| [("LAB_LISTEN", lab.to_owned()), ("OWN_SERVICES", own.to_owned())];
    for (own, expected, reservations) in [
        ("true", "This run starts services of its own", 0),
        ("false", "The orders go to the open café", 4),
    ] {
        let environment = usual(own);
        let environment: Vec<_> =
            environment.iter().map(|(name, value)| (*name, &**value)).collect();
        let (code, text) = run(&["double"], &environment).await;
        assert_eq!(code, Some(0), "{text}");
        let second = text.trim_start().lines().nth(1).unwrap();
        assert!(second.starts_with(expected), "{text}");
        assert_eq!(second.contains(&cafe.order), own == "false", "{second}");
        assert_eq!(cafe.state().await["reservations"], reservations, "{own}");
    }
    let nobody = [("LAB_LISTEN", "127.0.0.1:9"), ("OWN_SERVICES", "false")];
    let (code, text) = run(&["cut"], &nobody).await;
    assert!(code == Some(0) && text.contains("services of its own"), "{text}");
}

#[tokio::test]
async fn three_people_at_one_cafe_are_each_shown_their_own_double() {
    let cafe = Cafe::open().await;
    let double = ["double", "--lab-url", &*cafe.lab];
    let run = || run_json(&double, &[]);
    let (one, two, three) = tokio::join!(run(), run(), run());
    for (code, json) in [one, two, three] {
        assert_eq!((code, all(&json, "/shown")), (Some(0), vec![true.into(); 2]), "{json}");
        assert_eq!(all(&json, "/ledger/reservations"), [2, 2], "{json}");
        assert_eq!(all(&json, "/ledger/gap"), [2, 1], "{json}");
    }
    assert_eq!(cafe.state().await["reservations"], 12);
}

#[tokio::test]
async fn a_lesson_says_when_others_take_the_stock_meanwhile() {
    let cafe = Cafe::open_with(&[("INVENTORY_STOCK", "cake=2")]).await;
    let others = async {
        let served = "order_attempts_total{result=\"timeout\",fault=\"slow\",lane=\"naive\"}";
        eventually("the first timeout", || async {
            (cafe.metric(&cafe.order, served).await > 0.0).then_some(())
        })
        .await;
        for _ in 0..3 {
            assert_eq!(cafe.reserve_cake("none", "others").send().await.unwrap().status(), 200);
        }
    };
    let double = ["double", "--lab-url", &*cafe.lab];
    let ((code, text), ()) = tokio::join!(run(&double, &[]), others);
    assert_eq!(code, Some(1), "{text}");
    let flat = text.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(flat.contains("the stock ran out, because others took from it"), "{text}");
    assert!(text.contains("others took             3 "), "{text}");
}

/// The only finding of a series, and its groups.
async fn series(name: &str, environment: &[(&str, &str)]) -> (Option<i32>, Value) {
    let (code, json) = run_json(&[name, "--seed", "7"], environment).await;
    (code, json["findings"][0].clone())
}

#[tokio::test]
async fn identical_orders_are_confirmed_or_not_by_chance_and_all_are_reserved() {
    let (code, finding) = series("jitter", &[]).await;
    assert_eq!((code, &finding["shown"]), (Some(0), &true.into()), "{finding}");
    let group = &finding["groups"][0];
    let (confirmed, unknown) = (group["confirmed"].as_u64(), group["unknown"].as_u64());
    assert_eq!(confirmed.unwrap() + unknown.unwrap(), 20, "{group}");
    assert_eq!(group["reservations"], 20, "{group}");
    let same = |one: &Value| one["order"]["chaos"] == "slow:200-1800";
    assert!(finding["orders"].as_array().unwrap().iter().all(same), "{finding}");

    let (code, finding) = series("jitter", &[("ORDER_ATTEMPT_TIMEOUT", "5s")]).await;
    assert_eq!((code, &finding["shown"]), (Some(1), &false.into()), "{finding}");
    let verdict = finding["verdict"].as_str().unwrap();
    assert!(verdict.contains("did not happen") && verdict.contains("0 timed out"), "{verdict}");
}

#[tokio::test]
async fn a_service_that_failed_confirms_the_next_order() {
    let (code, finding) = series("recover", &[]).await;
    assert_eq!((code, &finding["shown"]), (Some(0), &true.into()), "{finding}");
    assert_eq!(finding["groups"][0]["orders"], 12);
}

#[tokio::test]
async fn each_policy_pays_another_price_for_the_same_faults() {
    let (code, finding) = series("policy", &[]).await;
    assert_eq!((code, &finding["shown"]), (Some(0), &true.into()), "{finding}");
    let column = |name: &str| -> Vec<u64> {
        let groups = finding["groups"].as_array().unwrap().iter();
        groups.map(|group| group[name].as_u64().unwrap()).collect()
    };
    assert_eq!(column("orders"), [40; 4]);
    let (confirmed, doubled, calls) = (column("confirmed"), column("doubled"), column("calls"));
    assert!(confirmed[1] > confirmed[0] && doubled[1] > 0, "a retry helps and doubles: {finding}");
    assert_eq!((doubled[0], doubled[2]), (0, 0), "without a retry nothing is doubled");
    assert!(calls[1] > calls[0] && column("p95Ms")[2] > column("p95Ms")[0]);
}

#[tokio::test]
async fn a_call_over_the_network_is_slower_and_leaves_no_gap() {
    let cafe = Cafe::open().await;
    let (code, json) = run_json(&["local", "--lab-url", &cafe.lab], &[]).await;
    let finding = &json["findings"][0];
    assert_eq!((code, &finding["shown"]), (Some(0), &true.into()), "{json}");
    for kind in ["local", "remote"] {
        assert_eq!(
            (&finding[kind]["calls"], &finding[kind]["failures"]),
            (&1000.into(), &0.into())
        );
        let time = |name: &str| finding[kind][name].as_f64().unwrap();
        assert!(time("p50Us") <= time("p99Us") && time("p99Us") <= time("maxUs"), "{finding}");
    }
    assert_eq!(cafe.state().await["reservations"], 1000);
    let confirmed = "order_outcomes_total{outcome=\"confirmed\",lane=\"naive\"}";
    assert_eq!(cafe.metric(&cafe.order, confirmed).await, 1000.0, "every customer knows of one");
}

#[tokio::test]
async fn pings_without_delays_are_counted_round_by_round() {
    let (code, json) = run_json(&["nature"], &[]).await;
    let finding = &json["findings"][0];
    let inversions: Vec<u64> = serde_json::from_value(finding["inversions"].clone()).unwrap();
    assert_eq!((inversions.len(), &finding["pings"]), (50, &20.into()), "{finding}");
    // It is up to the machine whether any reply overtakes another.
    let reordered = inversions.iter().filter(|inversions| **inversions > 0).count();
    assert_eq!(finding["reorderedRounds"], reordered);
    assert_eq!(
        (code, &finding["shown"]),
        (Some(i32::from(reordered == 0)), &(reordered > 0).into())
    );
    assert_eq!(finding["incomplete"], json!([]), "the spans of every round are there");
}

#[tokio::test]
async fn a_reservation_in_doubt_is_there_whatever_becomes_of_its_answer() {
    for (answer, outcome, said) in [
        ("release", "confirmed", "The answer arrived, so the customer was told yes"),
        ("cut", "unknown", "The connection was cut, so the customer was told"),
    ] {
        let (code, printed) = run(&["doubt", "--answer", answer], &[]).await;
        assert_eq!(code, Some(0), "{printed}");
        assert!(printed.contains("The reservation is made, and the answer is held"), "{printed}");
        let flat = printed.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(flat.contains(said), "{printed}");
        assert!(flat.contains(&format!("the outcome is {outcome}, after")), "{printed}");
        assert!(flat.contains("the inventory made 1 reservation,"), "{printed}");
    }
    // Where nobody can be asked, the answer is released.
    let (code, json) = run_json(&["doubt"], &[]).await;
    assert_eq!(code, Some(0), "{json}");
    assert_eq!(all(&json, "/told/outcome"), ["confirmed"]);
}
