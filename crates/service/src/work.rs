//! A bound on the work that is under way in a service.
//!
//! A limit that middleware keeps ends with the handler, and the work here does
//! not: it goes on when its caller has left. So the permit is a value that moves
//! into the spawned task, and the bound counts what is really there.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use campuscafe_api::Problem;
use campuscafe_telemetry::{Counter, Gauge, Metric, Metrics};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::Instant;

use crate::backoff::Backoff;
use crate::lock::locked;
use crate::proportion::Proportion;
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
    /// work, `early` if they did not wait after a refusal, or `late` if they waited too long
    /// until they were read.
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
    max_wait: Duration,
    all: Arc<Semaphore>,
    shares: [Arc<Semaphore>; WorkKind::ALL.len()],
    in_progress: Gauge,
    shed: [Counter; WorkKind::ALL.len()],
    early: Counter,
    late: Counter,
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
    /// A limit of `max` pieces of work at one time, at least 1, for requests that waited for
    /// at most `max_wait` until they were read.
    #[must_use]
    pub fn new(max: usize, max_wait: Duration, names: WorkMetrics, metrics: &Metrics) -> Self {
        let max = max.clamp(1, Semaphore::MAX_PERMITS);
        Self {
            max,
            max_wait,
            all: Arc::new(Semaphore::new(max)),
            shares: WorkKind::ALL.map(|kind| Arc::new(Semaphore::new(Self::share(max, kind)))),
            in_progress: metrics.gauge(names.in_progress, &[]),
            shed: WorkKind::ALL.map(|kind| metrics.counter(names.shed, &[("kind", kind.as_str())])),
            early: metrics.counter(names.shed, &[("kind", "early")]),
            late: metrics.counter(names.shed, &[("kind", "late")]),
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

    /// Refuses a request that waited too long until it was read: because its connection was
    /// throttled, and so it came too early after a refusal, or because so many came.
    ///
    /// # Errors
    ///
    /// A counted 503, if the request is early or late. Nothing has been done by then.
    pub fn on_time(&self, connection: &Connection) -> Result<(), ProblemResponse> {
        if connection.throttled_for() > self.max_wait {
            self.early.increment(1);
            let seconds = self.overload.refuse(WorkKind::Ordinary);
            let problem = overloaded(format!(
                "the previous request on this connection was refused, and this one did not come \
                 as late as asked. Nothing was done for this one; send it again after {seconds} s"
            ));
            // Without a delay: the next one is read while there may be time for it.
            return Err(ProblemResponse::from(problem).retry_after(seconds));
        }
        if connection.queued_for() > self.max_wait {
            self.late.increment(1);
            let seconds = self.overload.refuse(WorkKind::Ordinary);
            let problem = overloaded(format!(
                "so many requests came that this one waited for more than {:?} until it was read. \
                 Nothing was done for this one; send it again after {seconds} s",
                self.max_wait
            ));
            return Err(ProblemResponse::from(problem).retry_after(seconds).throttled());
        }
        Ok(())
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
        let seconds = self.overload.refuse(kind);
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
        self.refusal(kind, problem, self.overload.refuse(kind))
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
    backoff: [Mutex<Backoff>; WorkKind::ALL.len()],
}

impl Overload {
    fn new() -> Self {
        Self { since: Instant::now(), proportion: Mutex::default(), backoff: Default::default() }
    }

    /// Whether work for which there is a permit is taken now; counts it, if it is.
    fn admits(&self, kind: WorkKind) -> bool {
        let now = self.since.elapsed();
        let admits = locked(&self.proportion).admits(kind, now);
        if admits {
            locked(&self.backoff[kind as usize]).admit(now);
        }
        admits
    }

    /// Work of this kind is refused now: the seconds after which its client may come again.
    fn refuse(&self, kind: WorkKind) -> u64 {
        let now = self.since.elapsed();
        if kind == WorkKind::Ordinary {
            locked(&self.proportion).refused(now);
        }
        locked(&self.backoff[kind as usize]).refuse(now)
    }
}

fn overloaded(detail: String) -> Problem {
    Problem::new(503, "overloaded", "Overloaded").detail(detail)
}

#[cfg(test)]
mod tests {
    use axum::response::IntoResponse as _;

    use super::*;

    const MAX_WAIT: Duration = Duration::from_millis(100);

    const NAMES: WorkMetrics = WorkMetrics {
        in_progress: Metric { name: "test_work_in_progress", help: "Work." },
        shed: Metric { name: "test_shed_requests_total", help: "Shed." },
    };

    #[test]
    fn slow_work_never_keeps_out_ordinary_work() {
        let limit = WorkLimit::new(12, MAX_WAIT, NAMES, &Metrics::new("1"));
        let slow: Vec<_> = (0..19).filter_map(|_| limit.admit(WorkKind::Slow).ok()).collect();
        assert_eq!(slow.len(), 10);
        let rest: Vec<_> = (0..19).filter_map(|_| limit.admit(WorkKind::Ordinary).ok()).collect();
        assert_eq!(rest.len(), 2);
    }

    #[tokio::test(start_paused = true)]
    async fn while_ordinary_work_is_refused_slow_work_comes_in_proportion_to_it() {
        let limit = WorkLimit::new(1_000, MAX_WAIT, NAMES, &Metrics::new("1"));
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
    async fn clients_of_each_kind_are_spread_by_the_refusals_of_that_kind() {
        let limit = WorkLimit::new(2, MAX_WAIT, NAMES, &Metrics::new("1"));
        let latest = |kind| {
            let told = (0..80).map(|_| {
                let response = limit.shed(kind).into_response();
                let told = response.headers()[http::header::RETRY_AFTER].to_str().unwrap();
                told.parse::<u64>().unwrap()
            });
            told.max().unwrap()
        };
        for expected in [1, 2, 4, 8, 16, 32] {
            assert_eq!(latest(WorkKind::Slow), expected);
            tokio::time::advance(Duration::from_millis(500)).await;
        }
        assert_eq!(latest(WorkKind::Ordinary), 1);
    }

    #[test]
    fn what_is_refused_is_counted_and_what_is_over_makes_room() {
        let metrics = Metrics::new("1");
        let limit = WorkLimit::new(1, MAX_WAIT, NAMES, &metrics);
        let permit = limit.admit(WorkKind::Ordinary).unwrap();
        let refused = limit.admit(WorkKind::Ordinary).unwrap_err();
        assert_eq!(refused.problem.status, 503);
        let page = metrics.render();
        for line in [
            "test_work_in_progress 1",
            "test_shed_requests_total{kind=\"ordinary\"} 1",
            "test_shed_requests_total{kind=\"slow\"} 0",
            "test_shed_requests_total{kind=\"early\"} 0",
            "test_shed_requests_total{kind=\"late\"} 0",
        ] {
            assert!(page.lines().any(|found| found == line), "no {line:?} in\n{page}");
        }
        drop(permit);
        assert!(metrics.render().contains("test_work_in_progress 0"));
        assert!(limit.admit(WorkKind::Slow).is_ok());
    }
}
