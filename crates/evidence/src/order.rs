//! What an order was, what its customer was told, and what it left behind.

use std::time::Duration;

use campuscafe_api::order::{Lane, OrderReport, Outcome, PlaceOrder, StateChange};
use serde::Serialize;

use crate::counters::Counters;
use crate::flaw::Flaw;
use crate::from_spans::FromSpans as _;
use crate::ledger::Ledger;
use crate::order_trace::{Asked, OrderTrace};
use crate::waterfall::Waterfall;

/// The item that lessons order, where the inventory knows it.
pub const USUAL_ITEM: &str = "cake";

/// An order to place, and what it is expected to leave behind.
#[derive(Debug, Clone, Copy)]
pub struct OrderPlan {
    /// The faults to meet.
    pub chaos: &'static str,
    /// Whether to try again after a timeout.
    pub retry: bool,
    /// Reservations that it leaves: pieces that the stock must have, and what
    /// to wait for where spans do not tell.
    pub reservations: u64,
    /// Whether its attempts carry an idempotency key.
    pub lane: Lane,
    /// Whether the customer orders again, without a fault, if no answer tells what became
    /// of the order.
    pub again: bool,
}

impl OrderPlan {
    /// Without a key, and nobody orders again.
    pub const NAIVE: Self =
        Self { chaos: "none", retry: false, reservations: 1, lane: Lane::Naive, again: false };

    /// The order of one piece, with the limit of each attempt or that of the service.
    #[must_use]
    pub fn order(&self, item: &str, attempt_timeout: Option<Duration>) -> PlaceOrder {
        PlaceOrder {
            chaos: Some(self.chaos.to_owned()),
            retry_on_timeout: self.retry,
            idempotent: self.lane == Lane::Cured,
            attempt_timeout_ms: attempt_timeout
                .map(|limit| u64::try_from(limit.as_millis()).unwrap_or(u64::MAX)),
            ..PlaceOrder::of(item)
        }
    }
}

/// What the customer was told.
#[derive(Debug, Clone)]
pub struct CustomerResponse {
    /// The HTTP status.
    pub status: u16,
    /// The note of a confirmation, or the title of a problem.
    pub words: String,
    /// Outcome and attempts, as the order service reports them.
    pub report: OrderReport,
    /// How long the customer waited.
    pub after: Duration,
}

/// What a customer did whom the answer left in doubt, and what came of it.
#[derive(Debug, Clone)]
pub struct Later {
    /// What the customer sent.
    pub asked: Asked,
    /// The HTTP status of the last answer.
    pub status: u16,
    /// What the customer knows then.
    pub outcome: Outcome,
    /// How long after the order.
    pub after: Duration,
    /// Every state of the order so far, if the customer asked for it.
    pub history: Vec<StateChange>,
}

/// Pieces that a lesson delivered, since the stock had too few for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Delivered {
    /// Pieces delivered.
    pub quantity: u64,
    /// Pieces left before.
    pub stock_before: u64,
}

/// Everything one order left behind.
#[derive(Debug, Clone)]
pub struct Order {
    /// What was asked for.
    pub request: PlaceOrder,
    /// What the customer was told.
    pub response: CustomerResponse,
    /// What the customer did then, and was told in the end.
    pub later: Option<Later>,
    /// The same against what the inventory holds.
    pub ledger: Ledger,
    /// What the services counted meanwhile.
    pub deltas: Counters,
    /// What the spans tell, where there are any.
    pub order_trace: Option<OrderTrace>,
    /// The spans that tell it.
    pub waterfall: Waterfall,
    /// What keeps the spans from being whole evidence; empty where
    /// nothing does, or where there is no place to read spans.
    pub incomplete: Vec<Flaw>,
    /// What was delivered before it, if the stock had too few pieces.
    pub delivered: Option<Delivered>,
}

impl Order {
    /// The faults that it was to meet, as the customer wrote them.
    #[must_use]
    pub fn chaos(&self) -> &str {
        self.request.chaos.as_deref().unwrap_or_default()
    }

    /// What the spans tell, if it is all there.
    #[must_use]
    pub fn complete_story(&self) -> Option<&OrderTrace> {
        self.order_trace.as_ref().filter(|order_trace| order_trace.is_complete())
    }

    /// Commits after the customer was told, where complete spans can say so.
    #[must_use]
    pub fn commits_after_answer(&self) -> Option<usize> {
        let order_trace = self.complete_story()?;
        Some(
            order_trace
                .commits()
                .iter()
                .filter(|(_, commit)| commit.at > order_trace.told_at)
                .count(),
        )
    }

    /// Reservations that the inventory made and forgot, because its process was killed, where
    /// complete spans can say so.
    #[must_use]
    pub fn forgotten(&self) -> u64 {
        self.complete_story().map_or(0, |order_trace| {
            (order_trace.commits().len() as u64).saturating_sub(order_trace.held())
        })
    }

    /// Whether it is of the item that lessons usually order.
    #[must_use]
    pub fn is_of_usual_item(&self) -> bool {
        self.ledger.item == USUAL_ITEM
    }
}
