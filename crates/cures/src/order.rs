//! The states of an order, and which may follow which.

use crate::attempts::Knowledge;

/// Where an order stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum OrderState {
    /// It is recorded; its attempts are under way.
    Placing,
    /// One reservation is there, and the customer may be told so.
    Confirmed,
    /// No reservation is there, and none can come. Final.
    Failed,
    /// An attempt has no answer: the inventory is asked.
    Unknown,
    /// The customer wants it cancelled; the inventory has not said yes yet.
    Cancelling,
    /// Nothing is reserved for it, and nothing can be. Final.
    Cancelled,
}

/// What happens to an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Event {
    /// Its attempts have ended, or the inventory was asked: this is known now.
    Learnt(Knowledge),
    /// The customer cancels it.
    CancelRequested,
    /// The inventory has removed the reservation, or made sure that none can come.
    CancelConfirmed,
}

/// The event means nothing to an order that has failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the order has failed; there is nothing to cancel")]
pub struct NothingToCancel;

impl OrderState {
    /// Every state.
    pub const ALL: [Self; 6] = [
        Self::Placing,
        Self::Confirmed,
        Self::Failed,
        Self::Unknown,
        Self::Cancelling,
        Self::Cancelled,
    ];

    /// The word on the wire, in spans, metrics and logs.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Placing => "placing",
            Self::Confirmed => "confirmed",
            Self::Failed => "failed",
            Self::Unknown => "unknown",
            Self::Cancelling => "cancelling",
            Self::Cancelled => "cancelled",
        }
    }

    /// The state after an event; the same state if the event changes nothing.
    ///
    /// What is final stays: an answer that was told is never taken back. What an order
    /// learns late, of an attempt or of the inventory, changes nothing for a customer who
    /// has asked to cancel.
    ///
    /// # Errors
    ///
    /// When the customer cancels an order that has failed.
    pub const fn after(self, event: Event) -> Result<Self, NothingToCancel> {
        use OrderState::{Cancelled, Cancelling, Confirmed, Failed, Placing, Unknown};
        Ok(match (self, event) {
            (Placing | Unknown, Event::Learnt(Knowledge::Reserved)) => Confirmed,
            (Placing | Unknown, Event::Learnt(Knowledge::NotReserved)) => Failed,
            (Placing, Event::Learnt(Knowledge::Unknown)) => Unknown,
            (Placing | Unknown | Confirmed, Event::CancelRequested) => Cancelling,
            (Failed, Event::CancelRequested) => return Err(NothingToCancel),
            (Cancelling, Event::CancelConfirmed) => Cancelled,
            (same, _) => same,
        })
    }

    /// Whether the order service must ask the inventory.
    #[must_use]
    pub const fn is_open(self) -> bool {
        matches!(self, Self::Unknown | Self::Cancelling)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use OrderState::{Cancelled, Cancelling, Confirmed, Failed, Placing, Unknown};

    const EVENTS: [Event; 5] = [
        Event::Learnt(Knowledge::Reserved),
        Event::Learnt(Knowledge::NotReserved),
        Event::Learnt(Knowledge::Unknown),
        Event::CancelRequested,
        Event::CancelConfirmed,
    ];

    #[test]
    fn every_event_in_every_state_has_its_next_state() {
        let table = [
            (
                Placing,
                [Some(Confirmed), Some(Failed), Some(Unknown), Some(Cancelling), Some(Placing)],
            ),
            (
                Confirmed,
                [
                    Some(Confirmed),
                    Some(Confirmed),
                    Some(Confirmed),
                    Some(Cancelling),
                    Some(Confirmed),
                ],
            ),
            (Failed, [Some(Failed), Some(Failed), Some(Failed), None, Some(Failed)]),
            (
                Unknown,
                [Some(Confirmed), Some(Failed), Some(Unknown), Some(Cancelling), Some(Unknown)],
            ),
            (
                Cancelling,
                [
                    Some(Cancelling),
                    Some(Cancelling),
                    Some(Cancelling),
                    Some(Cancelling),
                    Some(Cancelled),
                ],
            ),
            (
                Cancelled,
                [
                    Some(Cancelled),
                    Some(Cancelled),
                    Some(Cancelled),
                    Some(Cancelled),
                    Some(Cancelled),
                ],
            ),
        ];
        assert_eq!(table.map(|(state, _)| state), OrderState::ALL);
        for (state, expected) in table {
            let found = EVENTS.map(|event| state.after(event).ok());
            assert_eq!(found, expected, "{state:?}");
        }
    }
}
