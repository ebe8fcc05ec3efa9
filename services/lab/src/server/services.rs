//! Services of our own, and the lab that receives their spans.

use std::net::{Ipv4Addr, SocketAddr};

use campuscafe_service::{ExitError, ServerSettings, bind};
use campuscafe_telemetry::Metrics;
use tokio::net::TcpListener;
use tokio::sync::watch;

use super::Lab;
use crate::children::{Children, Environment, StartMode};
use crate::links::Links;
use crate::targets::{Addresses, ExperimentDatabase, KnownServices, TargetEnv, Targets};

/// Both services and the receiver of their spans, running.
pub(crate) struct Services {
    pub(crate) addresses: Addresses,
    pub(crate) lab: Lab,
    children: Children,
}

/// Finds the services that are named, or starts some on free ports with these
/// settings; those are ours to stop.
pub(crate) async fn find(
    targets: &Targets,
    settings: &Environment,
    database: ExperimentDatabase,
    metrics: Metrics,
) -> Result<(TargetEnv, Option<Services>), ExitError> {
    if let Some(env) = TargetEnv::named(targets).await? {
        return Ok((env, None));
    }
    let listener = bind("lab", SocketAddr::from((Ipv4Addr::LOCALHOST, 0)))?;
    let (manner, server) = (StartMode::Private(settings), ServerSettings::default());
    let links = Links::default();
    let services = Services::start(listener, manner, links, database, metrics, &server).await?;
    let (addresses, lab) = (services.addresses.clone(), &services.lab);
    let env = TargetEnv::own(addresses, lab.store.clone(), lab.for_own.clone());
    Ok((env, Some(services)))
}

impl Services {
    /// Starts both services; returns when both take requests.
    pub(crate) async fn start(
        listener: TcpListener,
        manner: StartMode<'_>,
        links: Links,
        database: ExperimentDatabase,
        metrics: Metrics,
        settings: &ServerSettings,
    ) -> Result<Self, ExitError> {
        let (tell, known) = watch::channel(None);
        let lab = Lab::open(listener, known, links, database, &metrics, settings)?;
        let children = Children::start(manner, &lab.url, &settings.allowed_hosts).await?;
        let addresses =
            Addresses { order: children.order_url(), inventory: children.inventory_url() };
        tell.send_replace(Some(KnownServices::at(addresses.clone())));
        Ok(Self { addresses, lab, children })
    }

    /// Resolves with a sentence when one of the services ends by itself.
    pub(crate) async fn first_exit(&mut self) -> String {
        self.children.first_exit().await
    }

    /// Ends everything, and the receiver last, so that the last spans still arrive.
    pub(crate) async fn stop(self) {
        self.stop_before(std::future::pending()).await;
    }

    /// As [`Services::stop`], but a service that still runs when `limit` resolves
    /// is killed, whatever it is at. Gives the names of those that were killed.
    pub(crate) async fn stop_before(self, limit: impl Future<Output = ()>) -> Vec<&'static str> {
        let Self { lab, mut children, .. } = self;
        let drained = async {
            children.stop().await;
            lab.close().await;
        };
        tokio::select! {
            () = drained => return Vec::new(),
            () = limit => {}
        }
        children.kill().await
    }
}
