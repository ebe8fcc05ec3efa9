//! Runs of experiments over HTTP: begun by anybody, kept for a while, and told while they go on.
//!
//! A run is a task of the lab. It goes on when the client that began it leaves, and is
//! cancelled when the lab ends.

mod documents;
mod growing;
mod handlers;
mod kept;
mod keys;
mod run;
mod storm;
mod stream;

use std::sync::Arc;

use campuscafe_evidence::log_lines::LogLines;
use campuscafe_evidence::span::{Span, from_otlp};
use campuscafe_evidence::waterfall::Waterfall;
use campuscafe_otlp_store::{TraceId, TraceStore};
use campuscafe_service::{ExitError, Lifecycle};
use campuscafe_telemetry::attribute;
use reqwest::Url;
use tokio::sync::{Semaphore, watch};
use utoipa::OpenApi;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::lessons::{Event, Findings};
use crate::links::Links;
use crate::page::NoRoom;
use crate::run::{Decider, Observer, experiments};
use crate::server::marks::Marks;
use crate::targets::{Addresses, ForOwnServices, KnownServices, TargetEnv};
use crate::view::log;
pub(super) use documents::BeginRun;
pub(super) use growing::Growing;
pub(super) use kept::MAX_KEPT;
use kept::{Runs, UnderWay};
use run::State;
pub(super) use run::{Plan, Run};
use storm::OwnServices;

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
    /// What runs need that start services of their own.
    for_own: ForOwnServices,
    /// Why it cannot run a storm, if it cannot.
    no_room: Option<NoRoom>,
}

impl RunServer {
    pub(super) fn new(
        known: watch::Receiver<Option<KnownServices>>,
        store: Arc<TraceStore>,
        links: Links,
        marks: Marks,
        lifecycle: &Lifecycle,
        for_own: ForOwnServices,
    ) -> Self {
        let (lifecycle, streams) = (lifecycle.clone(), Arc::new(Semaphore::new(MAX_STREAMS)));
        let (runs, no_room) = (Arc::default(), storm::no_room());
        Self { known, store, links, marks, lifecycle, runs, streams, for_own, no_room }
    }

    pub(super) fn router(self: Arc<Self>) -> OpenApiRouter {
        OpenApiRouter::with_openapi(Description::openapi())
            .routes(routes!(handlers::begin_run, handlers::list_runs))
            .routes(routes!(handlers::run))
            .routes(routes!(handlers::run_events))
            .routes(routes!(handlers::decide))
            .with_state(self)
    }

    /// Why this lab cannot run a storm, if it cannot.
    pub(super) fn no_room(&self) -> Option<NoRoom> {
        self.no_room
    }

    /// The runs that are kept, the newest first.
    pub(super) fn all(&self) -> Vec<Arc<Run>> {
        self.runs.all()
    }

    /// Where clients send orders, if that is known.
    pub(super) fn orders(&self) -> Option<String> {
        let known = self.known.borrow();
        known.as_ref()?.public.order.join("/orders").ok().map(String::from)
    }

    /// The run of this id, if it is kept.
    pub(super) fn find(&self, id: &str) -> Option<Arc<Run>> {
        self.runs.find(id)
    }

    /// The order that a run has under way, with the spans that have come by now.
    pub(super) fn growing(&self, run: &Run) -> Option<Growing> {
        growing::look(&self.store, run);
        run.growing()
    }

    /// The log lines of each finding of a run.
    pub(super) fn log_lines(&self, run: &Run) -> Vec<Arc<LogLines>> {
        run.log_lines(&self.store)
    }

    /// The run that these are spans of, if it is kept. Anybody may send spans, so it need not
    /// know of them.
    pub(super) fn run_of(&self, spans: &[Span]) -> Option<Arc<Run>> {
        spans.iter().find_map(|span| self.find(span.text(attribute::RUN)?))
    }

    /// The log lines of these spans of a trace.
    pub(super) fn lines_of(&self, trace: TraceId, spans: &Waterfall) -> LogLines {
        self.store.logs(trace).map(|logs| LogLines::of(&logs, spans)).unwrap_or_default()
    }

    /// The spans of a trace that have come.
    pub(super) fn spans(&self, trace: TraceId) -> Vec<Span> {
        self.store.trace(trace).map(|data| from_otlp(&data)).unwrap_or_default()
    }

    /// Carries a run out at these services, until its end or that of the lab.
    fn carry_out(&self, mut under_way: UnderWay, services: Addresses) {
        let people = self.runs.people();
        let (store, for_own) = (self.store.clone(), self.for_own.clone());
        let url = for_own.lab.clone();
        let env =
            TargetEnv::of_lab(services, self.store.clone(), self.links.clone(), people, for_own);
        self.lifecycle.spawn_background(async move {
            let run = Arc::clone(&under_way.run);
            let mut observer = |event: Event<'_>| {
                log::write(event);
                run.tell(event);
                Ok(())
            };
            let decider = &mut under_way.decider;
            let result = tokio::select! {
                result = carry_out(&run, &env, decider, &mut observer, &url) => result,
                never = growing::follow(&store, &run) => match never {},
            };
            run.log_lines(&store);
            run.end(match result.as_deref() {
                Ok([findings]) => State::Ended(findings.conclusion()),
                Ok(_) => State::Failed("no experiment was carried out".to_owned()),
                Err(failure) => State::Failed(failure.to_string()),
            });
        });
    }
}

/// Carries a run out; one of a storm at services that it starts, and ends before it is over.
async fn carry_out(
    run: &Run,
    env: &TargetEnv,
    decider: &mut Decider,
    observer: &mut Observer<'_>,
    lab: &Url,
) -> Result<Vec<Findings>, ExitError> {
    let Some(plan) = run.plan.experiment.storm() else {
        return experiments(&run.request(None), env, decider, observer).await;
    };
    let mut own = OwnServices::start(plan, lab).await?;
    let request = run.request(Some(own.addresses()));
    let result = tokio::select! {
        result = experiments(&request, env, decider, observer) => result,
        sentence = own.first_exit() => Err(ExitError::Failed(sentence)),
    };
    own.end().await;
    result
}
