//! The traces of this laboratory: received, kept within bounds, handed out.
//!
//! Services export to [`router`]'s `POST /v1/traces` (OTLP over HTTP); a reader
//! asks `GET /api/traces`. In between stands the [`TraceStore`], in which an
//! experiment waits for a span with [`TraceStore::wait_for`]. Traces that were
//! fetched from here or from Jaeger are read with [`parse_otlp_json`].

mod api;
mod body;
mod elements;
mod format;
mod id;
mod json;
mod otlp;
mod packed;
mod store;
mod summary;
mod trace;
mod wire;

use std::sync::Arc;

use axum::Router;
use axum::routing::{get, post};

pub use body::{MAX_COMPRESSED, MAX_DECOMPRESSED};
pub use elements::MAX_ELEMENTS;
pub use id::{Id, InvalidId, SpanId, TraceId};
pub use json::{OtlpJsonError, parse_otlp_json, write_otlp_json};
pub use store::{
    DeadlinePassed, Inserted, Limits, MAX_BYTES, MAX_SPANS_PER_TRACE, MAX_TRACES, TraceStore,
};
pub use summary::TraceSummary;

/// The receiver and the read API of one store.
///
/// * `POST /v1/traces` takes OTLP as protobuf or JSON, gzip or not;
/// * `GET /api/traces?limit=20` lists the newest traces;
/// * `GET /api/traces/{id}` is one trace as OTLP JSON.
pub fn router(store: Arc<TraceStore>) -> Router {
    Router::new()
        .route("/v1/traces", post(otlp::export))
        .route("/api/traces", get(api::recent))
        .route("/api/traces/{id}", get(api::trace))
        .with_state(store)
}

#[cfg(test)]
mod testing;
