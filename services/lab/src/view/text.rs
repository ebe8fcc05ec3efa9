//! Text for people who have never read a trace.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use campuscafe_evidence::counters::Counters;
use campuscafe_evidence::ledger::Basis;
use campuscafe_evidence::order::Order;
use campuscafe_evidence::pings::Race;
use campuscafe_evidence::tale::Tale as _;
use campuscafe_evidence::turnover::{
    CHAOS as TURNOVER_CHAOS, Group, Turnover, TurnoverPlan, Watched, groups,
};

use super::diagram::{self, wrap};
use super::message_order;
use super::style::{Paint, Tone};
use crate::lessons::{
    Act, Conclusion, Event, Evidence, Experiment, Finding, Findings, Link, Row, Trial,
    reservations, seconds,
};
use crate::printable::printable;

/// For a run on services of its own.
pub(super) const FAREWELL: &str = "
The services of this run have stopped. To keep services and traces, start `campuscafe` and run
this again with --lab-url http://127.0.0.1:5301
";

/// What there is to say about an event, if anything.
pub(super) fn of(event: Event<'_>, paint: Paint) -> Option<String> {
    match event {
        Event::ExperimentBegan(experiment) => Some(heading(experiment, paint)),
        Event::TrialBegan { trial, seed } => Some(announcement(trial, seed, paint)),
        Event::Judged(judged) => Some(finding(judged, paint)),
        Event::ExperimentEnded(findings) => Some(closing(findings, paint)),
        Event::AllEnded(all) => (all.len() > 1).then(|| summary(all, paint)),
        _ => None,
    }
}

fn heading(experiment: &Experiment, paint: Paint) -> String {
    let text = format!("EXPERIMENT {}: {}", experiment.name, experiment.title);
    format!("\n{}\n", paint.strong(&text))
}

fn announcement(trial: &Trial, seed: u64, paint: Paint) -> String {
    let asked = match &trial.act {
        Act::Order(plan, _) if plan.retry => format!("chaos \"{}\", retryOnTimeout", plan.chaos),
        Act::Order(plan, _) => format!("chaos \"{}\", no retry", plan.chaos),
        Act::Race { count, .. } => format!("{count} pings, seed {seed}"),
        Act::Turnover(plan, _) => format!(
            "chaos \"{TURNOVER_CHAOS}\", no retry; first, finding the {} pods",
            plan.watched.name()
        ),
    };
    format!("\n{}\n{}\n\n", paint.strong(trial.caption), paint.tone(Tone::Faint, &asked))
}

fn finding(finding: &Finding, paint: Paint) -> String {
    let readable = finding.had_span_source;
    let evidence = match &finding.evidence {
        Evidence::Order(placed) => order(placed, readable, paint),
        Evidence::Race(held) => race(held, readable),
        Evidence::Turnover(came) => turnover(came, paint),
    };
    let verdict = &finding.verdict;
    let mut word = verdict.conclusion.as_str().to_owned();
    if verdict.conclusion.is_shown() && !verdict.incomplete.is_empty() {
        word.push_str(INCOMPLETE);
    }
    let sentence = wrap(&printable(&verdict.sentence), diagram::WIDTH - 2).join("\n  ");
    let places = places(finding);
    let word = paint.tone(tone(verdict.conclusion), &word);
    format!("{evidence}\n{word}\n  {sentence}\n{places}")
}

/// Behind the word of a verdict that totals alone bear out.
const INCOMPLETE: &str = ", evidence incomplete";

fn closing(findings: &Findings, paint: Paint) -> String {
    let mut text = String::new();
    let rows = findings.experiment.side_by_side;
    if !rows.is_empty() {
        let _ = write!(text, "\n{}", side_by_side(rows, &findings.all));
    }
    let _ = writeln!(text, "\n{}", paint.strong("Look closer"));
    for hint in findings.experiment.look_at {
        let _ = writeln!(text, "  - {}", wrap(hint, diagram::WIDTH - 4).join("\n    "));
    }
    text
}

/// A row for each thing to compare, with a column for each order.
fn side_by_side(rows: &[Row], findings: &[Finding]) -> String {
    let orders: Vec<&Order> = findings
        .iter()
        .filter_map(|finding| match &finding.evidence {
            Evidence::Order(order) => Some(order.as_ref()),
            Evidence::Race(_) | Evidence::Turnover(_) => None,
        })
        .collect();
    let line = |row: &Row| {
        let cells: String =
            orders.iter().map(|order| format!("{:<20}", (row.cell)(order))).collect();
        format!("  {:<26}{}\n", row.name, cells.trim_end())
    };
    rows.iter().map(line).collect()
}

/// A line for each experiment of a run.
fn summary(all: &[Findings], paint: Paint) -> String {
    let mut text = format!("\n{}\n", paint.strong("Summary"));
    for findings in all {
        let conclusion = findings.conclusion();
        let word = paint.tone(tone(conclusion), &format!("{:<10}", conclusion.as_str()));
        let incomplete = conclusion.is_shown() && findings.is_incomplete();
        let note = if incomplete { INCOMPLETE } else { "" };
        let (name, title) = (findings.experiment.name, findings.experiment.title);
        let _ = writeln!(text, "  {name:<8} {word}  {title}{note}");
    }
    text
}

const fn tone(conclusion: Conclusion) -> Tone {
    match conclusion {
        Conclusion::Shown => Tone::Good,
        Conclusion::Incomplete => Tone::Doubt,
        Conclusion::NotShown => Tone::Bad,
    }
}

fn order(order: &Order, readable: bool, paint: Paint) -> String {
    let mut text = stock(order);
    match &order.story {
        Some(story) => {
            for line in diagram::draw(story) {
                let _ = writeln!(text, "{}", paint.tone(line.tone, &line.text));
            }
            if !story.is_complete() {
                text.push_str(
                    "Some spans are missing or wrong, so the picture is incomplete. The verdict \
                     uses only the ledger.\n",
                );
            }
        }
        None => text.push_str(no_spans(order.told.report.trace_id.is_some(), readable)),
    }
    let _ = write!(text, "\n{}\n{}", ledger(order), jumps(&order.jumps));
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

fn race(race: &Race, readable: bool) -> String {
    let mut text = String::new();
    match &race.pings {
        Some(pings) => {
            for line in message_order::draw(pings) {
                let _ = writeln!(text, "{line}");
            }
        }
        None => text.push_str(no_spans(race.report.trace_id.is_some(), readable)),
    }
    let row = |name: &str, cells: Vec<String>| format!("  {name:<20}{}\n", cells.join(" "));
    let cell = |text: String| format!("{text:>4}");
    let report = &race.report;
    let sent = report.planned.iter().map(|ping| cell((ping.i + 1).to_string())).collect();
    let delays = report.planned.iter().map(|ping| cell(ping.delay_ms.to_string())).collect();
    let answered =
        report.completed_order.iter().map(|ping| cell((ping.i + 1).to_string())).collect();
    let _ = write!(
        text,
        "\n{}{}{}  inversions          {:>4}\n\n{}",
        row("sent", sent),
        row("delay in ms", delays),
        row("answered", answered),
        report.inversions,
        jumps(&race.jumps)
    );
    text
}

/// What somebody has to do now, and where it is seen that they did.
pub(super) fn request(plan: TurnoverPlan, old: &BTreeSet<String>) -> String {
    let pods: Vec<_> = old.iter().map(|pod| printable(pod)).collect();
    format!(
        "Five customers order each second. These pods serve them: {}.\nNow run this command in \
         another terminal. The experiment ends when new pods serve all customers:\n\n    {}\n\n",
        pods.join(", "),
        plan.command,
    )
}

fn turnover(turnover: &Turnover, paint: Paint) -> String {
    let Turnover { plan, customers, remembered, .. } = turnover;
    let service = plan.watched.name();
    let mut text = format!(
        "  {:<40}{:<18}{:>9}   from     to\n",
        format!("{service} pod"),
        "told",
        "customers"
    );
    for group in groups(customers, plan.watched) {
        let _ = writeln!(
            text,
            "  {:<40}{:<18}{:>9} {:>6} {:>6}",
            pod(&group),
            group.told.as_str(),
            group.count,
            format!("{:.1} s", group.from.as_secs_f64()),
            format!("{:.1} s", group.to.as_secs_f64()),
        );
    }
    let telling =
        turnover.telling().and_then(|customer| Some((customer, customer.story.as_ref()?)));
    if let Some((customer, story)) = telling {
        let _ = writeln!(text, "\nCustomer {}, the last of an old {service} pod", customer.number);
        for line in diagram::draw(story) {
            let _ = writeln!(text, "{}", paint.tone(line.tone, &line.text));
        }
    }
    let yes = turnover.told_yes();
    let since = match plan.watched {
        Watched::Inventory if turnover.replaced => "the inventory still knows",
        _ => "the inventory made",
    };
    let gap = remembered.cast_signed() - yes.cast_signed();
    let gap = match gap {
        0 => "none".to_owned(),
        1.. => format!("{} that no customer knows of", reservations(gap.unsigned_abs())),
        ..0 => format!(
            "{} that customers know of and the inventory has lost",
            reservations(gap.unsigned_abs())
        ),
    };
    let _ = write!(
        text,
        "\nLedger\n  customers told yes        {yes}\n  failed or unknown         {}\n  {since:<26}{}\n  \
         the gap                   {gap}\n",
        customers.len() as u64 - yes,
        reservations(*remembered),
    );
    text
}

/// A pod's name, cut so that the columns stay.
fn pod(group: &Group) -> String {
    match &group.pod {
        Some(pod) => printable(pod).chars().take(40).collect(),
        None if group.lacks_spans => "unknown: spans are missing".to_owned(),
        None => "none".to_owned(),
    }
}

fn no_spans(traced: bool, readable: bool) -> &'static str {
    match (readable, traced) {
        (_, false) => {
            "The services record no traces (OTEL_SDK_DISABLED?). The verdict uses only the \
             ledger.\n"
        }
        (false, true) => {
            "There is no source of spans (--lab-url or --jaeger-url). The verdict uses only the \
             ledger.\n"
        }
        (true, true) => {
            "The root span did not arrive in time, so there is no picture. The verdict uses only \
             the ledger.\n"
        }
    }
}

fn ledger(order: &Order) -> String {
    let (ledger, told) = (&order.ledger, &order.told);
    let basis = match ledger.basis {
        Basis::Spans => "",
        Basis::Totals => " in total",
    };
    format!(
        "Ledger
  the customer was told   {} \"{}\" after {}: {}
  the customer knows of   {}
  the inventory made      {}{basis}, {} left {} -> {}
  the gap                 {}
",
        told.status,
        printable(&told.words),
        seconds(told.after),
        ledger.told.as_str(),
        reservations(ledger.known),
        reservations(ledger.reservations),
        printable(&ledger.item),
        ledger.stock_before,
        ledger.stock_after,
        ledger.gap_in_words(),
    )
}

fn jumps(jumps: &Counters) -> String {
    let mut text = "Counters that jumped\n".to_owned();
    for (series, by) in jumps {
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
