//! `campuscafe`: the lab and, by subcommand, either service.

use std::process::ExitCode;

use campuscafe_lab::{Campuscafe, run};
use campuscafe_service::cli;

fn main() -> ExitCode {
    run(cli::parse::<Campuscafe>())
}
