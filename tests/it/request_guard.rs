//! Who may ask a program for anything: the host that a request names, and the
//! page that a browser says sent it.

mod browser;

use campuscafe_tests::{
    Answer, Cafe, Process, assert_problem, assert_problem_without_trace, eventually, root,
};
use reqwest::{Client, Method, RequestBuilder, StatusCode, redirect};
use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

const SETTING: &str = "--allowed-hosts / ALLOWED_HOSTS";

/// Everything that changes something, or costs something.
fn changes(cafe: &Cafe) -> Vec<(Method, String)> {
    let Cafe { order, inventory, lab, .. } = cafe;
    let post = |service: &str, path: &str| (Method::POST, format!("{service}{path}"));
    let get = |service: &str, path: &str| (Method::GET, format!("{service}{path}"));
    vec![
        post(inventory, "/inventory/reset"),
        post(inventory, "/inventory/reserve"),
        post(inventory, "/inventory/holds/doubt/release"),
        post(inventory, "/inventory/holds/doubt/cut"),
        get(inventory, "/inventory/ping"),
        post(order, "/orders"),
        get(order, "/demo/out-of-order?count=2"),
        post(lab, "/v1/traces"),
        post(lab, "/v1/logs"),
        post(lab, "/api/marks"),
        post(lab, "/api/runs"),
        post(lab, "/api/runs/none/decision"),
        post(lab, "/runs"),
        post(lab, "/free"),
        post(lab, "/runs/none/decision"),
        post(lab, "/runs/none/observation"),
        post(lab, "/choices"),
        get(lab, "/api/runs/none/events"),
    ]
}

/// Pages that only tell something, one of each kind.
fn pages(cafe: &Cafe) -> Vec<String> {
    let mut pages = Vec::new();
    for service in [&cafe.order, &cafe.inventory, &cafe.lab] {
        pages.extend(["/healthz", "/readyz", "/metrics"].map(|path| format!("{service}{path}")));
    }
    for service in [&cafe.order, &cafe.inventory] {
        pages.extend(["/swagger/", "/openapi.json"].map(|path| format!("{service}{path}")));
    }
    pages.push(format!("{}/inventory/state", cafe.inventory));
    pages.push(format!("{}/api/traces", cafe.lab));
    pages
        .extend(["/", "/lessons/double/2", "/assets/page.css"].map(|path| cafe.lab.clone() + path));
    pages
}

/// Sends bytes as they are, and reads the status until the server closes.
async fn status_of(url: &str, bytes: &str) -> u16 {
    let mut stream = TcpStream::connect(url.trim_start_matches("http://")).await.unwrap();
    stream.write_all(bytes.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    answer.split(' ').nth(1).and_then(|status| status.parse().ok()).expect("a status line")
}

async fn refused(cafe: &Cafe, service: &str, reason: &str) -> f64 {
    let series = format!("http_server_refused_requests_total{{reason=\"{reason}\"}}");
    cafe.metric(service, &series).await
}

#[tokio::test]
async fn a_host_that_is_not_allowed_is_answered_with_421_whatever_is_asked_for() {
    let cafe = Cafe::open().await;
    cafe.order_cake("none", false).await;
    let before = cafe.state().await;
    for host in ["evil.example", "evil.example:5201", "order", "localhost.evil.example"] {
        let mut requests = changes(&cafe);
        requests.extend(pages(&cafe).into_iter().map(|page| (Method::GET, page)));
        requests.extend(
            [&cafe.order, &cafe.inventory, &cafe.lab]
                .map(|service| (Method::GET, format!("{service}/nothing/is/here"))),
        );
        for (method, url) in requests {
            let request = cafe.http.request(method, &url).header("host", host);
            let answer = cafe.send(request).await;
            assert_problem_without_trace(&format!("{host} at {url}"), &answer, 421, SETTING);
        }
    }
    assert_eq!(cafe.state().await, before);
    for service in [&cafe.order, &cafe.inventory, &cafe.lab] {
        assert!(refused(&cafe, service, "host").await > 0.0);
        assert_eq!(refused(&cafe, service, "cross_origin").await, 0.0);
        let metrics = cafe.page(&format!("{service}/metrics")).await;
        assert!(!metrics.contains("evil"), "a host is no label: {metrics}");
    }
}

#[tokio::test]
async fn addresses_loopback_names_and_allowed_names_are_answered() {
    let allowed = [("ALLOWED_HOSTS", "order, Inventory.Cafe.svc,,cafe.example")];
    let cafe = Cafe::open_with(&allowed).await;
    for (host, status) in [
        ("127.0.0.1", 200),
        ("192.168.1.7:5201", 200),
        ("[::1]:5201", 200),
        ("[fe80::1]", 200),
        ("localhost", 200),
        ("LocalHost:80", 200),
        ("localhost.:80", 200),
        ("a.b.localhost", 200),
        ("order", 200),
        ("ORDER.:5201", 200),
        ("inventory.cafe.svc:5101", 200),
        ("cafe.example", 200),
        ("cafe.example.org", 421),
        ("x.cafe.example", 421),
        ("127.0.0.1.nip.io", 421),
        ("notlocalhost", 421),
    ] {
        for service in [&cafe.order, &cafe.inventory, &cafe.lab] {
            let request = cafe.http.get(format!("{service}/readyz")).header("host", host);
            assert_eq!(cafe.send(request).await.status, status, "{host} at {service}");
        }
    }
}

#[tokio::test]
async fn a_host_that_is_missing_doubled_or_malformed_is_a_400() {
    let cafe = Cafe::open().await;
    for service in [&cafe.order, &cafe.inventory, &cafe.lab] {
        for (case, status) in [
            ("HTTP/1.1\r\n", 400),
            ("HTTP/1.1\r\nhost:\r\n", 400),
            ("HTTP/1.1\r\nhost: localhost\r\nhost: localhost\r\n", 400),
            ("HTTP/1.1\r\nhost: localhost:x\r\n", 400),
            ("HTTP/1.1\r\nhost: localhost:99999\r\n", 400),
            ("HTTP/1.1\r\nhost: me@localhost\r\n", 400),
            ("HTTP/1.1\r\nhost: local host\r\n", 400),
            ("HTTP/1.1\r\nhost: localhost/\r\n", 400),
            ("HTTP/1.1\r\nhost: [::1\r\n", 400),
            ("HTTP/1.1\r\nhost: ::1\r\n", 400),
            ("HTTP/1.1\r\nhost: localhost:\r\n", 200),
            // HTTP/1.0 had no Host yet, and no browser speaks it.
            ("HTTP/1.0\r\n", 200),
            ("HTTP/1.0\r\nhost: evil.example\r\n", 421),
        ] {
            let bytes = format!("GET /readyz {case}connection: close\r\n\r\n");
            assert_eq!(status_of(service, &bytes).await, status, "{case:?}");
        }
        // RFC 9112, 3.2.2: an authority in the target stands above Host.
        for (target, host, status) in [
            ("http://evil.example/readyz", "localhost", 421),
            ("http://localhost/readyz", "evil.example", 200),
        ] {
            let head =
                format!("GET {target} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n\r\n");
            assert_eq!(status_of(service, &head).await, status, "{target} {host}");
        }
    }
}

/// What a browser adds when a page of somebody else sends the request.
const FOREIGN: [&[(&str, &str)]; 9] = [
    &[("sec-fetch-site", "cross-site"), ("sec-fetch-mode", "no-cors")],
    &[("sec-fetch-site", "same-site"), ("sec-fetch-mode", "cors")],
    &[("sec-fetch-site", "cross-site"), ("sec-fetch-dest", "image")],
    // A form in a frame, and a form that leads away.
    &[
        ("sec-fetch-site", "cross-site"),
        ("sec-fetch-mode", "navigate"),
        ("sec-fetch-dest", "iframe"),
    ],
    &[("sec-fetch-site", "same-site"), ("origin", "OWN")],
    &[("sec-fetch-site", "nonsense")],
    &[("origin", "http://evil.example")],
    &[("origin", "null")],
    &[("origin", "http://127.0.0.1:1")],
];

/// What a browser adds for the service's own pages and what was typed, and
/// what no browser sends.
const OWN: [&[(&str, &str)]; 5] = [
    &[],
    &[("sec-fetch-site", "same-origin"), ("sec-fetch-mode", "cors"), ("origin", "OWN")],
    &[("sec-fetch-site", "none"), ("sec-fetch-mode", "navigate")],
    &[("origin", "OWN")],
    &[("user-agent", "Mozilla/5.0"), ("referer", "http://evil.example/")],
];

fn with(request: RequestBuilder, headers: &[(&str, &str)], own: &str) -> RequestBuilder {
    headers.iter().fold(request, |request, (name, value)| {
        request.header(*name, if *value == "OWN" { own } else { value })
    })
}

fn origin(url: &str) -> String {
    reqwest::Url::parse(url).unwrap().origin().ascii_serialization()
}

#[tokio::test]
async fn a_page_of_another_origin_changes_nothing() {
    let cafe = Cafe::open().await;
    cafe.order_cake("none", false).await;
    let before = cafe.state().await;
    for (method, url) in changes(&cafe) {
        for headers in FOREIGN {
            let request = cafe.http.request(method.clone(), &url);
            let answer = cafe.send(with(request, headers, &origin(&url))).await;
            let case = format!("{method} {url} {headers:?}");
            assert_problem_without_trace(&case, &answer, 403, "another origin");
        }
    }
    assert_eq!(cafe.state().await, before);
    let pings = "http_server_request_duration_seconds_count{http_request_method=\"GET\",\
                 http_route=\"/inventory/ping\",http_response_status_code=\"200\"}";
    assert_eq!(cafe.metric(&cafe.inventory, pings).await, 0.0, "no ping was started");
    for (service, calls) in [(&cafe.order, 2), (&cafe.inventory, 5), (&cafe.lab, 11)] {
        let expected = f64::from(calls * 9);
        assert_eq!(refused(&cafe, service, "cross_origin").await, expected, "{service}");
    }
}

#[tokio::test]
async fn own_pages_and_whoever_is_no_browser_are_answered() {
    let cafe = Cafe::open().await;
    for (method, url) in changes(&cafe) {
        for headers in OWN {
            let request = cafe.http.request(method.clone(), &url);
            let answer = cafe.send(with(request, headers, &origin(&url))).await;
            assert!(
                ![400, 403, 421].contains(&answer.status),
                "{url} {headers:?}: {}",
                answer.body
            );
        }
    }
    // Host and Origin agree where both are another name for this machine.
    let request = cafe.http.post(format!("{}/inventory/reset", cafe.inventory));
    let request = request.header("host", "LOCALHOST:7").header("origin", "http://localhost:7");
    assert_eq!(cafe.send(request).await.status, 200);
}

#[tokio::test]
async fn a_link_of_another_site_opens_a_page_and_posts_nothing() {
    let cafe = Cafe::open().await;
    let link = [
        ("sec-fetch-site", "cross-site"),
        ("sec-fetch-mode", "navigate"),
        ("sec-fetch-dest", "document"),
    ];
    for url in pages(&cafe) {
        let answer = cafe.send(with(cafe.http.get(&url), &link, "")).await;
        assert_eq!(answer.status, 200, "{url}");
    }
    let reset = cafe.http.post(format!("{}/inventory/reset", cafe.inventory));
    let answer = cafe.send(with(reset, &link, "")).await;
    assert_problem("a form that leads away", &answer, 403, "another origin");
}

#[tokio::test]
async fn a_refused_request_leaves_a_span_with_its_status() {
    let cafe = Cafe::open().await;
    let url = format!("{}/inventory/reset", cafe.inventory);
    for (name, value, status) in
        [("host", "evil.example", 421), ("sec-fetch-site", "cross-site", 403)]
    {
        let answer = cafe.send(cafe.http.post(&url).header(name, value)).await;
        assert_problem(name, &answer, status, "expected");
        let spans = cafe.trace(answer.text("traceId"), 1).await;
        assert_eq!(spans[0].name, "POST /inventory/reset");
        assert_eq!(spans[0].int("http.response.status_code"), Some(i64::from(status)));
    }
    let metrics = cafe.page(&format!("{}/metrics", cafe.inventory)).await;
    let durations = |status: &str| metrics.contains(&format!("status_code=\"{status}\""));
    assert!(!durations("421") && !durations("403"), "they are counted once: {metrics}");
}

/// The values of a variable in a file of settings, with what the tools around
/// it would put in.
fn allowed_hosts(file: &str, line: &str) -> String {
    let text = std::fs::read_to_string(root().join(file));
    let text = text.expect("a file of the repository");
    let value = text.split(line).nth(1).and_then(|rest| rest.lines().next()).expect("a value");
    value
        .trim()
        .replace("$(POD_NAMESPACE)", "campuscafe")
        .replace("${LINK_HOST:-127.0.0.1}", "cafe.example")
        .replace("${ALLOWED_HOSTS:-}", "")
}

#[tokio::test]
async fn everything_that_compose_and_kubernetes_send_passes() {
    let compose = allowed_hosts("docker-compose.yml", "ALLOWED_HOSTS: &allowed-hosts ");
    let mut cases = vec![(compose, vec!["inventory", "order", "lab", "cafe.example"])];
    for (name, full) in [
        ("inventory", "inventory.campuscafe.svc.cluster.local"),
        ("order", "order.campuscafe.svc.cluster.local"),
        ("lab", "lab.campuscafe.svc.cluster.local"),
    ] {
        let file = format!("k8s/base/{name}.yaml");
        let allowed = allowed_hosts(&file, "- name: ALLOWED_HOSTS\n              value: ");
        let parts = full.match_indices('.').map(|(end, _)| &full[..end]).take(3);
        cases.push((
            allowed,
            parts.filter(|part| !part.ends_with("cluster")).chain([full]).collect(),
        ));
    }
    for (allowed, hosts) in cases {
        let cafe = Cafe::open_with(&[("ALLOWED_HOSTS", &allowed)]).await;
        for host in hosts {
            let case = format!("{host} in {allowed}");
            let send = async |request: RequestBuilder| {
                cafe.send(request.header("host", host)).await.status
            };
            // A scrape, an attempt of the order service, and Jaeger's copy.
            for service in [&cafe.order, &cafe.inventory, &cafe.lab] {
                assert_eq!(send(cafe.http.get(format!("{service}/metrics"))).await, 200, "{case}");
            }
            assert_eq!(send(cafe.reserve_cake("none", "one")).await, 200, "{case}");
            let copy = cafe.http.post(format!("{}/v1/traces", cafe.lab));
            let copy = copy.header("content-type", "application/x-protobuf");
            assert_eq!(send(copy).await, 200, "{case}");
        }
    }
}

#[tokio::test]
async fn the_lab_hands_its_allowed_hosts_on_to_the_services_that_it_starts() {
    let listen = ["LAB_LISTEN", "INVENTORY_LISTEN", "ORDER_LISTEN"].map(|it| (it, "127.0.0.1:0"));
    let arguments = ["up", "--allowed-hosts", "cafe.example"];
    let mut lab = Process::start("campuscafe", &arguments, &listen);
    for name in ["order", "inventory", "lab"] {
        let found = |line: &str| {
            let mut words = line.split_whitespace();
            (words.next() == Some(name)).then(|| words.next().map(str::to_owned))?
        };
        let url = lab.said(name, found).await;
        let request = Client::new().get(format!("{url}/readyz")).header("host", "cafe.example");
        assert_eq!(request.send().await.unwrap().status(), 200, "{name}");
    }
}

#[tokio::test]
async fn an_experiment_that_is_answered_with_421_says_what_to_set() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let misdirected = axum::Router::new().fallback(async || StatusCode::MISDIRECTED_REQUEST);
    tokio::spawn(async move { axum::serve(listener, misdirected).await });
    let arguments = ["experiment", "slow", "--order-url", &url, "--inventory-url", &url];
    let (code, _, stderr) = Process::run("campuscafe", &arguments, &[]).await;
    assert_eq!(code, Some(1), "{stderr}");
    assert!(stderr.contains("add 127.0.0.1 to its ALLOWED_HOSTS"), "{stderr}");
}

#[tokio::test]
async fn an_address_that_others_can_reach_is_named_at_the_start_with_what_it_opens() {
    for (program, opens, later) in [
        ("inventory", "reset the stock", "the seed of flaky faults"),
        ("order", "place orders", "the timeout is"),
    ] {
        let started = async |listen: &str| {
            let mut service = Process::start(program, &["--listen", listen], &[]);
            let port = service.address().await.rsplit(':').next().unwrap().to_owned();
            let log = eventually("what it logs at its start", || {
                let log = service.stderr();
                std::future::ready(log.contains(later).then_some(log))
            });
            (port, log.await)
        };
        let (port, log) = started("0.0.0.0:0").await;
        let line = format!("anybody who reaches 0.0.0.0:{port} can");
        let said: Vec<_> = log.lines().filter(|said| said.contains(&line)).collect();
        assert!(said.len() == 1 && said[0].contains(opens), "{log}");
        let (_, log) = started("127.0.0.1:0").await;
        assert!(!log.contains("anybody"), "{log}");
    }
}

async fn get(
    http: &Client,
    url: &str,
    encoding: Option<&str>,
) -> (StatusCode, reqwest::header::HeaderMap, Vec<u8>) {
    let mut request = http.get(url);
    if let Some(encoding) = encoding {
        request = request.header("accept-encoding", encoding);
    }
    let response = request.send().await.unwrap();
    let (status, headers) = (response.status(), response.headers().clone());
    (status, headers, response.bytes().await.unwrap().to_vec())
}

#[tokio::test]
async fn the_root_leads_to_the_page_that_explains_the_program() {
    let cafe = Cafe::open().await;
    let http = Client::builder().redirect(redirect::Policy::none()).build().unwrap();
    let place = "/swagger/";
    for service in [&cafe.order, &cafe.inventory] {
        let (status, headers, _) = get(&http, &format!("{service}/"), None).await;
        assert_eq!((status.as_u16(), &headers["location"]), (303, &place.parse().unwrap()));
        assert_eq!(get(&cafe.http, service, None).await.0, 200, "{place}");
    }
    let (status, _, page) = get(&http, &format!("{}/", cafe.lab), None).await;
    let page = String::from_utf8(page).unwrap();
    assert!(status == 200 && page.contains("See why distribution is hard"), "{page}");
}

#[tokio::test]
async fn every_answer_says_nosniff_and_every_page_which_sources_it_may_load() {
    let cafe = Cafe::open().await;
    let mut urls = pages(&cafe);
    urls.extend(changes(&cafe).into_iter().map(|(_, url)| url));
    urls.push(format!("{}/nothing/is/here", cafe.order));
    for url in urls {
        let (_, headers, _) = get(&cafe.http, &url, None).await;
        assert_eq!(headers["x-content-type-options"], "nosniff", "{url}");
        assert_eq!(headers["cross-origin-resource-policy"], "same-origin", "{url}");
        assert_eq!(headers["referrer-policy"], "same-origin", "{url}");
        let html = headers["content-type"].to_str().unwrap().starts_with("text/html");
        let policy = headers.get("content-security-policy").map(|it| it.to_str().unwrap());
        assert_eq!(html, policy.is_some(), "{url}: {policy:?}");
        if let Some(policy) = policy {
            for part in ["default-src 'none'", "frame-ancestors 'none'", "script-src 'self'"] {
                assert!(policy.contains(part), "{url}: {policy}");
            }
            assert!(!policy.contains("unsafe-eval") && !policy.contains("http"), "{policy}");
        }
    }
    let refused = cafe.http.get(format!("{}/readyz", cafe.order)).header("host", "evil.example");
    assert_eq!(cafe.send(refused).await.headers["x-content-type-options"], "nosniff");
}

#[tokio::test]
async fn what_is_not_part_of_the_page_is_a_problem_like_every_404() {
    let cafe = Cafe::open().await;
    for service in [&cafe.order, &cafe.inventory, &cafe.lab] {
        for path in ["/swagger/nonsense", "/swagger/a/b", "/swagger/oauth2-redirect.html"] {
            let answer = cafe.send(cafe.http.get(format!("{service}{path}"))).await;
            assert_problem_without_trace(
                path,
                &answer,
                404,
                &format!("there is nothing at {path}"),
            );
        }
    }
}

#[tokio::test]
async fn the_page_is_packed_only_for_those_who_ask_for_it() {
    let cafe = Cafe::open().await;
    for file in ["", "swagger-ui.css", "swagger-ui-bundle.js", "favicon-32x32.png"] {
        let url = format!("{}/swagger/{file}", cafe.order);
        let (_, plain, text) = get(&cafe.http, &url, None).await;
        assert!(!plain.contains_key("content-encoding"), "{url}");
        assert_eq!(plain["vary"], "accept-encoding", "{url}");
        for encoding in ["gzip", "br, GZIP;q=0.5", "*", "deflate, gzip;q=1.0, *;q=0.5"] {
            let (_, packed, bytes) = get(&cafe.http, &url, Some(encoding)).await;
            assert_eq!(packed["content-encoding"], "gzip", "{url} {encoding}");
            let mut unpacked = Vec::new();
            let mut reader = flate2::read::GzDecoder::new(&bytes[..]);
            std::io::Read::read_to_end(&mut reader, &mut unpacked).unwrap();
            assert_eq!(unpacked, text, "{url} {encoding}");
        }
        for encoding in ["", "identity", "br", "gzip;q=0", "*;q=0", "gzipped"] {
            let (_, headers, bytes) = get(&cafe.http, &url, Some(encoding)).await;
            assert!(!headers.contains_key("content-encoding"), "{url} {encoding}");
            assert_eq!(bytes, text, "{url} {encoding}");
        }
    }
}

#[tokio::test]
async fn two_request_ids_are_refused_and_neither_is_used() {
    let cafe = Cafe::open().await;
    for url in [format!("{}/inventory/reserve", cafe.inventory), format!("{}/orders", cafe.order)] {
        let request = cafe.http.post(&url).json(&json!({"itemId": "cake", "quantity": 1}));
        let request = request.header("x-request-id", "one").header("x-request-id", "two");
        let answer: Answer = cafe.send(request).await;
        assert_problem(&url, &answer, 400, "expected one X-Request-Id");
    }
    assert_eq!(cafe.state().await["reservations"], 0);
}
