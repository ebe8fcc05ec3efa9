//! The thread that decompresses, checks and stores exports.
//!
//! One export takes up to a few hundred milliseconds. A probe must not wait that
//! long for a thread of the runtime. All exports use the same thread: the
//! allocator keeps memory for each thread, so several threads in turn would use
//! several times the store's bound.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::mpsc;
use std::thread;

use tokio::sync::{Semaphore, oneshot};
use tokio::time::timeout;

use crate::error::Busy;
use crate::limits::WAIT;

type Job = Box<dyn FnOnce() + Send>;

/// Does one job after another; ends when dropped.
#[derive(Debug)]
pub(crate) struct Worker {
    jobs: mpsc::Sender<Job>,
    turn: Arc<Semaphore>,
}

impl Worker {
    pub(crate) fn start() -> Self {
        let (jobs, waiting) = mpsc::channel::<Job>();
        // Without the thread, sending a job fails, and its caller is told.
        let _ = thread::Builder::new().name("exports".to_owned()).spawn(move || {
            for job in waiting {
                // The caller of a job that panics gets an error. The next job runs.
                let _ = catch_unwind(AssertUnwindSafe(job));
            }
        });
        Self { jobs, turn: Arc::new(Semaphore::new(1)) }
    }

    /// Runs a job and returns its result. The job runs to its end even if the
    /// caller stops waiting.
    ///
    /// # Errors
    ///
    /// When its turn did not come within [`WAIT`].
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        job: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Busy> {
        let turn = timeout(WAIT, self.turn.clone().acquire_owned()).await;
        let turn = turn.ok().and_then(Result::ok).ok_or(Busy)?;
        let (done, result) = oneshot::channel();
        let job = move || {
            let _turn = turn;
            // This fails if the caller stopped waiting.
            let _ = done.send(job());
        };
        self.jobs.send(Box::new(job)).map_err(|_| Busy)?;
        result.await.map_err(|_| Busy)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use super::*;

    #[tokio::test]
    async fn a_job_that_panics_ends_itself_only() {
        let worker = Worker::start();
        let failed: Result<(), Busy> = worker.run(|| panic!("on purpose")).await;
        assert_eq!(failed, Err(Busy));
        assert_eq!(worker.run(|| 1).await, Ok(1));
    }

    #[tokio::test]
    async fn all_jobs_are_done_by_one_thread() {
        let worker = Worker::start();
        let first = worker.run(|| thread::current().id()).await;
        for _ in 0..10 {
            assert_eq!(worker.run(|| thread::current().id()).await, first);
        }
        assert_ne!(first, Ok(thread::current().id()));
    }
}
