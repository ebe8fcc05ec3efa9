//! One part restarts while orders come: nothing suffers but that part. By its
//! name this stands last, since the other tests read what a restart forgets.

use std::collections::BTreeMap;

use campuscafe_tests::{Process, eventually, root};
use serde_json::Value;

use crate::dashboards::{Since, dashboard, queries_of};
use crate::stack::{Kind, Stack, done, now, run};

const TOOLS: [&str; 4] = ["grafana", "prometheus", "lab", "jaeger"];

/// Which process of each part runs, in words that change when it is replaced.
async fn lives(stack: &Stack) -> BTreeMap<String, String> {
    let text = match stack.kind {
        Kind::Compose => {
            let ids = done(&["docker", "compose", "ps", "--quiet"]).await;
            let what = "{{index .Config.Labels \"com.docker.compose.service\"}} \
                        {{.State.StartedAt}}{{.RestartCount}}";
            let mut line = vec!["docker", "inspect", "--format", what];
            line.extend(ids.split_whitespace());
            done(&line).await
        }
        Kind::Cluster => {
            let what = "jsonpath={range .items[*]}{.metadata.labels.app\\.kubernetes\\.io/name} \
                        {.metadata.uid}{.status.containerStatuses[0].restartCount}{\"\\n\"}{end}";
            done(&["kubectl", "--namespace", "campuscafe", "get", "pods", "--output", what]).await
        }
    };
    let pairs = text.lines().filter_map(|line| line.split_once(' '));
    let mut lives: BTreeMap<String, String> = BTreeMap::new();
    for (name, life) in pairs {
        let all = lives.entry(name.to_owned()).or_default();
        *all = format!("{all} {life}");
    }
    lives
}

pub(crate) async fn restart(stack: &Stack, part: &str) {
    match stack.kind {
        Kind::Compose => {
            done(&["docker", "compose", "--progress", "quiet", "restart", part]).await;
        }
        Kind::Cluster => {
            let part = format!("deployment/{part}");
            let kubectl = ["kubectl", "--namespace", "campuscafe", "rollout"];
            done(&[&kubectl[..], &["restart", &part]].concat()).await;
            done(&[&kubectl[..], &["status", &part, "--timeout", "60s"]].concat()).await;
        }
    }
}

/// Waits until everything takes requests and is seen by Prometheus.
pub(crate) async fn whole(stack: &Stack) {
    let pages = [
        format!("{}/readyz", stack.order),
        format!("{}/readyz", stack.inventory),
        format!("{}/readyz", stack.lab),
        format!("{}/api/v3/services", stack.jaeger),
        format!("{}/-/ready", stack.prometheus),
        format!("{}/api/health", stack.grafana),
    ];
    for page in pages {
        eventually(&page, || async {
            let answer = stack.http.get(&page).send().await.ok()?;
            answer.status().is_success().then_some(())
        })
        .await;
    }
    eventually("every target to be up", || async {
        let up = stack.try_query("up").await?;
        (up.len() >= 6 && up.iter().all(|(_, value)| *value == 1.0)).then_some(())
    })
    .await;
}

/// Twenty orders a second for so many seconds, of which nothing is wrong.
fn load(stack: &Stack, seconds: u32) -> Process {
    load_of(stack, seconds, "none=1")
}

/// The same with a mix of faults.
pub(crate) fn load_of(stack: &Stack, seconds: u32, mix: &str) -> Process {
    let duration = format!("{seconds}s");
    Process::start(
        "campuscafe",
        &["load", "--rate", "20", "--duration", &duration, "--mix", mix, "--json"],
        &[("ORDER_URL", &stack.order), ("INVENTORY_URL", &stack.inventory)],
    )
}

/// Waits until the load has placed some orders.
pub(crate) async fn under_way(stack: &Stack) {
    let before = stack.order_count().await;
    eventually("orders to come", || async {
        (stack.order_count().await >= before + 10.0).then_some(())
    })
    .await;
}

pub(crate) async fn summary(mut load: Process) -> Value {
    let status = load.ended().await;
    assert_eq!(status.code(), Some(0), "{}", load.stderr());
    serde_json::from_str(&load.stdout()).unwrap()
}

pub(crate) fn orders(summary: &Value, outcome: &str) -> u64 {
    summary["outcomes"][outcome]["orders"].as_u64().unwrap()
}

/// Everybody was told yes, within the time that one attempt may take.
fn all_told_yes(summary: &Value, what: &str) {
    for outcome in ["failed", "unknown", "no_answer"] {
        assert_eq!(orders(summary, outcome), 0, "{what}: {outcome}: {summary:#}");
    }
    assert!(orders(summary, "confirmed") >= 100, "{what}: {summary:#}");
    assert_eq!(summary["notSent"], 0, "{what}");
    let slowest = summary["outcomes"]["confirmed"]["times"]["p99Ms"].as_f64().unwrap();
    assert!(slowest < 1000.0, "{what}: {slowest} ms");
}

/// And the inventory holds exactly that, as both services count it.
fn nothing_happened(summary: &Value, what: &str) {
    all_told_yes(summary, what);
    assert_eq!(summary["ledger"]["gap"], 0, "{what}: {summary:#}");
}

#[tokio::test]
async fn after_kill_9_of_both_services_and_their_database_customers_were_told_the_truth() {
    let Some(stack) = Stack::only_on(Kind::Compose, "kill -9 with the database") else { return };
    let order = stack.order("none", false).await;
    let reservations = stack.reservations().await;
    let compose = ["docker", "compose", "--progress", "quiet"];
    let all = ["inventory", "order", "postgres"];
    done(&[&compose[..], &["kill", "--signal", "KILL"], &all].concat()).await;
    done(&[&compose[..], &["up", "--detach", "--wait", "--no-recreate"], &all].concat()).await;
    assert_eq!(stack.reservations().await, reservations);
    let url = format!("{}/orders/{}", stack.order, order["orderId"].as_str().unwrap());
    assert_eq!(stack.json(&url).await["state"], "confirmed");
}

#[tokio::test]
async fn a_backup_brings_back_what_it_holds_and_a_reset_begins_anew() {
    let Some(stack) = Stack::only_on(Kind::Compose, "backup and reset") else { return };
    let script = root().join("scripts/database");
    let script = script.to_str().unwrap();
    let folder = std::env::temp_dir();
    let path = |name: &str| {
        let name = format!("campuscafe-{}-{name}.sql", std::process::id());
        folder.join(name).to_str().unwrap().to_owned()
    };
    let (file, broken, foreign) = (path("backup"), path("broken"), path("foreign"));
    let state = async || stack.json(&format!("{}/inventory/state", stack.inventory)).await;
    let orders = async || stack.json(&format!("{}/orders?limit=1000", stack.order)).await;
    stack.order("none", false).await;
    let kept = (state().await, orders().await);
    done(&[script, "backup", &file]).await;
    let again = run(&[script, "backup", &file]).await;
    assert!(again.code == Some(1) && again.err.contains("exists already"), "{}", again.err);
    stack.order("none", false).await;
    assert_ne!(state().await, kept.0);

    std::fs::write(&foreign, "SELECT 1;\n").unwrap();
    let backup = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&broken, format!("{backup}SELECT 1 / 0;\n")).unwrap();
    let now = state().await;
    for (file, expected) in [(&foreign, "no backup"), (&broken, "nothing was changed")] {
        let refused = run(&[script, "restore", file]).await;
        assert!(refused.code == Some(1) && refused.err.contains(expected), "{}", refused.err);
        assert_eq!(state().await, now, "{file}");
    }
    done(&[script, "restore", &file]).await;
    assert_eq!((state().await, orders().await), kept);

    done(&[script, "reset"]).await;
    assert_eq!(state().await["stock"], serde_json::json!({"cake": 10, "coffee": 20}));
    assert_eq!(orders().await["orders"], serde_json::json!([]));
    for file in [file, broken, foreign] {
        std::fs::remove_file(file).unwrap();
    }
}

#[tokio::test]
async fn a_tool_that_restarts_costs_no_order_and_nothing_else() {
    let stack = Stack::from_env();
    for tool in TOOLS {
        whole(&stack).await;
        let before = lives(&stack).await;
        let load = load(&stack, 8);
        under_way(&stack).await;
        restart(&stack, tool).await;
        nothing_happened(&summary(load).await, tool);
        whole(&stack).await;
        let after = lives(&stack).await;
        for (part, life) in &before {
            assert_eq!(part == tool, after[part] != *life, "{tool} restarted, and {part}");
        }
    }
}

#[tokio::test]
async fn jaeger_can_be_gone_for_20_seconds_and_orders_do_not_notice() {
    let Some(stack) = Stack::only_on(Kind::Compose, "Jaeger gone for 20 seconds") else { return };
    whole(&stack).await;
    done(&["docker", "compose", "--progress", "quiet", "stop", "jaeger"]).await;
    nothing_happened(&summary(load(&stack, 20)).await, "Jaeger is gone");
    done(&["docker", "compose", "--progress", "quiet", "start", "jaeger"]).await;
    whole(&stack).await;
    stack.reset().await;
    let order = stack.order("none", false).await;
    let id = order["traceId"].as_str().unwrap();
    stack.trace(id, 4).await;
}

#[tokio::test]
async fn a_lab_that_is_gone_does_not_stop_traces() {
    let Some(stack) = Stack::only_on(Kind::Compose, "the lab gone") else { return };
    whole(&stack).await;
    done(&["docker", "compose", "--progress", "quiet", "stop", "lab"]).await;
    for _ in 0..20 {
        // Otherwise the cake runs out.
        stack.reset().await;
        let order = stack.order("none", false).await;
        stack.trace(order["traceId"].as_str().unwrap(), 4).await;
    }
    done(&["docker", "compose", "--progress", "quiet", "start", "lab"]).await;
    whole(&stack).await;
}

/// On a cluster there is a second pod before the first one goes, so there not
/// even the orders in between are refused.
#[tokio::test]
async fn an_order_service_that_restarts_finishes_what_it_took() {
    let stack = Stack::from_env();
    whole(&stack).await;
    let before = lives(&stack).await;
    let reserved = stack.reservations().await;
    let load = load(&stack, 10);
    under_way(&stack).await;
    restart(&stack, "order").await;
    let summary = summary(load).await;
    let told_yes = orders(&summary, "confirmed");
    assert!(told_yes >= 50, "{summary:#}");
    assert_eq!(orders(&summary, "unknown"), 0, "{summary:#}");
    if stack.kind == Kind::Cluster {
        all_told_yes(&summary, "a rolling update");
    }
    assert_eq!(stack.reservations().await - reserved, told_yes, "{summary:#}");
    whole(&stack).await;
    let after = lives(&stack).await;
    for (part, life) in &before {
        assert_eq!(part == "order", after[part] != *life, "order restarted, and {part}");
    }
    stack.reset().await;
    assert_eq!(stack.order("none", false).await["outcome"], "confirmed");
}

/// The tiles that count what the inventory did say "no evidence" for a window in
/// which it restarted; a smaller count minus a larger one would be less than nothing.
async fn nothing_is_shown_of_the_ledger(stack: &Stack, from: f64) {
    for title in ["Reserved", "Taken twice", "The gap, and what it is made of"] {
        for query in queries_of(&dashboard("four-pains"), title) {
            eventually(&format!("no evidence at {title}"), || async {
                let shown = query.shown(stack, from, now(), Since::Window).await;
                shown.is_none().then_some(())
            })
            .await;
        }
    }
}

#[tokio::test]
async fn an_inventory_that_restarts_is_away_and_comes_back() {
    let stack = Stack::from_env();
    whole(&stack).await;
    let before = lives(&stack).await;
    let from = now();
    let load = load(&stack, 10);
    under_way(&stack).await;
    // So many that a scrape sees the new process below them, however late it comes.
    let enough = scraped(&stack).await.unwrap_or(0.0) + 60.0;
    eventually("enough reservations", || async {
        scraped(&stack).await.filter(|scraped| *scraped >= enough)
    })
    .await;
    restart(&stack, "inventory").await;
    let summary = summary(load).await;
    assert_eq!(orders(&summary, "no_answer"), 0, "the order service answers all: {summary:#}");
    assert!(orders(&summary, "confirmed") >= 50, "{summary:#}");
    whole(&stack).await;
    let after = lives(&stack).await;
    for (part, life) in &before {
        assert_eq!(part == "inventory", after[part] != *life, "inventory restarted, and {part}");
    }
    nothing_is_shown_of_the_ledger(&stack, from).await;
    stack.reset().await;
    // Else the window would begin with reservations of the load that are not scraped yet.
    let before = made(&stack).await;
    eventually("a scrape after the load", || async {
        scraped(&stack).await.filter(|scraped| *scraped == before)
    })
    .await;
    let from = now();
    assert_eq!(stack.order("none", false).await["outcome"], "confirmed");
    let [reserved] = &queries_of(&dashboard("four-pains"), "Reserved")[..] else {
        panic!("one query")
    };
    eventually("a window after the restart to count again", || async {
        let shown = reserved.shown(&stack, from, now(), Since::Window).await?;
        let made = made(&stack).await - before;
        (made >= 1.0 && shown == made).then_some(())
    })
    .await;
}

/// Reservations of which Prometheus knows.
async fn scraped(stack: &Stack) -> Option<f64> {
    let answer = stack.try_query("sum(inventory_reservations_total)").await?;
    answer.first().map(|(_, value)| *value)
}

/// Reservations that the inventory has counted since it started.
async fn made(stack: &Stack) -> f64 {
    let page = stack.http.get(format!("{}/metrics", stack.inventory)).send().await.unwrap();
    let page = page.text().await.unwrap();
    let lines = page.lines().filter(|line| line.starts_with("inventory_reservations_total{"));
    lines.filter_map(|line| line.rsplit(' ').next()?.parse::<f64>().ok()).sum()
}
