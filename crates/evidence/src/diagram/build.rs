//! From an order's events to the steps and bars of its diagram.

use super::{Bar, Content, Diagram, Lane, Mark, MarkKind, Message, Note, Phase, Step};
use crate::order_trace::{Attempt, Commit, End, OrderTrace, ServerAttempt};

pub(super) fn diagram(order_trace: &OrderTrace) -> Diagram {
    let mut bars: Vec<_> = order_trace.attempts.iter().map(BarBuilder::new).collect();
    let mut steps = Vec::new();
    for (at, event) in events(order_trace) {
        let mut bar = event
            .attempt()
            .and_then(|attempt| bars.iter_mut().find(|bar| bar.attempt == attempt.number));
        if let Some(bar) = &mut bar {
            event.work(steps.len(), bar);
        }
        steps.push(event.step(at));
    }
    let bars = bars.into_iter().map(|bar| bar.end(steps.len())).collect();
    Diagram { start: order_trace.start, steps, bars }
}

enum Event<'a> {
    Placed,
    Sent(&'a Attempt),
    Committed(&'a Attempt, &'a Commit),
    Cut(&'a Attempt),
    OrderResult(&'a Attempt),
    Abandoned(&'a Attempt),
    Unheard(&'a Attempt),
    Lost(&'a Attempt, i64),
    Told(&'a OrderTrace),
}

fn events(order_trace: &OrderTrace) -> Vec<(u64, Event<'_>)> {
    let mut events = vec![(order_trace.start, Event::Placed)];
    for attempt in &order_trace.attempts {
        events.push((attempt.sent, Event::Sent(attempt)));
        events.push((attempt.ended, Event::OrderResult(attempt)));
        let Some(served) = &attempt.served else { continue };
        if let Some(commit) = &served.commit {
            events.push((commit.at, Event::Committed(attempt, commit)));
        }
        if let Some(at) = served.abandoned {
            events.push((at, Event::Abandoned(attempt)));
        }
        if served.cut {
            events.push((served.ended, Event::Cut(attempt)));
        } else if ends_unheard(served) {
            events.push((served.ended, Event::Unheard(attempt)));
        } else if let Some(status) = lost_answer(attempt, served) {
            events.push((served.ended, Event::Lost(attempt, status)));
        }
    }
    // The sort keeps the order of equal times, and the answer follows from the attempts.
    events.push((order_trace.told_at, Event::Told(order_trace)));
    events.sort_by_key(|(at, _)| *at);
    events
}

/// Whether the inventory ended this attempt with nobody waiting, and not just
/// by the commit that has a step of its own.
fn ends_unheard(served: &ServerAttempt) -> bool {
    let late = served.commit.as_ref().is_some_and(|commit| commit.late);
    served.abandoned.is_some() && !late
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
            Self::Placed | Self::Told(_) => None,
            Self::Sent(attempt)
            | Self::Committed(attempt, _)
            | Self::Cut(attempt)
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
            Self::Cut(_) | Self::Lost(..) => bar.stop(step),
            // A late commit is the last thing heard of its attempt; after any
            // other one the work goes on until the answer or the cut.
            Self::Committed(_, commit) if commit.late => bar.stop(step),
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
            Self::Cut(attempt) => Step {
                mark: mark(Inventory, attempt, MarkKind::Cut),
                note: Some(Note::Cut(attempt.number)),
                ..nothing
            },
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
struct BarBuilder {
    attempt: u32,
    phases: Vec<Phase>,
    open: Option<(usize, bool)>,
}

impl BarBuilder {
    const fn new(attempt: &Attempt) -> Self {
        Self { attempt: attempt.number, phases: Vec::new(), open: None }
    }

    fn begin(&mut self, step: usize, awaited: bool) {
        if self.open.is_none_or(|(_, before)| before != awaited) {
            self.stop(step);
            self.open = Some((step, awaited));
        }
    }

    fn stop(&mut self, step: usize) {
        let ended = self.open.take().map(|(from, awaited)| Phase { from, to: step, awaited });
        self.phases.extend(ended);
    }

    fn end(mut self, steps: usize) -> Bar {
        self.stop(steps);
        Bar { attempt: self.attempt, phases: self.phases }
    }
}
