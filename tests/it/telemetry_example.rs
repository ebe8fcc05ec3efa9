//! The example that others copy, with the lab as its collector.

use campuscafe_tests::{Cafe, DEADLINE, root};
use tokio::process::Command;
use tokio::time::timeout;

const SERVER: u64 = 2;
const CLIENT: u64 = 3;

#[tokio::test]
async fn the_example_shows_a_span_for_each_attempt_and_for_the_request_that_was_abandoned() {
    let cafe = Cafe::open().await;
    let run = Command::new(env!("CARGO"))
        .args([
            "run",
            "--quiet",
            "--locked",
            "--package",
            "campuscafe-telemetry",
            "--example",
            "two_services",
        ])
        .env("OTEL_EXPORTER_OTLP_ENDPOINT", &cafe.lab)
        .env("LOG_FORMAT", "json")
        .current_dir(root())
        .kill_on_drop(true)
        .output();
    // It may have to be built first.
    let output = timeout(DEADLINE * 10, run).await.expect("it ends").expect("it starts");
    let (stdout, stderr) =
        (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{stdout}\n{stderr}");
    let trace_id = stdout.lines().find_map(|line| line.split_once("one piece, trace ")).unwrap().1;

    // They were exported before the program ended.
    let spans = cafe.trace(trace_id, 5).await;
    assert_eq!(spans.len(), 5, "{spans:?}");
    let of = |kind, name: &str| -> Vec<_> {
        spans.iter().filter(|span| span.kind == kind && span.name == name).collect()
    };
    assert_eq!(of(SERVER, "GET /buy").len(), 1);
    let attempts = [of(CLIENT, "GET /take"), of(CLIENT, "GET /take (retry)")].concat();
    let errors: Vec<_> = attempts.iter().map(|attempt| attempt.text("error.type")).collect();
    assert!(errors.contains(&Some("timeout")) && errors.contains(&None), "{errors:?}");
    let resends = attempts.iter().filter_map(|attempt| attempt.int("http.request.resend_count"));
    assert_eq!(resends.collect::<Vec<_>>(), [1]);
    let served = of(SERVER, "GET /take");
    let left = |name: &String| name == "client.disconnected";
    let abandoned = served.iter().filter(|span| span.events.iter().any(|(name, _)| left(name)));
    assert_eq!((served.len(), abandoned.count()), (2, 1), "{served:?}");
    for line in [
        "http_route=\"/take\",http_response_status_code=\"\"} 1",
        "http_route=\"/take\",http_response_status_code=\"200\"} 1",
        "http_response_status_code=\"\",error_type=\"timeout\"} 1",
    ] {
        assert!(stdout.contains(line), "no {line} in\n{stdout}");
    }
    for message in ["this answer takes a second", "one piece taken"] {
        let line = stderr.lines().find(|line| line.contains(message)).expect(message);
        assert!(line.contains(trace_id), "a log line names its trace: {line}");
    }
}
