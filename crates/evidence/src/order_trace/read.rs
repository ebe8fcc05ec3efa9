//! From the spans of a trace to one order in it.

use campuscafe_api::order::{self, AttemptResult, Lane, OrderReport};
use campuscafe_attributes as attribute;
use campuscafe_chaos::{Before, Fault, Plan, Step};

use super::{Answered, Attempt, Commit, Crash, End, OrderTrace, ServerAttempt, UnderKey};
use crate::flaw::{Flaw, Part};
use crate::span::{Kind, Span};

/// `None` while the order's own span is missing.
///
/// Only what hangs below the span with the answer's order id belongs to the
/// order: a trace may hold other orders, and spans that anybody made up.
pub(super) fn order_trace(spans: &[Span], answer: &Answered) -> Option<OrderTrace> {
    let report = &answer.report;
    let mut flaws = Vec::new();
    let roots = spans.iter().filter(|span| is_of_order(span, report));
    let root = only(roots, Part::Order, &mut flaws)?;
    let clients: Vec<_> = children(spans, root).filter(|span| span.kind == Kind::Client).collect();
    let attempts = report
        .attempts
        .iter()
        .filter_map(|made| attempt(spans, &clients, made, answer, &mut flaws))
        .collect();
    let unheard_of = clients
        .iter()
        .map(|client| attempt_number(client))
        .find(|number| report.attempts.iter().all(|made| made.number != *number));
    flaws.extend(unheard_of.map(|number| Flaw::Contradictory(Part::Attempt(number))));
    Some(OrderTrace {
        start: root.start,
        told_at: root.end,
        outcome: root.text(attribute::ORDER_OUTCOME).unwrap_or_default().to_owned(),
        status: root.int(attribute::HTTP_RESPONSE_STATUS_CODE),
        lane: lane(root),
        attempts,
        crash: answer.crash,
        settled: None,
        later: None,
        instance: root.instance.clone(),
        flaws,
    })
}

/// The lane that a span names.
fn lane(span: &Span) -> Option<Lane> {
    let named = span.text(attribute::ORDER_LANE)?;
    Lane::ALL.into_iter().find(|lane| lane.as_str() == named)
}

/// Whether it is the order's own span.
pub(crate) fn is_of_order(span: &Span, report: &OrderReport) -> bool {
    span.kind == Kind::Server
        && span.text(attribute::ORDER_ID) == Some(&report.order_id)
        && span.text(attribute::ORDER_OUTCOME) == Some(report.outcome.as_str())
}

pub(super) fn children<'a>(spans: &'a [Span], parent: &'a Span) -> impl Iterator<Item = &'a Span> {
    spans.iter().filter(|span| span.parent.as_deref() == Some(&parent.id))
}

/// The only span in a place. An exact copy is not a second span, because an exporter
/// may have to send a span again.
fn only<'a>(
    mut candidates: impl Iterator<Item = &'a Span>,
    part: Part,
    flaws: &mut Vec<Flaw>,
) -> Option<&'a Span> {
    let Some(first) = candidates.next() else {
        flaws.push(Flaw::Missing(part));
        return None;
    };
    if candidates.any(|other| other != first) {
        flaws.push(Flaw::Ambiguous(part));
    }
    Some(first)
}

/// The attempt that a client span stands for: it counts resends, from none.
pub(crate) fn attempt_number(client: &Span) -> u32 {
    let resends = client.int(attribute::HTTP_REQUEST_RESEND_COUNT).unwrap_or(0);
    u32::try_from(resends).map_or(u32::MAX, |resends| resends.saturating_add(1))
}

fn attempt(
    spans: &[Span],
    clients: &[&Span],
    made: &order::Attempt,
    answer: &Answered,
    flaws: &mut Vec<Flaw>,
) -> Option<Attempt> {
    let told = made.status.map(i64::from);
    let same = clients.iter().copied().filter(|client| {
        attempt_number(client) == made.number
            && client.int(attribute::HTTP_RESPONSE_STATUS_CODE) == told
    });
    let client = only(same, Part::Attempt(made.number), flaws)?;
    let end = match told {
        Some(status) => End::Answered(status),
        None => End::Unanswered(client.text(attribute::ERROR_TYPE).unwrap_or("?").to_owned()),
    };
    let request_id = format!("order-{}", answer.report.order_id);
    let mut servers = children(spans, client)
        .filter(|span| span.kind == Kind::Server && answers(span, &request_id, told));
    let part = Part::ServerAttempt(made.number);
    let step = answer.plan.step(made.number);
    let served = match answer.crash {
        _ if made.result == AttemptResult::Refused => {
            flaws.extend(servers.next().map(|_| Flaw::Contradictory(part)));
            None
        }
        Some(crash) if told.is_none() && crash.is_during(client) => {
            Some(killed(spans, crash, made.number, step, flaws))
        }
        _ => {
            let server = only(servers, part, flaws);
            server.map(|server| served(spans, server, made.number, step, flaws))
        }
    };
    Some(Attempt { number: made.number, sent: client.start, ended: client.end, end, served })
}

/// Whether a server span below an attempt's is that of the attempt. Anybody who
/// knows an attempt's span can put a request of their own below it, so it must
/// name the request; it may be silent only where the attempt was refused,
/// since a request may be refused before its name is read.
fn answers(server: &Span, request_id: &str, told: Option<i64>) -> bool {
    let status = server.int(attribute::HTTP_RESPONSE_STATUS_CODE);
    let named = match server.text(attribute::REQUEST_ID) {
        Some(name) => name == request_id,
        None => told.is_some_and(|status| status >= 400),
    };
    named && (told.is_none() || status == told)
}

/// What the inventory did for an attempt, from its span and those below it.
pub(crate) fn served(
    spans: &[Span],
    server: &Span,
    attempt: u32,
    step: Step,
    flaws: &mut Vec<Flaw>,
) -> ServerAttempt {
    let decided = server.text(attribute::CHAOS_STEP);
    let fault = match step {
        Step::Fixed(fault) => Some(fault),
        Step::SlowBetween(..) | Step::Flaky => decided.and_then(certain),
    };
    let promised = promises_commit(server, fault);
    let below =
        |name| children(spans, server).filter(move |span| span.attributes.contains_key(name));

    let part = Part::Commit(attempt);
    let mut commits = below(attribute::RESERVATION_ID).peekable();
    let committed =
        if promised || commits.peek().is_some() { only(commits, part, flaws) } else { None };
    if !promised && committed.is_some() {
        flaws.push(Flaw::Contradictory(part));
    }

    let under_key = under_key(server);
    let mut acted = below(attribute::CHAOS_STEP).peekable();
    // A fault that the inventory never came to decide on, or to, has no span. A fault after
    // the commit acts also where the reservation of an earlier attempt is told again.
    let told = promised || under_key == Some(UnderKey::Replayed) && !is_refused(server);
    let reached = decided.is_some()
        && fault.is_some_and(|fault| {
            fault.is_active() && (told || fault.before_commit() != Before::Commit)
        });
    let acted = if reached || acted.peek().is_some() {
        only(acted, Part::Fault(attempt), flaws)
    } else {
        None
    };

    let abandoned =
        server.events.iter().find(|event| event.name == attribute::EVENT_CLIENT_DISCONNECTED);
    ServerAttempt {
        ended: server.end,
        abandoned: abandoned.map(|event| event.at),
        status: server.int(attribute::HTTP_RESPONSE_STATUS_CODE),
        cut: server.text(attribute::ERROR_TYPE) == Some(attribute::CONNECTION_ABORTED),
        killed: None,
        fault: decided.unwrap_or("none").to_owned(),
        fault_acted: acted.map(|span| (span.start, span.end)),
        commit: committed.map(commit),
        under_key,
        instance: server.instance.clone(),
    }
}

/// What the inventory did for an attempt before its process was killed. Of a span that had not
/// ended nothing was sent, so the reservation is below a span that is not there.
fn killed(
    spans: &[Span],
    crash: Crash,
    attempt: u32,
    step: Step,
    flaws: &mut Vec<Flaw>,
) -> ServerAttempt {
    let is_there = |id: &str| spans.iter().any(|span| span.id == id);
    let commits = spans.iter().filter(|span| {
        span.attributes.contains_key(attribute::RESERVATION_ID)
            && span.parent.as_deref().is_some_and(|parent| !is_there(parent))
    });
    let fault = match step {
        Step::Fixed(fault) => fault,
        Step::SlowBetween(..) | Step::Flaky => Fault::None,
    };
    ServerAttempt {
        ended: crash.killed_at,
        abandoned: None,
        status: None,
        cut: false,
        killed: Some(crash.killed_at),
        fault: fault.to_string(),
        fault_acted: None,
        commit: only(commits, Part::Commit(attempt), flaws).map(commit),
        under_key: None,
        instance: None,
    }
}

/// What the inventory decided, where its span says so.
fn certain(step: &str) -> Option<Fault> {
    match step.parse::<Plan>().ok()?.step(1) {
        Step::Fixed(fault) => Some(fault),
        Step::SlowBetween(..) | Step::Flaky => None,
    }
}

/// Whether the inventory must have committed: its own answer says so or, where
/// nobody heard one, the fault does. Where neither is known it may have.
fn promises_commit(server: &Span, fault: Option<Fault>) -> bool {
    match server.int(attribute::HTTP_RESPONSE_STATUS_CODE) {
        // What was decided before under the key is told again, or that nothing can be.
        _ if under_key(server).is_some() => false,
        Some(status) => (200..300).contains(&status),
        None if is_refused(server) => false,
        None => fault.is_none_or(|fault| {
            matches!(
                fault.before_commit(),
                Before::Commit | Before::WaitThenCommit(_) | Before::ReadThenWait(_)
            )
        }),
    }
}

fn is_refused(server: &Span) -> bool {
    server.attributes.contains_key(attribute::RESERVATION_REFUSED)
}

fn under_key(server: &Span) -> Option<UnderKey> {
    if server.flag(attribute::KEY_VOID) {
        Some(UnderKey::Void)
    } else {
        server.flag(attribute::IDEMPOTENT_REPLAYED).then_some(UnderKey::Replayed)
    }
}

pub(crate) fn commit(span: &Span) -> Commit {
    Commit {
        at: span.start,
        item: span.text(attribute::RESERVATION_ITEM).unwrap_or_default().to_owned(),
        before: span.int(attribute::STOCK_BEFORE).unwrap_or_default(),
        after: span.int(attribute::STOCK_AFTER).unwrap_or_default(),
        late: span.flag(attribute::RESERVATION_LATE),
        duplicate: span.flag(attribute::RESERVATION_DUPLICATE),
        lane: lane(span),
    }
}
