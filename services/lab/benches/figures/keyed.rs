//! Both services in a process of their own, with a time of day that goes by orders.

use std::net::SocketAddr;
use std::process::{Child, Command};
use std::sync::atomic::{AtomicU64, Ordering};

use axum::Router;
use axum::extract::Request;
use axum::middleware::{self, Next};
use campuscafe_service::{AllowedHosts, Lifecycle, ServerSettings, serve};
use campuscafe_telemetry::Metrics;
use clap::Parser as _;
use tokio::net::TcpListener;

use crate::bare::started;

const ROLE: &str = "FIGURES_KEYED";

/// By the clock of both services, in milliseconds: 200 orders a second.
const BETWEEN_ORDERS: u64 = 5;

static ORDERS: AtomicU64 = AtomicU64::new(0);

pub(crate) struct Keyed {
    child: Child,
    pub(crate) order: String,
}

impl Keyed {
    pub(crate) fn open() -> Self {
        let mut program = Command::new(std::env::current_exe().expect("this program"));
        let (child, order) = started(program.env(ROLE, "both"));
        Self { child, order }
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }
}

impl Drop for Keyed {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

pub(crate) fn is_asked_for() -> bool {
    std::env::var_os(ROLE).is_some()
}

pub(crate) fn run() {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("starts");
    runtime.block_on(async {
        let (metrics, lifecycle) = (Metrics::new("figures"), Lifecycle::default());
        let config = inventory::Config::parse_from(["inventory", "--stock", "cake=1000000000"]);
        let app =
            inventory::App::with_clock(&config, 0, metrics.clone(), lifecycle.clone(), by_orders);
        let router = inventory::router(app, &AllowedHosts::default());
        let inventory = service(router, lifecycle, metrics).await;

        let (metrics, lifecycle) = (Metrics::new("figures"), Lifecycle::default());
        let url = format!("http://{inventory}");
        let config = order::Config::parse_from(["order", "--inventory-url", &url]);
        let app = order::App::with_clock(&config, metrics.clone(), lifecycle.clone(), by_orders);
        let router = order::router(app.expect("a client"), &AllowedHosts::default());
        let router = router.layer(middleware::from_fn(async |request: Request, next: Next| {
            ORDERS.fetch_add(1, Ordering::Relaxed);
            next.run(request).await
        }));
        println!("http://{}", service(router, lifecycle, metrics).await);
        std::future::pending::<()>().await;
    });
}

/// Any day will do, as long as both services have the same.
fn by_orders() -> u64 {
    1_800_000_000_000 + ORDERS.load(Ordering::Relaxed) * BETWEEN_ORDERS
}

async fn service(router: Router, lifecycle: Lifecycle, metrics: Metrics) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("an address");
    let address = listener.local_addr().expect("an address");
    tokio::spawn(async move {
        let settings = ServerSettings::default();
        serve(listener, router, lifecycle, &metrics, &settings, std::future::pending()).await
    });
    address
}
