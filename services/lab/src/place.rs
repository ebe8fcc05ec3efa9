//! Where to work: on the services that are named, on those of a running lab,
//! or on our own.

use std::net::{Ipv4Addr, SocketAddr};

use campuscafe_service::{ExitError, ServerSettings, bind};
use campuscafe_telemetry::Metrics;
use reqwest::{Client, Url};

use crate::bench;
use crate::command::Targets;
use crate::evidence::source::Source;
use crate::links::Links;
use crate::server::{self, Addresses};
use crate::services::{Environment, Manner, Services};

/// Services to work on, and where their spans can be read.
pub(crate) struct Place {
    pub(crate) addresses: Addresses,
    pub(crate) spans: Source,
    pub(crate) links: Links,
    lab: Option<Url>,
    own: Option<Services>,
}

impl Place {
    /// Finds services, or starts some on free ports with these settings.
    pub(crate) async fn find(
        targets: &Targets,
        settings: &Environment,
        metrics: Metrics,
    ) -> Result<Self, ExitError> {
        let spans = match (&targets.lab_url, &targets.tools.jaeger_url) {
            (Some(lab), _) => Source::Lab(lab.clone()),
            (None, Some(jaeger)) => Source::Jaeger(jaeger.clone()),
            (None, None) => Source::Nowhere,
        };
        let running = match (&targets.order_url, &targets.inventory_url, &targets.lab_url) {
            (Some(order), Some(inventory), _) => {
                Some(Addresses { order: order.clone(), inventory: inventory.clone() })
            }
            (_, _, Some(lab)) => Some(services_of(lab).await?),
            _ => None,
        };
        if let Some(addresses) = running {
            let (links, lab) = (Links::new(&targets.tools), targets.lab_url.clone());
            return Ok(Self { addresses, spans, links, lab, own: None });
        }
        let listener = bind("lab", SocketAddr::from((Ipv4Addr::LOCALHOST, 0))).await?;
        let services = Services::start(
            listener,
            Manner::Private(settings),
            metrics,
            &ServerSettings::default(),
        )
        .await?;
        Ok(Self {
            addresses: services.addresses.clone(),
            spans: Source::Own(services.lab.store.clone()),
            links: Links::default(),
            lab: None,
            own: Some(services),
        })
    }

    /// Whether the services and their traces are gone when we leave.
    pub(crate) const fn is_passing(&self) -> bool {
        self.own.is_some()
    }

    /// Tells the lab that an experiment begins, so that its counter can mark the
    /// moment on a dashboard. A lab that does not listen misses a mark, no more.
    pub(crate) async fn announce(&self, http: &Client, experiment: &str) {
        let url = self.lab.as_ref().and_then(|lab| lab.join(server::EXPERIMENTS_PATH).ok());
        if let Some(url) = url {
            let begun = server::Begun { experiment: experiment.to_owned() };
            let _ = http.post(url).json(&begun).send().await;
        }
    }

    /// Ends what was started, and only that.
    pub(crate) async fn leave(self) {
        self.leave_before(std::future::pending()).await;
    }

    /// The same, but what still runs when `limit` resolves is killed. Gives the
    /// names of the services that were.
    pub(crate) async fn leave_before(self, limit: impl Future<Output = ()>) -> Vec<&'static str> {
        match self.own {
            Some(services) => services.stop_before(limit).await,
            None => Vec::new(),
        }
    }
}

async fn services_of(lab: &Url) -> Result<Addresses, ExitError> {
    let answer = bench::get(&bench::http_client()?, lab, "/api/services").await?;
    answer.json::<Option<Addresses>>().await.ok().flatten().ok_or_else(|| {
        ExitError::Failed(format!(
            "{lab}: that lab started no services; name them with --order-url and --inventory-url"
        ))
    })
}
