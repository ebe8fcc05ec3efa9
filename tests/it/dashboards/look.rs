//! How the dashboards look to people: what fits on a projector, units, legends,
//! colours, and what is said where there is nothing to show.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{dashboards, list, objects, panel_queries, panels, read, text};

/// A projector.
const SCREEN: (f64, f64) = (1024.0, 768.0);

/// What is not the dashboard: Grafana's menu and margins beside it, its bar with
/// the time range and the lists above it. Measured at 9.4, which takes more.
const AROUND: (f64, f64) = (90.0, 150.0);

/// Grafana's grid: 24 columns, and rows of 30 px, with 8 px between them.
const COLUMNS: f64 = 24.0;
const ROW: f64 = 30.0;
const GAP: f64 = 8.0;

/// How many rows of the grid are on the first screen.
fn first_screen() -> u64 {
    ((SCREEN.1 - AROUND.1 + GAP) / (ROW + GAP)).floor() as u64
}

/// How many pixels a panel is wide.
fn width(panel: &Value) -> f64 {
    let columns = panel["gridPos"]["w"].as_f64().unwrap();
    columns * (SCREEN.0 - AROUND.0 + GAP) / COLUMNS - GAP
}

fn end(panel: &Value) -> u64 {
    panel["gridPos"]["y"].as_u64().unwrap() + panel["gridPos"]["h"].as_u64().unwrap()
}

fn defaults(panel: &Value) -> &Value {
    &panel["fieldConfig"]["defaults"]
}

/// The colours of dashboards/README.md, each with the series that have it.
fn palette() -> BTreeMap<String, Vec<String>> {
    let page = read("dashboards/README.md");
    let quoted = |cell: &str| -> Vec<String> {
        cell.split('`').skip(1).step_by(2).map(str::to_owned).collect()
    };
    let colours = page.lines().filter_map(|line| {
        let [_, colour, _, series, _] = line.split('|').collect::<Vec<_>>()[..] else {
            return None;
        };
        Some((quoted(colour).pop()?, quoted(series)))
    });
    let all: Vec<_> = colours.collect();
    let palette: BTreeMap<_, _> = all.iter().cloned().collect();
    assert_eq!(palette.len(), all.len(), "a colour that means two things");
    palette
}

#[test]
fn the_story_of_each_dashboard_fits_on_the_first_screen_of_a_projector() {
    assert_eq!(first_screen(), 16);
    for (name, dashboard) in dashboards() {
        let outer = list(&dashboard, "panels");
        let beyond: Vec<_> = outer
            .iter()
            .filter(|panel| end(panel) > first_screen())
            .map(|panel| text(panel, "title"))
            .collect();
        let expected: &[&str] = match name.as_str() {
            // Its story is the trace; what is below says the same as text.
            "one-order" => &[
                "Its spans, in the order in which they ended",
                "Further lists: slow orders, pings, and orders as dots",
            ],
            _ => &[],
        };
        assert_eq!(beyond, expected, "{name}: what is not on the first screen");
        let collapsed = outer.iter().filter(|panel| panel["collapsed"] == true).count();
        assert!(collapsed > 0, "{name}: no row waits until it is needed");
        for row in outer.iter().filter(|panel| panel["type"] == "row") {
            assert_eq!(
                row["collapsed"],
                !list(row, "panels").is_empty(),
                "{name}: {}",
                row["title"]
            );
        }
    }
}

#[test]
fn no_title_is_cut_off_on_a_projector() {
    // Letters of 14 px, the margins and the sign that leads to the description.
    let needs = |panel: &Value| text(panel, "title").chars().count() as f64 * 7.5 + 44.0;
    for (name, dashboard) in dashboards() {
        for panel in panels(&dashboard) {
            let fits = needs(panel) <= width(panel);
            assert!(fits, "{name}: {} is cut off at {} px", panel["title"], width(panel));
        }
    }
}

#[test]
fn whatever_counts_is_shown_to_the_last_one() {
    for (name, dashboard) in dashboards() {
        for holder in objects(&dashboard) {
            assert_ne!(holder["unit"], "short", "{name}: 1,999 and 1,752 would both be 2 K");
        }
        for panel in panels(&dashboard) {
            let shown = ["timeseries", "stat", "bargauge", "barchart", "gauge"];
            if !shown.contains(&text(panel, "type")) {
                continue;
            }
            let (title, unit) = (text(panel, "title"), text(defaults(panel), "unit"));
            assert!(
                ["none", "s", "reqps", "percentunit"].contains(&unit),
                "{name}: {title}: {unit}"
            );
            let whole = unit != "none" || defaults(panel)["decimals"] == 0;
            assert!(whole, "{name}: {title}: half an order");
        }
    }
}

#[test]
fn a_legend_shows_every_series_and_an_empty_panel_says_what_is_missing() {
    for (name, dashboard) in dashboards() {
        for panel in panels(&dashboard) {
            let title = text(panel, "title");
            let legend = &panel["options"]["legend"];
            assert_ne!(legend["displayMode"], "table", "{name}: {title} shows three rows of it");
            if ["timeseries", "stat", "bargauge", "barchart", "heatmap", "gauge"]
                .contains(&text(panel, "type"))
            {
                let said = text(defaults(panel), "noValue");
                assert!(said.len() > 5, "{name}: {title} says {said:?} where there is nothing");
            }
            if text(defaults(panel), "unit") == "reqps" {
                let to = defaults(panel)["custom"]["axisSoftMax"].as_f64();
                assert_eq!(to, Some(1.0), "{name}: {title} goes to 100 where nothing happens");
            }
        }
        for holder in objects(&dashboard) {
            assert_ne!(holder["noValue"], "none", "{name}: an item would be called none");
        }
    }
}

#[test]
fn four_pains_counts_since_the_window_began_in_ranges_that_a_restart_empties() {
    let dashboard = &dashboards()["four-pains"];
    assert!(text(dashboard, "title").contains("5 minutes"), "the window is in the title");
    assert_eq!(text(&dashboard["time"], "from"), "now-5m");
    let [since] = list(&dashboard["templating"], "list") else { panic!("one list to choose from") };
    assert_eq!(text(since, "name"), "since");
    let options = list(since, "options").iter();
    let options: Vec<_> =
        options.map(|option| (text(option, "text"), text(option, "value"))).collect();
    assert_eq!(options, [("since the window began", "1"), ("since the services started", "0")]);
    assert_eq!(text(&since["current"], "value"), "1", "the window is the first choice");
    let mut counting = 0;
    for panel in panels(dashboard) {
        let title = text(panel, "title");
        for target in list(panel, "targets") {
            let query = text(target, "expr");
            let of_ours = ["order_", "inventory_"].iter().any(|ours| query.contains(ours));
            if !of_ours || !query.contains("_total") {
                continue;
            }
            counting += 1;
            assert!(query.contains(" - $since * ("), "{title} counts from the beginning: {query}");
            assert!(query.contains("@ start()") && query.contains(" unless on () ("), "{query}");
            assert!(query.contains("$since * (resets(") || query.contains("$since * resets("));
            assert_eq!(target["range"], true, "{title}: the start of an instant query is now");
            assert_eq!(panel["interval"], "1s", "{title} changes with the next scrape");
            assert_eq!(panel["maxDataPoints"], 1000, "{title} changes with the next scrape");
        }
        if panel["type"] == "stat" {
            assert_eq!(text(defaults(panel), "noValue"), "no evidence", "{title}");
            assert_eq!(panel["options"]["reduceOptions"]["calcs"][0], "lastNotNull", "{title}");
        }
    }
    assert!(counting >= 20, "only {counting} queries count");
}

#[test]
fn nothing_is_divided_by_0() {
    for (name, dashboard) in dashboards() {
        for query in panel_queries(&dashboard) {
            let quantile = query.contains("histogram_quantile(");
            assert!(!quantile || query.ends_with(" >= 0"), "{name}: NaN without traffic: {query}");
            let divides = query.contains(" / ");
            assert!(!divides || query.contains(" > 0"), "{name}: NaN without traffic: {query}");
        }
    }
}

#[test]
fn one_colour_means_one_thing_on_all_dashboards() {
    let palette = palette();
    assert!(palette.len() > 10, "the table is read");
    let mut used = BTreeMap::new();
    for (name, dashboard) in dashboards() {
        for holder in objects(&dashboard) {
            let words = ["fixedColor", "color", "iconColor"];
            for colour in words.iter().filter_map(|word| holder[*word].as_str()) {
                assert!(palette.contains_key(colour), "{name}: {colour} means nothing");
                used.insert(colour.to_owned(), ());
            }
            for property in list(holder, "properties").iter().filter(|it| it["id"] == "color") {
                let colour = text(&property["value"], "fixedColor");
                let series = text(&holder["matcher"], "options").to_owned();
                let listed = palette.get(colour).is_some_and(|named| named.contains(&series));
                assert!(listed, "{name}: {series} is not {colour} in dashboards/README.md");
            }
            if holder["color"]["mode"] == "opacity" {
                let fill = text(&holder["color"], "fill");
                assert!(palette.contains_key(fill), "{name}: {fill} means nothing");
            }
            assert_ne!(holder["mode"], "palette-classic", "{name}: colours in the order of names");
        }
    }
    let unused: Vec<_> = palette.keys().filter(|colour| !used.contains_key(*colour)).collect();
    assert!(unused.is_empty(), "{unused:?} is on no dashboard");
    let mut series: Vec<_> = palette.values().flatten().collect();
    let all = series.len();
    series.sort_unstable();
    series.dedup();
    assert_eq!(series.len(), all, "a series with two colours");
}

/// A series without a colour of its own would be grey, as what is compared with.
#[test]
fn every_named_series_has_a_colour() {
    for (name, dashboard) in dashboards() {
        for panel in panels(&dashboard).filter(|panel| panel["type"] == "timeseries") {
            let overrides = list(&panel["fieldConfig"], "overrides");
            let coloured = |legend: &str| {
                overrides.iter().any(|it| {
                    let options = text(&it["matcher"], "options");
                    let inner = options.trim_matches('/');
                    list(it, "properties").iter().any(|property| property["id"] == "color")
                        && (options == legend
                            || inner.strip_prefix('^').is_some_and(|of| legend.starts_with(of)))
                })
            };
            let grey = defaults(panel)["color"]["fixedColor"] == "#8E8E99";
            let legends = list(panel, "targets").iter().map(|target| text(target, "legendFormat"));
            for legend in legends.filter(|legend| grey && !legend.contains("{{")) {
                assert!(coloured(legend), "{name}: {}: {legend} is grey", panel["title"]);
            }
        }
    }
}

#[test]
fn span_metrics_and_our_own_have_the_same_edges_just_above_the_moments_of_the_lab() {
    let config = read("deploy/jaeger/config.yml");
    let line = config.lines().find_map(|line| line.trim().strip_prefix("buckets: [")).unwrap();
    let seconds = |edge: &str| match edge.strip_suffix("ms") {
        Some(milliseconds) => milliseconds.parse::<f64>().unwrap() / 1000.0,
        None => edge.trim_end_matches('s').parse().unwrap(),
    };
    let edges: Vec<f64> = line.trim_end_matches(']').split(", ").map(seconds).collect();
    let metrics = read("tests/it/snapshots/it__contracts__order_metrics.snap");
    let ours = metrics
        .lines()
        .find_map(|line| line.strip_prefix("http_server_request_duration_seconds le "))
        .unwrap();
    let ours = ours.trim_end_matches(" +Inf").split(' ');
    let ours: Vec<f64> = ours.map(|edge| edge.parse().unwrap()).collect();
    assert_eq!(edges, ours);
    for moment in [1.0, 1.5, 2.0] {
        let above = ours.iter().find(|edge| **edge > moment).unwrap();
        assert!(above - moment < 0.1, "the bucket above {moment} s is wide");
    }
}
