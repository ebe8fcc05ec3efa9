//! From the calls of a script to the steps and bars of their diagram.

use super::build::BarBuilder;
use super::{
    Bar, CallEvent, CallNote, Content, Diagram, Lane, Mark, MarkKind, Message, Note, Step,
};
use crate::calls::{Call, Calls, Effect, Served};
use crate::order_trace::End;
use crate::refusal::Decided;

pub(super) fn diagram(calls: &Calls) -> Diagram {
    let mut events: Vec<(u64, Event<'_>)> = calls.drawn().flat_map(events).collect();
    // The sort keeps the order of equal times.
    events.sort_by_key(|(at, _)| *at);
    let to_inventory = calls.drawn().filter(|call| call.to == Lane::Inventory);
    let mut bars: Vec<_> = to_inventory.map(|call| BarBuilder::new(call.number)).collect();
    let mut steps = Vec::new();
    for (at, event) in events {
        let number = event.call().number;
        if let Some(bar) = bars.iter_mut().find(|bar| bar.attempt == number) {
            event.work(steps.len(), bar);
        }
        steps.push(event.step(at));
    }
    let bars = bars.into_iter().map(|bar| bar.end(0, steps.len())).collect();
    Diagram { start: calls.start, steps, bars: beside(bars), once: false }
}

/// Gives each bar the first column that no bar before it takes at the same time.
fn beside(mut bars: Vec<Bar>) -> Vec<Bar> {
    // For each column the step that ends it.
    let mut ends: Vec<usize> = Vec::new();
    for bar in &mut bars {
        let (Some(first), Some(last)) = (bar.phases.first(), bar.phases.last()) else { continue };
        let free = ends.iter().position(|end| *end < first.from);
        bar.column = free.unwrap_or(ends.len());
        match ends.get_mut(bar.column) {
            Some(end) => *end = last.to,
            None => ends.push(last.to),
        }
    }
    bars
}

enum Event<'a> {
    Sent(&'a Call),
    Effect(&'a Call, &'a Effect),
    Cut(&'a Call),
    Ended(&'a Call),
    CallerLeft(&'a Call),
    /// Its work ended, and nobody heard the answer.
    Unheard(&'a Call, &'a Served),
    /// An answer that the called side sent, seeing nobody leave, and that did not arrive.
    Lost(&'a Call, i64),
}

fn events(call: &Call) -> Vec<(u64, Event<'_>)> {
    let mut events = vec![(call.sent, Event::Sent(call))];
    if let Some(served) = &call.served {
        let effects =
            served.effects.iter().map(|effect| (effect.at(), Event::Effect(call, effect)));
        events.extend(effects);
        events.extend(served.abandoned.map(|at| (at, Event::CallerLeft(call))));
        let unanswered = matches!(call.end, End::Unanswered(_));
        if served.cut {
            events.push((served.ended, Event::Cut(call)));
        } else if served.abandoned.is_some() {
            events.extend(
                (!ends_with_effect(served)).then_some((served.ended, Event::Unheard(call, served))),
            );
        } else if let Some(status) = served.status.filter(|_| unanswered) {
            events.push((served.ended, Event::Lost(call, status)));
        }
    }
    events.push((call.ended, Event::Ended(call)));
    events
}

/// Whether something changed after the caller had left: then that is the last thing heard
/// of the call.
fn ends_with_effect(served: &Served) -> bool {
    served.effects.iter().any(|effect| is_late(effect, served))
}

fn is_late(effect: &Effect, served: &Served) -> bool {
    match effect {
        Effect::Reserved(commit) => commit.late,
        Effect::Changed(_) | Effect::Told(_) => {
            served.abandoned.is_some_and(|left| left <= effect.at())
        }
    }
}

impl<'a> Event<'a> {
    const fn call(&self) -> &'a Call {
        match self {
            Self::Sent(call)
            | Self::Effect(call, _)
            | Self::Cut(call)
            | Self::Ended(call)
            | Self::CallerLeft(call)
            | Self::Unheard(call, _)
            | Self::Lost(call, _) => call,
        }
    }

    /// What becomes of the inventory's work at this step.
    fn work(&self, step: usize, bar: &mut BarBuilder) {
        match self {
            Self::Sent(call) if call.served.is_some() => bar.begin(step, true),
            Self::Ended(Call { end: End::Answered(_), .. }) | Self::Cut(_) | Self::Lost(..) => {
                bar.stop(step);
            }
            Self::CallerLeft(_) => bar.begin(step, false),
            Self::Unheard(..) => {
                bar.begin(step, false);
                bar.stop(step);
            }
            Self::Effect(Call { served: Some(served), .. }, effect) if is_late(effect, served) => {
                bar.stop(step);
            }
            _ => {}
        }
    }

    fn step(&self, at: u64) -> Step {
        let call = self.call();
        let message = |from, to, arrives, content| Some(Message { from, to, arrives, content });
        let mark = |lane, kind| Some(Mark { lane, attempt: call.number, kind });
        let note = |lane, event| Some(Note::Call(CallNote { call: call.number, lane, event }));
        let reply = |status, arrives| {
            let says = call.says.clone().filter(|_| arrives);
            let decided = decided(call);
            let content = Content::Reply { call: call.number, status, decided, says };
            message(call.to, call.from, arrives, content)
        };
        let nothing = Step { at, message: None, mark: None, note: None };
        match self {
            Self::Sent(_) => {
                let content = Content::Call { call: call.number, request: call.request.clone() };
                let fault = call.served.as_ref().map(|served| served.fault.clone());
                Step {
                    message: message(call.from, call.to, !call.never_left(), content),
                    note: fault.filter(|fault| fault != "none").map(Note::Fault),
                    ..nothing
                }
            }
            Self::Effect(_, Effect::Reserved(commit)) => Step {
                mark: mark(call.to, MarkKind::Commit),
                note: Some(Note::Committed(commit.clone())),
                ..nothing
            },
            Self::Effect(_, Effect::Changed(change)) => Step {
                mark: mark(call.to, MarkKind::Change),
                note: note(call.to, CallEvent::Changed(change.clone())),
                ..nothing
            },
            Self::Effect(_, Effect::Told(arrival)) => Step {
                mark: mark(
                    call.to,
                    if arrival.dropped { MarkKind::Refused } else { MarkKind::Change },
                ),
                note: note(call.to, CallEvent::Told(arrival.clone())),
                ..nothing
            },
            Self::Cut(_) => Step {
                mark: mark(call.to, MarkKind::Cut),
                note: note(call.to, CallEvent::Cut),
                ..nothing
            },
            Self::Ended(Call { end: End::Answered(status), .. }) => {
                let decided = decided(call).map(CallEvent::Decided);
                Step {
                    message: reply(*status, true),
                    note: decided.and_then(|event| note(call.to, event)),
                    ..nothing
                }
            }
            Self::Ended(Call { end: End::Unanswered(reason), .. }) => Step {
                mark: mark(call.from, MarkKind::GivenUp),
                note: note(call.from, CallEvent::GivenUp(reason.clone())),
                ..nothing
            },
            Self::CallerLeft(_) => Step { note: note(call.to, CallEvent::CallerLeft), ..nothing },
            Self::Unheard(_, served) => {
                let kind = served.refusal.map(|_| MarkKind::Refused);
                let event = served.decided().map(CallEvent::Decided);
                Step {
                    mark: kind.and_then(|kind| mark(call.to, kind)),
                    note: note(call.to, event.unwrap_or(CallEvent::AnswerDropped)),
                    ..nothing
                }
            }
            Self::Lost(_, status) => Step { message: reply(*status, false), ..nothing },
        }
    }
}

/// What the called side found decided before, or refused.
fn decided(call: &Call) -> Option<Decided> {
    call.served.as_ref().and_then(Served::decided)
}
