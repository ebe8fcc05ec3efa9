//! Where to work: on the services that are named, on those of a running lab, or
//! on some that were started for it.

mod span_source;

use std::net::SocketAddr;
use std::sync::Arc;

use campuscafe_service::ExitError;
use clap::Args;
use reqwest::{Client, Url};
use serde::{Deserialize, Serialize};
use tokio::sync::watch;
use utoipa::ToSchema;
use utoipa::openapi::schema::{Object, ObjectBuilder, Type};

use crate::http;
use crate::lessons;
use crate::links::{Links, Tools};
use campuscafe_otlp_store::TraceStore;

pub(crate) use span_source::SpanSource;

/// Where a service says that it runs.
const HEALTH: &str = "/healthz";

/// Where an experiment says that it begins.
pub(crate) const MARKS_PATH: &str = "/api/marks";

/// Where the services are that a lab started.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub(crate) struct Addresses {
    /// The order service's.
    #[schema(value_type = String, format = "uri")]
    pub(crate) order: Url,
    /// The inventory's.
    #[schema(value_type = String, format = "uri")]
    pub(crate) inventory: Url,
}

/// Where the services of a lab are: as the lab reaches them, and as its clients do. From
/// within a container these may be other addresses.
#[derive(Debug, Clone)]
pub(crate) struct KnownServices {
    pub(crate) internal: Addresses,
    pub(crate) public: Addresses,
}

impl KnownServices {
    /// The same addresses for everybody.
    pub(crate) fn at(addresses: Addresses) -> Self {
        Self { internal: addresses.clone(), public: addresses }
    }
}

/// What an experiment says when it begins.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Begun {
    #[schema(schema_with = experiment_name)]
    pub(crate) experiment: String,
}

fn experiment_name() -> Object {
    ObjectBuilder::new()
        .schema_type(Type::String)
        .description(Some("The name of an experiment, as `campuscafe experiment --list` shows it."))
        .enum_values(Some(lessons::names()))
        .examples(["double"])
        .build()
}

/// Where running services are, and where their spans can be read.
#[derive(Debug, Clone, Args)]
pub(crate) struct Targets {
    /// A running order service to use instead of starting one
    #[arg(long, env = "ORDER_URL", value_name = "URL", requires = "inventory_url")]
    pub(crate) order_url: Option<Url>,

    /// The inventory that this order service uses
    #[arg(long, env = "INVENTORY_URL", value_name = "URL")]
    pub(crate) inventory_url: Option<Url>,

    /// A running lab: read spans there, and use its services unless others are
    /// given
    #[arg(long, env = "LAB_URL", value_name = "URL")]
    pub(crate) lab_url: Option<Url>,

    /// Where to look at what comes of it
    #[command(flatten)]
    pub(crate) tools: Tools,
}

impl Targets {
    /// Whether they say where running services are.
    pub(crate) const fn name_services(&self) -> bool {
        self.lab_url.is_some() || self.order_url.is_some()
    }

    /// The same, with the café whose lab listens at this address, if one is open there and
    /// nothing else is named.
    pub(crate) async fn or_open_cafe(self, lab: SocketAddr) -> Result<Self, ExitError> {
        if self.name_services() {
            return Ok(self);
        }
        let (http, lab) = (http::client()?, http::local_url(lab)?);
        let Ok(told) = services_of(&lab).await else { return Ok(self) };
        // In containers the lab knows its services by names that only containers know.
        let published = |port| {
            let mut url = lab.clone();
            url.set_port(Some(port)).map(|()| url)
        };
        let usual = published(5201)
            .and_then(|order| Ok(Addresses { order, inventory: published(5101)? }))
            .ok()
            .filter(|_| lab.port() == Some(5301));
        for Addresses { order, inventory } in std::iter::once(told).chain(usual) {
            let (asked, too) = tokio::join!(
                http::get(&http, &order, HEALTH),
                http::get(&http, &inventory, HEALTH)
            );
            if asked.is_ok() && too.is_ok() {
                let (order_url, inventory_url) = (Some(order), Some(inventory));
                return Ok(Self { order_url, inventory_url, lab_url: Some(lab), ..self });
            }
        }
        Ok(self)
    }
}

/// Services to work on, and where their spans can be read.
pub(crate) struct TargetEnv {
    pub(crate) addresses: Addresses,
    pub(crate) spans: SpanSource,
    pub(crate) links: Links,
    /// How many people may run the same lesson on these services at the same time: the
    /// stock must have enough for all of them.
    pub(crate) people: watch::Receiver<u64>,
    /// What an experiment needs to start services of its own, where it can.
    pub(crate) for_own: Option<ForOwnServices>,
    lab: Option<Url>,
}

/// What an experiment needs to start services of its own.
#[derive(Debug, Clone)]
pub(crate) struct ForOwnServices {
    /// The lab that gets their spans.
    pub(crate) lab: Url,
    /// The settings of an inventory in a database that is not the café's, if there is one.
    pub(crate) database: Option<Vec<(&'static str, String)>>,
}

/// A database for the services that an experiment starts.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct ExperimentDatabase {
    /// PostgreSQL database in which an experiment can keep the stock of services of its own,
    /// as `crash` does. It must not be the database of the café
    #[arg(
        long,
        env = "EXPERIMENT_DATABASE_URL",
        hide_env_values = true,
        value_name = "postgres://USER:PASSWORD@HOST:PORT/DATABASE"
    )]
    experiment_database_url: Option<String>,

    /// File with the password of that database, in place of one in its URL
    #[arg(long, env = "EXPERIMENT_DATABASE_PASSWORD_FILE", value_name = "FILE")]
    experiment_database_password_file: Option<String>,
}

impl ExperimentDatabase {
    /// The settings of a service in it, if it is named. An empty URL is none.
    pub(crate) fn settings(self) -> Option<Vec<(&'static str, String)>> {
        let url = self.experiment_database_url.filter(|url| !url.is_empty())?;
        let file = self.experiment_database_password_file;
        let file = file.map(|file| ("DATABASE_PASSWORD_FILE", file));
        Some(std::iter::once(("DATABASE_URL", url)).chain(file).collect())
    }
}

/// People at a café that somebody else opened.
pub(crate) const PEOPLE: u64 = 4;

/// The number of people at services that nobody else uses.
pub(crate) fn alone() -> watch::Receiver<u64> {
    watch::channel(1).1
}

impl TargetEnv {
    /// The services that are named, or those of the lab that is; `None` if
    /// neither is.
    pub(crate) async fn named(targets: &Targets) -> Result<Option<Self>, ExitError> {
        let spans = match (&targets.lab_url, &targets.tools.jaeger_url) {
            (Some(lab), _) => SpanSource::Lab(lab.clone()),
            (None, Some(jaeger)) => SpanSource::Jaeger(jaeger.clone()),
            (None, None) => SpanSource::Nowhere,
        };
        let addresses = match (&targets.order_url, &targets.inventory_url, &targets.lab_url) {
            (Some(order), Some(inventory), _) => {
                Addresses { order: order.clone(), inventory: inventory.clone() }
            }
            (_, _, Some(lab)) => services_of(lab).await?,
            _ => return Ok(None),
        };
        let (links, lab) = (Links::new(&targets.tools), targets.lab_url.clone());
        let people = watch::channel(PEOPLE).1;
        Ok(Some(Self { addresses, spans, links, people, for_own: None, lab }))
    }

    /// Services that were started for this, whose spans come to this process.
    pub(crate) fn own(
        addresses: Addresses,
        store: Arc<TraceStore>,
        for_own: ForOwnServices,
    ) -> Self {
        Self::of_lab(addresses, store, Links::default(), alone(), for_own)
    }

    /// Services whose spans come to this process.
    pub(crate) fn of_lab(
        addresses: Addresses,
        store: Arc<TraceStore>,
        links: Links,
        people: watch::Receiver<u64>,
        for_own: ForOwnServices,
    ) -> Self {
        let spans = SpanSource::Own(store);
        Self { addresses, spans, links, people, for_own: Some(for_own), lab: None }
    }

    /// Whether an experiment has a database for services of its own.
    pub(crate) fn has_database(&self) -> bool {
        self.for_own.as_ref().is_some_and(|own| own.database.is_some())
    }

    /// Tells the lab that an experiment begins, so that its counter can mark the
    /// moment on a dashboard. A lab that does not listen misses a mark, no more.
    pub(crate) async fn announce(&self, http: &Client, experiment: &str) {
        let url = self.lab.as_ref().and_then(|lab| lab.join(MARKS_PATH).ok());
        if let Some(url) = url {
            let begun = Begun { experiment: experiment.to_owned() };
            let _ = http.post(url).json(&begun).send().await;
        }
    }
}

async fn services_of(lab: &Url) -> Result<Addresses, ExitError> {
    let answer = http::get(&http::client()?, lab, "/api/services").await?;
    answer.json::<Option<Addresses>>().await.ok().flatten().ok_or_else(|| {
        ExitError::Failed(format!(
            "{lab}: this lab started no services; give them with --order-url and --inventory-url"
        ))
    })
}
