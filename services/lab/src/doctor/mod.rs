//! `campuscafe doctor`: whether this machine is ready, and what to do if not.
//!
//! Each file checks one thing: a thin part looks, and a plain function judges
//! what it found. [`report`] prints the checks.

mod check;
mod clock;
mod memory;
mod owner;
mod ports;
mod probe;
mod programs;
mod reach;
mod report;
mod target;

use std::net::SocketAddr;
use std::process::ExitCode;

use campuscafe_service::ExitError;
use clap::{Parser, ValueEnum};

use crate::http;
use crate::view::console::print;
use crate::view::style::Style;
use check::Check;
use reach::Host;
use target::Urls;

/// Check whether this machine is ready, and say how to fix what is not
///
/// Checks ports, programs and memory. It also checks every URL that is set:
/// whether the program answers, is the right one, and has the same time as this
/// machine.
#[derive(Debug, Clone, Parser)]
#[command(after_help = "Exit status: 0 ready, 1 not ready, 2 wrong usage")]
pub(crate) struct Config {
    /// Which way of running CampusCafe to check
    #[arg(value_name = "PROFILE", default_value = "lab")]
    profile: Profile,

    /// Print one JSON object instead of text
    #[arg(long)]
    json: bool,

    #[command(flatten)]
    listen: Listen,

    #[command(flatten)]
    urls: Urls,
}

/// How CampusCafe runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Profile {
    /// Three processes on this machine
    Lab,
    /// Containers, with Jaeger, Prometheus and Grafana
    Compose,
    /// The same on a Kubernetes cluster that runs in containers
    Kind,
}

impl Profile {
    const fn name(self) -> &'static str {
        match self {
            Self::Lab => "lab",
            Self::Compose => "compose",
            Self::Kind => "kind",
        }
    }
}

/// The addresses that the programs would listen on.
#[derive(Debug, Clone, clap::Args)]
struct Listen {
    /// Address of the inventory
    #[arg(
        long,
        env = "INVENTORY_LISTEN",
        default_value = "127.0.0.1:5101",
        value_name = "ADDRESS"
    )]
    inventory_listen: SocketAddr,

    /// Address of the order service
    #[arg(long, env = "ORDER_LISTEN", default_value = "127.0.0.1:5201", value_name = "ADDRESS")]
    order_listen: SocketAddr,

    /// Address of the lab
    #[arg(long, env = "LAB_LISTEN", default_value = "127.0.0.1:5301", value_name = "ADDRESS")]
    lab_listen: SocketAddr,
}

/// Prints all checks, and fails if one of them is bad.
pub(crate) async fn run(config: Config) -> Result<ExitCode, ExitError> {
    let checks = examine(&config).await?;
    let paint = Style::stdout();
    print(&if config.json {
        report::json(config.profile, &checks)
    } else {
        report::text(config.profile, &checks, |tone, text| paint.tone(tone, text))
    })?;
    let ready = !checks.iter().any(Check::is_bad);
    Ok(if ready { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

async fn examine(config: &Config) -> Result<Vec<Check>, ExitError> {
    let http = http::client()?;
    let host = Host::of(config.profile, |name| std::env::var_os(name));
    let (ports, reached, programs) = tokio::join!(
        ports::examine(config.profile, &config.listen, &http),
        reach::examine(host, config.urls.targets(), &http),
        programs::examine(config.profile),
    );
    let memory = memory::examine(config.profile).into_iter().collect();
    Ok([ports, reached, programs, memory].concat())
}

#[cfg(test)]
mod tests {
    use clap::{Command, CommandFactory as _};

    use super::Config;

    fn default_and_variable(command: &Command, flag: &str) -> (String, String) {
        let argument = command.get_arguments().find(|a| a.get_long() == Some(flag)).unwrap();
        let default = argument.get_default_values()[0].to_string_lossy().into_owned();
        (default, argument.get_env().unwrap().to_string_lossy().into_owned())
    }

    #[test]
    fn addresses_are_read_as_the_programs_read_them() {
        let ours = Config::command();
        for (program, flag) in [
            (inventory::Config::command(), "inventory-listen"),
            (order::Config::command(), "order-listen"),
            (crate::commands::up::Config::command(), "lab-listen"),
        ] {
            let theirs = default_and_variable(&program, "listen");
            assert_eq!(default_and_variable(&ours, flag), theirs, "{flag}");
        }
    }
}
