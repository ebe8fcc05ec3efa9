//! The order service as a program of its own.

use std::process::ExitCode;

use campuscafe_service::{cli, launch};
use order::Config;

fn main() -> ExitCode {
    let config: Config = cli::parse(std::env::args_os());
    launch(order::IDENTITY, |metrics| order::run(config, metrics))
}
