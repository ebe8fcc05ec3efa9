//! The order service: takes an order, asks the inventory, and says honestly
//! what it knows in the end.
//!
//! [`outcome`] holds the rules, `attempts` the client that makes one or two
//! attempts, `place_order` and `reorder` the calls, `admission` the kind of work
//! that an order is, `told` what a customer is told without a confirmation.

// `println!` and its like panic where the line cannot be written.
#![warn(clippy::print_stdout, clippy::print_stderr)]

mod admission;
mod app;
mod attempts;
mod config;
mod metrics;
mod order_problem;
pub mod outcome;
mod place_order;
mod reorder;
pub mod sequence;

use std::process::ExitCode;

use campuscafe_service::{
    ExitError, Lifecycle, ServiceCommand, bind, exposure_notice, healthcheck, run_main,
};
use campuscafe_telemetry::{Identity, Metrics};
use tracing::Level;

pub use app::{App, router};
pub use config::{Config, DEFAULT_MAX_WORK};

/// Who this service is in its telemetry.
pub const IDENTITY: Identity =
    Identity { service: "order", version: env!("CARGO_PKG_VERSION"), log_level: Level::INFO };

/// Does what the command line asks for, as a whole process.
#[must_use]
pub fn start(config: Config) -> ExitCode {
    match config.command {
        Some(ServiceCommand::Healthcheck) => healthcheck(config.listen),
        None => run_main(IDENTITY, |metrics| run(config, metrics)),
    }
}

/// Runs the order service until it is told to end.
///
/// # Errors
///
/// When the address cannot be had, or orders were not finished in time.
async fn run(config: Config, metrics: Metrics) -> Result<ExitCode, ExitError> {
    let listener = bind("--listen / ORDER_LISTEN", config.listen).await?;
    if let Some(notice) = exposure_notice(&listener, "place orders and cause faults") {
        tracing::info!("{notice}");
    }
    let lifecycle = Lifecycle::default();
    let app = App::new(&config, metrics.clone(), lifecycle.clone())
        .map_err(|error| ExitError::Failed(format!("cannot make an HTTP client: {error}")))?;
    tracing::info!(inventory = %config.inventory_url, "{}", config::explain_timeout(config.attempt_timeout));
    let router = router(app, &config.server.allowed_hosts);
    campuscafe_service::run("order", listener, router, lifecycle, metrics, &config.server).await?;
    Ok(ExitCode::SUCCESS)
}
