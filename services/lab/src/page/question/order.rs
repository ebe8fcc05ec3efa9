//! Questions about one order.

use std::sync::Arc;

use campuscafe_api::order::AttemptResult;
use campuscafe_evidence::order::Order;

use super::{Answer, Kind, Question};
use crate::lessons::{Evidence, Finding};

const KNOWN: Kind =
    Kind::Choice { words: "knows", values: &["reserved", "not-reserved", "nothing"] };

/// What the order service can know of its first attempt when that ends.
pub(super) const KNOWS: Question =
    Question { field: "knows", asks: "predict-knows", kind: KNOWN, truth: knows };

/// The same while the answer is held.
pub(super) const KNOWS_HELD: Question = Question {
    field: "knows",
    asks: "predict-knows-held",
    kind: KNOWN,
    truth: |findings| sole_order(findings).map(|_| Answer::Choice("nothing")),
};

/// How many reservations the order has in the end.
pub(super) const RESERVATIONS: Question = Question {
    field: "reservations",
    asks: "predict-reservations",
    kind: Kind::Reservations { most: 9 },
    truth: |findings| Some(Answer::Reservations(sole_order(findings)?.ledger.reservations)),
};

/// When the last commit of the order came; asked about the picture.
pub(in crate::page) const COMMIT: Question = Question {
    field: "commit",
    asks: "observe-commit",
    kind: Kind::Choice { words: "commit", values: &["before", "after", "never"] },
    truth: |findings| commit(sole_order(findings)?),
};

/// The order of a run that is of one order.
pub(in crate::page) fn sole_order(findings: &[Arc<Finding>]) -> Option<&Order> {
    let [finding] = findings else { return None };
    match &finding.evidence {
        Evidence::Order(order) => Some(order),
        _ => None,
    }
}

fn knows(findings: &[Arc<Finding>]) -> Option<Answer> {
    let first = sole_order(findings)?.response.report.attempts.first()?;
    Some(Answer::Choice(match first.result {
        AttemptResult::Ok => "reserved",
        AttemptResult::Rejected | AttemptResult::Refused => "not-reserved",
        AttemptResult::Timeout | AttemptResult::ConnectionLost => "nothing",
    }))
}

/// What the spans show, if all of them are there.
fn commit(order: &Order) -> Option<Answer> {
    let after = order.commits_after_answer()?;
    let commits = order.complete_story()?.commits().len();
    Some(Answer::Choice(match (commits, after) {
        (0, _) => "never",
        (_, 0) => "before",
        _ => "after",
    }))
}
