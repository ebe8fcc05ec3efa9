//! The inventory as a program of its own.

use std::process::ExitCode;

use campuscafe_service::cli;

fn main() -> ExitCode {
    inventory::start(cli::parse(std::env::args_os()))
}
