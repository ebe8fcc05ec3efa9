//! `campuscafe load`: many orders at a given rate, whatever becomes of them.
//!
//! [`mix`] says which faults, [`drive`] lets orders arrive, [`tally`] keeps
//! count, [`summary`] says what it came to.

mod drive;
mod mix;
mod progress;
mod summary;
mod tally;

use std::process::ExitCode;
use std::time::Duration;

use campuscafe_service::{Failure, end_signal};
use campuscafe_telemetry::Metrics;
use clap::Parser;

use crate::command::Targets;
use crate::paint::print;
use crate::place::Place;
use drive::Drive;
use mix::Mix;

/// Stock for services of our own: enough that resets are rare.
const PLENTY: &str = "cake=1000000";

/// Place orders at a given rate, and show what customers were told against what the inventory holds
///
/// Arrivals are open-loop: an answer that is slow does not slow them, and times
/// count from the moment an order was due. The stock is put back whenever half
/// of it may be gone, so that orders do not just find it empty. Uses the
/// services that are named, else those of a running lab, else its own.
#[derive(Debug, Clone, Parser)]
#[command(after_help = "Exit status: 0 when orders were answered, 1 when none was, 2 on misuse")]
pub(crate) struct Config {
    /// Orders a second
    #[arg(long, default_value = "50", value_name = "NUMBER", value_parser = rate)]
    rate: f64,

    /// How long; until Ctrl-C if left out
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    duration: Option<Duration>,

    /// Shares of faults by weight; + joins the steps of a plan, as in slow+none=5
    #[arg(long, default_value = "none=90,slow=5,flaky=5", value_name = "PLAN=WEIGHT,...")]
    mix: Mix,

    /// Try again after a timeout
    #[arg(long)]
    retry: bool,

    /// Make the choice of faults repeatable
    #[arg(long, value_name = "NUMBER")]
    seed: Option<u64>,

    /// Print one JSON object instead of text; progress goes to stderr
    #[arg(long)]
    json: bool,

    #[command(flatten)]
    targets: Targets,
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

/// Runs for as long as asked, or until Ctrl-C; both end with the summary.
pub(crate) async fn run(config: Config, metrics: Metrics) -> Result<ExitCode, Failure> {
    let seed = config.seed.unwrap_or_else(|| rand::random::<u32>().into());
    let mut settings = vec![("CHAOS_SEED", seed.to_string())];
    if std::env::var_os("INVENTORY_STOCK").is_none() {
        settings.push(("INVENTORY_STOCK", PLENTY.to_owned()));
    }
    let place = Place::find(&config.targets, &settings, metrics).await?;
    let drive = Drive::new(&place.addresses, &config, seed).await?;
    let outcome = drive.run(end_signal()).await?;
    let printed = print(&if config.json {
        summary::json(&config, seed, &outcome)
    } else {
        summary::text(&config, seed, &outcome)
    });
    place.leave().await;
    printed?;
    let answered = outcome.tally.answered() > 0;
    Ok(if answered { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
