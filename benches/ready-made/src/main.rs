//! Two hops as somebody new would build them, from ready-made crates: an order
//! service that calls an inventory, with spans over OTLP, Prometheus and JSON logs.
//!
//! ```text
//! ready-made inventory
//! ready-made order http://127.0.0.1:PORT
//! ```
//!
//! Each prints its address. `OTEL_EXPORTER_OTLP_ENDPOINT` says where spans go.

use std::collections::HashMap;
use std::error::Error;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::{get, post};
use axum::{Json, Router};
use axum_prometheus::PrometheusMetricLayer;
use axum_tracing_opentelemetry::middleware::{OtelAxumLayer, OtelInResponseLayer};
use opentelemetry::propagation::TextMapCompositePropagator;
use opentelemetry::trace::TracerProvider as _;
use opentelemetry_otlp::SpanExporter;
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::propagation::TraceContextPropagator;
use opentelemetry_sdk::trace::SdkTracerProvider;
use serde::{Deserialize, Serialize};
use tokio::net::TcpListener;
use tracing::{Instrument as _, info};
use tracing_opentelemetry_instrumentation_sdk::{find_current_context, http::inject_context};
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{EnvFilter, fmt};

type Result<T> = std::result::Result<T, Box<dyn Error>>;

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Order {
    item_id: String,
    quantity: u64,
}

fn main() -> Result<()> {
    let mut arguments = std::env::args().skip(1);
    let role = arguments.next().ok_or("expected inventory, or order and a URL")?;
    let provider = telemetry(&role)?;
    tokio::runtime::Runtime::new()?.block_on(serve(arguments.next()))?;
    provider.shutdown()?;
    Ok(())
}

async fn serve(inventory: Option<String>) -> Result<()> {
    let (metrics, page) = PrometheusMetricLayer::pair();
    let work = match inventory {
        None => Router::new().route("/orders", post(reserve)).with_state(Arc::default()),
        Some(inventory) => {
            let client = reqwest::Client::builder().no_proxy().timeout(Duration::from_secs(1));
            let state = (client.build()?, format!("{inventory}/orders"));
            Router::new().route("/orders", post(order)).with_state(state)
        }
    };
    let router = work
        .layer(OtelInResponseLayer)
        .layer(OtelAxumLayer::default())
        .route("/metrics", get(async move || page.render()))
        .layer(metrics);
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    println!("http://{}", listener.local_addr()?);
    axum::serve(listener, router).await?;
    Ok(())
}

fn telemetry(service: &str) -> Result<SdkTracerProvider> {
    let provider = SdkTracerProvider::builder()
        .with_resource(Resource::builder().with_service_name(service.to_owned()).build())
        .with_batch_exporter(SpanExporter::builder().with_http().build()?)
        .build();
    opentelemetry::global::set_text_map_propagator(TextMapCompositePropagator::new(vec![
        Box::new(TraceContextPropagator::new()),
    ]));
    tracing_subscriber::registry()
        .with(EnvFilter::new("info,otel::tracing=trace"))
        .with(fmt::layer().json().with_writer(std::io::stderr))
        .with(tracing_opentelemetry::layer().with_tracer(provider.tracer("ready-made")))
        .try_init()?;
    Ok(provider)
}

type Refused = (StatusCode, String);

async fn order(
    State((client, inventory)): State<(reqwest::Client, String)>,
    Json(order): Json<Order>,
) -> std::result::Result<Json<Order>, Refused> {
    let span = tracing::info_span!("POST /orders", otel.kind = "client");
    let lost = |error: reqwest::Error| (StatusCode::BAD_GATEWAY, error.to_string());
    let attempt = async {
        let mut request = client.post(&inventory).json(&order).build().map_err(lost)?;
        inject_context(&find_current_context(), request.headers_mut());
        let answer = client.execute(request).await.and_then(reqwest::Response::error_for_status);
        answer.map_err(lost)?.json().await.map_err(lost)
    };
    let reserved: Order = attempt.instrument(span).await?;
    info!(item = reserved.item_id, quantity = reserved.quantity, "order confirmed");
    Ok(Json(reserved))
}

async fn reserve(
    State(taken): State<Arc<Mutex<HashMap<String, u64>>>>,
    Json(order): Json<Order>,
) -> Json<Order> {
    let item = order.item_id.clone();
    let mut stock = taken.lock().unwrap_or_else(PoisonError::into_inner);
    *stock.entry(item).or_default() += order.quantity;
    drop(stock);
    info!(item = order.item_id, quantity = order.quantity, "reserved");
    Json(order)
}
