//! Running experiments: set up, do, judge, say, clean up.

use std::process::ExitCode;
use std::time::SystemTime;

use campuscafe_service::{ExitError, end_signal};
use campuscafe_telemetry::Metrics;

use super::{ALL, Act, Config, Evidence, Experiment, Finding, Findings, Trial, list};
use crate::bench::{Bench, http_client};
use crate::paint::{Paint, print, say_aside};
use crate::place::Place;
use crate::report::{json, text};

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
    let place = tokio::select! {
        place = Place::find(&config.targets, &settings, metrics) => place?,
        () = &mut end => return Err(interrupted()),
    };
    let result = tokio::select! {
        result = conduct(&config, name, &wanted, &place) => result,
        () = end => Err(interrupted()),
    };
    // Services of our own drain and end with us, whichever way we end.
    place.leave().await;
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
) -> Result<ExitCode, ExitError> {
    let bench = Bench::new(&place.addresses, place.spans.clone())?;
    let http = http_client()?;
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
            if let Some(id) = finding.trace_id() {
                finding.in_jaeger = place.links.trace(&http, id).await;
            }
            finding.in_grafana = place.links.dashboard(&http, begun, SystemTime::now()).await;
            say(text::finding(&finding, &place.spans, paint))?;
            findings.all.push(finding);
        }
        say(text::closing(&findings, paint))?;
        all.push(findings);
    }
    if wanted.len() > 1 {
        say(text::summary(&all, paint))?;
    }
    if place.is_passing() {
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
    Ok(Finding { caption: trial.caption, evidence, verdict, in_jaeger: None, in_grafana: None })
}
