//! The dashboards, as far as they ask others.

use serde_json::Value;

use crate::stack::Stack;

/// What the list *Count* of Four pains chooses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Since {
    Window,
    Start,
}

/// One query of a panel, or of the marks.
#[derive(Debug, Clone)]
pub(crate) struct PanelQuery {
    pub(crate) title: String,
    /// With Grafana's variables in it.
    expr: String,
    instant: bool,
}

impl PanelQuery {
    /// The query as Grafana would send it for a time range, the variables filled in.
    pub(crate) fn text(&self, from: f64, to: f64, since: Since) -> String {
        let text = self
            .expr
            .replace("$since", if since == Since::Window { "1" } else { "0" })
            .replace("$__range", &format!("{}s", (to - from).ceil()))
            .replace("$__rate_interval", "5s")
            .replace("$__interval", "1s");
        assert!(!text.contains('$'), "{}: a variable that nobody fills in: {text}", self.title);
        text
    }

    /// Every value that the panel would get.
    pub(crate) async fn values(&self, stack: &Stack, from: f64, to: f64, since: Since) -> Vec<f64> {
        let text = self.text(from, to, since);
        if self.instant {
            let values = stack.query_at(&text, to).await.into_iter();
            return values.map(|(_, value)| value).collect();
        }
        stack.range(&text, from, to).await
    }

    /// What a tile would show: the last value, or nothing.
    pub(crate) async fn shown(
        &self,
        stack: &Stack,
        from: f64,
        to: f64,
        since: Since,
    ) -> Option<f64> {
        self.values(stack, from, to, since).await.pop()
    }
}

/// Each query of a dashboard to Prometheus.
pub(crate) fn queries(dashboard: &Value) -> Vec<PanelQuery> {
    let annotations = dashboard["annotations"]["list"].as_array().unwrap().iter();
    let marks = annotations.map(|mark| (format!("mark {}", mark["name"]), mark.clone()));
    let all = targets(dashboard).into_iter().chain(marks);
    let query = |(title, target): (String, Value)| {
        let expr = target["expr"].as_str()?.to_owned();
        Some(PanelQuery { title, expr, instant: target["instant"] == true })
    };
    all.filter_map(query).collect()
}

/// The queries of one panel.
pub(crate) fn queries_of(dashboard: &Value, title: &str) -> Vec<PanelQuery> {
    let all = queries(dashboard).into_iter();
    let found: Vec<_> = all.filter(|query| query.title == title).collect();
    assert!(!found.is_empty(), "no panel {title}");
    found
}

pub(crate) fn dashboard(name: &str) -> Value {
    let path = campuscafe_tests::root().join(format!("dashboards/{name}.json"));
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

/// Each panel's title with each of its questions, also of those in a row that is
/// collapsed.
pub(crate) fn targets(dashboard: &Value) -> Vec<(String, Value)> {
    let outer = dashboard["panels"].as_array().unwrap().iter();
    let inner = |panel: &Value| panel["panels"].as_array().cloned().unwrap_or_default();
    let panels = outer.flat_map(|panel| [inner(panel), vec![panel.clone()]].concat());
    let targets = panels.flat_map(|panel| {
        let targets = panel["targets"].as_array().cloned().unwrap_or_default();
        let title = panel["title"].as_str().unwrap().to_owned();
        targets.into_iter().map(move |target| (title.clone(), target))
    });
    targets.collect()
}
