//! One run: what it is of, and what it has told so far.

use std::sync::{Arc, Mutex};
use std::time::SystemTime;

use campuscafe_api::order::PlaceOrder;
use campuscafe_service::ids;
use humantime::format_rfc3339_millis;
use serde_json::json;
use tokio::sync::{mpsc, watch};

use crate::lessons::{Conclusion, Decision, Event, Experiment, Finding};
use crate::page::Answers;
use crate::run::{Decider, RunRequest};
use crate::view::json::{self, Document, HELD};
use crate::view::markdown;

/// The events that a run keeps, beside its findings and its end. A trial tells five.
const MAX_EVENTS: usize = 100;

/// A run that goes on, or is over and kept.
pub(crate) struct Run {
    /// What its spans have in common, and where it is found: 32 hexadecimal digits.
    pub(in crate::server) id: String,
    pub(in crate::server) plan: Plan,
    began_at: SystemTime,
    progress: watch::Sender<Progress>,
    decisions: mpsc::Sender<Decision>,
    /// What the person who looks at it has answered.
    pub(in crate::server) answers: Mutex<Answers>,
}

/// What a run is of.
#[derive(Clone)]
pub(in crate::server) struct Plan {
    pub(in crate::server) experiment: &'static Experiment,
    /// Only the trial of this number, counted from 1.
    pub(in crate::server) trial: Option<usize>,
    pub(in crate::server) seed: u64,
    /// The order of somebody's own, for free play.
    pub(in crate::server) order: Option<PlaceOrder>,
}

/// How far a run has come.
#[derive(Default)]
pub(in crate::server) struct Progress {
    state: State,
    told: Vec<Told>,
}

/// Whether a run goes on, and what came of it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(in crate::server) enum State {
    #[default]
    Running,
    Ended(Conclusion),
    /// The sentence says why.
    Failed(String),
}

/// One thing that a run told.
enum Told {
    Event(&'static str, String),
    /// Written as JSON when somebody asks, since it may be long.
    Finding(Arc<Finding>),
}

impl State {
    pub(in crate::server) const fn name(&self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Ended(_) => "ended",
            Self::Failed(_) => "failed",
        }
    }

    pub(in crate::server) const fn conclusion(&self) -> Option<Conclusion> {
        match self {
            Self::Ended(conclusion) => Some(*conclusion),
            Self::Running | Self::Failed(_) => None,
        }
    }

    pub(in crate::server) fn reason(&self) -> Option<&str> {
        match self {
            Self::Failed(reason) => Some(reason),
            Self::Running | Self::Ended(_) => None,
        }
    }
}

impl Run {
    /// A run, and who decides what becomes of an answer that it holds: whoever calls
    /// [`Run::decide`].
    pub(in crate::server) fn new(plan: Plan, began_at: SystemTime) -> (Self, Decider) {
        let (id, progress) = (ids::random(), watch::Sender::default());
        let (decisions, decided) = mpsc::channel(1);
        let run = Self { id, plan, began_at, progress, decisions, answers: Mutex::default() };
        (run, Decider::Asked(decided))
    }

    /// What is to be carried out.
    pub(in crate::server) fn request(&self) -> RunRequest {
        let Plan { experiment, trial, seed, order } = self.plan.clone();
        RunRequest { experiments: vec![experiment], trial, seed, order, run: self.id.clone() }
    }

    /// Whether an answer is held until somebody decides what becomes of it.
    pub(in crate::server) fn is_held(&self) -> bool {
        let progress = self.progress.borrow();
        let last = progress.told.iter().rev().find_map(|told| match told {
            Told::Event(name, _) => Some(*name),
            Told::Finding(_) => None,
        });
        last == Some(HELD)
    }

    /// Decides what becomes of the held answer; false if none is held, or it is decided.
    pub(in crate::server) fn decide(&self, decision: Decision) -> bool {
        self.is_held() && self.decisions.try_send(decision).is_ok()
    }

    pub(in crate::server) fn began_at(&self) -> String {
        format_rfc3339_millis(self.began_at).to_string()
    }

    pub(in crate::server) fn state(&self) -> State {
        self.progress.borrow().state.clone()
    }

    pub(in crate::server) fn is_running(&self) -> bool {
        self.progress.borrow().state == State::Running
    }

    /// Resolves its `changed` when there is more to read of this run.
    pub(in crate::server) fn subscribe(&self) -> watch::Receiver<Progress> {
        self.progress.subscribe()
    }

    /// Notes what the run tells.
    pub(in crate::server) fn tell(&self, event: Event<'_>) {
        let told = match event {
            Event::Judged(finding) => Told::Finding(Arc::clone(finding)),
            event => match json::event(event) {
                Some((name, data)) => Told::Event(name, data.to_string()),
                None => return,
            },
        };
        self.progress.send_modify(|progress| {
            if matches!(told, Told::Finding(_)) || progress.told.len() < MAX_EVENTS {
                progress.told.push(told);
            }
        });
    }

    /// Notes the end of the run, unless it has one.
    pub(in crate::server) fn end(&self, state: State) {
        let conclusion = state.conclusion();
        let ended = json!({
            "state": state.name(),
            "shown": conclusion.map(Conclusion::is_shown),
            "conclusion": conclusion.map(Conclusion::code),
            "reason": state.reason(),
        });
        self.progress.send_if_modified(|progress| {
            let runs = progress.state == State::Running;
            if runs {
                progress.state = state;
                progress.told.push(Told::Event("ended", ended.to_string()));
            }
            runs
        });
    }

    /// The event at this place, counted from 0: its name and its data.
    pub(in crate::server) fn event(&self, place: usize) -> Option<(&'static str, String)> {
        let progress = self.progress.borrow();
        Some(match progress.told.get(place)? {
            Told::Event(name, data) => (name, data.clone()),
            Told::Finding(finding) => {
                let finding = Arc::clone(finding);
                // Nothing waits for the lock while a long finding is written.
                drop(progress);
                ("judged", json::finding(self.plan.experiment.name, &finding).to_string())
            }
        })
    }

    /// How many events there are.
    pub(in crate::server) fn events(&self) -> usize {
        self.progress.borrow().told.len()
    }

    /// What the trials came to so far.
    pub(in crate::server) fn findings(&self) -> Vec<Arc<Finding>> {
        let progress = self.progress.borrow();
        let findings = progress.told.iter().filter_map(|told| match told {
            Told::Finding(finding) => Some(Arc::clone(finding)),
            Told::Event(..) => None,
        });
        findings.collect()
    }

    /// What the command line would print of it.
    pub(in crate::server) fn document(&self, state: &State) -> Document {
        let Plan { experiment, seed, .. } = self.plan;
        let (name, findings) = (experiment.name, self.findings());
        let same_view = json::same_view(experiment, &findings).into_iter().collect();
        let findings = findings.iter().map(|finding| json::finding(name, finding)).collect();
        Document::new(name, seed, Some(&self.id), state.conclusion(), findings, same_view)
    }

    /// The run as text that leaves the question open.
    pub(in crate::server) fn markdown(&self) -> String {
        let is_over = !self.is_running();
        let findings = self.findings();
        let findings: Vec<_> = findings.iter().map(Arc::as_ref).collect();
        markdown::text(&self.id, &self.began_at(), is_over, &findings)
    }
}
