//! The inventory: keeps a stock, reserves pieces of it, and misbehaves on request.
//!
//! [`stock`] holds the rules, `store` keeps the stock, `reserve` is where faults
//! meet the commit, `commit` makes its evidence, `capacity` lets requests wait for their turn.

// `println!` and its like panic where the line cannot be written.
#![warn(clippy::print_stdout, clippy::print_stderr)]

mod app;
mod board;
mod capacity;
mod commit;
mod config;
mod deliveries;
mod faulted;
mod history;
mod holds;
mod keys;
mod metrics;
mod notifications;
mod ping;
mod plans;
mod price_list;
mod prices;
mod reservations;
mod reserve;
mod state;
pub mod stock;
mod store;
mod upkeep;

use std::process::ExitCode;

use campuscafe_service::{
    ExitError, Lifecycle, ServiceCommand, bind, exposure_notice, healthcheck, run_main,
};
use campuscafe_telemetry::{Identity, Metrics};
use tracing::Level;

pub use app::{App, router};
pub use config::{Config, DEFAULT_KEY_HORIZON, DEFAULT_KEY_HORIZON_OF_FILE, DEFAULT_MAX_WORK};

/// Who this service is in its telemetry.
pub const IDENTITY: Identity =
    Identity { service: "inventory", version: env!("CARGO_PKG_VERSION"), log_level: Level::INFO };

/// Does what the command line asks for, as a whole process.
#[must_use]
pub fn start(config: Config) -> ExitCode {
    match config.command {
        Some(ServiceCommand::Healthcheck) => healthcheck(config.listen),
        None => run_main(IDENTITY, |metrics| run(config, metrics)),
    }
}

/// Runs the inventory until it is told to end.
///
/// # Errors
///
/// When the address or the file cannot be had, or late work was not finished in time.
async fn run(config: Config, metrics: Metrics) -> Result<ExitCode, ExitError> {
    let listener = bind("--listen / INVENTORY_LISTEN", config.listen)?;
    if let Some(notice) = exposure_notice(&listener, "reserve, reset the stock and cause faults") {
        tracing::info!("{notice}");
    }
    let lifecycle = Lifecycle::default();
    let seed = config.chaos_seed.unwrap_or_else(rand::random);
    tracing::info!(seed, stock = %config.stock, "the seed of flaky faults");
    if let Some(capacity) = config.capacity {
        tracing::info!(capacity, "works {capacity} reserve requests a second, in order of arrival");
    }
    let app = App::open(&config, seed, metrics.clone(), lifecycle.clone()).await?;
    let router = router(app, &config.server.allowed_hosts);
    campuscafe_service::run("inventory", listener, router, lifecycle, metrics, &config.server)
        .await?;
    Ok(ExitCode::SUCCESS)
}
