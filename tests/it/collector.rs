//! A collector that is away, slow or hostile costs spans, which are counted, and
//! a warning a minute, and nothing else.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use axum::Router;
use axum::http::StatusCode;
use axum::http::header::LOCATION;
use axum::response::{IntoResponse as _, Response};
use campuscafe_tests::{Process, ReservedPort, Services, eventually};
use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio::time::Instant;

/// Both services, with a collector somewhere.
struct Traced {
    services: Services,
    started: Instant,
    placed: AtomicUsize,
}

/// Spans of one order in each service: of its server and of its client, of its
/// server and of its commit.
const SPANS_PER_ORDER: usize = 2;

const REASONS: [&str; 4] = ["queue_full", "export_failed", "rejected", "shutdown"];

/// What one service says about the spans it has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Spans {
    exported: usize,
    dropped: [usize; REASONS.len()],
    queued: usize,
}

impl Spans {
    fn all(&self) -> usize {
        self.exported + self.dropped.iter().sum::<usize>() + self.queued
    }

    fn dropped(&self, reason: &str) -> usize {
        REASONS.iter().zip(self.dropped).find(|(name, _)| **name == reason).expect("known").1
    }
}

impl Traced {
    async fn start(collector: &str) -> Self {
        Self::start_with(collector, &[]).await
    }

    async fn start_with(collector: &str, settings: &[(&str, &str)]) -> Self {
        let telemetry = [("OTEL_EXPORTER_OTLP_ENDPOINT", collector), ("LOG_FORMAT", "json")];
        let telemetry = [&telemetry[..], settings].concat();
        let stock = [("INVENTORY_STOCK", "cake=1000000")];
        let services = Services::start(&[&telemetry[..], &stock].concat(), &telemetry).await;
        Self { services, started: Instant::now(), placed: AtomicUsize::new(0) }
    }

    fn both(&self) -> [&Process; 2] {
        [&self.services.inventory, &self.services.order]
    }

    /// Places that many orders by so many customers at once; all are confirmed.
    async fn place(&self, orders: usize, customers: usize) {
        let mut at_once = JoinSet::new();
        for _ in 0..customers {
            let order = self.services.order_cake("none");
            at_once.spawn(async move {
                for _ in 0..orders / customers {
                    let response = order.try_clone().unwrap().send().await.unwrap();
                    assert_eq!(response.status(), 200);
                    let body: Value = response.json().await.unwrap();
                    assert_eq!(body["traceId"].as_str().map(str::len), Some(32));
                }
            });
        }
        while let Some(customer) = at_once.join_next().await {
            customer.unwrap();
        }
        self.placed.fetch_add(orders / customers * customers, Ordering::SeqCst);
    }

    /// What each service says now about its spans.
    async fn now(&self) -> [Spans; 2] {
        let mut both = Vec::new();
        for url in [&self.services.inventory_url, &self.services.order_url] {
            let page = self.services.page(&format!("{url}/metrics")).await;
            let value = |series: &str| {
                let found = page.lines().find_map(|l| l.strip_prefix(series)?.strip_prefix(' '));
                found.unwrap_or_else(|| panic!("no {series} in {page}")).parse().unwrap()
            };
            let dropped =
                |reason| value(&format!("telemetry_spans_dropped_total{{reason=\"{reason}\"}}"));
            both.push(Spans {
                exported: value("telemetry_spans_exported_total"),
                dropped: REASONS.map(dropped),
                queued: value("telemetry_spans_queued"),
            });
        }
        both.try_into().expect("two")
    }

    /// Waits until each span that both have ended is in one of the counts, and
    /// until those are as expected. There are never more spans than that.
    async fn counted(&self, what: &str, expected: impl Fn(&Spans) -> bool) -> [Spans; 2] {
        let ended = self.placed.load(Ordering::SeqCst) * SPANS_PER_ORDER;
        eventually(what, || async {
            let both = self.now().await;
            assert!(both.iter().all(|spans| spans.all() <= ended), "{ended} ended, {both:?}");
            let fits = both.iter().all(|spans| spans.all() == ended && expected(spans));
            fits.then_some(both)
        })
        .await
    }

    /// Waits until both have complained.
    async fn warned(&self) {
        for service in self.both() {
            eventually("a warning", || {
                std::future::ready((!service.stderr().is_empty()).then_some(()))
            })
            .await;
        }
        self.assert_few_warnings(0);
    }

    /// With nothing below a warning logged, all there is to read is a warning
    /// for each minute, and one at the end.
    fn assert_few_warnings(&self, at_the_end: u64) {
        for service in self.both() {
            let log = service.stderr();
            let most = 1 + self.started.elapsed().as_secs() / 60 + at_the_end;
            assert!(log.lines().count() as u64 <= most, "{log}");
            for line in log.lines() {
                let line: Value = serde_json::from_str(line).unwrap();
                assert_eq!(line["level"], "WARN");
                let message = line["message"].as_str().unwrap();
                assert!(message.starts_with("spans were dropped: "), "{message}");
            }
        }
    }

    /// Resident memory of both, in KiB.
    fn memory(&self) -> [u64; 2] {
        self.both().map(|service| {
            let path = format!("/proc/{}/status", service.pid());
            let status = std::fs::read_to_string(path).expect("running");
            let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("VmRSS");
            line.split_whitespace().next().and_then(|kib| kib.parse().ok()).expect("a number")
        })
    }

    /// Asks both to end, and sees that they do.
    async fn end(mut self) {
        let asked = Instant::now();
        for service in self.both() {
            service.signal("TERM");
        }
        for service in [&mut self.services.order, &mut self.services.inventory] {
            assert_eq!(service.ended().await.code(), Some(0), "{}", service.stderr());
            assert!(asked.elapsed() < Duration::from_secs(10), "after {:?}", asked.elapsed());
        }
        self.assert_few_warnings(1);
    }
}

/// So that it is soon full.
const SMALL_QUEUE: [(&str, &str); 2] =
    [("OTEL_BSP_MAX_QUEUE_SIZE", "2048"), ("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", "512")];

/// Orders go through, memory does not pile up, and one warning is all.
async fn assert_unimpressed(services: Traced, exports: Option<&AtomicUsize>) {
    services.place(200, 1).await;
    services.warned().await;

    // Fills the queue of spans and the allocator's pools.
    services.place(2_000, 8).await;
    let before = services.memory();
    services.place(4_000, 8).await;
    // Spans that are kept instead of dropped would take 5 to 6 MiB.
    for (before, after) in before.into_iter().zip(services.memory()) {
        assert!(after < before + 3 * 1024, "grew from {before} to {after} KiB");
    }

    if let Some(exports) = exports {
        let made = exports.load(Ordering::SeqCst);
        eventually("more exports", || async {
            services.place(8, 8).await;
            (exports.load(Ordering::SeqCst) >= made + 4).then_some(())
        })
        .await;
    }
    services.assert_few_warnings(0);
    services.counted("every span", |spans| spans.exported == 0).await;
    services.end().await;
}

#[tokio::test]
async fn a_collector_that_is_down_costs_a_warning_a_minute_and_nothing_else() {
    let closed = ReservedPort::take();
    assert_unimpressed(Traced::start_with(&closed.url(), &SMALL_QUEUE).await, None).await;
}

#[tokio::test]
async fn a_collector_that_hangs_costs_a_warning_a_minute_and_nothing_else() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let collector = format!("http://{}", listener.local_addr().unwrap());
    let exports = Arc::new(AtomicUsize::new(0));
    let seen = exports.clone();
    tokio::spawn(async move {
        let mut open = Vec::new();
        while let Ok((stream, _)) = listener.accept().await {
            // Neither read nor closed: the sender waits for nothing.
            open.push(stream);
            seen.fetch_add(1, Ordering::SeqCst);
        }
    });
    let services = Traced::start_with(&collector, &SMALL_QUEUE).await;
    assert_unimpressed(services, Some(&exports)).await;
}

/// A server on a free port that answers everything as `answer` says, and what
/// it has been asked so far.
async fn collector<F>(answer: impl Fn() -> F + Clone + Send + Sync + 'static) -> (String, Heard)
where
    F: Future<Output = Response> + Send,
{
    let heard = Heard::default();
    let asked = heard.clone();
    let router = Router::new().fallback(move || {
        asked.0.fetch_add(1, Ordering::SeqCst);
        answer()
    });
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(axum::serve(listener, router).into_future());
    (url, heard)
}

#[derive(Clone, Default)]
struct Heard(Arc<AtomicUsize>);

impl Heard {
    fn times(&self) -> usize {
        self.0.load(Ordering::SeqCst)
    }
}

#[tokio::test]
async fn a_collectors_redirect_is_not_followed() {
    let (elsewhere, followed) = collector(async || StatusCode::OK.into_response()).await;
    let target = format!("{elsewhere}/inventory/reset");
    let redirect = move || {
        let target = target.clone();
        async { (StatusCode::TEMPORARY_REDIRECT, [(LOCATION, target)]).into_response() }
    };
    let (url, heard) = collector(redirect).await;
    let services = Traced::start(&url).await;
    services.place(20, 2).await;
    services.counted("failed exports", |spans| spans.dropped("export_failed") > 0).await;
    services.place(20, 2).await;
    services.counted("an empty queue", |spans| spans.queued == 0 && spans.exported == 0).await;
    assert!(heard.times() >= 4);
    assert_eq!(followed.times(), 0, "spans went where the collector pointed");
    services.end().await;
}

#[tokio::test]
async fn spans_that_a_collector_rejects_are_counted_apart_from_those_it_accepts() {
    // ExportTraceServiceResponse { partial_success: { rejected_spans: 1 } }
    let answer = async || [0x0a, 0x02, 0x08, 0x01].into_response();
    let (url, heard) = collector(answer).await;
    let services = Traced::start(&url).await;
    services.place(40, 4).await;
    let both = services.counted("an empty queue", |spans| spans.queued == 0).await;
    assert_eq!(both.map(|spans| spans.dropped("rejected")).iter().sum::<usize>(), heard.times());
    assert!(both.iter().all(|spans| spans.exported > 0), "{both:?}");
    services.warned().await;
    services.end().await;
}

#[tokio::test]
async fn spans_that_find_the_queue_full_are_counted() {
    let (url, _heard) = collector(std::future::pending).await;
    let settings = [("OTEL_BSP_MAX_QUEUE_SIZE", "20"), ("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", "10")];
    let services = Traced::start_with(&url, &settings).await;
    services.place(400, 8).await;
    let both = services.counted("a full queue", |spans| spans.dropped("queue_full") > 0).await;
    assert!(both.iter().all(|spans| spans.queued <= 20 + 10 && spans.exported == 0), "{both:?}");
    services.warned().await;
    services.end().await;
}

#[tokio::test]
async fn a_slow_collector_gets_every_span_within_the_limit_that_the_variable_gives_it() {
    let slow = async || {
        // Longer than the limit is by itself.
        tokio::time::sleep(Duration::from_millis(2_500)).await;
        StatusCode::OK.into_response()
    };
    let (url, _heard) = collector(slow).await;
    let services = Traced::start_with(&url, &[("OTEL_EXPORTER_OTLP_TIMEOUT", "60000")]).await;
    services.place(40, 4).await;
    let both = services.counted("an empty queue", |spans| spans.queued == 0).await;
    assert!(both.iter().all(|spans| spans.exported == 80), "{both:?}");
    services.end().await;
}

/// Answers that no collector gives on purpose.
const NONSENSE: [&str; 6] = [
    "",
    "\r\n\r\n",
    "HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhalf",
    "HTTP/1.1 307 Temporary Redirect\r\ncontent-length: 0\r\n\r\n",
    "HTTP/1.1 429 Too Many Requests\r\nretry-after: 99999999999999999999\r\ncontent-length: 0\r\n\r\n",
    "HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: 4\r\n\r\n\u{ff}\u{ff}",
];

#[tokio::test]
async fn no_answer_of_a_collector_stops_the_exports() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        for answer in NONSENSE.into_iter().cycle() {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut head = [0; 1024];
            let _ = stream.read(&mut head).await;
            let _ = stream.write_all(answer.as_bytes()).await;
        }
    });
    let settings = [("OTEL_EXPORTER_OTLP_TIMEOUT", "500"), ("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", "4")];
    let services = Traced::start_with(&url, &settings).await;
    for _ in 0..3 {
        services.place(16, 4).await;
        services.counted("an empty queue", |spans| spans.queued == 0).await;
    }
    for service in services.both() {
        assert!(!service.stderr().contains("panicked"), "{}", service.stderr());
    }
    services.end().await;
}
