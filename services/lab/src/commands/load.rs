//! `campuscafe load`: many orders at a given rate, whatever becomes of them.

use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use campuscafe_evidence::load::LoadReport;
use campuscafe_service::ExitError;
use campuscafe_telemetry::Metrics;
use clap::Parser;

use super::place::Place;
use super::speech::Speech;
use crate::lessons::load::{LoadEvent, LoadPlan, Mix};
use crate::run::load::{Interrupt, LoadGenerator, LoadObserver, SERVICES_TIMEOUT};
use crate::server::services;
use crate::stderr;
use crate::view::console::print;
use crate::view::load as view;
use crate::view::progress::ProgressLine;
use crate::view::voice::Voice;

/// Stock for services of our own: enough that little is delivered.
const PLENTY: &str = "cake=1000000";

/// Orders under way at one time, if nothing else is asked for.
const MAX_IN_FLIGHT: u32 = 1_500;

/// Send orders at a fixed rate, and compare what customers were told with what the inventory holds
///
/// Orders are sent at this rate even if answers are slow (open loop). Times start
/// when an order was due. The load delivers pieces before the stock runs out. It
/// uses the services that you name, or the café that is open at the usual address
/// (127.0.0.1:5301); if none is open, or with --own, it starts its own. Ctrl-C stops
/// it within a second. Its own services may then leave work unfinished.
#[derive(Debug, Clone, Parser)]
#[command(
    after_help = "Exit status: 0 orders were answered and the services reported their counts, 1 otherwise, 2 wrong usage"
)]
pub(crate) struct Config {
    /// Orders a second
    #[arg(long, default_value = "50", value_name = "NUMBER", value_parser = rate)]
    rate: f64,

    /// How long to send orders; until Ctrl-C if absent
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    duration: Option<Duration>,

    /// Shares of faults by weight; + joins the steps of a plan, as in slow+none=5
    #[arg(long, default_value = "none=90,slow=5,flaky=5", value_name = "PLAN=WEIGHT,...")]
    mix: Mix,

    /// Retry after a timeout
    #[arg(long)]
    retry: bool,

    /// Give each order an idempotency key, and wait until no order is unknown
    ///
    /// An order without an answer is then settled: the order service asks the inventory
    /// until it knows. The gap is 0 at the end, whatever the faults.
    #[arg(long)]
    idempotent: bool,

    /// How many orders may be under way; more are counted and not sent
    ///
    /// Each costs about 24 KB of memory; the default fits a container of 64 MiB.
    #[arg(
        long,
        default_value_t = MAX_IN_FLIGHT,
        value_name = "NUMBER",
        value_parser = clap::value_parser!(u32).range(1..=1_000_000)
    )]
    max_in_flight: u32,

    /// Make the choice of faults repeatable
    #[arg(long, value_name = "NUMBER")]
    seed: Option<u64>,

    /// Print one JSON object instead of text; progress goes to stderr
    #[arg(long)]
    json: bool,

    #[command(flatten)]
    speech: Speech,

    #[command(flatten)]
    place: Place,
}

fn rate(text: &str) -> Result<f64, String> {
    text.parse()
        .ok()
        .filter(|rate: &f64| (0.01..=100_000.0).contains(rate))
        .ok_or_else(|| "expected orders a second, from 0.01 to 100000".to_owned())
}

fn duration(text: &str) -> Result<Duration, String> {
    humantime::parse_duration(text)
        .ok()
        .filter(|duration| !duration.is_zero() && *duration <= Duration::from_hours(24))
        .ok_or_else(|| "expected a duration such as 20s or 5m, up to 1day".to_owned())
}

impl Config {
    fn plan(&self, seed: u64) -> LoadPlan {
        LoadPlan {
            rate: self.rate,
            duration: self.duration,
            mix: self.mix.clone(),
            retry: self.retry,
            idempotent: self.idempotent,
            max_in_flight: self.max_in_flight,
            seed,
        }
    }
}

/// Runs for as long as asked, or until Ctrl-C; both end with the summary.
pub(crate) async fn run(config: Config, metrics: Metrics) -> Result<ExitCode, ExitError> {
    let interrupt = Interrupt::listen().await;
    let voice = Voice::on_stdout(config.speech.language());
    let seed = config.seed.unwrap_or_else(|| rand::random::<u32>().into());
    let plan = config.plan(seed);
    let mut settings = vec![("CHAOS_SEED", seed.to_string())];
    if std::env::var_os("INVENTORY_STOCK").is_none() {
        settings.push(("INVENTORY_STOCK", PLENTY.to_owned()));
    }
    let (targets, place) = tokio::select! {
        found = config.place.find(voice) => found?,
        () = interrupt.heard() => return Err(too_early()),
    };
    if let Some(place) = place.filter(|_| !config.json) {
        print(&format!("{place}\n"))?;
    }
    let (env, own) = tokio::select! {
        found = services::find(&targets, &settings, Default::default(), metrics) => found?,
        () = interrupt.heard() => return Err(too_early()),
    };
    let line = ProgressLine::on_stderr(voice);
    let tell_line = Arc::new(move |event: LoadEvent<'_>| line.tell(event));
    let observer = LoadObserver { every: line.every(), tell: tell_line };
    let generator = tokio::select! {
        generator = LoadGenerator::new(&env.addresses, &plan, observer) => generator,
        () = interrupt.heard() => Err(too_early()),
    };
    let report = match generator {
        Ok(generator) => Ok(generator.run(&interrupt).await),
        Err(failure) => Err(failure),
    };
    stderr::flush().await;
    let exit = report.and_then(|report| tell(&plan, config.json, &report, voice));
    let killed = match own {
        Some(services) => services.stop_before(interrupt.heard_before(SERVICES_TIMEOUT)).await,
        None => Vec::new(),
    };
    if let Some(sentence) = given_up(&killed) {
        stderr::write(sentence);
        stderr::flush().await;
    }
    exit
}

/// What became of services of our own that were at work for too long after Ctrl-C.
fn given_up(killed: &[&str]) -> Option<String> {
    (!killed.is_empty()).then(|| {
        format!(
            "{SERVICES_TIMEOUT:?} after Ctrl-C, this load killed {}, which it had started; their work \
             was not finished\n",
            killed.join(" and ")
        )
    })
}

fn too_early() -> ExitError {
    ExitError::Failed("interrupted before the first order".to_owned())
}

fn tell(
    plan: &LoadPlan,
    json: bool,
    report: &LoadReport,
    voice: Voice,
) -> Result<ExitCode, ExitError> {
    print(&if json { view::json(plan, report) } else { view::text(plan, report, voice) })?;
    let whole = report.tally.answered() > 0 && report.after.is_ok();
    Ok(if whole { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
