//! Open-loop load by `campuscafe load`.

use campuscafe_tests::binary;
use serde_json::Value;
use tokio::process::Command;

/// What became of the orders of one phase.
#[derive(Debug, Clone, Default)]
pub(crate) struct Sent {
    /// Confirmed orders a second.
    pub(crate) goodput: f64,
    /// Of the confirmed orders, from the moment when each was due. None of them met a
    /// fault: a slow order has no answer within the limit of an attempt.
    pub(crate) p99_ms: f64,
    pub(crate) shed: u64,
    pub(crate) not_sent: u64,
}

/// Nearly as many connections as a service takes by default; the others are for
/// probes. A sender with more would open a new connection for each order, which is
/// what the other phase does. What is due meanwhile is counted as not sent.
const MAX_IN_FLIGHT: &str = "480";

pub(crate) async fn load(rate: f64, seconds: u64, mix: &str) -> Sent {
    let output = Command::new(binary("campuscafe"))
        .args(["load", "--json", "--seed", "7", "--mix", mix])
        .args(["--rate", &rate.to_string(), "--duration", &format!("{seconds}s")])
        .args(["--max-in-flight", MAX_IN_FLIGHT])
        .args(["--order-url", crate::order_url(), "--inventory-url", crate::inventory_url()])
        .kill_on_drop(true)
        .output()
        .await
        .expect("it starts");
    let report: Value = serde_json::from_slice(&output.stdout).unwrap_or_else(|error| {
        panic!("load printed no JSON: {error}: {}", String::from_utf8_lossy(&output.stderr))
    });
    let outcome = |name: &str| report["outcomes"][name]["orders"].as_u64().expect("a count");
    Sent {
        goodput: outcome("confirmed") as f64 / report["seconds"].as_f64().expect("seconds"),
        p99_ms: report["outcomes"]["confirmed"]["times"]["p99Ms"].as_f64().unwrap_or(f64::MAX),
        shed: outcome("shed"),
        not_sent: report["notSent"].as_u64().expect("a count"),
    }
}
