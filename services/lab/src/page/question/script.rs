//! Questions about lessons that are a script of calls.

use std::sync::Arc;

use super::{Answer, Kind, Question};
use crate::lessons::{Asked, CUSTOMERS, Evidence, Finding, Played};

/// How many reservations are there in the end.
const RESERVATIONS: Question = Question {
    field: "reservations",
    asks: "predict-script-reservations",
    kind: Kind::Reservations { most: 9 },
    truth: |findings| Some(Answer::Reservations(sole(findings)?.reservations())),
};

/// How many of twenty orders at once are confirmed.
const SOLD: Question = Question {
    field: "reservations",
    asks: "predict-script-reservations",
    kind: Kind::Reservations { most: 2 * CUSTOMERS as u64 },
    truth: |findings| Some(Answer::Reservations(sole(findings)?.reservations())),
};

/// Which of two changes stands in the end.
const STANDS: Question = Question {
    field: "choice",
    asks: "ask-stale",
    kind: Kind::Choice { words: "change", values: &["older", "newer"] },
    truth: |findings| {
        let [_, older, newer, end] = &*sole(findings)?.asked else { return None };
        let is_end = |change: &Asked| change.end == Ok(200) && change.says == end.says;
        match (is_end(older), is_end(newer)) {
            (true, false) => Some(Answer::Choice("older")),
            (false, true) => Some(Answer::Choice("newer")),
            _ => None,
        }
    },
};

/// What is asked before a run of this experiment.
pub(super) fn of(experiment: &str) -> &'static [&'static Question] {
    match experiment {
        "stale" => &[&STANDS],
        "oversell" => &[&SOLD],
        _ => &[&RESERVATIONS],
    }
}

fn sole(findings: &[Arc<Finding>]) -> Option<&Played> {
    let [finding] = findings else { return None };
    match &finding.evidence {
        Evidence::Script(played) => Some(played),
        _ => None,
    }
}
