//! A bound on the work that is under way in a service.
//!
//! A limit that middleware keeps ends with the handler, and the work here does
//! not: it goes on when its caller has left. So the permit is a value that moves
//! into the spawned task, and the bound counts what is really there.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use campuscafe_api::Problem;
use campuscafe_telemetry::{Counter, Gauge, Metric, Metrics};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::Instant;

use crate::proportion::Proportion;
use crate::turns::{SOONEST, Turns};
use crate::{Connection, ProblemResponse};

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
/// waits longer. Slow work waits for the clock, so its bound is the memory. But to begin and
/// to end it takes the processor, too: while ordinary work is refused, slow work is taken only
/// in proportion to it, see [`Proportion`].
#[derive(Clone)]
pub struct WorkLimit {
    max: usize,
    all: Arc<Semaphore>,
    shares: [Arc<Semaphore>; WorkKind::ALL.len()],
    in_progress: Gauge,
    shed: [Counter; WorkKind::ALL.len()],
    early: Counter,
    overload: Arc<Overload>,
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
            overload: Arc::new(Overload::new()),
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
        let seconds = self.overload.last_turn();
        let problem = overloaded(format!(
            "the previous request on this connection was refused, and this one came less than \
             {SOONEST} s later. Nothing was done for this one; send it again after {seconds} s"
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
        let seconds = self.overload.next_turn(kind);
        let problem = overloaded(format!(
            "{} requests of the kind {} are under way, which is the limit{}. Nothing was done for \
             this one; send it again after {seconds} s",
            Self::share(self.max, kind),
            kind.as_str(),
            match kind {
                WorkKind::Ordinary => "",
                WorkKind::Slow => ", or ordinary ones are refused, and come first",
            }
        ));
        self.refusal(kind, problem, seconds)
    }

    /// As [`WorkLimit::shed`], with a problem that says more.
    #[must_use]
    pub fn shed_with(&self, kind: WorkKind, problem: Problem) -> ProblemResponse {
        self.refusal(kind, problem, self.overload.next_turn(kind))
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
        if !self.overload.admits(kind) {
            return None;
        }
        self.in_progress.increment(1.0);
        Some(WorkPermit { _all: all, _share: share, in_progress: self.in_progress.clone() })
    }
}

/// Who was refused, and when they may come again.
#[derive(Debug)]
struct Overload {
    since: Instant,
    proportion: Mutex<Proportion>,
    admitted: [AtomicU32; WorkKind::ALL.len()],
    turns: [Mutex<Turns>; WorkKind::ALL.len()],
}

impl Overload {
    fn new() -> Self {
        Self {
            since: Instant::now(),
            proportion: Mutex::default(),
            admitted: Default::default(),
            turns: Default::default(),
        }
    }

    /// Whether work for which there is a permit is taken now; counts it, if it is.
    fn admits(&self, kind: WorkKind) -> bool {
        let admits = locked(&self.proportion).admits(kind, self.since.elapsed());
        if admits {
            self.admitted[kind as usize].fetch_add(1, Ordering::Relaxed);
        }
        admits
    }

    /// The seconds after which a client that is refused now may come again.
    fn next_turn(&self, kind: WorkKind) -> u64 {
        let now = self.since.elapsed();
        if kind == WorkKind::Ordinary {
            locked(&self.proportion).refused(now);
        }
        let admitted = || self.admitted[kind as usize].swap(0, Ordering::Relaxed);
        locked(&self.turns[kind as usize]).next(now, admitted)
    }

    fn last_turn(&self) -> u64 {
        locked(&self.turns[WorkKind::Ordinary as usize]).last()
    }
}

/// Its holders only count, so poison is no danger.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
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

    #[tokio::test(start_paused = true)]
    async fn while_ordinary_work_is_refused_slow_work_comes_in_proportion_to_it() {
        let limit = WorkLimit::new(1_000, NAMES, &Metrics::new("1"));
        let admitted =
            |kind, tries: usize| (0..tries).filter(|_| limit.admit(kind).is_ok()).count();
        assert_eq!(admitted(WorkKind::Slow, 50), 50, "nothing was refused");
        let all: Vec<_> = (0..167).filter_map(|_| limit.admit(WorkKind::Ordinary).ok()).collect();
        assert_eq!(all.len(), 166);
        drop(all);
        assert_eq!(admitted(WorkKind::Slow, 50), 10);
        assert_eq!(admitted(WorkKind::Ordinary, 20), 20);
        assert_eq!(admitted(WorkKind::Slow, 50), 10);
        tokio::time::advance(Duration::from_secs(2)).await;
        assert_eq!(admitted(WorkKind::Slow, 50), 50, "nothing is refused any more");
    }

    #[tokio::test(start_paused = true)]
    async fn refused_slow_work_gets_turns_of_its_own() {
        let limit = WorkLimit::new(2, NAMES, &Metrics::new("1"));
        let told = |kind| {
            let response = limit.shed(kind).into_response();
            response.headers()[http::header::RETRY_AFTER].to_str().unwrap().to_owned()
        };
        drop(limit.admit(WorkKind::Slow));
        tokio::time::advance(Duration::from_secs(1)).await;
        assert_eq!([told(WorkKind::Slow), told(WorkKind::Slow)], ["1", "2"]);
        assert_eq!(told(WorkKind::Ordinary), "1");
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

    #[tokio::test(start_paused = true)]
    async fn retry_after_follows_what_was_admitted_in_the_last_second() {
        let limit = WorkLimit::new(1, NAMES, &Metrics::new("1"));
        let told = || {
            let response = limit.shed(WorkKind::Ordinary).into_response();
            response.headers()[http::header::RETRY_AFTER].to_str().unwrap().to_owned()
        };
        for _ in 0..2 {
            drop(limit.admit(WorkKind::Ordinary));
        }
        assert_eq!(told(), "1", "the second is not over");
        tokio::time::advance(Duration::from_secs(1)).await;
        assert_eq!([told(), told(), told(), told(), told()], ["1", "1", "2", "2", "3"]);
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
