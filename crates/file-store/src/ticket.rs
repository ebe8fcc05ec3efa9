//! What a caller waits for.

use campuscafe_telemetry::{SPAN_TARGET, attribute, set_error};
use tokio::sync::oneshot;
use tracing::{Instrument as _, Span, info_span};

use crate::WriteError;

/// The promise that rows become durable, or the news that they did not.
#[derive(Debug)]
#[must_use = "rows are durable only when their ticket says so"]
pub struct Ticket(State);

#[derive(Debug)]
enum State {
    Known(Result<(), WriteError>),
    Waits(oneshot::Receiver<Result<(), WriteError>>),
}

pub(crate) type Answer = oneshot::Sender<Result<(), WriteError>>;

impl Ticket {
    pub(crate) const fn known(result: Result<(), WriteError>) -> Self {
        Self(State::Known(result))
    }

    pub(crate) fn waiting() -> (Answer, Self) {
        let (answer, waits) = oneshot::channel();
        (answer, Self(State::Waits(waits)))
    }

    /// Whether there is nothing to wait for.
    #[must_use]
    pub const fn is_known(&self) -> bool {
        matches!(self.0, State::Known(_))
    }

    /// Waits until the rows are durable, and all rows that were queued before them. Where that
    /// takes a moment of a request, a span says so. A file within the process is no server, so
    /// the span is an inner one.
    ///
    /// # Errors
    ///
    /// When they are not, or it is not known.
    pub async fn durable(self) -> Result<(), WriteError> {
        let answer = match self.0 {
            State::Known(result) => return result,
            State::Waits(answer) => answer,
        };
        let span = if Span::current().is_none() { Span::none() } else { commit() };
        let written = answer.instrument(span.clone()).await;
        let written =
            written.unwrap_or_else(|_| Err(WriteError::Unknown("the writer has stopped".into())));
        if written.is_err() {
            set_error(&span, FAILED);
        }
        written
    }
}

/// The value of `error.type`.
const FAILED: &str = "file_failed";

fn commit() -> Span {
    info_span!(
        target: SPAN_TARGET,
        "commit file",
        { attribute::DB_SYSTEM_NAME } = "redb",
        { attribute::DB_OPERATION_NAME } = "commit",
        { attribute::DB_QUERY_SUMMARY } = "commit file",
    )
}
