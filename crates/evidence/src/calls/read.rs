//! From the spans of traces to the calls in them.

use std::collections::{BTreeMap, BTreeSet};

use campuscafe_attributes as attribute;

use super::{Arrival, Call, Calls, Change, ChangeKind, Effect, MAX_CALLS, Request, SAYS, Served};
use crate::diagram::Lane;
use crate::flaw::{Flaw, Part};
use crate::order_trace::{End, commit};
use crate::refusal::Refusal;
use crate::span::{Kind, Span};

/// A call before all of them are in order and numbered.
struct Found<'a> {
    client: &'a Span,
    /// The script's own call that set it off.
    root: &'a Span,
    from: Lane,
    servers: Vec<&'a Span>,
    effects: Vec<Effect>,
}

/// `None` if the script made no call. Only what hangs below its own calls belongs to it:
/// anybody may send spans into a trace.
pub(super) fn calls(spans: &[Span], made: &[Span]) -> Option<Calls> {
    let start = made.iter().map(|call| call.start).min()?;
    let mut below: BTreeMap<&str, Vec<&Span>> = BTreeMap::new();
    for span in spans {
        if let Some(parent) = &span.parent {
            below.entry(parent).or_default().push(span);
        }
    }
    let mut found = find(made, &below);
    found.sort_by_key(|call| (call.client.start, call.client.end));
    let (mut flaws, due) = (Vec::new(), messages(&found));
    let numbers: BTreeMap<_, _> =
        (1..).zip(&found).map(|(number, call)| (call.client.id.clone(), number)).collect();
    let calls = (1..).zip(found).map(|(number, call)| {
        let root = numbers.get(&call.root.id).copied().unwrap_or(number);
        call.read(number, root, &mut flaws)
    });
    let calls: Vec<_> = calls.collect();
    let told = calls.iter().filter(|call: &&Call| call.asks("POST", "/inventory/notifications"));
    flaws.extend((told.count() < due).then_some(Flaw::Missing(Part::Messages)));
    Some(Calls { start, calls, flaws })
}

/// How many messages there must be at least. Nothing else says so: an order with a listener
/// tells it that it is accepted, and what became of it.
fn messages(found: &[Found<'_>]) -> usize {
    let servers = found.iter().filter_map(|call| call.servers.first());
    2 * servers.filter(|server| server.attributes.contains_key(attribute::ORDER_NOTIFY)).count()
}

fn find<'a>(made: &'a [Span], below: &BTreeMap<&str, Vec<&'a Span>>) -> Vec<Found<'a>> {
    let children = |span: &Span| below.get(&*span.id).into_iter().flatten().copied();
    let mut next: Vec<_> = made.iter().map(|call| (call, call, lane(call))).collect();
    let (mut found, mut seen) = (Vec::new(), BTreeSet::new());
    while let Some((client, root, from)) = next.pop() {
        // An exporter may send a span again, and a foreign one may close a circle.
        if found.len() >= MAX_CALLS || !seen.insert(&*client.id) {
            continue;
        }
        let mut servers: Vec<&Span> = Vec::new();
        for server in children(client).filter(|span| span.kind == Kind::Server) {
            if !servers.contains(&server) {
                servers.push(server);
            }
        }
        let mut effects = Vec::new();
        let mut inside: Vec<_> = servers.first().copied().into_iter().flat_map(children).collect();
        while let Some(span) = inside.pop() {
            match span.kind {
                Kind::Client => {
                    next.push((span, root, servers.first().map_or(from, |at| lane(at))));
                }
                Kind::Internal if seen.insert(&*span.id) => {
                    effects.extend(effect(span));
                    inside.extend(children(span));
                }
                _ => {}
            }
        }
        effects.sort_by_key(Effect::at);
        found.push(Found { client, root, from, servers, effects });
    }
    found
}

/// Whose span it is. Only the customer and the inventory are called by names of their own.
fn lane(span: &Span) -> Lane {
    match &*span.service {
        "customer" => Lane::Customer,
        "inventory" => Lane::Inventory,
        _ => Lane::Order,
    }
}

impl Found<'_> {
    fn read(self, number: u32, root: u32, flaws: &mut Vec<Flaw>) -> Call {
        let Self { client, from, servers, effects, .. } = self;
        let server = servers.first().copied();
        let status = client.int(attribute::HTTP_RESPONSE_STATUS_CODE);
        let end = match status {
            Some(status) => End::Answered(status),
            None => End::Unanswered(client.text(attribute::ERROR_TYPE).unwrap_or("?").to_owned()),
        };
        let request = request(client, server);
        let to = match server {
            Some(server) => lane(server),
            None if request.route.starts_with("/inventory") => Lane::Inventory,
            None => Lane::Order,
        };
        let outcome = || server.and_then(|server| server.text(attribute::ORDER_OUTCOME));
        // Of a cancel that finds nothing the status says it all.
        let nothing = (request.method == "DELETE" && status == Some(404)).then_some("none");
        let says = client.text(SAYS).or_else(outcome).or(nothing).map(str::to_owned);
        let served = server.map(|server| served(server, effects));
        let (sent, ended) = (client.start, client.end);
        let span_id = client.id.clone();
        let call =
            Call { number, span_id, root, from, to, request, sent, ended, end, says, served };
        flaws.extend(flaw(&call, status, servers.len()));
        call
    }
}

/// What keeps the spans of a call from being whole evidence.
fn flaw(call: &Call, status: Option<i64>, servers: usize) -> Option<Flaw> {
    let part = Part::Call(call.number);
    let Some(served) = &call.served else {
        return (!call.never_left()).then_some(Flaw::Missing(part));
    };
    if servers > 1 {
        return Some(Flaw::Ambiguous(part));
    }
    if call.never_left() || status.is_some() && status != served.status {
        return Some(Flaw::Contradictory(part));
    }
    let reserves = call.asks("POST", "/inventory/reserve") && !served.replayed;
    let promised = reserves && served.status.is_some_and(|status| (200..300).contains(&status));
    let committed = served.effects.iter().any(|effect| matches!(effect, Effect::Reserved(_)));
    (promised && !committed).then_some(Flaw::Missing(Part::CallCommit(call.number)))
}

fn request(client: &Span, server: Option<&Span>) -> Request {
    let method = client.text(attribute::HTTP_REQUEST_METHOD).unwrap_or_default();
    let route = server.and_then(|server| server.text(attribute::HTTP_ROUTE));
    let route = route.or_else(|| path(client.text(attribute::URL_FULL)?));
    Request { method: method.to_owned(), route: route.unwrap_or_default().to_owned() }
}

/// The path of a URL.
fn path(url: &str) -> Option<&str> {
    let (_, rest) = url.split_once("://")?;
    let path = rest.get(rest.find('/')?..)?;
    path.split(['?', '#']).next()
}

fn served(server: &Span, effects: Vec<Effect>) -> Served {
    let left = attribute::EVENT_CLIENT_DISCONNECTED;
    Served {
        ended: server.end,
        abandoned: server.events.iter().find(|event| event.name == left).map(|event| event.at),
        status: server.int(attribute::HTTP_RESPONSE_STATUS_CODE),
        cut: server.text(attribute::ERROR_TYPE) == Some(attribute::CONNECTION_ABORTED),
        fault: server.text(attribute::CHAOS_STEP).unwrap_or("none").to_owned(),
        replayed: server.flag(attribute::IDEMPOTENT_REPLAYED),
        refusal: refusal(server),
        effects,
    }
}

/// Why the called side refused. A flag of its own says that a key is void, or that the stock
/// was too low; a service that says only that is understood too.
fn refusal(server: &Span) -> Option<Refusal> {
    let flag = |name, refusal| server.flag(name).then_some(refusal);
    let named = server.text(attribute::REFUSAL).and_then(Refusal::from_word);
    named
        .or_else(|| flag(attribute::KEY_VOID, Refusal::KeyVoid))
        .or_else(|| flag(attribute::RESERVATION_REFUSED, Refusal::OutOfStock))
}

/// What an inner span of the inventory says that changed.
fn effect(span: &Span) -> Option<Effect> {
    if span.name.starts_with("cancel reservation") {
        let kind = ChangeKind::Cancelled;
        return Some(Effect::Changed(Change {
            at: span.start,
            kind,
            item: span.text(attribute::RESERVATION_ITEM).unwrap_or_default().to_owned(),
            before: span.int(attribute::STOCK_BEFORE)?,
            after: span.int(attribute::STOCK_AFTER)?,
        }));
    }
    if span.attributes.contains_key(attribute::NOTIFICATION_DROPPED) {
        return Some(Effect::Told(Arrival {
            at: span.start,
            state: span.text(attribute::NOTIFICATION_STATE).unwrap_or_default().to_owned(),
            dropped: span.flag(attribute::NOTIFICATION_DROPPED),
        }));
    }
    if span.name == "change price" {
        return Some(Effect::Changed(Change {
            at: span.start,
            kind: ChangeKind::Priced,
            item: span.text(attribute::PRICE_ITEM).unwrap_or_default().to_owned(),
            before: span.int(attribute::PRICE_BEFORE)?,
            after: span.int(attribute::PRICE_AFTER)?,
        }));
    }
    let is_commit = span.attributes.contains_key(attribute::RESERVATION_ID);
    is_commit.then(|| Effect::Reserved(commit(span)))
}
