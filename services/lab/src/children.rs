//! The two services as real processes of their own.
//!
//! Each child is this very program under another subcommand. Its stdin is a
//! pipe that we hold: when it closes, because we said so or because we died in
//! whatever way, the child drains and ends. So there are no orphans. Nothing
//! else tells it to end: it is in a process group of its own, which a Ctrl-C in
//! our terminal does not reach.

mod child;
mod log;

use std::ffi::OsString;
use std::path::Path;
use std::time::Duration;

use campuscafe_service::{AllowedHosts, ExitError};
use reqwest::Url;

use crate::http::{self, get};
use child::Service;

/// How long a service may take to say where it listens.
const START_TIMEOUT: Duration = Duration::from_secs(10);

/// How often a service that is starting is asked whether it is ready.
const ASK_EVERY: Duration = Duration::from_millis(20);

/// Settings by the names of their variables.
pub(crate) type Environment = Vec<(&'static str, String)>;

/// How the services are started.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum StartMode<'a> {
    /// At the addresses that their own settings name, with their logs; with their files
    /// within this directory, if there is one.
    Open(Option<&'a Path>),
    /// On free ports, and quiet, with settings of their own.
    Private(&'a Environment),
    /// The same, but whoever drops them kills them: nobody waits for what they are at.
    Disposable(&'a Environment),
    /// The same, with settings of the inventory alone: where it keeps its stock.
    Stored(&'a Environment),
}

impl StartMode<'_> {
    /// Whether the services are an experiment's own.
    const fn is_private(self) -> bool {
        !matches!(self, Self::Open(_))
    }

    /// Where a service listens that has no address of its own.
    fn listen(self, at: &str) -> Vec<OsString> {
        if self.is_private() { vec!["--listen".into(), at.into()] } else { Vec::new() }
    }
}

/// An address with a port that the system chooses.
const ANY_PORT: &str = "127.0.0.1:0";

/// Both services, running.
pub(crate) struct Children {
    order: Service,
    inventory: Service,
}

impl Children {
    /// Starts both services, which send their spans to this lab; returns when
    /// both take requests.
    pub(crate) async fn start(
        manner: StartMode<'_>,
        lab: &Url,
        hosts: &AllowedHosts,
    ) -> Result<Self, ExitError> {
        let inventory = start_inventory(manner, ANY_PORT, lab, hosts).await?;
        let mut arguments = arguments(manner, ANY_PORT, hosts);
        arguments.extend(["--inventory-url".into(), inventory.url.as_str().into()]);
        let order = Service::start("order", &arguments, manner, lab).await?;
        ready(&inventory.url).await?;
        ready(&order.url).await?;
        Ok(Self { order, inventory })
    }

    /// Kills the inventory, which has no time to say or to send anything.
    pub(crate) async fn kill_inventory(&mut self) {
        self.inventory.kill().await;
    }

    /// Starts another inventory in the place of one that was killed; returns when it takes
    /// requests.
    pub(crate) async fn restart_inventory(
        &mut self,
        manner: StartMode<'_>,
        lab: &Url,
        hosts: &AllowedHosts,
    ) -> Result<(), ExitError> {
        let at = self.inventory.url.authority().to_owned();
        self.inventory = start_inventory(manner, &at, lab, hosts).await?;
        ready(&self.inventory.url).await
    }

    pub(crate) fn order_url(&self) -> Url {
        self.order.url.clone()
    }

    pub(crate) fn inventory_url(&self) -> Url {
        self.inventory.url.clone()
    }

    /// Resolves with a sentence when one of the services ends by itself.
    pub(crate) async fn first_exit(&mut self) -> String {
        let (service, status) = tokio::select! {
            status = self.order.ended() => (&mut self.order, status),
            status = self.inventory.ended() => (&mut self.inventory, status),
        };
        service.describe_exit(status).await
    }

    /// Ends both: the order service before the inventory that it needs.
    pub(crate) async fn stop(&mut self) {
        self.order.stop().await;
        self.inventory.stop().await;
    }

    /// Ends at once those that still run, and gives their names.
    pub(crate) async fn kill(&mut self) -> Vec<&'static str> {
        let mut killed = Vec::new();
        for service in [&mut self.order, &mut self.inventory] {
            if service.kill().await {
                killed.push(service.name);
            }
        }
        killed
    }
}

async fn start_inventory(
    manner: StartMode<'_>,
    at: &str,
    lab: &Url,
    hosts: &AllowedHosts,
) -> Result<Service, ExitError> {
    Service::start("inventory", &arguments(manner, at, hosts), manner, lab).await
}

fn arguments(manner: StartMode<'_>, at: &str, hosts: &AllowedHosts) -> Vec<OsString> {
    let mut arguments: Vec<OsString> = vec!["--allowed-hosts".into(), hosts.to_string().into()];
    arguments.extend(manner.listen(at));
    arguments
}

/// Waits until a service says that it takes requests.
async fn ready(service: &Url) -> Result<(), ExitError> {
    let http = http::client()?;
    let asking = async {
        let mut again = tokio::time::interval(ASK_EVERY);
        loop {
            again.tick().await;
            if get(&http, service, "/readyz").await.is_ok() {
                return;
            }
        }
    };
    tokio::time::timeout(START_TIMEOUT, asking)
        .await
        .map_err(|_| ExitError::Failed(format!("{service} was not ready within {START_TIMEOUT:?}")))
}
