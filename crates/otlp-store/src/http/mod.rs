//! The HTTP side: the routes, and what their handlers share.

mod body;
mod export;
mod format;
mod pages;
mod trace_pages;
mod traces;

use std::sync::Arc;

use campuscafe_telemetry::Metrics;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::budget::Budget;
use crate::metrics::ReceiverMetrics;
use crate::store::TraceStore;
use crate::worker::Worker;

/// The receiver and the read API of one store.
///
/// * `POST /v1/traces` takes OTLP as protobuf or JSON, with or without gzip;
/// * `POST /v1/logs` takes log records in the same way;
/// * `GET /api/traces?limit=20` lists the newest traces;
/// * `GET /api/traces/{id}` is one trace as OTLP JSON;
/// * `GET /api/traces/{id}/logs` are the log records of it.
///
/// It registers its counters in `metrics`. Where no description is wanted,
/// [`into`](Into::into) makes it an [`axum::Router`].
pub fn router(store: Arc<TraceStore>, metrics: &Metrics) -> OpenApiRouter {
    OpenApiRouter::new()
        .routes(routes!(export::export_traces))
        .routes(routes!(export::export_logs))
        .routes(routes!(traces::list))
        .routes(routes!(traces::trace))
        .routes(routes!(traces::trace_logs))
        .with_state(Arc::new(Receiver::new(store, metrics)))
}

/// A store, and the bounds and counters of what is done with it.
#[derive(Debug)]
struct Receiver {
    store: Arc<TraceStore>,
    budget: Budget,
    worker: Worker,
    metrics: ReceiverMetrics,
}

impl Receiver {
    fn new(store: Arc<TraceStore>, metrics: &Metrics) -> Self {
        let (budget, worker) = (Budget::default(), Worker::start());
        Self { store, budget, worker, metrics: ReceiverMetrics::new(metrics) }
    }
}
