//! An OTLP/HTTP receiver that keeps the newest traces and their log records in bounded
//! memory, and a read API over them. Any program can mount it.
//!
//! Exporters send spans to `POST /v1/traces` and log records to `POST /v1/logs`. Readers
//! ask `GET /api/traces`. All routes are in [`router`]; the [`TraceStore`] is between them. The same
//! process can wait for a span with [`TraceStore::wait_for`].
//!
//! ```
//! use std::sync::Arc;
//!
//! use campuscafe_otlp_store::{Limits, TraceStore, router};
//! use campuscafe_telemetry::Metrics;
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> std::io::Result<()> {
//! let store = Arc::new(TraceStore::new(Limits { traces: 500, ..Limits::default() }));
//! let app: axum::Router = router(Arc::clone(&store), &Metrics::new("1.0.0")).into();
//! let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
//! println!("OTEL_EXPORTER_OTLP_ENDPOINT=http://{}", listener.local_addr()?);
//! # if false {
//! axum::serve(listener, app).await?;
//! # }
//! # assert!(store.recent(10).is_empty());
//! # Ok(())
//! # }
//! ```
//!
//! # Memory
//!
//! The store keeps at most [`MAX_BYTES`]. All requests together use at most
//! [`MAX_IN_FLIGHT`] more. A request that finds no room is answered with 503.
//!
//! # Modules
//!
//! Imports point down: `http` → `worker`, `budget`, `metrics` → `store` →
//! `export` → `encoded` → `protobuf`, `json` → `error`, `limits`, `buffer`, `id`, `signal`.

mod budget;
mod buffer;
mod encoded;
mod error;
mod export;
mod http;
mod id;
mod json;
mod limits;
mod metrics;
mod protobuf;
mod signal;
mod store;
mod worker;

pub use http::router;
pub use id::{Id, InvalidId, SpanId, TraceId};
pub use json::{OtlpJsonError, parse_otlp_json, write_otlp_json};
pub use limits::{
    Limits, MAX_BYTES, MAX_BYTES_PER_TRACE, MAX_COMPRESSED, MAX_DECODED_PER_TRACE,
    MAX_DECOMPRESSED, MAX_EXPORT_DECODED, MAX_IN_FLIGHT, MAX_LOG_BYTES_PER_TRACE,
    MAX_LOGS_PER_TRACE, MAX_PART_BYTES, MAX_PART_DECODED, MAX_SPANS_PER_TRACE, MAX_TRACES,
};
pub use store::{DeadlinePassed, Inserted, TraceStore, TraceSummary};

#[cfg(test)]
mod testing;
