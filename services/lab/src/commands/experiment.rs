//! `campuscafe experiment`: set up, do, judge, say, clean up.

use std::io::{IsTerminal as _, stdin};
use std::process::ExitCode;

use campuscafe_service::ExitError;
use campuscafe_telemetry::Metrics;
use clap::builder::PossibleValuesParser;
use clap::{Parser, ValueEnum as _};
use tokio::sync::mpsc;

use super::place::Place;
use super::session::{self, Asked};
use super::speech::Speech;
use crate::lessons::{ALL, Decision, Experiment, names};
use crate::run::Decider;
use crate::targets::ExperimentDatabase;
use crate::view::console::{print, print_to_stderr};
use crate::view::report::Report;
use crate::view::voice::Voice;

/// Run an experiment, and show what happened with real spans and counters
///
/// Uses the services that you name. If you name none, it uses the café that is open at
/// the usual address (127.0.0.1:5301). If none is open, or with --own, it starts its own
/// services on free ports and stops them at the end.
#[derive(Debug, Clone, Parser)]
#[command(after_help = catalogue())]
pub(crate) struct Config {
    /// Which experiment
    #[arg(value_name = "NAME", value_parser = choices(), required_unless_present = "list")]
    name: Option<String>,

    /// List the experiments, one line each
    #[arg(long)]
    list: bool,

    /// Only the trial of this number; each experiment begins with trial 1
    #[arg(long, value_name = "NUMBER")]
    trial: Option<usize>,

    /// Make all random choices repeatable
    #[arg(long, value_name = "NUMBER")]
    seed: Option<u64>,

    /// Print one JSON object instead of text
    #[arg(long)]
    json: bool,

    /// What becomes of the answer that `doubt` holds. Without it, the experiment asks you; where
    /// it cannot ask, it releases the answer
    #[arg(long, value_name = "WHAT")]
    answer: Option<Decision>,

    #[command(flatten)]
    speech: Speech,

    #[command(flatten)]
    database: ExperimentDatabase,

    #[command(flatten)]
    place: Place,
}

fn choices() -> PossibleValuesParser {
    names().chain(["all"]).into()
}

fn list(voice: Voice) -> String {
    let line = |experiment: &&Experiment| {
        format!("  {:<8} {}\n", experiment.name, voice.put(&experiment.title()))
    };
    ALL.iter().map(line).collect()
}

fn catalogue() -> String {
    format!(
        "Experiments:\n{}  all      run every short experiment that needs no cluster, one after the other\n\n\
         Exit status: 0 SHOWN, 1 NOT SHOWN or INCOMPLETE (spans are missing, and the totals alone \
         do not show it), 2 wrong usage",
        list(Voice::ENGLISH)
    )
}

/// Runs one experiment, or each in turn.
pub(crate) async fn run(config: Config, metrics: Metrics) -> Result<ExitCode, ExitError> {
    let voice = Voice::on_stdout(config.speech.language());
    let Some(name) = config.name.as_deref().filter(|_| !config.list) else {
        print(&list(voice))?;
        return Ok(ExitCode::SUCCESS);
    };
    let wanted = ALL
        .into_iter()
        .filter(|e| name == e.name || name == "all" && e.runs_with_all())
        .collect::<Vec<_>>();
    if wanted.iter().any(|e| e.needs_cluster()) && !config.place.is_named() {
        return Err(ExitError::Usage(format!(
            "{name} needs services on a cluster, where their pods can be replaced; give them with \
             --order-url, --inventory-url and --lab-url (`make kind-up` starts such services)"
        )));
    }
    if let Some(number) = config.trial {
        has_trial(&wanted, number)?;
    }
    let decider = match config.answer {
        Some(decision) => Decider::Always(decision),
        None if !config.json && stdin().is_terminal() => Decider::Asked(words_of_reader(voice)),
        None => Decider::Always(Decision::Release),
    };
    let asked = Asked {
        experiments: wanted,
        trial: config.trial,
        seed: config.seed,
        decider,
        database: config.database,
        place: config.place,
    };
    let report = |seed| match config.json {
        true => Report::Json { name, seed, voice },
        false => Report::Text(voice),
    };
    session::run(asked, voice, report, metrics).await
}

fn has_trial(wanted: &[&Experiment], number: usize) -> Result<(), ExitError> {
    let [experiment] = wanted else {
        return Err(ExitError::Usage("--trial: expected one experiment, got all".to_owned()));
    };
    let (name, last) = (experiment.name, experiment.trials.len());
    if (1..=last).contains(&number) {
        return Ok(());
    }
    Err(ExitError::Usage(format!(
        "--trial {number}: {name} has no such trial; the last one is {last}"
    )))
}

/// The decisions that a person types. A read of a terminal cannot be cancelled, so it
/// has a thread of its own, which ends with the process.
fn words_of_reader(voice: Voice) -> mpsc::Receiver<Decision> {
    let (decisions, of_reader) = mpsc::channel(1);
    std::thread::spawn(move || {
        for line in stdin().lines().map_while(Result::ok) {
            match Decision::from_str(line.trim(), true) {
                Ok(decision) => {
                    if decisions.blocking_send(decision).is_err() {
                        return;
                    }
                }
                Err(_) => print_to_stderr(&format!("{}\n", voice.say("held-expected"))),
            }
        }
    });
    of_reader
}
