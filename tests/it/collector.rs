//! A collector that is away costs one warning, and nothing else.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use campuscafe_tests::{Process, eventually};
use reqwest::Client;
use serde_json::{Value, json};
use tokio::net::{TcpListener, TcpSocket};
use tokio::task::JoinSet;
use tokio::time::Instant;

/// Both services, with a collector somewhere.
struct Services {
    inventory: Process,
    order: Process,
    orders: String,
    http: Client,
}

impl Services {
    async fn start(collector: &str) -> Self {
        let telemetry = [
            ("OTEL_EXPORTER_OTLP_ENDPOINT", collector),
            ("LOG_FORMAT", "json"),
            ("RUST_LOG", "warn"),
            ("INVENTORY_STOCK", "cake=1000000"),
        ];
        let listen = ["--listen", "127.0.0.1:0"];
        let mut inventory = Process::start("inventory", &listen, &telemetry);
        let url = inventory.address().await;
        let arguments = [&listen[..], &["--inventory-url", &url]].concat();
        let mut order = Process::start("order", &arguments, &telemetry);
        let orders = format!("{}/orders", order.address().await);
        let http = Client::builder().no_proxy().build().expect("a client");
        Self { inventory, order, orders, http }
    }

    fn both(&self) -> [&Process; 2] {
        [&self.inventory, &self.order]
    }

    /// Places that many orders by so many customers at once; all are confirmed.
    async fn place(&self, orders: usize, customers: usize) {
        let mut at_once = JoinSet::new();
        for _ in 0..customers {
            let (http, url) = (self.http.clone(), self.orders.clone());
            at_once.spawn(async move {
                let order = json!({"itemId": "cake", "quantity": 1, "chaos": "none"});
                for _ in 0..orders / customers {
                    let response = http.post(&url).json(&order).send().await.unwrap();
                    assert_eq!(response.status(), 200);
                    let body: Value = response.json().await.unwrap();
                    assert_eq!(body["traceId"].as_str().map(str::len), Some(32));
                }
            });
        }
        while let Some(customer) = at_once.join_next().await {
            customer.unwrap();
        }
    }

    /// Waits until both have complained.
    async fn warned(&self) {
        for service in self.both() {
            eventually("a warning", || {
                std::future::ready((!service.stderr().is_empty()).then_some(()))
            })
            .await;
        }
        self.assert_warned_once();
    }

    /// With nothing below a warning logged, all there is to read is this one.
    fn assert_warned_once(&self) {
        for service in self.both() {
            let log = service.stderr();
            let [line] = log.lines().collect::<Vec<_>>()[..] else { panic!("not one line: {log}") };
            let line: Value = serde_json::from_str(line).unwrap();
            assert_eq!(line["level"], "WARN");
            assert!(line["message"].as_str().unwrap().starts_with("spans cannot be exported"));
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
        for service in [&mut self.order, &mut self.inventory] {
            assert_eq!(service.ended().await.code(), Some(0), "{}", service.stderr());
            assert!(asked.elapsed() < Duration::from_secs(10), "after {:?}", asked.elapsed());
        }
        self.assert_warned_once();
    }
}

/// Orders go through, memory does not pile up, and one warning is all.
async fn assert_unimpressed(services: Services, exports: Option<&AtomicUsize>) {
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
        eventually("more exports", || {
            std::future::ready((exports.load(Ordering::SeqCst) >= made + 4).then_some(()))
        })
        .await;
        services.place(20, 1).await;
    }
    services.assert_warned_once();
    services.end().await;
}

#[tokio::test]
async fn a_collector_that_is_down_costs_one_warning_and_nothing_else() {
    // Bound but not listening: nobody else can have the port, and it refuses.
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.1:0".parse::<SocketAddr>().unwrap()).unwrap();
    let services = Services::start(&format!("http://{}", socket.local_addr().unwrap())).await;
    assert_unimpressed(services, None).await;
}

#[tokio::test]
async fn a_collector_that_hangs_costs_one_warning_and_nothing_else() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let collector = format!("http://{}", listener.local_addr().unwrap());
    let exports = Arc::new(AtomicUsize::new(0));
    let seen = exports.clone();
    tokio::spawn(async move {
        let mut open = Vec::new();
        while let Ok((stream, _)) = listener.accept().await {
            // Neither read nor closed: whoever sends waits in vain.
            open.push(stream);
            seen.fetch_add(1, Ordering::SeqCst);
        }
    });
    assert_unimpressed(Services::start(&collector).await, Some(&exports)).await;
}
