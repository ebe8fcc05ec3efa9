//! Running experiments: set up, do, judge, say, clean up.

use std::io::Write as _;
use std::net::{Ipv4Addr, SocketAddr};
use std::process::ExitCode;

use campuscafe_service::{Failure, bind, end_signal};
use campuscafe_telemetry::Metrics;
use reqwest::Url;

use super::{ALL, Act, Config, Evidence, Experiment, Finding, Findings, Trial, list};
use crate::bench::{self, Bench};
use crate::command::Targets;
use crate::evidence::source::Source;
use crate::paint::Paint;
use crate::report::{json, text};
use crate::server::Addresses;
use crate::services::{Manner, Services};

/// Where an experiment ran, for whoever wants to look closer.
pub(crate) struct Place {
    pub(crate) spans: Source,
    /// Whether the services and their traces are gone when the program ends.
    pub(crate) passing: bool,
    pub(crate) jaeger: Option<Url>,
}

/// Runs one experiment, or each in turn.
pub(crate) async fn run(config: Config, metrics: Metrics) -> Result<ExitCode, Failure> {
    let Some(name) = config.name.as_deref().filter(|_| !config.list) else {
        print(&list());
        return Ok(ExitCode::SUCCESS);
    };
    let wanted = ALL.into_iter().filter(|e| name == "all" || name == e.name).collect::<Vec<_>>();
    tokio::select! {
        result = conduct(&config, name, &wanted, metrics) => result,
        // Services of our own end with us, whichever way we end.
        () = end_signal() => Err(Failure::Failed("interrupted".to_owned())),
    }
}

async fn conduct(
    config: &Config,
    name: &str,
    wanted: &[&'static Experiment],
    metrics: Metrics,
) -> Result<ExitCode, Failure> {
    let (bench, place, own) = set_up(&config.targets, config.seed, metrics).await?;
    // A seed of our own is said, so that what it led to can be had again.
    let seed = config.seed.unwrap_or_else(|| rand::random::<u32>().into());
    let paint = Paint::stdout();
    let say = |text: String| {
        if !config.json {
            print(&text);
        }
    };
    let mut all = Vec::new();
    for experiment in wanted {
        say(text::heading(experiment, paint));
        let mut findings = Findings { experiment, all: Vec::new() };
        for trial in experiment.trials {
            say(text::announcement(trial, seed, paint));
            let finding = carry_out(&bench, trial, seed).await?;
            say(text::finding(&finding, &place, paint));
            findings.all.push(finding);
        }
        say(text::closing(&findings, paint));
        all.push(findings);
    }
    if wanted.len() > 1 {
        say(text::summary(&all, paint));
    }
    if place.passing {
        say(text::FAREWELL.to_owned());
    }
    if config.json {
        print(&json::report(name, seed, &all));
    }
    if let Some(services) = own {
        services.stop().await;
    }
    let shown = all.iter().all(Findings::shown);
    Ok(if shown { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

async fn carry_out(bench: &Bench, trial: &Trial, seed: u64) -> Result<Finding, Failure> {
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
    };
    Ok(Finding { caption: trial.caption, evidence, verdict })
}

/// A reader that went away, as `head` does, is no failure of the experiment.
fn print(text: &str) {
    let mut out = std::io::stdout().lock();
    let _ = out.write_all(text.as_bytes());
    let _ = out.flush();
}

async fn set_up(
    targets: &Targets,
    seed: Option<u64>,
    metrics: Metrics,
) -> Result<(Bench, Place, Option<Services>), Failure> {
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
    let services = Services::start(listener, Manner::Private { seed }, metrics).await?;
    let Addresses { order, inventory } = services.addresses.clone();
    let spans = Source::Own(services.store.clone());
    let place = Place { spans: spans.clone(), passing: true, jaeger: None };
    Ok((Bench::new(order, inventory, spans)?, place, Some(services)))
}

async fn services_of(lab: &Url) -> Result<Addresses, Failure> {
    let answer = bench::get(&bench::http_client()?, lab, "/api/services").await?;
    answer.json::<Option<Addresses>>().await.ok().flatten().ok_or_else(|| {
        Failure::Failed(format!(
            "{lab}: that lab started no services; name them with --order-url and --inventory-url"
        ))
    })
}
