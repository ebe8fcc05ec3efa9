//! The pages: what a browser asks for, and the forms that it sends.
//!
//! A form is answered by a redirect to the page that shows what came of it, so that a
//! reload sends nothing again.

mod reader;

use std::sync::{Arc, PoisonError};

use axum::Router;
use axum::extract::{Path, Request, State};
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{Html, IntoResponse as _, Redirect, Response};
use axum::routing::{get, post};
use campuscafe_service::{Form, ProblemResponse};
use serde::Deserialize;

use super::runs::{BeginRun, MAX_KEPT, Run, RunServer};
use crate::lessons::{Conclusion, Decision};
use crate::page::{self, Answers, Case, FreeOrder, Knows, LastCommit, Past, Stage, View, assets};
use reader::{keep, reader};

type Runs = State<Arc<RunServer>>;

/// What a person begins, with their prediction.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Begin {
    experiment: String,
    /// Without it, the whole experiment.
    trial: Option<usize>,
    knows: Option<Knows>,
    reservations: Option<u64>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Observation {
    commit: LastCommit,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Decide {
    decision: Decision,
}

pub(super) fn router(runs: Arc<RunServer>) -> Router {
    Router::new()
        .route("/", get(home))
        .route("/lessons/{name}", get(first_case))
        .route("/lessons/{name}/worlds", get(worlds))
        .route("/lessons/{name}/{number}", get(lesson))
        .route("/runs", post(begin))
        .route("/free", post(begin_free))
        .route("/runs/{id}", get(run))
        .route("/runs/{id}/observation", post(observe))
        .route("/runs/{id}/decision", post(decide))
        .route("/choices", post(keep))
        .route("/assets/{name}", get(asset))
        .with_state(runs)
}

async fn home(State(runs): Runs, headers: HeaderMap) -> Html<String> {
    let past: Vec<_> = runs.all().iter().filter_map(|run| past(run)).collect();
    Html(page::home(reader(&headers), &past))
}

fn past(run: &Run) -> Option<Past> {
    let case = case(run)?;
    let state = run.state();
    let state = match state.conclusion() {
        Some(Conclusion::Shown) => "state-shown",
        Some(Conclusion::Incomplete) => "state-incomplete",
        Some(Conclusion::NotShown) => "state-not-shown",
        None if state.reason().is_some() => "state-failed",
        None => "state-running",
    };
    let one_case = run.plan.trial.is_some();
    Some(Past { id: run.id.clone(), case, one_case, began_at: run.began_at(), state })
}

/// The case that a run is of; the first of all, if it is of all.
fn case(run: &Run) -> Option<Case> {
    Case::find(run.plan.experiment.name, run.plan.trial.unwrap_or(1))
}

async fn first_case(Path(name): Path<String>, headers: HeaderMap) -> Response {
    match Case::find(&name, 1) {
        Some(case) => Redirect::to(&case.path()).into_response(),
        None => no_such_lesson(&headers),
    }
}

async fn lesson(Path((name, number)): Path<(String, usize)>, headers: HeaderMap) -> Response {
    match Case::find(&name, number) {
        Some(case) => Html(page::lesson(reader(&headers), case)).into_response(),
        None => no_such_lesson(&headers),
    }
}

async fn worlds(Path(name): Path<String>, headers: HeaderMap) -> Response {
    match Case::find(&name, 1).and_then(|case| page::worlds(reader(&headers), case.experiment)) {
        Some(page) => Html(page).into_response(),
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
    let Begin { experiment, trial, knows, reservations } = form;
    let asked = BeginRun { experiment, trial, seed: None };
    match runs.begin(&asked) {
        Ok(run) => {
            answer(&run, |answers| *answers = Answers { knows, reservations, commit: None });
            to_run(&run.id)
        }
        Err(refused) => refusal(&headers, &refused),
    }
}

async fn begin_free(
    State(runs): Runs,
    headers: HeaderMap,
    Form(form): Form<FreeOrder>,
) -> Response {
    let order = match form.order() {
        Ok(order) => order,
        Err(limit) => {
            let reason = [("limit", limit.into())];
            return told(&headers, StatusCode::BAD_REQUEST, "free-no-limit", &reason);
        }
    };
    match runs.begin_free(order) {
        Ok(run) => to_run(&run.id),
        Err(refused) => refusal(&headers, &refused),
    }
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
    let (state, findings) = (run.state(), run.findings());
    let stage = match state.reason() {
        Some(reason) => Stage::Failed(reason),
        None if run.is_running() => Stage::Running { held: run.is_held() },
        None => Stage::Ended(&findings),
    };
    let answers = *run.answers.lock().unwrap_or_else(PoisonError::into_inner);
    let asks = run.plan.trial.is_some();
    let view = View { id: &run.id, case, stage, answers, asks };
    Html(page::run(reader(&headers), &view)).into_response()
}

fn no_such_run(headers: &HeaderMap) -> Response {
    told(headers, StatusCode::NOT_FOUND, "run-gone", &[("most", MAX_KEPT.into())])
}

async fn observe(
    State(runs): Runs,
    Path(id): Path<String>,
    headers: HeaderMap,
    Form(Observation { commit }): Form<Observation>,
) -> Response {
    let Some(run) = runs.find(&id) else { return no_such_run(&headers) };
    answer(&run, |answers| answers.commit = Some(commit));
    to_run(&id)
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
