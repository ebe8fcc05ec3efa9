//! Carries a trial out against the target services and collects the evidence.
//!
//! [`experiment`] goes through the trials and tells what happens as [`Event`]s.
//! [`order`] places an order, [`held_order`] one whose answer is held, [`crash`] one whose
//! inventory is killed, [`message_order`] has pings sent at once,
//! [`scripts`] makes calls of its own, [`storm`] lets more customers come than the inventory
//! can serve, [`pod_replacement`] lets customers order while pods are replaced, and
//! [`load`] lets many orders arrive at a given rate.

mod calls;
mod crash;
mod experiment;
mod held_order;
mod in_doubt;
mod keys;
pub(crate) mod load;
mod message_order;
mod order;
mod pod_replacement;
mod scripts;
mod series;
mod storm;

use std::time::Duration;

use campuscafe_api::inventory::{Delivery, State};
use campuscafe_api::order::{Lane, OrderList};
use campuscafe_evidence::counters::{self, Counters};
use campuscafe_evidence::flaw::Flaw;
use campuscafe_evidence::from_spans::FromSpans;
use campuscafe_evidence::load::metrics::MetricsReading;
use campuscafe_service::ExitError;
use campuscafe_telemetry::{BAGGAGE_HEADER, Baggage};
use reqwest::header::HeaderName;
use reqwest::{Client, Response, Url};
use serde::de::DeserializeOwned;
use tokio::sync::watch;

use crate::http::{self, at, unreachable};
use crate::lessons::Event;
use crate::targets::{Addresses, SpanSource};
use campuscafe_otlp_store::TraceId;

pub(crate) use experiment::{RunRequest, experiments};
pub(crate) use held_order::Decider;
pub(crate) use keys::find_key;
pub(crate) use storm::StormServices;

/// A function that is told what happens. If it fails, the run ends.
pub(crate) type Observer<'a> = dyn FnMut(Event<'_>) -> Result<(), ExitError> + Send + 'a;

/// How long the evidence of one order may take to arrive. The longest wait of
/// the fault `slow` is 2 s, and spans follow within a second.
const EVIDENCE_TIMEOUT: Duration = Duration::from_secs(8);

/// Far beyond two attempts of a minute each: only a service that hangs meets it.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(130);

/// How often the state is asked for while a late commit is awaited without spans.
const ASK_EVERY: Duration = Duration::from_millis(100);

/// The services under test and a place to read their spans.
#[derive(Debug, Clone)]
pub(crate) struct Runner {
    http: Client,
    order: Url,
    inventory: Url,
    pub(crate) spans: SpanSource,
    /// See [`TargetEnv::people`](crate::targets::TargetEnv::people).
    people: watch::Receiver<u64>,
}

impl Runner {
    pub(crate) fn new(
        services: &Addresses,
        spans: SpanSource,
        people: watch::Receiver<u64>,
    ) -> Result<Self, ExitError> {
        let Addresses { order, inventory } = services.clone();
        Ok(Self { http: http::client()?, order, inventory, spans, people })
    }

    /// The same, but its requests carry this baggage, by which their traces can be found.
    fn on_behalf_of(&self, baggage: &Baggage) -> Result<Self, ExitError> {
        let header = baggage.header().map(|value| (BAGGAGE_HEADER, value));
        let headers =
            header.into_iter().map(|(name, value)| (HeaderName::from_static(name), value));
        Ok(Self { http: http::client_with(headers.collect())?, ..self.clone() })
    }

    /// What the spans of a trace tell of an answer, as far as they come in time.
    async fn read_spans<T: FromSpans>(
        &self,
        trace_id: Option<&str>,
        answer: &T::Answer,
    ) -> Option<T> {
        let trace = trace_id?.parse().ok()?;
        self.spans.wait_for(&self.http, trace, answer, EVIDENCE_TIMEOUT).await
    }

    /// What keeps the spans from being whole evidence; nothing does where there
    /// is no trace to look for, or no place to read it from.
    fn incomplete<T: FromSpans>(&self, trace_id: Option<&str>, told: Option<&T>) -> Vec<Flaw> {
        match (trace_id, &self.spans) {
            (None, _) | (_, SpanSource::Nowhere) => Vec::new(),
            _ => T::incomplete(told),
        }
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

    /// How many orders with a key are unknown, of those that the order service remembers.
    pub(crate) async fn unknown(&self) -> Result<u64, ExitError> {
        let (mut unknown, mut after) = (0, String::new());
        loop {
            let path = format!("/orders?state=unknown&limit=1000{after}");
            let OrderList { orders, next } = self.read(&self.order, &path).await?;
            unknown += orders.iter().filter(|order| order.lane == Lane::Cured).count() as u64;
            let Some(next) = next else { return Ok(unknown) };
            after = format!("&after={next}");
        }
    }

    /// What both services tell of themselves, as far as a load needs it.
    pub(crate) async fn reading(&self) -> Result<MetricsReading, ExitError> {
        let pages =
            tokio::try_join!(self.metrics_page(&self.order), self.metrics_page(&self.inventory));
        pages.map(|(order, inventory)| MetricsReading::of(&order, &inventory))
    }

    async fn metrics_page(&self, base: &Url) -> Result<String, ExitError> {
        let page = self.get(base, "/metrics").await?.text().await;
        page.map_err(|error| unreachable(base, &error))
    }

    /// A gauge of the inventory, if it is there.
    pub(crate) async fn inventory_gauge(&self, name: &str) -> Option<f64> {
        let page = self.metrics_page(&self.inventory).await.ok()?;
        page.lines().find_map(|line| line.strip_prefix(name)?.trim().parse().ok())
    }

    pub(crate) async fn counters(&self) -> Result<Counters, ExitError> {
        let (mut all, more) =
            tokio::try_join!(self.counters_of(&self.order), self.counters_of(&self.inventory))?;
        all.extend(more);
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
        http::get(&self.http, base, path).await
    }
}

/// A trace id that is one; anything else leads nowhere.
fn trace_id(answered: Option<String>) -> Option<String> {
    answered.filter(|id| id.parse::<TraceId>().is_ok())
}
