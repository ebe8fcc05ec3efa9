//! The order service's settings, and what they mean for its customers.

use std::net::SocketAddr;
use std::time::Duration;

use campuscafe_chaos::Fault;
use campuscafe_service::{EXIT_STATUS, ServerSettings, ServiceCommand, VERSION, max_work};
use clap::Parser;
use humantime::format_duration;
use reqwest::Url;

/// The longest timeout that makes sense in a lesson.
const MAX_TIMEOUT: Duration = campuscafe_api::order::MAX_ATTEMPT_TIMEOUT;

/// What `--max-work` is unless it is set: about 64 KiB each, in a container of
/// 128 MiB.
pub const DEFAULT_MAX_WORK: usize = 400;

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

    /// How it serves
    #[command(flatten)]
    pub server: ServerSettings,
}

fn http_url(text: &str) -> Result<Url, String> {
    Url::parse(text)
        .ok()
        .filter(|url| url.scheme() == "http" && url.has_host() && url.path() == "/")
        .ok_or_else(|| "expected http://HOST:PORT".to_owned())
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
    }
}
