//! `campuscafe compare`: the same script with the same seed, without the cure and with it.

use std::process::ExitCode;

use campuscafe_service::ExitError;
use campuscafe_telemetry::Metrics;
use clap::Parser;
use clap::builder::PossibleValuesParser;

use super::place::Place;
use super::session::{self, Asked};
use super::speech::Speech;
use crate::lessons::{Decision, comparison, comparisons};
use crate::run::Decider;
use crate::targets::ExperimentDatabase;
use crate::view::report::Report;
use crate::view::voice::Voice;

/// Run one script twice, naive and cured, and show both pictures and both ledgers
///
/// The services are those that `campuscafe experiment` would use.
#[derive(Debug, Clone, Parser)]
#[command(after_help = catalogue())]
pub(crate) struct Config {
    /// Which script
    #[arg(value_name = "NAME", value_parser = choices())]
    name: String,

    /// Make all random choices repeatable
    #[arg(long, value_name = "NUMBER")]
    seed: Option<u64>,

    /// Print one JSON object instead of text
    #[arg(long)]
    json: bool,

    #[command(flatten)]
    speech: Speech,

    #[command(flatten)]
    place: Place,
}

fn choices() -> PossibleValuesParser {
    comparisons().map(|experiment| experiment.name).into()
}

fn catalogue() -> String {
    let line = |name: &str, title: String| format!("  {name:<10} {title}\n");
    let lines: String = comparisons()
        .map(|experiment| {
            line(experiment.name, Voice::ENGLISH.put(&experiment.title_of_comparison()))
        })
        .collect();
    format!(
        "Scripts:\n{lines}\nExit status: 0 naive shows the pain and cured does not, 1 otherwise, 2 \
         wrong usage"
    )
}

/// Runs both lanes, one after the other.
pub(crate) async fn run(config: Config, metrics: Metrics) -> Result<ExitCode, ExitError> {
    let Config { name, seed, json, speech, place } = config;
    let voice = Voice::on_stdout(speech.language());
    let experiments: Vec<_> = comparison(&name).into_iter().collect();
    let is_storm = experiments.iter().any(|experiment| experiment.storm().is_some());
    let decider = Decider::Always(Decision::Release);
    let database = ExperimentDatabase::default();
    let asked = Asked { experiments, trial: None, seed, decider, database, place };
    let report = |seed| match (json, is_storm) {
        (true, _) => Report::Json { name: &name, seed, voice },
        (false, true) => Report::Text(voice),
        (false, false) => Report::Comparison(voice),
    };
    session::run(asked, voice, report, metrics).await
}
