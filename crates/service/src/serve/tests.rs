use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use axum::body::Body;
use axum::routing::get;
use bytes::Bytes;
use hyper::body::Frame;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::sync::{Notify, oneshot};
use tokio::task::JoinHandle;

use super::*;

mod drain;

/// A server in this process, which a test can tell to end.
struct Server {
    address: SocketAddr,
    lifecycle: Lifecycle,
    metrics: Metrics,
    end: oneshot::Sender<()>,
    ended: JoinHandle<Result<(), ExitError>>,
}

impl Server {
    async fn start(max_connections: usize, router: impl FnOnce(&Lifecycle) -> Router) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (lifecycle, metrics) = (Lifecycle::default(), Metrics::new("1"));
        let router = router(&lifecycle).route("/healthz", get("ok"));
        let (end, told) = oneshot::channel::<()>();
        let ended = tokio::spawn({
            let (lifecycle, metrics) = (lifecycle.clone(), metrics.clone());
            async move {
                let settings = ServerSettings { max_connections, ..ServerSettings::default() };
                let end = async { drop(told.await) };
                serve(listener, router, lifecycle, &metrics, &settings, end).await
            }
        });
        let page = metrics.clone();
        until(|| page.render().contains("http_server_connections 0")).await;
        Self { address, lifecycle, metrics, end, ended }
    }

    async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.address).await.unwrap()
    }

    /// Sends bytes on a connection of their own.
    async fn send(&self, bytes: &[u8]) -> TcpStream {
        let mut stream = self.connect().await;
        stream.write_all(bytes).await.unwrap();
        stream
    }

    async fn end(self) -> Result<(), ExitError> {
        self.end.send(()).unwrap();
        self.ended.await.unwrap()
    }

    fn closed(&self, reason: &str) -> u64 {
        let series = format!("http_server_connections_closed_total{{reason=\"{reason}\"}} ");
        let page = self.metrics.render();
        let value = page.lines().find_map(|line| line.strip_prefix(&series));
        value.unwrap_or_else(|| panic!("no {series}in\n{page}")).parse().unwrap()
    }
}

const GET: &[u8] = b"GET /healthz HTTP/1.1\r\nhost: localhost\r\n\r\n";

const LAST: &[u8] = b"GET /healthz HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n";

/// Reads until the server closes; a reset is an end as well.
async fn rest(mut stream: TcpStream) -> String {
    let mut said = Vec::new();
    let _ = stream.read_to_end(&mut said).await;
    String::from_utf8_lossy(&said).into_owned()
}

/// Reads one answer that ends with `end`, and leaves the connection open.
async fn answer(stream: &mut TcpStream, end: &str) -> String {
    let mut said = Vec::new();
    while !said.ends_with(end.as_bytes()) {
        assert_ne!(stream.read_buf(&mut said).await.unwrap(), 0, "closed before {end:?}");
    }
    String::from_utf8_lossy(&said).into_owned()
}

/// A body that never ends by itself: one that has a frame whenever it is asked,
/// or one that has none.
struct Endless(Option<Bytes>);

impl hyper::body::Body for Endless {
    type Data = Bytes;
    type Error = std::convert::Infallible;

    fn poll_frame(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        self.0.clone().map_or(Poll::Pending, |bytes| Poll::Ready(Some(Ok(Frame::data(bytes)))))
    }
}

/// A path whose answer comes when it is let go.
fn waiting(go: &Arc<Notify>) -> Router {
    let go = go.clone();
    Router::new().route(
        "/wait",
        get(async move || {
            go.notified().await;
            "done"
        }),
    )
}

const WAIT: &[u8] = b"GET /wait HTTP/1.1\r\nhost: localhost\r\n\r\n";

/// From here on time passes only while nothing else happens. Not from the start:
/// bytes on their way to a socket are nothing that the clock waits for.
fn pause() -> Instant {
    tokio::time::pause();
    Instant::now()
}

async fn until(condition: impl Fn() -> bool) {
    for _ in 0..10_000 {
        if condition() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("waited in vain");
}

#[tokio::test]
async fn a_client_that_does_not_read_is_closed_after_ten_seconds_without_progress() {
    let endless = || get(async || Body::new(Endless(Some(Bytes::from_static(&[b'x'; 65_536])))));
    let server = Server::start(9, |_| Router::new().route("/endless", endless())).await;
    let stream = server.send(b"GET /endless HTTP/1.1\r\nhost: localhost\r\n\r\n").await;
    stream.readable().await.unwrap();
    let begun = pause();
    until(|| server.closed("write_timeout") == 1).await;
    assert_eq!(begun.elapsed().as_secs(), 10);
    drop(stream);
}

#[tokio::test]
async fn silence_and_an_unfinished_head_are_closed_after_ten_seconds_and_told_apart() {
    let server = Server::start(9, |_| Router::new()).await;
    let head = &b"GET /healthz HTTP/1.1\r\nhost: "[..];
    for (first, then, reason) in [
        (&b""[..], &b""[..], "idle_timeout"),
        (GET, b"", "idle_timeout"),
        (b"", head, "head_timeout"),
        (GET, head, "head_timeout"),
    ] {
        let mut stream = server.send(first).await;
        if !first.is_empty() {
            answer(&mut stream, "ok").await;
        }
        stream.write_all(then).await.unwrap();
        // What was sent before an answered request has arrived as well.
        assert!(rest(server.send(LAST).await).await.ends_with("ok"));
        let (before, begun) = (server.closed(reason), pause());
        rest(stream).await;
        tokio::time::resume();
        let case = format!("{} {}", first.escape_ascii(), then.escape_ascii());
        // A little of the time passed before the clock stood still.
        assert!((9..=10).contains(&begun.elapsed().as_secs()), "{case}: {:?}", begun.elapsed());
        assert_eq!(server.closed(reason), before + 1, "{case}");
    }
}

#[tokio::test]
async fn a_head_of_16_kib_is_read_and_a_larger_one_is_answered_with_431() {
    let server = Server::start(9, |_| Router::new()).await;
    let head = |size: usize| {
        let start = "GET /healthz HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\nx-long: ";
        format!("{start}{}\r\n\r\n", "x".repeat(size - start.len() - 4))
    };
    for (size, status) in [(16 * 1024, "200"), (16 * 1024 + 1, "431"), (300_000, "431")] {
        let mut stream = server.connect().await;
        // A server need not read what it refuses.
        let _ = stream.write_all(head(size).as_bytes()).await;
        let mut start = [0; 12];
        stream.read_exact(&mut start).await.unwrap();
        assert_eq!(start, format!("HTTP/1.1 {status}").as_bytes(), "{size}");
    }
}

#[tokio::test]
async fn at_the_limit_the_longest_idle_is_closed_and_who_works_is_not() {
    let go = Arc::new(Notify::new());
    let server = Server::start(3, |_| waiting(&go)).await;
    let mut busy = server.send(WAIT).await;
    let unfinished = server.send(b"GET /healthz HTTP/1.1\r\n").await;
    until(|| server.metrics.render().contains("http_server_connections 2")).await;
    let mut kept = server.send(GET).await;
    answer(&mut kept, "ok").await;
    let mut newcomer = server.send(GET).await;
    answer(&mut newcomer, "ok").await;
    assert_eq!(rest(unfinished).await, "");
    assert_eq!(server.closed("idle_at_cap"), 1);
    // The one that became idle last is still there, and so is the one at work.
    kept.write_all(GET).await.unwrap();
    answer(&mut kept, "ok").await;
    go.notify_one();
    answer(&mut busy, "done").await;
}

#[tokio::test]
async fn a_request_on_a_connection_that_must_go_is_refused_with_an_answer_and_a_probe_is_answered()
{
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let router = Router::new().route("/healthz", get("ok")).route("/work", get("done"));
    for (path, status) in [("/work", "HTTP/1.1 503 "), ("/healthz", "HTTP/1.1 200 ")] {
        let slots = ConnectionSlots::new(1, &Metrics::new("1"));
        let slot = slots.admit().unwrap();
        let mut client = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        let (stream, _) = listener.accept().await.unwrap();
        let request = format!("GET {path} HTTP/1.1\r\nhost: localhost\r\n\r\n");
        client.write_all(request.as_bytes()).await.unwrap();
        // Another connection takes the slot before the request is read.
        let _newcomer = slots.admit().unwrap();
        serve_connection(stream, protocol(), router.clone(), ReadQueue::default(), slot).await;
        let said = rest(client).await;
        assert!(said.starts_with(status) && said.contains("connection: close"), "{said}");
    }
}

#[tokio::test]
async fn when_all_are_busy_probes_are_answered_and_the_rest_is_refused_at_once() {
    let go = Arc::new(Notify::new());
    let server = Server::start(2, |_| waiting(&go)).await;
    let mut busy = [server.send(WAIT).await, server.send(WAIT).await];
    until(|| server.metrics.render().contains("http_server_connections 2")).await;
    for _ in 0..2 * crate::slots::PROBE_SLOTS {
        let probed = rest(server.send(GET).await).await;
        assert!(probed.starts_with("HTTP/1.1 200 ") && probed.ends_with("ok"), "{probed}");
    }
    let refused = rest(server.send(WAIT).await).await;
    assert!(refused.starts_with("HTTP/1.1 503 "), "{refused}");
    assert!(refused.contains("retry-after: 1") && refused.contains("--max-connections"));
    go.notify_waiters();
    for busy in &mut busy {
        answer(busy, "done").await;
    }
}

#[tokio::test]
async fn an_answer_that_a_client_still_reads_does_not_count_as_idle() {
    let large = "x".repeat(8 * 1024 * 1024);
    let server =
        Server::start(1, |_| Router::new().route("/large", get(async move || large))).await;
    let request = b"GET /large HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n";
    let slow = server.send(request).await;
    slow.readable().await.unwrap();
    let probed = rest(server.send(GET).await).await;
    assert!(probed.starts_with("HTTP/1.1 200 "), "{probed}");
    assert!(rest(slow).await.len() > 8 * 1024 * 1024, "read whole");
}

#[test]
fn only_a_lack_of_what_all_connections_need_pauses_accepting() {
    for code in [libc::EMFILE, libc::ENFILE, libc::ENOMEM, libc::ENOBUFS] {
        assert!(is_shortage(&Error::from_raw_os_error(code)), "{code}");
    }
    for code in [libc::ECONNABORTED, libc::ECONNRESET, libc::EPERM, libc::EPROTO, libc::ETIMEDOUT] {
        assert!(!is_shortage(&Error::from_raw_os_error(code)), "{code}");
    }
}

#[tokio::test]
async fn after_a_refusal_a_connection_is_read_as_soon_as_there_is_time_to_spare() {
    let throttle = crate::problem_response::Throttle(Duration::from_secs(60));
    let later = get(async move || (axum::Extension(throttle), "later|"));
    let when = get(async |connection: axum::Extension<crate::Connection>| {
        if connection.throttled_for() > Duration::from_secs(1) { "early|" } else { "on time|" }
    });
    let router = Router::new().route("/later", later).route("/when", when);
    let server = Server::start(5, |_| router).await;
    let mut stream = server.connect().await;
    for (path, expected) in
        [("/when", "on time|"), ("/later", "later|"), ("/later", "later|"), ("/when", "on time|")]
    {
        let request = format!("GET {path} HTTP/1.1\r\nhost: localhost\r\n\r\n");
        stream.write_all(request.as_bytes()).await.unwrap();
        let said = answer(&mut stream, "|").await;
        assert!(said.ends_with(expected), "{path}: expected {expected}, got {said}");
    }
    drop(stream);
    server.end().await.unwrap();
}
