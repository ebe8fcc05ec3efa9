//! The runs that are kept: the newest, and only so many under way at one time.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use tokio::sync::watch;

use super::run::{Plan, Run, State};
use crate::run::Decider;
use crate::targets::PEOPLE;

/// Runs that are kept. The oldest that is over is forgotten first.
pub(in crate::server) const MAX_KEPT: usize = 50;

/// Runs under way at one time.
pub(super) const MAX_UNDER_WAY: usize = 8;

/// Every run that is kept.
pub(crate) struct Runs {
    /// The newest last.
    kept: Mutex<VecDeque<Arc<Run>>>,
    /// As in [`TargetEnv`](crate::targets::TargetEnv): one for each run under way, and
    /// those of the command line. With one run they are as many as at any open café.
    people: watch::Sender<u64>,
}

/// Why no run can begin now.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Busy {
    /// As many as may be are under way.
    Full,
    /// Another run under way leaves no room for this one.
    Large,
    /// Another storm is under way.
    Storm,
    /// Another run with services of its own is under way.
    Services,
}

/// A run under way. Dropped before its end, because its task was cancelled or has
/// panicked, it fails.
pub(super) struct UnderWay {
    pub(super) run: Arc<Run>,
    pub(super) decider: Decider,
    runs: Arc<Runs>,
}

impl Default for Runs {
    fn default() -> Self {
        Self { kept: Mutex::default(), people: watch::Sender::new(PEOPLE - 1) }
    }
}

impl Runs {
    /// Begins a run and keeps it.
    pub(super) fn begin(self: &Arc<Self>, plan: Plan, now: SystemTime) -> Result<UnderWay, Busy> {
        let mut kept = self.kept();
        let under_way: Vec<_> = kept.iter().filter(|run| run.is_running()).collect();
        if under_way.len() >= MAX_UNDER_WAY {
            return Err(Busy::Full);
        }
        // Two of these at once make so many traces that those of others are forgotten
        // before they are read.
        let is_large = |plan: &Plan| plan.experiment.is_large();
        if is_large(&plan) && under_way.iter().any(|run| is_large(&run.plan)) {
            return Err(Busy::Large);
        }
        // Each has services of its own, and takes a good part of a small machine.
        let is_storm = |plan: &Plan| plan.experiment.storm().is_some();
        if is_storm(&plan) && under_way.iter().any(|run| is_storm(&run.plan)) {
            return Err(Busy::Storm);
        }
        let starts_services = |plan: &Plan| plan.experiment.starts_services();
        if starts_services(&plan) && under_way.iter().any(|run| starts_services(&run.plan)) {
            return Err(Busy::Services);
        }
        if kept.len() >= MAX_KEPT
            && let Some(oldest) = kept.iter().position(|run| !run.is_running())
        {
            kept.remove(oldest);
        }
        let (run, decider) = Run::new(plan, now);
        let run = Arc::new(run);
        kept.push_back(Arc::clone(&run));
        self.people.send_modify(|people| *people += 1);
        Ok(UnderWay { run, decider, runs: Arc::clone(self) })
    }

    /// The newest first.
    pub(super) fn all(&self) -> Vec<Arc<Run>> {
        self.kept().iter().rev().cloned().collect()
    }

    pub(super) fn find(&self, id: &str) -> Option<Arc<Run>> {
        self.kept().iter().find(|run| run.id == id).cloned()
    }

    pub(super) fn people(&self) -> watch::Receiver<u64> {
        self.people.subscribe()
    }

    fn kept(&self) -> MutexGuard<'_, VecDeque<Arc<Run>>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        self.run.end(State::Failed("the lab stopped before the run was over".to_owned()));
        self.runs.people.send_modify(|people| *people -= 1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lessons::{ALL, Conclusion, Experiment};

    fn experiment(name: &str) -> &'static Experiment {
        ALL.into_iter().find(|experiment| experiment.name == name).unwrap()
    }

    fn begin(runs: &Arc<Runs>, name: &str) -> Result<UnderWay, Busy> {
        let plan = Plan { experiment: experiment(name), trial: None, seed: 7, order: None };
        runs.begin(plan, SystemTime::UNIX_EPOCH)
    }

    fn ids(runs: &Arc<Runs>) -> Vec<String> {
        runs.all().iter().map(|run| run.id.clone()).collect()
    }

    #[test]
    fn the_oldest_run_that_is_over_is_forgotten_first_and_none_under_way() {
        let runs = Arc::new(Runs::default());
        let first = begin(&runs, "double").unwrap();
        let second = begin(&runs, "cut").unwrap().run.id.clone();
        for _ in 2..MAX_KEPT {
            begin(&runs, "slow").unwrap().run.end(State::Ended(Conclusion::Shown));
        }
        assert!(runs.find(&second).is_some_and(|run| run.state().reason().is_some()));
        let newest = begin(&runs, "slow").unwrap();
        assert!(runs.find(&second).is_none() && runs.find(&first.run.id).is_some());
        let ids = ids(&runs);
        assert_eq!((ids.len(), ids.first()), (MAX_KEPT, Some(&newest.run.id)));
    }

    #[test]
    fn so_many_runs_are_under_way_at_one_time_and_each_that_ends_makes_room() {
        let runs = Arc::new(Runs::default());
        let people = runs.people();
        let mut under_way: Vec<_> =
            (0..MAX_UNDER_WAY).map(|_| begin(&runs, "double").unwrap()).collect();
        assert_eq!(*people.borrow(), PEOPLE - 1 + MAX_UNDER_WAY as u64);
        assert_eq!(begin(&runs, "double").err(), Some(Busy::Full));
        assert_eq!(runs.all().len(), MAX_UNDER_WAY, "what was refused is not kept");
        under_way.pop();
        assert!(begin(&runs, "double").is_ok());
        drop(under_way);
        assert_eq!(*people.borrow(), PEOPLE - 1);
    }

    #[test]
    fn one_run_that_makes_many_traces_is_under_way_at_one_time() {
        let runs = Arc::new(Runs::default());
        let large = begin(&runs, "local").unwrap();
        assert_eq!(begin(&runs, "policy").err(), Some(Busy::Large));
        assert!(begin(&runs, "double").is_ok());
        drop(large);
        assert!(begin(&runs, "policy").is_ok());
    }

    #[test]
    fn one_storm_is_under_way_at_one_time() {
        let runs = Arc::new(Runs::default());
        let storm = begin(&runs, "storm").unwrap();
        assert_eq!(begin(&runs, "storm").err(), Some(Busy::Storm));
        assert_eq!(begin(&runs, "crash").err(), Some(Busy::Services));
        assert!(begin(&runs, "double").is_ok());
        drop(storm);
        let crash = begin(&runs, "crash").unwrap();
        assert_eq!(begin(&runs, "crash").err(), Some(Busy::Services));
        drop(crash);
        assert!(begin(&runs, "storm").is_ok());
    }
}
