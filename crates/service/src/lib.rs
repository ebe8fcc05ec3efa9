//! How a CampusCafe service runs: its settings, its sockets, its refusals, its
//! end. What it does is its own business.
//!
//! A program parses its settings with [`cli::parse`] and hands the rest to
//! [`launch`]; a service builds its router with [`assemble`], and [`run`]s it.

// `println!` and its like panic where the line cannot be written.
#![warn(clippy::print_stdout, clippy::print_stderr)]

mod address;
mod body;
pub mod cli;
mod connection;
mod guard;
mod health;
mod host;
pub mod ids;
mod launch;
mod lifecycle;
mod max_work;
mod operations;
mod origin;
mod refusal;
mod request;
mod security_headers;
mod serve;
mod settings;
mod slots;
mod socket;
mod swagger;
mod work;

/// The version of every program here, with the commit it was built from.
pub const VERSION: &str = concat!(env!("CARGO_PKG_VERSION"), " (", env!("CAMPUSCAFE_COMMIT"), ")");

/// What the exit status of a service says, for its help.
pub const EXIT_STATUS: &str =
    "Exit status: 0 when it was told to end, 1 when work was left unfinished, 2 on misuse";

pub use address::{opens, reachable};
pub use health::{Instead, healthcheck};
pub use host::AllowedHosts;
pub use launch::{Failure, launch};
pub use lifecycle::{DRAIN_LIMIT, END_WITH_STDIN, Lifecycle, end_signal};
pub use max_work::max_work;
pub use operations::{assemble, with_operations};
pub use refusal::{Refusal, no_such_path};
pub use request::{Json, MAX_BODY, PathPart, Query, RequestId, validated};
pub use serve::{run, serve};
pub use settings::ServerSettings;
pub use socket::{Connection, bind};
pub use work::{WorkKind, WorkLimit, WorkMetrics, WorkPermit};
