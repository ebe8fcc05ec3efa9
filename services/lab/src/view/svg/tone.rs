//! One colour, one meaning.

use campuscafe_evidence::diagram::{Content, Message, Note};

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
            Content::Answer { .. } if !message.arrives => Self::Unknown,
            _ if !message.arrives => Self::Failed,
            Content::Order | Content::Attempt(_) => Self::Plain,
            Content::Answer { status: 200..300, .. } => Self::Confirmed,
            Content::Answer { .. } => Self::Failed,
            Content::Outcome { outcome, .. } => match outcome.as_str() {
                "confirmed" => Self::Confirmed,
                "failed" => Self::Failed,
                _ => Self::Unknown,
            },
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
            Note::Fault(_) => (Self::Plain, Self::Plain),
        }
    }

    /// Of an attempt that got no answer: only one that was never sent is known to have
    /// done nothing.
    pub(super) fn of_end(reason: &str) -> Self {
        if reason == "connection_refused" { Self::Failed } else { Self::Unknown }
    }
}
