//! What a caller waits for.

use tokio::sync::oneshot;

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

    /// Waits until the rows are durable, and all rows that were queued before them.
    ///
    /// # Errors
    ///
    /// When they are not, or it is not known.
    pub async fn durable(self) -> Result<(), WriteError> {
        match self.0 {
            State::Known(result) => result,
            State::Waits(answer) => answer
                .await
                .unwrap_or_else(|_| Err(WriteError::Unknown("the writer has stopped".into()))),
        }
    }
}
