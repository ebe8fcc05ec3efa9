//! One run: what it is of, and what it has told so far.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use campuscafe_api::order::PlaceOrder;
use campuscafe_evidence::counters;
use campuscafe_evidence::log_lines::LogLines;
use campuscafe_evidence::waterfall::Waterfall;
use campuscafe_otlp_store::TraceStore;
use campuscafe_service::ids;
use humantime::format_rfc3339_millis;
use serde_json::json;
use tokio::sync::{mpsc, watch};

use super::growing::Growing;
use crate::lessons::{Conclusion, Decision, Event, Evidence, Experiment, Finding, Storm, Trial};
use crate::page::Answers;
use crate::run::{Decider, RunRequest, StormServices};
use crate::view::json::{self, Document, HELD};
use crate::view::markdown;

/// The events that a run keeps, beside its findings and its end. A trial tells five, and a
/// storm one a second.
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
    /// The log lines of each finding, as they were when somebody last looked.
    lines: Mutex<Vec<Arc<LogLines>>>,
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
    /// The order under way, if there is one.
    growing: Option<Growing>,
    /// The seconds of a storm under way that are over.
    storm: Option<Storm>,
    /// Trials that were left out.
    skipped: Vec<&'static Trial>,
    /// How many times there was more to draw of what is under way.
    pictures: u64,
    /// Whether it is decided what becomes of the answer that was held last.
    decided: bool,
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

impl Progress {
    /// Follows what is under way from its beginning to its judgement.
    fn follow(&mut self, event: Event<'_>) {
        match event {
            Event::TrialSkipped(trial) => self.skipped.push(trial),
            Event::StormGrew(storm) => self.storm = Some(storm.clone()),
            Event::OrderSent(order) => self.growing = Growing::sent(order, SystemTime::now()),
            Event::OrderAnswered(response) => {
                if let Some(growing) = &mut self.growing {
                    growing.answered(response);
                }
            }
            Event::InventoryKilled(crash) | Event::InventoryRestarted(crash) => {
                if let Some(growing) = &mut self.growing {
                    growing.crashed(crash);
                }
            }
            Event::Judged(_) => (self.growing, self.storm) = (None, None),
            Event::AnswerHeld(_) => self.decided = false,
            _ => return,
        }
        self.pictures += 1;
    }

    fn decide(&mut self) {
        self.decided = true;
        self.pictures += 1;
    }
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
        let (answers, lines) = (Mutex::default(), Mutex::default());
        let run = Self { id, plan, began_at, progress, decisions, answers, lines };
        (run, Decider::Asked(decided))
    }

    /// What is to be carried out; a storm at these services.
    pub(in crate::server) fn request(&self, storm: Option<StormServices>) -> RunRequest {
        let Plan { experiment, trial, seed, order } = self.plan.clone();
        RunRequest {
            experiments: vec![experiment],
            trial,
            seed,
            order,
            storm,
            run: self.id.clone(),
        }
    }

    /// Whether an answer is held until somebody decides what becomes of it.
    pub(in crate::server) fn is_held(&self) -> bool {
        let progress = self.progress.borrow();
        if progress.decided {
            return false;
        }
        let last = progress.told.iter().rev().find_map(|told| match told {
            Told::Event(name, _) => Some(*name),
            Told::Finding(_) => None,
        });
        last == Some(HELD)
    }

    /// Decides what becomes of the held answer; false if none is held, or it is decided.
    pub(in crate::server) fn decide(&self, decision: Decision) -> bool {
        let decides = self.is_held() && self.decisions.try_send(decision).is_ok();
        if decides {
            self.progress.send_modify(Progress::decide);
        }
        decides
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
            progress.follow(event);
            if matches!(told, Told::Finding(_)) || progress.told.len() < MAX_EVENTS {
                progress.told.push(told);
            }
        });
    }

    /// Whether anybody follows its events.
    pub(super) fn is_watched(&self) -> bool {
        self.progress.receiver_count() > 0
    }

    /// The order under way, if there is one.
    pub(in crate::server) fn growing(&self) -> Option<Growing> {
        self.progress.borrow().growing.clone()
    }

    /// The seconds of the storm under way that are over, if it has one under way.
    pub(in crate::server) fn storm(&self) -> Option<Storm> {
        let plan = *self.plan.experiment.storm()?;
        let progress = self.progress.borrow();
        let seen = || progress.storm.clone().unwrap_or_else(|| Storm::begun(plan));
        (progress.state == State::Running).then(seen)
    }

    /// How many times there was more to draw of what is under way.
    pub(super) fn pictures(&self) -> u64 {
        self.progress.borrow().pictures
    }

    /// Notes what has come of the order under way, if it is that order and more has come.
    pub(super) fn grow(&self, grown: Growing) {
        self.progress.send_if_modified(|progress| {
            let more = progress.growing.as_mut().is_some_and(|growing| growing.take(grown));
            progress.pictures += u64::from(more);
            more
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
                (progress.state, progress.growing) = (state, None);
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

    /// The log lines of each finding. No run waits for them, and they may come after it was
    /// judged; so the store is asked each time, and what it had is kept for when it has
    /// removed the trace.
    pub(in crate::server) fn log_lines(&self, store: &TraceStore) -> Vec<Arc<LogLines>> {
        let findings = self.findings();
        let mut lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        lines.resize_with(findings.len(), Arc::default);
        for (kept, finding) in lines.iter_mut().zip(&findings) {
            let now = log_lines(store, finding).filter(|now| now.count() >= kept.count());
            *kept = now.map_or_else(|| Arc::clone(kept), Arc::new);
        }
        lines.clone()
    }

    /// Whether this is the trace of an order, or of a script, that it shows by itself.
    pub(in crate::server) fn shows(&self, trace: &str) -> bool {
        let is = |finding: &Arc<Finding>| {
            waterfall(&finding.evidence).is_some() && finding.trace_id() == Some(trace)
        };
        self.findings().iter().any(is)
    }

    /// What the command line would print of it.
    pub(in crate::server) fn document(&self, state: &State) -> Document {
        let Plan { experiment, seed, .. } = self.plan;
        let (name, findings) = (experiment.name, self.findings());
        let same_view = json::same_view(experiment, &findings).into_iter().collect();
        let counters = counters::sum(findings.iter().map(|finding| finding.span_counters()));
        let told = findings.iter().map(|finding| json::finding(name, finding)).collect();
        let conclusion = state.conclusion();
        let skipped = self.progress.borrow().skipped.clone();
        Document::new(name, seed, Some(&self.id), conclusion, told, counters, same_view)
            .without(&skipped)
            .comparing(experiment, &findings)
    }

    /// The run as text that leaves the question open.
    pub(in crate::server) fn markdown(&self, store: &TraceStore) -> String {
        let is_over = !self.is_running();
        // In this order: there are at least as many of the second.
        let (findings, lines) = (self.findings(), self.log_lines(store));
        let findings = findings.iter().map(Arc::as_ref).zip(lines.iter().map(Arc::as_ref));
        let findings: Vec<_> = findings.collect();
        let first = self.plan.trial.unwrap_or(1);
        markdown::text(&self.id, &self.began_at(), is_over, first, &findings)
    }
}

/// What the store has of the lines of a finding; None where it has no such trace.
fn log_lines(store: &TraceStore, finding: &Finding) -> Option<LogLines> {
    let spans = waterfall(&finding.evidence)?;
    let logs = store.logs(finding.trace_id()?.parse().ok()?)?;
    Some(LogLines::of(&logs, spans))
}

/// The spans that a finding shows one by one, if it does.
fn waterfall(evidence: &Evidence) -> Option<&Waterfall> {
    match evidence {
        Evidence::Order(order) => Some(&order.waterfall),
        Evidence::Script(played) => Some(&played.waterfall),
        _ => None,
    }
}
