//! `campuscafe up`: everything running, and where it is.

use std::io::Write as _;
use std::net::SocketAddr;
use std::path::Path;
use std::process::ExitCode;

use campuscafe_service::{Failure, bind, end_signal};
use campuscafe_telemetry::Metrics;
use clap::Parser;

use crate::services::{Manner, Services};

/// Start the lab and both services, and say where everything is; Ctrl-C ends it all
///
/// The services take their own settings from the environment: INVENTORY_LISTEN,
/// INVENTORY_STOCK, CHAOS_SEED, ORDER_LISTEN, ORDER_ATTEMPT_TIMEOUT. Their spans
/// come to this lab unless OTEL_EXPORTER_OTLP_ENDPOINT names another collector.
#[derive(Debug, Clone, Parser)]
#[command(
    after_help = "Exit status: 0 when it was told to end, 1 when a service ended by itself, 2 on misuse"
)]
pub(crate) struct Config {
    /// Address of the lab; port 0 picks a free one
    #[arg(long, env = "LAB_LISTEN", default_value = "127.0.0.1:5301", value_name = "ADDRESS")]
    pub(crate) listen: SocketAddr,
}

/// Runs until it is told to end, or until one of the services ends.
pub(crate) async fn run(config: Config, metrics: Metrics) -> Result<ExitCode, Failure> {
    let listener = bind("--listen / LAB_LISTEN", config.listen).await?;
    let end = end_signal();
    tokio::pin!(end);
    let mut services = tokio::select! {
        started = Services::start(listener, Manner::Open, metrics) => started?,
        () = &mut end => return Ok(ExitCode::SUCCESS),
    };
    let program = std::env::current_exe().unwrap_or_else(|_| "campuscafe".into());
    // Nobody may be reading any more; that is no reason to end.
    let _ = std::io::stdout().write_all(banner(&services, &shortened(&program)).as_bytes());
    let died = tokio::select! {
        sentence = services.one_died() => Some(sentence),
        () = &mut end => None,
    };
    services.stop().await;
    died.map_or(Ok(ExitCode::SUCCESS), |sentence| Err(Failure::Failed(sentence)))
}

/// The program as one would type it from here.
fn shortened(program: &Path) -> String {
    let here = std::env::current_dir().unwrap_or_default();
    program.strip_prefix(here).unwrap_or(program).display().to_string()
}

fn banner(services: &Services, program: &str) -> String {
    let (order, inventory, lab) =
        (root(&services.addresses.order), root(&services.addresses.inventory), root(&services.lab));
    format!(
        "
CampusCafe is open.

  order      {order}    takes orders, waits for so long only      {order}/swagger/
  inventory  {inventory}    the stock, and every way to be slow      {inventory}/swagger/
  lab        {lab}    the traces of both                       {lab}/api/traces

Try, in another terminal:

  1. Order a cake from an inventory that is slow once:
     curl -s {order}/orders -H 'content-type: application/json' \\
       -d '{{\"itemId\":\"cake\",\"quantity\":1,\"chaos\":\"slow,none\",\"retryOnTimeout\":true}}'

  2. Two seconds later, count the cakes: one order, two are gone.
     curl -s {inventory}/inventory/state

  3. Be shown how it came to that:
     {program} experiment double --lab-url {lab}

Ctrl-C ends it all.

"
    )
}

fn root(url: &reqwest::Url) -> &str {
    url.as_str().trim_end_matches('/')
}
