//! Placing an order, and everything it leaves behind.

use std::time::Duration;

use campuscafe_api::inventory::State;
use campuscafe_api::order::{OrderReport, PlaceOrder};
use campuscafe_service::Failure;
use serde_json::Value;
use tokio::time::{Instant, sleep};

use super::{ANSWER_LIMIT, ASK_EVERY, Bench, EVIDENCE_LIMIT, at, unreachable};
use crate::evidence::counters::{self, Counters};
use crate::evidence::ledger::Ledger;
use crate::evidence::source::Tale as _;
use crate::evidence::story::Story;

/// The item that experiments order, where the inventory has it.
const USUAL_ITEM: &str = "cake";

/// An order to place, and what it is expected to leave behind.
#[derive(Debug, Clone, Copy)]
pub(crate) struct OrderPlan {
    /// The faults to meet.
    pub(crate) chaos: &'static str,
    /// Whether to try again after a timeout.
    pub(crate) retry: bool,
    /// Reservations to wait for where there are no spans to settle it.
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

/// Everything one order left behind.
#[derive(Debug, Clone)]
pub(crate) struct Order {
    pub(crate) plan: OrderPlan,
    pub(crate) told: Told,
    pub(crate) ledger: Ledger,
    pub(crate) jumps: Counters,
    /// What the spans tell, where there are any.
    pub(crate) story: Option<Story>,
}

impl Order {
    /// Commits after the customer was told, where complete spans can say so.
    pub(crate) fn commits_after_answer(&self) -> Option<usize> {
        let story = self.story.as_ref().filter(|story| story.is_settled())?;
        Some(story.commits().iter().filter(|(_, commit)| commit.at > story.told_at).count())
    }
}

impl Bench {
    /// Places an order and waits for what it leaves behind.
    pub(crate) async fn order(&self, plan: OrderPlan) -> Result<Order, Failure> {
        let before: State = self.read(&self.inventory, "/inventory/state").await?;
        let counted = self.counters().await?;
        let item = pick(&before, 2)?;
        let told = self.place(&item, plan).await?;

        let story = self.tale::<Story>(told.report.trace_id.as_deref()).await;
        if !story.as_ref().is_some_and(Story::is_settled) {
            self.await_reservations(before.reservations + plan.reservations).await?;
        }
        let after: State = self.read(&self.inventory, "/inventory/state").await?;
        let jumps = counters::jumps(&counted, &self.counters().await?);
        let mut ledger = Ledger::of(&item, told.report.outcome, &before, &after);
        // Where the spans are complete they know better: others may be ordering too.
        if let Some(story) = story.as_ref().filter(|story| story.is_settled()) {
            ledger = ledger.with_reservations(story.commits().len() as u64);
        }
        Ok(Order { plan, told, ledger, jumps, story })
    }

    async fn place(&self, item: &str, plan: OrderPlan) -> Result<Told, Failure> {
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
        let report = serde_json::from_value(body.clone()).map_err(|_| {
            Failure::Failed(format!("the order service did not take the order: {body}"))
        })?;
        Ok(Told { status, words, report, after })
    }

    async fn await_reservations(&self, expected: u64) -> Result<(), Failure> {
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

/// An item with enough pieces left, preferably the usual one.
fn pick(state: &State, pieces: u64) -> Result<String, Failure> {
    let enough = |item: &&String| state.stock.get(*item).is_some_and(|left| *left >= pieces);
    let usual = USUAL_ITEM.to_owned();
    Some(&usual).filter(enough).or_else(|| state.stock.keys().find(enough)).cloned().ok_or_else(
        || {
            Failure::Failed(
                "every item is out of stock; return to the opening stock with POST /inventory/reset"
                    .to_owned(),
            )
        },
    )
}
