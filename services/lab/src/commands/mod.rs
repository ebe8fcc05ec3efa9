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

// The services are commands of the same program, and need none of the arguments and of the
// messages of the others.
#[derive(Debug, Subcommand)]
#[command(defer = true)]
enum Command {
    /// Start the lab and both services, and print their addresses; Ctrl-C stops all
    Up(Box<up::Config>),
    /// The inventory of CampusCafe. It reserves pieces of a stock, and misbehaves on request to
    /// show what happens to its callers
    Inventory(inventory::Config),
    /// The order service of CampusCafe. It takes orders, gives the inventory limited time to
    /// answer, and retries once if asked
    Order(order::Config),
    /// Run an experiment, and show what happened with real spans and counters
    Experiment(Box<experiment::Config>),
    /// Run one script twice, naive and cured, and show both pictures and both ledgers
    Compare(Box<compare::Config>),
    /// Send orders at a fixed rate, and compare what customers were told with what the inventory
    /// holds
    Load(Box<load::Config>),
    /// Check whether this machine is ready, and say how to fix what is not
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
    fn the_list_of_commands_says_of_each_what_its_own_help_says() {
        let about = |command: &clap::Command| {
            let about = |one: &clap::Command| {
                (one.get_name().to_owned(), one.get_about().map(ToString::to_string))
            };
            command.get_subcommands().map(about).collect::<Vec<_>>()
        };
        let listed = about(&Campuscafe::command());
        let mut built = Campuscafe::command();
        built.build();
        let mut built = about(&built);
        built.retain(|(name, _)| name != "help");
        assert_eq!(listed, built);
    }

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
