//! The experiments: what each places, and what its evidence must show.
//!
//! An experiment is a file beside this one and a line in `ALL`.

mod double;
mod slow;

use std::io::Write as _;
use std::net::{Ipv4Addr, SocketAddr};
use std::process::ExitCode;

use campuscafe_api::order::{AttemptResult, Outcome};
use campuscafe_service::{Failure, bind, end_signal};
use campuscafe_telemetry::Metrics;
use clap::Parser;
use clap::builder::PossibleValuesParser;
use reqwest::Url;

use crate::bench::{self, Bench, Observed, Plan};
use crate::command::Targets;
use crate::evidence::source::Source;
use crate::paint::Paint;
use crate::report;
use crate::server::Addresses;
use crate::services::{Manner, Services};

/// Every experiment, in the order in which a course meets them.
pub(crate) const ALL: [&Experiment; 2] = [&slow::EXPERIMENT, &double::EXPERIMENT];

/// Run an experiment and show from real spans and counters what happened
///
/// Uses the services that are named, else those of a running lab, else starts
/// its own on free ports and stops them after. Exit status: 0 when the evidence
/// shows what the experiment promises, 1 when it does not, 2 on misuse.
#[derive(Debug, Clone, Parser)]
#[command(after_help = catalogue())]
pub struct Config {
    /// Which experiment
    #[arg(value_name = "NAME", value_parser = names())]
    name: String,

    /// Print one JSON object instead of text
    #[arg(long)]
    json: bool,

    #[command(flatten)]
    targets: Targets,
}

fn names() -> PossibleValuesParser {
    ALL.iter().map(|experiment| experiment.name).chain(["all"]).into()
}

fn catalogue() -> String {
    let line = |experiment: &&Experiment| format!("  {:<8} {}", experiment.name, experiment.title);
    let lines: Vec<_> = ALL.iter().map(line).collect();
    format!("Experiments:\n{}\n  all      each of them in turn", lines.join("\n"))
}

/// A lesson: what is done, and how its evidence is judged.
pub(crate) struct Experiment {
    pub(crate) name: &'static str,
    pub(crate) title: &'static str,
    /// The orders it places, one after the other.
    pub(crate) orders: &'static [Trial],
    /// What to look at in Jaeger and Grafana.
    pub(crate) look_at: &'static [&'static str],
}

/// One order of an experiment, and what it must show.
pub(crate) struct Trial {
    pub(crate) plan: Plan,
    /// What is about to happen, for somebody who has never seen it.
    pub(crate) caption: &'static str,
    pub(crate) judge: fn(&Observed) -> Verdict,
}

/// What the evidence says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Verdict {
    /// Whether it shows what the experiment promises.
    pub(crate) shown: bool,
    /// Why, in one sentence.
    pub(crate) sentence: String,
}

impl Verdict {
    /// The verdict if the promise holds, else one that says what was seen.
    fn when(promise: bool, sentence: impl FnOnce() -> String, observed: &Observed) -> Self {
        if promise {
            Self { shown: true, sentence: sentence() }
        } else {
            Self { shown: false, sentence: format!("The lesson did not show: {}.", seen(observed)) }
        }
    }
}

/// What was seen instead, and what may be the reason.
fn seen(observed: &Observed) -> String {
    let told = &observed.told;
    let results: Vec<_> =
        told.report.attempts.iter().map(|attempt| attempt.result.as_str()).collect();
    let seen = format!(
        "the order was {} after {}, its attempts ended {}, and the inventory made {}",
        told.report.outcome.as_str(),
        seconds(told.after),
        results.join(", "),
        reservations(observed.ledger.reservations),
    );
    if told.report.attempts.iter().any(|attempt| attempt.result == AttemptResult::Timeout) {
        seen
    } else if told.report.outcome == Outcome::Confirmed {
        format!("{seen}; nothing timed out, so is the order service's --attempt-timeout under 2 s?")
    } else {
        format!("{seen}; nothing timed out")
    }
}

pub(crate) fn reservations(count: u64) -> String {
    if count == 1 { "1 reservation".to_owned() } else { format!("{count} reservations") }
}

pub(crate) fn seconds(duration: std::time::Duration) -> String {
    format!("{:.1} s", duration.as_secs_f64())
}

/// When a commit came, counted from the order; for sentences.
fn moment_of_last_commit(observed: &Observed) -> String {
    let last = observed.story.as_ref().and_then(|story| {
        let commits = story.commits();
        Some(story.ms(commits.last()?.1.at))
    });
    last.map_or_else(
        || "later".to_owned(),
        |ms| format!("at {}", seconds(std::time::Duration::from_millis(ms))),
    )
}

/// An order that was carried out and judged.
pub(crate) struct Result {
    pub(crate) caption: &'static str,
    pub(crate) observed: Observed,
    pub(crate) verdict: Verdict,
}

/// An experiment that was carried out.
pub(crate) struct Outcomes {
    pub(crate) experiment: &'static Experiment,
    pub(crate) results: Vec<Result>,
}

impl Outcomes {
    pub(crate) fn shown(&self) -> bool {
        self.results.iter().all(|result| result.verdict.shown)
    }
}

/// Where an experiment ran, for whoever wants to look closer.
pub(crate) struct Place {
    pub(crate) spans: Source,
    /// Whether the services and their traces are gone when the program ends.
    pub(crate) passing: bool,
    pub(crate) jaeger: Option<Url>,
}

/// Runs one experiment, or each in turn.
pub(crate) async fn run(
    config: Config,
    metrics: Metrics,
) -> std::result::Result<ExitCode, Failure> {
    tokio::select! {
        result = conduct(config, metrics) => result,
        // Services of our own end with us, whichever way we end.
        () = end_signal() => Err(Failure::Failed("interrupted".to_owned())),
    }
}

async fn conduct(config: Config, metrics: Metrics) -> std::result::Result<ExitCode, Failure> {
    let wanted = ALL.into_iter().filter(|e| config.name == "all" || config.name == e.name);
    let (bench, place, own) = set_up(&config.targets, metrics).await?;
    let paint = Paint::stdout();
    let mut all = Vec::new();
    for experiment in wanted {
        if !config.json {
            print(&report::heading(experiment, paint));
        }
        let mut outcomes = Outcomes { experiment, results: Vec::new() };
        for trial in experiment.orders {
            if !config.json {
                print(&report::announcement(trial, paint));
            }
            let observed = bench.observe(trial.plan).await?;
            let verdict = (trial.judge)(&observed);
            let result = Result { caption: trial.caption, observed, verdict };
            if !config.json {
                print(&report::result(&result, &place, paint));
            }
            outcomes.results.push(result);
        }
        if !config.json {
            print(&report::closing(&outcomes, &place, paint));
        }
        all.push(outcomes);
    }
    if config.json {
        print(&report::json(&config.name, &all));
    }
    if let Some(services) = own {
        services.stop().await;
    }
    let shown = all.iter().all(Outcomes::shown);
    Ok(if shown { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// A reader that went away, as `head` does, is no failure of the experiment.
fn print(text: &str) {
    let mut out = std::io::stdout().lock();
    let _ = out.write_all(text.as_bytes());
    let _ = out.flush();
}

async fn set_up(
    targets: &Targets,
    metrics: Metrics,
) -> std::result::Result<(Bench, Place, Option<Services>), Failure> {
    let spans = match (&targets.lab_url, &targets.jaeger_url) {
        (Some(lab), _) => Source::Lab(lab.clone()),
        (None, Some(jaeger)) => Source::Jaeger(jaeger.clone()),
        (None, None) => Source::Nowhere,
    };
    let jaeger = targets.jaeger_url.clone();
    let running = match (&targets.order_url, &targets.inventory_url, &targets.lab_url) {
        (Some(order), Some(inventory), _) => {
            Some(Addresses { order: order.clone(), inventory: inventory.clone() })
        }
        (_, _, Some(lab)) => Some(services_of(lab).await?),
        _ => None,
    };
    if let Some(Addresses { order, inventory }) = running {
        let place = Place { spans: spans.clone(), passing: false, jaeger };
        return Ok((Bench::new(order, inventory, spans)?, place, None));
    }
    let listener = bind("lab", SocketAddr::from((Ipv4Addr::LOCALHOST, 0))).await?;
    let services = Services::start(listener, Manner::Private, metrics).await?;
    let Addresses { order, inventory } = services.addresses.clone();
    let spans = Source::Own(services.store.clone());
    let place = Place { spans: spans.clone(), passing: true, jaeger: None };
    Ok((Bench::new(order, inventory, spans)?, place, Some(services)))
}

async fn services_of(lab: &Url) -> std::result::Result<Addresses, Failure> {
    let answer = bench::get(&bench::http_client()?, lab, "/api/services").await?;
    answer.json::<Option<Addresses>>().await.ok().flatten().ok_or_else(|| {
        Failure::Failed(format!(
            "{lab}: that lab started no services; name them with --order-url and --inventory-url"
        ))
    })
}
