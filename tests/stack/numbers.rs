//! What Prometheus has: targets, jumps, every query of every panel, every rule.

use std::collections::BTreeMap;

use campuscafe_tests::eventually;
use serde_json::Value;

use crate::dashboards::{Since, dashboard, queries, queries_of};
use crate::stack::{Stack, now};
use crate::story::{STEPS, Story, story};

#[tokio::test]
async fn every_target_is_up() {
    let stack = Stack::from_env();
    let expected = ["inventory", "jaeger", "jaeger-self", "lab", "order", "prometheus"];
    let up = eventually("every target", || async {
        let up = stack.query("up").await;
        (up.len() >= expected.len() && up.iter().all(|(_, value)| *value == 1.0)).then_some(up)
    })
    .await;
    let mut jobs: Vec<_> = up.iter().map(|(labels, _)| labels["job"].as_str().unwrap()).collect();
    jobs.sort_unstable();
    jobs.dedup();
    assert_eq!(jobs, expected);
}

#[tokio::test]
async fn each_order_moves_exactly_the_counters_that_it_should() {
    let story = story().await;
    for step in &STEPS {
        let expected: BTreeMap<_, _> =
            step.jumps.iter().map(|(name, by)| (*name, f64::from(*by))).collect();
        assert_eq!(story.jumps[step.name], expected, "{}", step.name);
    }
    assert!(story.overtaken >= 1.0, "replies overtook others");
}

/// What is shown only if something was lost or refused, and nothing was.
const QUIET: [&str; 6] = [
    "Lost spans",
    "Spans at the lab",
    "Requests shed",
    "Refused or forgotten",
    "Refused by the store",
    "Status",
];

#[tokio::test]
async fn every_query_of_every_panel_has_data_and_none_of_it_is_no_number() {
    let story = story().await;
    let mut seen = 0;
    for name in ["four-pains", "services", "one-order"] {
        for query in queries(&dashboard(name)) {
            for since in [Since::Window, Since::Start] {
                let values = query.values(&story.stack, story.from, story.to, since).await;
                let text = query.text(story.from, story.to, since);
                let numbers = values.iter().all(|value| value.is_finite());
                assert!(numbers, "{name}, {}: {values:?} for {text}", query.title);
                let positive = values.iter().all(|value| *value >= 0.0);
                assert!(positive, "{name}, {}: {values:?} for {text}", query.title);
                if values.is_empty() && QUIET.contains(&query.title.as_str()) {
                    // Without the condition there is something to show.
                    let all = text.split(" and on (").next().unwrap();
                    let all = story.stack.range(all, story.from, story.to).await;
                    assert!(!all.is_empty(), "{name}, {}: no data for {text}", query.title);
                    continue;
                }
                let comparable = since == Since::Window || restarts(story).await == 0.0;
                let gap = query.title.starts_with("The gap");
                let evidence = !values.is_empty() || (gap && !comparable);
                assert!(evidence, "{name}, {}: no data for {text}", query.title);
            }
            seen += 1;
        }
    }
    assert!(seen >= 60, "only {seen} queries");
}

/// How often the counters of the ledger fell; what ran before may have restarted
/// a service.
async fn restarts(story: &Story) -> f64 {
    story.stack.value("campuscafe:ledger_restarts:resets1h").await
}

/// The panels that show one number, each against what the services themselves
/// say, added up by hand: since they started, and since the story began.
#[tokio::test]
async fn the_panels_of_the_ledger_show_what_the_services_say() {
    let story = story().await;
    for since in [Since::Start, Since::Window] {
        let order = page(story, &story.stack.order).await;
        let inventory = page(story, &story.stack.inventory).await;
        let counted = async |page: &str, metric: &str, labels: &[&str]| {
            let before = match since {
                Since::Start => 0.0,
                Since::Window => {
                    let series = format!("sum({metric}{{{}}})", labels.join(","));
                    let then = story.stack.query_at(&series, story.from).await;
                    then.first().map_or(0.0, |(_, value)| *value)
                }
            };
            sum(page, metric, labels) - before
        };
        let told = async |outcome: &str| {
            let outcome = format!("outcome=\"{outcome}\"");
            counted(&order, "order_outcomes_total", &[&outcome]).await
        };
        let settled = async |result: &str| {
            let result = format!("result=\"{result}\"");
            counted(&order, "order_settled_total", &[&result]).await
        };
        let reservations = counted(&inventory, "inventory_reservations_total", &[]).await;
        let duplicates = counted(&inventory, "inventory_duplicate_reservations_total", &[]).await;
        let (yes, no) = (settled("confirmed").await, settled("failed").await);
        let confirmed = told("confirmed").await + yes;
        let gap_of = async |lane: &[&str]| {
            let of = |label: &'static str| [&[label], lane].concat();
            let held = counted(&inventory, "inventory_reservations_total", lane).await
                - counted(&inventory, "inventory_cancelled_reservations_total", lane).await;
            let told = counted(&order, "order_outcomes_total", &of("outcome=\"confirmed\"")).await;
            held - told + counted(&order, "order_cancels_total", &of("state=\"confirmed\"")).await
        };
        let cancelled = counted(&order, "order_cancels_total", &["state=\"unknown\""]).await;
        let gap = gap_of(&[]).await - yes;
        let naive = gap_of(&["lane=\"naive\""]).await;
        let retries = counted(&order, "order_retries_total", &[]).await
            / counted(&order, "order_attempts_total", &[]).await;
        assert!(gap >= 3.0 && duplicates >= 1.0, "the story left a gap");
        for (title, expected) in [
            ("Told yes", vec![confirmed]),
            ("Told no", vec![told("failed").await + no]),
            ("Unknown", vec![told("unknown").await - yes - no - cancelled]),
            ("The gap by lane", vec![naive, gap - naive]),
            ("Reserved", vec![reservations]),
            ("Taken twice", vec![duplicates]),
            ("The gap, and what it is made of", vec![gap, duplicates, gap - duplicates]),
            ("Retries among all attempts", vec![retries]),
        ] {
            let queries = queries_of(&dashboard("four-pains"), title);
            assert_eq!(queries.len(), expected.len(), "{title}");
            if since == Since::Start && title.starts_with("The gap") && restarts(story).await > 0.0
            {
                continue;
            }
            for (query, expected) in queries.iter().zip(expected) {
                eventually(&format!("{title} to be {expected} since {since:?}"), || async {
                    let shown = query.shown(&story.stack, story.from, now(), since).await?;
                    ((shown - expected).abs() < 1e-9).then_some(())
                })
                .await;
            }
        }
    }
}

/// The row Cured, against what its orders did, and not against the naive ones.
#[tokio::test]
async fn the_row_cured_shows_the_orders_with_a_key_alone() {
    let story = story().await;
    let dashboard = dashboard("four-pains");
    let last = async |title: &str, query: usize| {
        let queries = queries_of(&dashboard, title);
        let text = queries[query].text(story.from, story.experiments_from, Since::Window);
        story.stack.last_of_range(&text, story.from, story.experiments_from).await
    };
    for (title, query, expected) in [
        ("Reserved and told yes, cured", 0, 3.0),
        ("Reserved and told yes, cured", 1, 3.0),
        ("Pressed twice, or cancelled", 0, 1.0),
        ("Duplicates and late, cured", 0, 0.0),
        ("Duplicates and late, cured", 1, 0.0),
        ("Replays and voided late commits", 0, 1.0),
        ("Replays and voided late commits", 1, 1.0),
        ("The gap by lane", 1, 0.0),
        ("Unknown now", 0, 0.0),
        ("Time until settled", 1, 0.0),
    ] {
        let shown = last(title, query).await;
        assert_eq!(shown.len(), 1, "{title}: {shown:?}");
        assert_eq!(shown[0].1, expected, "{title}, query {query}");
    }
    for (title, expected) in [
        (
            "Settled orders",
            [("cancelled", 0.0), ("confirmed", 1.0), ("failed", 1.0), ("given_up", 0.0)].to_vec(),
        ),
        (
            "Keys settled or cancelled",
            [("cancelled", 1.0), ("refused", 0.0), ("reserved", 1.0), ("void", 1.0)].to_vec(),
        ),
    ] {
        let mut shown = last(title, 0).await;
        shown.sort_by_key(|(labels, _)| labels["result"].to_string());
        let shown: Vec<_> = shown
            .iter()
            .map(|(labels, value)| (labels["result"].as_str().unwrap(), *value))
            .collect();
        assert_eq!(shown, expected, "{title}");
    }
    let settled = &queries_of(&dashboard, "Time until settled")[0];
    let times =
        settled.values(&story.stack, story.from, story.experiments_from, Since::Window).await;
    assert!(!times.is_empty() && times.iter().all(|time| *time < 1.0), "{times:?}");
    let ended = last("Cured attempts against the timeout", 0).await;
    let mut ended: Vec<_> =
        ended.iter().map(|(labels, _)| labels["error_type"].as_str().unwrap()).collect();
    ended.sort_unstable();
    assert_eq!(ended, ["connection_lost", "ok", "timeout"]);
}

/// The row Cut: the same error on the left, and what was reserved on the right.
#[tokio::test]
async fn each_fault_stands_with_what_the_client_saw_and_with_what_was_reserved() {
    let story = story().await;
    let dashboard = dashboard("four-pains");
    let last = async |title: &str| {
        let [query] = &queries_of(&dashboard, title)[..] else { panic!("one query of {title}") };
        let text = query.text(story.from, story.to, Since::Window);
        story.stack.last_of_range(&text, story.from, story.to).await
    };
    let saw = last("What the client saw, by fault").await;
    let reserved = last("What was reserved, by fault").await;
    // A slow attempt may also be answered in time, if its wait is short.
    for (fault, result, makes, others) in [
        ("abort", "connection_lost", false, false),
        ("lostreply", "connection_lost", true, false),
        ("fail", "rejected", false, false),
        ("slow", "timeout", true, true),
    ] {
        let of_this: Vec<_> = saw.iter().filter(|(labels, _)| labels["fault"] == fault).collect();
        let seen = of_this.iter().find(|(labels, _)| labels["result"] == result);
        assert!(seen.is_some_and(|(_, times)| *times >= 1.0), "{fault}: {of_this:?}");
        assert!(others || of_this.len() == 1, "{fault}: {of_this:?}");
        let made = reserved.iter().find(|(labels, _)| labels["fault"] == fault);
        let made = made.unwrap_or_else(|| panic!("no bar for {fault}: {reserved:?}")).1;
        assert_eq!(made > 0.0, makes, "{fault} made {made} reservations");
    }
}

#[tokio::test]
async fn the_last_reordering_is_a_position_for_each_ping() {
    let story = story().await;
    let stack = &story.stack;
    let race = stack.json(&format!("{}/demo/out-of-order?count=8&seed=3", stack.order)).await;
    let completed = race["completedOrder"].as_array().unwrap().iter();
    let expected: BTreeMap<String, f64> =
        completed.zip(0..).map(|(ping, at)| (ping["i"].to_string(), f64::from(at))).collect();
    let [query] = &queries_of(&dashboard("four-pains"), "Where each ping arrived")[..] else {
        panic!("one query")
    };
    eventually("the positions of the last reordering", || async {
        let shown = stack.query(&query.text(now() - 300.0, now(), Since::Window)).await;
        let shown: BTreeMap<_, _> = shown
            .into_iter()
            .map(|(labels, value)| (labels["sent"].as_str().unwrap().to_owned(), value))
            .collect();
        (shown == expected).then_some(())
    })
    .await;
}

#[tokio::test]
async fn the_95th_percentile_of_what_took_a_moment_of_the_lab_is_near_that_moment() {
    let stack = &story().await.stack;
    stack.reset().await;
    let before = now();
    assert_eq!(stack.order("slow", false).await["outcome"], "unknown");
    for (series, moment) in [
        ("http_client_request_duration_seconds_bucket{error_type=\"timeout\"}", 1.0),
        ("traces_span_metrics_duration_seconds_bucket{span_name=\"chaos slow\"}", 2.0),
    ] {
        let since = format!("sum by (le) ({series}) - sum by (le) ({series} @ {before})");
        let p95 = eventually(&format!("the order in {series}"), || async {
            let p95 = stack.value(&format!("histogram_quantile(0.95, {since})")).await;
            p95.is_finite().then_some(p95)
        })
        .await;
        assert!((moment..moment + 0.06).contains(&p95), "{series}: {p95} s");
    }
}

/// A service's own page. On a cluster of several order replicas it would be one
/// of them; these tests run where there is one.
async fn page(story: &Story, service: &str) -> String {
    let answer = story.stack.http.get(format!("{service}/metrics")).send().await.unwrap();
    answer.text().await.unwrap()
}

/// The sum of the series of a metric that have all of these labels.
fn sum(page: &str, metric: &str, labels: &[&str]) -> f64 {
    let lines = page
        .lines()
        .filter(|line| line.starts_with(metric) && labels.iter().all(|label| line.contains(label)));
    lines.map(|line| line.rsplit(' ').next().unwrap().parse::<f64>().unwrap()).sum()
}

#[tokio::test]
async fn spans_and_counters_count_the_same_orders() {
    let story = story().await;
    let both = queries_of(&dashboard("services"), "Two counts of the same orders");
    let both: Vec<_> =
        both.iter().map(|query| query.text(story.from, story.to, Since::Window)).collect();
    assert_eq!(both.len(), 2);
    eventually("the same number of orders from spans and from counters", || async {
        let (counters, spans) =
            (story.stack.value(&both[0]).await, story.stack.value(&both[1]).await);
        (counters > 0.0 && counters == spans).then_some(())
    })
    .await;
}

#[tokio::test]
async fn every_rule_is_healthy_and_every_recorded_series_has_its_value() {
    let story = story().await;
    let rules = story.stack.json(&format!("{}/api/v1/rules", story.stack.prometheus)).await;
    let groups = rules["data"]["groups"].as_array().unwrap().iter();
    let rules: Vec<_> = groups.flat_map(|group| group["rules"].as_array().unwrap()).collect();
    assert!(rules.len() >= 13, "{} rules", rules.len());
    for rule in rules {
        let name = rule["name"].as_str().unwrap();
        assert_eq!(rule["health"], "ok", "{name}: {}", rule["lastError"]);
        if rule["type"] == "recording" {
            let values = story.stack.range(name, story.from, story.to).await;
            assert!(values.iter().any(|value| !value.is_nan()), "{name} has no value");
        }
    }
    let gap = "campuscafe:ledger_gap:difference";
    let by_hand = "sum(inventory_reservations_total) \
                   - sum(inventory_cancelled_reservations_total) \
                   + sum(order_cancels_total{state=\"confirmed\"}) \
                   - sum(order_outcomes_total{outcome=\"confirmed\"}) \
                   - sum(order_settled_total{result=\"confirmed\"})";
    eventually("the gap as recorded and by hand", || async {
        (story.stack.value(gap).await == story.stack.value(by_hand).await).then_some(())
    })
    .await;
}

#[tokio::test]
async fn the_lessons_raise_their_alerts() {
    let story = story().await;
    let fire = ["DoubleReservation", "LateCommit", "UnknownOrders", "LedgerGap"];
    let quiet = ["OrderStaysUnknown", "ServiceDown", "ServiceMissing", "LedgerNotComparable"];
    // So few orders may or may not be too many retries.
    let either = ["RetryShareHigh"];
    let url = format!("{}/api/v1/rules?type=alert", story.stack.prometheus);
    let rules = story.stack.json(&url).await;
    let groups = rules["data"]["groups"].as_array().unwrap().iter();
    let rules = groups.flat_map(|group| group["rules"].as_array().unwrap());
    let mut names: Vec<_> = rules.map(|rule| rule["name"].as_str().unwrap()).collect();
    names.sort_unstable();
    let mut known = [&fire[..], &quiet, &either].concat();
    known.sort_unstable();
    assert_eq!(names, known, "each alert is expected, or expected to be quiet");
    for alert in fire {
        let fired = format!("ALERTS{{alertname=\"{alert}\",alertstate=\"firing\"}}");
        let values = story.stack.range(&fired, story.from, story.to).await;
        assert!(values.contains(&1.0), "{alert} did not fire");
    }
    for alert in quiet {
        let fired = format!("ALERTS{{alertname=\"{alert}\",alertstate=\"firing\"}}");
        let values = story.stack.range(&fired, story.from, story.to).await;
        assert!(values.is_empty(), "{alert} fired");
    }
}

#[tokio::test]
async fn exemplars_lead_to_traces_that_jaeger_has() {
    let story = story().await;
    let url = format!("{}/api/v1/query_exemplars", story.stack.prometheus);
    let (from, to) = (story.from.to_string(), story.to.to_string());
    let asked = [
        ("query", "traces_span_metrics_duration_seconds_bucket"),
        ("start", from.as_str()),
        ("end", to.as_str()),
    ];
    let answer = story.stack.http.get(url).query(&asked).send().await.unwrap();
    let body: Value = answer.json().await.unwrap();
    let series = body["data"].as_array().unwrap().iter();
    let mut ids: Vec<_> = series
        .flat_map(|series| series["exemplars"].as_array().unwrap())
        .map(|exemplar| exemplar["labels"]["trace_id"].as_str().unwrap().to_owned())
        .collect();
    ids.sort_unstable();
    ids.dedup();
    assert!(ids.iter().any(|id| id == story.trace_id("doubled")), "the doubled order: {ids:?}");
    for id in &ids {
        assert!(story.stack.in_jaeger(id).await.is_some(), "Jaeger does not have {id}");
    }
}

#[tokio::test]
async fn an_experiment_leaves_its_mark_for_the_dashboard() {
    let story = story().await;
    for experiment in ["slow", "cut", "reorder", "double"] {
        let series = format!("lab_experiments_total{{experiment=\"{experiment}\"}}");
        assert!(story.stack.value(&series).await >= 1.0, "{experiment}");
    }
}

#[tokio::test]
async fn grafana_says_that_it_is_well() {
    let stack = Stack::from_env();
    let health = stack.json(&format!("{}/api/health", stack.grafana)).await;
    assert_eq!(health["database"], "ok", "{health}");
}
