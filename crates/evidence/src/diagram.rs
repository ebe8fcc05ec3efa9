//! An order as a space–time diagram that nobody has drawn yet: lanes, bars,
//! messages, marks and notes, each with its time.
//!
//! There is no word and no column in it. Whoever draws it, as text or as a page,
//! in whatever language, chooses those.

use crate::order_trace::{Attempt, Commit, End, OrderTrace, ServerAttempt};

/// Who takes part, from left to right.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lane {
    /// Who ordered.
    Customer,
    /// The order service.
    Order,
    /// The inventory.
    Inventory,
}

/// Everything there is to draw.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagram {
    /// When the order arrived. All times are nanoseconds since 1970.
    pub start: u64,
    /// In the order of time.
    pub steps: Vec<Step>,
    /// In the order of the attempts, one for each.
    pub bars: Vec<Bar>,
}

/// What happens at one moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// When. Clocks of two machines may disagree, so it may lie before the start.
    pub at: u64,
    /// What runs from one lane to another.
    pub message: Option<Message>,
    /// What stands in one lane.
    pub mark: Option<Mark>,
    /// What there is to say about it.
    pub note: Option<Note>,
}

/// What runs from one lane to another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// Who sends it.
    pub from: Lane,
    /// Who is meant to get it.
    pub to: Lane,
    /// Whether there was a connection to send it over.
    pub arrives: bool,
    /// What it is.
    pub content: Content,
}

/// What a message carries.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Content {
    /// The customer's order.
    Order,
    /// The order service's attempt of this number.
    Attempt(u32),
    /// The inventory's answer, by its HTTP status.
    Answer(i64),
    /// What the customer is told.
    Outcome {
        /// The HTTP status, if one was sent.
        status: Option<i64>,
        /// `confirmed`, `failed` or `unknown`.
        outcome: String,
    },
}

/// What stands in one lane.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mark {
    /// Where.
    pub lane: Lane,
    /// The number of the attempt that it belongs to.
    pub attempt: u32,
    /// What it is.
    pub kind: MarkKind,
}

/// What a mark stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MarkKind {
    /// A reservation became a fact.
    Commit,
    /// The connection was cut instead of an answer.
    Cut,
    /// The attempt ended without an answer.
    GivenUp,
}

/// What there is to say about a step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Note {
    /// The fault that this attempt meets, with its argument.
    Fault(String),
    /// What was committed.
    Committed(Commit),
    /// The inventory cut the connection of this attempt.
    Cut(u32),
    /// The order service gave an attempt up.
    GivenUp {
        /// Its number.
        attempt: u32,
        /// `timeout`, `connection_lost` or `connection_refused`.
        reason: String,
    },
    /// The inventory noticed that the caller of this attempt had left.
    CallerLeft(u32),
    /// The inventory's answer to this attempt reached nobody.
    AnswerDropped(u32),
}

impl Note {
    /// Who can know it.
    #[must_use]
    pub const fn lane(&self) -> Lane {
        match self {
            Self::GivenUp { .. } => Lane::Order,
            _ => Lane::Inventory,
        }
    }
}

/// The inventory's work on one attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bar {
    /// The attempt's number.
    pub attempt: u32,
    /// In the order of time; none if the inventory has no span of it.
    pub phases: Vec<Phase>,
}

/// A part of a bar, between two steps. Their places in [`Diagram::steps`] say
/// which came first even where their times are the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Phase {
    /// The step that begins it.
    pub from: usize,
    /// The step that ends it, or the number of all steps if none does.
    pub to: usize,
    /// Whether the caller waits meanwhile.
    pub awaited: bool,
}

impl Diagram {
    /// The diagram of an order.
    #[must_use]
    pub fn of(order_trace: &OrderTrace) -> Self {
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
        Self { start: order_trace.start, steps, bars }
    }

    /// A moment in whole milliseconds after the order arrived.
    #[must_use]
    pub const fn ms(&self, at: u64) -> u64 {
        at.saturating_sub(self.start) / 1_000_000
    }

    /// What one party can know of it: what it sent, what reached it, and what it
    /// did itself.
    #[must_use]
    pub fn history(&self, lane: Lane) -> Vec<Step> {
        let known = |step: &Step| {
            let of_lane =
                |message: &Message| message.from == lane || message.to == lane && message.arrives;
            Step {
                at: step.at,
                message: step.message.clone().filter(of_lane),
                mark: step.mark.filter(|mark| mark.lane == lane),
                note: step.note.clone().filter(|note| note.lane() == lane),
            }
        };
        let says =
            |step: &Step| step.message.is_some() || step.mark.is_some() || step.note.is_some();
        self.steps.iter().map(known).filter(says).collect()
    }
}

enum Event<'a> {
    Placed,
    Sent(&'a Attempt),
    Committed(&'a Attempt, &'a Commit),
    Cut(&'a Attempt),
    OrderResult(&'a Attempt),
    Abandoned(&'a Attempt),
    Unheard(&'a Attempt),
    Told(&'a OrderTrace),
}

fn events(order_trace: &OrderTrace) -> Vec<(u64, Event<'_>)> {
    let mut events =
        vec![(order_trace.start, Event::Placed), (order_trace.told_at, Event::Told(order_trace))];
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
        }
    }
    events.sort_by_key(|(at, _)| *at);
    events
}

/// Whether the inventory ended this attempt with nobody waiting, and not just
/// by the commit that has a step of its own.
fn ends_unheard(served: &ServerAttempt) -> bool {
    let late = served.commit.as_ref().is_some_and(|commit| commit.late);
    served.abandoned.is_some() && !late
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
            | Self::Unheard(attempt) => Some(attempt),
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
            Self::Cut(_) => bar.stop(step),
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
                    Step { message: message(Inventory, Order, Content::Answer(*status)), ..nothing }
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

#[cfg(test)]
mod tests {
    use campuscafe_attributes as attribute;

    use super::*;
    use crate::from_spans::FromSpans as _;
    use crate::span::Span;
    use crate::testing::{With as _, answer, answered, commit, order, resent, served, unanswered};

    fn diagram(spans: &[Span]) -> Diagram {
        Diagram::of(&OrderTrace::of(spans, &answer(spans, "none")).expect("an order"))
    }

    /// The moments that begin and end the phases of a bar, in milliseconds.
    fn phases(diagram: &Diagram, bar: usize) -> Vec<(u64, u64, bool)> {
        let ms = |step: usize| diagram.ms(diagram.steps[step].at);
        let phase = |phase: &Phase| (ms(phase.from), ms(phase.to), phase.awaited);
        diagram.bars[bar].phases.iter().map(phase).collect()
    }

    #[test]
    fn a_bar_says_how_long_the_work_was_awaited_and_how_long_it_was_not() {
        let double = diagram(&[
            order(1005, "confirmed", 200),
            unanswered("one", 1..1001, "timeout"),
            resent(answered("two", 1002..1004, 200)),
            served("in1", "one", 2..2002, "slow:2000").left_at(1002),
            served("in2", "two", 1003..1004, "none").status(200),
            commit("in1", 2002, 9, true, true),
            commit("in2", 1003, 10, false, false),
        ]);
        assert_eq!(phases(&double, 0), [(1, 1002, true), (1002, 2002, false)]);
        assert_eq!(phases(&double, 1), [(1002, 1004, true)]);
    }

    #[test]
    fn only_the_inventory_knows_a_cut_before_the_commit_from_one_after_it() {
        let cut = |committed: bool| {
            let server = served("in", "one", 2..4, "abort")
                .text(attribute::ERROR_TYPE, attribute::CONNECTION_ABORTED);
            let mut spans =
                vec![order(6, "unknown", 504), unanswered("one", 1..5, "connection_lost"), server];
            spans.extend(committed.then(|| commit("in", 3, 10, false, false)));
            diagram(&spans)
        };
        let (before, after) = (cut(false), cut(true));
        for lane in [Lane::Customer, Lane::Order] {
            assert_eq!(before.history(lane), after.history(lane), "{lane:?}");
        }
        assert_ne!(before.history(Lane::Inventory), after.history(Lane::Inventory));
    }

    #[test]
    fn a_message_that_was_never_sent_is_unknown_to_who_was_meant_to_get_it() {
        let refused =
            diagram(&[order(3, "failed", 502), unanswered("one", 1..2, "connection_refused")]);
        assert_eq!(refused.history(Lane::Inventory), []);
        assert_eq!(refused.history(Lane::Order).len(), refused.steps.len());
    }
}
