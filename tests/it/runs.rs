//! Runs of experiments over HTTP: begun, followed, read, bounded, and ended with the lab.

use std::time::Duration;

use axum::Json;
use axum::routing::{get, post};
use campuscafe_tests::{
    Answer, Cafe, Process, ReservedPort, assert_problem_without_trace, binary, eventually, gone,
    is_hex_id, signal,
};
use reqwest::{Client, RequestBuilder, Response};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::process::Command;

use crate::attached_lab::lab_beside;

/// A lab, and a client of it.
struct Lab {
    url: String,
    http: Client,
}

/// One event of a stream.
#[derive(Debug, Clone, PartialEq)]
struct Told {
    id: usize,
    name: String,
    data: Value,
}

impl Lab {
    fn at(url: &str) -> Self {
        Self { url: url.to_owned(), http: Client::builder().no_proxy().build().unwrap() }
    }

    async fn send(&self, request: RequestBuilder) -> Answer {
        let response = request.send().await.expect("an answer");
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let body = response.bytes().await.expect("a whole answer");
        Answer { status, headers, body: serde_json::from_slice(&body).unwrap_or_default() }
    }

    async fn get(&self, path: &str) -> Answer {
        self.send(self.http.get(format!("{}{path}", self.url))).await
    }

    async fn post(&self, run: &Value) -> Answer {
        self.send(self.http.post(format!("{}/api/runs", self.url)).json(run)).await
    }

    /// Begins a run; its id.
    async fn begin(&self, experiment: &str) -> String {
        let begun = self.post(&json!({"experiment": experiment})).await;
        assert_eq!(begun.status, 202, "{}", begun.body);
        begun.text("id").to_owned()
    }

    /// The document of a run, once it is over.
    async fn over(&self, id: &str) -> Value {
        eventually("the end of a run", || async {
            let run = self.get(&format!("/api/runs/{id}")).await;
            (run.text("state") != "running").then_some(run.body)
        })
        .await
    }

    async fn stream(&self, id: &str, last: Option<usize>) -> Response {
        let mut request = self.http.get(format!("{}/api/runs/{id}/events", self.url));
        if let Some(last) = last {
            request = request.header("last-event-id", last.to_string());
        }
        request.send().await.expect("an answer")
    }
}

/// Every event of a text, in its order.
fn events(text: &str) -> Vec<Told> {
    let event = |block: &str| {
        let field = |name: &str| {
            block.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_default().trim()
        };
        let id = field("id:").parse().ok()?;
        let data = serde_json::from_str(field("data:")).expect("data in JSON");
        Some(Told { id, name: field("event:").to_owned(), data })
    };
    text.split("\n\n").filter_map(event).collect()
}

/// Reads a stream until this event has come.
async fn read_until(stream: &mut Response, name: &str) -> String {
    let mut text = String::new();
    while !text.contains(&format!("event: {name}\n")) {
        let chunk = stream.chunk().await.unwrap().expect("more to come");
        text.push_str(std::str::from_utf8(&chunk).unwrap());
    }
    text
}

fn keys(object: &Value) -> Vec<&str> {
    object.as_object().unwrap().keys().map(String::as_str).collect()
}

#[tokio::test]
async fn a_run_over_http_is_the_document_that_the_command_line_prints() {
    let cafe = Cafe::open().await;
    let lab = Lab::at(&cafe.lab);
    let begun = lab.post(&json!({"experiment": "double", "seed": 7})).await;
    assert_eq!((begun.status, begun.text("state")), (202, "running"), "{}", begun.body);
    let id = begun.text("id");
    assert!(is_hex_id(&begun.body["id"]));
    assert_eq!(begun.headers["location"], format!("/api/runs/{id}"));
    assert_eq!((&begun.body["conclusion"], &begun.body["findings"]), (&Value::Null, &json!([])));

    let run = lab.over(id).await;
    assert_eq!((&run["state"], &run["shown"]), (&"ended".into(), &true.into()), "{run}");
    let marks = "lab_experiments_total{experiment=\"double\"}";
    assert_eq!(cafe.metric(&cafe.lab, marks).await, 1.0);
    let trace = run["findings"][1]["told"]["traceId"].as_str().unwrap();
    let spans = cafe.trace(trace, 4).await;
    assert_eq!(spans[0].text("campuscafe.run"), Some(id), "its traces are found by its id");

    let arguments = ["experiment", "double", "--seed", "7", "--json", "--own"];
    let (_, printed, _) = Process::run("campuscafe", &arguments, &[]).await;
    let mut printed: Value = serde_json::from_str(&printed).unwrap();
    let head = ["id", "state", "beganAt"];
    assert_eq!(keys(&run), [&head[..], &keys(&printed)].concat());
    for name in ["experiment", "seed", "shown", "conclusion"] {
        assert_eq!(run[name], printed[name], "{name}");
    }
    assert_eq!(run["run"], id);
    for (ours, theirs) in
        run["findings"].as_array().unwrap().iter().zip(printed["findings"].as_array_mut().unwrap())
    {
        assert_eq!(keys(ours), keys(theirs));
        for part in ["told", "ledger"] {
            assert_eq!(keys(&ours[part]), keys(&theirs[part]));
        }
        for name in ["caption", "evidence", "chaos", "shown"] {
            assert_eq!(ours[name], theirs[name], "{name}");
        }
    }
    assert_eq!(printed["findings"].as_array().map(Vec::len), Some(2));

    let list = lab.get("/api/runs").await.body;
    let expected = json!([{
        "id": id, "state": "ended", "beganAt": run["beganAt"], "experiment": "double", "seed": 7,
        "conclusion": "shown",
    }]);
    assert_eq!(list["runs"], expected);
    humantime::parse_rfc3339(run["beganAt"].as_str().unwrap()).unwrap();
}

#[tokio::test]
async fn events_come_while_the_run_goes_on_and_who_comes_later_gets_the_same() {
    let cafe = Cafe::open().await;
    let lab = Lab::at(&cafe.lab);
    let id = lab.begin("double").await;
    // A client that leaves does not stop the run.
    let mut left = lab.stream(&id, None).await;
    read_until(&mut left, "began").await;
    drop(left);

    let mut stream = lab.stream(&id, None).await;
    assert_eq!(stream.headers()["content-type"], "text/event-stream");
    let mut text = read_until(&mut stream, "order_sent").await;
    assert_eq!(lab.get(&format!("/api/runs/{id}")).await.text("state"), "running");
    text.push_str(&read_until(&mut stream, "judged").await);
    let so_far = lab.get(&format!("/api/runs/{id}")).await.body;
    assert_eq!((&so_far["state"], &so_far["conclusion"]), (&"running".into(), &Value::Null));
    assert_eq!(so_far["findings"].as_array().map(Vec::len), Some(1), "the findings so far");
    text.push_str(&stream.text().await.unwrap());

    let told = events(&text);
    let names: Vec<_> = told.iter().map(|event| event.name.as_str()).collect();
    let trial =
        ["trial_began", "order_sent", "order_answered", "spans_arrived", "settled", "judged"];
    assert_eq!(names, [&["began"][..], &trial, &trial, &["ended"]].concat());
    assert_eq!(told.iter().map(|event| event.id).collect::<Vec<_>>(), (1..=14).collect::<Vec<_>>());
    let run = lab.over(&id).await;
    let judged: Vec<_> =
        told.iter().filter(|event| event.name == "judged").map(|event| &event.data).collect();
    assert_eq!(judged, run["findings"].as_array().unwrap().iter().collect::<Vec<_>>());
    let ended = &told.last().unwrap().data;
    assert_eq!((&ended["state"], &ended["conclusion"]), (&"ended".into(), &"shown".into()));

    let again = lab.stream(&id, None).await.text().await.unwrap();
    assert_eq!(events(&again), told);
    let rest = lab.stream(&id, Some(12)).await.text().await.unwrap();
    assert_eq!(events(&rest), told[12..], "a stream that was lost goes on");
    assert_eq!(lab.stream(&id, Some(14)).await.status(), 204, "a browser asks no more");
}

#[tokio::test]
async fn runs_at_once_are_each_judged_by_their_own_traces() {
    let cafe = Cafe::open().await;
    let lab = Lab::at(&cafe.lab);
    let mut ids = Vec::new();
    for name in ["double", "double", "cut", "double", "double", "slow", "double", "double"] {
        ids.push(lab.begin(name).await);
    }
    for id in ids {
        let run = lab.over(&id).await;
        assert_eq!(run["conclusion"], "shown", "{run:#}");
        for finding in run["findings"].as_array().unwrap() {
            assert_eq!(
                (&finding["evidence"], &finding["ledger"]["basis"]),
                (&"spans".into(), &"spans".into())
            );
        }
    }
}

#[tokio::test]
async fn a_run_says_what_others_took_meanwhile_and_is_judged_without_it() {
    let cafe = Cafe::open().await;
    let lab = Lab::at(&cafe.lab);
    let id = lab.begin("slow").await;
    let mut stream = lab.stream(&id, None).await;
    read_until(&mut stream, "order_sent").await;
    assert_eq!(cafe.order_cake("none", false).await.status, 200);
    let run = lab.over(&id).await;
    let finding = &run["findings"][0];
    assert_eq!(
        (&finding["takenByOthers"], &finding["shown"]),
        (&1.into(), &true.into()),
        "{run:#}"
    );
    assert_eq!(finding["ledger"]["reservations"], 1);
    let text = lab.http.get(format!("{}/api/runs/{id}.md", lab.url)).send().await.unwrap();
    let text = text.text().await.unwrap();
    assert!(text.contains("taken by orders of others meanwhile: 1"), "{text}");
}

/// Services that take an order and never answer it.
async fn stuck_services() -> String {
    let state = async || Json(json!({"stock": {"cake": 1000}, "reservations": 0}));
    let services = axum::Router::new()
        .route("/inventory/state", get(state))
        .route("/metrics", get(async || ""))
        .route("/orders", post(std::future::pending::<()>));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, services).await });
    url
}

#[tokio::test]
async fn beyond_eight_runs_under_way_none_begins() {
    let services = stuck_services().await;
    let (_process, url) = lab_beside(&services, &services).await;
    let lab = Lab::at(&url);
    for _ in 0..8 {
        lab.begin("double").await;
    }
    let refused = lab.post(&json!({"experiment": "double"})).await;
    let tells = "8 runs are under way, which is the limit. None was begun";
    assert_problem_without_trace("the ninth", &refused, 503, tells);
    assert_eq!(refused.headers["retry-after"], "2");
    let list = lab.get("/api/runs").await.body;
    assert_eq!(list["runs"].as_array().map(Vec::len), Some(8));
    let metrics =
        lab.http.get(format!("{url}/metrics")).send().await.unwrap().text().await.unwrap();
    assert!(metrics.contains("lab_experiments_total{experiment=\"double\"} 8\n"), "{metrics}");
}

#[tokio::test]
async fn beyond_a_hundred_streams_none_opens_until_one_is_closed() {
    let services = stuck_services().await;
    let (_process, url) = lab_beside(&services, &services).await;
    let lab = Lab::at(&url);
    let id = lab.begin("double").await;
    let mut open = Vec::new();
    for _ in 0..100 {
        let stream = lab.stream(&id, None).await;
        assert_eq!(stream.status(), 200);
        open.push(stream);
    }
    let refused = lab.get(&format!("/api/runs/{id}/events")).await;
    assert_problem_without_trace("one more", &refused, 503, "100 streams of events are open");
    assert_eq!(refused.headers["retry-after"], "2");
    open.pop();
    eventually("a place among the streams", || async {
        (lab.stream(&id, None).await.status() == 200).then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_lab_that_is_told_to_end_ends_its_streams_and_runs_at_once() {
    let services = stuck_services().await;
    let (mut process, url) = lab_beside(&services, &services).await;
    let lab = Lab::at(&url);
    let id = lab.begin("double").await;
    let mut stream = lab.stream(&id, None).await;
    read_until(&mut stream, "order_sent").await;
    process.signal("TERM");
    let ended = process.ended_within(Duration::from_secs(5)).await;
    assert!(ended.success(), "{ended}: {}", process.stderr());
    // Its end is the end of a body, not a connection that broke.
    stream.text().await.expect("a whole stream");
}

#[tokio::test]
async fn a_storm_has_services_of_its_own_is_alone_and_ends_with_the_lab() {
    let mut cafe = Cafe::open().await;
    let lab = Lab::at(&cafe.lab);
    let usual = cafe.process.children();
    let begun = lab.post(&json!({"compare": "storm"})).await;
    assert_eq!(begun.status, 202, "{}", begun.body);
    let mut stream = lab.stream(begun.text("id"), None).await;
    let told = read_until(&mut stream, "storm_second").await;
    let second = events(&told).into_iter().find(|told| told.name == "storm_second");
    let second = second.expect("a second").data;
    assert_eq!((keys(&second), &second["second"]), (vec!["second", "naive", "cured"], &1.into()));
    assert_eq!(keys(&second["naive"]), ["goodput", "queue"]);

    let own: Vec<_> =
        cafe.process.children().into_iter().filter(|pid| !usual.contains(pid)).collect();
    assert_eq!((usual.len(), own.len()), (2, 4), "an order service and an inventory for each lane");
    let tells = "another storm is under way, which takes a minute";
    for another in [json!({"compare": "storm"}), json!({"experiment": "storm", "trial": 1})] {
        let refused = lab.post(&another).await;
        assert_problem_without_trace("another storm", &refused, 503, tells);
        assert_eq!(refused.headers["retry-after"], "20");
    }
    lab.over(&lab.begin("cut").await).await;
    assert_eq!(cafe.state().await["reservations"], 1, "its customers order elsewhere");

    cafe.process.signal("TERM");
    let ended = cafe.process.ended_within(Duration::from_secs(15)).await;
    assert!(ended.success(), "{ended}: {}", cafe.process.stderr());
    gone(&own).await;
    stream.text().await.expect("a whole stream");
}

#[tokio::test]
async fn a_storm_whose_service_ends_fails_and_the_services_that_are_left_end_too() {
    let cafe = Cafe::open().await;
    let lab = Lab::at(&cafe.lab);
    let usual = cafe.process.children();
    let id = lab.begin("storm").await;
    read_until(&mut lab.stream(&id, None).await, "storm_second").await;
    let own: Vec<_> =
        cafe.process.children().into_iter().filter(|pid| !usual.contains(pid)).collect();
    signal(&own[0].to_string(), "KILL");
    let run = lab.over(&id).await;
    let reason = run["reason"].as_str().unwrap_or_default();
    assert!(reason.contains("the inventory service stopped unexpectedly"), "{run}");
    gone(&own).await;
    let again = lab.post(&json!({"experiment": "storm"})).await;
    assert_eq!(again.status, 202, "the place is free: {}", again.body);
}

#[tokio::test]
async fn a_lab_that_can_start_no_services_says_why_and_how_a_storm_is_run_elsewhere() {
    let services = stuck_services().await;
    let folder = std::env::temp_dir().join(format!("campuscafe-moved-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let program = folder.join("campuscafe");
    std::fs::copy(binary("campuscafe"), &program).unwrap();
    let mut command = Command::new(&program);
    command.args(["up", "--order-url", &services, "--inventory-url", &services]);
    command.env_clear().env("LAB_LISTEN", "127.0.0.1:0");
    let mut process = Process::of(command);
    let found = |line: &str| {
        let mut words = line.split_whitespace();
        (words.next() == Some("lab")).then(|| words.next().map(str::to_owned))?
    };
    let url = process.said("where the lab is", found).await;
    std::fs::remove_dir_all(&folder).unwrap();

    let lab = Lab::at(&url);
    let id = lab.begin("storm").await;
    let run = lab.over(&id).await;
    assert_eq!(run["state"], "failed", "{run}");
    let reason = run["reason"].as_str().unwrap_or_default();
    assert!(reason.contains("cannot start inventory"), "{run}");
    let page = lab.http.get(format!("{url}/runs/{id}")).send().await.unwrap().text().await.unwrap();
    for says in [reason, "campuscafe compare storm"] {
        assert!(page.contains(says), "no {says} in {page}");
    }
}

#[tokio::test]
async fn a_run_that_fails_says_why_and_the_fifty_first_run_takes_the_place_of_the_oldest() {
    let closed = ReservedPort::take();
    let (_process, url) = lab_beside(&closed.url(), &closed.url()).await;
    let lab = Lab::at(&url);
    let mut ids = Vec::new();
    for _ in 0..51 {
        let id = lab.begin("cut").await;
        let run = lab.over(&id).await;
        assert_eq!((&run["state"], &run["conclusion"]), (&"failed".into(), &Value::Null));
        assert!(run["reason"].as_str().unwrap().contains("nothing answers there"), "{run}");
        ids.push(id);
    }
    let list = lab.get("/api/runs").await.body;
    let kept: Vec<_> = list["runs"].as_array().unwrap().iter().map(|run| &run["id"]).collect();
    assert_eq!(kept, ids[1..].iter().rev().collect::<Vec<_>>(), "the newest first");
    let forgotten = lab.get(&format!("/api/runs/{}", ids[0])).await;
    assert_problem_without_trace("the oldest", &forgotten, 404, "this one may be forgotten");
    let told = events(&lab.stream(&ids[50], None).await.text().await.unwrap());
    let ended = &told.last().unwrap().data;
    assert_eq!((&ended["state"], &ended["reason"]), (&"failed".into(), &list["runs"][0]["reason"]));
}

#[tokio::test]
async fn what_cannot_be_run_or_is_not_there_is_a_problem_that_says_what_is() {
    let cafe = Cafe::open().await;
    let lab = Lab::at(&cafe.lab);
    for (asked, tells) in [
        (json!({"experiment": "tea"}), "expected one of local, slow, jitter, cut, doubt, recover"),
        (json!({"experiment": "kill"}), "kill needs a person who replaces pods on a cluster"),
        (json!({"compare": "tea"}), "expected one of double, cut, doubleclick"),
        (json!({"compare": "storm", "trial": 1}), "expected experiment, with or without a trial"),
        (json!({"experiment": "all"}), "expected one of"),
        (json!({"experiment": "double", "seed": -1}), "expected a whole number of 0 or more"),
        (json!({"experiment": "double", "retry": true}), "unknown field `retry`"),
        (json!({}), "expected experiment, with or without a trial, or else compare"),
    ] {
        assert_problem_without_trace(&asked.to_string(), &lab.post(&asked).await, 400, tells);
    }
    for path in ["", ".md", "/events"] {
        for id in ["0af7651916cd43dd8448eb211c80319c", "x", ".md", "%20"] {
            let answer = lab.get(&format!("/api/runs/{id}{path}")).await;
            assert_problem_without_trace(path, &answer, 404, "the lab knows no such run");
        }
    }
    assert_eq!(lab.get("/api/runs").await.body, json!({"runs": []}));
}

#[tokio::test]
async fn a_run_as_text_has_the_evidence_and_leaves_the_question_open() {
    let cafe = Cafe::open().await;
    let lab = Lab::at(&cafe.lab);
    let id = lab.begin("double").await;
    let run = lab.over(&id).await;
    let response = lab.http.get(format!("{}/api/runs/{id}.md", lab.url)).send().await.unwrap();
    assert_eq!(response.headers()["content-type"], "text/markdown; charset=utf-8");
    let text = response.text().await.unwrap();
    for expected in [
        &*format!("Run {id}, began at "),
        "## Trial 2\n",
        "{\"itemId\":\"cake\",\"quantity\":1,\"chaos\":\"slow,none\",\"retryOnTimeout\":true}",
        "200 \"reserved (after timeout retry)",
        "  # working   . working, nobody waits",
        "attempt 1: sent at ",
        "  commit at ",
        "cake left before: 1",
        "## Question\n\nWhat happened?",
    ] {
        assert!(text.contains(expected), "no {expected:?} in\n{text}");
    }
    let verdict = run["findings"][1]["verdict"].as_str().unwrap();
    for judged in ["SHOWN", "shown", "two cakes", "gap", verdict] {
        assert!(!text.contains(judged), "{judged:?} judges in\n{text}");
    }
}
