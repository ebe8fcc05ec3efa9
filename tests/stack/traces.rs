//! What Jaeger has: the span contract, read from its own API.

use campuscafe_tests::{Span, eventually, spans_of};
use serde_json::Value;

use crate::dashboards::{dashboard, targets};
use crate::stack::{Kind, Stack};
use crate::story::{Story, story};

const SERVER: u64 = 2;
const CLIENT: u64 = 3;
const ERROR: u64 = 2;

fn below<'a>(spans: &'a [Span], parent: &Span) -> Vec<&'a Span> {
    spans.iter().filter(|span| span.parent == parent.id).collect()
}

fn root<'a>(spans: &'a [Span], name: &str) -> &'a Span {
    spans.iter().find(|span| span.parent.is_empty() && span.name == name).expect("a root")
}

fn commit<'a>(spans: &'a [Span], attempt: &Span) -> Option<&'a Span> {
    let served = below(spans, attempt).into_iter().find(|span| span.kind == SERVER)?;
    below(spans, served).into_iter().find(|span| span.name.starts_with("commit reservation"))
}

#[tokio::test]
async fn a_doubled_order_shows_two_attempts_side_by_side_and_a_late_commit() {
    let story = story().await;
    // An order, two attempts, both served, one wait, two commits.
    let spans = story.stack.trace(story.trace_id("doubled"), 8).await;
    let order = root(&spans, "POST /orders");
    assert_eq!((order.kind, order.service.as_str()), (SERVER, "order"));
    assert_eq!(order.text("campuscafe.order.outcome"), Some("confirmed"));
    let attempts = below(&spans, order);
    assert_eq!(attempts.len(), 2, "siblings: {spans:#?}");
    assert!(attempts.iter().all(|attempt| attempt.kind == CLIENT), "{attempts:#?}");
    let [first, second] = [attempts[0], attempts[1]];

    assert_eq!((first.text("error.type"), first.status), (Some("timeout"), ERROR));
    assert_eq!(first.int("http.request.resend_count"), None);
    assert_eq!(second.int("http.request.resend_count"), Some(1));
    assert_eq!(second.int("http.response.status_code"), Some(200));
    assert!(second.start >= first.end, "the retry comes after the timeout");

    let late = commit(&spans, first).expect("the first attempt commits after all");
    assert!(late.start > first.end && late.start > order.end, "nobody waits for it any more");
    assert_eq!(late.flag("campuscafe.reservation.late"), Some(true));
    assert_eq!(late.flag("campuscafe.reservation.duplicate"), Some(true));
    assert_eq!(late.service, "inventory");
    let in_time = commit(&spans, second).expect("the second attempt commits");
    assert_eq!(in_time.flag("campuscafe.reservation.late"), Some(false));

    let served = below(&spans, first)[0];
    let left = served.events.iter().find(|(name, _)| name == "client.disconnected");
    assert!(left.is_some_and(|(_, at)| (first.end..late.start).contains(at)), "{served:#?}");
    assert!(served.end > order.end, "the work outlives the order");
}

#[tokio::test]
async fn the_log_lines_of_a_doubled_order_come_to_the_lab_with_the_span_that_wrote_them() {
    let story = story().await;
    let id = story.trace_id("doubled");
    let spans = story.stack.trace(id, 8).await;
    let late = spans.iter().find(|span| span.name == "commit reservation (late, duplicate)");
    let late = late.expect("the late commit");
    let url = format!("{}/api/traces/{id}/logs", story.stack.lab);
    eventually("the line of the late commit at the lab", async || {
        let logs: Value = story.stack.http.get(&url).send().await.ok()?.json().await.ok()?;
        let records = logs["resourceLogs"].as_array()?.iter().flat_map(|of| {
            let scopes = of["scopeLogs"].as_array().into_iter().flatten();
            scopes.flat_map(|scope| scope["logRecords"].as_array().into_iter().flatten())
        });
        let of_commit = |record: &&Value| record["spanId"] == *late.id;
        let body =
            records.filter(of_commit).find_map(|record| record["body"]["stringValue"].as_str());
        body.filter(|body| body.contains("Reserved AGAIN")).map(drop)
    })
    .await;
}

#[tokio::test]
async fn a_search_finds_a_double_by_its_experiment_and_by_the_name_of_its_late_commit() {
    let story = story().await;
    let said = story.stack.in_lab(&["experiment", "double", "--json"]).await;
    let report: Value = serde_json::from_str(&said.out).expect("JSON");
    let run = report["run"].as_str().expect("a run");
    let found = async |service: &str, query: &str| {
        let path = format!("{}/api/traces?service={service}&limit=50&{query}", story.stack.jaeger);
        let answer = story.stack.http.get(path).send().await.ok()?.json::<Value>().await.ok()?;
        let traces = answer["data"].as_array()?.iter();
        let ids = traces.filter_map(|trace| trace["traceID"].as_str().map(str::to_owned));
        Some(ids.collect::<std::collections::BTreeSet<_>>())
    };
    let of_run: std::collections::BTreeSet<_> = report["findings"]
        .as_array()
        .expect("findings")
        .iter()
        .filter_map(|finding| finding["told"]["traceId"].as_str().map(str::to_owned))
        .collect();
    assert_eq!(of_run.len(), 2, "{report}");
    for service in ["order", "inventory"] {
        let tags = |key: &str, value: &str| format!("tags=%7B%22{key}%22%3A%22{value}%22%7D");
        eventually("both traces of the run", || async {
            found(service, &tags("campuscafe.run", run)).await?.is_superset(&of_run).then_some(())
        })
        .await;
        let doubles = found(service, &tags("campuscafe.experiment", "double")).await;
        assert!(doubles.expect("an answer").is_superset(&of_run), "{service}");
    }
    let operation = "operation=commit%20reservation%20(late%2C%20duplicate)";
    let late = found("inventory", operation).await.expect("an answer");
    assert!(late.is_superset(&of_run), "{late:?}");
}

#[tokio::test]
async fn jaeger_leads_from_a_trace_to_the_lab_and_to_grafana_and_shows_no_empty_tab() {
    let story = story().await;
    let stack = &story.stack;
    let page = stack.http.get(format!("{}/search", stack.jaeger)).send().await.expect("a page");
    let page = page.text().await.expect("text");
    assert!(page.contains("/d/one-order?var-trace=#{traceID}"), "{page}");
    assert!(page.contains("monitor: { menuEnabled: false }"), "{page}");
    assert_eq!(dashboard("one-order")["uid"], "one-order");
    assert!(page.contains(":5301/traces/#{traceID}"), "{page}");
    let trace = format!("{}/traces/{}", stack.lab, story.trace_id("doubled"));
    let drawn = stack.http.get(trace).send().await.expect("a page").text().await.expect("text");
    assert!(drawn.contains("late, the 2nd of this order"), "{drawn}");
}

/// As a person who reads the page of a run in a browser on this machine.
#[tokio::test]
async fn the_page_of_a_run_leads_to_its_trace_in_jaeger_and_to_its_minute_in_grafana() {
    let Some(stack) = Stack::only_on(Kind::Compose, "a page has links") else { return };
    let begun = stack.http.post(format!("{}/api/runs", stack.lab));
    let begun = begun.json(&serde_json::json!({"experiment": "cut", "trial": 1})).send().await;
    let begun: Value = begun.expect("an answer").json().await.expect("JSON");
    let run = format!("{}/api/runs/{}", stack.lab, begun["id"].as_str().expect("an id"));
    let links = eventually("the end of a run", || async {
        let run = stack.try_json(&run).await.filter(|run| run["state"] != "running")?;
        Some(run["findings"][0]["links"].clone())
    })
    .await;
    let page = run.replace("/api/", "/");
    let seen = stack.http.post(format!("{page}/observation")).body("commit=never");
    let seen = seen.header("content-type", "application/x-www-form-urlencoded");
    let page = seen.send().await.expect("a page").text().await.expect("text");
    for (tool, begins) in [
        ("jaeger", format!("{}/trace/", stack.jaeger)),
        ("grafana", format!("{}/d/four-pains?from=", stack.grafana)),
    ] {
        let link = links[tool].as_str().unwrap_or_default();
        assert!(link.starts_with(&begins), "{tool}: {links}");
        let link = link.replace('&', "&amp;");
        assert!(page.contains(&format!("href=\"{link}\"")), "{tool}: {link} in {page}");
    }
}

#[tokio::test]
async fn the_two_cuts_look_alike_to_the_client_and_only_one_has_a_commit() {
    let story = story().await;
    let mut commits = Vec::new();
    for (step, spans) in [("cut before the commit", 4), ("cut after the commit", 5)] {
        let spans = story.stack.trace(story.trace_id(step), spans).await;
        let order = root(&spans, "POST /orders");
        assert_eq!(order.text("campuscafe.order.outcome"), Some("unknown"), "{step}");
        let attempts = below(&spans, order);
        assert_eq!(attempts.len(), 1, "{step}: a cut is not retried");
        assert_eq!(attempts[0].text("error.type"), Some("connection_lost"), "{step}");
        assert_eq!(attempts[0].int("http.response.status_code"), None, "{step}");
        commits.push(commit(&spans, attempts[0]).is_some());
    }
    assert_eq!(commits, [false, true]);
}

#[tokio::test]
async fn the_pings_of_a_race_are_siblings_that_say_when_they_were_sent_and_answered() {
    let story = story().await;
    // The race, six pings, each served.
    let spans = story.stack.trace(story.race["traceId"].as_str().unwrap(), 13).await;
    let race = root(&spans, "GET /demo/out-of-order");
    let inversions = i64::try_from(story.race["inversions"].as_u64().unwrap()).unwrap();
    assert_eq!(race.int("campuscafe.reorder.inversions"), Some(inversions));
    let pings = below(&spans, race);
    let mut answered: Vec<_> =
        pings.iter().map(|ping| ping.int("campuscafe.reorder.completed").unwrap()).collect();
    assert_ne!(answered, [0, 1, 2, 3, 4, 5], "not in the order of sending");
    answered.sort_unstable();
    assert_eq!(answered, [0, 1, 2, 3, 4, 5]);
}

#[tokio::test]
async fn every_experiment_is_shown_and_its_traces_are_in_jaeger() {
    let story = story().await;
    assert_eq!(story.experiments["shown"], true, "{:#}", story.experiments);
    let findings = story.experiments["findings"].as_array().unwrap();
    let names: Vec<_> = findings.iter().map(|f| f["experiment"].as_str().unwrap()).collect();
    let expected = "slow slow slow jitter cut cut cut recover reorder nature double double \
                    idempotent idempotent doubleclick doubleclick settle settle overtake overtake \
                    notify notify stale stale oversell oversell";
    assert_eq!(names, expected.split_whitespace().collect::<Vec<_>>());
    for finding in findings {
        assert_eq!(finding["incomplete"], serde_json::json!([]), "{finding:#}");
        let link = finding["links"]["jaeger"].as_str().unwrap_or_default();
        let (_, id) = link.split_once("/trace/").unwrap_or_else(|| panic!("a link: {finding:#}"));
        let spans = story.stack.trace(id, 3).await;
        assert!(spans.iter().any(|span| span.service == "inventory"), "{id} has both sides");
        // A series has many traces, and links to one of them.
        if let Some(told) = finding["told"]["traceId"].as_str() {
            assert_eq!((told, &finding["evidence"]), (id, &"spans".into()), "{finding:#}");
        }
    }
}

/// The lab's own processes can be killed where those of the stack cannot.
#[tokio::test]
async fn a_crash_in_the_container_of_the_lab_forgets_only_what_was_in_memory() {
    let story = story().await;
    let said = story.stack.in_lab(&["experiment", "crash", "--json"]).await;
    assert_eq!(said.code, Some(0), "{}{}", said.out, said.err);
    let report: Value = serde_json::from_str(&said.out).expect("JSON");
    let kept = |finding: &Value| finding["crash"]["kept"].clone();
    let kept: Vec<_> = report["findings"].as_array().expect("findings").iter().map(kept).collect();
    assert_eq!(kept, [false, true, true], "memory, a file, and the database: {report:#}");
}

/// As a person in front of a browser on this machine would.
#[tokio::test]
async fn the_links_of_an_experiment_can_be_followed() {
    let Some(stack) = Stack::only_on(Kind::Compose, "links can be followed") else { return };
    let said = stack.in_lab(&["experiment", "slow"]).await;
    assert_eq!(said.code, Some(0), "{}{}", said.out, said.err);
    let links: Vec<_> =
        said.out.lines().map(str::trim).filter(|line| line.starts_with("http://")).collect();
    // Two for each of its three trials.
    assert_eq!(links.len(), 6, "{}", said.out);
    let (trace, dashboard) = (links[0], links[1]);
    let (jaeger, id) = trace.split_once("/trace/").expect("a trace");
    assert_eq!(jaeger, stack.jaeger, "where this machine reaches Jaeger");
    assert!(stack.in_jaeger(id).await.is_some(), "Jaeger does not have {id}");
    assert!(dashboard.starts_with(&format!("{}/d/four-pains?", stack.grafana)), "{dashboard}");
    let page = stack.http.get(trace).send().await.unwrap();
    assert!(page.status().is_success(), "{trace}: {}", page.status());
}

/// The panels that show traces, asked as Grafana asks for them.
#[tokio::test]
async fn every_panel_that_asks_jaeger_gets_traces() {
    let story = story().await;
    let mut kinds = Vec::new();
    let targets = targets(&dashboard("one-order")).into_iter();
    for (title, target) in targets.filter(|(_, it)| it["datasource"]["type"] == "jaeger") {
        let ids = if target["queryType"] == "search" {
            kinds.push("search");
            found(story, &target).await
        } else {
            kinds.push("trace");
            assert_eq!(target["query"], "${trace}", "{title}: the dashboard's own variable");
            vec![story.trace_id("doubled").to_owned()]
        };
        assert!(!ids.is_empty(), "{title}: no trace");
        for id in ids {
            let spans = story.stack.in_jaeger(&id).await;
            let spans = spans.unwrap_or_else(|| panic!("{title}: Jaeger does not have {id}"));
            let belongs = match title.as_str() {
                "Latest orders taken twice" => {
                    spans.iter().any(|it| it.flag("campuscafe.reservation.duplicate") == Some(true))
                }
                "Latest slow orders" => spans.iter().any(|it| {
                    it.name == "POST /orders" && it.end.saturating_sub(it.start) >= 900_000_000
                }),
                "Latest pings" => spans.iter().any(|it| it.name == "GET /demo/out-of-order"),
                _ => spans.iter().any(|it| it.name == "POST /orders"),
            };
            assert!(belongs, "{title}: {id}");
        }
    }
    kinds.sort_unstable();
    assert_eq!(kinds, ["search", "search", "search", "search", "trace", "trace"]);
}

/// The traces that a search finds. Grafana asks the API of Jaeger's own pages.
async fn found(story: &Story, search: &Value) -> Vec<String> {
    let url = format!("{}/api/traces", story.stack.jaeger);
    let limit = search["limit"].to_string();
    let text = |name: &str| search[name].as_str().unwrap_or_default();
    // Grafana's `name=value` is a JSON object here.
    let tag = text("tags").split_once('=');
    let tags = tag.map(|(name, value)| serde_json::json!({ name: value }).to_string());
    let asked: Vec<_> = [
        ("service", text("service")),
        ("operation", text("operation")),
        ("tags", tags.as_deref().unwrap_or_default()),
        ("minDuration", text("minDuration")),
        ("limit", &limit),
    ]
    .into_iter()
    .filter(|(_, value)| !value.is_empty())
    .collect();
    let answer = story.stack.http.get(url).query(&asked).send().await.unwrap();
    let body: Value = answer.json().await.unwrap();
    let traces = body["data"].as_array().unwrap_or_else(|| panic!("{body}")).iter();
    traces.map(|trace| trace["traceID"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn the_lab_gets_a_copy_of_every_span_that_jaeger_has() {
    let story = story().await;
    for step in ["nothing goes wrong", "slow", "doubled", "refused"] {
        let id = story.trace_id(step);
        eventually(&format!("the same spans of {step} in Jaeger and in the lab"), || async {
            let mut in_jaeger = ids(&story.stack.in_jaeger(id).await?);
            in_jaeger.sort_unstable();
            let url = format!("{}/api/traces/{id}", story.stack.lab);
            let mut in_lab = ids(&spans_of(&story.stack.try_json(&url).await?));
            in_lab.sort_unstable();
            (in_lab.len() >= 3 && in_lab == in_jaeger).then_some(())
        })
        .await;
    }
}

#[tokio::test]
async fn a_trace_shows_the_statements_of_both_services_in_the_database() {
    let story = story().await;
    let id = story.trace_id("doubled");
    // Two attempts; and the order before them and after them.
    let expected = [("inventory", 2), ("order", 2)];
    eventually("the commits in the database", || async {
        let spans = story.stack.in_jaeger(id).await?;
        let commits = |service: &str| {
            let of = |span: &&Span| span.service == service && span.name == "COMMIT";
            spans.iter().filter(of).count()
        };
        expected.iter().all(|(service, count)| commits(service) == *count).then_some(())
    })
    .await;
}

fn ids(spans: &[Span]) -> Vec<String> {
    spans.iter().map(|span| span.id.clone()).collect()
}

#[tokio::test]
async fn looking_at_a_trace_makes_no_trace() {
    let story = story().await;
    let services = story.stack.json(&format!("{}/api/v3/services", story.stack.jaeger)).await;
    let mut services: Vec<_> =
        services["services"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
    services.sort_unstable();
    assert_eq!(services, ["inventory", "order"], "neither Jaeger nor probes are traced");
}

#[tokio::test]
async fn the_lab_has_room_for_a_storm() {
    let stack = Stack::from_env();
    let page = stack.http.get(format!("{}/compare/storm?lang=en", stack.lab)).send().await.unwrap();
    let page = page.text().await.unwrap();
    assert!(page.contains("<form"), "it can be run: {page}");
    assert!(!page.contains("This lab cannot run a storm"), "{page}");
}
