//! The questions of a lesson, and what the evidence answers.

use campuscafe_api::order::AttemptResult;
use campuscafe_evidence::order::Order;
use serde::Deserialize;

/// What the order service can know of its first attempt when that ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Knows {
    Reserved,
    NotReserved,
    Nothing,
}

/// When the last commit of an order came.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum LastCommit {
    Before,
    After,
    Never,
}

/// What a person has answered so far.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
pub(crate) struct Answers {
    pub(crate) knows: Option<Knows>,
    /// The reservations that the order will have.
    pub(crate) reservations: Option<u64>,
    pub(crate) commit: Option<LastCommit>,
}

impl Knows {
    pub(super) const ALL: [Self; 3] = [Self::Reserved, Self::NotReserved, Self::Nothing];

    /// Its value in a form; the message that says it begins with `knows-`.
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Reserved => "reserved",
            Self::NotReserved => "not-reserved",
            Self::Nothing => "nothing",
        }
    }

    /// What an order shows. While its answer is held, the order service has none.
    pub(super) fn of(order: &Order, held: bool) -> Option<Self> {
        let first = order.response.report.attempts.first()?;
        Some(match first.result {
            _ if held => Self::Nothing,
            AttemptResult::Ok => Self::Reserved,
            AttemptResult::Rejected | AttemptResult::Refused => Self::NotReserved,
            AttemptResult::Timeout | AttemptResult::ConnectionLost => Self::Nothing,
        })
    }
}

impl LastCommit {
    pub(super) const ALL: [Self; 3] = [Self::Before, Self::After, Self::Never];

    /// Its value in a form; the message that says it begins with `commit-`.
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Before => "before",
            Self::After => "after",
            Self::Never => "never",
        }
    }

    /// What the spans of an order show, if all of them are there.
    pub(super) fn of(order: &Order) -> Option<Self> {
        let after = order.commits_after_answer()?;
        Some(match (order.ledger.reservations, after) {
            (0, _) => Self::Never,
            (_, 0) => Self::Before,
            _ => Self::After,
        })
    }
}
