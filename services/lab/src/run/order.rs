//! Placing an order, and everything it leaves behind.

use std::time::Duration;

use campuscafe_api::inventory::State;
use campuscafe_api::order::{OrderReport, PlaceOrder};
use campuscafe_chaos::Plan;
use campuscafe_evidence::counters::{self, Counters};
use campuscafe_evidence::from_spans::FromSpans as _;
use campuscafe_evidence::ledger::Ledger;
use campuscafe_evidence::order::{CustomerResponse, Delivered, Order, OrderPlan, USUAL_ITEM};
use campuscafe_evidence::order_trace::{Answered, Crash};
use campuscafe_evidence::waterfall::OrderSpans;
use campuscafe_service::ExitError;
use reqwest::StatusCode;
use serde_json::Value;
use tokio::time::{Instant, sleep};

use super::in_doubt::Clarified;
use super::{ANSWER_TIMEOUT, ASK_EVERY, EVIDENCE_TIMEOUT, Observer, Runner, trace_id};
use crate::http::{at, unreachable};
use crate::lessons::Event;
use crate::printable::printable;

/// An order that is about to be placed, and what there is before it.
pub(super) struct Prepared {
    pub(super) request: PlaceOrder,
    /// Reservations to wait for where spans do not tell.
    reservations: u64,
    /// Whether the customer orders again who is left in doubt.
    again: bool,
    before: State,
    delivered: Option<Delivered>,
    counted: Counters,
    /// Whether the inventory was killed meanwhile, and what was counted up to that moment.
    killed: Option<(Crash, Counters)>,
}

impl Prepared {
    /// The same, after the inventory was killed when this was counted. Its next process begins
    /// to count at 0.
    pub(super) fn with_crash(self, crash: Crash, mut counted: Counters) -> Self {
        let killed = Some((crash, counters::deltas(&self.counted, &counted)));
        counted.retain(|series, _| !series.starts_with("inventory_"));
        Self { killed, counted, ..self }
    }
}

impl Runner {
    /// Places an order and waits for what it leaves behind.
    pub(super) async fn order(
        &self,
        plan: OrderPlan,
        observer: &mut Observer<'_>,
    ) -> Result<Order, ExitError> {
        let prepared = self.prepare(plan, None, observer).await?;
        self.place(prepared, observer).await
    }

    /// Places an order that a person has written, and waits for what it leaves behind.
    pub(super) async fn free_order(
        &self,
        mut request: PlaceOrder,
        observer: &mut Observer<'_>,
    ) -> Result<Order, ExitError> {
        let before: State = self.read(&self.inventory, "/inventory/state").await?;
        // The ledger counts an item by the name that the inventory has for it.
        let known = before.stock.keys().find(|name| name.eq_ignore_ascii_case(&request.item_id));
        if let Some(name) = known {
            request.item_id.clone_from(name);
        }
        let counted = self.counters().await?;
        let prepared = Prepared {
            request,
            reservations: 0,
            again: false,
            before,
            delivered: None,
            counted,
            killed: None,
        };
        self.place(prepared, observer).await
    }

    async fn place(
        &self,
        prepared: Prepared,
        observer: &mut Observer<'_>,
    ) -> Result<Order, ExitError> {
        observer(Event::OrderSent(&prepared.request))?;
        let response = self.send(&prepared.request).await?;
        observer(Event::OrderAnswered(&response))?;
        self.settle(prepared, response, observer).await
    }

    /// Looks what there is before an order. Pieces that it needs and the stock lacks are
    /// delivered.
    pub(super) async fn prepare(
        &self,
        plan: OrderPlan,
        attempt_timeout: Option<Duration>,
        observer: &mut Observer<'_>,
    ) -> Result<Prepared, ExitError> {
        let mut before: State = self.read(&self.inventory, "/inventory/state").await?;
        let item = choose(&before)?;
        // The pieces are taken seconds later, and others at this café may take some too.
        let reservations = plan.reservations;
        let enough = reservations.saturating_mul(*self.people.borrow());
        let delivered = lacking(&before, &item, enough)
            .map(|lack| Delivered { quantity: reservations.min(lack.quantity), ..lack });
        if let Some(delivered) = delivered {
            before = self.deliver(&item, delivered.quantity).await?;
            observer(Event::Delivered { item: &item, delivered })?;
        }
        let counted = self.counters().await?;
        let (request, again) = (plan.order(&item, attempt_timeout), plan.again);
        Ok(Prepared { request, reservations, again, before, delivered, counted, killed: None })
    }

    /// Waits for what an answered order leaves behind.
    pub(super) async fn settle(
        &self,
        prepared: Prepared,
        response: CustomerResponse,
        observer: &mut Observer<'_>,
    ) -> Result<Order, ExitError> {
        let Prepared { request, reservations, again, before, delivered, counted, killed } =
            prepared;
        let (crash, by_killed) = killed.unzip();
        let clarified = self.clarify(&request, &response, again).await?;
        let trace = response.report.trace_id.as_deref();
        let answered = Answered { crash, ..answered(&request, &response)? };
        let read = self.read_spans::<OrderSpans>(trace, &answered).await;
        let (order_trace, waterfall) = read.map(|read| (read.order_trace, read.waterfall)).unzip();
        let waterfall = waterfall.unwrap_or_default();
        let (order_trace, later) = match clarified {
            None => (order_trace, None),
            Some(Clarified { later, told }) => (self.join(order_trace, told).await?, Some(later)),
        };
        let incomplete = self.incomplete(trace, order_trace.as_ref());
        let complete = order_trace.as_ref().filter(|order_trace| order_trace.is_complete());
        observer(Event::SpansArrived { complete: complete.is_some() })?;
        // After a crash nobody can say how many there must be.
        if complete.is_none() && crash.is_none() {
            self.await_reservations(before.reservations.saturating_add(reservations)).await?;
        }
        let (after, counters) = tokio::try_join!(self.state(), self.counters())?;
        let deltas = all_deltas(by_killed, &counted, &counters);
        observer(Event::Settled)?;
        let told = later.as_ref().map_or(response.report.outcome, |later| later.outcome);
        let ledger = Ledger::of(&request.item_id, told, &before, &after);
        // Complete spans know better, as others may be ordering too; spans of
        // which one is missing know less.
        let ledger = match complete {
            Some(order_trace) => ledger.with_commits(order_trace.held()),
            None => ledger,
        };
        Ok(Order {
            request,
            response,
            later,
            ledger,
            deltas,
            order_trace,
            waterfall,
            incomplete,
            delivered,
        })
    }

    /// Sends an order and waits for its answer.
    pub(super) async fn send(&self, order: &PlaceOrder) -> Result<CustomerResponse, ExitError> {
        let url = at(&self.order, "/orders")?;
        let sent = Instant::now();
        let request = self.http.post(url).timeout(ANSWER_TIMEOUT).json(order);
        let answer = request.send().await.map_err(|error| unreachable(&self.order, &error))?;
        let status = answer.status().as_u16();
        let body: Value = answer.json().await.map_err(|error| unreachable(&self.order, &error))?;
        let after = sent.elapsed();
        let words = ["note", "title"].iter().find_map(|name| body.get(name)?.as_str());
        let reason = StatusCode::from_u16(status).ok().and_then(|it| it.canonical_reason());
        let words = words.or(reason).unwrap_or_default().to_owned();
        let mut report: OrderReport = serde_json::from_value(body.clone()).map_err(|_| {
            let body = body.to_string();
            let body = printable(&body);
            ExitError::Failed(format!("the order service did not accept the order: {body}"))
        })?;
        report.trace_id = trace_id(report.trace_id);
        Ok(CustomerResponse { status, words, report, after })
    }

    async fn await_reservations(&self, expected: u64) -> Result<(), ExitError> {
        let deadline = Instant::now() + EVIDENCE_TIMEOUT;
        loop {
            let state: State = self.read(&self.inventory, "/inventory/state").await?;
            if state.reservations >= expected || Instant::now() >= deadline {
                return Ok(());
            }
            sleep(ASK_EVERY).await;
        }
    }
}

/// What grew, with what the inventory had counted when it was killed.
fn all_deltas(by_killed: Option<Counters>, counted: &Counters, after: &Counters) -> Counters {
    counters::sum(by_killed.into_iter().chain([counters::deltas(counted, after)]))
}

/// What an order was answered, as far as its spans must show it.
pub(super) fn answered(
    request: &PlaceOrder,
    response: &CustomerResponse,
) -> Result<Answered, ExitError> {
    let plan = faults(request.chaos.as_deref().unwrap_or_default())?;
    Ok(Answered { report: response.report.clone(), plan, crash: None })
}

pub(super) fn faults(chaos: &str) -> Result<Plan, ExitError> {
    chaos.parse().map_err(|error| ExitError::Failed(format!("\"{chaos}\": {error}")))
}

/// The item to order: the usual one, or the one of which there is most where
/// the inventory does not know the usual one.
pub(super) fn choose(state: &State) -> Result<String, ExitError> {
    if state.stock.contains_key(USUAL_ITEM) {
        return Ok(USUAL_ITEM.to_owned());
    }
    let most = state.stock.iter().max_by_key(|(_, left)| **left);
    most.map(|(item, _)| item.clone()).ok_or_else(|| {
        ExitError::Failed("the inventory has no items; see INVENTORY_STOCK".to_owned())
    })
}

/// What must be delivered so that the stock has as many pieces as are needed.
pub(super) fn lacking(state: &State, item: &str, needed: u64) -> Option<Delivered> {
    let stock_before = state.stock.get(item).copied().unwrap_or(0);
    let quantity = needed.checked_sub(stock_before).filter(|quantity| *quantity > 0)?;
    Some(Delivered { quantity, stock_before })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn state(stock: &[(&str, u64)]) -> State {
        let stock = stock.iter().map(|(item, left)| ((*item).to_owned(), *left)).collect();
        State { stock, reservations: 0 }
    }

    #[test]
    fn a_lesson_orders_cake_even_if_none_is_left_and_else_what_there_is_most_of() {
        for (stock, expected) in [
            (&[("cake", 10), ("coffee", 20)][..], "cake"),
            (&[("cake", 0), ("coffee", 20)], "cake"),
            (&[("bagel", 3), ("tea", 5)], "tea"),
            (&[("tea", 0)], "tea"),
        ] {
            assert_eq!(choose(&state(stock)).unwrap(), expected, "{stock:?}");
        }
        assert!(choose(&state(&[])).is_err());
    }

    #[test]
    fn what_a_killed_inventory_counted_is_kept_and_the_next_one_counts_from_0() {
        let counters = |inventory: u64, order: u64| -> Counters {
            [("inventory_reservations_total", inventory), ("order_retries_total", order)]
                .map(|(name, value)| (name.to_owned(), value))
                .into()
        };
        let prepared = Prepared {
            request: PlaceOrder::of("cake"),
            reservations: 1,
            again: false,
            before: state(&[]),
            delivered: None,
            counted: counters(5, 5),
            killed: None,
        };
        let prepared = prepared.with_crash(Crash { killed_at: 1, restart: None }, counters(6, 6));
        let (_, by_killed) = prepared.killed.unzip();
        assert_eq!(all_deltas(by_killed, &prepared.counted, &counters(1, 7)), counters(2, 2));
    }

    #[test]
    fn a_lesson_delivers_exactly_what_it_lacks() {
        for (left, needed, expected) in
            [(10, 2, None), (2, 2, None), (1, 2, Some(1)), (0, 2, Some(2)), (0, 0, None)]
        {
            let delivered = lacking(&state(&[("cake", left)]), "cake", needed);
            assert_eq!(delivered.map(|one| one.quantity), expected, "{left} of {needed}");
            assert!(delivered.is_none_or(|one| one.stock_before == left));
        }
    }
}
