//! The counters of a run, made from its spans: the same as those of the services while nobody
//! else orders, and unmoved when somebody does.

use std::collections::BTreeMap;

use campuscafe_tests::{Cafe, eventually};
use serde_json::{Value, json};

type Counters = BTreeMap<String, u64>;

/// Begins a run; its id.
async fn begin(cafe: &Cafe, experiment: &str) -> String {
    let run = json!({ "experiment": experiment });
    let begun = cafe.send(cafe.http.post(format!("{}/api/runs", cafe.lab)).json(&run)).await;
    assert_eq!(begun.status, 202, "{}", begun.body);
    begun.text("id").to_owned()
}

/// The document of a run, once it is over.
async fn over(cafe: &Cafe, id: &str) -> Value {
    eventually("the end of a run", || async {
        let run = cafe.send(cafe.http.get(format!("{}/api/runs/{id}", cafe.lab))).await;
        (run.text("state") != "running").then_some(run.body)
    })
    .await
}

/// Releases the answer that a run holds.
async fn release(cafe: &Cafe, id: &str) {
    let url = format!("{}/api/runs/{id}/decision", cafe.lab);
    eventually("a held answer", || async {
        let decision = json!({"decision": "release"});
        let decided = cafe.send(cafe.http.post(&url).json(&decision)).await;
        (decided.status == 204).then_some(())
    })
    .await;
}

fn counters(of: &Value) -> Counters {
    serde_json::from_value(of.clone()).expect("counters")
}

/// What the services counted during a run, with the labels of `of` alone.
fn totals(run: &Value, of: &Counters) -> Counters {
    let mut totals = Counters::new();
    for finding in run["findings"].as_array().unwrap() {
        for (series, by) in counters(&finding["counters"]) {
            let (name, labels) = series.split_once('{').unwrap_or((&series, ""));
            let same = of.keys().find(|own| {
                let (own_name, own_labels) = own.split_once('{').unwrap_or((own, ""));
                let mut own_labels = own_labels.trim_end_matches('}').split(',');
                own_name == name && own_labels.all(|label| labels.contains(label))
            });
            *totals.entry(same.unwrap_or(&series).clone()).or_default() += by;
        }
    }
    totals
}

#[tokio::test]
async fn while_nobody_else_orders_the_spans_say_what_the_services_counted() {
    let cafe = Cafe::open().await;
    for experiment in ["slow", "cut", "double", "reorder"] {
        let id = begin(&cafe, experiment).await;
        let run = over(&cafe, &id).await;
        let own = counters(&run["spanCounters"]);
        let mut totals = totals(&run, &own);
        // The spans name the faults of a run, but these are counted by the services only.
        totals.retain(|series, _| own.contains_key(series) || !series.contains("fault"));
        assert_eq!(own, totals, "{experiment}");
        assert!(!own.is_empty(), "{experiment}");
    }
    let series = "order_reordered_replies_total";
    let before = cafe.metric(&cafe.order, series).await;
    let id = begin(&cafe, "nature").await;
    let own = counters(&over(&cafe, &id).await["spanCounters"]);
    let replies = cafe.metric(&cafe.order, series).await - before;
    assert_eq!(own.get(series).map_or(0.0, |by| *by as f64), replies, "the fifty rounds together");
}

#[tokio::test]
async fn two_runs_at_once_and_a_stranger_move_the_services_counters_and_not_those_of_a_run() {
    let cafe = Cafe::open().await;
    let ids = [begin(&cafe, "doubt").await, begin(&cafe, "doubt").await];
    eventually("two held answers", || async {
        let holds = format!("{}/inventory/holds", cafe.inventory);
        let list = cafe.send(cafe.http.get(holds)).await.body;
        (list["holds"].as_array()?.len() == 2).then_some(())
    })
    .await;
    assert_eq!(cafe.order_cake("none", false).await.status, 200);
    for id in &ids {
        release(&cafe, id).await;
    }
    let expected: Counters = [
        ("inventory_reservations_total{item=\"cake\",lane=\"naive\"}", 1),
        ("order_attempts_total{result=\"ok\",lane=\"naive\"}", 1),
        ("order_outcomes_total{outcome=\"confirmed\",lane=\"naive\"}", 1),
    ]
    .map(|(series, by)| (series.to_owned(), by))
    .into();
    for id in &ids {
        let run = over(&cafe, id).await;
        assert_eq!(counters(&run["spanCounters"]), expected);
        let totals = counters(&run["findings"][0]["counters"]);
        let made = totals["inventory_reservations_total{item=\"cake\",lane=\"naive\"}"];
        assert!(made >= 2, "the stranger is among the totals: {totals:?}");
        let text = cafe.page(&format!("{}/api/runs/{id}.md", cafe.lab)).await;
        let line = "+1  inventory_reservations_total{item=\"cake\",lane=\"naive\"}\n";
        assert!(text.contains(line) && text.contains("from the spans of this run alone"), "{text}");
        let page = cafe.page(&format!("{}/runs/{id}", cafe.lab)).await;
        let row = "inventory_reservations_total{item=&quot;cake&quot;,lane=&quot;naive&quot;}</th><td>+1</td>";
        assert!(page.contains(row), "no {row} in {page}");
    }
}
