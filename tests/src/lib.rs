//! The harness: the real programs as processes of their own on free ports, and
//! waiting for conditions instead of sleeping.

#![allow(clippy::expect_used, clippy::panic, reason = "a test that cannot go on must fail here")]

mod cafe;
mod checkout;
mod path;
mod pid;
pub mod postgres;
mod problem;
mod process;
mod reserved_port;
mod services;
mod spans;
mod wait;

pub use cafe::{Answer, Cafe};
pub use checkout::{binary, root};
pub use path::{on_path, skipped};
pub use pid::{children, gone, is_running, signal};
pub use problem::{assert_problem, assert_problem_without_trace, is_hex_id};
pub use process::Process;
pub use reserved_port::ReservedPort;
pub use services::Services;
pub use spans::{Span, spans_of};
pub use wait::{DEADLINE, eventually, within_deadline};
