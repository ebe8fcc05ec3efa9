//! The inventory as a program of its own.

use std::process::ExitCode;

use campuscafe_service::{cli, launch};
use inventory::Config;

fn main() -> ExitCode {
    let config: Config = cli::parse(std::env::args_os());
    launch(inventory::IDENTITY, |metrics| inventory::run(config, metrics))
}
