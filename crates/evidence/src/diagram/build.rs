//! From an order's events to the steps and bars of its diagram.

use super::{Bar, Content, Diagram, Lane, Mark, MarkKind, Message, Note, Phase, Step};
use crate::order_trace::{
    Asked, Attempt, Commit, End, Exchange, OrderTrace, Restart, ServerAttempt, Settled, UnderKey,
};

pub(super) fn diagram(order_trace: &OrderTrace) -> Diagram {
    let events = events(order_trace);
    Diagram { once: order_trace.once(), ..draw(order_trace.start, &order_trace.attempts, events) }
}

/// The diagram of an order of which spans are still to come: these attempts are over for the
/// order service, of those nothing but the commit is known, and the customer may be told.
pub(super) fn so_far(
    start: u64,
    over: &[Attempt],
    committed: &[Attempt],
    restart: Option<Restart>,
    told: Option<&OrderTrace>,
) -> Diagram {
    let mut events = vec![(start, Event::Placed)];
    for attempt in over {
        add(attempt, &mut events);
    }
    for attempt in committed {
        let Some(served) = &attempt.served else { continue };
        let commit = served.commit.as_ref();
        events.extend(commit.map(|commit| (commit.at, Event::Committed(attempt, commit))));
        events.extend(served.killed.map(|at| (at, Event::Killed(attempt))));
    }
    events.extend(restart.map(|restart| (restart.at, Event::Restarted(restart))));
    events.extend(told.map(|told| (told.told_at, Event::Told(told))));
    events.sort_by_key(|(at, _)| *at);
    let mut diagram = draw(start, over.iter().chain(committed), events);
    let end = diagram.steps.len();
    for bar in diagram.bars.iter_mut().filter(|bar| bar.phases.is_empty()) {
        let find = |is: &dyn Fn(&Step) -> bool| diagram.steps.iter().position(is);
        let to = find(&|step| step.note == Some(Note::Killed(bar.attempt))).unwrap_or(end);
        let from = find(&|step| may_be_at_work(step, bar.attempt));
        bar.phases.extend(from.map(|from| Phase { from, to, awaited: true }));
    }
    diagram
}

/// Whether the inventory may have been at work on this attempt since this step, and nothing
/// tells that it has ended.
fn may_be_at_work(step: &Step, attempt: u32) -> bool {
    let sent = step
        .message
        .as_ref()
        .is_some_and(|message| message.arrives && message.content == Content::Attempt(attempt));
    let committed = matches!(&step.note, Some(Note::Committed(commit)) if !commit.late)
        && step.mark.is_some_and(|mark| mark.attempt == attempt);
    sent || committed
}

fn draw<'a>(
    start: u64,
    attempts: impl IntoIterator<Item = &'a Attempt>,
    events: Vec<(u64, Event<'_>)>,
) -> Diagram {
    let mut bars: Vec<_> =
        attempts.into_iter().map(|attempt| BarBuilder::new(attempt.number)).collect();
    let mut steps = Vec::new();
    for (at, event) in events {
        let mut bar = event
            .attempt()
            .and_then(|attempt| bars.iter_mut().find(|bar| bar.attempt == attempt.number));
        if let Some(bar) = &mut bar {
            event.work(steps.len(), bar);
        }
        steps.push(event.step(at));
    }
    let bars = bars.into_iter().enumerate();
    let bars = bars.map(|(column, bar)| bar.end(column, steps.len())).collect();
    Diagram { start, steps, bars, once: false }
}

enum Event<'a> {
    Placed,
    Sent(&'a Attempt),
    Committed(&'a Attempt, &'a Commit),
    Cut(&'a Attempt),
    Killed(&'a Attempt),
    Restarted(Restart),
    OrderResult(&'a Attempt),
    Abandoned(&'a Attempt),
    Unheard(&'a Attempt),
    Lost(&'a Attempt, i64),
    UnderKey(&'a Attempt, UnderKey),
    Told(&'a OrderTrace),
    Settled(&'a Settled),
    Asked(&'a Exchange),
    ToldLater(&'a Exchange),
}

fn events(order_trace: &OrderTrace) -> Vec<(u64, Event<'_>)> {
    let mut events = vec![(order_trace.start, Event::Placed)];
    for attempt in &order_trace.attempts {
        add(attempt, &mut events);
    }
    let restart = order_trace.crash.and_then(|crash| crash.restart);
    events.extend(restart.map(|restart| (restart.at, Event::Restarted(restart))));
    // The sort keeps the order of equal times, and the answer follows from the attempts.
    events.push((order_trace.told_at, Event::Told(order_trace)));
    events.extend(order_trace.settled.iter().map(|it| (it.at, Event::Settled(it))));
    if let Some(later) = &order_trace.later {
        events.push((later.asked_at, Event::Asked(later)));
        events.push((later.told_at, Event::ToldLater(later)));
    }
    events.sort_by_key(|(at, _)| *at);
    events
}

fn add<'a>(attempt: &'a Attempt, events: &mut Vec<(u64, Event<'a>)>) {
    events.push((attempt.sent, Event::Sent(attempt)));
    // A clock of another machine may say that it was found after it was told.
    let found = |served: &ServerAttempt| match (&attempt.end, served.under_key?) {
        (End::Answered(_), found) => Some((served.ended.min(attempt.ended), found)),
        (End::Unanswered(_), found) => Some((served.ended, found)),
    };
    let found = attempt.served.as_ref().and_then(found);
    events.extend(found.map(|(at, found)| (at, Event::UnderKey(attempt, found))));
    events.push((attempt.ended, Event::OrderResult(attempt)));
    let Some(served) = &attempt.served else { return };
    if let Some(commit) = &served.commit {
        events.push((commit.at, Event::Committed(attempt, commit)));
    }
    if let Some(at) = served.abandoned {
        events.push((at, Event::Abandoned(attempt)));
    }
    if let Some(at) = served.killed {
        events.push((at, Event::Killed(attempt)));
    } else if served.cut {
        events.push((served.ended, Event::Cut(attempt)));
    } else if ends_unheard(served) {
        events.push((served.ended, Event::Unheard(attempt)));
    } else if let Some(status) = lost_answer(attempt, served) {
        events.push((served.ended, Event::Lost(attempt, status)));
    }
}

/// Whether the inventory ended this attempt with nobody waiting, and not just
/// by the commit that has a step of its own.
fn ends_unheard(served: &ServerAttempt) -> bool {
    let late = served.commit.as_ref().is_some_and(|commit| commit.late);
    served.abandoned.is_some() && !late && served.under_key.is_none()
}

/// Whether nobody waited any more when the inventory was done with this attempt.
fn is_late(attempt: &Attempt) -> bool {
    attempt.served.as_ref().is_some_and(|served| served.abandoned.is_some())
}

/// The status of an answer that the inventory sent, seeing nobody leave, and that its
/// caller did not get.
fn lost_answer(attempt: &Attempt, served: &ServerAttempt) -> Option<i64> {
    let unanswered = matches!(attempt.end, End::Unanswered(_));
    served.status.filter(|_| unanswered && served.abandoned.is_none())
}

impl Event<'_> {
    const fn attempt(&self) -> Option<&Attempt> {
        match self {
            Self::Placed
            | Self::Restarted(_)
            | Self::Told(_)
            | Self::Settled(_)
            | Self::Asked(_)
            | Self::ToldLater(_) => None,
            Self::Sent(attempt)
            | Self::Committed(attempt, _)
            | Self::UnderKey(attempt, _)
            | Self::Cut(attempt)
            | Self::Killed(attempt)
            | Self::OrderResult(attempt)
            | Self::Abandoned(attempt)
            | Self::Unheard(attempt)
            | Self::Lost(attempt, _) => Some(attempt),
        }
    }

    /// What becomes of the inventory's work at this step.
    fn work(&self, step: usize, bar: &mut BarBuilder) {
        match self {
            Self::Sent(attempt) if attempt.served.is_some() => bar.begin(step, true),
            Self::OrderResult(Attempt { end: End::Answered(_), .. }) => {
                bar.begin(step, true);
                bar.stop(step);
            }
            Self::Abandoned(_) => bar.begin(step, false),
            Self::Unheard(_) => {
                bar.begin(step, false);
                bar.stop(step);
            }
            Self::Cut(_) | Self::Killed(_) | Self::Lost(..) => bar.stop(step),
            // A late commit is the last thing heard of its attempt; after any
            // other one the work goes on until the answer or the cut.
            Self::Committed(_, commit) if commit.late => bar.stop(step),
            Self::UnderKey(attempt, _) if is_late(attempt) => bar.stop(step),
            _ => {}
        }
    }

    fn step(&self, at: u64) -> Step {
        use Lane::{Customer, Inventory, Order};
        let nothing = Step { at, message: None, mark: None, note: None };
        let message = |from, to, content| Some(Message { from, to, arrives: true, content });
        let mark =
            |lane, attempt: &Attempt, kind| Some(Mark { lane, attempt: attempt.number, kind });
        match self {
            Self::Placed => Step { message: message(Customer, Order, Content::Order), ..nothing },
            Self::Sent(attempt) => {
                let content = Content::Attempt(attempt.number);
                let arrives = !attempt.never_left();
                let fault = attempt.served.as_ref().map(|served| Note::Fault(served.fault.clone()));
                let message = Message { from: Order, to: Inventory, arrives, content };
                Step { message: Some(message), note: fault, ..nothing }
            }
            Self::Committed(attempt, commit) => Step {
                mark: mark(Inventory, attempt, MarkKind::Commit),
                note: Some(Note::Committed((*commit).clone())),
                ..nothing
            },
            Self::UnderKey(attempt, found) => Step {
                mark: mark(Inventory, attempt, MarkKind::Refused),
                note: Some(Note::UnderKey {
                    attempt: attempt.number,
                    found: *found,
                    late: is_late(attempt),
                }),
                ..nothing
            },
            Self::Settled(settled) => {
                Step { note: Some(Note::Settled(settled.outcome.clone())), ..nothing }
            }
            Self::Asked(later) => {
                let content = match later.asked {
                    Asked::Again => Content::Order,
                    Asked::State => Content::Question,
                };
                Step { message: message(Customer, Order, content), ..nothing }
            }
            Self::ToldLater(later) => {
                let (status, outcome) = (later.status, later.outcome.clone());
                let told = Content::Outcome { status, outcome };
                Step { message: message(Order, Customer, told), ..nothing }
            }
            Self::Cut(attempt) => Step {
                mark: mark(Inventory, attempt, MarkKind::Cut),
                note: Some(Note::Cut(attempt.number)),
                ..nothing
            },
            Self::Killed(attempt) => Step {
                mark: mark(Inventory, attempt, MarkKind::Killed),
                note: Some(Note::Killed(attempt.number)),
                ..nothing
            },
            Self::Restarted(Restart { kept, .. }) => {
                Step { note: Some(Note::Restarted { kept: *kept }), ..nothing }
            }
            Self::OrderResult(attempt) => match &attempt.end {
                End::Answered(status) => {
                    let answer = Content::Answer { attempt: attempt.number, status: *status };
                    Step { message: message(Inventory, Order, answer), ..nothing }
                }
                End::Unanswered(reason) => Step {
                    mark: mark(Order, attempt, MarkKind::GivenUp),
                    note: Some(Note::GivenUp { attempt: attempt.number, reason: reason.clone() }),
                    ..nothing
                },
            },
            Self::Abandoned(attempt) => {
                Step { note: Some(Note::CallerLeft(attempt.number)), ..nothing }
            }
            Self::Unheard(attempt) => {
                Step { note: Some(Note::AnswerDropped(attempt.number)), ..nothing }
            }
            Self::Lost(attempt, status) => {
                let content = Content::Answer { attempt: attempt.number, status: *status };
                let message = Message { from: Inventory, to: Order, arrives: false, content };
                Step { message: Some(message), ..nothing }
            }
            Self::Told(order_trace) => {
                let (status, outcome) = (order_trace.status, order_trace.outcome.clone());
                let told = Content::Outcome { status, outcome };
                Step { message: message(Order, Customer, told), ..nothing }
            }
        }
    }
}

/// A bar while its steps are gone through.
pub(super) struct BarBuilder {
    pub(super) attempt: u32,
    phases: Vec<Phase>,
    open: Option<(usize, bool)>,
}

impl BarBuilder {
    pub(super) const fn new(attempt: u32) -> Self {
        Self { attempt, phases: Vec::new(), open: None }
    }

    pub(super) fn begin(&mut self, step: usize, awaited: bool) {
        if self.open.is_none_or(|(_, before)| before != awaited) {
            self.stop(step);
            self.open = Some((step, awaited));
        }
    }

    pub(super) fn stop(&mut self, step: usize) {
        let ended = self.open.take().map(|(from, awaited)| Phase { from, to: step, awaited });
        self.phases.extend(ended);
    }

    pub(super) fn end(mut self, column: usize, steps: usize) -> Bar {
        self.stop(steps);
        Bar { attempt: self.attempt, column, phases: self.phases }
    }
}
