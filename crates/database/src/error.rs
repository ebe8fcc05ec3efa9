//! Why a database did not do its work.

use std::fmt;

use tokio_postgres::error::SqlState;

/// From a small closed set: each is a value of a label.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reason {
    /// Every connection is in use, or the server has no more.
    Busy,
    /// No connection can be made, or it was lost.
    Unavailable,
    /// It took longer than a statement or a transaction may take.
    Timeout,
    /// Others changed the same rows at the same time, again and again.
    Conflict,
    /// The database refused a statement for another reason.
    Refused,
}

impl Reason {
    /// Every reason, for series that must exist from the start.
    pub const ALL: [Self; 5] =
        [Self::Busy, Self::Unavailable, Self::Timeout, Self::Conflict, Self::Refused];

    /// The value of a label.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Busy => "database_busy",
            Self::Unavailable => "database_unavailable",
            Self::Timeout => "database_timeout",
            Self::Conflict => "database_conflict",
            Self::Refused => "database_refused",
        }
    }

    /// The type and the title of the problem (RFC 9457) that a client is told.
    #[must_use]
    pub const fn problem(self) -> (&'static str, &'static str) {
        match self {
            Self::Busy | Self::Conflict => ("store-busy", "Store busy"),
            Self::Timeout => ("store-timeout", "Store timed out"),
            Self::Unavailable | Self::Refused => ("store-unavailable", "Store unavailable"),
        }
    }

    /// As a part of a sentence.
    #[must_use]
    pub const fn sentence(self) -> &'static str {
        match self {
            Self::Busy => "every connection to the database is in use",
            Self::Unavailable => "the database cannot be reached",
            Self::Timeout => "the database did not answer in time",
            Self::Conflict => "other requests changed the same rows at the same time",
            Self::Refused => "the database refused a statement",
        }
    }
}

/// Why a statement has no result.
#[derive(Debug)]
pub struct Error {
    pub(crate) reason: Reason,
    /// What the server said, if it said something.
    pub(crate) state: Option<SqlState>,
    said: String,
}

impl Error {
    pub(crate) fn timeout() -> Self {
        Self { reason: Reason::Timeout, state: None, said: "no answer in time".to_owned() }
    }

    pub(crate) fn of_pool(error: &deadpool_postgres::PoolError) -> Self {
        use deadpool_postgres::PoolError;
        match error {
            PoolError::Backend(error) => Self::of(error),
            PoolError::Timeout(deadpool_postgres::TimeoutType::Wait) => {
                Self { reason: Reason::Busy, state: None, said: error.to_string() }
            }
            _ => Self { reason: Reason::Unavailable, state: None, said: error.to_string() },
        }
    }

    pub(crate) fn of(error: &tokio_postgres::Error) -> Self {
        let state = error.code().cloned();
        let reason = match &state {
            None => Reason::Unavailable,
            Some(state) if is_conflict(state) => Reason::Conflict,
            Some(state) if *state == SqlState::QUERY_CANCELED => Reason::Timeout,
            Some(state) if *state == SqlState::LOCK_NOT_AVAILABLE => Reason::Timeout,
            Some(state) if *state == SqlState::TOO_MANY_CONNECTIONS => Reason::Busy,
            // Class 08 is about the connection, 57 about an operator's intervention.
            Some(state) if state.code().starts_with("08") || state.code().starts_with("57") => {
                Reason::Unavailable
            }
            Some(_) => Reason::Refused,
        };
        let said =
            error.as_db_error().map_or_else(|| chain(error), |said| said.message().to_owned());
        Self { reason, state, said }
    }

    /// Whether the same transaction may succeed when it is begun anew.
    pub(crate) fn is_conflict(&self) -> bool {
        self.reason == Reason::Conflict
    }

    /// Whether the server itself has said that the statement has failed. Otherwise nobody
    /// knows whether it was done.
    pub(crate) fn is_said_by_the_server(&self) -> bool {
        self.state.as_ref().is_some_and(|state| state.code() != COMPLETION_UNKNOWN)
    }

    /// The value of `error.type`.
    pub(crate) fn error_type(&self) -> &str {
        self.state.as_ref().map_or(self.reason.as_str(), SqlState::code)
    }

    /// Why.
    #[must_use]
    pub const fn reason(&self) -> Reason {
        self.reason
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.state {
            Some(state) => write!(f, "{} (SQLSTATE {})", self.said, state.code()),
            None => f.write_str(&self.said),
        }
    }
}

impl std::error::Error for Error {}

/// Class 40 is a transaction that was rolled back, for another one's sake. A key that is there
/// since we looked is the same for us: with the next try we see it.
fn is_conflict(state: &SqlState) -> bool {
    let is_rolled_back = state.code().starts_with("40") && state.code() != COMPLETION_UNKNOWN;
    is_rolled_back || *state == SqlState::UNIQUE_VIOLATION
}

/// The server itself does not know whether a commit is done.
const COMPLETION_UNKNOWN: &str = "40003";

/// An error and what caused it: the library names the cause only in its source.
fn chain(error: &tokio_postgres::Error) -> String {
    use std::error::Error as _;
    let mut said = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        said = format!("{said}: {error}");
        cause = error.source();
    }
    said
}
