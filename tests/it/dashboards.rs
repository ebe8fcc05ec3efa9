//! The dashboards and the files around them name only what exists, and name all
//! of it: metrics, data sources, panels, rules.

mod look;

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use campuscafe_tests::Cafe;
use campuscafe_tests::postgres::test_database;
use serde_json::Value;

/// What Grafana brings along: nobody has to install anything, or be online.
const SHIPPED_PANELS: [&str; 13] = [
    "barchart",
    "bargauge",
    "gauge",
    "heatmap",
    "histogram",
    "piechart",
    "row",
    "stat",
    "state-timeline",
    "table",
    "text",
    "timeseries",
    "traces",
];

/// What Prometheus makes by itself, and what Jaeger makes from spans.
const OF_OTHERS: [&str; 4] =
    ["up", "ALERTS", "traces_span_metrics_calls_total", "traces_span_metrics_duration_seconds"];

const DASHBOARDS: [&str; 3] = ["four-pains", "one-order", "services"];

fn root(path: &str) -> PathBuf {
    campuscafe_tests::root().join(path)
}

fn read(path: &str) -> String {
    std::fs::read_to_string(root(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// Every dashboard by the name of its file.
fn dashboards() -> BTreeMap<String, Value> {
    let files = std::fs::read_dir(root("dashboards")).unwrap();
    let files = files.map(|file| file.unwrap().file_name().into_string().unwrap());
    files
        .filter_map(|file| {
            let name = file.strip_suffix(".json")?;
            let json = serde_json::from_str(&read(&format!("dashboards/{file}")));
            Some((name.to_owned(), json.unwrap_or_else(|error| panic!("{file}: {error}"))))
        })
        .collect()
}

fn list<'a>(value: &'a Value, name: &str) -> &'a [Value] {
    value[name].as_array().map_or(&[], Vec::as_slice)
}

fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value[name].as_str().unwrap_or_default()
}

/// All panels, also those in a row that is collapsed.
fn panels(dashboard: &Value) -> impl Iterator<Item = &Value> {
    let outer = list(dashboard, "panels").iter();
    outer.flat_map(|panel| std::iter::once(panel).chain(list(panel, "panels")))
}

/// The `PromQL` of every panel.
fn panel_queries(dashboard: &Value) -> Vec<&str> {
    let targets = panels(dashboard).flat_map(|panel| list(panel, "targets"));
    targets.filter_map(|target| target["expr"].as_str()).collect()
}

/// The `PromQL` of every annotation; Grafana has moved it, and reads both places.
fn annotation_queries(dashboard: &Value) -> Vec<&str> {
    let annotations = list(&dashboard["annotations"], "list").iter();
    annotations.flat_map(|a| [text(a, "expr"), text(&a["target"], "expr")]).collect()
}

/// Every object anywhere in a value.
fn objects(value: &Value) -> Vec<&Value> {
    let inner: Vec<&Value> = match value {
        Value::Array(values) => values.iter().flat_map(objects).collect(),
        Value::Object(members) => members.values().flat_map(objects).collect(),
        _ => Vec::new(),
    };
    value.is_object().then_some(value).into_iter().chain(inner).collect()
}

/// The values of a key in a YAML file, line by line; a folded or literal block
/// is one value. Enough for files that we write ourselves.
fn values(yaml: &str, key: &str) -> Vec<String> {
    let indent = |line: &str| line.len() - line.trim_start_matches([' ', '-']).len();
    let lines: Vec<&str> = yaml.lines().collect();
    let mut found = Vec::new();
    for (number, line) in lines.iter().enumerate() {
        let Some(value) = line.trim_start_matches([' ', '-']).strip_prefix(key) else { continue };
        let Some(value) = value.strip_prefix(':').map(str::trim) else { continue };
        found.push(match value {
            ">-" | "|" | "" => {
                let block = lines[number + 1..].iter();
                let block = block.take_while(|next| indent(next) > indent(line));
                block.map(|line| line.trim()).collect::<Vec<_>>().join(" ")
            }
            value => value.trim_matches('"').to_owned(),
        });
    }
    found
}

/// The metrics that a query selects.
fn metrics_in(query: &str) -> BTreeSet<String> {
    const WORDS: [&str; 4] = ["and", "or", "unless", "offset"];
    const LISTS: [&str; 6] = ["by", "without", "on", "ignoring", "group_left", "group_right"];
    let name = |c: char| c.is_ascii_alphanumeric() || "_:$".contains(c);
    let mut rest = query;
    let mut found = BTreeSet::new();
    while let Some(first) = rest.chars().next() {
        let after = |end: char| rest[1..].find(end).map_or("", |at| &rest[at + 2..]);
        if first == '"' {
            rest = after('"');
        } else if first == '{' {
            rest = after_matchers(rest);
        } else if first == '[' {
            rest = after(']');
        } else if name(first) {
            let (word, next) = rest.split_at(rest.find(|c| !name(c)).unwrap_or(rest.len()));
            let next = next.trim_start();
            rest = next;
            if LISTS.contains(&word) {
                rest = next.find(')').map_or("", |at| &next[at + 1..]);
            } else if !["(", "by ", "without "].iter().any(|call| next.starts_with(call))
                && !WORDS.contains(&word)
                && word.starts_with(|c: char| c.is_ascii_alphabetic())
            {
                found.insert(family(word).to_owned());
            }
        } else {
            rest = &rest[first.len_utf8()..];
        }
    }
    found
}

/// Behind the closing brace, which may also stand in a quoted value.
fn after_matchers(from: &str) -> &str {
    let mut quoted = false;
    for (at, c) in from.char_indices() {
        match c {
            '"' => quoted = !quoted,
            '}' if !quoted => return &from[at + 1..],
            _ => {}
        }
    }
    ""
}

/// A histogram's series are declared under one name.
fn family(series: &str) -> &str {
    // A gauge, by its name in OpenTelemetry.
    if series == "db_client_connection_count" {
        return series;
    }
    let parts = ["_bucket", "_sum", "_count"];
    parts.iter().find_map(|part| series.strip_suffix(part)).unwrap_or(series)
}

/// What the running programs declare on their `/metrics`, if there is a database for them.
async fn declared() -> Option<BTreeSet<String>> {
    let url = test_database().await?;
    let cafe = Cafe::open_with(&[("DATABASE_URL", &url)]).await;
    let mut found = BTreeSet::new();
    for service in [&cafe.order, &cafe.inventory, &cafe.lab] {
        let page = cafe.page(&format!("{service}/metrics")).await;
        let types = page.lines().filter_map(|line| line.strip_prefix("# TYPE "));
        found.extend(types.filter_map(|line| line.split(' ').next()).map(str::to_owned));
    }
    Some(found)
}

fn rules() -> String {
    read("deploy/prometheus/rules.yml")
}

fn recorded() -> BTreeSet<String> {
    values(&rules(), "record").into_iter().collect()
}

/// The metrics that are on no panel by intention, each with its reason.
fn not_on_a_panel() -> BTreeMap<String, String> {
    let list = read("dashboards/not-on-a-panel.txt");
    let lines = list.lines().filter(|line| !line.starts_with('#') && !line.is_empty());
    let entry = |line: &str| {
        let (name, reason) = line.split_once(": ").unwrap_or_else(|| panic!("no reason: {line}"));
        (name.to_owned(), reason.to_owned())
    };
    lines.map(entry).collect()
}

#[test]
fn metrics_are_found_in_queries_and_nothing_else_is() {
    let query = r#"histogram_quantile(0.95, sum by (le, job) (rate(a_seconds_bucket{b="c}d"}[5m])))
        / on () group_left (x) (e:f:g - h_total offset $__interval > 0) unless label_replace(up, "i", "j", "k", "")"#;
    let found = metrics_in(query);
    assert_eq!(found.iter().collect::<Vec<_>>(), ["a_seconds", "e:f:g", "h_total", "up"]);
}

#[test]
fn each_dashboard_is_known_by_the_name_of_its_file() {
    let dashboards = dashboards();
    assert_eq!(dashboards.keys().collect::<Vec<_>>(), DASHBOARDS);
    for (name, dashboard) in &dashboards {
        assert_eq!(text(dashboard, "uid"), name, "links and bookmarks go by uid");
        assert_eq!(dashboard["schemaVersion"], 41, "{name}");
        assert_eq!(text(dashboard, "timezone"), "browser", "{name}");
        assert_eq!(text(&dashboard["time"], "to"), "now", "{name}");
        let links: BTreeSet<_> = list(dashboard, "links").iter().map(|l| text(l, "url")).collect();
        let others = DASHBOARDS.iter().filter(|other| *other != name);
        let others: Vec<_> = others.map(|other| format!("/d/{other}")).collect();
        assert_eq!(links.into_iter().collect::<Vec<_>>(), others, "{name} leads to the others");
    }
    let titles: BTreeSet<_> =
        dashboards.values().map(|dashboard| text(dashboard, "title")).collect();
    assert_eq!(titles.len(), dashboards.len(), "titles are unique");
}

#[test]
fn panels_are_of_kinds_that_grafana_ships_and_lie_side_by_side() {
    for (name, dashboard) in dashboards() {
        let mut ids = BTreeSet::new();
        for panel in panels(&dashboard) {
            let title = text(panel, "title");
            assert!(ids.insert(panel["id"].as_u64().unwrap()), "{name}: {title}: its id is taken");
            assert!(SHIPPED_PANELS.contains(&text(panel, "type")), "{name}: {title}: its type");
        }
        // What is in a collapsed row has its places below that row.
        let rows = list(&dashboard, "panels").iter().map(|row| list(row, "panels"));
        for together in rows.chain([list(&dashboard, "panels")]) {
            let mut taken = BTreeSet::new();
            for panel in together {
                let title = text(panel, "title");
                let at = |side: &str| panel["gridPos"][side].as_u64().unwrap();
                assert!(at("x") + at("w") <= 24, "{name}: {title} is beyond the edge");
                for x in at("x")..at("x") + at("w") {
                    for y in at("y")..at("y") + at("h") {
                        assert!(taken.insert((x, y)), "{name}: {title} covers another panel");
                    }
                }
            }
        }
    }
}

#[test]
fn every_panel_says_what_it_proves_and_where_to_look_next() {
    for (name, dashboard) in dashboards() {
        for panel in panels(&dashboard).filter(|panel| panel["type"] != "row") {
            let description = text(panel, "description");
            let sentences =
                description.split_inclusive(['.', '?']).filter(|s| s.len() > 20).count();
            let title = text(panel, "title");
            assert!(sentences >= 2, "{name}: {title}: two sentences, not {description:?}");
        }
    }
}

#[test]
fn every_data_source_is_provisioned() {
    let file = read("deploy/grafana/provisioning/datasources/datasources.yml");
    let provisioned: BTreeMap<_, _> =
        values(&file, "uid").into_iter().zip(values(&file, "type")).collect();
    assert_eq!(provisioned.keys().collect::<Vec<_>>(), ["jaeger", "prometheus"]);
    for uid in values(&file, "datasourceUid") {
        assert!(provisioned.contains_key(&uid), "a link leads to {uid}");
    }
    for (name, dashboard) in dashboards() {
        for holder in objects(&dashboard).into_iter().filter(|o| o["datasource"].is_object()) {
            let source = &holder["datasource"];
            let kind = provisioned.get(text(source, "uid"));
            assert_eq!(kind.map(String::as_str), source["type"].as_str(), "{name}: {source}");
        }
        let queries = panels(&dashboard).flat_map(|panel| list(panel, "targets"));
        for query in queries.chain(list(&dashboard["annotations"], "list")) {
            assert!(query["datasource"].is_object(), "{name}: {query} has no data source");
        }
    }
}

#[test]
fn one_event_shows_as_a_step_of_a_raw_counter() {
    let four_pains = &dashboards()["four-pains"];
    assert_eq!(text(four_pains, "refresh"), "1s");
    assert_eq!(text(&four_pains["time"], "from"), "now-5m");
    for query in panel_queries(four_pains) {
        let smoothed = ["rate(", "increase(", "delta("].iter().any(|f| query.contains(f));
        assert!(!smoothed, "{query} hides a first jump");
    }
    let lines = panels(four_pains).filter(|panel| panel["type"] == "timeseries");
    for panel in lines {
        let custom = &panel["fieldConfig"]["defaults"]["custom"];
        let step = custom["lineInterpolation"] == "stepAfter" || custom["drawStyle"] == "points";
        assert!(step, "{} draws slopes where there are steps", panel["title"]);
    }
}

#[tokio::test]
async fn every_metric_that_is_asked_for_exists_and_every_metric_has_a_place() {
    let Some(declared) = declared().await else { return };
    let recorded = recorded();
    let dashboards = dashboards();
    let known = |metric: &String| {
        declared.contains(metric)
            || recorded.contains(metric)
            || OF_OTHERS.contains(&metric.as_str())
    };
    let on_panels: BTreeSet<String> =
        dashboards.values().flat_map(panel_queries).flat_map(metrics_in).collect();
    let rules = values(&rules(), "expr");
    let in_rules: BTreeSet<String> = rules.iter().flat_map(|rule| metrics_in(rule)).collect();
    let in_annotations: BTreeSet<String> =
        dashboards.values().flat_map(annotation_queries).flat_map(metrics_in).collect();
    assert!(on_panels.contains("inventory_reservations_total"), "queries are read");
    for metric in on_panels.iter().chain(&in_rules).chain(&in_annotations) {
        assert!(known(metric), "nothing is called {metric}");
    }

    let left_out = not_on_a_panel();
    for metric in &declared {
        let listed = left_out.contains_key(metric);
        let shown = on_panels.contains(metric)
            || recorded.iter().any(|rule| on_panels.contains(rule) && feeds(rule, metric));
        assert!(shown || listed, "{metric} is on no panel; show it or say why not");
        assert!(!(shown && listed), "{metric} is on a panel and said not to be");
    }
    for (metric, reason) in &left_out {
        assert!(declared.contains(metric), "nothing is called {metric}");
        assert!(reason.len() > 20, "{metric}: {reason:?} is no reason");
    }
    for rule in &recorded {
        assert!(on_panels.contains(rule) || in_rules.contains(rule), "nobody uses {rule}");
    }
}

/// Whether a recorded metric is made from another one.
fn feeds(recorded: &str, metric: &str) -> bool {
    let rules = rules();
    let made = rules.split("- record: ").find(|rule| rule.lines().next() == Some(recorded));
    made.is_some_and(|rule| {
        let expr = values(rule, "expr").into_iter().next().unwrap_or_default();
        metrics_in(&expr).contains(metric)
    })
}

#[test]
fn rules_are_named_tested_and_explained() {
    let (rules, tests) = (rules(), read("deploy/prometheus/rules_test.yml"));
    let recorded = values(&rules, "record");
    assert!(recorded.len() > 3, "rules are read");
    for name in recorded {
        assert_eq!(name.split(':').count(), 3, "{name} is no level:metric:operations");
        assert!(tests.contains(&format!("- labels: {name}")), "{name} is not tested");
    }
    let alerts: Vec<_> = rules.split("- alert: ").skip(1).collect();
    assert!(alerts.len() > 5, "alerts are read");
    for alert in alerts {
        let name = alert.lines().next().unwrap_or_default();
        for key in ["severity", "summary", "description"] {
            let found = values(alert, key).into_iter().next().unwrap_or_default();
            assert!(!found.is_empty(), "{name} has no {key}");
        }
        let quiet = format!("alertname: {name}, exp_alerts: []");
        assert!(tests.contains(&quiet), "{name} is not seen to be quiet");
        let fires = format!("alertname: {name}\n        exp_alerts:\n");
        assert!(tests.contains(&fires), "{name} is not seen to fire");
    }
}

#[test]
fn prometheus_looks_every_second_and_finds_the_services_in_either_world() {
    let shared = read("deploy/prometheus/prometheus.yml");
    for (key, value) in [("scrape_interval", "1s"), ("evaluation_interval", "1s")] {
        assert_eq!(values(&shared, key), [value], "{key}");
    }
    assert_eq!(values(&shared, "job_name"), ["jaeger", "jaeger-self", "prometheus"]);
    for world in ["compose", "kubernetes"] {
        let services = read(&format!("deploy/prometheus/scrape-{world}.yml"));
        assert_eq!(values(&services, "job_name"), ["inventory", "order", "lab"], "{world}");
        for port in ["5101", "5201", "5301"] {
            assert!(services.contains(port), "{world}: {port}");
        }
    }
}

#[test]
fn grafana_opens_with_the_four_pains_and_stays_at_home() {
    let settings = read("deploy/grafana/grafana.ini");
    let path = values(&read("deploy/grafana/provisioning/dashboards/dashboards.yml"), "path");
    let home = format!("default_home_dashboard_path = {}/four-pains.json", path.concat());
    for line in [
        home.as_str(),
        "min_refresh_interval = 1s",
        "org_role = Viewer",
        "preinstall_disabled = true",
        "reporting_enabled = false",
        "check_for_updates = false",
        "check_for_plugin_updates = false",
        "news_feed_enabled = false",
    ] {
        assert!(settings.lines().any(|found| found == line), "no {line:?} in grafana.ini");
    }
}
