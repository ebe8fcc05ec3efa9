//! The order service's settings, and what they mean for its customers.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use campuscafe_chaos::Fault;
use campuscafe_cures::backoff::Backoff;
use campuscafe_cures::budget::RESERVE;
use campuscafe_database::DatabaseSettings;
use campuscafe_service::{
    DEFAULT_MAX_WAIT, EXIT_STATUS, ServerSettings, ServiceCommand, VERSION, max_wait, max_work,
};
use clap::{Parser, ValueEnum};
use humantime::format_duration;
use reqwest::Url;

use crate::outcome::MAX_CURED_ATTEMPTS;

/// The longest timeout that makes sense in a lesson.
const MAX_TIMEOUT: Duration = campuscafe_api::order::MAX_ATTEMPT_TIMEOUT;

/// What `--max-work` is unless it is set: about 64 KiB each, in a container of
/// 128 MiB.
pub const DEFAULT_MAX_WORK: usize = 400;

/// What `--retry-budget` is unless it is set.
pub const DEFAULT_RETRY_BUDGET: f64 = 0.1;

/// What `--order-deadline` is unless it is set: three attempts of 1 s, of which the last
/// gives up what the waits before it took.
pub const DEFAULT_ORDER_DEADLINE: Duration = Duration::from_secs(3);

/// The retries of orders with an idempotency key, as far as they are not set.
#[derive(Debug, Clone, Copy)]
pub struct CuredRetries {
    /// Attempts of one order, the first one included.
    pub attempts: u32,
    /// The waits between them.
    pub backoff: Backoff,
    /// Retries of all orders that may come at once.
    pub reserve: u32,
}

impl CuredRetries {
    /// As every order service has them.
    pub const DEFAULT: Self = Self {
        attempts: MAX_CURED_ATTEMPTS,
        backoff: Backoff { base: Duration::from_millis(100), most: Duration::from_secs(1) },
        reserve: RESERVE,
    };
}

/// The longest deadline: a few attempts of the longest timeout.
const MAX_ORDER_DEADLINE: Duration = Duration::from_mins(5);

/// The order service of CampusCafe. It takes orders, gives the inventory limited
/// time to answer, and retries once if asked.
///
/// Telemetry is set by the standard OTEL_* variables; nothing is exported
/// unless OTEL_EXPORTER_OTLP_ENDPOINT is set. Logs: RUST_LOG, LOG_FORMAT=pretty|json.
#[derive(Debug, Clone, Parser)]
#[command(name = "order", version = VERSION, after_help = EXIT_STATUS)]
pub struct Config {
    /// A command to run instead of the service
    #[command(subcommand)]
    pub command: Option<ServiceCommand>,

    /// Address to listen on; port 0 picks a free one and prints it
    #[arg(long, env = "ORDER_LISTEN", default_value = "127.0.0.1:5201", value_name = "ADDRESS")]
    pub listen: SocketAddr,

    /// Address of the inventory
    #[arg(
        long,
        env = "INVENTORY_URL",
        default_value = "http://127.0.0.1:5101",
        value_name = "URL",
        value_parser = http_url
    )]
    pub inventory_url: Url,

    /// Timeout of one attempt, from sending it to the last byte of the answer
    #[arg(
        long,
        env = "ORDER_ATTEMPT_TIMEOUT",
        default_value = "1s",
        value_name = "DURATION",
        value_parser = timeout
    )]
    pub attempt_timeout: Duration,

    /// How many retries of orders with an idempotency key there may be, as a fraction of their
    /// first attempts, beyond a reserve of 10. 0 allows none.
    /// Orders without a key are not bound
    #[arg(
        long,
        env = "ORDER_RETRY_BUDGET",
        default_value = "0.1",
        value_name = "FRACTION",
        value_parser = fraction
    )]
    pub retry_budget: f64,

    /// By when an order with an idempotency key is answered, if it is retried: no retry begins
    /// later, and none waits longer. Its first attempt may take its whole timeout
    #[arg(
        long,
        env = "ORDER_DEADLINE",
        default_value = "3s",
        value_name = "DURATION",
        value_parser = deadline
    )]
    pub order_deadline: Duration,

    /// Not on the command line: a test may want them exact
    #[arg(skip = CuredRetries::DEFAULT)]
    pub cured_retries: CuredRetries,

    /// How many orders and pings may be under way, including those whose customer
    /// has left. The order service answers 503 at once to more, and sends nothing for
    /// them. Orders without a slow or held fault may use a sixth; orders with such a
    /// fault, and pings, use the rest
    #[arg(
        long,
        env = "ORDER_MAX_WORK",
        default_value_t = DEFAULT_MAX_WORK,
        value_name = "ORDERS",
        value_parser = max_work
    )]
    pub max_work: usize,

    /// How long an order may wait until it is read, if so many come at one time that it has to.
    /// After that the order service answers 503, and does nothing for it
    #[arg(
        long,
        env = "ORDER_MAX_WAIT",
        default_value = DEFAULT_MAX_WAIT,
        value_name = "DURATION",
        value_parser = max_wait
    )]
    pub max_wait: Duration,

    /// What to do with the Idempotency-Key of a customer. With several replicas that share no
    /// database, refuse them: each replica knows only the keys that it has seen itself, so the
    /// same key would place one order at each of them
    #[arg(
        long,
        env = "ORDER_CUSTOMER_KEYS",
        value_enum,
        default_value_t = CustomerKeys::Accept,
        value_name = "accept|refuse",
        hide_possible_values = true
    )]
    pub customer_keys: CustomerKeys,

    /// Directory for the file of the orders, order.redb; both are made if they are not there.
    /// An order is recorded before its first attempt is sent, and what was answered survives a
    /// crash. Only one process can use it. Without it the orders are in memory, and a restart
    /// forgets everything
    #[arg(long, env = "DATA_DIR", value_name = "DIRECTORY")]
    pub data: Option<PathBuf>,

    /// The database, if it uses one
    #[command(flatten)]
    pub database: DatabaseSettings,

    /// How it serves
    #[command(flatten)]
    pub server: ServerSettings,
}

/// What the service does with the `Idempotency-Key` of a customer.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum CustomerKeys {
    /// The same key is the same order.
    #[default]
    Accept,
    /// An order with a key is refused.
    Refuse,
}

fn http_url(text: &str) -> Result<Url, String> {
    Url::parse(text)
        .ok()
        .filter(|url| url.scheme() == "http" && url.has_host() && url.path() == "/")
        .ok_or_else(|| "expected http://HOST:PORT".to_owned())
}

fn fraction(text: &str) -> Result<f64, String> {
    text.parse()
        .ok()
        .filter(|fraction| (0.0..=1.0).contains(fraction))
        .ok_or_else(|| "expected a fraction from 0 to 1, such as 0.1".to_owned())
}

fn deadline(text: &str) -> Result<Duration, String> {
    humantime::parse_duration(text)
        .ok()
        .filter(|deadline| !deadline.is_zero() && *deadline <= MAX_ORDER_DEADLINE)
        .ok_or_else(|| {
            let most = format_duration(MAX_ORDER_DEADLINE);
            format!("expected a duration such as 3s or 1500ms, up to {most}")
        })
}

fn timeout(text: &str) -> Result<Duration, String> {
    humantime::parse_duration(text)
        .ok()
        .filter(|timeout| !timeout.is_zero() && *timeout <= MAX_TIMEOUT)
        .ok_or_else(|| format!("expected a duration such as 1s or 250ms, up to {MAX_TIMEOUT:?}"))
}

/// What the timeout means for the inventory's best known delay, in one line.
pub(crate) fn explain_timeout(timeout: Duration) -> String {
    let slow = Fault::DEFAULT_WAIT;
    let (timeout_text, slow_text) = (format_duration(timeout), format_duration(slow));
    if timeout < slow {
        format!(
            "the timeout is {timeout_text} and a slow reservation takes {slow_text}: it commits after \
             the caller has left. After a timeout the outcome is unknown, and a retry can reserve twice"
        )
    } else {
        format!(
            "the timeout is {timeout_text} and a slow reservation takes {slow_text}: the answer comes \
             in time, so the fault slow causes no timeout"
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_timeout_below_a_slow_reserve_warns_of_double_reservations() {
        for (timeout, expected) in [(1, "reserve twice"), (2, "no timeout"), (5, "no timeout")] {
            let line = explain_timeout(Duration::from_secs(timeout));
            assert!(line.contains(expected), "{line}");
            assert!(
                line.contains(&format!("{timeout}s and a slow reservation takes 2s")),
                "{line}"
            );
        }
    }

    #[test]
    fn a_timeout_or_url_that_cannot_be_meant_is_refused() {
        for text in ["", "0s", "1", "soon", "61s", "-1s"] {
            assert!(super::timeout(text).is_err(), "{text}");
        }
        for text in ["", "inventory:5101", "https://inventory", "ftp://x", "http://x/path"] {
            assert!(http_url(text).is_err(), "{text}");
        }
        assert!(http_url("http://inventory:5101").is_ok());
        for text in ["", "-0.1", "1.1", "10%", "NaN", "inf"] {
            assert!(fraction(text).is_err(), "{text}");
        }
        for text in ["", "0s", "3", "6m"] {
            assert!(deadline(text).is_err(), "{text}");
        }
        assert_eq!(fraction("0.1"), Ok(DEFAULT_RETRY_BUDGET));
        assert_eq!(deadline("3s"), Ok(DEFAULT_ORDER_DEADLINE));
    }
}
