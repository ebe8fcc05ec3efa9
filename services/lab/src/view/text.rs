//! Text for people who have never read a trace.

mod pod_replacement;

use std::fmt::Write as _;
use std::sync::Arc;

use campuscafe_evidence::counters::Counters;
use campuscafe_evidence::from_spans::FromSpans as _;
use campuscafe_evidence::ledger::Basis;
use campuscafe_evidence::message_order::PingBatch;
use campuscafe_evidence::order::Order;
use campuscafe_evidence::pod_replacement::CHAOS as REPLACEMENT_CHAOS;
use campuscafe_telemetry::attribute::RUN;

use super::diagram::{self, wrap};
use super::style::{Style, Tone};
use super::{message_order, same_view, tables};
use crate::lessons::{
    Act, Decision, Event, Evidence, Experiment, Finding, Findings, HeldAnswer, Link, Row, Series,
    Trial, reservations, seconds,
};
use crate::printable::printable;
use pod_replacement::pod_replacement;

pub(super) use pod_replacement::request;

/// For a run on services of its own.
pub(super) const FAREWELL: &str = "
The services of this run have stopped. To keep services and traces, start
`campuscafe` in another terminal, and run this again.
";

/// What there is to say about an event, if anything.
pub(super) fn of(event: Event<'_>, style: Style) -> Option<String> {
    match event {
        Event::ExperimentBegan(experiment) => Some(heading(experiment, style)),
        Event::TrialBegan { trial, seed } => Some(announcement(trial, seed, style)),
        Event::AnswerHeld(held) => Some(question(held)),
        Event::Judged(judged) => Some(finding(judged, style)),
        Event::ExperimentEnded(findings) => Some(closing(findings, style)),
        Event::AllEnded(all) => (all.len() > 1).then(|| summary(all, style)),
        _ => None,
    }
}

fn heading(experiment: &Experiment, style: Style) -> String {
    let text = format!("EXPERIMENT {}: {}", experiment.name, experiment.title);
    format!("\n{}\n", style.strong(&text))
}

fn announcement(trial: &Trial, seed: u64, style: Style) -> String {
    let asked = match &trial.act {
        Act::Order(plan, _) if plan.retry => format!("chaos \"{}\", retryOnTimeout", plan.chaos),
        Act::Order(plan, _) => format!("chaos \"{}\", no retry", plan.chaos),
        Act::FreeOrder(_) => String::new(),
        Act::HeldOrder(plan, _) => format!("chaos \"{}\", no retry", plan.chaos),
        Act::Pings { count, .. } => format!("{count} pings, seed {seed}"),
        Act::Rounds { rounds, count, .. } => format!("{rounds} rounds of {count} pings, no delays"),
        Act::Calls { calls, .. } => format!("{calls} calls each, one after the other"),
        Act::Series(plan, _) => format!("seed {seed}, up to {} at a time", plan.at_once),
        Act::PodReplacement(plan, _) => format!(
            "chaos \"{REPLACEMENT_CHAOS}\", no retry; first, finding the {} pods",
            plan.service.name()
        ),
    };
    let caption = wrap(trial.caption, diagram::WIDTH).join("\n");
    format!("\n{}\n{}\n\n", style.strong(&caption), style.tone(Tone::Faint, &asked))
}

/// What there is to decide about a held answer, or what is decided.
fn question(held: &HeldAnswer) -> String {
    let hold = &held.hold;
    let facts = format!(
        "The reservation is made, and the answer is held (GET /inventory/holds):\n  \
         {}\n  {} x{}, reservation {}\n\
         The customer waits. The order service waits too, for {} at most.\n\
         Neither knows anything yet.\n",
        printable(&hold.request_id),
        printable(&hold.reservation.item_id),
        hold.reservation.quantity,
        printable(&hold.reservation.reservation_id),
        seconds(held.limit),
    );
    let decided = match held.decided {
        None => {
            "\nWhat would you tell the customer now? Decide what becomes of the answer:\n  \
             release   it arrives\n  \
             cut       its connection breaks\n  \
             wait      nothing happens, until the order service gives up\n\
             Type one of these words, then Enter:\n"
        }
        Some(Decision::Release) => "The lab now releases the answer (--answer release).\n",
        Some(Decision::Cut) => "The lab now cuts the connection (--answer cut).\n",
        Some(Decision::Wait) => "The lab now waits for the order service (--answer wait).\n",
    };
    format!("{facts}{decided}\n")
}

/// What a trial left behind, without colour.
pub(crate) fn plain_evidence(finding: &Finding) -> String {
    evidence(finding, Style::never())
}

fn evidence(finding: &Finding, style: Style) -> String {
    let readable = finding.had_span_source;
    match &finding.evidence {
        Evidence::Order(placed) => order(placed, readable, style),
        Evidence::Pings(held) => batch(held, readable),
        Evidence::Rounds(told) => tables::rounds(told),
        Evidence::Calls(told) => tables::calls(told),
        Evidence::Series(told) => series(told, style),
        Evidence::PodReplacement(seen) => pod_replacement(seen, style),
    }
}

fn finding(finding: &Finding, style: Style) -> String {
    let evidence = evidence(finding, style);
    let verdict = &finding.verdict;
    let mut word = verdict.conclusion.as_str().to_owned();
    if verdict.conclusion.is_shown() && !verdict.incomplete.is_empty() {
        word.push_str(INCOMPLETE);
    }
    let sentence = wrap(&printable(&verdict.sentence), diagram::WIDTH - 2).join("\n  ");
    let places = places(finding);
    let word = style.tone(Tone::of(verdict.conclusion), &word);
    format!("{evidence}\n{word}\n  {sentence}\n{places}")
}

/// After the word of a verdict that rests on the totals alone.
const INCOMPLETE: &str = ", evidence incomplete";

fn closing(findings: &Findings, style: Style) -> String {
    let mut text = String::new();
    let rows = findings.experiment.side_by_side;
    if !rows.is_empty() && findings.all.len() > 1 {
        let _ = write!(text, "\n{}", side_by_side(rows, &findings.all));
    }
    if let Some(view) = findings.same_view() {
        let _ = write!(text, "\n{}", same_view::text(&view, style));
    }
    let hints = hints(findings);
    if !hints.is_empty() {
        let _ = writeln!(text, "\n{}", style.strong("Look closer"));
    }
    for hint in hints {
        let _ = writeln!(text, "  - {}", wrap(&hint, diagram::WIDTH - 4).join("\n    "));
    }
    text
}

/// What to look at in those tools that are there.
fn hints(findings: &Findings) -> Vec<String> {
    let look_at = &findings.experiment.look_at;
    let linked = |link: fn(&Finding) -> &Option<Link>| {
        findings.all.iter().any(|finding| matches!(link(finding), Some(Link::To(_))))
    };
    let mut hints = Vec::new();
    if linked(|finding| &finding.in_jaeger) {
        hints.push(format!("Jaeger: {}", look_at.jaeger));
        hints.push(format!(
            "Jaeger: in the search, the service order and the tag {RUN}={} find every trace of \
             this run",
            findings.run
        ));
    }
    if linked(|finding| &finding.in_grafana) {
        hints.push(format!("Grafana: {}", look_at.grafana));
    }
    hints
}

/// A row for each thing to compare, with a column for each order.
fn side_by_side(rows: &[Row], findings: &[Arc<Finding>]) -> String {
    let orders: Vec<&Order> = findings
        .iter()
        .filter_map(|finding| match &finding.evidence {
            Evidence::Order(order) => Some(order.as_ref()),
            _ => None,
        })
        .collect();
    let line = |row: &Row| {
        let cells: String =
            orders.iter().map(|order| format!("{:<18}", (row.cell)(order))).collect();
        format!("  {:<24}{}\n", row.name, cells.trim_end())
    };
    rows.iter().map(line).collect()
}

/// A line for each experiment of a run.
fn summary(all: &[Findings], style: Style) -> String {
    let mut text = format!("\n{}\n", style.strong("Summary"));
    for findings in all {
        let conclusion = findings.conclusion();
        let word = style.tone(Tone::of(conclusion), &format!("{:<10}", conclusion.as_str()));
        let incomplete = conclusion.is_shown() && findings.is_incomplete();
        let note = if incomplete { INCOMPLETE } else { "" };
        let (name, title) = (findings.experiment.name, findings.experiment.title);
        let _ = writeln!(text, "  {name:<8} {word}  {title}{note}");
    }
    text
}

fn order(order: &Order, readable: bool, style: Style) -> String {
    let mut text = stock(order);
    match &order.order_trace {
        Some(order_trace) => {
            for line in diagram::draw(order_trace) {
                let _ = writeln!(text, "{}", style.tone(line.tone, &line.text));
            }
            if !order_trace.is_complete() {
                text.push_str(
                    "Some spans are missing or wrong, so the picture is incomplete.\n\
                     The verdict uses only the ledger.\n",
                );
            }
        }
        None => text.push_str(no_spans(order.response.report.trace_id.is_some(), readable)),
    }
    let _ = write!(text, "\n{}\n{}", ledger(order), deltas(&order.deltas));
    text
}

/// What was ordered in place of the usual item, and what had to be delivered.
fn stock(order: &Order) -> String {
    let mut text = String::new();
    let item = printable(&order.ledger.item);
    if !order.is_of_usual_item() {
        let _ = writeln!(text, "The inventory does not know cake, so this orders {item}.");
    }
    if let Some(delivered) = order.delivered {
        let (quantity, before) = (delivered.quantity, delivered.stock_before);
        let plural = if quantity == 1 { "" } else { "s" };
        let _ = writeln!(text, "Delivered {quantity} {item}{plural}: the stock was {before}.");
    }
    if !text.is_empty() {
        text.push('\n');
    }
    text
}

fn series(series: &Series, style: Style) -> String {
    let delivered = series.delivered.map(|delivered| {
        format!(
            "Delivered {} pieces: the stock was {}.\n\n",
            delivered.quantity, delivered.stock_before
        )
    });
    delivered.unwrap_or_default() + &super::series::draw(series, style)
}

fn batch(batch: &PingBatch, readable: bool) -> String {
    let mut text = String::new();
    match &batch.pings {
        Some(pings) => {
            for line in message_order::draw(pings) {
                let _ = writeln!(text, "{line}");
            }
        }
        None => text.push_str(no_spans(batch.report.trace_id.is_some(), readable)),
    }
    let row = |name: &str, cells: Vec<String>| format!("  {name:<20}{}\n", cells.join(" "));
    let cell = |text: String| format!("{text:>4}");
    let report = &batch.report;
    let sent = report.planned.iter().map(|ping| cell(ping.i.to_string())).collect();
    let delays = report.planned.iter().map(|ping| cell(ping.delay_ms.to_string())).collect();
    let answered = report.completed_order.iter().map(|ping| cell(ping.i.to_string())).collect();
    let _ = write!(
        text,
        "\n{}{}{}  inversions          {:>4}\n\n{}",
        row("sent", sent),
        row("delay in ms", delays),
        row("answered", answered),
        report.inversions,
        deltas(&batch.deltas)
    );
    text
}

fn no_spans(traced: bool, readable: bool) -> &'static str {
    match (readable, traced) {
        (_, false) => {
            "The services record no traces (OTEL_SDK_DISABLED?).\n\
             The verdict uses only the ledger.\n"
        }
        (false, true) => {
            "There is no source of spans (--lab-url or --jaeger-url).\n\
             The verdict uses only the ledger.\n"
        }
        (true, true) => {
            "The root span did not arrive in time, so there is no picture.\n\
             The verdict uses only the ledger.\n"
        }
    }
}

fn ledger(order: &Order) -> String {
    let (ledger, response) = (&order.ledger, &order.response);
    let basis = match ledger.basis {
        Basis::Spans => "",
        Basis::Totals => " in total",
    };
    let others = match ledger.taken_by_others() {
        0 => String::new(),
        pieces => format!(
            "  others took             {pieces} meanwhile; the counters below count theirs too\n"
        ),
    };
    format!(
        "Ledger
  the customer was told   {} \"{}\"
  the outcome is          {}, after {}
  the customer knows of   {}
  the inventory made      {}{basis}, {} left {} -> {}
{others}  the gap                 {}
",
        response.status,
        printable(&response.words),
        ledger.told.as_str(),
        seconds(response.after),
        reservations(ledger.known),
        reservations(ledger.reservations),
        printable(&ledger.item),
        ledger.stock_before,
        ledger.stock_after,
        ledger.gap_in_words(),
    )
}

fn deltas(deltas: &Counters) -> String {
    let mut text = "Counters that jumped\n".to_owned();
    for (series, by) in deltas {
        let _ = writeln!(text, "  +{by}  {}", printable(series));
    }
    text
}

/// The trace, and where to see it and its time.
fn places(finding: &Finding) -> String {
    let mut text = String::new();
    if let Some(trace) = finding.trace_id() {
        let _ = writeln!(text, "\nTrace {}", printable(trace));
        let link = finding.in_jaeger.as_ref().map(Link::text).or(finding.in_lab.as_deref());
        if let Some(link) = link {
            let _ = writeln!(text, "  {}", printable(link));
        }
    }
    if let Some(link) = &finding.in_grafana {
        let _ = writeln!(text, "Dashboard at this minute\n  {}", printable(link.text()));
    }
    text
}

#[cfg(test)]
mod tests;
