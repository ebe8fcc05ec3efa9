//! What Jaeger and Prometheus themselves answer about a running café. Not one
//! of the usual tests: `make test-stack` starts Docker Compose around it,
//! `make test-k8s` a cluster.
//!
//! `traces` and `numbers` know only URLs, so they are the same for both; `compose`,
//! `network_policies` and `when_pods_change` are what only one of them can do.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "helpers of tests fail like tests"
)]

mod compose;
mod dashboards;
mod network_policies;
mod numbers;
mod stack;
mod story;
mod traces;
mod when_parts_restart;
mod when_pods_change;
