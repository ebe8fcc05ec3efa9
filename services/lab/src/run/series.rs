//! Sending many orders, some at a time, and what each of them leaves behind.

use std::sync::Arc;

use campuscafe_api::inventory::State;
use campuscafe_evidence::counters::of_order;
use campuscafe_evidence::from_spans::FromSpans as _;
use campuscafe_evidence::order_trace::OrderTrace;
use campuscafe_service::ExitError;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use super::order::{answered, choose, lacking};
use super::{Observer, Runner};
use crate::lessons::{Event, Series, SeriesOrder, SeriesPlan, SeriesResult};

impl Runner {
    /// Sends the orders of a series; delivers first what the stock lacks for them.
    pub(super) async fn series(
        &self,
        plan: SeriesPlan,
        seed: u64,
        observer: &mut Observer<'_>,
    ) -> Result<Series, ExitError> {
        let before: State = self.read(&self.inventory, "/inventory/state").await?;
        let item = choose(&before)?;
        let orders = (plan.orders)(&item, seed);
        let attempts = |one: &SeriesOrder| if one.order.retry_on_timeout { 2 } else { 1 };
        let delivered = lacking(&before, &item, orders.iter().map(attempts).sum());
        if let Some(delivered) = delivered {
            self.deliver(&item, delivered.quantity).await?;
        }
        observer(Event::SeriesSent { orders: orders.len() })?;
        let permits = Arc::new(Semaphore::new(plan.at_once));
        let mut all = JoinSet::new();
        for (index, sent) in orders.into_iter().enumerate() {
            let runner = self.clone();
            // Taken here, so that orders are sent in their order.
            let permit = permits.clone().acquire_owned().await;
            all.spawn(async move {
                let _permit = permit;
                runner.one_of_series(sent).await.map(|result| (index, result))
            });
        }
        let mut results = Vec::new();
        while let Some(result) = all.join_next().await {
            let failed = |error| ExitError::Failed(format!("an order of the series: {error}"));
            results.push(result.map_err(failed)??);
        }
        results.sort_by_key(|(index, _)| *index);
        let results = results.into_iter().map(|(_, result)| result).collect();
        observer(Event::Settled)?;
        Ok(Series { layout: plan.layout, results, delivered })
    }

    async fn one_of_series(&self, sent: SeriesOrder) -> Result<SeriesResult, ExitError> {
        let response = self.send(&sent.order).await?;
        let trace = response.report.trace_id.as_deref();
        let answered = answered(&sent.order, &response)?;
        let order_trace = self.read_spans::<OrderTrace>(trace, &answered).await;
        let incomplete = self.incomplete(trace, order_trace.as_ref());
        let complete = order_trace.as_ref().filter(|order_trace| order_trace.is_complete());
        let commits = complete.map(|order_trace| order_trace.commits().len() as u64);
        let last_commit = complete.and_then(OrderTrace::last_commit);
        let counters = order_trace.as_ref().map(of_order).unwrap_or_default();
        Ok(SeriesResult { sent, response, commits, last_commit, counters, incomplete })
    }
}
