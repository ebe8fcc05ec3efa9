//! Runs of experiments over HTTP: begun by anybody, kept for a while, and told while they go on.
//!
//! A run is a task of the lab. It goes on when the client that began it leaves, and is
//! cancelled when the lab ends.

mod documents;
mod handlers;
mod kept;
mod run;
mod stream;

use std::sync::Arc;

use campuscafe_otlp_store::TraceStore;
use campuscafe_service::Lifecycle;
use tokio::sync::{Semaphore, watch};
use utoipa::OpenApi;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::lessons::Event;
use crate::links::Links;
use crate::run::experiments;
use crate::server::marks::Marks;
use crate::targets::{Addresses, KnownServices, TargetEnv};
use crate::view::log;
pub(super) use documents::BeginRun;
pub(super) use kept::MAX_KEPT;
use kept::{Runs, UnderWay};
pub(super) use run::Run;
use run::State;

/// Streams of events at one time: a class of thirty, each with several pages.
const MAX_STREAMS: usize = 100;

/// The call that shares its route with another.
#[derive(OpenApi)]
#[openapi(paths(handlers::run_as_text))]
struct Description;

/// What runs need, and the runs that are kept.
pub(in crate::server) struct RunServer {
    known: watch::Receiver<Option<KnownServices>>,
    store: Arc<TraceStore>,
    links: Links,
    marks: Marks,
    lifecycle: Lifecycle,
    runs: Arc<Runs>,
    streams: Arc<Semaphore>,
}

impl RunServer {
    pub(super) fn new(
        known: watch::Receiver<Option<KnownServices>>,
        store: Arc<TraceStore>,
        links: Links,
        marks: Marks,
        lifecycle: &Lifecycle,
    ) -> Self {
        let (lifecycle, streams) = (lifecycle.clone(), Arc::new(Semaphore::new(MAX_STREAMS)));
        Self { known, store, links, marks, lifecycle, runs: Arc::default(), streams }
    }

    pub(super) fn router(self: Arc<Self>) -> OpenApiRouter {
        OpenApiRouter::with_openapi(Description::openapi())
            .routes(routes!(handlers::begin_run, handlers::list_runs))
            .routes(routes!(handlers::run))
            .routes(routes!(handlers::run_events))
            .routes(routes!(handlers::decide))
            .with_state(self)
    }

    /// The runs that are kept, the newest first.
    pub(super) fn all(&self) -> Vec<Arc<Run>> {
        self.runs.all()
    }

    /// The run of this id, if it is kept.
    pub(super) fn find(&self, id: &str) -> Option<Arc<Run>> {
        self.runs.find(id)
    }

    /// Carries a run out at these services, until its end or that of the lab.
    fn carry_out(&self, mut under_way: UnderWay, services: Addresses) {
        let people = self.runs.people();
        let env = TargetEnv::of_lab(services, self.store.clone(), self.links.clone(), people);
        self.lifecycle.spawn_background(async move {
            let run = Arc::clone(&under_way.run);
            let mut observer = |event: Event<'_>| {
                log::write(event);
                run.tell(event);
                Ok(())
            };
            let (request, decider) = (run.request(), &mut under_way.decider);
            let result = experiments(&request, &env, decider, &mut observer).await;
            run.end(match result.as_deref() {
                Ok([findings]) => State::Ended(findings.conclusion()),
                Ok(_) => State::Failed("no experiment was carried out".to_owned()),
                Err(failure) => State::Failed(failure.to_string()),
            });
        });
    }
}
