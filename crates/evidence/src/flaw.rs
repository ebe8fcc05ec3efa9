//! What keeps the spans of an order from being whole evidence of it.

use std::fmt;

/// The place of a span in an order. Attempts are numbered from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// The order as a whole, at the order service.
    Order,
    /// An attempt, at the order service.
    Attempt(u32),
    /// An attempt, at the inventory.
    ServerAttempt(u32),
    /// The fault that acted on an attempt.
    Fault(u32),
    /// The commit of an attempt.
    Commit(u32),
}

impl Part {
    /// Whether the order service makes this span.
    #[must_use]
    pub const fn is_of_order_service(self) -> bool {
        matches!(self, Self::Order | Self::Attempt(_))
    }

    /// The number of the attempt that it belongs to, if it belongs to one.
    #[must_use]
    pub const fn attempt(self) -> Option<u32> {
        match self {
            Self::Order => None,
            Self::Attempt(number)
            | Self::ServerAttempt(number)
            | Self::Fault(number)
            | Self::Commit(number) => Some(number),
        }
    }
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Order => f.write_str("the order service's span of the order"),
            Self::Attempt(number) => write!(f, "the order service's span of attempt {number}"),
            Self::ServerAttempt(number) => write!(f, "the inventory's span of attempt {number}"),
            Self::Fault(number) => write!(f, "the span of the fault in attempt {number}"),
            Self::Commit(number) => write!(f, "the commit of attempt {number}"),
        }
    }
}

/// Why spans do not prove what they seem to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flaw {
    /// The answer promises it, and it is not there.
    Missing(Part),
    /// Two different spans claim the same place.
    Ambiguous(Part),
    /// It is there, and the answer rules it out.
    Contradictory(Part),
}

impl Flaw {
    /// Where the flaw is.
    #[must_use]
    pub const fn part(self) -> Part {
        match self {
            Self::Missing(part) | Self::Ambiguous(part) | Self::Contradictory(part) => part,
        }
    }
}

impl fmt::Display for Flaw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing(part) => write!(f, "{part} is missing"),
            Self::Ambiguous(part) => write!(f, "more than one span could be {part}"),
            Self::Contradictory(part) => write!(f, "{part} contradicts the answer"),
        }
    }
}
