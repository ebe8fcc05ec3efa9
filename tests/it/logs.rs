//! Log records of a run: sent as OTLP, and read where the run is read.

use campuscafe_tests::{Cafe, Span, eventually};
use serde_json::{Value, json};

/// A run of the case "doubled" that is over: its id, its trace and its spans.
pub(crate) async fn doubled(cafe: &Cafe) -> (String, String, Vec<Span>) {
    let asked = json!({"experiment": "double", "trial": 2});
    let begun = cafe.send(cafe.http.post(format!("{}/api/runs", cafe.lab)).json(&asked)).await;
    let id = begun.text("id").to_owned();
    let (trace, spans) = trace_of(cafe, &id).await;
    (id, trace, spans)
}

/// The trace of a run of that case, once it is over.
pub(crate) async fn trace_of(cafe: &Cafe, run: &str) -> (String, Vec<Span>) {
    let url = format!("{}/api/runs/{run}", cafe.lab);
    let run = eventually("the end of the run", || async {
        let run = cafe.send(cafe.http.get(&url)).await;
        (run.text("state") == "ended").then_some(run.body)
    });
    let trace = run.await["findings"][0]["told"]["traceId"].as_str().expect("a trace").to_owned();
    let spans = cafe.trace(&trace, 8).await;
    (trace, spans)
}

/// The commit of the attempt that nobody waited for.
pub(crate) fn late_commit(spans: &[Span]) -> &Span {
    let late = |span: &&Span| span.flag("campuscafe.reservation.late") == Some(true);
    spans.iter().find(late).expect("a late commit")
}

/// The attempt that the order service gave up.
pub(crate) fn given_up(spans: &[Span]) -> &Span {
    let given_up = |span: &&Span| span.kind == 3 && span.text("error.type") == Some("timeout");
    spans.iter().find(given_up).expect("an attempt that was given up")
}

/// The log records of an answer of the lab: service, span and message.
fn records(logs: &Value) -> Vec<(String, String, String)> {
    let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
    let mut records = Vec::new();
    for group in list(&logs["resourceLogs"]) {
        let service = &group["resource"]["attributes"][0]["value"]["stringValue"];
        for record in list(&group["scopeLogs"]).iter().flat_map(|scope| list(&scope["logRecords"]))
        {
            let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
            let message = text(&record["body"]["stringValue"]);
            records.push((text(service), text(&record["spanId"]), message));
        }
    }
    records
}

#[tokio::test]
async fn log_records_that_come_after_a_run_was_judged_are_handed_out_and_in_its_text() {
    let cafe = Cafe::open().await;
    let (id, trace, spans) = doubled(&cafe).await;
    let (commit, attempt) = (late_commit(&spans), given_up(&spans));
    let evil = "Gives up \u{1b}[2J";
    cafe.write_logs(&trace, &[(commit, "Reserved AGAIN, by a test"), (attempt, evil)]).await;

    let logs = cafe.send(cafe.http.get(format!("{}/api/traces/{trace}/logs", cafe.lab))).await;
    let found = records(&logs.body);
    for (span, message) in [(commit, "Reserved AGAIN, by a test"), (attempt, evil)] {
        let record = (span.service.clone(), span.id.clone(), message.to_owned());
        assert!(found.contains(&record), "no {record:?} in {:#}", logs.body);
    }

    let text = cafe.page(&format!("{}/api/runs/{id}.md", cafe.lab)).await;
    let place = |part: &str| text.find(part).unwrap_or_else(|| panic!("no {part:?} in\n{text}"));
    let late = "ms inventory INFO  Reserved AGAIN, by a test written.by=a test \
                (span: commit reservation (late, duplicate))";
    let order = [
        "### Attempts",
        "### Log lines of the services",
        "ms order INFO  Gives up \\u{1b}[2J",
        late,
        "### Ledger",
    ];
    assert!(order.map(place).is_sorted(), "in this order in\n{text}");
    assert!(!text.contains('\u{1b}'));
    assert!(cafe.metric(&cafe.lab, "lab_log_records_received_total").await >= 2.0);
}

#[tokio::test]
async fn a_run_keeps_the_log_lines_that_were_seen_when_the_lab_has_removed_their_trace() {
    let cafe = Cafe::open().await;
    let (id, trace, spans) = doubled(&cafe).await;
    cafe.write_logs(&trace, &[(late_commit(&spans), "Reserved AGAIN, by a test")]).await;
    let text = async || cafe.page(&format!("{}/api/runs/{id}.md", cafe.lab)).await;
    assert!(text().await.contains("Reserved AGAIN, by a test"));

    let span = |number: u32| json!({"traceId": format!("{number:032x}"), "spanId": "01".repeat(8)});
    let flood: Vec<_> = (1..=2_000).map(span).collect();
    let flood = json!({"resourceSpans": [{"scopeSpans": [{"spans": flood}]}]});
    let post = cafe.http.post(format!("{}/v1/traces", cafe.lab)).json(&flood);
    assert_eq!(cafe.send(post).await.status, 200);
    let logs = cafe.send(cafe.http.get(format!("{}/api/traces/{trace}/logs", cafe.lab))).await;
    assert_eq!(logs.status, 404, "{:#}", logs.body);
    assert!(text().await.contains("Reserved AGAIN, by a test"));
}
