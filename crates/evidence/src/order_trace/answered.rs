//! An order's answer, where nobody kept it: as the order service's own spans have it.

use campuscafe_api::order::{Attempt, AttemptResult, OrderReport, Outcome};
use campuscafe_attributes as attribute;

use super::Answered;
use super::read::{attempt_number, children};
use crate::span::{Kind, Span};

/// Attempts that are read of one order. The order service makes two; anybody may send the
/// spans of thousands, and what each party knows grows with them at every step.
const MAX_ATTEMPTS: usize = 16;

impl Answered {
    /// What the first order of a trace was answered.
    ///
    /// A span of the order service that was lost is not missed, since nothing else says
    /// that there was one. Faults that cannot be read are taken for none.
    #[must_use]
    pub fn from_spans(spans: &[Span]) -> Option<Self> {
        let orders = spans.iter().filter_map(|span| Some((span, order(span)?)));
        let (root, (order_id, outcome)) = orders.min_by_key(|(span, _)| span.start)?;
        let mut attempts: Vec<_> =
            children(spans, root).filter(|span| span.kind == Kind::Client).map(attempt).collect();
        attempts.sort_by_key(|attempt| attempt.number);
        attempts.dedup_by_key(|attempt| attempt.number);
        attempts.truncate(MAX_ATTEMPTS);
        let report = OrderReport { order_id, outcome, attempts, trace_id: None };
        let plan = root.text(attribute::ORDER_CHAOS).unwrap_or_default().parse();
        Some(Self { report, plan: plan.unwrap_or_default(), crash: None })
    }
}

/// The id and the outcome of an order, if it is the span of one.
fn order(span: &Span) -> Option<(String, Outcome)> {
    let told = span.text(attribute::ORDER_OUTCOME)?;
    let outcome = Outcome::ALL.into_iter().find(|outcome| outcome.as_str() == told)?;
    let id = span.text(attribute::ORDER_ID).filter(|_| span.kind == Kind::Server)?;
    Some((id.to_owned(), outcome))
}

fn attempt(client: &Span) -> Attempt {
    let status = client.int(attribute::HTTP_RESPONSE_STATUS_CODE);
    let status = status.and_then(|status| u16::try_from(status).ok());
    let result = match (status, client.text(attribute::ERROR_TYPE)) {
        (Some(200..300), _) => AttemptResult::Ok,
        (Some(_), _) => AttemptResult::Rejected,
        (None, Some("timeout")) => AttemptResult::Timeout,
        (None, Some(attribute::CONNECTION_REFUSED)) => AttemptResult::Refused,
        (None, _) => AttemptResult::ConnectionLost,
    };
    let duration_ms = client.end.saturating_sub(client.start) / 1_000_000;
    Attempt { number: attempt_number(client), result, duration_ms, status }
}
