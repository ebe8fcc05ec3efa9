//! The price of an item: without a version the last to arrive wins, and with `If-Match` a
//! change that was overtaken is refused.

use campuscafe_tests::{Answer, Cafe, assert_problem, eventually};
use reqwest::RequestBuilder;
use serde_json::{Value, json};

fn url(cafe: &Cafe, item: &str) -> String {
    format!("{}/inventory/items/{item}/price", cafe.inventory)
}

async fn price(cafe: &Cafe, item: &str) -> Answer {
    cafe.send(cafe.http.get(url(cafe, item))).await
}

fn put(cafe: &Cafe, body: &Value) -> RequestBuilder {
    cafe.http.put(url(cafe, "cake")).json(body)
}

/// A change that replaces one version.
fn replace(cafe: &Cafe, version: &str, price: u64) -> RequestBuilder {
    put(cafe, &json!({"price": price, "versioned": true})).header("if-match", version)
}

fn told(answer: &Answer) -> (u16, &Value, &Value) {
    (answer.status, &answer.body["price"], &answer.body["version"])
}

async fn counted(cafe: &Cafe, result: &str) -> f64 {
    let series = format!("inventory_price_changes_total{{result=\"{result}\"}}");
    cafe.metric(&cafe.inventory, &series).await
}

#[tokio::test]
async fn a_price_has_a_version_that_is_its_etag_and_each_change_makes_the_next() {
    let cafe = Cafe::open().await;
    let first = price(&cafe, "Cake").await;
    assert_eq!(first.body, json!({"itemId": "cake", "price": 400, "version": 1}));
    assert_eq!(first.headers["etag"], "\"1\"");
    for (new, version) in [(450, 2), (450, 3), (0, 4), (1_000_000_000, 5)] {
        let changed = cafe.send(put(&cafe, &json!({"price": new}))).await;
        assert_eq!(told(&changed), (200, &new.into(), &version.into()));
        assert_eq!(changed.headers.get("etag"), None, "see RFC 9110, section 9.3.4");
        let now = price(&cafe, "cake").await;
        assert_eq!(
            (&now.body, &now.headers["etag"]),
            (&changed.body, &format!("\"{version}\"").parse().unwrap())
        );
    }
    assert_eq!(told(&price(&cafe, "coffee").await), (200, &400.into(), &1.into()));
    let reset = cafe.http.post(format!("{}/inventory/reset", cafe.inventory));
    assert_eq!(cafe.send(reset).await.status, 200);
    assert_eq!(price(&cafe, "cake").await.body["version"], 5, "a version never comes again");
    assert_eq!(counted(&cafe, "changed").await, 4.0);
}

/// Sends an older change that is slow, and a newer one that overtakes it.
async fn overtaken(cafe: &Cafe, if_match: Option<&str>) -> (Answer, Answer) {
    let change = |query: &str, price: u64| {
        let request = cafe.http.put(format!("{}{query}", url(cafe, "cake")));
        let request = request.json(&json!({"price": price}));
        match if_match {
            Some(version) => request.header("if-match", version),
            None => request,
        }
    };
    let older = tokio::spawn(change("?chaos=slow:1000", 500).send());
    let slow = "inventory_faults_total{fault=\"slow\"}";
    let waits = async || (cafe.metric(&cafe.inventory, slow).await > 0.0).then_some(());
    eventually("the older change waits", waits).await;
    let newer = cafe.send(change("", 600)).await;
    let older = older.await.unwrap().unwrap();
    let (status, headers) = (older.status().as_u16(), older.headers().clone());
    (Answer { status, headers, body: older.json().await.unwrap() }, newer)
}

#[tokio::test]
async fn without_a_version_the_older_change_wins_because_it_arrives_last() {
    let cafe = Cafe::open().await;
    let (older, newer) = overtaken(&cafe, None).await;
    assert_eq!(told(&newer), (200, &600.into(), &2.into()));
    assert_eq!(told(&older), (200, &500.into(), &3.into()));
    assert_eq!(price(&cafe, "cake").await.body["price"], 500);
}

#[tokio::test]
async fn with_if_match_the_older_change_is_refused_and_the_newer_price_stands() {
    let cafe = Cafe::open().await;
    let (older, newer) = overtaken(&cafe, Some("\"1\"")).await;
    assert_eq!(told(&newer), (200, &600.into(), &2.into()));
    assert_problem("the older change", &older, 412, "the price has the version \"2\"");
    assert_eq!(older.body["type"], "urn:problem-type:campuscafe:precondition-failed");
    assert_eq!(older.body["currentVersion"], 2);
    assert_eq!(told(&price(&cafe, "cake").await), (200, &600.into(), &2.into()));
    assert_eq!((counted(&cafe, "changed").await, counted(&cafe, "stale").await), (1.0, 1.0));
}

#[tokio::test]
async fn of_twenty_changes_at_once_to_one_version_exactly_one_is_made() {
    let cafe = Cafe::open().await;
    for round in 1..=5 {
        let version = format!("\"{round}\"");
        let mut changes = tokio::task::JoinSet::new();
        for n in 0..20 {
            changes.spawn(replace(&cafe, &version, n).send());
        }
        let answers = changes.join_all().await.into_iter().map(Result::unwrap);
        let (made, refused): (Vec<_>, Vec<_>) = answers.partition(|it| it.status() == 200);
        assert_eq!(made.len(), 1, "round {round}");
        assert!(refused.iter().all(|it| it.status() == 412), "round {round}");
        let mut made = made;
        let made: Value = made.remove(0).json().await.unwrap();
        assert_eq!(price(&cafe, "cake").await.body, made);
    }
    assert_eq!((counted(&cafe, "changed").await, counted(&cafe, "stale").await), (5.0, 95.0));
}

#[tokio::test]
async fn if_match_is_compared_as_the_standard_says() {
    let cafe = Cafe::open().await;
    for (version, status) in [
        ("\"1\"", 200),
        ("\"1\"", 412),
        ("\"1\", \"2\"", 200),
        ("*", 200),
        ("W/\"4\"", 412),
        ("\"04\"", 412),
        ("\"*\"", 412),
        ("", 412),
        ("4", 400),
        ("\"4", 400),
        ("*, \"4\"", 400),
        ("\"4\"", 200),
    ] {
        let answer = cafe.send(replace(&cafe, version, 500)).await;
        assert_eq!(answer.status, status, "{version}: {}", answer.body);
    }
    let lines = replace(&cafe, "\"7\"", 500).header("if-match", "\"5\"");
    assert_eq!(cafe.send(lines).await.status, 200, "several lines are one list");
    let stale = put(&cafe, &json!({"price": 1, "versioned": false})).header("if-match", "\"1\"");
    assert_eq!(cafe.send(stale).await.status, 412, "it counts whenever it is sent");
    assert_eq!(price(&cafe, "cake").await.body["version"], 6);
}

#[tokio::test]
async fn a_versioned_change_that_names_no_version_is_told_which_one_there_is() {
    let cafe = Cafe::open().await;
    let answer = cafe.send(put(&cafe, &json!({"price": 450, "versioned": true}))).await;
    assert_problem("428", &answer, 428, "needs If-Match");
    assert_eq!(answer.body["currentVersion"], 1);
    assert_eq!(told(&price(&cafe, "cake").await), (200, &400.into(), &1.into()));
    assert_eq!(counted(&cafe, "unnamed").await, 1.0);
}

#[tokio::test]
async fn what_cannot_be_a_price_is_refused_with_what_was_expected() {
    let cafe = Cafe::open().await;
    for (body, tells) in [
        (json!({"price": 1_000_000_001}), "expected 0 to 1000000000"),
        (json!({"price": -1}), "expected a whole number of 0 or more"),
        (json!({"price": 4.5}), "expected a whole number"),
        (json!({"price": null}), "expected a whole number"),
        (json!({"price": 1, "versioned": null}), "expected true or false"),
        (json!({"price": 1, "currency": "JPY"}), "unknown field `currency`"),
        (json!({}), "missing field `price`"),
    ] {
        assert_problem(&body.to_string(), &cafe.send(put(&cafe, &body)).await, 400, tells);
    }
    for (query, tells) in [
        ("chaos=hold", "hold is a fault of a reservation"),
        ("chaos=race", "race is a fault of a reservation"),
        ("chaos=slwo", "unknown fault"),
        ("wait=1", "unknown field"),
    ] {
        let url = format!("{}?{query}", url(&cafe, "cake"));
        let answer = cafe.send(cafe.http.put(url).json(&json!({"price": 1}))).await;
        assert_problem(query, &answer, 400, tells);
    }
    let unknown = cafe.http.put(url(&cafe, "tea")).json(&json!({"price": 1}));
    let unknown = cafe.send(unknown.header("if-match", "\"1\"")).await;
    assert_problem("unknown item", &unknown, 404, "an item of the initial stock");
    assert_problem("unknown item", &price(&cafe, "tea").await, 404, "an item of the initial stock");
    assert_eq!(price(&cafe, "cake").await.body["version"], 1);
    assert_eq!((counted(&cafe, "changed").await, counted(&cafe, "no_such_item").await), (0.0, 1.0));
}

#[tokio::test]
async fn a_change_that_is_slow_is_made_also_when_its_caller_has_left() {
    let cafe = Cafe::open().await;
    let slow = cafe.http.put(format!("{}?chaos=slow:400", url(&cafe, "cake")));
    let slow = slow.json(&json!({"price": 450})).timeout(std::time::Duration::from_millis(100));
    assert!(slow.send().await.unwrap_err().is_timeout());
    eventually("the change", async || {
        (price(&cafe, "cake").await.body["price"] == 450).then_some(())
    })
    .await;
}

#[tokio::test]
async fn changes_that_wait_are_bounded_like_any_other_slow_work() {
    let cafe = Cafe::open_with(&[("INVENTORY_MAX_WORK", "1")]).await;
    let held = tokio::spawn(cafe.reserve_cake("hold", "a").send());
    cafe.hold().await;
    let slow = cafe.http.put(format!("{}?chaos=slow:1", url(&cafe, "cake")));
    let refused = cafe.send(slow.json(&json!({"price": 450}))).await;
    assert_problem("slow", &refused, 503, "Nothing was done");
    assert!(refused.headers.contains_key("retry-after"));
    assert_eq!(price(&cafe, "cake").await.body["version"], 1);
    held.abort();
}

#[tokio::test]
async fn the_change_has_a_span_of_its_own_and_a_refusal_says_why_on_that_of_the_request() {
    let cafe = Cafe::open().await;
    let trace = |n: u32| format!("{:032x}", 0xcafe_0000 + n);
    let traced = |n| format!("00-{}-00f067aa0ba902b7-01", trace(n));
    for n in [1, 2] {
        cafe.send(replace(&cafe, "\"1\"", 450).header("traceparent", traced(n))).await;
    }
    let spans = cafe.trace(&trace(1), 2).await;
    let server = spans.iter().find(|it| it.name == "PUT /inventory/items/{item}/price").unwrap();
    let change = spans.iter().find(|it| it.name == "change price").unwrap();
    assert_eq!((change.kind, &change.parent), (1, &server.id));
    assert_eq!(change.text("campuscafe.price.item"), Some("cake"));
    let number = |name: &str| change.int(&format!("campuscafe.price.{name}")).unwrap();
    let numbers = ["before", "after", "version.before", "version.after"].map(number);
    assert_eq!(numbers, [400, 450, 1, 2]);

    let unnamed = cafe.http.put(url(&cafe, "cake")).json(&json!({"price": 1, "versioned": true}));
    cafe.send(unnamed.header("traceparent", traced(3))).await;
    for (n, status, refusal) in [(2, 412, "precondition-failed"), (3, 428, "precondition-required")]
    {
        let spans = cafe.trace(&trace(n), 1).await;
        let [server] = &spans[..] else { panic!("{spans:?}") };
        assert_eq!(server.name, "PUT /inventory/items/{item}/price");
        assert_eq!(server.int("http.response.status_code"), Some(status));
        assert_eq!(server.text("campuscafe.refusal"), Some(refusal));
    }
}
