//! `campuscafe.http`: each of its requests gets the answer that its title promises, and every
//! call of both services is among them.

use std::collections::BTreeMap;
use std::fs;

use campuscafe_tests::{Answer, Cafe, eventually, root};
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};

/// A request of the file: title, method, address, headers, body.
struct Request {
    title: String,
    method: Method,
    url: String,
    headers: Vec<(String, String)>,
    body: Option<String>,
}

/// What stands before the first request: names and their values.
fn variables(text: &str) -> BTreeMap<String, String> {
    let head = text.split("\n### ").next().unwrap();
    let named = head.lines().filter_map(|line| line.strip_prefix('@')?.split_once(" = "));
    named.map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}

/// Reads the file as editors do: `###` begins a request, a blank line its body.
fn requests(text: &str) -> Vec<Request> {
    let parts = text.split("\n### ").skip(1);
    let request = |part: &str| {
        let (head, body) = part.split_once("\n\n").unwrap_or((part, ""));
        let mut lines = head.lines();
        let title = lines.next().unwrap().to_owned();
        let (method, url) = lines.next().unwrap().split_once(' ').unwrap();
        let header = |line: &str| {
            let (name, value) = line.split_once(": ").unwrap();
            (name.to_owned(), value.to_owned())
        };
        let headers: Vec<_> = lines.map(header).collect();
        let body = Some(body.trim().to_owned()).filter(|body| !body.is_empty());
        let json = headers.contains(&("Content-Type".to_owned(), "application/json".to_owned()));
        assert_eq!(json, body.is_some(), "{title}: a body has its type");
        let (method, url) = (method.parse().unwrap(), url.to_owned());
        Request { title, method, url, headers, body }
    };
    parts.map(request).collect()
}

fn file() -> String {
    fs::read_to_string(root().join("campuscafe.http")).unwrap()
}

/// The text with the values of the variables in the place of their names.
fn filled(text: &str, variables: &BTreeMap<String, String>) -> String {
    let fill = |text: String, (name, value): (&String, &String)| {
        text.replace(&format!("{{{{{name}}}}}"), value)
    };
    let filled = variables.iter().fold(text.to_owned(), fill);
    assert!(!filled.contains("{{"), "it names a variable that is not there: {filled}");
    filled
}

impl Request {
    fn build(&self, cafe: &Cafe, variables: &BTreeMap<String, String>) -> RequestBuilder {
        let request = cafe.http.request(self.method.clone(), filled(&self.url, variables));
        let named = self.headers.iter();
        let request = named
            .fold(request, |request, (name, value)| request.header(name, filled(value, variables)));
        match &self.body {
            Some(body) => {
                let body = filled(body, variables);
                assert!(serde_json::from_str::<Value>(&body).is_ok(), "{}: {body}", self.title);
                request.body(body)
            }
            None => request,
        }
    }
}

/// What the reader is promised: a status, and some members of the answer.
type Promise = (u16, Value);

fn is_kept((status, members): &Promise, answer: &Answer) -> bool {
    let members = members.as_object().unwrap();
    answer.status == *status && members.iter().all(|(name, value)| &answer.body[name] == value)
}

/// What the titles promise, request by request.
fn promises() -> Vec<Promise> {
    vec![
        (200, json!({"reservations": 0})),
        (504, json!({"outcome": "unknown", "title": "Order failed 💥"})),
        (200, json!({"reservations": 1, "stock": {"cake": 9, "coffee": 20}})),
        (502, json!({"outcome": "failed"})),
        (504, json!({"outcome": "unknown"})),
        (504, json!({"outcome": "unknown"})),
        (200, json!({})),
        (504, json!({"outcome": "unknown", "title": "Retry also failed 💥"})),
        (200, json!({"outcome": "confirmed"})),
        (200, json!({"reservations": 6, "stock": {"cake": 4, "coffee": 20}})),
        (200, json!({"reservations": 0, "stock": {"cake": 10, "coffee": 20}})),
        // Once.
        (200, json!({"outcome": "confirmed", "note": "reserved (after timeout retry) ⚠️"})),
        (200, json!({})),
        (202, json!({"outcome": "unknown"})),
        (200, json!({"state": "confirmed", "lane": "cured"})),
        (200, json!({})),
        // Press twice.
        (200, json!({"outcome": "confirmed", "note": "reserved (first try) ✅"})),
        (200, json!({"outcome": "confirmed", "note": "reserved (the same order as before)"})),
        (422, json!({"title": "Idempotency-Key is already used"})),
        // Cancel.
        (200, json!({"state": "confirmed", "lane": "cured"})),
        (200, json!({"state": "cancelled"})),
        (409, json!({"title": "Order cancelled"})),
        // Settle.
        (200, json!({"state": "void", "key": "press-1-settled"})),
        (410, json!({"title": "Idempotency-Key is void"})),
        (200, json!({"itemId": "cake"})),
        (200, json!({"state": "cancelled", "key": "press-1-reserved"})),
        (200, json!({"itemId": "cake"})),
        (200, json!({"itemId": "cake", "quantity": 1})),
        (200, json!({})),
        // Stale.
        (200, json!({"price": 400, "version": 1})),
        (200, json!({"price": 450, "version": 2})),
        (412, json!({"currentVersion": 2})),
        (428, json!({"currentVersion": 2})),
        (200, json!({"price": 400, "version": 3})),
        // Notify.
        (200, json!({"outcome": "confirmed"})),
        (200, json!({"shown": "accepted"})),
        (200, json!({"shown": "confirmed", "dropped": false})),
        // Doubt.
        (200, json!({"itemId": "cake"})),
        (200, json!({})),
        (200, json!({"requestId": "doubt", "released": 1})),
        (404, json!({})),
        // The rest.
        (200, json!({})),
        (200, json!({"ok": true, "delayMs": 250})),
    ]
}

#[tokio::test]
async fn each_request_gets_the_answer_that_its_title_promises() {
    let cafe = Cafe::open().await;
    let text = file();
    let mut variables = variables(&text);
    for (name, usual, here) in [
        ("inventory", "http://127.0.0.1:5101", &cafe.inventory),
        ("order", "http://127.0.0.1:5201", &cafe.order),
    ] {
        let before = variables.insert(name.to_owned(), here.clone());
        assert_eq!(before.as_deref(), Some(usual), "{name}");
    }
    let (requests, promises) = (requests(&text), promises());
    assert_eq!(requests.len(), promises.len());
    let mut meanwhile = Vec::new();
    for (request, promise) in requests.into_iter().zip(promises) {
        let title = request.title.clone();
        let kept = |answer: &Answer| {
            let status = title.rsplit_once('(').and_then(|(_, end)| end.strip_suffix(')'));
            let status = status.and_then(|status| status.parse().ok());
            assert!(status.is_none_or(|status: u16| status == answer.status), "{title}");
            assert!(is_kept(&promise, answer), "{title}: {} {}", answer.status, answer.body);
        };
        let build = || request.build(&cafe, &variables);
        if title.ends_with("meanwhile") {
            meanwhile.push((promise, tokio::spawn(build().send())));
            cafe.hold().await;
            continue;
        }
        let mut answer = cafe.send(build()).await;
        if request.method == Method::GET && !is_kept(&promise, &answer) {
            // A reader waits for a moment before looking; so do we.
            answer = eventually(&title, async || {
                Some(cafe.send(build()).await).filter(|answer| is_kept(&promise, answer))
            })
            .await;
        }
        kept(&answer);
        // A reader copies these from the answer.
        for name in ["orderId", "reservationId", "version"] {
            let told = match &answer.body[name] {
                Value::String(text) => Some(text.clone()),
                Value::Number(number) => Some(number.to_string()),
                _ => None,
            };
            let is_asked_for = name != "version" || request.method == Method::GET;
            variables.extend(told.filter(|_| is_asked_for).map(|told| (name.to_owned(), told)));
        }
    }
    for (promise, answer) in meanwhile {
        let answer = answer.await.unwrap().unwrap();
        let (status, headers) = (answer.status().as_u16(), answer.headers().clone());
        let answer = Answer { status, headers, body: answer.json().await.unwrap() };
        assert!(is_kept(&promise, &answer), "{} {}", answer.status, answer.body);
    }
}

#[tokio::test]
async fn every_call_of_both_services_is_in_the_file() {
    let cafe = Cafe::open().await;
    let requests = requests(&file());
    for (service, url) in [("order", &cafe.order), ("inventory", &cafe.inventory)] {
        let document = cafe.send(cafe.http.get(format!("{url}/openapi.json"))).await.body;
        let paths = document["paths"].as_object().expect("paths");
        assert!(paths.len() >= 3, "{document}");
        for (path, calls) in paths {
            // These are for machines.
            if ["/healthz", "/readyz", "/metrics"].contains(&path.as_str()) {
                continue;
            }
            for method in calls.as_object().expect("calls").keys() {
                let is = |request: &Request| {
                    let asks = request.method.as_str().eq_ignore_ascii_case(method);
                    let base = format!("{{{{{service}}}}}");
                    asks && request.url.strip_prefix(&base).is_some_and(|it| leads_to(it, path))
                };
                assert!(requests.iter().any(is), "no {method} {path} in the file");
            }
        }
    }
}

/// Whether an address is one of those that a path with names in braces describes.
fn leads_to(address: &str, path: &str) -> bool {
    let address = address.split('?').next().unwrap_or_default();
    let (parts, names): (Vec<_>, Vec<_>) =
        (address.split('/').collect(), path.split('/').collect());
    let fits = |(part, name): (&&str, &&str)| part == name || name.starts_with('{');
    parts.len() == names.len() && parts.iter().zip(&names).all(fits)
}
