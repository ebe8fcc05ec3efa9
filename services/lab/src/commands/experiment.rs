//! `campuscafe experiment`: set up, do, judge, say, clean up.

use std::io::{IsTerminal as _, stdin};
use std::process::ExitCode;

use campuscafe_service::{ExitError, end_signal, ids};
use campuscafe_telemetry::Metrics;
use clap::builder::PossibleValuesParser;
use clap::{Parser, ValueEnum as _};
use tokio::sync::mpsc;

use super::place::Place;
use crate::lessons::{ALL, Decision, Event, Experiment, names};
use crate::run::{Decider, RunRequest, experiments};
use crate::server::services;
use crate::view::console::{print, print_to_stderr};
use crate::view::log;
use crate::view::report::Report;

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
    place: Place,
}

fn choices() -> PossibleValuesParser {
    names().chain(["all"]).into()
}

fn list() -> String {
    let line =
        |experiment: &&Experiment| format!("  {:<8} {}\n", experiment.name, experiment.title);
    ALL.iter().map(line).collect()
}

fn catalogue() -> String {
    format!(
        "Experiments:\n{}  all      run every short experiment that needs no cluster, one after the other\n\n\
         Exit status: 0 SHOWN, 1 NOT SHOWN or INCOMPLETE (spans are missing, and the totals alone \
         do not show it), 2 wrong usage",
        list()
    )
}

/// Runs one experiment, or each in turn.
pub(crate) async fn run(config: Config, metrics: Metrics) -> Result<ExitCode, ExitError> {
    let Some(name) = config.name.as_deref().filter(|_| !config.list) else {
        print(&list())?;
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
    let end = end_signal();
    tokio::pin!(end);
    let (targets, mut place) = tokio::select! {
        found = config.place.find() => found?,
        () = &mut end => return Err(interrupted()),
    };
    let settings = environment(config.seed);
    let (env, own) = tokio::select! {
        found = services::find(&targets, &settings, metrics) => found?,
        () = &mut end => return Err(interrupted()),
    };
    // A seed of our own is said, so that what it led to can be had again.
    let seed = config.seed.unwrap_or_else(|| rand::random::<u32>().into());
    let request = RunRequest {
        experiments: wanted,
        trial: config.trial,
        seed,
        order: None,
        run: ids::random(),
    };
    let mut decider = match config.answer {
        Some(decision) => Decider::Always(decision),
        None if !config.json && stdin().is_terminal() => Decider::Asked(words_of_reader()),
        None => Decider::Always(Decision::Release),
    };
    let report = if config.json { Report::Json { name, seed } } else { Report::text() };
    let mut observer = |event: Event<'_>| {
        log::write(event);
        report.tell(event)?;
        match place.take_if(|_| matches!(event, Event::ExperimentBegan(_))) {
            Some(place) => report.tell_place(&place),
            None => Ok(()),
        }
    };
    let result = tokio::select! {
        result = experiments(&request, &env, &mut decider, &mut observer) => result,
        () = end => Err(interrupted()),
    };
    let result = match (&result, &own) {
        (Ok(_), Some(_)) => report.say_farewell().and(result),
        _ => result,
    };
    // Services of our own drain and end with us, whichever way we end.
    if let Some(services) = own {
        services.stop().await;
    }
    let shown = result?.iter().all(|findings| findings.conclusion().is_shown());
    Ok(if shown { ExitCode::SUCCESS } else { ExitCode::FAILURE })
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
fn words_of_reader() -> mpsc::Receiver<Decision> {
    let (decisions, of_reader) = mpsc::channel(1);
    std::thread::spawn(move || {
        for line in stdin().lines().map_while(Result::ok) {
            match Decision::from_str(line.trim(), true) {
                Ok(decision) => {
                    if decisions.blocking_send(decision).is_err() {
                        return;
                    }
                }
                Err(_) => print_to_stderr("Expected release, cut or wait:\n"),
            }
        }
    });
    of_reader
}

fn interrupted() -> ExitError {
    ExitError::Failed("interrupted".to_owned())
}

/// What services of our own are told beyond their usual settings.
fn environment(seed: Option<u64>) -> Vec<(&'static str, String)> {
    seed.map(|seed| ("CHAOS_SEED", seed.to_string())).into_iter().collect()
}
