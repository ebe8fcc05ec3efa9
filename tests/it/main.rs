//! The promises of the lab, kept by the real programs over real sockets.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "helpers of tests fail like tests"
)]

mod attached_lab;
mod collector;
mod command_line;
mod compose_settings;
mod contracts;
mod dashboards;
mod deliveries;
mod doctor;
mod examples;
mod experiments;
mod faulty_inventory;
mod hardening;
mod http_file;
mod labels;
mod lessons;
mod load;
mod order_work_limit;
mod pages;
mod pod_replacement;
mod readme;
mod readme_quote;
mod refusals;
mod request_guard;
mod runs;
mod shutdown;
mod span_contract;
mod telemetry_bounds;
mod telemetry_example;
mod workspace;
mod worlds;
