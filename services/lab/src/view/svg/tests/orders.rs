//! Orders to draw, as spans tell them.

use campuscafe_attributes as attribute;
use campuscafe_evidence::diagram::Diagram;
use campuscafe_evidence::from_spans::FromSpans as _;
use campuscafe_evidence::order_trace::OrderTrace;
use campuscafe_evidence::span::{Span, Value};
use campuscafe_evidence::testing::{
    With as _, answer, answered, commit, double, order, resent, served, unanswered,
};

/// An item's name that a page must show and not obey.
pub(super) const HOSTILE: &str = "<img src=x onerror=alert(1)>";

pub(super) fn order_trace(spans: &[Span]) -> OrderTrace {
    OrderTrace::of(spans, &answer(spans, "none")).expect("an order")
}

pub(super) fn diagram(spans: &[Span]) -> Diagram {
    Diagram::of(&order_trace(spans))
}

/// Every kind of order, by its name.
pub(super) fn all() -> Vec<(&'static str, Diagram)> {
    let orders = [
        ("well", well()),
        ("double", double()),
        ("both-slow", both_slow()),
        ("abort", cut("abort", false)),
        ("lostreply", cut("lostreply", true)),
        ("slowfail", slow_fail()),
        ("slowreply", slow_reply()),
        ("hold", hold()),
        ("conflict", conflict()),
        ("refused", refused()),
        ("too-late", too_late()),
    ];
    let mut all = orders.map(|(name, spans)| (name, diagram(&spans))).to_vec();
    all.push(("hostile", hostile()));
    all
}

fn well() -> Vec<Span> {
    vec![
        order(5, "confirmed", 200),
        answered("one", 1..4, 200),
        served("in", "one", 2..3, "none").status(200),
        commit("in", 2, 10, false, false),
    ]
}

fn both_slow() -> Vec<Span> {
    vec![
        order(2004, "unknown", 504),
        unanswered("one", 1..1001, "timeout"),
        resent(unanswered("two", 1002..2003, "timeout")),
        served("in1", "one", 2..2002, "slow:2000").left_at(1002),
        served("in2", "two", 1003..3003, "slow:2000").left_at(2003),
        commit("in1", 2002, 10, true, false),
        commit("in2", 3003, 9, true, true),
    ]
}

fn cut(fault: &str, committed: bool) -> Vec<Span> {
    let server = served("in", "one", 2..4, fault).text(attribute::ERROR_TYPE, "connection_aborted");
    let mut spans =
        vec![order(6, "unknown", 504), unanswered("one", 1..5, "connection_lost"), server];
    spans.extend(committed.then(|| commit("in", 3, 10, false, false)));
    spans
}

fn slow_fail() -> Vec<Span> {
    vec![
        order(1003, "unknown", 504),
        unanswered("one", 1..1001, "timeout"),
        served("in", "one", 2..2003, "slowfail:2000").left_at(1002).status(503),
    ]
}

fn slow_reply() -> Vec<Span> {
    vec![
        order(1003, "unknown", 504),
        unanswered("one", 1..1001, "timeout"),
        served("in", "one", 2..2003, "slowreply:2000").left_at(1002),
        commit("in", 3, 10, false, false),
    ]
}

/// The inventory still holds the answer: it has no span that ended.
fn hold() -> Vec<Span> {
    vec![
        order(1003, "unknown", 504),
        unanswered("one", 1..1001, "timeout"),
        served("in", "one", 2..15_003, "hold:15000").left_at(1002),
        commit("in", 3, 10, false, false),
    ]
}

fn conflict() -> Vec<Span> {
    vec![
        order(5, "failed", 409),
        answered("one", 1..4, 409),
        served("in", "one", 2..3, "none").status(409),
    ]
}

fn refused() -> Vec<Span> {
    vec![order(3, "failed", 502), unanswered("one", 1..2, "connection_refused")]
}

/// The answer leaves at the moment in which the order service gives up.
fn too_late() -> Vec<Span> {
    vec![
        order(1003, "unknown", 504),
        unanswered("one", 1..1001, "timeout"),
        served("in", "one", 2..1002, "slow:1000").status(200),
        commit("in", 1000, 10, false, false),
    ]
}

fn hostile() -> Diagram {
    let item = |span: Span| span.text(attribute::RESERVATION_ITEM, HOSTILE);
    let mut spans = vec![
        order(1005, "confirmed", 200),
        unanswered("one", 1..1001, "\u{202e}<b onclick=x>"),
        resent(answered("two", 1002..1004, 200)),
        served("in1", "one", 2..2002, "slow:<svg/onload=alert(1)>").left_at(1002),
        served("in2", "two", 1003..1004, "none' style='x").status(200),
    ];
    spans.extend([
        item(commit("in1", 2002, 1_000_000_000, true, true)),
        item(commit("in2", 1003, i64::MAX, false, false)),
    ]);
    let mut order_trace = order_trace(&spans);
    order_trace.outcome = "\"><script>alert(1)</script>".to_owned();
    Diagram::of(&order_trace)
}

/// An order whose spans somebody made up: this many attempts, all at work at once.
pub(super) fn many(attempts: u32) -> Diagram {
    let names: Vec<_> = (0..attempts).map(|number| (format!("a{number}"), number)).collect();
    let spans = names.iter().flat_map(|(name, number)| {
        let at = u64::from(*number) * 400;
        let end = u64::from(attempts) * 400 + at;
        let attempt = unanswered(name, at..at + 399, "timeout")
            .with(attribute::HTTP_REQUEST_RESEND_COUNT, Value::Int(i64::from(*number)));
        let id = format!("in-{name}");
        let server = served(&id, name, at + 1..end, "slow:2000").left_at(at + 399);
        [attempt, server, commit(&id, end, 10, true, *number > 0)]
    });
    let mut spans: Vec<_> = spans.collect();
    spans.push(order(u64::from(attempts) * 400, "unknown", 504));
    diagram(&spans)
}
