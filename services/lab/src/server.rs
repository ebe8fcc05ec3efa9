//! What the lab itself answers to.

use std::sync::Arc;

use axum::routing::get;
use axum::{Json, Router};
use campuscafe_service::{Lifecycle, no_such_path, with_operations};
use campuscafe_telemetry::Metrics;
use reqwest::Url;
use serde::{Deserialize, Serialize};

use crate::traces::{self, TraceStore};

/// Where the services are that a lab started.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Addresses {
    pub(crate) order: Url,
    pub(crate) inventory: Url,
}

/// The receiver and the read API of the traces, and where the services are as
/// soon as that is known.
///
/// None of it is traced: a receiver that traced its receiving would never be done.
pub(crate) fn router(
    store: Arc<TraceStore>,
    addresses: tokio::sync::watch::Receiver<Option<Addresses>>,
    metrics: &Metrics,
    lifecycle: &Lifecycle,
) -> Router {
    let services = get(async move || Json(addresses.borrow().clone()));
    let work = traces::router(store).route("/api/services", services).fallback(no_such_path);
    with_operations(work, metrics, lifecycle)
}
