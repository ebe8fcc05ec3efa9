//! `campuscafe experiment`: set up, do, judge, say, clean up.

use std::process::ExitCode;
use std::time::SystemTime;

use campuscafe_service::{ExitError, end_signal};
use campuscafe_telemetry::Metrics;
use clap::Parser;
use clap::builder::PossibleValuesParser;

use crate::http;
use crate::lessons::{ALL, Act, Evidence, Experiment, Finding, Findings, Trial, names};
use crate::run::Bench;
use crate::server::services;
use crate::targets::{Place, SpanSource, Targets};
use crate::view::console::{print, say_aside};
use crate::view::style::Paint;
use crate::view::{json, text};

/// Run an experiment and show from real spans and counters what happened
///
/// Uses the services that are named, else those of a running lab, else starts
/// its own on free ports and stops them after.
#[derive(Debug, Clone, Parser)]
#[command(after_help = catalogue())]
pub(crate) struct Config {
    /// Which experiment
    #[arg(value_name = "NAME", value_parser = choices(), required_unless_present = "list")]
    name: Option<String>,

    /// Say in a line each what the experiments show, and run none
    #[arg(long)]
    list: bool,

    /// Make everything that is left to chance repeatable
    #[arg(long, value_name = "NUMBER")]
    seed: Option<u64>,

    /// Print one JSON object instead of text
    #[arg(long)]
    json: bool,

    #[command(flatten)]
    targets: Targets,
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
        "Experiments:\n{}  all      each of them in turn that needs no cluster\n\n\
         Exit status: 0 SHOWN, 1 NOT SHOWN or INCOMPLETE (spans are missing, and the totals alone \
         do not show it), 2 on misuse",
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
        .filter(|e| name == e.name || name == "all" && !e.needs_cluster())
        .collect::<Vec<_>>();
    if wanted.iter().any(|e| e.needs_cluster()) && !config.targets.name_services() {
        return Err(ExitError::Usage(format!(
            "{name} needs services whose pods somebody can replace; name them with --order-url, \
             --inventory-url and --lab-url (`make kind-up` starts such)"
        )));
    }
    let end = end_signal();
    tokio::pin!(end);
    let settings = environment(config.seed);
    let (place, own) = tokio::select! {
        found = services::find(&config.targets, &settings, metrics) => found?,
        () = &mut end => return Err(interrupted()),
    };
    let result = tokio::select! {
        result = conduct(&config, name, &wanted, &place, own.is_some()) => result,
        () = end => Err(interrupted()),
    };
    // Services of our own drain and end with us, whichever way we end.
    if let Some(services) = own {
        services.stop().await;
    }
    result
}

fn interrupted() -> ExitError {
    ExitError::Failed("interrupted".to_owned())
}

async fn conduct(
    config: &Config,
    name: &str,
    wanted: &[&'static Experiment],
    place: &Place,
    passing: bool,
) -> Result<ExitCode, ExitError> {
    let bench = Bench::new(&place.addresses, place.spans.clone())?;
    let http = http::client()?;
    // A seed of our own is said, so that what it led to can be had again.
    let seed = config.seed.unwrap_or_else(|| rand::random::<u32>().into());
    let paint = Paint::stdout();
    let say = |text: String| if config.json { Ok(()) } else { print(&text) };
    let mut all = Vec::new();
    for experiment in wanted {
        say(text::heading(experiment, paint))?;
        place.announce(&http, experiment.name).await;
        let mut findings = Findings { experiment, all: Vec::new() };
        for trial in experiment.trials {
            say(text::announcement(trial, seed, paint))?;
            let begun = SystemTime::now();
            // Whoever reads JSON on stdout must see it too, and a terminal that
            // takes no text on stdout may still take it on stderr.
            let ask = |request: String| {
                if config.json || print(&request).is_err() {
                    say_aside(&request);
                }
            };
            let mut finding = carry_out(&bench, trial, seed, ask).await?;
            if let Some(id) = finding.trace_id().map(str::to_owned) {
                finding.in_lab = in_lab(&place.spans, &id);
                finding.in_jaeger = place.links.trace(&http, &id).await;
            }
            finding.in_grafana = place.links.dashboard(&http, begun, SystemTime::now()).await;
            say(text::finding(&finding, paint))?;
            findings.all.push(finding);
        }
        say(text::closing(&findings, paint))?;
        all.push(findings);
    }
    if wanted.len() > 1 {
        say(text::summary(&all, paint))?;
    }
    if passing {
        say(text::FAREWELL.to_owned())?;
    }
    if config.json {
        print(&json::report(name, seed, &all))?;
    }
    let shown = all.iter().all(|findings| findings.conclusion().is_shown());
    Ok(if shown { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// What services of our own are told beyond their usual settings.
fn environment(seed: Option<u64>) -> Vec<(&'static str, String)> {
    seed.map(|seed| ("CHAOS_SEED", seed.to_string())).into_iter().collect()
}

async fn carry_out(
    bench: &Bench,
    trial: &Trial,
    seed: u64,
    ask: impl FnOnce(String),
) -> Result<Finding, ExitError> {
    let (evidence, verdict) = match trial.act {
        Act::Order(plan, judge) => {
            let order = bench.order(plan).await?;
            let verdict = judge(&order);
            (Evidence::Order(Box::new(order)), verdict)
        }
        Act::Race { count, judge } => {
            let race = bench.race(count, seed).await?;
            let verdict = judge(&race);
            (Evidence::Race(Box::new(race)), verdict)
        }
        Act::Turnover(plan, judge) => {
            let turnover = bench.turnover(plan, |old| ask(text::request(plan, old))).await?;
            let verdict = judge(&turnover);
            (Evidence::Turnover(Box::new(turnover)), verdict)
        }
    };
    Ok(Finding {
        caption: trial.caption,
        evidence,
        verdict,
        had_span_source: !matches!(bench.spans, SpanSource::Nowhere),
        in_lab: None,
        in_jaeger: None,
        in_grafana: None,
    })
}

fn in_lab(spans: &SpanSource, trace: &str) -> Option<String> {
    let SpanSource::Lab(lab) = spans else { return None };
    Some(format!("{}/api/traces/{trace}", lab.as_str().trim_end_matches('/')))
}
