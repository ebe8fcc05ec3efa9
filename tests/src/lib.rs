//! The harness: the real programs as processes of their own on free ports, and
//! waiting for conditions instead of sleeping.

#![allow(clippy::expect_used, clippy::panic, reason = "a test that cannot go on must fail here")]

mod cafe;
mod problem;
mod process;
mod spans;
mod wait;

pub use cafe::{Answer, Cafe};
pub use problem::{assert_problem, assert_problem_without_trace, is_hex_id};
pub use process::{Process, binary, children, signal};
pub use spans::{Span, spans_of};
pub use wait::{DEADLINE, eventually};
