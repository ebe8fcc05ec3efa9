//! What a fault does, seen from the commit point.

use std::fmt;
use std::time::Duration;

/// A fault that is decided: nothing about it is left to chance.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Fault {
    /// Nothing goes wrong.
    None,
    /// Waits, then commits, whether or not anyone still listens.
    Slow(Duration),
    /// Answers with this status and commits nothing.
    Fail(u16),
    /// Waits, then answers 503 and commits nothing.
    SlowFail(Duration),
    /// Cuts the connection before the commit.
    Abort,
    /// Commits, then cuts the connection.
    LostReply,
    /// Commits, then waits before answering.
    SlowReply(Duration),
    /// Commits, then holds the answer until it is released or the time is up.
    Hold(Duration),
    /// Reads the stock, waits, then writes back what it computed from that read: the steps
    /// of a check and a commit that are not one.
    Race(Duration),
}

/// What a fault does before the commit point.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Before {
    /// Goes straight on to the commit.
    Commit,
    /// Waits, then goes on to the commit.
    WaitThenCommit(Duration),
    /// Reads the stock, waits, then commits what follows from that read, whatever has
    /// changed since.
    ReadThenWait(Duration),
    /// Waits (perhaps not at all), then answers with this status: no commit.
    WaitThenFail(Duration, u16),
    /// Cuts the connection: no commit.
    Cut,
}

/// What a fault does between the commit and the reply.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum After {
    /// Answers.
    Reply,
    /// Waits, then answers.
    WaitThenReply(Duration),
    /// Answers when released, or when the time is up.
    HoldThenReply(Duration),
    /// Cuts the connection: the reply is lost, the commit is not.
    Cut,
}

/// A change was to meet a fault that only a reservation can meet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{0} is a fault of a reservation; expected another fault")]
pub struct OfReservation(&'static str);

impl Fault {
    /// How long a fault waits where its step gives no time.
    pub const DEFAULT_WAIT: Duration = Duration::from_secs(2);
    /// How long a race waits between its read and its write: long enough for others to read
    /// the same, and far below the limit of an attempt.
    pub const DEFAULT_RACE: Duration = Duration::from_millis(100);
    pub(crate) const DEFAULT_STATUS: u16 = 503;

    /// The names of all faults that do something, for counters that must exist from the start.
    pub const NAMES: [&'static str; 8] =
        ["slow", "fail", "slowfail", "abort", "lostreply", "slowreply", "hold", "race"];

    /// The fault's name without its argument.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Slow(_) => "slow",
            Self::Fail(_) => "fail",
            Self::SlowFail(_) => "slowfail",
            Self::Abort => "abort",
            Self::LostReply => "lostreply",
            Self::SlowReply(_) => "slowreply",
            Self::Hold(_) => "hold",
            Self::Race(_) => "race",
        }
    }

    /// Whether anything goes wrong at all.
    #[must_use]
    pub const fn is_active(&self) -> bool {
        !matches!(self, Self::None)
    }

    /// The same fault, where a change meets it that is no reservation.
    ///
    /// # Errors
    ///
    /// When only a reservation can meet it.
    pub const fn of_change(self) -> Result<Self, OfReservation> {
        match self {
            Self::Hold(_) | Self::Race(_) => Err(OfReservation(self.name())),
            _ => Ok(self),
        }
    }

    /// Whether the fault keeps its work waiting, before the commit or after it.
    #[must_use]
    pub const fn waits(&self) -> bool {
        matches!(
            self,
            Self::Slow(_) | Self::SlowFail(_) | Self::SlowReply(_) | Self::Hold(_) | Self::Race(_)
        )
    }

    /// What happens before the commit point.
    #[must_use]
    pub const fn before_commit(&self) -> Before {
        match *self {
            Self::Slow(wait) => Before::WaitThenCommit(wait),
            Self::Fail(status) => Before::WaitThenFail(Duration::ZERO, status),
            Self::SlowFail(wait) => Before::WaitThenFail(wait, Self::DEFAULT_STATUS),
            Self::Abort => Before::Cut,
            Self::Race(wait) => Before::ReadThenWait(wait),
            Self::None | Self::LostReply | Self::SlowReply(_) | Self::Hold(_) => Before::Commit,
        }
    }

    /// What happens between the commit and the reply.
    #[must_use]
    pub const fn after_commit(&self) -> After {
        match *self {
            Self::LostReply => After::Cut,
            Self::SlowReply(wait) => After::WaitThenReply(wait),
            Self::Hold(limit) => After::HoldThenReply(limit),
            Self::None
            | Self::Slow(_)
            | Self::Fail(_)
            | Self::SlowFail(_)
            | Self::Abort
            | Self::Race(_) => After::Reply,
        }
    }
}

/// The fault as a step of a plan that parses back to it, times in milliseconds.
impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())?;
        match self {
            Self::Slow(wait)
            | Self::SlowFail(wait)
            | Self::SlowReply(wait)
            | Self::Hold(wait)
            | Self::Race(wait) => write!(f, ":{}", wait.as_millis()),
            Self::Fail(status) => write!(f, ":{status}"),
            Self::None | Self::Abort | Self::LostReply => Ok(()),
        }
    }
}
