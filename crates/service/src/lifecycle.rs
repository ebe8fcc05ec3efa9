//! From running to drained: work that must be finished, tasks that can be cancelled,
//! and the moment to stop.

use std::io::Read as _;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use campuscafe_api::Problem;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::ProblemResponse;
use crate::completion::Completion;
use crate::lock::locked;

/// How long the end waits for answers and late work.
pub const DRAIN_TIMEOUT: Duration = Duration::from_secs(10);

/// Set for a service that must not outlive the program that started it.
///
/// A pipe on stdin says that the starter is gone even if it was killed, on
/// every platform, without a signal.
pub const END_WITH_STDIN: &str = "CAMPUSCAFE_END_WITH_STDIN";

/// Shared by all parts of one service that outlive a single request.
#[derive(Debug, Clone, Default)]
pub struct Lifecycle {
    work: TaskTracker,
    background: TaskTracker,
    draining: CancellationToken,
    unavailable: Arc<Mutex<Option<Problem>>>,
}

impl Lifecycle {
    /// Starts work that goes on when the request it came from is dropped, and
    /// that the end of the service waits for.
    pub fn spawn<F>(&self, work: F) -> JoinHandle<F::Output>
    where
        F: Future<Output: Send> + Send + 'static,
    {
        self.work.spawn(work)
    }

    /// Does a request's work to its end, under the current span, even if the request
    /// is dropped meanwhile: from then on it is a task, see [`Lifecycle::spawn`].
    ///
    /// # Errors
    ///
    /// A 500 when the work panicked.
    pub async fn complete<F>(&self, work: F) -> Result<F::Output, ProblemResponse>
    where
        F: Future<Output: Send> + Send + 'static,
    {
        Completion::new(work, &self.work).await.map_err(|_| {
            Problem::new(500, "internal", "Internal error")
                .detail("this is a bug in CampusCafe")
                .into()
        })
    }

    /// Starts a task that serves no request, such as one that cleans up every minute.
    ///
    /// It is cancelled when the service begins to end: its future is dropped where it
    /// waits. The end waits until it is gone, but it does not count as late work. A task
    /// that began after that is cancelled before it does anything.
    pub fn spawn_background<F>(&self, task: F)
    where
        F: Future<Output: Send> + Send + 'static,
    {
        self.background.spawn(self.draining.clone().run_until_cancelled_owned(task));
    }

    /// Whether the service takes requests.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        !self.draining.is_cancelled()
    }

    /// Says why the service cannot do its work now, or that it can again. `/readyz` answers
    /// this until then; requests are served as before, and say themselves what they cannot do.
    pub fn set_unavailable(&self, why: Option<Problem>) {
        *locked(&self.unavailable) = why;
    }

    /// Why the service cannot do its work now.
    pub(crate) fn unavailable(&self) -> Option<Problem> {
        locked(&self.unavailable).clone()
    }

    /// Resolves when the service begins to end.
    ///
    /// The end waits until every answer is sent. So an answer without an end of
    /// its own, such as a stream of events, must end when this resolves, or it
    /// is given up after [`DRAIN_TIMEOUT`]: poll a clone's future together with the
    /// source of the events.
    ///
    /// ```
    /// # use campuscafe_service::Lifecycle;
    /// # use tokio::sync::mpsc::Receiver;
    /// /// The next event of a stream; none when the service ends.
    /// async fn next(lifecycle: &Lifecycle, events: &mut Receiver<String>) -> Option<String> {
    ///     tokio::select! {
    ///         event = events.recv() => event,
    ///         () = lifecycle.draining() => None,
    ///     }
    /// }
    /// ```
    pub async fn draining(&self) {
        self.draining.cancelled().await;
    }

    pub(crate) fn drain(&self) {
        self.draining.cancel();
    }

    /// Resolves when no work and no background task is left. Call it when every
    /// connection is closed: a request that is still being read would start its work
    /// too late.
    pub(crate) async fn drained(&self) {
        for tasks in [&self.work, &self.background] {
            tasks.close();
            tasks.wait().await;
        }
    }

    pub(crate) fn unfinished(&self) -> usize {
        self.work.len()
    }
}

/// Resolves on SIGTERM, on Ctrl-C, or, if asked for, when stdin is closed.
pub async fn end_signal() {
    tokio::select! {
        () = interrupted() => {}
        () = terminated() => {}
        () = stdin_closed() => {}
    }
}

async fn interrupted() {
    if tokio::signal::ctrl_c().await.is_err() {
        std::future::pending::<()>().await;
    }
}

#[cfg(unix)]
async fn terminated() {
    use tokio::signal::unix::{SignalKind, signal};
    match signal(SignalKind::terminate()) {
        Ok(mut signal) => {
            signal.recv().await;
        }
        Err(_) => std::future::pending().await,
    }
}

#[cfg(not(unix))]
async fn terminated() {
    std::future::pending().await
}

async fn stdin_closed() {
    if std::env::var_os(END_WITH_STDIN).is_none() {
        return std::future::pending().await;
    }
    let (closed, wait) = tokio::sync::oneshot::channel();
    // A thread of its own: a read of stdin cannot be cancelled, and on the
    // runtime's blocking pool it would keep the process from ending.
    std::thread::spawn(move || {
        let mut buffer = [0; 64];
        while matches!(std::io::stdin().read(&mut buffer), Ok(1..)) {}
        let _ = closed.send(());
    });
    if wait.await.is_err() {
        std::future::pending().await
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicBool, Ordering};

    use super::*;

    /// Notes when it is dropped, and so when the task that holds it is gone.
    struct NoteDrop(Arc<AtomicBool>);

    impl Drop for NoteDrop {
        fn drop(&mut self) {
            self.0.store(true, Ordering::SeqCst);
        }
    }

    #[tokio::test]
    async fn a_background_task_runs_until_the_end_begins_which_waits_until_it_is_gone() {
        let (lifecycle, gone) = (Lifecycle::default(), Arc::new(AtomicBool::new(false)));
        let (tell, mut told) = tokio::sync::mpsc::channel(1);
        let held = NoteDrop(gone.clone());
        lifecycle.spawn_background(async move {
            let _held = held;
            loop {
                let _ = tell.send(()).await;
            }
        });
        for _ in 0..3 {
            told.recv().await.unwrap();
        }
        assert_eq!(lifecycle.unfinished(), 0, "it is no late work");
        lifecycle.drain();
        assert!(!gone.load(Ordering::SeqCst));
        lifecycle.drained().await;
        assert!(gone.load(Ordering::SeqCst));
    }

    #[tokio::test]
    async fn a_background_task_that_starts_after_the_end_began_does_nothing() {
        let (lifecycle, ran) = (Lifecycle::default(), Arc::new(AtomicBool::new(false)));
        lifecycle.drain();
        let runs = ran.clone();
        lifecycle.spawn_background(async move { runs.store(true, Ordering::SeqCst) });
        lifecycle.drained().await;
        assert!(!ran.load(Ordering::SeqCst));
    }

    #[tokio::test]
    async fn work_that_is_under_way_is_not_cancelled() {
        let lifecycle = Lifecycle::default();
        let (go, wait) = tokio::sync::oneshot::channel();
        let work = lifecycle.spawn(wait);
        lifecycle.drain();
        tokio::task::yield_now().await;
        assert_eq!(lifecycle.unfinished(), 1);
        go.send("done").unwrap();
        lifecycle.drained().await;
        assert_eq!(work.await.unwrap(), Ok("done"));
    }

    #[tokio::test]
    async fn work_that_panics_is_answered_with_500() {
        let panics = async { assert!(std::env::args().count() == 0, "as the test wants") };
        let refused = Lifecycle::default().complete(panics).await.unwrap_err();
        assert_eq!(refused.problem.status, 500);
    }
}
