//! What is asked for and answered at `/api/runs`.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa::openapi::schema::{Object, ObjectBuilder, Type};

use super::run::Run;
use crate::lessons::{ALL, Conclusion, Decision, Experiment, comparisons};
use crate::view::json::Document;

/// A run to begin: of an experiment, or of a comparison.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::server) struct BeginRun {
    pub(in crate::server) experiment: Option<String>,
    pub(in crate::server) compare: Option<String>,
    pub(in crate::server) seed: Option<u64>,
    pub(in crate::server) trial: Option<usize>,
}

/// The two forms of what begins a run.
#[derive(ToSchema)]
#[serde(untagged)]
#[allow(dead_code, reason = "it is read for its schema only")]
pub(super) enum BeginRunForm {
    /// An experiment.
    Experiment(BeginExperiment),
    /// A comparison.
    Comparison(BeginComparison),
}

/// A run of an experiment.
#[derive(Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[allow(dead_code, reason = "it is read for its schema only")]
pub(super) struct BeginExperiment {
    /// Which experiment.
    #[schema(schema_with = runnable_name)]
    experiment: String,
    /// Makes all random choices repeatable; without it, the lab chooses one.
    #[schema(
        example = 7,
        format = "uint64",
        minimum = 0,
        maximum = 18_446_744_073_709_551_615_usize
    )]
    seed: Option<u64>,
    /// Only the trial of this number, counted from 1; without it, all of them.
    #[schema(example = 2, minimum = 1, maximum = 1000)]
    trial: Option<usize>,
}

/// A run of one script with one seed through both lanes.
#[derive(Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[allow(dead_code, reason = "it is read for its schema only")]
pub(super) struct BeginComparison {
    /// Which comparison.
    #[schema(schema_with = comparison_name)]
    compare: String,
    /// Makes all random choices repeatable; without it, the lab chooses one.
    #[schema(
        example = 7,
        format = "uint64",
        minimum = 0,
        maximum = 18_446_744_073_709_551_615_usize
    )]
    seed: Option<u64>,
}

/// What becomes of the answer that the experiment `doubt` holds.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Decide {
    /// `release` lets the answer leave, `cut` cuts its connection, and `wait` does nothing,
    /// so that the order service gives up.
    #[schema(schema_with = decision)]
    pub(super) decision: Decision,
}

/// The experiments that the lab runs by itself: no person has to do anything at a cluster.
pub(super) fn runnable() -> impl Iterator<Item = &'static Experiment> {
    ALL.into_iter().filter(|experiment| experiment.runs_in_lab())
}

fn decision() -> Object {
    ObjectBuilder::new()
        .schema_type(Type::String)
        .enum_values(Some(["release", "cut", "wait"]))
        .examples(["cut"])
        .build()
}

fn comparison_name() -> Object {
    ObjectBuilder::new()
        .schema_type(Type::String)
        .description(Some("The name of a comparison, as `campuscafe compare --help` shows it."))
        .enum_values(Some(comparisons().map(|experiment| experiment.name)))
        .examples(["double"])
        .build()
}

fn runnable_name() -> Object {
    ObjectBuilder::new()
        .schema_type(Type::String)
        .description(Some("The name of an experiment that needs no cluster."))
        .enum_values(Some(runnable().map(|experiment| experiment.name)))
        .examples(["double"])
        .build()
}

/// A run and what came of it so far: what `campuscafe experiment --json` prints, and its
/// id, its state and its beginning.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct RunDocument {
    #[serde(flatten)]
    head: RunHead,
    #[serde(flatten)]
    document: Document,
}

/// What every run has from its beginning.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct RunHead {
    /// 32 hexadecimal digits; the spans of the run carry it as `campuscafe.run`.
    #[schema(example = "0af7651916cd43dd8448eb211c80319c")]
    id: String,
    /// `running`, `ended`, or `failed`: then it has no conclusion.
    #[schema(example = "ended")]
    state: &'static str,
    /// Why it failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    /// RFC 3339, UTC.
    #[schema(example = "2026-11-23T10:15:30.250Z")]
    began_at: String,
}

/// One event of a run.
#[derive(ToSchema)]
#[allow(dead_code, reason = "it is read for its schema only")]
pub(super) struct RunEvent {
    /// The number of the event, from 1; a `picture` has none.
    #[schema(example = "3")]
    id: String,
    /// What happened.
    #[schema(example = "order_sent")]
    event: String,
    /// What it tells, as JSON.
    #[schema(example = r#"{"item":"cake","chaos":"slow","retryOnTimeout":true}"#)]
    data: String,
}

/// The newest runs.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct RunList {
    /// The newest first, at most 50.
    pub(super) runs: Vec<RunSummary>,
}

/// A run in one line.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct RunSummary {
    #[serde(flatten)]
    head: RunHead,
    /// The name of the experiment.
    #[schema(example = "double")]
    experiment: &'static str,
    /// What made the random choices.
    #[schema(example = 7, format = "uint64")]
    seed: u64,
    /// `shown`, `incomplete` or `not_shown`; null before its end.
    #[schema(example = "shown")]
    conclusion: Option<&'static str>,
}

impl RunDocument {
    pub(super) fn of(run: &Run) -> Self {
        let state = run.state();
        Self { document: run.document(&state), head: RunHead::of(run, &state) }
    }
}

impl RunSummary {
    pub(super) fn of(run: &Run) -> Self {
        let state = run.state();
        Self {
            head: RunHead::of(run, &state),
            experiment: run.plan.experiment.name,
            seed: run.plan.seed,
            conclusion: state.conclusion().map(Conclusion::code),
        }
    }
}

impl RunHead {
    fn of(run: &Run, state: &super::run::State) -> Self {
        Self {
            id: run.id.clone(),
            state: state.name(),
            reason: state.reason().map(str::to_owned),
            began_at: run.began_at(),
        }
    }
}
