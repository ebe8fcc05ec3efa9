//! What `campuscafe` can be asked for.

use std::process::ExitCode;

use campuscafe_service::{VERSION, launch};
use campuscafe_telemetry::Identity;
use clap::{Args, CommandFactory as _, Parser, Subcommand};
use clap_complete::Shell;
use reqwest::Url;

use crate::paint::print;
use crate::{experiment, load, up};

/// Its log has warnings only: what it has to say it prints.
const IDENTITY: Identity =
    Identity { service: "lab", version: env!("CARGO_PKG_VERSION"), log_filter: "warn" };

/// A laboratory where you see why distribution is hard: two small services that
/// misbehave on request, and the traces, counters and ledger that show what
/// became of it.
///
/// Without a command it starts everything: see `campuscafe up --help`.
#[derive(Debug, Parser)]
#[command(
    name = "campuscafe",
    version = VERSION,
    args_conflicts_with_subcommands = true,
    after_help = "Exit status: 0 when it did what was asked, 1 when it did not, 2 on misuse"
)]
pub struct Campuscafe {
    #[command(subcommand)]
    command: Option<Command>,

    #[command(flatten)]
    up: up::Config,
}

#[derive(Debug, Subcommand)]
enum Command {
    Up(up::Config),
    Inventory(inventory::Config),
    Order(order::Config),
    Experiment(Box<experiment::Config>),
    Load(Box<load::Config>),
    /// Print a script that completes commands and options in a shell
    Completions {
        /// Which shell
        shell: Shell,
    },
}

/// Where running services are, and where their spans can be read.
#[derive(Debug, Clone, Args)]
pub struct Targets {
    /// A running order service to use instead of starting one
    #[arg(long, env = "ORDER_URL", value_name = "URL", requires = "inventory_url")]
    pub order_url: Option<Url>,

    /// The inventory behind it
    #[arg(long, env = "INVENTORY_URL", value_name = "URL")]
    pub inventory_url: Option<Url>,

    /// A running lab: spans are read there, and its services are used unless
    /// others are named
    #[arg(long, env = "LAB_URL", value_name = "URL")]
    pub lab_url: Option<Url>,

    /// A running Jaeger: spans are read there if no lab is named
    #[arg(long, env = "JAEGER_URL", value_name = "URL")]
    pub jaeger_url: Option<Url>,
}

/// Does what was asked for; the exit status says how it went.
#[must_use]
pub fn run(asked: Campuscafe) -> ExitCode {
    match asked.command.unwrap_or(Command::Up(asked.up)) {
        Command::Up(config) => launch(IDENTITY, |metrics| up::run(config, metrics)),
        Command::Inventory(config) => {
            launch(inventory::IDENTITY, |metrics| inventory::run(config, metrics))
        }
        Command::Order(config) => launch(order::IDENTITY, |metrics| order::run(config, metrics)),
        Command::Experiment(config) => {
            launch(IDENTITY, |metrics| experiment::run(*config, metrics))
        }
        Command::Completions { shell } => {
            let mut script = Vec::new();
            clap_complete::generate(shell, &mut Campuscafe::command(), "campuscafe", &mut script);
            print(&String::from_utf8_lossy(&script));
            ExitCode::SUCCESS
        }
        Command::Load(config) => launch(IDENTITY, |metrics| load::run(*config, metrics)),
    }
}
