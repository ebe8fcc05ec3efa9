//! The spans of an order, or of the calls of a script, as rows: each below the span that it
//! belongs to, with its place in the order.
//!
//! Anybody may send spans into a trace, so only those below the order's own, or below the
//! script's calls, are kept, and only so many.

use std::collections::{BTreeMap, BTreeSet};

use campuscafe_attributes as attribute;

use crate::calls::Calls;
use crate::diagram::{CallEvent, CallNote, Content, MarkKind, Note, Step};
use crate::flaw::{Flaw, Part};
use crate::from_spans::FromSpans;
use crate::order_trace::{Answered, Crash, OrderTrace, attempt_number, is_of_order};
use crate::span::{Kind, Span, Value};

/// Spans that are kept of one order.
pub const MAX_ROWS: usize = 200;

/// Bytes of text that are kept of one order. The spans of two attempts have about 5 KiB.
pub const MAX_TEXT: usize = 64 * 1024;

/// The spans of an order, or of the calls of a script. A call takes the place of an attempt:
/// in their pictures both are bars with a number.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Waterfall {
    /// The order's own span first, or the script's first call; and each span before those
    /// below it.
    pub rows: Vec<Row>,
    /// Spans of the order or the script that are not among the rows, because they are too many.
    pub left_out: usize,
}

/// A span in its place.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    /// The span.
    pub span: Span,
    /// How many spans it stands below; 0 for the order's own and for a call of the script.
    pub depth: usize,
    /// Its place in the order or the script; that of the span above it if it has none of its own.
    pub part: Part,
}

impl Waterfall {
    /// The spans of the order with this answer; none without the order's own.
    #[must_use]
    pub fn of(spans: &[Span], answer: &Answered) -> Self {
        let root = spans.iter().find(|span| is_of_order(span, &answer.report));
        let killed = root.zip(answer.crash).and_then(|(root, crash)| killed(spans, root, crash));
        Self::below(spans, root.map(|root| (root, Part::Order)), killed, part_of_order)
    }

    /// The spans of the calls that a script made itself, and of those below them.
    #[must_use]
    pub fn of_calls(spans: &[Span], made: &[Span], calls: &Calls) -> Self {
        let numbers: BTreeMap<&str, u32> =
            calls.calls.iter().map(|call| (&*call.span_id, call.number)).collect();
        let number = |span: &Span| numbers.get(&*span.id).copied();
        let mut made: Vec<_> =
            made.iter().filter_map(|call| Some((call, Part::Attempt(number(call)?)))).collect();
        made.sort_by_key(|(call, _)| (call.start, call.end));
        Self::below(spans, made, None, |above, span| match number(span) {
            Some(number) => Part::Attempt(number),
            None => part_of_attempt(above, span),
        })
    }

    /// Spans in their places, and everything below them. A span whose own parent was never sent
    /// stands below `orphans`, if there is such a span.
    fn below<'a>(
        spans: &'a [Span],
        roots: impl IntoIterator<Item = (&'a Span, Part)>,
        orphans: Option<&'a Span>,
        part: impl Fn(Part, &Span) -> Part,
    ) -> Self {
        let mut all = Self::default();
        let sent: Option<BTreeSet<&str>> =
            orphans.map(|_| spans.iter().map(|span| &*span.id).collect());
        let is_sent = |id: &str| sent.as_ref().is_none_or(|sent| sent.contains(id));
        let mut below: BTreeMap<&str, Vec<&Span>> = BTreeMap::new();
        for span in spans {
            let Some(parent) = &span.parent else { continue };
            let adopts = orphans.filter(|_| !is_sent(parent));
            let parent = adopts.map_or(&**parent, |span| &*span.id);
            below.entry(parent).or_default().push(span);
        }
        let mut next: Vec<_> = roots.into_iter().map(|(root, part)| (root, 0, part)).collect();
        next.reverse();
        let (mut seen, mut text) = (BTreeSet::new(), 0);
        while let Some((span, depth, place)) = next.pop() {
            // An exporter may send a span again, and a foreign one may close a circle.
            if !seen.insert(&*span.id) {
                continue;
            }
            text += length(span);
            if all.rows.len() < MAX_ROWS && text <= MAX_TEXT {
                all.rows.push(Row { span: span.clone(), depth, part: place });
            } else {
                all.left_out += 1;
            }
            let below = below.get(&*span.id).into_iter().flatten().rev();
            next.extend(below.map(|span| (*span, depth + 1, part(place, span))));
        }
        all
    }
}

/// The attempt that the inventory was at when its process was killed.
fn killed<'a>(spans: &'a [Span], order: &Span, crash: Crash) -> Option<&'a Span> {
    spans.iter().find(|span| {
        span.kind == Kind::Client
            && span.parent.as_deref() == Some(&order.id)
            && crash.is_during(span)
    })
}

/// The place of a span of an order below another.
fn part_of_order(above: Part, span: &Span) -> Part {
    match (above, span.kind) {
        (Part::Order, Kind::Client) => Part::Attempt(attempt_number(span)),
        _ => part_of_attempt(above, span),
    }
}

/// The place of a span below that of an attempt.
fn part_of_attempt(above: Part, span: &Span) -> Part {
    let has = |name| span.attributes.contains_key(name);
    match (above, span.kind) {
        (Part::Attempt(attempt), Kind::Server) => Part::ServerAttempt(attempt),
        // A process that was killed has no span of the attempt itself.
        (Part::ServerAttempt(attempt) | Part::Attempt(attempt), _)
            if has(attribute::RESERVATION_ID) =>
        {
            Part::Commit(attempt)
        }
        (Part::ServerAttempt(attempt), _) if has(attribute::CHAOS_STEP) => Part::Fault(attempt),
        _ => above,
    }
}

/// The bytes of everything in it that may be long.
fn length(span: &Span) -> usize {
    let value = |value: &Value| match value {
        Value::Text(text) => text.len(),
        Value::Int(_) | Value::Flag(_) => size_of::<Value>(),
    };
    let attributes = span.attributes.iter().map(|(name, held)| name.len() + value(held));
    let events = span.events.iter().map(|event| event.name.len() + size_of::<u64>());
    let instance = span.instance.as_ref().map_or(0, String::len);
    span.name.len() + span.service.len() + instance + attributes.chain(events).sum::<usize>()
}

impl Step {
    /// The span that it belongs to: that of whoever sends or does it.
    #[must_use]
    pub fn part(&self) -> Option<Part> {
        if let Some(mark) = self.mark.filter(|mark| mark.kind == MarkKind::Commit) {
            return Some(Part::Commit(mark.attempt));
        }
        if let Some(message) = &self.message {
            return Some(match message.content {
                // A question has a trace of its own.
                Content::Question => return None,
                Content::Order | Content::Outcome { .. } => Part::Order,
                Content::Attempt(attempt) => Part::Attempt(attempt),
                Content::Answer { attempt, .. } => Part::ServerAttempt(attempt),
                Content::Call { call, .. } => Part::Attempt(call),
                Content::Reply { call, .. } => Part::ServerAttempt(call),
            });
        }
        Some(match self.note.as_ref()? {
            Note::GivenUp { attempt, .. } => Part::Attempt(*attempt),
            Note::Cut(attempt) | Note::CallerLeft(attempt) | Note::AnswerDropped(attempt) => {
                Part::ServerAttempt(*attempt)
            }
            Note::UnderKey { attempt, .. } => Part::ServerAttempt(*attempt),
            Note::Call(CallNote { call, event: CallEvent::GivenUp(_), .. }) => Part::Attempt(*call),
            Note::Call(note) => Part::ServerAttempt(note.call),
            Note::Killed(attempt) => Part::Attempt(*attempt),
            Note::Fault(_) | Note::Committed(_) | Note::Settled(_) | Note::Restarted { .. } => {
                return None;
            }
        })
    }
}

/// An order, and the spans that it was read from.
#[derive(Debug, Clone, PartialEq)]
pub struct OrderSpans {
    /// What the spans tell.
    pub order_trace: OrderTrace,
    /// The spans themselves.
    pub waterfall: Waterfall,
}

impl FromSpans for OrderSpans {
    type Answer = Answered;

    fn of(spans: &[Span], answer: &Answered) -> Option<Self> {
        let order_trace = OrderTrace::of(spans, answer)?;
        Some(Self { order_trace, waterfall: Waterfall::of(spans, answer) })
    }

    fn incomplete(read: Option<&Self>) -> Vec<Flaw> {
        OrderTrace::incomplete(read.map(|read| &read.order_trace))
    }
}

/// The calls of a script, and the spans that they were read from.
#[derive(Debug, Clone, PartialEq)]
pub struct CallSpans {
    /// What the spans tell.
    pub calls: Calls,
    /// The spans themselves.
    pub waterfall: Waterfall,
}

impl FromSpans for CallSpans {
    type Answer = Vec<Span>;

    fn of(spans: &[Span], made: &Vec<Span>) -> Option<Self> {
        let calls = Calls::of(spans, made)?;
        let waterfall = Waterfall::of_calls(spans, made, &calls);
        Some(Self { calls, waterfall })
    }

    fn incomplete(read: Option<&Self>) -> Vec<Flaw> {
        Calls::incomplete(read.map(|read| &read.calls))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagram::Diagram;
    use crate::testing::{With as _, answer, commit, double, fault, span};

    fn of(spans: &[Span]) -> Waterfall {
        Waterfall::of(spans, &answer(spans, "slow,none"))
    }

    fn ids(waterfall: &Waterfall) -> Vec<(usize, &str)> {
        waterfall.rows.iter().map(|row| (row.depth, &*row.span.id)).collect()
    }

    #[test]
    fn each_span_of_an_order_stands_below_its_own_and_knows_its_place() {
        let waterfall = of(&double());
        let rows: Vec<_> = waterfall.rows.iter().map(|row| (row.depth, row.part)).collect();
        let attempt = |number, fault: bool| {
            let fault = fault.then_some((3, Part::Fault(number)));
            let above = [(1, Part::Attempt(number)), (2, Part::ServerAttempt(number))];
            above.into_iter().chain(fault).chain([(3, Part::Commit(number))])
        };
        let expected =
            [(0, Part::Order)].into_iter().chain(attempt(1, true)).chain(attempt(2, false));
        assert_eq!(rows, expected.collect::<Vec<_>>());
        assert_eq!(waterfall.left_out, 0);
    }

    #[test]
    fn every_step_of_a_picture_belongs_to_a_span() {
        let spans = double();
        let read = OrderSpans::of(&spans, &answer(&spans, "slow,none")).unwrap();
        assert!(read.is_complete());
        let diagram = Diagram::of(&read.order_trace);
        assert!(diagram.steps.len() > 8);
        for step in &diagram.steps {
            let has = |row: &Row| Some(row.part) == step.part();
            assert!(read.waterfall.rows.iter().any(has), "{step:?}");
        }
    }

    /// A customer presses; the order service calls the inventory, which commits late. Then the
    /// customer looks.
    fn script() -> (Vec<Span>, Vec<Span>) {
        let call = |id: &str, parent: &str, at, path: &str| {
            span(id, parent, Kind::Client, at)
                .text(attribute::HTTP_REQUEST_METHOD, "POST")
                .text(attribute::URL_FULL, &format!("http://127.0.0.1:5101{path}"))
        };
        let server = |id: &str, parent: &str, at, service: &str| {
            let span = span(id, parent, Kind::Server, at);
            Span { service: service.to_owned(), ..span }
        };
        let made = vec![
            call("look", "", 600..602, "/inventory/state").status(200),
            call("press", "", 0..504, "/orders").status(504),
        ];
        let spans = vec![
            server("in-order", "press", 1..503, "order").status(504),
            call("attempt", "in-order", 2..502, "/inventory/reserve").text("error.type", "timeout"),
            server("in", "attempt", 3..900, "inventory").left_at(503),
            fault("in", 3..900, "slow:900"),
            commit("in", 900, 10, true, false),
            server("in-look", "look", 601..602, "inventory").status(200),
        ];
        (made, spans)
    }

    #[test]
    fn each_span_of_a_script_stands_below_its_call_and_knows_its_number() {
        let (made, spans) = script();
        let read = CallSpans::of(&spans, &made).unwrap();
        assert!(read.is_complete(), "{:?}", read.calls.flaws);
        let rows: Vec<_> = read.waterfall.rows.iter().map(|row| (row.depth, row.part)).collect();
        let expected = [
            (0, Part::Attempt(1)),
            (1, Part::ServerAttempt(1)),
            (2, Part::Attempt(2)),
            (3, Part::ServerAttempt(2)),
            (4, Part::Fault(2)),
            (4, Part::Commit(2)),
            (0, Part::Attempt(3)),
            (1, Part::ServerAttempt(3)),
        ];
        assert_eq!((rows.as_slice(), read.waterfall.left_out), (&expected[..], 0));
    }

    #[test]
    fn every_step_of_a_picture_of_calls_belongs_to_a_span() {
        let (made, spans) = script();
        let read = CallSpans::of(&spans, &made).unwrap();
        let diagram = Diagram::of_calls(&read.calls);
        assert!(diagram.steps.len() > 6);
        for step in &diagram.steps {
            let has = |row: &Row| Some(row.part) == step.part();
            assert!(read.waterfall.rows.iter().any(has), "{step:?}");
        }
    }

    #[test]
    fn spans_of_others_copies_and_circles_are_no_rows() {
        let own = of(&double());
        let mut spans = double();
        spans.extend(double());
        spans.push(span("stranger", "elsewhere", Kind::Internal, 0..1));
        spans.push(span("order", "in1", Kind::Internal, 0..1));
        assert_eq!(ids(&of(&spans)), ids(&own));
        let foreign: Vec<_> = double().into_iter().filter(|span| span.id != "order").collect();
        assert!(Waterfall::of(&foreign, &answer(&double(), "none")).rows.is_empty());
    }

    #[test]
    fn a_flood_of_spans_or_of_text_is_counted_and_not_kept() {
        let mut spans = double();
        let own = spans.len();
        let more = |number| span(&format!("more{number}"), "in2", Kind::Internal, 0..1);
        spans.extend((0..MAX_ROWS).map(more));
        let waterfall = of(&spans);
        assert_eq!((waterfall.rows.len(), waterfall.left_out), (MAX_ROWS, own));

        let mut spans = double();
        spans.push(more(0).text("big", &"x".repeat(MAX_TEXT)));
        let waterfall = of(&spans);
        assert!(waterfall.rows.iter().all(|row| row.span.id != "more0"));
        assert!(waterfall.left_out > 0);
    }
}
