//! The order service as a program of its own.

use std::process::ExitCode;

use campuscafe_service::cli;

fn main() -> ExitCode {
    order::start(cli::parse(std::env::args_os()))
}
