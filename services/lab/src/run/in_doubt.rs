//! What a customer does whom the answer to an order left in doubt. With a key the order
//! service asks the inventory, so the customer asks the order service what became of the
//! order. Without one there is nobody to ask, and the customer orders again.

use std::time::{Duration, SystemTime};

use campuscafe_api::order::{OrderRecord, OrderState, Outcome, PlaceOrder};
use campuscafe_evidence::order::{CustomerResponse, Later};
use campuscafe_evidence::order_trace::{Asked, Exchange, OrderTrace, Settled};
use campuscafe_service::ExitError;
use tokio::time::{Instant, sleep};

use super::order::answered;
use super::{EVIDENCE_TIMEOUT, Runner};

/// `Retry-After` of the answer 202.
const ASK_AFTER: Duration = Duration::from_secs(1);

/// What a customer in doubt did, and what came of it.
pub(super) struct Clarified {
    pub(super) later: Later,
    pub(super) told: Told,
}

/// What the customer was told then, as far as the picture needs it.
pub(super) enum Told {
    State(Exchange, Option<Settled>),
    Again(PlaceOrder, CustomerResponse),
}

impl Runner {
    /// Lets the customer act whose order has no certain outcome.
    pub(super) async fn clarify(
        &self,
        request: &PlaceOrder,
        response: &CustomerResponse,
        again: bool,
    ) -> Result<Option<Clarified>, ExitError> {
        let in_doubt = response.report.outcome == Outcome::Unknown;
        Ok(match in_doubt {
            true if request.idempotent => Some(self.ask_for_state(response).await?),
            true if again => Some(self.order_again(request, response).await?),
            _ => None,
        })
    }

    /// The order with what the customer did then.
    pub(super) async fn join(
        &self,
        first: Option<OrderTrace>,
        told: Told,
    ) -> Result<Option<OrderTrace>, ExitError> {
        Ok(match told {
            Told::State(exchange, settled) => {
                first.map(|first| OrderTrace { settled, later: Some(exchange), ..first })
            }
            Told::Again(request, response) => {
                let trace = response.report.trace_id.as_deref();
                let second = self.read_spans(trace, &answered(&request, &response)?).await;
                first.zip(second).map(|(first, second)| first.followed_by(second))
            }
        })
    }

    /// Asks what became of the order until that is known, for a while.
    async fn ask_for_state(&self, response: &CustomerResponse) -> Result<Clarified, ExitError> {
        let (answered, path) = (Instant::now(), format!("/orders/{}", response.report.order_id));
        loop {
            sleep(ASK_AFTER).await;
            let asked_at = now();
            let record: OrderRecord = self.read(&self.order, &path).await?;
            let (outcome, after) = (outcome(record.state), response.after + answered.elapsed());
            if outcome == Outcome::Unknown && answered.elapsed() < EVIDENCE_TIMEOUT {
                continue;
            }
            let exchange = Exchange {
                asked: Asked::State,
                asked_at,
                told_at: now(),
                status: Some(200),
                outcome: outcome.as_str().to_owned(),
            };
            let told = Told::State(exchange, settled(&record));
            let history = record.history;
            let later = Later { asked: Asked::State, status: 200, outcome, after, history };
            return Ok(Clarified { later, told });
        }
    }

    /// Places the same order again; nothing goes wrong with this one.
    async fn order_again(
        &self,
        request: &PlaceOrder,
        response: &CustomerResponse,
    ) -> Result<Clarified, ExitError> {
        let request = PlaceOrder { chaos: None, ..request.clone() };
        let second = self.send(&request).await?;
        let later = Later {
            asked: Asked::Again,
            status: second.status,
            outcome: second.report.outcome,
            after: response.after + second.after,
            history: Vec::new(),
        };
        Ok(Clarified { later, told: Told::Again(request, second) })
    }
}

/// What a customer knows from the state of an order.
const fn outcome(state: OrderState) -> Outcome {
    match state {
        OrderState::Confirmed => Outcome::Confirmed,
        OrderState::Failed | OrderState::Cancelled => Outcome::Failed,
        OrderState::Placing | OrderState::Unknown | OrderState::Cancelling => Outcome::Unknown,
    }
}

/// When the order service learnt what became of the order.
fn settled(record: &OrderRecord) -> Option<Settled> {
    let known = record.history.iter().find(|change| outcome(change.state) != Outcome::Unknown)?;
    let at = nanoseconds(humantime::parse_rfc3339(&known.at).ok()?);
    Some(Settled { at, outcome: outcome(known.state).as_str().to_owned() })
}

/// Nanoseconds since 1970.
pub(super) fn now() -> u64 {
    nanoseconds(SystemTime::now())
}

fn nanoseconds(at: SystemTime) -> u64 {
    let since = at.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use campuscafe_api::order::{Lane, StateChange};

    use super::*;

    fn record(states: &[(OrderState, &str)]) -> OrderRecord {
        let history = states.iter().map(|(state, second)| {
            let at = format!("2026-11-23T10:15:{second}Z");
            StateChange { state: *state, at }
        });
        OrderRecord {
            order_id: "1".to_owned(),
            lane: Lane::Cured,
            state: states.last().unwrap().0,
            history: history.collect(),
            item_id: "cake".to_owned(),
            quantity: 1,
            reserved: None,
            trace_id: None,
            note: None,
        }
    }

    #[test]
    fn an_order_is_settled_at_the_first_state_that_is_certain() {
        use OrderState::{Cancelled, Confirmed, Placing, Unknown};
        let open = [(Placing, "30"), (Unknown, "31.5")];
        assert_eq!(settled(&record(&open)), None);
        for (state, expected) in [(Confirmed, "confirmed"), (Cancelled, "failed")] {
            let settled = settled(&record(&[open[0], open[1], (state, "32.250")])).unwrap();
            assert_eq!(settled.outcome, expected);
            assert_eq!(settled.at % 60_000_000_000, 32_250_000_000, "{state:?}");
        }
    }
}
