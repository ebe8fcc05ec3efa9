//! The promises of the lab, kept by the real programs over real sockets.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "helpers of tests fail like tests"
)]

mod attached_lab;
mod cancelled_orders;
mod collector;
mod command_line;
mod compare;
mod compose_settings;
mod contracts;
mod crash;
mod customers_keys;
mod dashboards;
mod database_store;
mod deliveries;
mod doctor;
mod examples;
mod experiments;
mod faulty_inventory;
mod file_store;
mod hardening;
mod http_file;
mod idempotency_keys;
mod idempotent_orders;
mod labels;
mod lanes;
mod language;
mod lessons;
mod load;
mod log_records;
mod logs;
mod notifications;
mod order_database;
mod order_store;
mod order_work_limit;
mod page_answers;
mod pages;
mod pod_replacement;
mod prices;
mod race;
mod readme;
mod readme_quote;
mod refusals;
mod replicas;
mod request_guard;
mod run_counters;
mod runs;
mod scripts;
mod shutdown;
mod span_contract;
mod telemetry_bounds;
mod telemetry_example;
mod traces;
mod values;
mod workspace;
mod worlds;
