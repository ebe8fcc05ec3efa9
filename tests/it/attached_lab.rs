//! The lab beside services that somebody else started, and what containers ask.

use std::collections::BTreeSet;

use campuscafe_tests::{Cafe, Process, ReservedPort, assert_problem_without_trace, eventually};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

const ANY_PORT: &str = "127.0.0.1:0";

/// Asks a program about itself in words.
async fn ask(program: &str, arguments: &[&str]) -> (Option<i32>, String) {
    let (code, stdout, _) = Process::run(program, arguments, &[]).await;
    (code, stdout)
}

/// A lab beside services that others started, and where it is.
pub(crate) async fn lab_beside(order: &str, inventory: &str) -> (Process, String) {
    lab_with(&["up", "--order-url", order, "--inventory-url", inventory]).await
}

/// A lab with these arguments, and where it is.
pub(crate) async fn lab_with(arguments: &[&str]) -> (Process, String) {
    let mut lab = Process::start("campuscafe", arguments, &[("LAB_LISTEN", ANY_PORT)]);
    let found = |line: &str| {
        let mut words = line.split_whitespace();
        (words.next() == Some("lab")).then(|| words.next().map(str::to_owned))?
    };
    let url = lab.said("where the lab is", found).await;
    (lab, url)
}

fn address(url: &str) -> &str {
    url.trim_start_matches("http://")
}

#[tokio::test]
async fn a_health_check_succeeds_while_the_service_takes_requests_and_only_then() {
    let cafe = Cafe::open().await;
    for (program, arguments, url) in [
        ("inventory", &["--listen"][..], &cafe.inventory),
        ("order", &["--listen"], &cafe.order),
        ("campuscafe", &["healthcheck", "--listen"], &cafe.lab),
        ("campuscafe", &["order", "--listen"], &cafe.order),
    ] {
        let mut arguments = arguments.to_vec();
        arguments.push(address(url));
        if !arguments.contains(&"healthcheck") {
            arguments.push("healthcheck");
        }
        let (code, said) = ask(program, &arguments).await;
        assert_eq!(code, Some(0), "{program} {arguments:?}: {said}");
        assert!(said.contains("200"), "{said}");
    }

    // Nobody is there.
    let closed = ReservedPort::take();
    let (code, said) = ask("order", &["--listen", &closed.address(), "healthcheck"]).await;
    assert_eq!(code, Some(1), "{said}");

    // Somebody is, and says no.
    let unwell = TcpListener::bind(ANY_PORT).await.unwrap();
    let address = unwell.local_addr().unwrap().to_string();
    let says_no = async {
        let (mut stream, _) = unwell.accept().await.unwrap();
        let mut asked = [0; 512];
        let length = stream.read(&mut asked).await.unwrap();
        stream.write_all(b"HTTP/1.1 503 Service Unavailable\r\n\r\n").await.unwrap();
        String::from_utf8_lossy(&asked[..length]).into_owned()
    };
    let asking = ["--listen", &address, "healthcheck"];
    let (asked, (code, said)) = tokio::join!(says_no, ask("inventory", &asking));
    assert!(asked.starts_with("GET /readyz HTTP/1.1\r\n"), "{asked}");
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("503"), "{said}");
}

#[tokio::test]
async fn a_lab_that_is_told_of_services_starts_none_and_passes_them_on() {
    let cafe = Cafe::open().await;
    let (_lab, url) = lab_beside(&cafe.order, &cafe.inventory).await;
    let told = cafe.send(cafe.http.get(format!("{url}/api/services"))).await.body;
    let expected =
        json!({"order": format!("{}/", cafe.order), "inventory": format!("{}/", cafe.inventory)});
    assert_eq!(told, expected);

    let (code, said) = ask("campuscafe", &["experiment", "slow", "--lab-url", &url]).await;
    // The spans went to the other lab, so the ledger alone must carry the verdicts. It
    // cannot say what the order service knew.
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("The verdict uses only the ledger"), "{said}");
    assert_eq!(said.matches("\nSHOWN, evidence incomplete\n").count(), 3, "{said}");
    let unknown = "\nINCOMPLETE\n  It is not known whether the order service can tell them apart";
    assert!(said.contains(unknown), "{said}");
    let marks = "lab_experiments_total{experiment=\"slow\"}";
    assert_eq!(cafe.metric(&url, marks).await, 1.0);
    assert_eq!(cafe.metric(&cafe.lab, marks).await, 0.0);
}

#[tokio::test]
async fn a_lab_tells_clients_other_addresses_than_those_that_its_runs_use() {
    let cafe = Cafe::open().await;
    let links = ["--order-link-url=http://cafe.test:1", "--inventory-link-url=http://cafe.test:2"];
    let arguments = ["up", "--order-url", &cafe.order, "--inventory-url", &cafe.inventory];
    let (lab, url) = lab_with(&[&arguments[..], &links].concat()).await;
    let told = cafe.send(cafe.http.get(format!("{url}/api/services"))).await.body;
    let expected = json!({"order": "http://cafe.test:1/", "inventory": "http://cafe.test:2/"});
    assert_eq!(told, expected);
    let said = lab.stdout();
    assert!(said.contains("http://cafe.test:1") && !said.contains(&cafe.order), "{said}");

    let run = cafe.http.post(format!("{url}/api/runs")).json(&json!({"experiment": "reorder"}));
    let id = cafe.send(run).await.text("id").to_owned();
    let run = eventually("the end of a run", || async {
        let run = cafe.send(cafe.http.get(format!("{url}/api/runs/{id}"))).await;
        (run.text("state") != "running").then_some(run.body)
    });
    assert_eq!(run.await["state"], "ended");
}

#[tokio::test]
async fn an_experiment_leaves_one_mark_and_a_name_that_is_none_leaves_nothing() {
    let cafe = Cafe::open().await;
    let marks = async |name: &str| {
        cafe.metric(&cafe.lab, &format!("lab_experiments_total{{experiment=\"{name}\"}}")).await
    };
    for name in ["slow", "cut", "reorder", "double"] {
        assert_eq!(marks(name).await, 0.0, "{name} exists before it first runs");
    }
    let arguments = ["experiment", "reorder", "--lab-url", &cafe.lab];
    let (code, said) = ask("campuscafe", &arguments).await;
    assert_eq!(code, Some(0), "{said}");
    assert_eq!((marks("reorder").await, marks("slow").await), (1.0, 0.0));

    let page = async || {
        let page = cafe.page(&format!("{}/metrics", cafe.lab)).await;
        page.lines().map(str::to_owned).collect::<BTreeSet<_>>()
    };
    let before = page().await;
    let post = cafe.http.post(format!("{}/api/marks", cafe.lab));
    let answer = cafe.send(post.json(&json!({"experiment": "tea"}))).await;
    assert_problem_without_trace("tea", &answer, 400, "expected one of local, slow, jitter, cut");
    assert_eq!(page().await, before);
}

#[tokio::test]
async fn senders_that_dribble_cost_no_span_of_others() {
    let cafe = Cafe::open().await;
    let mut senders = Vec::new();
    for _ in 0..16 {
        let mut sender = TcpStream::connect(address(&cafe.lab)).await.unwrap();
        let head = "POST /v1/traces HTTP/1.1\r\nhost: 127.0.0.1\r\n\
                    content-type: application/x-protobuf\r\ncontent-length: 8000000\r\n\r\n";
        sender.write_all(head.as_bytes()).await.unwrap();
        sender.write_all(&[0; 20_000]).await.unwrap();
        senders.push(sender);
    }
    let told = cafe.order_cake("none", false).await;
    cafe.trace(told.text("traceId"), 4).await;
    assert_eq!(cafe.metric(&cafe.lab, "lab_spans_received_total").await, 4.0);
    let refused = "lab_exports_refused_total{reason=\"busy\"}";
    assert_eq!(cafe.metric(&cafe.lab, refused).await, 0.0);
}

#[tokio::test]
async fn the_lab_counts_spans_that_it_takes_and_what_it_refuses_from_zero_on() {
    let cafe = Cafe::open().await;
    let counts = async || {
        let page = cafe.page(&format!("{}/metrics", cafe.lab)).await;
        let ours = ["lab_spans_", "lab_exports_", "lab_traces_"];
        let lines = page.lines().filter(|line| ours.iter().any(|name| line.starts_with(name)));
        lines.map(str::to_owned).collect::<Vec<_>>()
    };
    let before = counts().await;
    assert_eq!(before.len(), 12, "{before:#?}");
    assert!(before.iter().all(|line| line.ends_with(" 0")), "{before:#?}");

    let told = cafe.order_cake("none", false).await;
    cafe.trace(told.text("traceId"), 4).await;
    let post = cafe.http.post(format!("{}/v1/traces", cafe.lab));
    let post = post.header("content-type", "application/x-protobuf").body("no protobuf");
    assert_eq!(cafe.send(post).await.status, 400);
    let after: BTreeSet<_> = counts().await.into_iter().collect();
    let changed: Vec<_> = after.iter().filter(|line| !before.contains(line)).collect();
    let expected =
        ["lab_exports_refused_total{reason=\"malformed\"} 1", "lab_spans_received_total 4"];
    assert_eq!(changed, expected);
}

/// A tool that answers every path with these words, or 404.
async fn tool(pages: &'static [(&'static str, &'static str)]) -> String {
    let listener = TcpListener::bind(ANY_PORT).await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut asked = [0; 2048];
            let length = stream.read(&mut asked).await.unwrap_or_default();
            let asked = String::from_utf8_lossy(&asked[..length]).into_owned();
            let path = asked.split(' ').nth(1).unwrap_or_default();
            let page = pages.iter().find(|(begin, _)| path.starts_with(begin));
            let (status, body) = page.map_or(("404 Not Found", ""), |(_, body)| ("200 OK", *body));
            let length = body.len();
            let answer = format!(
                "HTTP/1.1 {status}\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{body}"
            );
            let _ = stream.write_all(answer.as_bytes()).await;
        }
    });
    url
}

/// A trace of one span, as Jaeger's API v3 gives it.
const A_TRACE: &str = r#"{"result":{"resourceSpans":[{"resource":{"attributes":[]},"scopeSpans":[{"scope":{},
"spans":[{"traceId":"0af7651916cd43dd8448eb211c80319c","spanId":"b7ad6b7169203331","name":"x","kind":1,
"startTimeUnixNano":"1","endTimeUnixNano":"2"}]}]}]}}"#;

#[tokio::test]
async fn links_lead_to_a_trace_that_is_there_and_to_the_dashboard_at_its_minute() {
    let cafe = Cafe::open().await;
    let grafana = tool(&[("/api/health", r#"{"database":"ok"}"#)]).await;
    let with = tool(&[("/api/v3/traces/", A_TRACE), ("/api/v3/services", "{}")]).await;
    let without = tool(&[("/api/v3/services", "{}")]).await;
    let run = async |jaeger: &str, grafana: &str| {
        let arguments = [
            "experiment",
            "reorder",
            "--json",
            "--lab-url",
            &cafe.lab,
            "--jaeger-url",
            jaeger,
            "--jaeger-link-url",
            "http://jaeger.test",
            "--grafana-url",
            grafana,
        ];
        let (_, said) = ask("campuscafe", &arguments).await;
        serde_json::from_str::<Value>(&said).unwrap()["findings"][0].clone()
    };
    let finding = run(&with, &grafana).await;
    let trace = finding["told"]["traceId"].as_str().unwrap();
    assert_eq!(finding["links"]["jaeger"], format!("http://jaeger.test/trace/{trace}"));
    let dashboard = finding["links"]["grafana"].as_str().unwrap();
    let times = dashboard.strip_prefix(&format!("{grafana}/d/four-pains?from=")).unwrap();
    let (from, to) = times.split_once("&to=").unwrap();
    let (from, to): (u64, u64) = (from.parse().unwrap(), to.parse().unwrap());
    assert!((30_000..60_000).contains(&(to - from)), "half a minute and the experiment: {times}");

    let closed = ReservedPort::take();
    assert_eq!(run(&without, &closed.url()).await.get("links"), None, "no link leads nowhere");

    let arguments = ["experiment", "reorder", "--lab-url", &cafe.lab, "--jaeger-url", &without];
    let (_, said) = ask("campuscafe", &arguments).await;
    assert!(said.contains("did not get this trace"), "{said}");
}

#[tokio::test]
async fn the_page_of_a_run_links_to_tools_that_are_there_and_to_none_that_is_not() {
    let jaeger = tool(&[("/api/v3/traces/", A_TRACE), ("/api/v3/services", "{}")]).await;
    let grafana = tool(&[("/api/health", r#"{"database":"ok"}"#)]).await;
    let closed = ReservedPort::take();
    let nowhere = closed.url();
    for (jaeger, grafana, there) in [(&jaeger, &grafana, true), (&nowhere, &nowhere, false)] {
        let tools = [
            ("JAEGER_URL", jaeger.as_str()),
            ("JAEGER_LINK_URL", "http://jaeger.test"),
            ("GRAFANA_URL", grafana.as_str()),
            ("GRAFANA_LINK_URL", "http://grafana.test"),
        ];
        let cafe = Cafe::open_with(&tools).await;
        let begun = cafe.http.post(format!("{}/api/runs", cafe.lab));
        let begun = cafe.send(begun.json(&json!({"experiment": "reorder"}))).await;
        let run = format!("{}/runs/{}", cafe.lab, begun.text("id"));
        let page = eventually("the page of a run", || async {
            let page = cafe.page(&run).await;
            page.contains("class=\"links\"").then_some(page)
        })
        .await;
        assert_eq!(page.contains("href=\"http://jaeger.test/trace/"), there, "{page}");
        assert_eq!(page.contains("href=\"http://grafana.test/d/four-pains?from="), there, "{page}");
    }
}

#[tokio::test]
async fn the_lab_says_at_its_start_which_tools_are_there() {
    let jaeger = tool(&[("/api/v3/services", "{}")]).await;
    let closed = ReservedPort::take();
    let grafana = closed.url();
    let tools = [("JAEGER_URL", jaeger.as_str()), ("GRAFANA_URL", grafana.as_str())];
    let cafe = Cafe::open_with(&tools).await;
    let said = cafe.process.stdout();
    assert!(said.contains(&format!("  jaeger     {jaeger}")), "{said}");
    assert!(!said.contains("grafana"), "{said}");
}
