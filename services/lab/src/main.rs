//! `campuscafe`: the lab and, by subcommand, either service.

use std::process::ExitCode;

use campuscafe_lab::{Campuscafe, run, with_default_command};
use campuscafe_service::cli;

fn main() -> ExitCode {
    run(cli::parse::<Campuscafe>(with_default_command(std::env::args_os())))
}
