//! What keeps spans from being whole evidence of an order, or of pings.

/// The place of a span. Attempts are numbered from 1, pings from 0. Among the spans of a script
/// each call is such an attempt, whoever makes it.
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
    /// The pings as a whole, at the order service.
    Pings,
    /// A ping, at the order service.
    Ping(u32),
    /// A call of a script, at the called side. Calls are numbered from 1.
    Call(u32),
    /// The commit of a call.
    CallCommit(u32),
    /// The messages about an order.
    Messages,
}

impl Part {
    /// Whether the order service makes this span.
    #[must_use]
    pub const fn is_of_order_service(self) -> bool {
        matches!(self, Self::Order | Self::Attempt(_))
    }

    const fn of_later_attempt(self, by: u32) -> Self {
        match self {
            Self::Attempt(number) => Self::Attempt(number.saturating_add(by)),
            Self::ServerAttempt(number) => Self::ServerAttempt(number.saturating_add(by)),
            Self::Fault(number) => Self::Fault(number.saturating_add(by)),
            Self::Commit(number) => Self::Commit(number.saturating_add(by)),
            other => other,
        }
    }

    /// The number of the attempt that it belongs to, if it belongs to one.
    #[must_use]
    pub const fn attempt(self) -> Option<u32> {
        match self {
            Self::Order
            | Self::Pings
            | Self::Ping(_)
            | Self::Call(_)
            | Self::CallCommit(_)
            | Self::Messages => None,
            Self::Attempt(number)
            | Self::ServerAttempt(number)
            | Self::Fault(number)
            | Self::Commit(number) => Some(number),
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
    /// The same of an attempt whose number is higher by this.
    #[must_use]
    pub const fn of_later_attempt(self, by: u32) -> Self {
        match self {
            Self::Missing(part) => Self::Missing(part.of_later_attempt(by)),
            Self::Ambiguous(part) => Self::Ambiguous(part.of_later_attempt(by)),
            Self::Contradictory(part) => Self::Contradictory(part.of_later_attempt(by)),
        }
    }

    /// Where the flaw is.
    #[must_use]
    pub const fn part(self) -> Part {
        match self {
            Self::Missing(part) | Self::Ambiguous(part) | Self::Contradictory(part) => part,
        }
    }
}
