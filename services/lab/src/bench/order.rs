//! Placing an order, and everything it leaves behind.

use std::time::Duration;

use campuscafe_api::inventory::State;
use campuscafe_api::order::{OrderReport, PlaceOrder};
use campuscafe_chaos::Plan;
use campuscafe_service::ExitError;
use serde::Serialize;
use serde_json::Value;
use tokio::time::{Instant, sleep};

use super::{ANSWER_LIMIT, ASK_EVERY, Bench, EVIDENCE_LIMIT, at, trace_id, unreachable};
use crate::evidence::counters::{self, Counters};
use crate::evidence::flaw::{Flaw, Part};
use crate::evidence::ledger::Ledger;
use crate::evidence::source::Tale as _;
use crate::evidence::story::{Answered, Story};
use crate::printable::printable;

/// The item that lessons order, where the inventory knows it.
const USUAL_ITEM: &str = "cake";

/// An order to place, and what it is expected to leave behind.
#[derive(Debug, Clone, Copy)]
pub(crate) struct OrderPlan {
    /// The faults to meet.
    pub(crate) chaos: &'static str,
    /// Whether to try again after a timeout.
    pub(crate) retry: bool,
    /// Reservations that it leaves: pieces that the stock must have, and what
    /// to wait for where spans do not tell.
    pub(crate) reservations: u64,
}

/// What the customer was told.
#[derive(Debug, Clone)]
pub(crate) struct Told {
    /// The HTTP status.
    pub(crate) status: u16,
    /// The note of a confirmation, or the title of a problem.
    pub(crate) words: String,
    /// Outcome and attempts, as the order service reports them.
    pub(crate) report: OrderReport,
    /// How long the customer waited.
    pub(crate) after: Duration,
}

/// Pieces that a lesson delivered, since the stock had too few for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Delivered {
    /// Pieces delivered.
    pub(crate) quantity: u64,
    /// Pieces left before.
    pub(crate) stock_before: u64,
}

/// Everything one order left behind.
#[derive(Debug, Clone)]
pub(crate) struct Order {
    pub(crate) plan: OrderPlan,
    pub(crate) told: Told,
    pub(crate) ledger: Ledger,
    pub(crate) jumps: Counters,
    /// What the spans tell, where there are any.
    pub(crate) story: Option<Story>,
    /// What keeps the spans from being whole evidence, a sentence each; empty
    /// where nothing does, or where there is no place to read spans.
    pub(crate) incomplete: Vec<String>,
    /// What was delivered before it, if the stock had too few pieces.
    pub(crate) delivered: Option<Delivered>,
}

impl Order {
    /// What the spans tell, if it is all there.
    pub(crate) fn complete_story(&self) -> Option<&Story> {
        self.story.as_ref().filter(|story| story.is_complete())
    }

    /// Commits after the customer was told, where complete spans can say so.
    pub(crate) fn commits_after_answer(&self) -> Option<usize> {
        let story = self.complete_story()?;
        Some(story.commits().iter().filter(|(_, commit)| commit.at > story.told_at).count())
    }

    /// Whether it is of the item that lessons usually order.
    pub(crate) fn is_of_usual_item(&self) -> bool {
        self.ledger.item == USUAL_ITEM
    }
}

impl Bench {
    /// Places an order and waits for what it leaves behind. Pieces that it needs
    /// and the stock lacks are delivered first.
    pub(crate) async fn order(&self, plan: OrderPlan) -> Result<Order, ExitError> {
        let mut before: State = self.read(&self.inventory, "/inventory/state").await?;
        let item = choose(&before)?;
        let delivered = lacking(&before, &item, plan.reservations);
        if let Some(Delivered { quantity, .. }) = delivered {
            before = self.deliver(&item, quantity).await?;
        }
        let counted = self.counters().await?;
        let told = self.place(&item, plan).await?;

        let trace = told.report.trace_id.as_deref();
        let answered = Answered { report: told.report.clone(), plan: faults(plan)? };
        let story = self.tale::<Story>(trace, &answered).await;
        let incomplete =
            if self.expects_spans(trace) { incomplete(story.as_ref()) } else { Vec::new() };
        let complete = story.as_ref().filter(|story| story.is_complete());
        if complete.is_none() {
            self.await_reservations(before.reservations.saturating_add(plan.reservations)).await?;
        }
        let after: State = self.read(&self.inventory, "/inventory/state").await?;
        let jumps = counters::jumps(&counted, &self.counters().await?);
        let ledger = Ledger::of(&item, told.report.outcome, &before, &after);
        // Complete spans know better, as others may be ordering too; spans of
        // which one is missing know less.
        let ledger = match complete {
            Some(story) => ledger.with_commits(story.commits().len() as u64),
            None => ledger,
        };
        Ok(Order { plan, told, ledger, jumps, story, incomplete, delivered })
    }

    async fn place(&self, item: &str, plan: OrderPlan) -> Result<Told, ExitError> {
        let order = PlaceOrder {
            item_id: item.to_owned(),
            quantity: 1,
            chaos: Some(plan.chaos.to_owned()),
            retry_on_timeout: plan.retry,
        };
        let url = at(&self.order, "/orders")?;
        let sent = Instant::now();
        let request = self.http.post(url).timeout(ANSWER_LIMIT).json(&order);
        let answer = request.send().await.map_err(|error| unreachable(&self.order, &error))?;
        let status = answer.status().as_u16();
        let body: Value = answer.json().await.map_err(|error| unreachable(&self.order, &error))?;
        let after = sent.elapsed();
        let words = ["note", "title"].iter().find_map(|name| body.get(name)?.as_str());
        let words = words.unwrap_or_default().to_owned();
        let mut report: OrderReport = serde_json::from_value(body.clone()).map_err(|_| {
            let body = body.to_string();
            let body = printable(&body);
            ExitError::Failed(format!("the order service did not take the order: {body}"))
        })?;
        report.trace_id = trace_id(report.trace_id);
        Ok(Told { status, words, report, after })
    }

    async fn await_reservations(&self, expected: u64) -> Result<(), ExitError> {
        let deadline = Instant::now() + EVIDENCE_LIMIT;
        loop {
            let state: State = self.read(&self.inventory, "/inventory/state").await?;
            if state.reservations >= expected || Instant::now() >= deadline {
                return Ok(());
            }
            sleep(ASK_EVERY).await;
        }
    }
}

fn faults(plan: OrderPlan) -> Result<Plan, ExitError> {
    plan.chaos.parse().map_err(|error| ExitError::Failed(format!("\"{}\": {error}", plan.chaos)))
}

/// What keeps the spans of an order from being whole evidence.
fn incomplete(story: Option<&Story>) -> Vec<String> {
    match story {
        None => vec![Flaw::Missing(Part::Order).to_string()],
        Some(story) => story.flaws.iter().map(Flaw::to_string).collect(),
    }
}

/// The item to order: the usual one, or the one of which there is most where
/// the inventory does not know the usual one.
fn choose(state: &State) -> Result<String, ExitError> {
    if state.stock.contains_key(USUAL_ITEM) {
        return Ok(USUAL_ITEM.to_owned());
    }
    let most = state.stock.iter().max_by_key(|(_, left)| **left);
    most.map(|(item, _)| item.clone()).ok_or_else(|| {
        ExitError::Failed("the inventory has no items; see INVENTORY_STOCK".to_owned())
    })
}

/// What must be delivered so that the stock has as many pieces as are needed.
fn lacking(state: &State, item: &str, needed: u64) -> Option<Delivered> {
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
