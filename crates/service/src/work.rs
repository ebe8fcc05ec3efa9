//! A bound on the work that is under way in a service.
//!
//! A limit that middleware keeps ends with the handler, and the work here does
//! not: it goes on when its caller has left. So the permit is a value that moves
//! into the spawned task, and the bound counts what is really there.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

use campuscafe_api::Problem;
use campuscafe_telemetry::{Counter, Gauge, Metric, Metrics};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::Instant;

use crate::{Connection, ProblemResponse};

/// When a refused request may be sent again, in seconds, if few are refused: most work is
/// over by then.
const RETRY_AFTER: u64 = 1;

/// When it may be sent again, in seconds, if nearly all are refused.
const LONGEST_RETRY_AFTER: u64 = 10;

/// How a piece of work uses its time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WorkKind {
    /// It ends as soon as it can.
    Ordinary,
    /// It was asked to wait: a slow or held fault.
    Slow,
}

impl WorkKind {
    /// Every kind, for series that must exist from the start.
    pub const ALL: [Self; 2] = [Self::Ordinary, Self::Slow];

    /// The value of the label `kind`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ordinary => "ordinary",
            Self::Slow => "slow",
        }
    }
}

/// The metrics of a [`WorkLimit`]; each service has names of its own.
#[derive(Debug, Clone, Copy)]
pub struct WorkMetrics {
    /// A gauge: work under way.
    pub in_progress: Metric,
    /// A counter with the label `kind`: requests that were refused, by the kind of their
    /// work, or `early` if they did not wait after a refusal.
    pub shed: Metric,
}

/// How much work a service takes on at one time.
///
/// Ordinary work has a share of its own, a sixth of the permits, and slow work has the
/// rest. So slow work cannot keep out ordinary work. Ordinary work is all about the
/// processor: with more of it at one time, the service does not do more, each piece only
/// waits longer. Slow work waits for the clock, so its bound is the memory.
#[derive(Clone)]
pub struct WorkLimit {
    max: usize,
    all: Arc<Semaphore>,
    shares: [Arc<Semaphore>; WorkKind::ALL.len()],
    in_progress: Gauge,
    shed: [Counter; WorkKind::ALL.len()],
    early: Counter,
    refusals: Arc<Refusals>,
}

impl std::fmt::Debug for WorkLimit {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("WorkLimit").field("max", &self.max).finish_non_exhaustive()
    }
}

/// The right to one piece of work; move it into the task that does the work.
#[must_use]
pub struct WorkPermit {
    _all: OwnedSemaphorePermit,
    _share: OwnedSemaphorePermit,
    in_progress: Gauge,
}

impl std::fmt::Debug for WorkPermit {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("WorkPermit").finish_non_exhaustive()
    }
}

impl Drop for WorkPermit {
    fn drop(&mut self) {
        self.in_progress.decrement(1.0);
    }
}

impl WorkLimit {
    /// A limit of `max` pieces of work at one time, at least 1.
    #[must_use]
    pub fn new(max: usize, names: WorkMetrics, metrics: &Metrics) -> Self {
        let max = max.clamp(1, Semaphore::MAX_PERMITS);
        Self {
            max,
            all: Arc::new(Semaphore::new(max)),
            shares: WorkKind::ALL.map(|kind| Arc::new(Semaphore::new(Self::share(max, kind)))),
            in_progress: metrics.gauge(names.in_progress, &[]),
            shed: WorkKind::ALL.map(|kind| metrics.counter(names.shed, &[("kind", kind.as_str())])),
            early: metrics.counter(names.shed, &[("kind", "early")]),
            refusals: Arc::new(Refusals::new()),
        }
    }

    /// How many of `max` permits work of this kind may use, at least 1.
    #[must_use]
    pub const fn share(max: usize, kind: WorkKind) -> usize {
        let ordinary = if max < 6 { 1 } else { max / 6 };
        match kind {
            WorkKind::Ordinary => ordinary,
            WorkKind::Slow if max > ordinary => max - ordinary,
            WorkKind::Slow => 1,
        }
    }

    /// Refuses a request that came too early after a refusal on the same connection, see
    /// [`Connection::is_early`]. It may be as old as the connection's delay, and its client
    /// was told to wait for longer.
    ///
    /// # Errors
    ///
    /// A counted 503, if the request is early. Nothing has been done by then.
    pub fn on_time(&self, connection: &Connection) -> Result<(), ProblemResponse> {
        if !connection.is_early() {
            return Ok(());
        }
        self.early.increment(1);
        let seconds = self.refusals.refused();
        let problem = overloaded(format!(
            "the previous request on this connection was refused, and this one came less than \
             {RETRY_AFTER} s later. Nothing was done for this one; send it again after {seconds} s"
        ));
        Err(ProblemResponse::from(problem).retry_after(seconds).throttled())
    }

    /// A permit, or a 503 that is counted. Nothing has been done by then, so the
    /// refusal is certain.
    ///
    /// # Errors
    ///
    /// When as much work of this kind is under way as there may be.
    pub fn admit(&self, kind: WorkKind) -> Result<WorkPermit, ProblemResponse> {
        self.try_admit(kind).ok_or_else(|| self.shed(kind))
    }

    /// The refusal of a request for which there is no permit; counts it.
    #[must_use]
    pub fn shed(&self, kind: WorkKind) -> ProblemResponse {
        let seconds = self.retry_after(kind);
        let problem = overloaded(format!(
            "{} requests of the kind {} are under way, which is the limit. Nothing was done for \
             this one; send it again after {seconds} s",
            Self::share(self.max, kind),
            kind.as_str()
        ));
        self.refusal(kind, problem, seconds)
    }

    /// As [`WorkLimit::shed`], with a problem that says more.
    #[must_use]
    pub fn shed_with(&self, kind: WorkKind, problem: Problem) -> ProblemResponse {
        self.refusal(kind, problem, self.retry_after(kind))
    }

    fn retry_after(&self, kind: WorkKind) -> u64 {
        match kind {
            WorkKind::Ordinary => self.refusals.refused(),
            WorkKind::Slow => RETRY_AFTER,
        }
    }

    fn refusal(&self, kind: WorkKind, problem: Problem, seconds: u64) -> ProblemResponse {
        self.shed[kind as usize].increment(1);
        let refusal = ProblemResponse::from(problem).retry_after(seconds);
        match kind {
            WorkKind::Ordinary => refusal.throttled(),
            // Too much slow work is no lack of processor time: ordinary work may follow.
            WorkKind::Slow => refusal,
        }
    }

    /// A permit, if there is one. It does no more than count, so it may be asked
    /// for under a lock; [`WorkLimit::shed`] makes the refusal after that.
    #[must_use]
    pub fn try_admit(&self, kind: WorkKind) -> Option<WorkPermit> {
        let share = self.shares[kind as usize].clone().try_acquire_owned().ok()?;
        let all = self.all.clone().try_acquire_owned().ok()?;
        self.in_progress.increment(1.0);
        if kind == WorkKind::Ordinary {
            self.refusals.admitted();
        }
        Some(WorkPermit { _all: all, _share: share, in_progress: self.in_progress.clone() })
    }
}

/// How much of the ordinary work was refused lately.
#[derive(Debug)]
struct Refusals {
    since: Instant,
    /// The second in which the counts began.
    second: AtomicU64,
    admitted: AtomicU32,
    refused: AtomicU32,
    retry_after: AtomicU64,
}

impl Refusals {
    fn new() -> Self {
        Self {
            since: Instant::now(),
            second: AtomicU64::new(0),
            admitted: AtomicU32::new(0),
            refused: AtomicU32::new(0),
            retry_after: AtomicU64::new(RETRY_AFTER),
        }
    }

    fn admitted(&self) {
        self.admitted.fetch_add(1, Ordering::Relaxed);
    }

    /// Counts a refusal; returns the seconds after which it may be sent again. They
    /// follow from the counts of the last whole second in which something was refused.
    fn refused(&self) -> u64 {
        let second = self.since.elapsed().as_secs();
        if self.second.swap(second, Ordering::Relaxed) != second {
            let counts = [&self.refused, &self.admitted].map(|n| n.swap(0, Ordering::Relaxed));
            self.retry_after.store(retry_after(counts), Ordering::Relaxed);
        }
        self.refused.fetch_add(1, Ordering::Relaxed);
        self.retry_after.load(Ordering::Relaxed)
    }
}

/// The larger the share that is refused, the later clients come again. Else those who wait
/// as they are told would all come again after a second, and the refusals alone would take
/// the time that orders need.
fn retry_after([refused, admitted]: [u32; 2]) -> u64 {
    let all = u64::from(refused) + u64::from(admitted);
    let more = (LONGEST_RETRY_AFTER - RETRY_AFTER) * u64::from(refused);
    RETRY_AFTER + more.checked_div(all).unwrap_or(0)
}

fn overloaded(detail: String) -> Problem {
    Problem::new(503, "overloaded", "Overloaded").detail(detail)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use axum::response::IntoResponse as _;

    use super::*;

    const NAMES: WorkMetrics = WorkMetrics {
        in_progress: Metric { name: "test_work_in_progress", help: "Work." },
        shed: Metric { name: "test_shed_requests_total", help: "Shed." },
    };

    #[test]
    fn slow_work_never_keeps_out_ordinary_work() {
        let limit = WorkLimit::new(12, NAMES, &Metrics::new("1"));
        let slow: Vec<_> = (0..19).filter_map(|_| limit.admit(WorkKind::Slow).ok()).collect();
        assert_eq!(slow.len(), 10);
        let rest: Vec<_> = (0..19).filter_map(|_| limit.admit(WorkKind::Ordinary).ok()).collect();
        assert_eq!(rest.len(), 2);
    }

    #[test]
    fn the_shares_make_up_the_whole_and_neither_is_empty() {
        for max in 2..=1_000 {
            let [ordinary, slow] = WorkKind::ALL.map(|kind| WorkLimit::share(max, kind));
            assert!(ordinary >= 1 && slow >= 1 && ordinary + slow == max, "{max}");
        }
        assert_eq!(WorkKind::ALL.map(|kind| WorkLimit::share(1, kind)), [1, 1]);
        assert_eq!(WorkKind::ALL.map(|kind| WorkLimit::share(400, kind)), [66, 334]);
    }

    #[test]
    fn the_larger_the_share_that_is_refused_the_later_clients_come_again() {
        let cases = [([0, 0], 1), ([0, 9], 1), ([1, 9], 1), ([1, 1], 5), ([4, 1], 8), ([7, 0], 10)];
        for (counts, expected) in cases {
            assert_eq!(retry_after(counts), expected, "{counts:?}");
        }
        assert_eq!(retry_after([u32::MAX; 2]), 5);
    }

    #[tokio::test(start_paused = true)]
    async fn retry_after_follows_the_last_second_in_which_something_was_refused() {
        let limit = WorkLimit::new(1, NAMES, &Metrics::new("1"));
        let told = || {
            let response = limit.shed(WorkKind::Ordinary).into_response();
            response.headers()[http::header::RETRY_AFTER].to_str().unwrap().to_owned()
        };
        assert_eq!(told(), "1", "nothing is known yet");
        assert_eq!(told(), "1", "the second is not over");
        tokio::time::advance(Duration::from_secs(1)).await;
        assert_eq!(told(), "10", "all were refused");
        for _ in 0..9 {
            drop(limit.admit(WorkKind::Ordinary));
        }
        tokio::time::advance(Duration::from_secs(60)).await;
        assert_eq!(told(), "1", "one of ten was refused");
    }

    #[test]
    fn what_is_refused_is_counted_and_what_is_over_makes_room() {
        let metrics = Metrics::new("1");
        let limit = WorkLimit::new(1, NAMES, &metrics);
        let permit = limit.admit(WorkKind::Ordinary).unwrap();
        let refused = limit.admit(WorkKind::Ordinary).unwrap_err();
        assert_eq!(refused.problem.status, 503);
        let page = metrics.render();
        for line in [
            "test_work_in_progress 1",
            "test_shed_requests_total{kind=\"ordinary\"} 1",
            "test_shed_requests_total{kind=\"slow\"} 0",
            "test_shed_requests_total{kind=\"early\"} 0",
        ] {
            assert!(page.lines().any(|found| found == line), "no {line:?} in\n{page}");
        }
        drop(permit);
        assert!(metrics.render().contains("test_work_in_progress 0"));
        assert!(limit.admit(WorkKind::Slow).is_ok());
    }
}
