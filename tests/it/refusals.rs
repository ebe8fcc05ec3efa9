//! Whatever is asked, the answer is clear: a problem that says what was
//! expected, one line on stderr, and a service that lives on.

use campuscafe_tests::{
    Answer, Cafe, DEADLINE, Process, assert_problem, assert_problem_without_trace, is_hex_id,
};
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use reqwest::{Client, Method, RequestBuilder};
use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

const JSON: &str = "application/json";
const ONE_CAKE: &str = r#"{"itemId":"cake","quantity":1}"#;
const WORDS: [&str; 10] = [
    "none",
    "slow",
    "fail",
    "slowfail",
    "abort",
    "flaky",
    "lostreply",
    "slowreply",
    "hold",
    "race",
];
const ANY_PORT: &str = "127.0.0.1:0";

/// The two calls that take a body.
fn doors(cafe: &Cafe) -> [String; 2] {
    [format!("{}/inventory/reserve", cafe.inventory), format!("{}/orders", cafe.order)]
}

fn post(cafe: &Cafe, url: &str, body: impl Into<reqwest::Body>) -> RequestBuilder {
    cafe.http.post(url).header("content-type", JSON).body(body)
}

/// Fails unless nothing was reserved so far, a good order is still taken, and
/// nobody panicked.
async fn assert_unharmed(cafe: &Cafe) {
    assert_eq!(cafe.state().await["reservations"], 0, "a refusal reserves nothing");
    assert_eq!(cafe.order_cake("none", false).await.status, 200, "a good order is taken");
    assert_eq!(cafe.send(cafe.reserve_cake("none", "good")).await.status, 200);
    assert!(!cafe.process.stderr().contains("panicked"), "{}", cafe.process.stderr());
}

/// Sends bytes as they are, and reads until the server closes.
async fn raw(url: &str, bytes: &[u8]) -> Vec<u8> {
    let exchange = async {
        let address = url.trim_start_matches("http://");
        let mut stream = TcpStream::connect(address).await.expect("connected");
        // Both may end in a reset: a server need not read what it refuses.
        let _ = stream.write_all(bytes).await;
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer).await;
        answer
    };
    tokio::time::timeout(DEADLINE, exchange).await.expect("the server closes the connection")
}

/// A raw answer, taken apart.
fn parsed(raw: &[u8]) -> Answer {
    let end = raw.windows(4).position(|window| window == b"\r\n\r\n").expect("a whole head");
    let head = std::str::from_utf8(&raw[..end]).expect("a head in ASCII");
    let mut lines = head.lines();
    let status = lines.next().and_then(|line| line.split(' ').nth(1)).expect("a status line");
    let headers: HeaderMap = lines
        .map(|line| {
            let (name, value) = line.split_once(':').expect("a header");
            let name: HeaderName = name.parse().expect("a header's name");
            (name, HeaderValue::from_str(value.trim()).expect("a header's value"))
        })
        .collect();
    let body = serde_json::from_slice(&raw[end + 4..]).unwrap_or_default();
    Answer { status: status.parse().expect("a status"), headers, body }
}

/// One order or reservation as bytes, so that a header may be anything.
fn raw_post(path: &str, header: &[u8]) -> Vec<u8> {
    let head = format!(
        "POST {path} HTTP/1.1\r\nhost: 127.0.0.1\r\nconnection: close\r\ncontent-type: {JSON}\r\n\
         content-length: {}\r\n",
        ONE_CAKE.len()
    );
    [head.as_bytes(), header, b"\r\n\r\n", ONE_CAKE.as_bytes()].concat()
}

#[tokio::test]
async fn a_body_that_cannot_be_meant_is_refused_and_the_detail_says_where() {
    let cafe = Cafe::open().await;
    let deep = format!(r#"{{"itemId":{}"#, "[".repeat(10_000));
    let cases: &[(&str, &[u8], &str)] = &[
        ("malformed", br#"{"itemId":"cake""#, "line 1 column 16"),
        ("no JSON at all", b"itemId=cake&quantity=1", "expected a JSON object"),
        ("no UTF-8", b"{\"itemId\":\"\xff\",\"quantity\":1}", "line 1 column 12"),
        ("more after the end", br#"{"itemId":"cake","quantity":1}}"#, "line 1 column 31"),
        ("empty", b"", ""),
        ("blank", b"  \n", ""),
        ("deep", deep.as_bytes(), "itemId"),
        ("null", b"null", ""),
        ("a number", b"42", ""),
        ("a text", br#""cake""#, ""),
        ("no field", b"{}", "itemId"),
        ("a missing field", br#"{"itemId":"cake"}"#, "quantity"),
        ("an unknown field", br#"{"itemId":"cake","quantity":1,"hue":"red"}"#, "hue"),
        ("another case", br#"{"itemid":"cake","quantity":1}"#, "itemId"),
        ("a field twice", br#"{"itemId":"cake","quantity":1,"quantity":2}"#, "quantity"),
        ("a number for a text", br#"{"itemId":1,"quantity":1}"#, "itemId"),
        ("a list for a text", br#"{"itemId":["cake"],"quantity":1}"#, "itemId"),
        ("null for a text", br#"{"itemId":null,"quantity":1}"#, "itemId"),
        ("a text for a number", br#"{"itemId":"cake","quantity":"1"}"#, "quantity"),
        ("a fraction", br#"{"itemId":"cake","quantity":1.5}"#, "quantity"),
        ("a whole fraction", br#"{"itemId":"cake","quantity":1.0}"#, "quantity"),
        ("null for a number", br#"{"itemId":"cake","quantity":null}"#, "quantity"),
        ("true for a number", br#"{"itemId":"cake","quantity":true}"#, "quantity"),
        ("over 64 bits", br#"{"itemId":"cake","quantity":9223372036854775808}"#, "quantity"),
        ("under 64 bits", br#"{"itemId":"cake","quantity":-99999999999999999999}"#, "quantity"),
        ("beyond any number", br#"{"itemId":"cake","quantity":1e999}"#, "line 1 column 3"),
    ];
    for url in doors(&cafe) {
        for (case, body, tells) in cases {
            let answer = cafe.send(post(&cafe, &url, body.to_vec())).await;
            assert_problem(&format!("{case} at {url}"), &answer, 400, tells);
        }
    }
    for (case, more, tells) in [
        ("a number for chaos", r#""chaos":1"#, "chaos"),
        ("a list for chaos", r#""chaos":["slow"]"#, "chaos"),
        ("a text for a switch", r#""retryOnTimeout":"yes""#, "retryOnTimeout"),
        ("null for a switch", r#""retryOnTimeout":null"#, "retryOnTimeout"),
    ] {
        let body = ONE_CAKE.replace('}', &format!(",{more}}}"));
        let answer = cafe.send(post(&cafe, &doors(&cafe)[1], body)).await;
        assert_problem(case, &answer, 400, tells);
    }
    assert_unharmed(&cafe).await;
}

#[tokio::test]
async fn a_list_is_no_request_even_if_its_values_would_fit() {
    let cafe = Cafe::open().await;
    for (url, body) in doors(&cafe).iter().zip([r#"["cake",1]"#, r#"["cake",1,null,false]"#]) {
        let answer = cafe.send(post(&cafe, url, body)).await;
        assert_problem(&format!("{body} at {url}"), &answer, 400, "");
    }
    assert_unharmed(&cafe).await;
}

#[tokio::test]
async fn a_refusal_speaks_of_what_was_expected_and_not_of_rust() {
    let cafe = Cafe::open().await;
    let [reserve, orders] = doors(&cafe);
    let ping = format!("{}/inventory/ping?delayMs=soon", cafe.inventory);
    let reorder = format!("{}/demo/out-of-order?count=many", cafe.order);
    let mut vague = Vec::new();
    for request in [
        post(&cafe, &reserve, ""),
        post(&cafe, &reserve, r#""cake""#),
        post(&cafe, &orders, r#"{"itemId":"cake","quantity":"1"}"#),
        post(&cafe, &format!("{reserve}?chaos=a&chaos=b"), ONE_CAKE),
        cafe.http.get(ping),
        cafe.http.get(reorder),
    ] {
        let answer = cafe.send(request).await;
        let detail = answer.text("detail").to_owned();
        let rust = ["i64", "struct ", "deserialize", "target type"];
        if !detail.contains("expected") || rust.iter().any(|word| detail.contains(word)) {
            vague.push(detail);
        }
    }
    assert!(vague.is_empty(), "no help to a learner: {vague:#?}");
}

#[tokio::test]
async fn a_body_of_16_kib_is_read_and_a_larger_one_is_not() {
    let cafe = Cafe::open().await;
    let padded = |size: usize| format!("{ONE_CAKE}{}", " ".repeat(size - ONE_CAKE.len()));
    for url in doors(&cafe) {
        for size in [16 * 1024 + 1, 1024 * 1024, 4 * 1024 * 1024] {
            let answer = cafe.send(post(&cafe, &url, padded(size))).await;
            assert_problem(&format!("{size} at {url}"), &answer, 413, "at most 16384 bytes");
        }
        let path = &url[url.rfind("127.0.0.1").expect("local")..];
        let (address, path) = path.split_once('/').expect("a path");
        let head = format!(
            "POST /{path} HTTP/1.1\r\nhost: 127.0.0.1\r\nconnection: close\r\ncontent-type: {JSON}\r\n\
             transfer-encoding: chunked\r\n\r\n"
        );
        let chunks = format!("1000\r\n{:4096}\r\n", "").repeat(5);
        let answer = parsed(&raw(address, format!("{head}{chunks}0\r\n\r\n").as_bytes()).await);
        assert_problem(&format!("chunks at {url}"), &answer, 413, "at most 16384 bytes");
    }
    assert_eq!(cafe.state().await["reservations"], 0);
    for url in doors(&cafe) {
        let answer = cafe.send(post(&cafe, &url, padded(16 * 1024))).await;
        assert_eq!(answer.status, 200, "{url}: {}", answer.body);
    }
}

#[tokio::test]
async fn only_json_is_read_whatever_its_parameters() {
    let cafe = Cafe::open().await;
    for url in doors(&cafe) {
        for media_type in [
            None,
            Some(""),
            Some("text/plain"),
            Some("application/x-www-form-urlencoded"),
            Some("application/jsonp"),
            Some("application/problem+json"),
            Some("text/json; charset=utf-8"),
        ] {
            let mut request = cafe.http.post(&url).body(ONE_CAKE);
            if let Some(media_type) = media_type {
                request = request.header("content-type", media_type);
            }
            let answer = cafe.send(request).await;
            let case = format!("{media_type:?} at {url}");
            assert_problem(&case, &answer, 415, "expected the header Content-Type: application/js");
        }
    }
    assert_eq!(cafe.state().await["reservations"], 0);
    for url in doors(&cafe) {
        for media_type in
            ["application/json; charset=utf-8", "Application/JSON", "application/json;x=\"y\""]
        {
            let request = cafe.http.post(&url).body(ONE_CAKE).header("content-type", media_type);
            assert_eq!(cafe.send(request).await.status, 200, "{media_type} at {url}");
        }
    }
}

#[tokio::test]
async fn a_request_id_has_1_to_128_printable_characters() {
    let cafe = Cafe::open().await;
    for (service, path) in [(&cafe.inventory, "/inventory/reserve"), (&cafe.order, "/orders")] {
        for (case, id) in [
            ("empty", &b""[..]),
            ("blank", b"   "),
            ("129 long", &[b'x'; 129]),
            ("8000 long", &[b'x'; 8000]),
            ("a byte that is no ASCII", b"\x80"),
            ("UTF-8", "café".as_bytes()),
            ("a tab", b"a\tb"),
        ] {
            let request = raw_post(path, &[b"x-request-id: ", id].concat());
            let answer = parsed(&raw(service, &request).await);
            let case = format!("{case} at {path}");
            assert_problem(&case, &answer, 400, "expected 1 to 128 printable ASCII characters");
            assert_eq!(answer.text("title"), "Malformed X-Request-Id", "{case}");
        }
        // No HTTP server takes these in a header, so they never get as far as a problem.
        for id in [&b"\0"[..], b"a\x01b", b"\x7f"] {
            let request = raw_post(path, &[b"x-request-id: ", id].concat());
            assert!(raw(service, &request).await.starts_with(b"HTTP/1.1 400 "), "{id:?}");
        }
    }
    assert_eq!(cafe.state().await["reservations"], 0);
    let longest = "x".repeat(128);
    for id in ["~", "a b/c?d#e\"f\\", &longest] {
        for (service, path) in [(&cafe.inventory, "/inventory/reserve"), (&cafe.order, "/orders")] {
            let request = raw_post(path, format!("x-request-id: {id}").as_bytes());
            let answer = parsed(&raw(service, &request).await);
            assert_eq!(answer.status, 200, "{id} at {path}: {}", answer.body);
        }
    }
    assert!(!cafe.process.stderr().contains("panicked"));
}

#[tokio::test]
async fn a_fault_that_nobody_knows_is_refused_by_both_in_the_same_words() {
    let cafe = Cafe::open().await;
    let [reserve, orders] = doors(&cafe);
    let long = "x".repeat(10_000);
    let steps = ["none"; 17].join(",");
    let wildest = "\u{1}".repeat(256);
    for (chaos, tells) in [
        ("slwo", "unknown fault \"slwo\""),
        ("slow;none", "unknown fault \"slow;none\""),
        ("slow,,none", "unknown fault \"\""),
        ("🐌", "unknown fault \"🐌\""),
        (&wildest, "unknown fault"),
        ("slow:2s", "expected milliseconds from 0 to 60000"),
        ("hold:60001", "expected milliseconds from 0 to 60000"),
        ("fail:200", "expected 400 to 599"),
        ("abort:1", "takes no argument"),
        (&steps, "expected at most 16"),
        (&long, "the plan is 10000 bytes long; expected at most 256"),
    ] {
        let query = post(&cafe, &reserve, ONE_CAKE).query(&[("chaos", chaos)]);
        let by_inventory = cafe.send(query).await;
        let order = json!({"itemId": "cake", "quantity": 1, "chaos": chaos});
        let by_order = cafe.send(post(&cafe, &orders, order.to_string())).await;
        for (service, answer) in [("inventory", &by_inventory), ("order", &by_order)] {
            let case: String = format!("{service} {chaos}").chars().take(40).collect();
            assert_problem(&case, answer, 400, tells);
            assert_eq!(answer.text("title"), "Unknown fault", "{case}");
            if tells.starts_with("unknown fault") {
                let words =
                    answer.text("detail").split_once("the known faults are ").expect("a list").1;
                let listed: Vec<_> =
                    words.split(", ").map(|word| word.split('[').next().unwrap()).collect();
                assert_eq!(listed[..WORDS.len()], WORDS, "{case}");
            }
            let length = answer.headers["content-length"].to_str().unwrap();
            let short = if chaos == wildest { 4096 } else { 1024 };
            assert!(length.parse::<u64>().unwrap() < short, "{case}: {length} bytes");
        }
        assert_eq!(by_inventory.body["detail"], by_order.body["detail"]);
    }
    let twice = cafe.send(post(&cafe, &format!("{reserve}?chaos=slow&chaos=fail"), ONE_CAKE)).await;
    assert_problem("chaos twice", &twice, 400, "chaos");
    assert_unharmed(&cafe).await;
}

#[tokio::test]
async fn numbers_in_a_query_are_brought_into_bounds_and_anything_else_is_refused() {
    let cafe = Cafe::open().await;
    let ping = format!("{}/inventory/ping?delayMs=", cafe.inventory);
    let reorder = format!("{}/demo/out-of-order?count=", cafe.order);
    for value in ["soon", "", "1.5", "0x10", "1e3", "NaN", "5&delayMs=6&count=7&count=8", "%FF"] {
        for (url, name) in [(&ping, "delayMs"), (&reorder, "count")] {
            let answer = cafe.send(cafe.http.get(format!("{url}{value}"))).await;
            assert_problem(&format!("{name}={value}"), &answer, 400, name);
        }
    }
    for seed in ["x", "", "-1", "18446744073709551616"] {
        let answer = cafe.send(cafe.http.get(format!("{reorder}2&seed={seed}"))).await;
        assert_problem(&format!("seed={seed}"), &answer, 400, "seed");
    }
    let lowest = i64::MIN.to_string();
    let delays = async {
        for (value, expected) in [("-5", 0), (lowest.as_str(), 0), ("0", 0), ("7", 7)] {
            let answer = cafe.send(cafe.http.get(format!("{ping}{value}"))).await;
            assert_eq!((answer.status, &answer.body["delayMs"]), (200, &expected.into()));
        }
    };
    let longest = async {
        let sent = tokio::time::Instant::now();
        let answer = cafe.send(cafe.http.get(format!("{ping}999999999"))).await;
        assert_eq!((answer.status, &answer.body["delayMs"]), (200, &5000.into()));
        assert!(sent.elapsed().as_millis() >= 5000, "and really waited");
    };
    let counts = async {
        for (value, expected) in [("1", 2), (lowest.as_str(), 2), ("99", 20)] {
            let answer = cafe.send(cafe.http.get(format!("{reorder}{value}"))).await;
            let planned = answer.body["planned"].as_array().map(Vec::len);
            assert_eq!((answer.status, planned), (200, Some(expected)), "count={value}");
        }
    };
    tokio::join!(delays, longest, counts);
    assert_unharmed(&cafe).await;
}

#[tokio::test]
async fn a_quantity_that_is_not_positive_is_refused_by_both() {
    let cafe = Cafe::open().await;
    let [reserve, orders] = doors(&cafe);
    for quantity in [0, -1, i64::MIN] {
        for item in ["cake", "tea"] {
            let body = json!({"itemId": item, "quantity": quantity}).to_string();
            let case = format!("{quantity} of {item}");
            let answer = cafe.send(post(&cafe, &reserve, body.clone())).await;
            assert_problem(&case, &answer, 400, "expected a quantity of 1 or more");
            assert_eq!(answer.text("message"), "quantity must be > 0", "{case}");

            let answer = cafe.send(post(&cafe, &orders, body)).await;
            assert_problem(&case, &answer, 400, "expected a quantity of 1 or more");
            assert_eq!(answer.text("message"), "quantity must be > 0", "{case}");
            assert_eq!(answer.text("title"), "Order failed 💥", "{case}");
            assert_eq!((answer.text("outcome"), answer.results()), ("failed", vec!["rejected"]));
            assert_eq!(answer.body["attempts"][0]["status"], 400, "{case}");
        }
    }
    assert_unharmed(&cafe).await;
}

#[tokio::test]
async fn what_is_not_in_stock_is_refused_and_leaves_no_key_and_no_label() {
    let cafe = Cafe::open().await;
    let [reserve, orders] = doors(&cafe);
    let opening = cafe.state().await;
    let long = "lebkuchen".repeat(1_000);
    for (item, quantity, left) in [
        ("cake", 11, 10),
        ("CAKE", i64::MAX, 10),
        ("lebkuchen", 1, 0),
        ("", 1, 0),
        (" cake", 1, 0),
        ("lebkuchen\"} 1\ninjected{x=\"", 1, 0),
        ("\0lebkuchen", 1, 0),
        (&long, 1, 0),
    ] {
        let body = json!({"itemId": item, "quantity": quantity}).to_string();
        for url in [&reserve, &orders] {
            let answer = cafe.send(post(&cafe, url, body.clone())).await;
            let case: String =
                format!("{quantity} of {item:?} at {url}").chars().take(90).collect();
            assert_problem(&case, &answer, 409, &format!("{left} left"));
            assert_eq!(answer.text("message"), "out of stock", "{case}");
            assert_eq!(answer.text("itemId"), item, "{case}");
            assert_eq!(answer.body["currentStock"], left, "{case}");
            if url == &orders {
                assert_eq!(answer.text("title"), "Order failed 💥", "{case}");
                assert_eq!(answer.text("outcome"), "failed", "{case}");
                assert!(is_hex_id(&answer.body["orderId"]), "{case}");
            }
        }
    }
    assert_eq!(cafe.state().await, opening);
    for service in [&cafe.inventory, &cafe.order] {
        let page = cafe.page(&format!("{service}/metrics")).await;
        assert!(!page.contains("lebkuchen") && !page.contains("injected"), "{page}");
        let items = page.lines().filter(|line| line.contains("item=\""));
        assert!(items.clone().all(|l| l.contains("\"cake\"") || l.contains("\"coffee\"")));
    }
    assert_unharmed(&cafe).await;
}

#[tokio::test]
async fn item_names_ignore_case_and_answers_use_the_name_in_stock() {
    let cafe = Cafe::open().await;
    let [reserve, orders] = doors(&cafe);
    for item in ["cake", "Cake", "CAKE", "cAkE"] {
        let body = json!({"itemId": item, "quantity": 1}).to_string();
        let answer = cafe.send(post(&cafe, &reserve, body.clone())).await;
        assert_eq!((answer.status, answer.text("itemId")), (200, "cake"), "{item}");
        let answer = cafe.send(post(&cafe, &orders, body)).await;
        assert_eq!(
            (answer.status, &answer.body["reserved"]["itemId"]),
            (200, &"cake".into()),
            "{item}"
        );
    }
    assert_eq!(cafe.state().await, json!({"stock": {"cake": 2, "coffee": 20}, "reservations": 8}));
}

#[tokio::test]
async fn a_wrong_path_or_method_is_answered_with_what_there_is() {
    let cafe = Cafe::open().await;
    let send = async |service: &str, method: &str, path: &str| {
        let method: Method = method.parse().unwrap();
        cafe.send(cafe.http.request(method, format!("{service}{path}"))).await
    };
    for (service, path) in [
        (&cafe.inventory, "/inventory"),
        (&cafe.inventory, "/inventory/reserve/"),
        (&cafe.inventory, "/orders"),
        (&cafe.inventory, "/inventory/holds/x"),
        (&cafe.inventory, "/%00%FF"),
        (&cafe.order, "/order"),
        (&cafe.order, "/inventory/reserve"),
        (&cafe.order, "/../etc/passwd"),
    ] {
        for method in ["GET", "POST", "DELETE"] {
            let answer = send(service, method, path).await;
            assert_problem(&format!("{method} {path}"), &answer, 404, "there is nothing at /");
        }
    }
    for (service, method, path, allowed) in [
        (&cafe.inventory, "GET", "/inventory/reserve", "POST"),
        (&cafe.inventory, "GET", "/inventory/reset", "POST"),
        (&cafe.inventory, "POST", "/inventory/state", "GET,HEAD"),
        (&cafe.inventory, "DELETE", "/inventory/ping", "GET,HEAD"),
        (&cafe.inventory, "POST", "/inventory/holds", "GET,HEAD"),
        (&cafe.inventory, "GET", "/inventory/holds/x/release", "POST"),
        (&cafe.inventory, "GET", "/inventory/holds/x/cut", "POST"),
        (&cafe.inventory, "POST", "/inventory/items/cake/price", "GET,HEAD,PUT"),
        (&cafe.inventory, "POST", "/inventory/keys", "GET,HEAD"),
        (&cafe.inventory, "GET", "/inventory/keys/x", "DELETE"),
        (&cafe.inventory, "GET", "/inventory/reservations", "DELETE"),
        (&cafe.inventory, "GET", "/inventory/reservations/x", "DELETE"),
        (&cafe.inventory, "GET", "/inventory/keys/x/settle", "POST"),
        (&cafe.inventory, "GET", "/inventory/notifications", "POST"),
        (&cafe.inventory, "POST", "/inventory/notifications/x", "GET,HEAD"),
        (&cafe.order, "PUT", "/orders", "POST,GET,HEAD"),
        (&cafe.order, "OPTIONS", "/orders", "POST,GET,HEAD"),
        (&cafe.order, "BREW", "/orders", "POST,GET,HEAD"),
        (&cafe.order, "POST", "/orders/x", "GET,HEAD,DELETE"),
        (&cafe.order, "PUT", "/demo/out-of-order", "GET,HEAD"),
    ] {
        let answer = send(service, method, path).await;
        let case = format!("{method} {path}");
        assert_problem(&case, &answer, 405, &format!("{path} does not support {method}"));
        assert_eq!(answer.headers["allow"], allowed, "{case}");
    }
    // These are not traced, so there is no trace to name.
    for service in [&cafe.inventory, &cafe.order] {
        for path in ["/", "/healthz", "/readyz", "/metrics", "/openapi.json", "/swagger/"] {
            let answer = send(service, "POST", path).await;
            assert_problem_without_trace(path, &answer, 405, "does not support POST");
            assert_eq!(answer.headers["allow"], "GET,HEAD", "{path}");
        }
    }
    for path in ["nobody/release", "a%2Fb/release", "nobody/cut"] {
        let path = &format!("/inventory/holds/{path}");
        let answer = send(&cafe.inventory, "POST", path).await;
        assert_problem(path, &answer, 404, "no answer is held for this request");
        assert_eq!(answer.text("title"), "No such hold");
    }
    assert_unharmed(&cafe).await;
}

#[tokio::test]
async fn a_path_that_is_no_utf8_is_refused_with_a_problem_too() {
    let cafe = Cafe::open().await;
    let url = format!("{}/inventory/holds/%FF/release", cafe.inventory);
    let answer = cafe.send(cafe.http.post(url)).await;
    assert_problem("%FF", &answer, 400, "expected");
}

#[tokio::test]
async fn whoever_speaks_no_http_is_hung_up_on_and_nobody_else_notices() {
    let cafe = Cafe::open().await;
    let path = [&b"GET /"[..], &[b'x'; 100_000], b" HTTP/1.1\r\n\r\n"].concat();
    let headers = ["GET / HTTP/1.1\r\n", &"a: b\r\n".repeat(2_000), "\r\n"].concat();
    for service in [&cafe.inventory, &cafe.order] {
        for (case, bytes) in [
            ("TLS", &b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n"[..]),
            ("HTTP/2", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
            ("zeros", &[0; 1_000]),
            ("high bytes", b"\xff\xfe\xfd\r\n\r\n"),
            ("words", b"one cake, please\r\n\r\n"),
            ("no such version", b"GET / HTTP/9.9\r\n\r\n"),
            ("a negative length", b"GET / HTTP/1.1\r\ncontent-length: -1\r\n\r\n"),
            ("a path of 100,000", &path),
            ("2,000 headers", headers.as_bytes()),
        ] {
            let answer = raw(service, bytes).await;
            let refused = answer.is_empty() || answer.starts_with(b"HTTP/1.1 4");
            assert!(refused, "{case}: {}", String::from_utf8_lossy(&answer));
        }
        // One who hangs up in the middle of a word.
        let mut stream = TcpStream::connect(service.trim_start_matches("http://")).await.unwrap();
        stream.write_all(b"POST /orders HTTP/1.1\r\ncontent-length: 99\r\n\r\n{").await.unwrap();
    }
    assert_unharmed(&cafe).await;
}

#[tokio::test]
async fn port_0_is_a_free_port_that_is_printed_and_answers() {
    for program in ["inventory", "order"] {
        let mut service = Process::start(program, &["--listen", ANY_PORT], &[]);
        let address = service.address().await;
        assert!(!address.ends_with(":0"), "{address}");
        let ready = Client::new().get(format!("{address}/readyz")).send().await.unwrap();
        assert_eq!(ready.status(), 200);
        assert_eq!(ready.text().await.unwrap(), "ready\n");
    }
}
