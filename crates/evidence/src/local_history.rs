//! What happened, as one party can tell it: the kinds of its events in their order.
//!
//! If two runs give a party the same events in the same order, then nothing that the
//! party can do tells them apart, whatever happened elsewhere. Times stand beside the
//! events and are not compared: they differ a little from run to run.

use serde::Serialize;

use crate::diagram::{Content, Diagram, Lane, MarkKind, Message, Note, Step};
use crate::order_trace::{OrderTrace, UnderKey};

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
    /// It decided on the fault that an attempt meets.
    Fault {
        /// The attempt's number.
        attempt: u32,
        /// The fault with its argument; `none` if none.
        fault: String,
    },
    /// It committed a reservation.
    Committed {
        /// The attempt's number.
        attempt: u32,
        /// Whether it had noticed before that the caller was gone.
        late: bool,
        /// Whether it had committed the same request before.
        duplicate: bool,
    },
    /// It found a decision under the key of an attempt, and took nothing.
    UnderKey {
        /// The attempt's number.
        attempt: u32,
        /// What it found.
        found: UnderKey,
        /// Whether it had noticed before that the caller was gone.
        late: bool,
    },
    /// It learnt what became of the order: `confirmed` or `failed`.
    Settled(String),
    /// It cut the connection of this attempt.
    Cut(u32),
    /// Its process was killed in the middle of this attempt. It cannot tell this itself.
    Killed(u32),
    /// It is there again as another process.
    Restarted {
        /// Whether it has what the killed process had committed.
        kept: bool,
    },
    /// It noticed that the caller of this attempt had left.
    CallerLeft(u32),
    /// It had no caller left for its answer to this attempt.
    AnswerDropped(u32),
}

impl LocalEvent {
    /// The number of the attempt that it is about, if it is about one.
    #[must_use]
    pub const fn attempt(&self) -> Option<u32> {
        match self {
            Self::Sent(content) | Self::Received(content) => content.number(),
            Self::Settled(_) | Self::Restarted { .. } => None,
            Self::NoAnswer { attempt, .. }
            | Self::Fault { attempt, .. }
            | Self::Committed { attempt, .. }
            | Self::UnderKey { attempt, .. }
            | Self::Cut(attempt)
            | Self::Killed(attempt)
            | Self::CallerLeft(attempt)
            | Self::AnswerDropped(attempt) => Some(*attempt),
        }
    }
}

impl LocalHistory {
    /// What one party can tell of an order.
    #[must_use]
    pub fn of(diagram: &Diagram, party: Lane) -> Self {
        Self::until(diagram, party, diagram.steps.len())
    }

    /// What one party can tell of an order once this step has happened.
    #[must_use]
    pub fn until(diagram: &Diagram, party: Lane, step: usize) -> Self {
        let happened = diagram.steps.iter().take(step.saturating_add(1));
        let (times_ms, events) = happened
            .filter_map(|step| step.known_to(party))
            .flat_map(|step| {
                events(&step, party).into_iter().map(move |event| (diagram.ms(step.at), event))
            })
            .unzip();
        Self { events, times_ms }
    }

    /// The events with their times.
    pub fn timed(&self) -> impl Iterator<Item = (u64, &LocalEvent)> {
        self.times_ms.iter().copied().zip(&self.events)
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
    // That an attempt arrived is seen by the inventory's own note and not by the sender's.
    let sure = |message: &&Message| {
        message.to != Lane::Inventory || party != Lane::Inventory || known.note.is_some()
    };
    let message = known.message.as_ref().filter(sure).map(|message| {
        let content = message.content.clone();
        match message.from == party {
            true => LocalEvent::Sent(content),
            false => LocalEvent::Received(content),
        }
    });
    message.into_iter().chain(known.note.as_ref().and_then(|note| noted(note, known))).collect()
}

fn noted(note: &Note, step: &Step) -> Option<LocalEvent> {
    Some(match note {
        Note::Fault(fault) => {
            let Content::Attempt(attempt) = step.message.as_ref()?.content else { return None };
            LocalEvent::Fault { attempt, fault: fault.clone() }
        }
        Note::Committed(commit) => {
            let mark = step.mark.filter(|mark| mark.kind == MarkKind::Commit)?;
            let (late, duplicate) = (commit.late, commit.duplicate);
            LocalEvent::Committed { attempt: mark.attempt, late, duplicate }
        }
        Note::UnderKey { attempt, found, late } => {
            LocalEvent::UnderKey { attempt: *attempt, found: *found, late: *late }
        }
        Note::Settled(outcome) => LocalEvent::Settled(outcome.clone()),
        Note::Cut(attempt) => LocalEvent::Cut(*attempt),
        Note::Killed(attempt) => LocalEvent::Killed(*attempt),
        Note::Restarted { kept } => LocalEvent::Restarted { kept: *kept },
        Note::GivenUp { attempt, reason } => {
            LocalEvent::NoAnswer { attempt: *attempt, reason: reason.clone() }
        }
        Note::CallerLeft(attempt) => LocalEvent::CallerLeft(*attempt),
        Note::AnswerDropped(attempt) => LocalEvent::AnswerDropped(*attempt),
        // A script is no order, so there is no history of one.
        Note::Call(_) => return None,
    })
}

#[cfg(test)]
mod tests;
