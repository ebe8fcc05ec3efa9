//! The two services as real processes of their own, and the lab's receiver
//! that their spans go to.
//!
//! Each child is this very program under another subcommand. Its stdin is a
//! pipe that we hold: when it closes, because we said so or because we died in
//! whatever way, the child drains and ends. So there are no orphans. Nothing
//! else tells it to end: it is in a process group of its own, which a Ctrl-C in
//! our terminal does not reach.

mod child;
mod log;

use std::ffi::OsString;
use std::time::Duration;

use campuscafe_service::{ExitError, ServerSettings};
use campuscafe_telemetry::Metrics;
use reqwest::Url;
use tokio::net::TcpListener;
use tokio::sync::watch;

use crate::bench::{get, http_client};
use crate::server::{Addresses, Lab};
use child::Service;

/// How long a service may take to say where it listens.
const START_LIMIT: Duration = Duration::from_secs(10);

/// How often a service that is starting is asked whether it is ready.
const ASK_EVERY: Duration = Duration::from_millis(20);

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
    order: Service,
    inventory: Service,
}

impl Services {
    /// Starts both services; returns when both take requests.
    pub(crate) async fn start(
        listener: TcpListener,
        manner: Manner<'_>,
        metrics: Metrics,
        settings: &ServerSettings,
    ) -> Result<Self, ExitError> {
        let (known, addresses) = watch::channel(None);
        let lab = Lab::open(listener, addresses, &metrics, settings)?;
        let hosts = settings.allowed_hosts.to_string();
        let mut arguments: Vec<OsString> = vec!["--allowed-hosts".into(), hosts.into()];
        let inventory = Service::start("inventory", &arguments, manner, &lab.url).await?;
        arguments.extend(["--inventory-url".into(), inventory.url.as_str().into()]);
        let order = Service::start("order", &arguments, manner, &lab.url).await?;
        ready(&inventory.url).await?;
        ready(&order.url).await?;
        let addresses = Addresses { order: order.url.clone(), inventory: inventory.url.clone() };
        known.send_replace(Some(addresses.clone()));
        Ok(Self { addresses, lab, order, inventory })
    }

    /// Resolves with a sentence when one of the services ends by itself.
    pub(crate) async fn one_died(&mut self) -> String {
        let (service, status) = tokio::select! {
            status = self.order.ended() => (&mut self.order, status),
            status = self.inventory.ended() => (&mut self.inventory, status),
        };
        service.obituary(status).await
    }

    /// Ends everything: the order service before the inventory it needs, and
    /// the receiver last, so that the last spans still arrive.
    pub(crate) async fn stop(self) {
        self.stop_before(std::future::pending()).await;
    }

    /// As [`Services::stop`], but a service that still runs when `limit` resolves
    /// is killed, whatever it is at. Gives the names of those that were killed.
    pub(crate) async fn stop_before(self, limit: impl Future<Output = ()>) -> Vec<&'static str> {
        let Self { lab, mut order, mut inventory, .. } = self;
        let drained = async {
            order.stop().await;
            inventory.stop().await;
            lab.close().await;
        };
        tokio::select! {
            () = drained => return Vec::new(),
            () = limit => {}
        }
        let mut killed = Vec::new();
        for service in [&mut order, &mut inventory] {
            if service.kill().await {
                killed.push(service.name);
            }
        }
        killed
    }
}

/// Waits until a service says that it takes requests.
async fn ready(service: &Url) -> Result<(), ExitError> {
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
        .map_err(|_| ExitError::Failed(format!("{service} was not ready within {START_LIMIT:?}")))
}
