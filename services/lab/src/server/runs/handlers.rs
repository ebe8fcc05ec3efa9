//! The calls at `/api/runs`.

use std::sync::Arc;
use std::time::SystemTime;

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use campuscafe_api::Problem;
use campuscafe_api::order::PlaceOrder;
use campuscafe_service::{Json, PathParam, ProblemResponse};
use utoipa::IntoResponses;

use super::documents::{
    BeginRun, BeginRunForm, Decide, RunDocument, RunEvent, RunList, RunSummary, runnable,
};
use super::kept::{Busy, MAX_KEPT, MAX_UNDER_WAY};
use super::run::{Plan, Run};
use super::stream::{already_sent, stream};
use super::{MAX_STREAMS, RunServer};
use crate::lessons::{ALL, Experiment, FREE, Trial, comparison, comparisons};
use crate::page::NoRoom;
use crate::server::marks::unknown_experiment;

/// When a run or a stream that found no place may be asked for again, in seconds.
const RETRY_AFTER: u64 = 2;

/// The same for a storm that found another one under way, in seconds.
const STORM_RETRY_AFTER: u64 = 20;

/// After the id of a run: the run as text.
const TEXT: &str = ".md";

/// No run of this id is kept.
#[derive(IntoResponses)]
#[response(status = 404, content_type = "application/problem+json", description = "No such run is kept", example = json!({"type": "urn:problem-type:campuscafe:no-such-run", "title": "No such run", "status": 404, "detail": "the lab knows no such run; it keeps the newest 50 runs of its own time, so this one may be forgotten"}))]
#[allow(dead_code, reason = "it is read for its description only")]
struct NoSuchRun(Problem);

/// Begins a run of an experiment, or of a comparison, at the services of this lab.
///
/// The run goes on when the client leaves. Ask for its document at the address in
/// `Location`, or follow its events.
#[utoipa::path(post, path = "/api/runs", tag = "runs", request_body = BeginRunForm,
    responses((status = 202, body = RunDocument, description = "The run has begun",
            headers(("Location" = String, description = "Where the run is"))),
        (status = 400, body = Problem, content_type = "application/problem+json", description = "The request is invalid, there is no such experiment, or it needs a cluster", example = json!({"type": "urn:problem-type:campuscafe:unknown-experiment", "title": "Unknown experiment", "status": 400, "detail": "expected one of local, slow, jitter, cut, recover, reorder, nature, double, policy"})),
        (status = 404, body = Problem, content_type = "application/problem+json", description = "The experiment has no such trial", example = json!({"type": "urn:problem-type:campuscafe:no-such-trial", "title": "No such trial", "status": 404, "detail": "the last trial of double is 2"})),
        (status = 408, body = Problem, content_type = "application/problem+json", description = "The body did not arrive within 10 s"),
        (status = 413, body = Problem, content_type = "application/problem+json", description = "Body over 16 KiB"),
        (status = 415, body = Problem, content_type = "application/problem+json", description = "Not application/json"),
        (status = 503, body = Problem, content_type = "application/problem+json", description = "No services are known yet, too many runs are under way, or the lab has no database that the run needs",
            headers(("Retry-After" = u64, description = "Seconds")), example = json!({"type": "urn:problem-type:campuscafe:too-many-runs", "title": "Too many runs", "status": 503, "detail": "8 runs are under way, which is the limit. None was begun; send it again after 2 s"}))))]
pub(super) async fn begin_run(
    State(server): State<Arc<RunServer>>,
    Json(asked): Json<BeginRun>,
) -> Result<Response, ProblemResponse> {
    let run = server.begin(&asked)?;
    let location = [(header::LOCATION, format!("/api/runs/{}", run.id))];
    Ok((StatusCode::ACCEPTED, location, Json(RunDocument::of(&run))).into_response())
}

impl RunServer {
    /// Begins a run, if there is such an experiment and room for it.
    pub(in crate::server) fn begin(&self, asked: &BeginRun) -> Result<Arc<Run>, ProblemResponse> {
        let experiment = match (&asked.experiment, &asked.compare) {
            (Some(name), None) => experiment(name)?,
            (None, Some(name)) if asked.trial.is_none() => compared(name)?,
            _ => return Err(not_one_of_both()),
        };
        let last = experiment.trials.len();
        if asked.trial.is_some_and(|number| !(1..=last).contains(&number)) {
            return Err(Problem::new(404, "no-such-trial", "No such trial")
                .detail(format!("the last trial of {} is {last}", experiment.name))
                .into());
        }
        let seed = asked.seed.unwrap_or_else(|| rand::random::<u32>().into());
        self.begin_plan(Plan { experiment, trial: asked.trial, seed, order: None })
    }

    /// Begins a run of an order of somebody's own, if there is room for it.
    pub(in crate::server) fn begin_free(
        &self,
        order: PlaceOrder,
    ) -> Result<Arc<Run>, ProblemResponse> {
        let plan = Plan { experiment: &FREE, trial: Some(1), seed: 0, order: Some(order) };
        self.begin_plan(plan)
    }

    fn begin_plan(&self, plan: Plan) -> Result<Arc<Run>, ProblemResponse> {
        let services = self.known.borrow().as_ref().map(|services| services.internal.clone());
        let services = services.ok_or_else(no_services)?;
        let experiment = plan.experiment;
        if let Some(no_room) = self.no_room.filter(|_| experiment.storm().is_some()) {
            return Err(no_room_for_storm(no_room));
        }
        let only = plan.trial.and_then(|number| experiment.trials.get(number.checked_sub(1)?));
        if only.is_some_and(Trial::needs_database) && self.for_own.database.is_none() {
            return Err(no_database());
        }
        let under_way =
            self.runs.begin(plan, SystemTime::now()).map_err(|busy| too_many_runs(&busy))?;
        self.marks.count(experiment.name);
        let run = Arc::clone(&under_way.run);
        self.carry_out(under_way, services);
        Ok(run)
    }
}

/// Lists the newest runs, in one line each.
#[utoipa::path(get, path = "/api/runs", tag = "runs",
    responses((status = 200, body = RunList, description = "The newest first")))]
pub(super) async fn list_runs(State(server): State<Arc<RunServer>>) -> Json<RunList> {
    let runs = server.runs.all();
    Json(RunList { runs: runs.iter().map(|run| RunSummary::of(run)).collect() })
}

/// One run: what `campuscafe experiment NAME --json` prints, as far as the run has gone.
#[utoipa::path(get, path = "/api/runs/{id}", tag = "runs",
    params(("id" = String, Path, description = "The id of a run", pattern = "^[0-9a-f]{32}$", example = "0af7651916cd43dd8448eb211c80319c")),
    responses((status = 200, body = RunDocument, description = "The run"),
        NoSuchRun))]
pub(super) async fn run(
    State(server): State<Arc<RunServer>>,
    PathParam(id): PathParam,
) -> Result<Response, ProblemResponse> {
    // A path of axum cannot name a part of a segment, so both calls come here.
    match id.strip_suffix(TEXT) {
        Some(id) => Ok(run_as_text(&server, &*find(&server, id)?)),
        None => Ok(Json(RunDocument::of(&*find(&server, &id)?)).into_response()),
    }
}

/// One run as Markdown, to be pasted into an assistant.
///
/// It holds the requests, the diagrams, the spans, the log lines and the ledger, and no
/// verdict: the question what happened is left open.
#[utoipa::path(get, path = "/api/runs/{id}.md", tag = "runs",
    params(("id" = String, Path, description = "The id of a run", pattern = "^[0-9a-f]{32}$", example = "0af7651916cd43dd8448eb211c80319c")),
    responses((status = 200, body = String, content_type = "text/markdown", description = "The run"),
        NoSuchRun))]
fn run_as_text(server: &RunServer, run: &Run) -> Response {
    let text = run.markdown(&server.store);
    ([(header::CONTENT_TYPE, "text/markdown; charset=utf-8")], text).into_response()
}

/// What a run tells, from its beginning, as Server-Sent Events.
///
/// The events are `began`, `trial_began`, `trial_skipped`, `delivered`, `surplus_ordered`,
/// `order_sent`, `order_answered`, `inventory_killed`, `inventory_restarted`, `series_sent`,
/// `pings_sent`, `pings_answered`, `answer_held`, `undecided`, `storm_second`,
/// `spans_arrived`, `settled`, `judged` and `ended`; the data of
/// each is JSON. `judged` has the same finding as the document of the run. `ended` is the last:
/// it has the state and the conclusion, and the stream ends with it. Between them comes
/// `picture`, without an id, whenever the page of the run has more to show of what is under
/// way, at most five times a second.
#[utoipa::path(get, path = "/api/runs/{id}/events", tag = "runs",
    params(("id" = String, Path, description = "The id of a run", pattern = "^[0-9a-f]{32}$", example = "0af7651916cd43dd8448eb211c80319c"),
        ("Last-Event-ID" = Option<String>, Header, description = "The id of the last event that came; the stream begins after it", example = "3")),
    responses((status = 200, body = RunEvent, content_type = "text/event-stream", description = "The events"),
        (status = 204, description = "The run is over, and its last event has come already: a browser then asks no more"),
        NoSuchRun,
        (status = 503, body = Problem, content_type = "application/problem+json", description = "Too many streams are open",
            headers(("Retry-After" = u64, description = "Seconds")), example = json!({"type": "urn:problem-type:campuscafe:too-many-streams", "title": "Too many streams", "status": 503, "detail": "100 streams of events are open, which is the limit; ask again after 2 s, or ask for the run itself"}))))]
pub(super) async fn run_events(
    State(server): State<Arc<RunServer>>,
    PathParam(id): PathParam,
    headers: HeaderMap,
) -> Result<Response, ProblemResponse> {
    let run = find(&server, &id)?;
    let sent = already_sent(&headers);
    if !run.is_running() && sent >= run.events() {
        return Ok(StatusCode::NO_CONTENT.into_response());
    }
    let streams = Arc::clone(&server.streams);
    let permit = streams.try_acquire_owned().map_err(|_| too_many_streams())?;
    Ok(stream(run, sent, server.lifecycle.clone(), permit).into_response())
}

/// Decides what becomes of the answer that a run of `doubt` holds.
#[utoipa::path(post, path = "/api/runs/{id}/decision", tag = "runs", request_body = Decide,
    params(("id" = String, Path, description = "The id of a run", pattern = "^[0-9a-f]{32}$", example = "0af7651916cd43dd8448eb211c80319c")),
    responses((status = 204, description = "Decided"),
        (status = 400, body = Problem, content_type = "application/problem+json", description = "The request is invalid"),
        (status = 408, body = Problem, content_type = "application/problem+json", description = "The body did not arrive within 10 s"),
        NoSuchRun,
        (status = 409, body = Problem, content_type = "application/problem+json", description = "No answer of this run is held now, or it is decided already", example = json!({"type": "urn:problem-type:campuscafe:nothing-held", "title": "Nothing held", "status": 409, "detail": "no answer of this run is held now, or it is decided already"})),
        (status = 413, body = Problem, content_type = "application/problem+json", description = "Body over 16 KiB"),
        (status = 415, body = Problem, content_type = "application/problem+json", description = "Not application/json")))]
pub(super) async fn decide(
    State(server): State<Arc<RunServer>>,
    PathParam(id): PathParam,
    Json(Decide { decision }): Json<Decide>,
) -> Result<StatusCode, ProblemResponse> {
    if find(&server, &id)?.decide(decision) {
        return Ok(StatusCode::NO_CONTENT);
    }
    Err(Problem::new(409, "nothing-held", "Nothing held")
        .detail("no answer of this run is held now, or it is decided already")
        .into())
}

fn find(server: &RunServer, id: &str) -> Result<Arc<Run>, ProblemResponse> {
    server.runs.find(id).ok_or_else(|| {
        Problem::new(404, "no-such-run", "No such run")
            .detail(format!(
                "the lab knows no such run; it keeps the newest {MAX_KEPT} runs of its own time, so \
                 this one may be forgotten"
            ))
            .into()
    })
}

fn experiment(name: &str) -> Result<&'static Experiment, ProblemResponse> {
    if let Some(experiment) = runnable().find(|experiment| experiment.name == name) {
        return Ok(experiment);
    }
    if ALL.into_iter().any(|experiment| experiment.name == name) {
        return Err(Problem::new(400, "needs-cluster", "Needs a cluster")
            .detail(format!(
                "{name} needs a person who replaces pods on a cluster meanwhile; run `campuscafe \
                 experiment {name}` there"
            ))
            .into());
    }
    let names: Vec<_> = runnable().map(|experiment| experiment.name).collect();
    Err(unknown_experiment(&names))
}

fn compared(name: &str) -> Result<&'static Experiment, ProblemResponse> {
    comparison(name).ok_or_else(|| {
        let names: Vec<_> = comparisons().map(|experiment| experiment.name).collect();
        Problem::new(400, "unknown-comparison", "Unknown comparison")
            .detail(format!("expected one of {}", names.join(", ")))
            .into()
    })
}

fn not_one_of_both() -> ProblemResponse {
    Problem::new(400, "experiment-or-comparison", "Experiment or comparison")
        .detail("expected experiment, with or without a trial, or else compare without a trial")
        .into()
}

fn no_services() -> ProblemResponse {
    let problem = Problem::new(503, "no-services", "No services").detail(format!(
        "this lab knows no services yet, so nothing was begun; send it again after {RETRY_AFTER} s"
    ));
    ProblemResponse::from(problem).retry_after(RETRY_AFTER)
}

fn too_many_runs(busy: &Busy) -> ProblemResponse {
    let why = match busy {
        Busy::Full => format!("{MAX_UNDER_WAY} runs are under way, which is the limit"),
        Busy::Large => {
            "another large run is under way, and two would disturb each other".to_owned()
        }
        Busy::Services => {
            "another run that starts services of its own is under way, and two would disturb each other"
                .to_owned()
        }
        Busy::Storm => {
            "another storm is under way, which takes a minute, and two would disturb each other"
                .to_owned()
        }
    };
    let after = if *busy == Busy::Storm { STORM_RETRY_AFTER } else { RETRY_AFTER };
    let problem = Problem::new(503, "too-many-runs", "Too many runs")
        .detail(format!("{why}. None was begun; send it again after {after} s"));
    ProblemResponse::from(problem).retry_after(after)
}

fn no_room_for_storm(NoRoom { has, needs }: NoRoom) -> ProblemResponse {
    Problem::new(503, "no-room", "No room for a storm")
        .detail(format!(
            "the container of this lab has {has} MiB of memory, and a storm needs {needs} MiB; run \
             `campuscafe compare storm` in a terminal of your own machine"
        ))
        .into()
}

fn no_database() -> ProblemResponse {
    Problem::new(503, "no-database", "No database for experiments")
        .detail(
            "this run starts an inventory that keeps its stock in PostgreSQL, and this lab has no \
             database for that; start the lab with EXPERIMENT_DATABASE_URL",
        )
        .into()
}

fn too_many_streams() -> ProblemResponse {
    let problem = Problem::new(503, "too-many-streams", "Too many streams").detail(format!(
        "{MAX_STREAMS} streams of events are open, which is the limit; ask again after \
         {RETRY_AFTER} s, or ask for the run itself"
    ));
    ProblemResponse::from(problem).retry_after(RETRY_AFTER)
}

#[cfg(test)]
mod tests {
    use campuscafe_otlp_store::TraceStore;
    use campuscafe_service::Lifecycle;
    use campuscafe_telemetry::Metrics;
    use reqwest::Url;
    use tokio::sync::watch;

    use super::*;
    use crate::links::Links;
    use crate::server::marks::Marks;
    use crate::targets::{Addresses, ForOwnServices, KnownServices};

    fn server(known: Option<KnownServices>) -> RunServer {
        let (_tell, known) = watch::channel(known);
        let (store, marks) = (Arc::<TraceStore>::default(), Marks::new(&Metrics::new("1")));
        let lab = "http://127.0.0.1:5301".parse().unwrap();
        let own = ForOwnServices { lab, database: None };
        RunServer::new(known, store, Links::default(), marks, &Lifecycle::default(), own)
    }

    fn run_of(experiment: &str) -> BeginRun {
        BeginRun { experiment: Some(experiment.to_owned()), ..BeginRun::default() }
    }

    #[tokio::test]
    async fn a_lab_without_room_for_a_storm_begins_none_and_says_what_to_do_instead() {
        let nowhere: Url = "http://127.0.0.1:5301".parse().unwrap();
        let services = Addresses { order: nowhere.clone(), inventory: nowhere };
        let mut server = server(Some(KnownServices::at(services)));
        server.no_room = Some(NoRoom { has: 128, needs: 256 });
        let server = Arc::new(server);
        let asked = BeginRun { compare: Some("storm".to_owned()), ..BeginRun::default() };
        for asked in [run_of("storm"), asked] {
            let refused = begin_run(State(server.clone()), Json(asked)).await.unwrap_err();
            assert_eq!(refused.problem.status, 503);
            let detail = refused.problem.detail.unwrap();
            assert!(detail.contains("has 128 MiB of memory, and a storm needs 256"), "{detail}");
            assert!(detail.contains("campuscafe compare storm"), "{detail}");
        }
        assert!(server.runs.all().is_empty());
        assert!(begin_run(State(server), Json(run_of("double"))).await.is_ok());
    }

    #[tokio::test]
    async fn a_lab_that_knows_no_services_yet_begins_nothing() {
        let server = Arc::new(server(None));
        let refused = begin_run(State(server.clone()), Json(run_of("double"))).await.unwrap_err();
        assert_eq!(refused.problem.status, 503);
        assert!(refused.problem.detail.unwrap().contains("knows no services yet"));
        assert!(server.runs.all().is_empty());
    }
}
