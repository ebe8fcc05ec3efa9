//! The lab's own HTTP server: it receives spans, hands traces out, and says where
//! the services are. [`services`] starts it together with services of its own.

pub(crate) mod services;

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::{Extension, Router};
use campuscafe_api::Problem;
use campuscafe_service::{
    AllowedHosts, ExitError, Json, Lifecycle, ProblemResponse, ServerSettings, serve,
    with_admin_routes,
};
use campuscafe_telemetry::{Counter, Metric, Metrics};
use reqwest::Url;
use tokio::net::TcpListener;
use tokio::sync::{oneshot, watch};
use tokio::task::JoinHandle;
use utoipa::OpenApi;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::http::local_url;
use crate::lessons;
use crate::targets::{Addresses, Begun, MARKS_PATH};
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

#[derive(OpenApi)]
#[openapi(info(
    title = "CampusCafe lab",
    description = "Receives spans over OTLP, keeps the newest traces and hands them out. \
                   Every refusal is a problem after RFC 9457, but for `/v1/traces`, which \
                   answers as OTLP says."
))]
struct Description;

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
    let (work, description) = OpenApiRouter::with_openapi(Description::openapi())
        .routes(routes!(services))
        .routes(routes!(count_experiment))
        .layer(Extension(Counters::new(metrics)))
        .with_state(addresses)
        .merge(campuscafe_otlp_store::router(store, metrics))
        .split_for_parts();
    with_admin_routes(work, description, allowed, metrics, lifecycle)
}

/// Where the services of this lab are; null as long as none is known.
#[utoipa::path(get, path = "/api/services", tag = "lab",
    responses((status = 200, body = Option<Addresses>, description = "The addresses, or null")))]
async fn services(
    State(addresses): State<watch::Receiver<Option<Addresses>>>,
) -> Json<Option<Addresses>> {
    Json(addresses.borrow().clone())
}

/// A counter for each experiment that exists; another name would be a label from outside.
#[derive(Clone)]
struct Counters(Arc<[(&'static str, Counter)]>);

impl Counters {
    fn new(metrics: &Metrics) -> Self {
        let counter = |name| (name, metrics.counter(EXPERIMENTS, &[("experiment", name)]));
        Self(lessons::names().map(counter).collect())
    }
}

/// Counts an experiment that begins.
#[utoipa::path(post, path = MARKS_PATH, tag = "lab", request_body = Begun,
    responses((status = 204, description = "Counted"),
        (status = 400, body = Problem, content_type = "application/problem+json", description = "The request is invalid, or there is no such experiment"),
        (status = 408, body = Problem, content_type = "application/problem+json", description = "The body did not arrive within 10 s"),
        (status = 413, body = Problem, content_type = "application/problem+json", description = "Body over 16 KiB"),
        (status = 415, body = Problem, content_type = "application/problem+json", description = "Not application/json")))]
async fn count_experiment(
    Extension(Counters(counters)): Extension<Counters>,
    Json(begun): Json<Begun>,
) -> Result<StatusCode, ProblemResponse> {
    let Some((_, counter)) = counters.iter().find(|(name, _)| *name == begun.experiment) else {
        let names: Vec<_> = counters.iter().map(|(name, _)| *name).collect();
        return Err(Problem::new(400, "unknown-experiment", "Unknown experiment")
            .detail(format!("expected one of {}", names.join(", ")))
            .into());
    };
    counter.increment(1);
    Ok(StatusCode::NO_CONTENT)
}
