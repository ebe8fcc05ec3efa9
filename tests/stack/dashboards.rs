//! The dashboards, as far as they ask others.

use serde_json::Value;

pub(crate) fn dashboard(name: &str) -> Value {
    let path = campuscafe_tests::root().join(format!("dashboards/{name}.json"));
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

/// Each panel's title with each of its questions.
pub(crate) fn targets(dashboard: &Value) -> Vec<(String, Value)> {
    let panels = dashboard["panels"].as_array().unwrap().iter();
    let targets = panels.flat_map(|panel| {
        let targets = panel["targets"].as_array().cloned().unwrap_or_default();
        let title = panel["title"].as_str().unwrap().to_owned();
        targets.into_iter().map(move |target| (title.clone(), target))
    });
    targets.collect()
}
