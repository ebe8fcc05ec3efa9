//! Whether probes and scrapes are answered while everything else is too much.

use std::sync::Mutex;
use std::time::Duration;

use tokio::time::{Instant, interval};

use crate::{inventory_url, order_url};

const EVERY: Duration = Duration::from_millis(250);

/// Longer than the promise, so that the table shows by how much it was missed.
const TIMEOUT: Duration = Duration::from_secs(5);

/// Asks `/healthz` and `/metrics` of both services during a phase.
pub(crate) struct Probes {
    http: reqwest::Client,
    slowest: Mutex<Duration>,
}

impl Probes {
    pub(crate) fn new() -> Self {
        // A probe opens a connection of its own each time, as an orchestrator's does.
        let http = reqwest::Client::builder()
            .no_proxy()
            .pool_max_idle_per_host(0)
            .timeout(TIMEOUT)
            .build()
            .expect("a client");
        Self { http, slowest: Mutex::default() }
    }

    pub(crate) async fn during<T>(&self, phase: impl Future<Output = T>) -> T {
        let asking = async {
            let mut again = interval(EVERY);
            loop {
                again.tick().await;
                tokio::join!(
                    self.ask(order_url(), "/healthz"),
                    self.ask(order_url(), "/metrics"),
                    self.ask(inventory_url(), "/healthz"),
                    self.ask(inventory_url(), "/metrics"),
                );
            }
        };
        tokio::select! {
            done = phase => done,
            () = asking => unreachable!("it never ends"),
        }
    }

    async fn ask(&self, service: &str, path: &str) {
        let sent = Instant::now();
        let answer = self.http.get(format!("{service}{path}")).send().await;
        let answer = match answer {
            Ok(answer) if answer.status().is_success() => answer.bytes().await.is_ok(),
            _ => false,
        };
        let took = if answer { sent.elapsed() } else { TIMEOUT };
        let mut slowest = self.slowest.lock().expect("no panic inside");
        *slowest = took.max(*slowest);
    }

    pub(crate) fn slowest(&self) -> Duration {
        *self.slowest.lock().expect("no panic inside")
    }
}
