//! The laboratory: starts both services, drives experiments, and shows from
//! their own spans and counters what happened.
//!
//! `commands` says what can be asked for, `lessons` holds the experiments, `run`
//! carries them out, `campuscafe-evidence` turns spans into proof, and `view` says
//! what came of it. `layers` holds these modules to their order.

// `println!` and its like panic where the line cannot be written.
#![warn(clippy::print_stdout, clippy::print_stderr)]

mod children;
mod commands;
mod doctor;
mod http;
#[cfg(test)]
mod layers;
mod lessons;
mod links;
mod messages;
mod page;
mod printable;
mod run;
mod server;
mod stderr;
mod targets;
mod view;

pub use commands::{Campuscafe, run, with_default_command};
