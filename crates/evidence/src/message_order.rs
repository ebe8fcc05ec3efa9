//! In which order pings were sent and answered, from their spans.

use campuscafe_api::order::Reordering;
use campuscafe_attributes as attribute;

use super::counters::Counters;
use super::flaw::{Flaw, Part};
use super::from_spans::FromSpans;
use super::span::{Kind, Span};

/// Pings that were sent at once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MessageOrder {
    /// In the order of sending.
    pub pings: Vec<Ping>,
    /// Places in the order of sending, from 0, whose span is missing.
    pub missing: Vec<u32>,
}

/// One ping, as its span tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ping {
    /// Place in the order of sending, from 0.
    pub sent: usize,
    /// Place in the order of completion, from 0.
    pub completed: usize,
    /// Nanoseconds from the arrival of the request that sent them all to the answer.
    pub after: u64,
}

/// Rounds of pings that had no delays.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PingRounds {
    /// Pings of each round.
    pub count: u32,
    /// For each round, the pairs that were answered in the other order.
    pub inversions: Vec<u64>,
    /// The trace of the round with the most of them.
    pub trace_id: Option<String>,
    /// What the spans of all rounds make of the counters.
    pub counters: Counters,
    /// What is missing of the spans.
    pub incomplete: Vec<Flaw>,
}

impl PingRounds {
    /// Rounds in which at least one reply overtook another.
    #[must_use]
    pub fn reordered(&self) -> usize {
        self.inversions.iter().filter(|inversions| **inversions > 0).count()
    }
}

impl FromSpans for MessageOrder {
    type Answer = Reordering;

    /// `None` while the span that sent them is missing; it ends last. A ping
    /// counts where its span agrees with the answer about both places.
    fn of(spans: &[Span], answer: &Reordering) -> Option<Self> {
        let inversions = i64::try_from(answer.inversions).ok()?;
        let roots = spans.iter().filter(|span| {
            span.kind == Kind::Server && span.int(attribute::REORDER_INVERSIONS) == Some(inversions)
        });
        // Another batch may have joined the trace; this one's has its pings below it.
        roots.map(|root| below(root, spans, answer)).min_by_key(|batch| batch.missing.len())
    }

    fn incomplete(batch: Option<&Self>) -> Vec<Flaw> {
        let Some(batch) = batch else { return vec![Flaw::Missing(Part::Pings)] };
        let missing = |place: &u32| Flaw::Missing(Part::Ping(*place));
        batch.missing.iter().map(missing).collect()
    }
}

fn below(root: &Span, spans: &[Span], answer: &Reordering) -> MessageOrder {
    let mut answered: Vec<_> = answer.completed_order.iter().enumerate().collect();
    answered.sort_by_key(|(_, ping)| ping.i);
    let mut batch = MessageOrder { pings: Vec::new(), missing: Vec::new() };
    for (completed, ping) in answered {
        let span = spans.iter().find(|span| {
            span.kind == Kind::Client
                && span.parent.as_deref() == Some(&root.id)
                && span.int(attribute::REORDER_SENT) == Some(ping.i.into())
                && span.int(attribute::REORDER_COMPLETED) == i64::try_from(completed).ok()
        });
        match (span, usize::try_from(ping.i)) {
            (Some(span), Ok(sent)) => {
                let after = span.end.saturating_sub(root.start);
                batch.pings.push(Ping { sent, completed, after });
            }
            _ => batch.missing.push(ping.i),
        }
    }
    batch
}

/// Pings that were sent at once, and everything they left behind.
#[derive(Debug, Clone)]
pub struct PingBatch {
    /// What the order service reports.
    pub report: Reordering,
    /// What the services counted meanwhile.
    pub deltas: Counters,
    /// What the spans tell, where there are any.
    pub pings: Option<MessageOrder>,
    /// What keeps the spans from being whole evidence; empty where
    /// nothing does, or where there is no place to read spans.
    pub incomplete: Vec<Flaw>,
}

#[cfg(test)]
mod tests {
    use campuscafe_api::order::CompletedPing;

    use super::*;
    use crate::span::Value;
    use crate::testing::{With as _, span};

    /// Three pings, of which the first came back last.
    fn answer() -> Reordering {
        let pong = |i| CompletedPing { i, delay_ms: 0, at: String::new() };
        let completed_order = [1, 2, 0].map(pong).into();
        Reordering { planned: Vec::new(), completed_order, inversions: 2, trace_id: None }
    }

    fn root(id: &str, inversions: i64) -> Span {
        span(id, "", Kind::Server, 0..90)
            .with(attribute::REORDER_INVERSIONS, Value::Int(inversions))
    }

    fn ping(parent: &str, sent: i64, completed: i64) -> Span {
        let end = 10 * (1 + completed.clamp(0, 9).cast_unsigned());
        span(&format!("{parent}-{sent}"), parent, Kind::Client, 0..end)
            .with(attribute::REORDER_SENT, Value::Int(sent))
            .with(attribute::REORDER_COMPLETED, Value::Int(completed))
    }

    fn batch() -> Vec<Span> {
        vec![root("batch", 2), ping("batch", 0, 2), ping("batch", 1, 0), ping("batch", 2, 1)]
    }

    #[test]
    fn a_whole_race_is_told_as_the_answer_has_it() {
        let told = MessageOrder::of(&batch(), &answer()).expect("a batch");
        let places: Vec<_> = told.pings.iter().map(|ping| (ping.sent, ping.completed)).collect();
        assert_eq!(places, [(0, 2), (1, 0), (2, 1)]);
        assert_eq!(told.pings[0].after, 30_000_000);
        assert!(told.is_complete());
    }

    #[test]
    fn a_ping_whose_span_is_missing_is_named() {
        for lost in 0..3_u32 {
            let mut spans = batch();
            spans.remove(lost as usize + 1);
            let told = MessageOrder::of(&spans, &answer()).expect("a batch");
            assert_eq!((told.missing.clone(), told.is_complete()), (vec![lost], false));
        }
        assert_eq!(MessageOrder::of(&batch()[1..], &answer()), None);
    }

    #[test]
    fn spans_that_disagree_with_the_answer_are_no_evidence() {
        let forged = [
            root("other", 1),
            root("forged", 2),
            ping("forged", 0, 2),
            ping("batch", 1, 2),
            ping("batch", 7, i64::MAX),
        ];
        let told = MessageOrder::of(&[&forged[..], &batch()].concat(), &answer());
        assert_eq!(told, MessageOrder::of(&batch(), &answer()));
    }
}
