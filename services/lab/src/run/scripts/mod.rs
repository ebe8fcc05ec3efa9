//! Plays scripts: calls of a customer, or of the order service, that the lab makes itself.
//!
//! A script is a file beside this one, a variant of [`Script`] and a line in
//! [`Runner::script`]. It gets a [`Stage`], on which it makes its calls, and returns what
//! they came to. Everything else is done here: pieces that the stock lacks are delivered, the
//! spans are waited for, and what the inventory holds is read before and after.

mod doubleclick;
mod notify;
mod oversell;
mod overtake;
mod settle;
mod stage;
mod stale;

use campuscafe_api::inventory::State;
use campuscafe_api::order::{Lane, Outcome, PlaceOrder};
use campuscafe_evidence::calls::Calls;
use campuscafe_evidence::counters;
use campuscafe_evidence::from_spans::FromSpans as _;
use campuscafe_evidence::order::Delivered;
use campuscafe_evidence::waterfall::CallSpans;
use campuscafe_service::ExitError;
use tokio::time::{sleep, timeout};

use super::order::{choose, lacking};
use super::{ASK_EVERY, EVIDENCE_TIMEOUT, Observer, Runner};
use crate::lessons::{Event, Played, Script, THERE_ARE};
use crate::messages::{Message, Value};
use crate::printable::printable;
use stage::{Ask, Stage};

/// What a script came to.
struct Told {
    /// Reservations that the customer knows of.
    known: u64,
    /// A name and a value for each row.
    facts: Vec<(Message, Value)>,
}

/// How long an attempt may take that is to be answered also on a machine that has much to do,
/// in milliseconds.
const PATIENCE_MS: u64 = 8_000;

/// The work that the inventory has under way.
const WORK: &str = "inventory_work_in_progress";

impl Runner {
    /// Waits until the inventory is at rest, where no spans tell when a late attempt is over.
    async fn await_rest(&self) {
        let rest = async {
            while self.inventory_gauge(WORK).await.is_some_and(|work| work > 0.0) {
                sleep(ASK_EVERY).await;
            }
        };
        // At the deadline what is there is judged.
        let _ = timeout(EVIDENCE_TIMEOUT, rest).await;
    }

    /// Plays a script and waits for what it leaves behind.
    pub(super) async fn script(
        &self,
        script: Script,
        lane: Lane,
        observer: &mut Observer<'_>,
    ) -> Result<Played, ExitError> {
        let mut before: State = self.state().await?;
        let item = choose(&before)?;
        // One script needs exactly so many, and the others at least so many for each person.
        let people = if script == Script::Oversell { 1 } else { *self.people.borrow() };
        let pieces = script.pieces();
        let delivered = lacking(&before, &item, pieces.saturating_mul(people))
            .map(|lack| Delivered { quantity: pieces.min(lack.quantity), ..lack });
        if let Some(delivered) = delivered {
            before = self.deliver(&item, delivered.quantity).await?;
            observer(Event::Delivered { item: &item, delivered })?;
        }
        let surplus = match script {
            Script::Oversell => left(&before, &item).saturating_sub(THERE_ARE),
            _ => 0,
        };
        if surplus > 0 {
            before = self.order_surplus(&item, surplus).await?;
            observer(Event::SurplusOrdered { item: &item, pieces: surplus })?;
        }
        let counted = self.counters().await?;
        let stage = Stage::new(self, lane, &item);
        let told = match script {
            Script::Settle => settle::play(&stage).await?,
            Script::Overtake => overtake::play(&stage).await?,
            Script::Doubleclick => doubleclick::play(&stage).await?,
            Script::Notify => notify::play(&stage).await?,
            Script::Stale => stale::play(&stage).await?,
            Script::Oversell => oversell::play(&stage).await?,
        };
        let carried = stage.keys();
        let (traces, made, asked) = stage.end();
        let trace = traces.first().map(String::as_str);
        let read = self.read_spans::<CallSpans>(trace, &made).await;
        let (calls, waterfall) = read.map(|read| (read.calls, read.waterfall)).unzip();
        let incomplete = self.incomplete(trace, calls.as_ref());
        let complete = calls.as_ref().is_some_and(Calls::is_complete);
        observer(Event::SpansArrived { complete })?;
        if !complete {
            self.await_rest().await;
        }
        let (after, counters) = tokio::try_join!(self.state(), self.counters())?;
        let keys = self.keys(&carried).await?;
        let deltas = counters::deltas(&counted, &counters);
        observer(Event::Settled)?;
        let Told { known, facts } = told;
        Ok(Played {
            lane,
            item,
            asked,
            traces,
            calls,
            waterfall: waterfall.unwrap_or_default(),
            incomplete,
            before,
            after,
            known,
            deltas,
            facts,
            delivered,
            keys,
            surplus,
        })
    }

    /// Orders what a script must not find in stock, before it begins. It goes through the
    /// order service, so that every reservation has a customer who knows of it.
    async fn order_surplus(&self, item: &str, pieces: u64) -> Result<State, ExitError> {
        let order = PlaceOrder {
            quantity: i64::try_from(pieces).unwrap_or(i64::MAX),
            attempt_timeout_ms: Some(PATIENCE_MS),
            ..PlaceOrder::of(item)
        };
        let answer = self.send(&order).await?;
        if answer.report.outcome != Outcome::Confirmed {
            return Err(ExitError::Failed(format!(
                "this lesson needs exactly {THERE_ARE} of {item} in stock, and its order of the other \
                 {pieces} was answered {} ({}); begin it again when nobody else orders {item}",
                answer.status,
                answer.report.outcome.as_str(),
                item = printable(item),
            )));
        }
        self.state().await
    }
}

fn left(state: &State, item: &str) -> u64 {
    state.stock.get(item).copied().unwrap_or_default()
}
