//! What happened, as one party can tell it: the kinds of its events in their order.
//!
//! If two runs give a party the same events in the same order, then nothing that the
//! party can do tells them apart, whatever happened elsewhere. Times stand beside the
//! events and are not compared: they differ a little from run to run.

use serde::Serialize;

use crate::diagram::{Content, Diagram, Lane, MarkKind, Note, Step};
use crate::order_trace::OrderTrace;

/// What one party sent, received and did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LocalHistory {
    /// In the order of time.
    pub events: Vec<LocalEvent>,
    /// When each of them happened, in milliseconds after the order arrived.
    pub times_ms: Vec<u64>,
}

/// Something that a party sent, received or did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum LocalEvent {
    /// It sent this.
    Sent(Content),
    /// This reached it.
    Received(Content),
    /// Its attempt ended without an answer.
    NoAnswer {
        /// The attempt's number.
        attempt: u32,
        /// `timeout`, `connection_lost` or `connection_refused`.
        reason: String,
    },
    /// It decided to meet the attempt that it just received with this fault.
    Fault(String),
    /// It committed a reservation.
    Committed {
        /// The attempt's number.
        attempt: u32,
        /// Whether it had noticed before that the caller was gone.
        late: bool,
        /// Whether it had committed the same request before.
        duplicate: bool,
    },
    /// It cut the connection of this attempt.
    Cut(u32),
    /// It noticed that the caller of this attempt had left.
    CallerLeft(u32),
    /// It had no caller left for its answer to this attempt.
    AnswerDropped(u32),
}

impl LocalHistory {
    /// What one party can tell of an order.
    #[must_use]
    pub fn of(diagram: &Diagram, party: Lane) -> Self {
        let (times_ms, events) = diagram
            .history(party)
            .iter()
            .flat_map(|step| {
                events(step, party).into_iter().map(|event| (diagram.ms(step.at), event))
            })
            .unzip();
        Self { events, times_ms }
    }

    /// What the order service can tell, if none of its own spans is missing or
    /// doubtful. Spans of the inventory are no part of it.
    #[must_use]
    pub fn of_order_service(order_trace: &OrderTrace) -> Option<Self> {
        let flawed = order_trace.flaws.iter().any(|flaw| flaw.part().is_of_order_service());
        (!flawed).then(|| Self::of(&Diagram::of(order_trace), Lane::Order))
    }
}

/// The first event that is not the same in all histories, counted from 0, if any.
#[must_use]
pub fn first_difference(histories: &[&LocalHistory]) -> Option<usize> {
    let longest = histories.iter().map(|history| history.events.len()).max()?;
    (0..longest).find(|event| {
        let mut all = histories.iter().map(|history| history.events.get(*event));
        let first = all.next();
        all.any(|other| Some(other) != first)
    })
}

/// The events in a step that this party took part in.
fn events(known: &Step, party: Lane) -> Vec<LocalEvent> {
    let message = known.message.as_ref().map(|message| {
        let content = message.content.clone();
        if message.from == party {
            LocalEvent::Sent(content)
        } else {
            LocalEvent::Received(content)
        }
    });
    message.into_iter().chain(known.note.as_ref().and_then(|note| noted(note, known))).collect()
}

fn noted(note: &Note, step: &Step) -> Option<LocalEvent> {
    Some(match note {
        Note::Fault(fault) => LocalEvent::Fault(fault.clone()),
        Note::Committed(commit) => {
            let mark = step.mark.filter(|mark| mark.kind == MarkKind::Commit)?;
            let (late, duplicate) = (commit.late, commit.duplicate);
            LocalEvent::Committed { attempt: mark.attempt, late, duplicate }
        }
        Note::Cut(attempt) => LocalEvent::Cut(*attempt),
        Note::GivenUp { attempt, reason } => {
            LocalEvent::NoAnswer { attempt: *attempt, reason: reason.clone() }
        }
        Note::CallerLeft(attempt) => LocalEvent::CallerLeft(*attempt),
        Note::AnswerDropped(attempt) => LocalEvent::AnswerDropped(*attempt),
    })
}

#[cfg(test)]
mod tests;
