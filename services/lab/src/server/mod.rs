//! The lab's own HTTP server: it receives spans and log records, hands traces out, runs experiments, and
//! says where the services are. [`services`] starts it together with services of its own.

mod marks;
mod pages;
mod runs;
pub(crate) mod services;

use std::sync::Arc;

use axum::extract::State;
use campuscafe_service::{ExitError, Json, Lifecycle, ServerSettings, serve, with_admin_routes};
use campuscafe_telemetry::Metrics;
use reqwest::Url;
use tokio::net::TcpListener;
use tokio::sync::{oneshot, watch};
use tokio::task::JoinHandle;
use utoipa::OpenApi;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::http::local_url;
use crate::links::Links;
use crate::targets::{Addresses, ExperimentDatabase, ForOwnServices, KnownServices};
use campuscafe_otlp_store::{Limits, TraceStore};
use marks::Marks;
use runs::RunServer;

/// A lab that serves; the services may be its own children or anybody's.
pub(crate) struct Lab {
    pub(crate) url: Url,
    pub(crate) store: Arc<TraceStore>,
    pub(crate) for_own: ForOwnServices,
    end: oneshot::Sender<()>,
    server: JoinHandle<Result<(), ExitError>>,
}

impl Lab {
    /// Serves; where the services are may become known later. The runs that it is asked
    /// for have these links, and this database for services of their own.
    pub(crate) fn open(
        listener: TcpListener,
        known: watch::Receiver<Option<KnownServices>>,
        links: Links,
        database: ExperimentDatabase,
        metrics: &Metrics,
        settings: &ServerSettings,
    ) -> Result<Self, ExitError> {
        let address = listener.local_addr();
        let address =
            address.map_err(|error| ExitError::Failed(format!("cannot serve: {error}")))?;
        let store = Arc::new(TraceStore::new(Limits::default()));
        let lifecycle = Lifecycle::default();
        let for_own = ForOwnServices { lab: local_url(address)?, database: database.settings() };
        let work = work(store.clone(), known, links, metrics, &lifecycle, for_own.clone());
        let (work, description) = work.split_for_parts();
        let router =
            with_admin_routes(work, description, &settings.allowed_hosts, metrics, &lifecycle);
        let (end, ended) = oneshot::channel();
        let (metrics, settings) = (metrics.clone(), settings.clone());
        let server = tokio::spawn(async move {
            let end = async {
                // Dropping the sender ends the server as well.
                let _ = ended.await;
            };
            serve(listener, router, lifecycle, &metrics, &settings, end).await
        });
        Ok(Self { url: for_own.lab.clone(), store, for_own, end, server })
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
    description = "Receives spans and log records over OTLP, keeps the newest traces and hands them out, and \
                   runs experiments at its services. Every refusal is a problem after RFC 9457, \
                   but for `/v1/traces` and `/v1/logs`, which answer as OTLP says."
))]
struct Description;

/// The receiver and the read API of the traces, the runs, and where the services are as
/// soon as that is known.
///
/// None of it is traced: a receiver that traced its receiving would never be done.
fn work(
    store: Arc<TraceStore>,
    known: watch::Receiver<Option<KnownServices>>,
    links: Links,
    metrics: &Metrics,
    lifecycle: &Lifecycle,
    for_own: ForOwnServices,
) -> OpenApiRouter {
    let marks = Marks::new(metrics);
    let runs =
        RunServer::new(known.clone(), store.clone(), links, marks.clone(), lifecycle, for_own);
    let runs = Arc::new(runs);
    OpenApiRouter::with_openapi(Description::openapi())
        .merge(OpenApiRouter::new().routes(routes!(services)).with_state(known))
        .merge(OpenApiRouter::new().routes(routes!(marks::count_experiment)).with_state(marks))
        .merge(runs.clone().router())
        .merge(pages::router(runs).into())
        .merge(campuscafe_otlp_store::router(store, metrics))
}

/// Where the services of this lab are; null as long as none is known.
#[utoipa::path(get, path = "/api/services", tag = "lab",
    responses((status = 200, body = Option<Addresses>, description = "The addresses, or null")))]
async fn services(
    State(known): State<watch::Receiver<Option<KnownServices>>>,
) -> Json<Option<Addresses>> {
    Json(known.borrow().as_ref().map(|services| services.public.clone()))
}
