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

/// The inventory of CampusCafe: reserves pieces of a stock, and misbehaves on
/// request, so that you can see what its callers make of it.
///
/// Telemetry is set by the standard OTEL_* variables; nothing is exported
/// unless OTEL_EXPORTER_OTLP_ENDPOINT is set. Logs: RUST_LOG, LOG_FORMAT=pretty|json.
#[derive(Debug, Clone, Parser)]
#[command(name = "inventory", version = VERSION, after_help = EXIT_STATUS)]
pub struct Config {
    /// What to do instead of running, if anything
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

    /// Opening stock, to which a reset returns
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

    /// Reserve requests that may be under way at one time, those that outlived
    /// their callers included; more are answered 503 at once, and reserve
    /// nothing. Requests that do not wait may be a sixth of them, and slow and held ones
    /// the rest; held ones alone may be half of that rest
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
