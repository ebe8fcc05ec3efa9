//! The workbench of an experiment: does one thing and gathers what it left.
//!
//! [`order`] places an order, [`pings`] sends pings at once, [`turnover`] lets
//! customers order while pods are replaced.

mod order;
mod pings;
mod turnover;

use std::time::Duration;

use campuscafe_api::inventory::{Delivery, State};
use campuscafe_service::ExitError;
use reqwest::{Client, Response, StatusCode, Url};
use serde::de::DeserializeOwned;

use crate::evidence::counters::{self, Counters};
use crate::evidence::source::{Source, Tale};
use crate::server::Addresses;
use crate::traces::TraceId;

#[cfg(test)]
pub(crate) use order::{Delivered, Told};
pub(crate) use order::{Order, OrderPlan};
pub(crate) use pings::Race;
pub(crate) use turnover::{CHAOS as TURNOVER_CHAOS, Turnover, TurnoverPlan};

/// How long the evidence of one order may take to arrive. The longest wait of
/// the fault `slow` is 2 s, and spans follow within a second.
const EVIDENCE_LIMIT: Duration = Duration::from_secs(8);

/// Far beyond two attempts of a minute each: only a service that hangs meets it.
const ANSWER_LIMIT: Duration = Duration::from_secs(130);

/// How often the state is asked for while a late commit is awaited without spans.
const ASK_EVERY: Duration = Duration::from_millis(100);

/// The services under test and a place to read their spans.
#[derive(Debug, Clone)]
pub(crate) struct Bench {
    http: Client,
    order: Url,
    inventory: Url,
    pub(crate) spans: Source,
}

impl Bench {
    pub(crate) fn new(services: &Addresses, spans: Source) -> Result<Self, ExitError> {
        let Addresses { order, inventory } = services.clone();
        Ok(Self { http: http_client()?, order, inventory, spans })
    }

    /// What the spans of a trace tell of an answer, as far as they come in time.
    async fn tale<T: Tale>(&self, trace_id: Option<&str>, answer: &T::Answer) -> Option<T> {
        let trace = trace_id?.parse().ok()?;
        self.spans.tell(&self.http, trace, answer, EVIDENCE_LIMIT).await
    }

    /// Whether there is a place to read spans from, and a trace to look for.
    fn expects_spans(&self, trace_id: Option<&str>) -> bool {
        trace_id.is_some() && !matches!(self.spans, Source::Nowhere)
    }

    /// Adds pieces of an item to the stock; nothing is forgotten.
    pub(crate) async fn deliver(&self, item: &str, quantity: u64) -> Result<State, ExitError> {
        let url = at(&self.inventory, "/inventory/deliveries")?;
        let quantity = i64::try_from(quantity).unwrap_or(i64::MAX);
        let delivery = Delivery { item_id: item.to_owned(), quantity };
        let answer = self.http.post(url).json(&delivery).send().await;
        let answer = answer.and_then(Response::error_for_status);
        let answer = answer.map_err(|error| unreachable(&self.inventory, &error))?;
        answer.json().await.map_err(|error| unreachable(&self.inventory, &error))
    }

    /// What is left, and how many reservations were made.
    pub(crate) async fn state(&self) -> Result<State, ExitError> {
        self.read(&self.inventory, "/inventory/state").await
    }

    /// The metrics of the order service and of the inventory, as text.
    pub(crate) async fn metrics_pages(&self) -> Result<(String, String), ExitError> {
        tokio::try_join!(self.metrics_page(&self.order), self.metrics_page(&self.inventory))
    }

    async fn metrics_page(&self, base: &Url) -> Result<String, ExitError> {
        let page = self.get(base, "/metrics").await?.text().await;
        page.map_err(|error| unreachable(base, &error))
    }

    /// A gauge of the inventory, if it is there.
    pub(crate) async fn inventory_gauge(&self, name: &str) -> Option<f64> {
        let page = self.get(&self.inventory, "/metrics").await.ok()?.text().await.ok()?;
        page.lines().find_map(|line| line.strip_prefix(name)?.trim().parse().ok())
    }

    pub(crate) async fn counters(&self) -> Result<Counters, ExitError> {
        let mut all = self.counters_of(&self.order).await?;
        all.extend(self.counters_of(&self.inventory).await?);
        Ok(all)
    }

    async fn counters_of(&self, base: &Url) -> Result<Counters, ExitError> {
        Ok(counters::read(&self.metrics_page(base).await?))
    }

    async fn read<T: DeserializeOwned>(&self, base: &Url, path: &str) -> Result<T, ExitError> {
        let answer = self.get(base, path).await?;
        answer.json().await.map_err(|error| unreachable(base, &error))
    }

    /// Reads an answer that takes longer than the usual limit.
    async fn read_within<T: DeserializeOwned>(
        &self,
        base: &Url,
        path: &str,
        limit: Duration,
    ) -> Result<T, ExitError> {
        let answer = self.http.get(at(base, path)?).timeout(limit).send().await;
        let answer = answer.and_then(Response::error_for_status);
        let answer = answer.map_err(|error| unreachable(base, &error))?;
        answer.json().await.map_err(|error| unreachable(base, &error))
    }

    async fn get(&self, base: &Url, path: &str) -> Result<Response, ExitError> {
        get(&self.http, base, path).await
    }
}

/// A client that goes straight to where it is told.
pub(crate) fn http_client() -> Result<Client, ExitError> {
    Client::builder()
        .no_proxy()
        .timeout(Duration::from_secs(5))
        .build()
        .map_err(|error| ExitError::Failed(format!("cannot make an HTTP client: {error}")))
}

pub(crate) async fn get(http: &Client, base: &Url, path: &str) -> Result<Response, ExitError> {
    let answer = http.get(at(base, path)?).send().await;
    answer.and_then(Response::error_for_status).map_err(|error| unreachable(base, &error))
}

fn at(base: &Url, path: &str) -> Result<Url, ExitError> {
    base.join(path).map_err(|error| ExitError::Usage(format!("{base} is no base URL: {error}")))
}

/// A trace id that is one; anything else leads nowhere.
fn trace_id(answered: Option<String>) -> Option<String> {
    answered.filter(|id| id.parse::<TraceId>().is_ok())
}

fn unreachable(base: &Url, error: &reqwest::Error) -> ExitError {
    let why = if error.is_connect() {
        "nothing answers there".to_owned()
    } else if error.is_timeout() {
        "no answer in time".to_owned()
    } else if error.status() == Some(StatusCode::MISDIRECTED_REQUEST) {
        let host = base.host_str().unwrap_or_default();
        return ExitError::Failed(format!(
            "{base}: it does not answer for the host {host}; add {host} to its ALLOWED_HOSTS, or \
             use its IP address"
        ));
    } else if let Some(status) = error.status() {
        format!("it answers {status}, so it is another program")
    } else {
        "it does not answer like one of CampusCafe's services".to_owned()
    };
    ExitError::Failed(format!("{base}: {why}; is it running, and is the address right?"))
}
