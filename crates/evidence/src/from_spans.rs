//! What can be read from the spans of a trace.

use crate::flaw::Flaw;
use crate::span::Span;

/// What a trace tells, once its spans have come.
pub trait FromSpans: Sized {
    /// What the services themselves answered. Anybody may send spans, and spans
    /// may be lost, so the answer says which spans belong to it and how many.
    type Answer;

    /// What these spans tell of that answer, or `None` while there is nothing
    /// to tell.
    fn of(spans: &[Span], answer: &Self::Answer) -> Option<Self>;

    /// Whether every span that the answer promises has come, and none that
    /// contradicts it. A span is sent when it ends, so until then somebody may
    /// still be at work.
    fn is_complete(&self) -> bool {
        Self::incomplete(Some(self)).is_empty()
    }

    /// What keeps the spans from being whole evidence.
    fn incomplete(told: Option<&Self>) -> Vec<Flaw>;
}
