//! One colour, one meaning.

use campuscafe_evidence::diagram::{CallEvent, CallNote, Content, Message, Note};
use campuscafe_evidence::refusal::{Decided, Refusal};

/// What something is about; the style sheet gives each its colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tone {
    /// Nothing to point at.
    Plain,
    /// Somebody knows that it was done.
    Confirmed,
    /// Somebody knows that it was not done.
    Failed,
    /// Somebody cannot know.
    Unknown,
    /// It was done.
    Committed,
    /// It was done twice.
    Doubled,
}

impl Tone {
    pub(super) const fn class(self) -> &'static str {
        match self {
            Self::Plain => "plain",
            Self::Confirmed => "confirmed",
            Self::Failed => "failed",
            Self::Unknown => "unknown",
            Self::Committed => "committed",
            Self::Doubled => "doubled",
        }
    }

    pub(super) fn of_message(message: &Message) -> Self {
        match &message.content {
            Content::Answer { .. } | Content::Reply { .. } if !message.arrives => Self::Unknown,
            _ if !message.arrives => Self::Failed,
            Content::Order | Content::Question | Content::Attempt(_) | Content::Call { .. } => {
                Self::Plain
            }
            Content::Answer { status: 200..300, .. } => Self::Confirmed,
            Content::Answer { .. } => Self::Failed,
            // The work goes on, or its caller cannot know.
            Content::Reply { status: 202 | 504, .. } => Self::Unknown,
            Content::Reply { status: 200..300, .. } => Self::Confirmed,
            Content::Reply { .. } => Self::Failed,
            Content::Outcome { outcome, .. } => Self::of_outcome(outcome),
        }
    }

    /// Of what an order came to.
    pub(super) fn of_outcome(outcome: &str) -> Self {
        match outcome {
            "confirmed" => Self::Confirmed,
            "failed" => Self::Failed,
            _ => Self::Unknown,
        }
    }

    /// Of what a note says, and of what it adds.
    pub(super) fn of_note(note: &Note) -> (Self, Self) {
        match note {
            Note::Committed(commit) if commit.duplicate => (Self::Doubled, Self::Doubled),
            Note::Committed(commit) if commit.late => (Self::Committed, Self::Unknown),
            Note::Committed(_) => (Self::Committed, Self::Plain),
            Note::GivenUp { reason, .. } => (Self::of_end(reason), Self::Plain),
            Note::Cut(_) | Note::CallerLeft(_) | Note::AnswerDropped(_) => {
                (Self::Unknown, Self::Plain)
            }
            Note::Killed(_) => (Self::Failed, Self::Plain),
            Note::Restarted { kept } => {
                let tone = if *kept { Self::Confirmed } else { Self::Failed };
                (Self::Plain, tone)
            }
            Note::Settled(outcome) => (Self::of_outcome(outcome), Self::Plain),
            Note::UnderKey { .. } => (Self::Confirmed, Self::Plain),
            Note::Fault(_) => (Self::Plain, Self::Plain),
            Note::Call(CallNote { event, .. }) => (Self::of_event(event), Self::Plain),
        }
    }

    fn of_event(event: &CallEvent) -> Self {
        match event {
            CallEvent::GivenUp(reason) => Self::of_end(reason),
            CallEvent::CallerLeft | CallEvent::Cut | CallEvent::AnswerDropped => Self::Unknown,
            CallEvent::Decided(Decided::Refused(Refusal::OutOfStock)) => Self::Failed,
            CallEvent::Decided(_) => Self::Confirmed,
            CallEvent::Changed(_) => Self::Committed,
            CallEvent::Told(arrival) if arrival.dropped => Self::Confirmed,
            CallEvent::Told(_) => Self::Committed,
        }
    }

    /// Of an attempt that got no answer: only one that was never sent is known to have
    /// done nothing.
    pub(super) fn of_end(reason: &str) -> Self {
        if reason == "connection_refused" { Self::Failed } else { Self::Unknown }
    }
}
