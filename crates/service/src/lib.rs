//! How a CampusCafe service runs: its settings, its sockets, its refusals, its
//! end. What it does is its own business.
//!
//! A program parses its settings with [`cli::parse`] and hands the rest to
//! [`launch`]; a service builds its router with [`assemble`], and [`run`]s it.

pub mod cli;
pub mod ids;
mod launch;
mod lifecycle;
mod operations;
mod refusal;
mod request;
mod serve;
mod socket;

pub use launch::{Failure, launch};
pub use lifecycle::{DRAIN_LIMIT, END_WITH_STDIN, Lifecycle, end_signal};
pub use operations::{assemble, with_operations};
pub use refusal::{Refusal, no_such_path};
pub use request::{Json, MAX_BODY, Query, RequestId, validated};
pub use serve::{run, serve};
pub use socket::{Connection, bind};
