//! The inventory's settings.

use std::net::SocketAddr;

use campuscafe_service::{EXIT_STATUS, ServerSettings, ServiceCommand, VERSION, max_work};
use clap::Parser;

use crate::stock::InitialStock;

/// What `--max-work` is unless it is set.
///
/// Measured with a release build: a slow or held request takes 19 KiB, its
/// connection included. So 1,000 of them take 19 MiB; with 16 MiB for the history
/// of commits and 8 MiB for the program itself that is two thirds of the 64 MiB
/// that the container has.
pub const DEFAULT_MAX_WORK: usize = 1_000;

/// The inventory of CampusCafe. It reserves pieces of a stock, and misbehaves on
/// request to show what happens to its callers.
///
/// Telemetry is set by the standard OTEL_* variables; nothing is exported
/// unless OTEL_EXPORTER_OTLP_ENDPOINT is set. Logs: RUST_LOG, LOG_FORMAT=pretty|json.
#[derive(Debug, Clone, Parser)]
#[command(name = "inventory", version = VERSION, after_help = EXIT_STATUS)]
pub struct Config {
    /// A command to run instead of the service
    #[command(subcommand)]
    pub command: Option<ServiceCommand>,

    /// Address to listen on; port 0 picks a free one and prints it
    #[arg(
        long,
        env = "INVENTORY_LISTEN",
        default_value = "127.0.0.1:5101",
        value_name = "ADDRESS"
    )]
    pub listen: SocketAddr,

    /// Initial stock; a reset restores it
    #[arg(
        long,
        env = "INVENTORY_STOCK",
        default_value = "cake=10,coffee=20",
        value_name = "ITEM=PIECES,..."
    )]
    pub stock: InitialStock,

    /// Seed of the flaky fault: the same seed and the same requests give the
    /// same faults [default: random, logged at the start]
    #[arg(long, env = "CHAOS_SEED", value_name = "NUMBER")]
    pub chaos_seed: Option<u64>,

    /// How many reserve requests may be under way, including work whose caller has
    /// left. The inventory answers 503 at once to more, and reserves nothing for them.
    /// Requests without a slow or held fault may use a sixth; the others use the rest,
    /// and held ones at most half of that rest
    #[arg(
        long,
        env = "INVENTORY_MAX_WORK",
        default_value_t = DEFAULT_MAX_WORK,
        value_name = "REQUESTS",
        value_parser = max_work
    )]
    pub max_work: usize,

    /// How it serves
    #[command(flatten)]
    pub server: ServerSettings,
}
