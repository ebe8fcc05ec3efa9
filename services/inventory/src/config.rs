//! The inventory's settings.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use campuscafe_database::DatabaseSettings;
use campuscafe_service::{
    DEFAULT_MAX_WAIT, EXIT_STATUS, ServerSettings, ServiceCommand, VERSION, max_wait, max_work,
};
use clap::Parser;
use humantime::format_duration;

use crate::history::HORIZON;
use crate::stock::InitialStock;

/// What `--max-work` is unless it is set.
///
/// Measured with a release build: a slow or held request takes 19 KiB, its
/// connection included. So 1,000 of them take 19 MiB; with 16 MiB for the history
/// of commits, 52 MiB for idempotency keys and 8 MiB for the program itself that is
/// three quarters of the 128 MiB that the container has. With a file, 8 MiB more are for its
/// pages.
pub const DEFAULT_MAX_WORK: usize = 1_000;

/// What `--key-horizon` is unless it is set, without a file.
pub const DEFAULT_KEY_HORIZON: Duration = Duration::from_mins(10);

/// What `--key-horizon` is unless it is set, with a file: what outlives a crash should also
/// outlive a night.
pub const DEFAULT_KEY_HORIZON_OF_FILE: Duration = Duration::from_hours(24);

/// The highest capacity: timers go by milliseconds.
const MAX_CAPACITY: i64 = 1_000;

/// The longest horizon.
const MAX_KEY_HORIZON: Duration = Duration::from_hours(24);

/// A key must outlive every attempt that may still come, or the attempt would be taken
/// for a new request.
fn key_horizon(text: &str) -> Result<Duration, String> {
    let expected = || {
        let (least, most) = (format_duration(HORIZON), format_duration(MAX_KEY_HORIZON));
        format!("expected a duration of {least} to {most}, such as 10m")
    };
    let horizon: Duration = humantime::parse_duration(text).map_err(|_| expected())?;
    if (HORIZON..=MAX_KEY_HORIZON).contains(&horizon) { Ok(horizon) } else { Err(expected()) }
}

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

    /// How long a request to reserve may wait until it is read, if so many come at one time that it has to.
    /// After that the inventory answers 503, and does nothing for it
    #[arg(
        long,
        env = "INVENTORY_MAX_WAIT",
        default_value = DEFAULT_MAX_WAIT,
        value_name = "DURATION",
        value_parser = max_wait
    )]
    pub max_wait: Duration,

    /// How many reserve requests are worked in a second, one after the other in order of
    /// arrival; at once if it is not set. A request is finished although its caller has left.
    /// Those that wait are work under way of the slow kind: when --max-work allows no more of
    /// it, further requests are answered 503
    #[arg(
        long,
        env = "INVENTORY_CAPACITY",
        value_name = "REQUESTS_PER_SECOND",
        value_parser = clap::value_parser!(u32).range(1..=MAX_CAPACITY)
    )]
    pub capacity: Option<u32>,

    /// How long an idempotency key is remembered. After that a request with the key of an
    /// order is refused, and any other key is new again. Requests record 150,000 keys at most;
    /// while these are remembered, a request with a new key is answered 503
    /// [default: 10m; 24h with a file or a database]
    #[arg(
        long,
        env = "INVENTORY_KEY_HORIZON",
        value_name = "DURATION",
        value_parser = key_horizon
    )]
    pub key_horizon: Option<Duration>,

    /// Directory for the file of the stock, inventory.redb; both are made if they are not
    /// there. What was answered survives a crash. Only one process can use it. Without it the
    /// stock is in memory, and a restart forgets everything
    #[arg(long, env = "DATA_DIR", value_name = "DIRECTORY")]
    pub data: Option<PathBuf>,

    /// The database, if it uses one
    #[command(flatten)]
    pub database: DatabaseSettings,

    /// How it serves
    #[command(flatten)]
    pub server: ServerSettings,
}

impl Config {
    /// How long an idempotency key is remembered.
    #[must_use]
    pub fn key_horizon(&self) -> Duration {
        let outlives = self.data.is_some() || self.database.names_one();
        self.key_horizon.unwrap_or(match outlives {
            true => DEFAULT_KEY_HORIZON_OF_FILE,
            false => DEFAULT_KEY_HORIZON,
        })
    }
}
