//! The marks of experiments: a counter that moves when one begins, for dashboards.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use campuscafe_api::Problem;
use campuscafe_service::{Json, ProblemResponse};
use campuscafe_telemetry::{Counter, Metric, Metrics};

use crate::lessons;
use crate::targets::{Begun, MARKS_PATH};

const EXPERIMENTS: Metric =
    Metric { name: "lab_experiments_total", help: "Experiments that began, by name." };

/// A counter for each experiment that exists; another name would be a label from outside.
#[derive(Clone)]
pub(super) struct Marks(Arc<[(&'static str, Counter)]>);

impl Marks {
    pub(super) fn new(metrics: &Metrics) -> Self {
        let counter = |name| (name, metrics.counter(EXPERIMENTS, &[("experiment", name)]));
        Self(lessons::names().map(counter).collect())
    }

    /// Counts an experiment that begins, if there is one of this name.
    pub(super) fn count(&self, experiment: &str) -> Option<()> {
        let (_, counter) = self.0.iter().find(|(name, _)| *name == experiment)?;
        counter.increment(1);
        Some(())
    }
}

/// Counts an experiment that begins.
#[utoipa::path(post, path = MARKS_PATH, tag = "lab", request_body = Begun,
    responses((status = 204, description = "Counted"),
        (status = 400, body = Problem, content_type = "application/problem+json", description = "The request is invalid, or there is no such experiment"),
        (status = 408, body = Problem, content_type = "application/problem+json", description = "The body did not arrive within 10 s"),
        (status = 413, body = Problem, content_type = "application/problem+json", description = "Body over 16 KiB"),
        (status = 415, body = Problem, content_type = "application/problem+json", description = "Not application/json")))]
pub(super) async fn count_experiment(
    State(marks): State<Marks>,
    Json(begun): Json<Begun>,
) -> Result<StatusCode, ProblemResponse> {
    let names = lessons::names().collect::<Vec<_>>();
    marks.count(&begun.experiment).ok_or_else(|| unknown_experiment(&names))?;
    Ok(StatusCode::NO_CONTENT)
}

/// The problem of a name that is not one of these.
pub(super) fn unknown_experiment(names: &[&str]) -> ProblemResponse {
    Problem::new(400, "unknown-experiment", "Unknown experiment")
        .detail(format!("expected one of {}", names.join(", ")))
        .into()
}
