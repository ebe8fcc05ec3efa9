//! The traces of this laboratory: received, kept within bounds, handed out.
//!
//! Services export to [`router`]'s `POST /v1/traces` (OTLP over HTTP); a reader
//! asks `GET /api/traces`. In between stands the [`TraceStore`], in which an
//! experiment waits for a span with [`TraceStore::wait_for`]. Traces that were
//! fetched from here or from Jaeger are read with [`parse_otlp_json`].

mod api;
mod body;
mod budget;
mod buffer;
mod elements;
mod evicted;
mod export;
mod format;
mod id;
mod json;
mod metrics;
mod otlp;
mod packed;
mod pages;
mod receiver;
mod snapshot;
mod store;
mod summary;
mod trace;
mod wire;
mod worker;

use std::sync::Arc;

use axum::Router;
use axum::routing::{get, post};
use campuscafe_telemetry::Metrics;

pub use body::{MAX_COMPRESSED, MAX_DECOMPRESSED};
pub use budget::MAX_IN_FLIGHT;
pub use elements::{MAX_ELEMENTS, MAX_PART_BYTES, MAX_PART_ELEMENTS};
pub use id::{Id, InvalidId, SpanId, TraceId};
pub use json::{OtlpJsonError, parse_otlp_json, write_otlp_json};
pub use store::{
    DeadlinePassed, Inserted, Limits, MAX_BYTES, MAX_BYTES_PER_TRACE, MAX_SPANS_PER_TRACE,
    MAX_TRACES, TraceStore,
};
pub use summary::TraceSummary;

/// The receiver and the read API of one store.
///
/// * `POST /v1/traces` takes OTLP as protobuf or JSON, gzip or not;
/// * `GET /api/traces?limit=20` lists the newest traces;
/// * `GET /api/traces/{id}` is one trace as OTLP JSON.
///
/// What it does with spans it counts in `metrics`.
pub fn router(store: Arc<TraceStore>, metrics: &Metrics) -> Router {
    Router::new()
        .route("/v1/traces", post(otlp::export))
        .route("/api/traces", get(api::recent))
        .route("/api/traces/{id}", get(api::trace))
        .with_state(Arc::new(receiver::Receiver::new(store, metrics)))
}

#[cfg(test)]
mod testing;
