//! What `campuscafe` can be asked for. Each command has its arguments and says
//! which parts do its work; the work itself is theirs.

mod compare;
mod experiment;
mod load;
mod place;
mod session;
mod speech;
pub(crate) mod up;

use std::ffi::OsString;
use std::process::ExitCode;

use campuscafe_service::{VERSION, healthcheck, run_main};
use campuscafe_telemetry::Identity;
use clap::{CommandFactory as _, Parser, Subcommand};
use clap_complete::Shell;
use tracing::Level;

use crate::doctor;
use crate::view::console::{print, print_to_stderr};

/// Its log has warnings only: what it has to say it prints.
const IDENTITY: Identity =
    Identity { service: "lab", version: env!("CARGO_PKG_VERSION"), log_level: Level::WARN };

/// A laboratory that shows why distributed systems are hard. Two small services
/// misbehave on request; traces, counters and a ledger show what happened.
///
/// Without a command it starts everything: see `campuscafe up --help`.
#[derive(Debug, Parser)]
#[command(
    name = "campuscafe",
    version = VERSION,
    after_help = "Exit status: 0 success, 1 failure, 2 wrong usage"
)]
pub struct Campuscafe {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Up(Box<up::Config>),
    Inventory(inventory::Config),
    Order(order::Config),
    Experiment(Box<experiment::Config>),
    Compare(Box<compare::Config>),
    Load(Box<load::Config>),
    Doctor(Box<doctor::Config>),
    /// Ask a running lab at this address whether it is ready
    Healthcheck(up::Listen),
    /// Print a script with which a shell completes commands and options
    Completions {
        /// Which shell
        shell: Shell,
    },
}

/// The arguments with `up` where no command is named. An option in its place is
/// one of `up`, unless it asks about the program as a whole.
pub fn with_default_command(arguments: impl IntoIterator<Item = OsString>) -> Vec<OsString> {
    let mut arguments: Vec<OsString> = arguments.into_iter().collect();
    let first = arguments.get(1).map(|first| first.to_string_lossy());
    let whole = ["-h", "--help", "-V", "--version"];
    if first.is_none_or(|first| first.starts_with('-') && !whole.contains(&first.as_ref())) {
        arguments.insert(arguments.len().min(1), "up".into());
    }
    arguments
}

/// Does what was asked for; the exit status says how it went.
#[must_use]
pub fn run(asked: Campuscafe) -> ExitCode {
    match asked.command {
        Command::Up(config) => run_main(IDENTITY, |metrics| up::run(*config, metrics)),
        Command::Inventory(config) => inventory::start(config),
        Command::Order(config) => order::start(config),
        Command::Experiment(config) => {
            run_main(IDENTITY, |metrics| experiment::run(*config, metrics))
        }
        Command::Compare(config) => run_main(IDENTITY, |metrics| compare::run(*config, metrics)),
        Command::Completions { shell } => {
            let mut script = Vec::new();
            clap_complete::generate(shell, &mut Campuscafe::command(), "campuscafe", &mut script);
            match print(&String::from_utf8_lossy(&script)) {
                Ok(()) => ExitCode::SUCCESS,
                Err(failure) => {
                    print_to_stderr(&format!("error: {failure}\n"));
                    ExitCode::FAILURE
                }
            }
        }
        Command::Load(config) => run_main(IDENTITY, |metrics| load::run(*config, metrics)),
        Command::Doctor(config) => run_main(IDENTITY, |_| doctor::run(*config)),
        Command::Healthcheck(lab) => healthcheck(lab.listen),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_a_command_everything_is_started() {
        for (given, expected) in [
            (&["campuscafe"][..], &["campuscafe", "up"][..]),
            (&["campuscafe", "--listen", "x"], &["campuscafe", "up", "--listen", "x"]),
            (&["campuscafe", "--help"], &["campuscafe", "--help"]),
            (&["campuscafe", "-V"], &["campuscafe", "-V"]),
            (&["campuscafe", "order"], &["campuscafe", "order"]),
            (&["campuscafe", "nonsense"], &["campuscafe", "nonsense"]),
        ] {
            assert_eq!(with_default_command(given.iter().map(OsString::from)), expected);
        }
    }
}
