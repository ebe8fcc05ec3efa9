//! `campuscafe.http`: each of its requests gets the answer that its title promises.

use campuscafe_tests::{Cafe, root};
use reqwest::Method;
use serde_json::{Value, json};

/// A request of the file: title, method, address, body.
struct Request {
    title: String,
    method: Method,
    url: String,
    body: Option<Value>,
}

/// Reads the file as editors do: `###` begins a request, a blank line its body.
fn requests(text: &str, cafe: &Cafe) -> Vec<Request> {
    let parts = text.split("\n### ").skip(1);
    let request = |part: &str| {
        let (head, body) = part.split_once("\n\n").unwrap_or((part, ""));
        let mut lines = head.lines();
        let title = lines.next().unwrap().to_owned();
        let (method, url) = lines.next().unwrap().split_once(' ').unwrap();
        let url = url.replace("{{order}}", &cafe.order).replace("{{inventory}}", &cafe.inventory);
        let body = body.trim();
        let json = lines.any(|line| line == "Content-Type: application/json");
        assert_eq!(json, !body.is_empty(), "{title}: a body has its type");
        let body = json.then(|| serde_json::from_str(body).unwrap());
        Request { title, method: method.parse().unwrap(), url, body }
    };
    parts.map(request).collect()
}

#[tokio::test]
async fn each_request_gets_the_answer_that_its_title_promises() {
    let cafe = Cafe::open().await;
    let text = std::fs::read_to_string(root().join("campuscafe.http")).unwrap();
    for line in ["@inventory = http://127.0.0.1:5101", "@order = http://127.0.0.1:5201"] {
        assert!(text.lines().any(|found| found == line), "no {line:?}");
    }
    let expected = [
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
    ];
    let requests = requests(&text, &cafe);
    assert_eq!(requests.len(), expected.len());
    for (Request { title, method, url, body }, (status, members)) in
        requests.into_iter().zip(expected)
    {
        // A reader waits for a moment before looking at the stock; so do we.
        if let Some(made) = members["reservations"].as_u64().filter(|_| method == Method::GET) {
            cafe.reservations(made).await;
        }
        let mut request = cafe.http.request(method, url);
        if let Some(body) = body {
            request = request.json(&body);
        }
        let answer = cafe.send(request).await;
        assert_eq!(answer.status, status, "{title}: {}", answer.body);
        for (name, value) in members.as_object().unwrap() {
            assert_eq!(&answer.body[name], value, "{title}: {}", answer.body);
        }
    }
}
