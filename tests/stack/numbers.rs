//! What Prometheus has: targets, jumps, every query of every panel, every rule.

use std::collections::BTreeMap;

use campuscafe_tests::eventually;
use serde_json::Value;

use crate::dashboards::{dashboard, targets};
use crate::stack::Stack;
use crate::story::{STEPS, Story, story};

/// Each panel's title with each of its queries, as Grafana would send them.
fn queries(dashboard: &Value) -> Vec<(String, String)> {
    let annotations = dashboard["annotations"]["list"].as_array().unwrap().iter();
    let marks = annotations.map(|mark| (format!("mark {}", mark["name"]), mark.clone()));
    targets(dashboard)
        .into_iter()
        .chain(marks)
        .filter_map(|(title, target)| {
            let query = target["expr"].as_str()?;
            let query = query.replace("$__rate_interval", "5s").replace("$__interval", "1s");
            assert!(!query.contains('$'), "{title}: a variable that nobody fills in: {query}");
            Some((title, query))
        })
        .collect()
}

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

#[tokio::test]
async fn every_query_of_every_panel_has_data() {
    let story = story().await;
    let mut seen = 0;
    for name in ["four-pains", "services", "one-order"] {
        for (title, query) in queries(&dashboard(name)) {
            let values = story.stack.range(&query, story.from, story.to).await;
            let numbers = values.iter().filter(|value| !value.is_nan()).count();
            assert!(numbers > 0, "{name}, {title}: no data for {query}");
            seen += 1;
        }
    }
    assert!(seen >= 50, "only {seen} queries");
}

/// The panels that show one number, each against what the services themselves
/// say, added up by hand.
#[tokio::test]
async fn the_panels_of_the_ledger_show_what_the_services_say() {
    let story = story().await;
    let order = page(story, &story.stack.order).await;
    let inventory = page(story, &story.stack.inventory).await;
    let outcome =
        |outcome: &str| sum(&order, &format!("order_outcomes_total{{outcome=\"{outcome}\"}}"));
    let reservations = sum(&inventory, "inventory_reservations_total");
    let duplicates = sum(&inventory, "inventory_duplicate_reservations_total");
    let gap = reservations - outcome("confirmed");
    let retries = sum(&order, "order_retries_total") / sum(&order, "order_attempts_total");
    let mut expected = BTreeMap::from([
        ("Told yes", vec![outcome("confirmed")]),
        ("Told no", vec![outcome("failed")]),
        ("Unknown", vec![outcome("unknown")]),
        ("Reservations", vec![reservations]),
        ("The gap: reservations that no customer knows of", vec![gap]),
        ("What the gap is made of", vec![duplicates, gap - duplicates]),
        ("Retries among all attempts", vec![retries]),
    ]);
    assert!(gap >= 3.0 && duplicates >= 1.0, "the story left a gap");
    for (title, query) in queries(&dashboard("four-pains")) {
        let Some(values) = expected.get_mut(title.as_str()) else { continue };
        let value = values.remove(0);
        eventually(&format!("{title} to be {value}"), || async {
            ((story.stack.value(&query).await - value).abs() < 1e-9).then_some(())
        })
        .await;
    }
    expected.retain(|_, values| !values.is_empty());
    assert!(expected.is_empty(), "panels that are gone: {expected:?}");
}

/// A service's own page. On a cluster of several order replicas it would be one
/// of them; these tests run where there is one.
async fn page(story: &Story, service: &str) -> String {
    let answer = story.stack.http.get(format!("{service}/metrics")).send().await.unwrap();
    answer.text().await.unwrap()
}

fn sum(page: &str, series: &str) -> f64 {
    let lines = page.lines().filter(|line| line.starts_with(series));
    lines.map(|line| line.rsplit(' ').next().unwrap().parse::<f64>().unwrap()).sum()
}

#[tokio::test]
async fn spans_and_counters_count_the_same_orders() {
    let story = story().await;
    let title = "Two ways to count the same orders";
    let both: Vec<_> = queries(&dashboard("services"))
        .into_iter()
        .filter_map(|(found, query)| (found == title).then_some(query))
        .collect();
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
                   - sum(order_outcomes_total{outcome=\"confirmed\"})";
    eventually("the gap as recorded and by hand", || async {
        (story.stack.value(gap).await == story.stack.value(by_hand).await).then_some(())
    })
    .await;
}

#[tokio::test]
async fn the_lessons_raise_their_alerts() {
    let story = story().await;
    let fire = ["DoubleReservation", "LateCommit", "UnknownOrders", "LedgerGap"];
    let quiet = ["ServiceDown", "ServiceMissing", "LedgerNotComparable"];
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
