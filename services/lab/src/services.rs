//! The two services as real processes of their own, and the lab's receiver
//! that their spans go to.
//!
//! Each child is this very program under another subcommand. Its stdin is a
//! pipe that we hold: when it closes, because we said so or because we died in
//! whatever way, the child drains and ends. So there are no orphans.

use std::ffi::OsString;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use campuscafe_service::{DRAIN_LIMIT, END_WITH_STDIN, Failure, ServerSettings};
use campuscafe_telemetry::Metrics;
use reqwest::Url;
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::net::TcpListener;
use tokio::process::{Child, ChildStdin, ChildStdout, Command};
use tokio::sync::watch;

use crate::bench::{get, http_client};
use crate::server::{Addresses, Lab, local_url};

/// How long a service may take to say where it listens.
const START_LIMIT: Duration = Duration::from_secs(10);

/// How often a service that is starting is asked whether it is ready.
const ASK_EVERY: Duration = Duration::from_millis(20);

/// How long a service may take to end: to drain, to flush, and a little more.
const END_LIMIT: Duration = Duration::from_secs(DRAIN_LIMIT.as_secs() + 5);

/// Settings by the names of their variables.
pub(crate) type Environment = Vec<(&'static str, String)>;

/// How the services are started.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Manner<'a> {
    /// At the addresses that their own settings name, with their logs.
    Open,
    /// On free ports, and quiet, with settings of their own.
    Private(&'a Environment),
}

/// Both services and the receiver of their spans, running.
pub(crate) struct Services {
    pub(crate) addresses: Addresses,
    pub(crate) lab: Lab,
    order: Process,
    inventory: Process,
}

impl Services {
    /// Starts both services; returns when both take requests.
    pub(crate) async fn start(
        listener: TcpListener,
        manner: Manner<'_>,
        metrics: Metrics,
        settings: &ServerSettings,
    ) -> Result<Self, Failure> {
        let (known, addresses) = watch::channel(None);
        let lab = Lab::open(listener, addresses, &metrics, settings)?;
        let hosts = settings.allowed_hosts.to_string();
        let mut arguments: Vec<OsString> = vec!["--allowed-hosts".into(), hosts.into()];
        let inventory = Process::start("inventory", &arguments, manner, &lab.url).await?;
        arguments.extend(["--inventory-url".into(), inventory.url.as_str().into()]);
        let order = Process::start("order", &arguments, manner, &lab.url).await?;
        ready(&inventory.url).await?;
        ready(&order.url).await?;
        let addresses = Addresses { order: order.url.clone(), inventory: inventory.url.clone() };
        known.send_replace(Some(addresses.clone()));
        Ok(Self { addresses, lab, order, inventory })
    }

    /// Resolves with a sentence when one of the services ends by itself.
    pub(crate) async fn one_died(&mut self) -> String {
        let (name, status) = tokio::select! {
            status = self.order.child.wait() => ("order", status),
            status = self.inventory.child.wait() => ("inventory", status),
        };
        format!("the {name} service ended by itself ({})", ending(status.ok()))
    }

    /// Ends everything: the order service before the inventory it needs, and
    /// the receiver last, so that the last spans still arrive.
    pub(crate) async fn stop(self) {
        self.order.stop().await;
        self.inventory.stop().await;
        self.lab.close().await;
    }
}

struct Process {
    url: Url,
    child: Child,
    /// Closing it ends the service. Not left in `child`, which closes it as
    /// soon as one waits.
    stdin: Option<ChildStdin>,
    /// Kept open: a service that logs to a closed pipe would fail.
    _stdout: BufReader<ChildStdout>,
}

impl Process {
    async fn start(
        name: &'static str,
        arguments: &[OsString],
        manner: Manner<'_>,
        lab: &Url,
    ) -> Result<Self, Failure> {
        let program = std::env::current_exe().map_err(|error| cannot(name, &error))?;
        let mut command = Command::new(program);
        command.arg(name).args(arguments);
        if let Manner::Private(settings) = manner {
            command.args(["--listen", "127.0.0.1:0"]).env("RUST_LOG", "warn");
            command.envs(settings.iter().map(|(name, value)| (name, value)));
        }
        // Whoever sends spans elsewhere when starting the lab means it.
        if manner != Manner::Open || !export_is_set() {
            command.env("OTEL_EXPORTER_OTLP_ENDPOINT", lab.as_str());
            command.env_remove("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT");
        }
        let mut child = command
            .env(END_WITH_STDIN, "1")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .map_err(|error| cannot(name, &error))?;
        let stdin = child.stdin.take();
        let stdout = child.stdout.take().ok_or_else(|| failed(name, "has no stdout"))?;
        let mut stdout = BufReader::new(stdout);
        let mut line = String::new();
        let read = tokio::time::timeout(START_LIMIT, stdout.read_line(&mut line)).await;
        let address = line.trim().split(" on http://").nth(1).and_then(|it| it.parse().ok());
        let Some(address) = address else {
            // The child has said on stderr what is wrong; its status says whose fault it is.
            let status = tokio::time::timeout(START_LIMIT, child.wait()).await;
            let status = status.ok().and_then(Result::ok);
            let sentence = match read {
                Ok(_) => format!("the {name} service did not start ({})", ending(status)),
                Err(_) => format!("the {name} service did not start within {START_LIMIT:?}"),
            };
            return Err(match status.and_then(|status| status.code()) {
                Some(2) => Failure::Misuse(sentence),
                _ => Failure::Failed(sentence),
            });
        };
        Ok(Self { url: local_url(address)?, child, stdin, _stdout: stdout })
    }

    async fn stop(mut self) {
        drop(self.stdin.take());
        if tokio::time::timeout(END_LIMIT, self.child.wait()).await.is_err() {
            let _ = self.child.kill().await;
        }
    }
}

/// Waits until a service says that it takes requests.
async fn ready(service: &Url) -> Result<(), Failure> {
    let http = http_client()?;
    let asking = async {
        let mut again = tokio::time::interval(ASK_EVERY);
        loop {
            again.tick().await;
            if get(&http, service, "/readyz").await.is_ok() {
                return;
            }
        }
    };
    tokio::time::timeout(START_LIMIT, asking)
        .await
        .map_err(|_| Failure::Failed(format!("{service} was not ready within {START_LIMIT:?}")))
}

fn export_is_set() -> bool {
    ["OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"]
        .iter()
        .any(|name| std::env::var_os(name).is_some_and(|value| !value.is_empty()))
}

fn ending(status: Option<ExitStatus>) -> String {
    status.map_or_else(|| "no exit status".to_owned(), |status| status.to_string())
}

fn cannot(name: &str, error: &std::io::Error) -> Failure {
    failed(name, &error.to_string())
}

fn failed(name: &str, what: &str) -> Failure {
    Failure::Failed(format!("cannot start {name}: {what}"))
}
