//! The order service: takes an order, asks the inventory, and says honestly
//! what it knows in the end.
//!
//! [`outcome`] holds the rules, `attempts` the client that makes one or more
//! attempts, `cured_retry` the retry of orders with a key, `place_order`, `cancel`, `records`
//! and `reorder` the calls, `admission` the kind of work that an order is, `order_problem`
//! and `answers` what a customer is told without a confirmation, `replay` what a customer is
//! told who places the same order again, `orders` the rules of what is remembered, `store`
//! where it is kept, `settle` how an unknown order becomes known, `recovery` what goes on after
//! a crash, `notify` the messages that tell a listener what becomes of an order, `replicas` what
//! one of several replicas must refuse.

// `println!` and its like panic where the line cannot be written.
#![warn(clippy::print_stdout, clippy::print_stderr)]

mod admission;
mod answers;
mod app;
mod attempts;
mod calls;
mod cancel;
mod config;
mod cured_retry;
mod metrics;
mod notify;
mod order_problem;
mod orders;
pub mod outcome;
mod place_order;
mod records;
mod recovery;
mod reorder;
mod replay;
mod replicas;
pub mod sequence;
mod settle;
mod store;

use std::process::ExitCode;

use campuscafe_service::{
    ExitError, Lifecycle, ServiceCommand, bind, exposure_notice, healthcheck, run_main,
};
use campuscafe_telemetry::{Identity, Metrics};
use tracing::Level;

pub use app::{App, router};
pub use config::{
    Config, CuredRetries, CustomerKeys, DEFAULT_MAX_WORK, DEFAULT_ORDER_DEADLINE,
    DEFAULT_RETRY_BUDGET,
};

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
    let listener = bind("--listen / ORDER_LISTEN", config.listen)?;
    if let Some(notice) = exposure_notice(&listener, "place orders and cause faults") {
        tracing::info!("{notice}");
    }
    let lifecycle = Lifecycle::default();
    let app = App::open(&config, metrics.clone(), lifecycle.clone()).await?;
    tracing::info!(inventory = %config.inventory_url, "{}", config::explain_timeout(config.attempt_timeout));
    let router = router(app.clone(), &config.server.allowed_hosts);
    let served =
        campuscafe_service::run("order", listener, router, lifecycle, metrics, &config.server)
            .await;
    app.leave().await;
    served.map(|()| ExitCode::SUCCESS)
}
