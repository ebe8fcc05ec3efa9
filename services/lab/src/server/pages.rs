//! The pages: what a browser asks for, and the forms that it sends.
//!
//! A form is answered by a redirect to the page that shows what came of it, so that a
//! reload sends nothing again.

mod reader;

use std::sync::{Arc, PoisonError};
use std::time::SystemTime;

use axum::Router;
use axum::extract::rejection::{PathRejection, QueryRejection};
use axum::extract::{Path, Query, Request, State};
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{Html, IntoResponse as _, Redirect, Response};
use axum::routing::{get, post};
use campuscafe_evidence::from_spans::FromSpans as _;
use campuscafe_evidence::order_trace;
use campuscafe_evidence::waterfall::OrderSpans;
use campuscafe_otlp_store::TraceId;
use campuscafe_service::{Form, ProblemResponse};
use serde::Deserialize;

use super::runs::{BeginRun, MAX_KEPT, Plan, Run, RunServer};
use crate::lessons::{Decision, comparison};
use crate::page::{
    self, Answers, Case, FreeOrder, Growing, Past, Question, Quiz, Stage, View, assets,
};
use reader::{keep, reader};

type Runs = State<Arc<RunServer>>;

/// What a person begins, with their prediction.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Begin {
    experiment: Option<String>,
    /// The name of a comparison, in place of an experiment.
    compare: Option<String>,
    /// Without it, the whole experiment.
    trial: Option<usize>,
    knows: Option<String>,
    reservations: Option<String>,
    choice: Option<String>,
}

impl Begin {
    /// What the person predicts, or the text that is no answer.
    fn answers(&self) -> Result<Answers, String> {
        let name = self.experiment.as_deref().unwrap_or_default();
        let case = Case::find(name, self.trial.unwrap_or(1));
        let questions = case.filter(|_| self.trial.is_some()).map_or(&[][..], Case::questions);
        let fields = [
            ("knows", &self.knows),
            ("reservations", &self.reservations),
            ("choice", &self.choice),
        ];
        let mut answers = Answers::default();
        for (field, text) in fields {
            let question = questions.iter().find(|question| question.field == field);
            if let (Some(question), Some(text)) = (question, text)
                && !answers.note(question, text)
            {
                return Err(text.clone());
            }
        }
        Ok(answers)
    }
}

/// An answer to a question of the quiz.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Answered {
    question: String,
    choice: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Observation {
    commit: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Decide {
    decision: Decision,
}

pub(super) fn router(runs: Arc<RunServer>) -> Router {
    Router::new()
        .route("/", get(home))
        .route("/catalogue", get(catalogue))
        .route("/quiz", get(quiz).post(begin_quiz))
        .route("/lessons/{name}", get(first_case))
        .route("/lessons/{name}/worlds", get(worlds))
        .route("/lessons/{name}/{number}", get(lesson))
        .route("/compare/{name}", get(compare))
        .route("/runs", post(begin))
        .route("/free", post(begin_free))
        .route("/runs/{id}", get(run))
        .route("/runs/{id}/observation", post(observe))
        .route("/runs/{id}/decision", post(decide))
        .route("/traces/{id}", get(trace))
        .route("/choices", post(keep))
        .route("/assets/{name}", get(asset))
        .with_state(runs)
}

async fn home(State(runs): Runs, headers: HeaderMap) -> Html<String> {
    Html(page::home(reader(&headers), &all(&runs)))
}

async fn catalogue(State(runs): Runs, headers: HeaderMap) -> Html<String> {
    Html(page::catalogue(reader(&headers), &all(&runs)))
}

async fn quiz(headers: HeaderMap) -> Html<String> {
    Html(page::quiz(reader(&headers)))
}

/// The runs that are kept, the newest first.
fn all(runs: &RunServer) -> Vec<Past> {
    runs.all().iter().filter_map(|run| past(run)).collect()
}

fn past(run: &Run) -> Option<Past> {
    let case = case(run)?;
    let state = run.state();
    let state = match state.conclusion() {
        Some(conclusion) => conclusion.state(),
        None if state.reason().is_some() => "state-failed",
        None => "state-running",
    };
    let one_case = run.plan.trial.is_some();
    Some(Past { id: run.id.clone(), case, one_case, began_at: run.began_at(), state })
}

/// The case that a run is of; the first of all, if it is of all.
fn case(run: &Run) -> Option<Case> {
    let Plan { experiment, trial, .. } = run.plan;
    match (trial, experiment.compares()) {
        // It is no lesson by itself.
        (None, true) => Some(Case { experiment, number: 1 }),
        _ => Case::find(experiment.name, trial.unwrap_or(1)),
    }
}

/// A part of a path; a path that cannot be read names no lesson.
type Named<T> = Result<Path<T>, PathRejection>;

async fn first_case(name: Named<String>, headers: HeaderMap) -> Response {
    match name.ok().and_then(|Path(name)| Case::find(&name, 1)) {
        Some(case) => Redirect::to(&case.path()).into_response(),
        None => no_such_lesson(&headers),
    }
}

async fn lesson(
    State(runs): Runs,
    case: Named<(String, usize)>,
    written: Result<Query<FreeOrder>, QueryRejection>,
    headers: HeaderMap,
) -> Response {
    let Some(case) = case.ok().and_then(|Path((name, number))| Case::find(&name, number)) else {
        return no_such_lesson(&headers);
    };
    let (reader, orders) = (reader(&headers), runs.orders());
    // Free play whose form asks for the command only.
    if let Some(Query(written)) = written.ok().filter(|_| case.is_free()) {
        return match written.clone().order() {
            Ok(order) => {
                let page = page::free(reader, case, &written, Some(&order), orders.as_deref());
                Html(page).into_response()
            }
            Err(limit) => no_limit(&headers, limit),
        };
    }
    Html(page::lesson(reader, case, orders.as_deref())).into_response()
}

async fn worlds(name: Named<String>, headers: HeaderMap) -> Response {
    let case = name.ok().and_then(|Path(name)| Case::find(&name, 1));
    match case.and_then(|case| page::worlds(reader(&headers), case.experiment)) {
        Some(page) => Html(page).into_response(),
        None => no_such_lesson(&headers),
    }
}

async fn compare(State(runs): Runs, name: Named<String>, headers: HeaderMap) -> Response {
    match name.ok().and_then(|Path(name)| comparison(&name)) {
        Some(experiment) => {
            let page = page::comparison(reader(&headers), experiment, runs.no_room());
            Html(page).into_response()
        }
        None => no_such_lesson(&headers),
    }
}

fn no_such_lesson(headers: &HeaderMap) -> Response {
    told(headers, StatusCode::NOT_FOUND, "lesson-gone", &[])
}

/// A page that says one thing.
fn told(
    headers: &HeaderMap,
    status: StatusCode,
    id: &str,
    values: &[(&'static str, crate::messages::Value)],
) -> Response {
    let reader = reader(headers);
    let text = reader.language.tell(id, values);
    (status, Html(page::message(reader, "/", &text))).into_response()
}

async fn begin(State(runs): Runs, headers: HeaderMap, Form(form): Form<Begin>) -> Response {
    let answers = match form.answers() {
        Ok(answers) => answers,
        Err(text) => return no_answer(&headers, text),
    };
    let Begin { experiment, compare, trial, .. } = form;
    let asked = BeginRun { experiment, compare, trial, seed: None };
    begin_with(&runs, &headers, &asked, answers)
}

async fn begin_quiz(State(runs): Runs, headers: HeaderMap, Form(form): Form<Answered>) -> Response {
    let Answered { question, choice } = form;
    let Some(quiz) = Quiz::find(&question) else { return no_answer(&headers, question) };
    let mut answers = Answers::to(quiz);
    if !answers.note(&quiz.question, &choice) {
        return no_answer(&headers, choice);
    }
    let (experiment, trial) = (Some(quiz.experiment.to_owned()), quiz.trial);
    let asked = BeginRun { experiment, compare: None, trial, seed: None };
    begin_with(&runs, &headers, &asked, answers)
}

/// Begins a run, and keeps what was answered before it.
fn begin_with(
    runs: &RunServer,
    headers: &HeaderMap,
    asked: &BeginRun,
    answers: Answers,
) -> Response {
    match runs.begin(asked) {
        Ok(run) => {
            answer(&run, |kept| *kept = answers);
            to_run(&run.id)
        }
        Err(refused) => refusal(headers, &refused),
    }
}

fn no_answer(headers: &HeaderMap, text: String) -> Response {
    told(headers, StatusCode::BAD_REQUEST, "no-such-answer", &[("answer", text.into())])
}

async fn begin_free(
    State(runs): Runs,
    headers: HeaderMap,
    Form(form): Form<FreeOrder>,
) -> Response {
    let order = match form.order() {
        Ok(order) => order,
        Err(limit) => return no_limit(&headers, limit),
    };
    match runs.begin_free(order) {
        Ok(run) => to_run(&run.id),
        Err(refused) => refusal(&headers, &refused),
    }
}

fn no_limit(headers: &HeaderMap, limit: String) -> Response {
    told(headers, StatusCode::BAD_REQUEST, "free-no-limit", &[("limit", limit.into())])
}

/// A refusal as a page; its sentence is that of the API.
fn refusal(headers: &HeaderMap, refused: &ProblemResponse) -> Response {
    let problem = &refused.problem;
    let status = StatusCode::from_u16(problem.status).unwrap_or(StatusCode::BAD_REQUEST);
    let reason = problem.detail.clone().unwrap_or_else(|| problem.title.clone());
    told(headers, status, "run-busy", &[("reason", reason.into())])
}

fn answer(run: &Run, change: impl FnOnce(&mut Answers)) {
    change(&mut run.answers.lock().unwrap_or_else(PoisonError::into_inner));
}

fn to_run(id: &str) -> Response {
    Redirect::to(&format!("/runs/{id}")).into_response()
}

async fn run(State(runs): Runs, Path(id): Path<String>, headers: HeaderMap) -> Response {
    let Some((run, case)) = runs.find(&id).and_then(|run| Some((run.clone(), case(&run)?))) else {
        return no_such_run(&headers);
    };
    let growing = runs.growing(&run);
    let so_far = growing.map(|growing| growing.so_far(SystemTime::now()));
    let storm = run.storm();
    let so_far = so_far.as_ref().map(Growing::Order).or(storm.as_ref().map(Growing::Storm));
    let (state, findings) = (run.state(), run.findings());
    let stage = match state.reason() {
        Some(reason) => Stage::Failed(reason),
        None if run.is_running() => Stage::Running { held: run.is_held(), so_far },
        None => Stage::Ended(&findings),
    };
    let answers = run.answers.lock().unwrap_or_else(PoisonError::into_inner).clone();
    let asks = run.plan.trial.is_some();
    let orders = runs.orders();
    let orders = orders.as_deref();
    let lines = runs.log_lines(&run);
    let keys = runs.keys(&run).await;
    let (lines, keys) = (&lines, &keys);
    let view = View { id: &run.id, case, stage, answers, orders, asks, lines, keys };
    Html(page::run(reader(&headers), &view)).into_response()
}

fn no_such_run(headers: &HeaderMap) -> Response {
    told(headers, StatusCode::NOT_FOUND, "run-gone", &[("most", MAX_KEPT.into())])
}

/// Where Jaeger leads to. A run that shows the order by itself says more of it than the
/// trace, and may be kept longer.
async fn trace(State(runs): Runs, Path(id): Path<String>, headers: HeaderMap) -> Response {
    if let Some(run) = runs.all().iter().find(|run| run.shows(&id)) {
        return to_run(&run.id);
    }
    let trace: Option<TraceId> = id.parse().ok();
    let spans = trace.map(|trace| runs.spans(trace)).unwrap_or_default();
    let read =
        order_trace::Answered::from_spans(&spans).and_then(|told| OrderSpans::of(&spans, &told));
    match (read, runs.run_of(&spans)) {
        (Some(read), run) => {
            let run = run.as_ref().map(|run| &*run.id);
            let lines = trace.map(|trace| runs.lines_of(trace, &read.waterfall));
            let lines = lines.unwrap_or_default();
            Html(page::trace(reader(&headers), &id, &read, &lines, run)).into_response()
        }
        (None, Some(run)) => to_run(&run.id),
        (None, None) => told(&headers, StatusCode::NOT_FOUND, "trace-gone", &[]),
    }
}

async fn observe(
    State(runs): Runs,
    Path(id): Path<String>,
    headers: HeaderMap,
    Form(Observation { commit }): Form<Observation>,
) -> Response {
    let Some(run) = runs.find(&id) else { return no_such_run(&headers) };
    let mut is_answer = false;
    answer(&run, |answers| is_answer = answers.note(Question::seen(), &commit));
    if is_answer { to_run(&id) } else { no_answer(&headers, commit) }
}

async fn decide(
    State(runs): Runs,
    Path(id): Path<String>,
    headers: HeaderMap,
    Form(Decide { decision }): Form<Decide>,
) -> Response {
    let Some(run) = runs.find(&id) else { return no_such_run(&headers) };
    // If it is decided already, the page shows what came of it.
    run.decide(decision);
    to_run(&id)
}

async fn asset(Path(name): Path<String>, request: Request) -> Result<Response, ProblemResponse> {
    let Some(asset) = assets::asset(&name) else {
        return Err(campuscafe_service::not_found(request).await);
    };
    // Asked for anew after an update of the program, which may be any time.
    let headers = [(CONTENT_TYPE, asset.media_type), (CACHE_CONTROL, "no-cache")];
    Ok((headers, asset.body).into_response())
}
