//! `campuscafe up`: everything running, and where it is.

use std::fmt::Write as _;
use std::io::Write as _;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use campuscafe_service::{ExitError, ServerSettings, bind, end_signal, exposure_notice};
use campuscafe_telemetry::Metrics;
use clap::{Args, Parser};
use reqwest::Url;
use tokio::sync::watch;

use super::speech::Speech;
use crate::children::StartMode;
use crate::http;
use crate::links::{Links, Tools};
use crate::server::Lab;
use crate::server::services::Services;
use crate::stderr;
use crate::targets::{Addresses, ExperimentDatabase, KnownServices};
use crate::view::columns::left;
use crate::view::voice::Voice;

/// Start the lab and both services, and print their addresses; Ctrl-C stops all
///
/// The services take their own settings from the environment: INVENTORY_LISTEN,
/// INVENTORY_STOCK, CHAOS_SEED, ORDER_LISTEN, ORDER_ATTEMPT_TIMEOUT. Their spans
/// come to this lab unless OTEL_EXPORTER_OTLP_ENDPOINT names another collector.
///
/// With ORDER_URL and INVENTORY_URL, start only the lab. It runs experiments at these
/// services, and tells clients these addresses unless it is given others for them.
#[derive(Debug, Clone, Parser)]
#[command(
    after_help = "Exit status: 0 stopped on request, 1 failure or a service stopped unexpectedly, 2 wrong usage"
)]
pub(crate) struct Config {
    #[command(flatten)]
    lab: Listen,

    /// A running order service to use instead of starting one
    #[arg(long, env = "ORDER_URL", value_name = "URL", requires = "inventory_url")]
    order_url: Option<Url>,

    /// The inventory that this order service uses
    #[arg(long, env = "INVENTORY_URL", value_name = "URL")]
    inventory_url: Option<Url>,

    /// Address of this order service for clients of the lab, if it differs
    #[arg(long, value_name = "URL", requires = "order_url")]
    order_link_url: Option<Url>,

    /// Address of this inventory for clients of the lab, if it differs
    #[arg(long, value_name = "URL", requires = "order_url")]
    inventory_link_url: Option<Url>,

    /// Directory in which each service keeps its file, so that what it has answered survives
    /// a crash. Without it a restart forgets everything
    #[arg(long, env = "DATA_DIR", value_name = "DIRECTORY", conflicts_with = "order_url")]
    data: Option<PathBuf>,

    #[command(flatten)]
    speech: Speech,

    #[command(flatten)]
    server: ServerSettings,

    #[command(flatten)]
    database: ExperimentDatabase,

    #[command(flatten)]
    tools: Tools,
}

/// Where a lab listens if nothing else is said.
pub(super) const DEFAULT_LAB: &str = "127.0.0.1:5301";

// Where the lab is. Not a doc comment, which would be the help of a command with these arguments.
#[derive(Debug, Clone, Copy, Args)]
pub(crate) struct Listen {
    /// Address of the lab; port 0 picks a free one
    #[arg(long, env = "LAB_LISTEN", default_value = DEFAULT_LAB, value_name = "ADDRESS")]
    pub(crate) listen: SocketAddr,
}

/// Runs until it is told to end, or until one of the services ends.
pub(crate) async fn run(config: Config, metrics: Metrics) -> Result<ExitCode, ExitError> {
    let voice = Voice::on_stdout(config.speech.language());
    let listener = bind("--listen / LAB_LISTEN", config.lab.listen)?;
    let open = exposure_notice(&listener, "read its traces and send it spans");
    let open = open.map(|sentence| format!("\n{sentence}\n")).unwrap_or_default();
    let end = end_signal();
    tokio::pin!(end);
    let links = Links::new(&config.tools);
    let tools = links.reachable_tools(&http::client()?).await;
    if let (Some(order), Some(inventory)) = (config.order_url, config.inventory_url) {
        let public = Addresses {
            order: config.order_link_url.unwrap_or_else(|| order.clone()),
            inventory: config.inventory_link_url.unwrap_or_else(|| inventory.clone()),
        };
        let internal = Addresses { order, inventory };
        let services = KnownServices { internal, public: public.clone() };
        let (_tell, known) = watch::channel(Some(services));
        let lab = Lab::open(listener, known, links, config.database, &metrics, &config.server)?;
        say(&format!("{}{open}", listing(&public, &lab.url, &tools, voice)));
        end.await;
        lab.close().await;
        return Ok(ExitCode::SUCCESS);
    }
    let mut services = tokio::select! {
        started = Services::start(listener, StartMode::Open(config.data.as_deref()), links, config.database, metrics, &config.server) => {
            started?
        }
        () = &mut end => return Ok(ExitCode::SUCCESS),
    };
    let program = std::env::current_exe().unwrap_or_else(|_| "campuscafe".into());
    say(&format!(
        "{}{open}{}",
        listing(&services.addresses, &services.lab.url, &tools, voice),
        next_steps(&services, &shortened(&program), voice)
    ));
    let died = tokio::select! {
        sentence = services.first_exit() => Some(sentence),
        () = &mut end => None,
    };
    services.stop().await;
    let Some(sentence) = died else { return Ok(ExitCode::SUCCESS) };
    // The caller does not write it, because the caller would wait for a reader of stderr.
    stderr::write(format!("error: {sentence}\n"));
    stderr::flush().await;
    Ok(ExitCode::FAILURE)
}

/// Nobody may be reading any more; that is no reason to end.
fn say(text: &str) {
    let _ = std::io::stdout().write_all(text.as_bytes());
}

/// The program as one would type it from here.
fn shortened(program: &Path) -> String {
    let here = std::env::current_dir().unwrap_or_default();
    program.strip_prefix(here).unwrap_or(program).display().to_string()
}

/// Columns of what a service does.
const DOES: usize = 42;

fn listing(services: &Addresses, lab: &Url, tools: &[(&str, String)], voice: Voice) -> String {
    let lab = root(lab);
    let open = voice.tell("up-open", &[("lab", lab.into())]);
    let mut text = format!("\n{open}\n\n");
    for (name, does, url, page) in [
        ("order", "up-order", root(&services.order), "/swagger/"),
        ("inventory", "up-inventory", root(&services.inventory), "/swagger/"),
        ("lab", "up-lab", lab, "/api/traces"),
    ] {
        let does = left(&voice.say(does), DOES);
        let _ = writeln!(text, "  {name:<9}  {url}    {does}{url}{page}");
    }
    for (name, url) in tools {
        let _ = writeln!(text, "  {name:<9}  {url}");
    }
    text
}

fn next_steps(services: &Services, program: &str, voice: Voice) -> String {
    let Addresses { order, inventory } = &services.addresses;
    let (order, inventory, lab) = (root(order), root(inventory), root(&services.lab.url));
    let [heading, first, second, third, stop] =
        ["up-try", "up-step-1", "up-step-2", "up-step-3", "up-stop"].map(|id| voice.say(id));
    format!(
        "
{heading}

  1. {first}
     curl -s {order}/orders -H 'content-type: application/json' \\
       -d '{{\"itemId\":\"cake\",\"quantity\":1,\"chaos\":\"slow,none\",\"retryOnTimeout\":true}}'

  2. {second}
     curl -s {inventory}/inventory/state

  3. {third}
     {program} experiment double --lab-url {lab}

{stop}

"
    )
}

fn root(url: &Url) -> &str {
    url.as_str().trim_end_matches('/')
}
