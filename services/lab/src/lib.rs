//! The laboratory: starts both services, drives experiments, and shows from
//! their own spans and counters what happened.
//!
//! [`command`] says what can be asked for, [`experiment`] holds the lessons,
//! `campuscafe-evidence` turns spans into proof, [`diagram`] draws it.

// `println!` and its like panic where the line cannot be written.
#![warn(clippy::print_stdout, clippy::print_stderr)]

mod bench;
pub mod command;
mod crossing;
mod diagram;
mod doctor;
pub mod experiment;
mod links;
mod load;
mod paint;
mod place;
mod printable;
mod report;
mod server;
mod services;
mod source;
mod stderr;
pub mod traces;
mod up;

pub use command::{Campuscafe, run, with_default_command};
