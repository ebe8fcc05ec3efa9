//! A race of answers, told from its spans.

use campuscafe_telemetry::attribute;

use super::source::Tale;
use super::span::{Kind, Span};

/// Pings that were sent at once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pings {
    /// In the order of sending.
    pub pings: Vec<Ping>,
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

impl Tale for Pings {
    /// `None` while the span that sent them is missing; it ends last.
    fn of(spans: &[Span]) -> Option<Self> {
        let root = spans
            .iter()
            .find(|span| span.attributes.contains_key(attribute::REORDER_INVERSIONS))?;
        let place = |span: &Span, name| usize::try_from(span.int(name)?).ok();
        let mut pings: Vec<Ping> = spans
            .iter()
            .filter(|span| span.kind == Kind::Client && span.parent.as_deref() == Some(&root.id))
            .filter_map(|span| {
                Some(Ping {
                    sent: place(span, attribute::REORDER_SENT)?,
                    completed: place(span, attribute::REORDER_COMPLETED)?,
                    after: span.end.saturating_sub(root.start),
                })
            })
            .collect();
        pings.sort_by_key(|ping| ping.sent);
        Some(Self { pings })
    }

    /// Settled when no place is missing: both columns count from 0 without a gap.
    fn is_settled(&self) -> bool {
        let mut completed: Vec<_> = self.pings.iter().map(|ping| ping.completed).collect();
        completed.sort_unstable();
        let whole = |places: &mut dyn Iterator<Item = usize>| {
            places.enumerate().all(|(place, found)| place == found)
        };
        self.pings.len() > 1
            && whole(&mut self.pings.iter().map(|ping| ping.sent))
            && whole(&mut completed.into_iter())
    }
}
