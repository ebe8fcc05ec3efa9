//! From running to drained: work that must be finished, and the moment to stop.

use std::io::Read as _;
use std::time::Duration;

use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// How long the end waits for answers and late work.
pub const DRAIN_LIMIT: Duration = Duration::from_secs(10);

/// Set for a service that must not outlive whoever started it.
///
/// A pipe on stdin says that the starter is gone even if it was killed, on
/// every platform, without a signal.
pub const END_WITH_STDIN: &str = "CAMPUSCAFE_END_WITH_STDIN";

/// Shared by all parts of one service that outlive a single request.
#[derive(Debug, Clone, Default)]
pub struct Lifecycle {
    work: TaskTracker,
    draining: CancellationToken,
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

    /// Whether the service takes requests.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        !self.draining.is_cancelled()
    }

    /// Resolves when the service begins to end.
    ///
    /// The end waits until every answer is sent. So an answer without an end of
    /// its own, such as a stream of events, must end when this resolves, or it
    /// is given up after [`DRAIN_LIMIT`]: poll a clone's future together with the
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

    /// Resolves when no work is left. Call it when every connection is closed:
    /// a request that is still being read would start its work too late.
    pub(crate) async fn drained(&self) {
        self.work.close();
        self.work.wait().await;
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
