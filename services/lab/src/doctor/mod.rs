//! `campuscafe doctor`: whether this machine is ready, and what to do if not.
//!
//! Each file looks at one thing: a thin part finds out, a plain function judges
//! what was found. [`report`] says it.

mod ask;
mod check;
mod clock;
mod holder;
mod memory;
mod ports;
mod programs;
mod reach;
mod report;
mod target;

use std::net::SocketAddr;
use std::process::ExitCode;

use campuscafe_service::Failure;
use clap::{Parser, ValueEnum};

use crate::http;
use crate::view::console::print;
use crate::view::style::Style;
use check::Check;
use reach::Host;
use target::Urls;

/// Check whether this machine is ready, and say what mends it if not
///
/// Looks at ports, programs and memory, and at whatever a URL is set for: whether
/// it can be reached, is what it should be, and has the same time as we have.
#[derive(Debug, Clone, Parser)]
#[command(after_help = "Exit status: 0 when everything that is needed is there, 1 when not, \
                        2 on misuse")]
pub(crate) struct Config {
    /// Ready for which way of running CampusCafe
    #[arg(value_name = "WAY", default_value = "lab")]
    way: Way,

    /// Print one JSON object instead of text
    #[arg(long)]
    json: bool,

    #[command(flatten)]
    listen: Listen,

    #[command(flatten)]
    urls: Urls,
}

/// A way of running CampusCafe.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Way {
    /// Three processes on this machine
    Lab,
    /// Containers, with Jaeger, Prometheus and Grafana
    Compose,
    /// The same on a Kubernetes cluster in containers
    Kind,
}

impl Way {
    const fn name(self) -> &'static str {
        match self {
            Self::Lab => "lab",
            Self::Compose => "compose",
            Self::Kind => "kind",
        }
    }
}

/// Where the services would listen.
#[derive(Debug, Clone, clap::Args)]
struct Listen {
    /// Address that the inventory would have
    #[arg(
        long,
        env = "INVENTORY_LISTEN",
        default_value = "127.0.0.1:5101",
        value_name = "ADDRESS"
    )]
    inventory_listen: SocketAddr,

    /// Address that the order service would have
    #[arg(long, env = "ORDER_LISTEN", default_value = "127.0.0.1:5201", value_name = "ADDRESS")]
    order_listen: SocketAddr,

    /// Address that the lab would have
    #[arg(long, env = "LAB_LISTEN", default_value = "127.0.0.1:5301", value_name = "ADDRESS")]
    lab_listen: SocketAddr,
}

/// Looks at everything, says what was found, and fails if something is missing.
pub(crate) async fn run(config: Config) -> Result<ExitCode, Failure> {
    let checks = examine(&config).await?;
    let paint = Style::stdout();
    print(&if config.json {
        report::json(config.way, &checks)
    } else {
        report::text(config.way, &checks, |tone, text| paint.tone(tone, text))
    })?;
    let ready = !checks.iter().any(Check::stands_in_the_way);
    Ok(if ready { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

async fn examine(config: &Config) -> Result<Vec<Check>, Failure> {
    let http = http::client()?;
    let host = Host::of(config.way, |name| std::env::var_os(name));
    let (ports, reached, programs) = tokio::join!(
        ports::examine(config.way, &config.listen, &http),
        reach::examine(host, config.urls.targets(), &http),
        async {
            match host {
                // Nothing can be installed in a pod, and nothing there needs Docker.
                Host::Pod => Vec::new(),
                Host::Machine(way) => programs::examine(way).await,
            }
        },
    );
    Ok([ports, reached, programs, vec![memory::examine(config.way)]].concat())
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
