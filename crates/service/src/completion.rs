//! Work that outlives whoever waits for it.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::runtime::Handle;
use tokio_util::task::TaskTracker;
use tokio_util::task::task_tracker::TaskTrackerToken;
use tracing::{Instrument as _, Span};

/// Does its work where it is awaited. When it is dropped before the work has ended, the rest
/// becomes a task of its own.
///
/// Nearly every request waits for its work. A task for each of them can be handed from one
/// thread to another and back, for which both are woken.
pub(crate) struct Completion<F>
where
    F: Future<Output: Send> + Send + 'static,
{
    /// None when it has ended.
    work: Option<Unfinished<F>>,
}

struct Unfinished<F> {
    work: Pin<Box<F>>,
    /// While it is there, the service does not end.
    token: TaskTrackerToken,
    span: Span,
    runtime: Handle,
}

impl<F> Completion<F>
where
    F: Future<Output: Send> + Send + 'static,
{
    /// Work that `tracker` knows of until it has ended. Await it under the current span, in
    /// which the work goes on if it becomes a task.
    ///
    /// # Panics
    ///
    /// Outside of a runtime.
    pub(crate) fn new(work: F, tracker: &TaskTracker) -> Self {
        let unfinished = Unfinished {
            work: Box::pin(work),
            token: tracker.token(),
            span: Span::current(),
            runtime: Handle::current(),
        };
        Self { work: Some(unfinished) }
    }
}

/// What the work panicked with is the error.
impl<F> Future for Completion<F>
where
    F: Future<Output: Send> + Send + 'static,
{
    type Output = Result<F::Output, Box<dyn Any + Send>>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let Some(unfinished) = &mut self.work else { return Poll::Pending };
        // As a task would: a panic is the end of this work, and of nothing else.
        let polled = catch_unwind(AssertUnwindSafe(|| unfinished.work.as_mut().poll(cx)));
        let ended = match polled {
            Ok(Poll::Pending) => return Poll::Pending,
            Ok(Poll::Ready(output)) => Ok(output),
            Err(panic) => Err(panic),
        };
        self.work = None;
        Poll::Ready(ended)
    }
}

impl<F> Drop for Completion<F>
where
    F: Future<Output: Send> + Send + 'static,
{
    fn drop(&mut self) {
        let Some(Unfinished { work, token, span, runtime }) = self.work.take() else { return };
        let rest = async move {
            let _token = token;
            work.await;
        };
        runtime.spawn(rest.instrument(span));
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::time::Duration;

    use tokio::sync::oneshot;
    use tokio::task;
    use tokio::time::{sleep, timeout};

    use super::*;

    #[tokio::test]
    async fn work_that_is_waited_for_is_part_of_the_task_that_waits() {
        let tracker = TaskTracker::new();
        let waits = tokio::spawn(async move {
            let work = async {
                task::yield_now().await;
                task::id()
            };
            (Completion::new(work, &tracker).await.unwrap(), task::id(), tracker.len())
        });
        let (worked, waited, unfinished) = waits.await.unwrap();
        assert_eq!((worked, unfinished), (waited, 0));
    }

    #[tokio::test(start_paused = true)]
    async fn work_that_nobody_waits_for_any_more_goes_on_to_its_end() {
        let (tracker, (tell, told)) = (TaskTracker::new(), oneshot::channel());
        let work = async {
            sleep(Duration::from_secs(2)).await;
            tell.send("committed").unwrap();
        };
        let waits = timeout(Duration::from_secs(1), Completion::new(work, &tracker));
        assert!(waits.await.is_err());
        assert_eq!(tracker.len(), 1);
        assert_eq!(told.await, Ok("committed"));
        tracker.close();
        tracker.wait().await;
    }

    #[tokio::test]
    async fn work_that_nobody_ever_waited_for_is_done_too() {
        let (tracker, (tell, told)) = (TaskTracker::new(), oneshot::channel());
        drop(Completion::new(async { tell.send(()).unwrap() }, &tracker));
        assert_eq!(told.await, Ok(()));
    }

    #[tokio::test]
    async fn a_panic_ends_the_work_only() {
        let tracker = TaskTracker::new();
        let panics = async { assert!(std::env::args().count() == 0, "as the test wants") };
        assert!(Completion::new(panics, &tracker).await.is_err());
        assert_eq!(tracker.len(), 0);
    }
}
