//! The promises of the lab, kept by the real programs over real sockets.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "helpers of tests fail like tests"
)]

mod collector;
mod command_line;
mod compose_settings;
mod contracts;
mod dashboards;
mod deliveries;
mod doctor;
mod doors;
mod endings;
mod experiments;
mod hardening;
mod impostors;
mod lab_alone;
mod lessons;
mod load;
mod order_work;
mod readme;
mod refusals;
mod span_contract;
mod telemetry_bounds;
mod telemetry_example;
mod turnovers;
mod workspace;
