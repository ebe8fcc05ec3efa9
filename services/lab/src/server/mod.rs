//! The lab's own HTTP server: it receives spans, hands traces out, and says where
//! the services are. [`services`] starts it together with services of its own.

pub(crate) mod services;

use std::sync::Arc;

use axum::Router;
use axum::http::StatusCode;
use axum::routing::{MethodRouter, get, post};
use campuscafe_api::Problem;
use campuscafe_service::{
    AllowedHosts, ExitError, Json, Lifecycle, ProblemResponse, ServerSettings, not_found, serve,
    with_admin_routes,
};
use campuscafe_telemetry::{Counter, Metric, Metrics};
use reqwest::Url;
use tokio::net::TcpListener;
use tokio::sync::{oneshot, watch};
use tokio::task::JoinHandle;

use crate::http::local_url;
use crate::lessons;
use crate::targets::{Addresses, Begun, EXPERIMENTS_PATH};
use campuscafe_otlp_store::{Limits, TraceStore};

const EXPERIMENTS: Metric =
    Metric { name: "lab_experiments_total", help: "Experiments that began, by name." };

/// A lab that serves; the services may be its own children or anybody's.
pub(crate) struct Lab {
    pub(crate) url: Url,
    pub(crate) store: Arc<TraceStore>,
    end: oneshot::Sender<()>,
    server: JoinHandle<Result<(), ExitError>>,
}

impl Lab {
    /// Serves; where the services are may become known later.
    pub(crate) fn open(
        listener: TcpListener,
        addresses: watch::Receiver<Option<Addresses>>,
        metrics: &Metrics,
        settings: &ServerSettings,
    ) -> Result<Self, ExitError> {
        let address = listener.local_addr();
        let address =
            address.map_err(|error| ExitError::Failed(format!("cannot serve: {error}")))?;
        let store = Arc::new(TraceStore::new(Limits::default()));
        let lifecycle = Lifecycle::default();
        let router = router(store.clone(), addresses, &settings.allowed_hosts, metrics, &lifecycle);
        let (end, ended) = oneshot::channel();
        let (metrics, settings) = (metrics.clone(), settings.clone());
        let server = tokio::spawn(async move {
            let end = async {
                // Dropping the sender ends the server as well.
                let _ = ended.await;
            };
            serve(listener, router, lifecycle, &metrics, &settings, end).await
        });
        Ok(Self { url: local_url(address)?, store, end, server })
    }

    /// Stops serving, once what is under way is answered.
    pub(crate) async fn close(self) {
        let _ = self.end.send(());
        let _ = self.server.await;
    }
}

/// The receiver and the read API of the traces, and where the services are as
/// soon as that is known.
///
/// None of it is traced: a receiver that traced its receiving would never be done.
fn router(
    store: Arc<TraceStore>,
    addresses: watch::Receiver<Option<Addresses>>,
    allowed: &AllowedHosts,
    metrics: &Metrics,
    lifecycle: &Lifecycle,
) -> Router {
    let services = get(async move || Json(addresses.borrow().clone()));
    let work = campuscafe_otlp_store::router(store, metrics)
        .route("/api/services", services)
        .route(EXPERIMENTS_PATH, count(metrics))
        .fallback(not_found);
    with_admin_routes(work, "/api/traces", allowed, metrics, lifecycle)
}

/// Counts the experiments that exist; another name would be a label from outside.
fn count(metrics: &Metrics) -> MethodRouter {
    let counter = |name| (name, metrics.counter(EXPERIMENTS, &[("experiment", name)]));
    let counters: Arc<[(&str, Counter)]> = lessons::names().map(counter).collect();
    post(async move |Json(begun): Json<Begun>| -> Result<StatusCode, ProblemResponse> {
        let Some((_, counter)) = counters.iter().find(|(name, _)| *name == begun.experiment) else {
            let names: Vec<_> = counters.iter().map(|(name, _)| *name).collect();
            return Err(Problem::new(400, "unknown-experiment", "Unknown experiment")
                .detail(format!("expected one of {}", names.join(", ")))
                .into());
        };
        counter.increment(1);
        Ok(StatusCode::NO_CONTENT)
    })
}
