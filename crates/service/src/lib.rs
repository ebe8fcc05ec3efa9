//! How a CampusCafe service runs: its settings, its sockets, its refusals, its
//! end. What it does is its own business.
//!
//! A program parses its settings with [`cli::parse`] and hands the rest to
//! [`run_main()`]; a service builds its router with [`service_router`], and [`run`]s it.

// `println!` and its like panic where the line cannot be written.
#![warn(clippy::print_stdout, clippy::print_stderr)]

mod address;
mod admin_routes;
mod backoff;
mod body;
pub mod cli;
mod clock;
mod completion;
mod connection;
mod examples;
mod guard;
mod health;
mod host;
mod idempotency;
pub mod ids;
mod lifecycle;
mod lock;
mod max_work;
mod origin;
mod problem_response;
mod proportion;
mod read_queue;
mod request;
mod run_main;
mod security_headers;
mod serve;
mod settings;
mod slots;
mod socket;
mod swagger;
mod waiting;
mod work;

/// The version of every program here, with the commit it was built from.
pub const VERSION: &str = concat!(env!("CARGO_PKG_VERSION"), " (", env!("CAMPUSCAFE_COMMIT"), ")");

/// What the exit status of a service says, for its help.
pub const EXIT_STATUS: &str =
    "Exit status: 0 stopped on request, 1 failure or unfinished work, 2 wrong usage";

pub use address::{exposure_notice, reachable};
pub use admin_routes::{service_router, with_admin_routes};
pub use clock::unix_millis;
pub use health::{ServiceCommand, healthcheck};
pub use host::AllowedHosts;
pub use idempotency::{KeyHeader, malformed_key};
pub use lifecycle::{DRAIN_TIMEOUT, END_WITH_STDIN, Lifecycle, end_signal};
pub use max_work::{DEFAULT_MAX_WAIT, max_wait, max_work};
pub use problem_response::{ProblemResponse, not_found};
pub use request::{
    Form, Json, MAX_BODY, PathParam, Query, RequestId, list_limit, malformed_query,
    valid_request_id,
};
pub use run_main::{ExitError, run_main};
pub use serve::{run, serve};
pub use settings::ServerSettings;
pub use socket::{Connection, bind};
pub use waiting::{Waiting, seconds};
pub use work::{WorkKind, WorkLimit, WorkMetrics, WorkPermit};
