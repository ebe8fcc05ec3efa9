//! Text for people who have never read a trace.

mod pod_replacement;

use std::fmt::Write as _;
use std::sync::Arc;

use campuscafe_api::order::{Lane, OrderState, Outcome};
use campuscafe_evidence::counters::Counters;
use campuscafe_evidence::from_spans::FromSpans as _;
use campuscafe_evidence::ledger::{Basis, Ledger};
use campuscafe_evidence::message_order::PingBatch;
use campuscafe_evidence::order::{Delivered, Later, Order};
use campuscafe_evidence::order_trace::Asked;
use campuscafe_evidence::pod_replacement::CHAOS as REPLACEMENT_CHAOS;
use campuscafe_telemetry::attribute::RUN;

use super::columns::{WIDTH, left, wrap};
use super::style::Tone;
use super::voice::Voice;
use super::{diagram, message_order, same_view, script, storm, tables};
use crate::lessons::{
    Act, Decision, Event, Evidence, Experiment, Finding, Findings, HeldAnswer, Link, Row, Series,
    THERE_ARE, Trial, outcome, reservations,
};
use crate::messages::{Language, Message, Value};
use crate::printable::printable;
use pod_replacement::pod_replacement;

pub(super) use pod_replacement::request;

/// Columns of the names of a ledger.
pub(super) const NAME: usize = 24;

/// Columns before the titles of a summary.
const TITLE: usize = 26;

/// For a run on services of its own, which it always starts or need not start.
pub(super) fn farewell(voice: Voice, always: bool) -> String {
    let id = if always { "cli-farewell-own" } else { "cli-farewell" };
    format!("\n{}\n", wrap(&voice.say(id), WIDTH).join("\n"))
}

/// What there is to say about an event, if anything.
pub(super) fn of(event: Event<'_>, voice: Voice) -> Option<String> {
    match event {
        Event::ExperimentBegan(experiment) => Some(heading(experiment, voice)),
        Event::TrialBegan { trial, seed } => Some(announcement(trial, seed, voice)),
        Event::Delivered { item, delivered } => Some(delivery(item, delivered, voice)),
        Event::SurplusOrdered { item, pieces } => Some(surplus(item, pieces, voice)),
        Event::TrialSkipped(trial) => Some(skipped(trial, voice)),
        Event::InventoryKilled(_) => {
            Some(wrap(&voice.say("crash-killed"), WIDTH).join("\n") + "\n")
        }
        Event::InventoryRestarted(crash) => {
            let kept = crash.restart.is_some_and(|restart| restart.kept);
            let id = if kept { "crash-kept" } else { "crash-forgot" };
            Some(wrap(&voice.say(id), WIDTH).join("\n") + "\n\n")
        }
        Event::AnswerHeld(held) => Some(question(held, voice)),
        Event::Undecided => Some(format!("\n{}\n\n", voice.say("held-undecided"))),
        Event::Judged(judged) => Some(finding(judged, voice)),
        Event::ExperimentEnded(findings) => Some(closing(findings, voice)),
        Event::AllEnded(all) => (all.len() > 1).then(|| summary(all, voice)),
        _ => None,
    }
}

fn heading(experiment: &Experiment, voice: Voice) -> String {
    let heading = Message::new("cli-experiment")
        .with("name", experiment.name)
        .with("title", experiment.title());
    let lines = wrap(&voice.put(&heading), WIDTH).join("\n");
    format!("\n{}\n", voice.strong(&lines))
}

pub(super) fn announcement(trial: &Trial, seed: u64, voice: Voice) -> String {
    let message = |id: &'static str| Message::new(id);
    let asked = match &trial.act {
        Act::Order(plan, _) | Act::HeldOrder(plan, _) | Act::Crash(plan, ..) => {
            let asked = if plan.retry { message("asked-retry") } else { message("asked-order") };
            let asked = asked.with("chaos", plan.chaos);
            match plan.lane {
                Lane::Naive => asked,
                Lane::Cured => message("asked-idempotent").with("asked", asked),
            }
        }
        // Only the pages ask for such an order.
        Act::FreeOrder(_) => return String::new(),
        Act::Pings { count, .. } => {
            message("asked-pings").with("count", *count).with("seed", seed.to_string())
        }
        Act::Rounds { rounds, count, .. } => {
            message("asked-rounds").with("rounds", *rounds).with("count", *count)
        }
        Act::Calls { calls, .. } => message("asked-calls").with("calls", *calls),
        Act::Series(plan, _) => {
            message("asked-series").with("seed", seed.to_string()).with("most", plan.at_once)
        }
        Act::Script(_, Lane::Naive, _) => message("asked-naive"),
        Act::Script(_, Lane::Cured, _) => message("asked-cured"),
        Act::Storm(plan, _) => message("asked-storm")
            .with("seconds", plan.ends)
            .with("rate", plan.rate)
            .with("capacity", plan.capacity),
        Act::PodReplacement(plan, _) => message("asked-pods")
            .with("chaos", REPLACEMENT_CHAOS)
            .with("service", plan.service.name()),
    };
    let caption = wrap(&voice.say(trial.caption), WIDTH).join("\n");
    format!("\n{}\n{}\n\n", voice.strong(&caption), voice.tone(Tone::Faint, &voice.put(&asked)))
}

/// That a trial was left out, and why.
fn skipped(trial: &Trial, voice: Voice) -> String {
    let caption = wrap(&voice.say(trial.caption), WIDTH).join("\n");
    let why = voice.tone(Tone::Doubt, &wrap(&voice.say("crash-skipped"), WIDTH).join("\n"));
    format!("\n{}\n{why}\n", voice.strong(&caption))
}

/// What there is to decide about a held answer, or what is decided.
fn question(held: &HeldAnswer, voice: Voice) -> String {
    let hold = &held.hold;
    let reservation = &hold.reservation;
    let facts = Message::new("held-facts")
        .with("request", printable(&hold.request_id).into_owned())
        .with("item", printable(&reservation.item_id).into_owned())
        .with("quantity", reservation.quantity.to_string())
        .with("reservation", printable(&reservation.reservation_id).into_owned())
        .with("limit", held.limit);
    let decided = match held.decided {
        None => format!("\n{}", voice.say("held-ask")),
        Some(Decision::Release) => voice.say("held-releases"),
        Some(Decision::Cut) => voice.say("held-cuts"),
        Some(Decision::Wait) => voice.say("held-waits"),
    };
    format!("{}\n{decided}\n\n", voice.put(&facts))
}

/// What a trial left behind.
pub(crate) fn evidence(finding: &Finding, voice: Voice) -> String {
    let readable = finding.had_span_source;
    match &finding.evidence {
        Evidence::Order(placed) => order(placed, readable, voice),
        Evidence::Pings(held) => batch(held, readable, voice),
        Evidence::Rounds(told) => tables::rounds(told, voice),
        Evidence::Calls(told) => tables::calls(told, voice),
        Evidence::Series(told) => series(told, voice),
        Evidence::Script(played) => script::text(played, readable, voice),
        Evidence::Storm(seen) => storm::draw(seen, voice),
        Evidence::PodReplacement(seen) => pod_replacement(seen, voice),
    }
}

fn finding(finding: &Finding, voice: Voice) -> String {
    let evidence = evidence(finding, voice);
    let verdict = &finding.verdict;
    let word = voice.conclusion(verdict.conclusion, verdict.incomplete.is_empty());
    let why = wrap(&printable(&voice.put(&verdict.why)), WIDTH - 2).join("\n  ");
    let places = places(finding, voice);
    let word = voice.tone(Tone::of(verdict.conclusion), &word);
    format!("{evidence}\n{word}\n  {why}\n{places}")
}

fn closing(findings: &Findings, voice: Voice) -> String {
    let mut text = String::new();
    let rows = findings.experiment.side_by_side;
    if !rows.is_empty() && findings.all.len() > 1 {
        let _ = write!(text, "\n{}", side_by_side(rows, &findings.all, voice));
    }
    if let Some(view) = findings.same_view() {
        let _ = write!(text, "\n{}", same_view::text(&view, voice));
    }
    let hints = hints(findings);
    if !hints.is_empty() {
        let _ = writeln!(text, "\n{}", voice.strong(&voice.say("look")));
    }
    for hint in hints {
        let _ = writeln!(text, "  - {}", wrap(&voice.put(&hint), WIDTH - 4).join("\n    "));
    }
    text
}

/// What to look at in those tools that are there.
fn hints(findings: &Findings) -> Vec<Message> {
    let name = findings.experiment.name;
    let linked = |link: fn(&Finding) -> &Option<Link>| {
        findings.all.iter().any(|finding| matches!(link(finding), Some(Link::To(_))))
    };
    let mut hints = Vec::new();
    if linked(|finding| &finding.in_jaeger) {
        let what = Message::new(format!("look-jaeger-{name}"));
        hints.push(Message::new("look-jaeger").with("what", what));
        let search = Message::new("look-jaeger-search");
        hints.push(search.with("tag", RUN).with("run", findings.run.as_str()));
    }
    if linked(|finding| &finding.in_grafana) {
        let what = Message::new(format!("look-grafana-{name}"));
        hints.push(Message::new("look-grafana").with("what", what));
    }
    hints
}

/// A row for each thing to compare, with a column for each order.
fn side_by_side(rows: &[Row], findings: &[Arc<Finding>], voice: Voice) -> String {
    let orders: Vec<&Order> = findings
        .iter()
        .filter_map(|finding| match &finding.evidence {
            Evidence::Order(order) => Some(order.as_ref()),
            _ => None,
        })
        .collect();
    let line = |row: &Row| {
        let cell = |order: &&Order| left(&voice.value(&(row.cell)(order)), 18);
        let cells: String = orders.iter().map(cell).collect();
        format!("  {}{}\n", left(&voice.say(row.name), NAME), cells.trim_end())
    };
    rows.iter().map(line).collect()
}

/// A line for each experiment of a run.
fn summary(all: &[Findings], voice: Voice) -> String {
    let mut text = format!("\n{}\n", voice.strong(&voice.say("cli-summary")));
    for findings in all {
        let conclusion = findings.conclusion();
        let word = left(&voice.conclusion(conclusion, true), 10);
        let word = voice.tone(Tone::of(conclusion), &word);
        let (name, title) = (findings.experiment.name, voice.put(&findings.experiment.title()));
        let title = match conclusion.is_shown() && findings.is_incomplete() {
            true => voice.tell("word-incomplete", &[("word", title.into())]),
            false => title,
        };
        let title = wrap(&title, WIDTH - TITLE).join(&format!("\n{}", " ".repeat(TITLE)));
        let _ = writeln!(text, "  {name:<11} {word}  {title}");
    }
    text
}

fn order(order: &Order, readable: bool, voice: Voice) -> String {
    let mut text = stock(order, voice);
    match &order.order_trace {
        Some(order_trace) => {
            for line in diagram::draw(order_trace, voice.language) {
                let _ = writeln!(text, "{}", voice.tone(line.tone, &line.text));
            }
            if !order_trace.is_complete() {
                text.push_str(&only_ledger("drawn-incomplete", voice));
            }
        }
        None => {
            text.push_str(&no_spans(order.response.report.trace_id.is_some(), readable, voice));
        }
    }
    let _ = write!(text, "\n{}\n{}", ledger(order, voice), deltas(&order.deltas, voice));
    text
}

/// What was ordered in place of the usual item.
fn stock(order: &Order, voice: Voice) -> String {
    let mut text = String::new();
    let item = || printable(&order.ledger.item).into_owned().into();
    if !order.is_of_usual_item() {
        let _ = writeln!(text, "{}\n", voice.tell("stock-other-item", &[("item", item())]));
    }
    text
}

fn delivery(item: &str, delivered: Delivered, voice: Voice) -> String {
    let values = [
        ("quantity", delivered.quantity.into()),
        ("item", printable(item).into_owned().into()),
        ("before", delivered.stock_before.into()),
    ];
    format!("{}\n\n", voice.tell("stock-delivered", &values))
}

fn surplus(item: &str, pieces: u64, voice: Voice) -> String {
    let values = [
        ("pieces", pieces.into()),
        ("item", printable(item).into_owned().into()),
        ("left", THERE_ARE.into()),
    ];
    wrap(&voice.tell("stock-surplus", &values), WIDTH).join("\n") + "\n\n"
}

fn series(series: &Series, voice: Voice) -> String {
    let delivered = series.delivered.map(|delivered| {
        let values =
            [("quantity", delivered.quantity.into()), ("before", delivered.stock_before.into())];
        voice.tell("stock-delivered-pieces", &values) + "\n\n"
    });
    delivered.unwrap_or_default() + &super::series::draw(series, voice)
}

fn batch(batch: &PingBatch, readable: bool, voice: Voice) -> String {
    let mut text = String::new();
    match &batch.pings {
        Some(pings) => {
            for line in message_order::draw(pings, voice) {
                let _ = writeln!(text, "{line}");
            }
        }
        None => {
            text.push_str(&no_spans(batch.report.trace_id.is_some(), readable, voice));
        }
    }
    let row = |name: &str, cells: Vec<String>| {
        format!("  {}{}\n", left(&voice.say(name), 20), cells.join(" "))
    };
    let cell = |text: String| format!("{text:>4}");
    let report = &batch.report;
    let sent = report.planned.iter().map(|ping| cell(ping.i.to_string())).collect();
    let delays = report.planned.iter().map(|ping| cell(ping.delay_ms.to_string())).collect();
    let answered = report.completed_order.iter().map(|ping| cell(ping.i.to_string())).collect();
    let _ = write!(
        text,
        "\n{}{}{}{}\n{}",
        row("pings-sent", sent),
        row("pings-delay", delays),
        row("pings-answered", answered),
        row("pings-inversions", vec![cell(report.inversions.to_string())]),
        deltas(&batch.deltas, voice)
    );
    text
}

pub(super) fn no_spans(traced: bool, readable: bool, voice: Voice) -> String {
    let why = match (readable, traced) {
        (_, false) => "drawn-no-traces",
        (false, true) => "drawn-no-source",
        (true, true) => "drawn-no-root",
    };
    only_ledger(why, voice)
}

/// Why there is no whole picture, and what the verdict rests on.
pub(super) fn only_ledger(why: &str, voice: Voice) -> String {
    format!("{}\n{}\n", voice.say(why), voice.say("only-ledger"))
}

fn ledger(order: &Order, voice: Voice) -> String {
    let (ledger, response) = (&order.ledger, &order.response);
    let told = Message::new("cell-told")
        .with("status", response.status.to_string())
        .with("words", printable(&response.words).into_owned());
    let is = Message::new("cell-is")
        .with("outcome", outcome(response.report.outcome))
        .with("after", response.after);
    let later = order.later.iter().flat_map(later);
    let made = Message::new(match ledger.basis {
        Basis::Spans => "cell-made",
        Basis::Totals => "cell-made-in-total",
    });
    let held = reservations(ledger.reservations);
    let held = match order.forgotten() {
        0 => held,
        forgotten => Message::new("cell-forgotten").with("held", held).with("count", forgotten),
    };
    let made = made
        .with("made", held)
        .with("item", printable(&ledger.item).into_owned())
        .with("before", ledger.stock_before.to_string())
        .with("after", ledger.stock_after.to_string());
    let others = match ledger.taken_by_others() {
        0 => None,
        pieces => Some(("row-others", Message::new("cell-others").with("pieces", pieces))),
    };
    let rows = [Some(("row-told", told)), gloss(&response.words, voice).map(|gloss| ("", gloss))]
        .into_iter()
        .chain([Some(("row-is", is))])
        .chain(later.map(Some))
        .chain([Some(("row-knows", reservations(ledger.known)))])
        .chain([Some(("row-made", made)), others, Some(("row-gap", gap(ledger)))])
        .flatten();
    let mut text = voice.say("ledger") + "\n";
    for (name, cell) in rows {
        let name = if name.is_empty() { String::new() } else { voice.say(name) };
        let _ = writeln!(text, "  {}{}", left(&name, NAME), voice.put(&cell));
    }
    text
}

/// What a customer in doubt did, and what the outcome was then.
fn later(later: &Later) -> Vec<(&'static str, Message)> {
    let did = match later.asked {
        Asked::Again => Message::new("cell-again"),
        Asked::State => Message::new("cell-asked-state"),
    };
    let is =
        Message::new("cell-is").with("outcome", outcome(later.outcome)).with("after", later.after);
    let states = later.history.iter().map(|change| Message::new(state(change.state))).collect();
    let history = Message::new("cell-history").with("states", Value::List(states, "arrow"));
    let history = (!later.history.is_empty()).then_some(("row-history", history));
    [("row-then", did), ("row-is-then", is)].into_iter().chain(history).collect()
}

/// The message that names a state of an order.
pub(crate) const fn state(state: OrderState) -> &'static str {
    match state {
        OrderState::Placing => "order-placing",
        OrderState::Confirmed => "outcome-confirmed",
        OrderState::Failed => "outcome-failed",
        OrderState::Unknown => "outcome-unknown",
        OrderState::Cancelling => "order-cancelling",
        OrderState::Cancelled => "order-cancelled",
    }
}

/// What the words of an answer mean, for somebody who does not read English.
pub(crate) fn gloss(words: &str, voice: Voice) -> Option<Message> {
    let glosses = [
        ("Order failed", "gloss-order-failed"),
        ("Retry also failed", "gloss-retry-failed"),
        ("reserved (first try)", "gloss-first-try"),
        ("reserved (after timeout retry)", "gloss-after-retry"),
    ];
    let (_, gloss) = glosses.into_iter().find(|(begin, _)| words.starts_with(begin))?;
    (voice.language != Language::English).then(|| Message::new(gloss))
}

/// What lies between what the customer knows and what the inventory holds.
fn gap(ledger: &Ledger) -> Message {
    match ledger.gap {
        0 if ledger.told == Outcome::Unknown => Message::new("gap-unheard"),
        0 => Message::new("gap-none"),
        1.. => Message::new("gap-more").with("made", reservations(ledger.gap.unsigned_abs())),
        ..0 => Message::new("gap-false"),
    }
}

pub(super) fn deltas(deltas: &Counters, voice: Voice) -> String {
    let mut text = voice.say("counters") + "\n";
    for (series, by) in deltas {
        let _ = writeln!(text, "{}", counter(&format!("  +{by}  {}", printable(series))));
    }
    text
}

/// A line of a counter; if it is too long, it goes on below after one of its labels.
fn counter(line: &str) -> String {
    let fits = line.char_indices().nth(WIDTH).map(|(end, _)| &line[..end]);
    match fits.and_then(|fits| line.split_at_checked(fits.rfind(',')? + 1)) {
        Some((begin, end)) => format!("{begin}\n        {end}"),
        None => line.to_owned(),
    }
}

/// The trace, and where to see it and its time.
pub(super) fn places(finding: &Finding, voice: Voice) -> String {
    let mut text = String::new();
    let link = |link: &Link| match link {
        Link::To(url) => url.clone(),
        Link::Nowhere(why) => voice.put(why),
    };
    if let Some(trace) = finding.trace_id() {
        let trace = printable(trace).into_owned();
        let _ = writeln!(text, "\n{}", voice.tell("look-trace", &[("id", trace.into())]));
        let link = finding.in_jaeger.as_ref().map(link).or(finding.in_lab.clone());
        if let Some(link) = link {
            let _ = writeln!(text, "  {}", printable(&link));
        }
    }
    if let Some(dashboard) = &finding.in_grafana {
        let link = link(dashboard);
        let _ = writeln!(text, "{}\n  {}", voice.say("look-dashboard"), printable(&link));
    }
    text
}

#[cfg(test)]
mod tests;
