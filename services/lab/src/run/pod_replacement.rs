//! Customers who go on ordering while somebody replaces the pods of a service.

use std::collections::BTreeSet;
use std::time::Duration;

use campuscafe_api::inventory::State;
use campuscafe_api::order::{OrderReport, PlaceOrder};
use campuscafe_evidence::order_trace::{Answered, OrderTrace};
use campuscafe_evidence::pod_replacement::{
    CHAOS, Customer, CustomerResult, PodReplacement, PodReplacementPlan, Service, is_over,
};
use campuscafe_service::ExitError;
use reqwest::Client;
use tokio::task::JoinSet;
use tokio::time::{Instant, interval};

use super::{ASK_EVERY, Observer, Runner};
use crate::http::at;
use crate::lessons::Event;

/// How often a customer comes. With the reply held back for longer than that,
/// some order always stands between its commit and its reply.
const COME_EVERY: Duration = Duration::from_millis(200);

/// Customers before anything is asked for: so many that each of a handful of
/// replicas has served one of them.
const BEFORE: usize = 20;

/// Pieces that the stock is kept at: what customers take in a few seconds.
const ENOUGH: u64 = 20;

/// How many customers come between two looks at the stock.
const LOOK_AT_STOCK_EVERY: u32 = 4;

/// How long a person may take to run a command, and a cluster to carry it out.
const LIMIT: Duration = Duration::from_mins(3);

/// Longer than any order here may take.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(10);

impl Runner {
    /// Lets customers order until every pod that served at first is replaced.
    /// A person is asked to do that once it is known who serves now.
    pub(super) async fn pod_replacement(
        &self,
        plan: PodReplacementPlan,
        observer: &mut Observer<'_>,
    ) -> Result<PodReplacement, ExitError> {
        let item = fullest(&self.state().await?)?;
        self.keep_enough(&item).await?;
        let begun = Instant::now();
        let reserved = self.reserved().await?;
        let mut asked = false;
        let (mut under_way, mut customers) = (JoinSet::new(), Vec::new());
        let mut old = BTreeSet::new();
        let mut come = interval(COME_EVERY);
        let mut number = 0;
        let replaced = loop {
            tokio::select! {
                _ = come.tick() => {
                    number += 1;
                    let (runner, wanted) = (self.clone(), item.clone());
                    under_way.spawn(async move { runner.serve(number, &wanted, begun).await });
                    if number.is_multiple_of(LOOK_AT_STOCK_EVERY) {
                        let (runner, item) = (self.clone(), item.clone());
                        // An inventory that is being replaced answers another time.
                        tokio::spawn(async move { runner.keep_enough(&item).await });
                    }
                }
                Some(Ok(customer)) = under_way.join_next() => {
                    observer(Event::CustomerAnswered(&customer))?;
                    customers.push(customer);
                }
            }
            if customers.len() >= BEFORE && !asked {
                old = customers.iter().filter_map(|one| one.pod(plan.service)).collect();
                if old.is_empty() {
                    return Err(nameless(plan.service));
                }
                observer(Event::CommandNeeded { plan, pods: &old })?;
                asked = true;
            }
            if asked && is_over(&customers, plan.service, &old) {
                break true;
            }
            if begun.elapsed() > LIMIT {
                break false;
            }
        };
        customers.extend(under_way.join_all().await);
        customers.sort_by_key(|customer| customer.number);
        let now = self.settled_count(reserved, &customers).await?;
        observer(Event::Settled)?;
        let since = now.saturating_sub(reserved);
        let told_yes = customers.iter().filter(|customer| customer.result.is_yes()).count() as u64;
        // An inventory whose stock has ended with its pod has counted from 0: it does not even
        // reach what customers were told.
        let anew = plan.service == Service::Inventory && replaced && since < told_yes;
        let remembered = if anew { now } else { since };
        Ok(PodReplacement { plan, customers, old, replaced, remembered })
    }

    /// Delivers what is missing; otherwise customers would only hear that
    /// nothing is left. A new inventory opens with little, and gets it as well.
    async fn keep_enough(&self, item: &str) -> Result<(), ExitError> {
        let left = self.state().await?.stock.get(item).copied().unwrap_or(0);
        match ENOUGH.saturating_sub(left) {
            0 => Ok(()),
            missing => self.deliver(item, missing).await.map(drop),
        }
    }

    async fn serve(&self, number: u32, item: &str, begun: Instant) -> Customer {
        let arrived = begun.elapsed();
        let (result, report) = self.buy(item).await;
        let after = begun.elapsed().saturating_sub(arrived);
        let trace_id = report.as_ref().and_then(|report| report.trace_id.clone());
        let order_trace = match report.zip(CHAOS.parse().ok()) {
            Some((report, plan)) => {
                self.read_spans::<OrderTrace>(
                    trace_id.as_deref(),
                    &Answered { report, plan, crash: None },
                )
                .await
            }
            None => None,
        };
        Customer { number, arrived, after, result, trace_id, order_trace }
    }

    /// Every customer comes over a connection of their own, as a browser would
    /// that has not been here before; so each may meet another replica.
    async fn buy(&self, item: &str) -> (CustomerResult, Option<OrderReport>) {
        let order = PlaceOrder { chaos: Some(CHAOS.to_owned()), ..PlaceOrder::of(item) };
        let client = Client::builder().no_proxy().pool_max_idle_per_host(0).build();
        let (Ok(client), Ok(url)) = (client, at(&self.order, "/orders")) else {
            return (CustomerResult::NoAnswer("no request could be made"), None);
        };
        match client.post(url).timeout(ANSWER_TIMEOUT).json(&order).send().await {
            Ok(answer) => match answer.json::<OrderReport>().await {
                Ok(report) => (CustomerResult::Outcome(report.outcome), Some(report)),
                Err(_) => (CustomerResult::NoAnswer("the answer broke off"), None),
            },
            Err(error) if error.is_connect() => (CustomerResult::NoAnswer("no connection"), None),
            Err(error) if error.is_timeout() => (CustomerResult::NoAnswer("no answer"), None),
            Err(_) => (CustomerResult::NoAnswer("connection lost"), None),
        }
    }

    /// What the inventory counts once it has counted everything that customers
    /// know of, or at a deadline.
    async fn settled_count(&self, before: u64, customers: &[Customer]) -> Result<u64, ExitError> {
        let confirmed = customers.iter().filter(|one| one.result.is_yes()).count() as u64;
        let deadline = Instant::now() + super::EVIDENCE_TIMEOUT;
        let mut again = interval(ASK_EVERY);
        loop {
            again.tick().await;
            let idle = self.inventory_gauge("inventory_work_in_progress").await == Some(0.0);
            let now = self.reserved().await;
            let late = Instant::now() >= deadline;
            match now {
                Ok(now) if idle || now >= before + confirmed || late => return Ok(now),
                Err(failure) if late => return Err(failure),
                _ => {}
            }
        }
    }

    /// All reservations that the inventory knows of. Its counters would be those of one process.
    async fn reserved(&self) -> Result<u64, ExitError> {
        Ok(self.state().await?.reservations)
    }
}

fn nameless(service: Service) -> ExitError {
    ExitError::Failed(format!(
        "no span of the {} names its pod (service.instance.id), so the lab cannot see whether pods \
         were replaced. Is this a cluster, and is --lab-url or --jaeger-url correct?",
        service.name()
    ))
}

/// The item of which there is most.
fn fullest(state: &State) -> Result<String, ExitError> {
    let most = state.stock.iter().max_by_key(|(_, left)| **left);
    most.map(|(item, _)| item.clone()).ok_or_else(|| {
        ExitError::Failed("the inventory has no items; see INVENTORY_STOCK".to_owned())
    })
}
