//! Two axum services, and a call between them that takes too long:
//!
//! ```text
//! cargo run -p campuscafe-telemetry --example two_services
//! ```
//!
//! The shop asks the stock, and gives each attempt 200 ms. The stock answers its
//! first request after a second, so the first attempt ends without an answer and
//! the second one gets it. The trace has five spans: the customer's request, two
//! attempts, and two requests at the stock, of which the first was abandoned.
//!
//! `OTEL_EXPORTER_OTLP_ENDPOINT=http://127.0.0.1:4318` sends spans and log lines to a collector.

#![allow(clippy::print_stdout, reason = "an example shows what it did")]

use std::error::Error;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::middleware::from_fn_with_state;
use axum::routing::get;
use campuscafe_telemetry::http_client::{self, Template};
use campuscafe_telemetry::{Identity, Metrics, current_trace_id, http_server, init};
use http::StatusCode;
use reqwest_middleware::{ClientBuilder, ClientWithMiddleware};
use reqwest_retry::RetryTransientMiddleware;
use reqwest_retry::policies::ExponentialBackoff;
use tokio::net::TcpListener;
use tokio::runtime::Runtime;
use tracing::{Level, info, warn};

type Result<T> = std::result::Result<T, Box<dyn Error>>;

fn main() -> Result<()> {
    let identity = Identity { service: "two-services", version: "1", log_level: Level::INFO };
    let telemetry = init(identity)?;
    let runtime = Runtime::new()?;
    let shown = runtime.block_on(show(&telemetry.metrics));
    runtime.shutdown_background();
    // Last of all: the newest spans and log lines are still in memory.
    telemetry.shutdown();
    shown
}

async fn show(metrics: &Metrics) -> Result<()> {
    let stock = serve(stock(metrics)).await?;
    let shop = serve(shop(metrics, stock)?).await?;
    let answer = reqwest::get(format!("{shop}/buy")).await?;
    println!("the customer reads: {}", answer.text().await?);
    let page = reqwest::get(format!("{shop}/metrics")).await?.text().await?;
    println!("the metrics say:");
    let counted = |line: &&str| line.contains("_seconds_count{") && !line.ends_with(" 0");
    page.lines().filter(counted).for_each(|line| println!("  {line}"));
    Ok(())
}

async fn serve(router: Router) -> Result<String> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let url = format!("http://{}", listener.local_addr()?);
    tokio::spawn(async move { axum::serve(listener, router).await });
    Ok(url)
}

/// The stock. Its first request takes a second, and its caller does not wait for that.
/// axum then drops the handler, and the guard in the layer still ends the span.
fn stock(metrics: &Metrics) -> Router {
    static ASKED: AtomicBool = AtomicBool::new(false);
    let take = async || {
        if !ASKED.swap(true, Ordering::Relaxed) {
            warn!("this answer takes a second");
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
        info!("one piece taken");
        "one piece"
    };
    observed("/take", Router::new().route("/take", get(take)), metrics)
}

/// What the shop needs for a call.
#[derive(Clone)]
struct Shop {
    client: ClientWithMiddleware,
    stock: String,
}

fn shop(metrics: &Metrics, stock: String) -> Result<Router> {
    let http = reqwest::Client::builder().timeout(Duration::from_millis(200)).build()?;
    let observe = http_client::Observe::new(metrics);
    observe.preregister("GET", "/take", "", &[200]);
    // The retry stands outside of what observes, so each attempt gets a span.
    let client = ClientBuilder::new(http)
        .with(RetryTransientMiddleware::new_with_policy(
            ExponentialBackoff::builder().build_with_max_retries(1),
        ))
        .with(observe)
        .build();
    let buy = async |State(shop): State<Shop>| {
        let request = shop.client.get(format!("{}/take", shop.stock));
        let answer = request.with_extension(Template("/take")).send().await;
        let piece = answer.map_err(|error| (StatusCode::BAD_GATEWAY, error.to_string()))?;
        info!("the customer gets it");
        let trace = current_trace_id().unwrap_or_default();
        let piece = piece.text().await.unwrap_or_default();
        Ok::<_, (StatusCode, String)>(format!("{piece}, trace {trace}"))
    };
    let scraped = metrics.clone();
    let router = Router::new().route("/buy", get(buy)).with_state(Shop { client, stock });
    Ok(observed("/buy", router, metrics).route("/metrics", get(async move || scraped.render())))
}

/// A span and a duration for each request, also for one that its caller abandons. The
/// durations stand at 0 from the start, so that the first request shows as an increase.
fn observed(route: &str, router: Router, metrics: &Metrics) -> Router {
    let observe = http_server::Observe::new(metrics);
    observe.preregister("GET", route, &[200]);
    router.layer(from_fn_with_state(observe, http_server::observe))
}
