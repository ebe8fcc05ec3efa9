//! A run as Markdown, to be pasted into an assistant: what was asked for and the evidence.
//! It holds no verdict, and ends with the question.

use std::fmt::Write as _;

use campuscafe_evidence::counters;
use campuscafe_evidence::log_lines::{LogLine, LogLines};
use campuscafe_evidence::message_order::PingBatch;
use campuscafe_evidence::order::{Later, Order};
use campuscafe_evidence::order_trace::{Asked, Attempt, End, OrderTrace, UnderKey};
use campuscafe_evidence::waterfall::Waterfall;

use super::voice::Voice;
use super::{diagram, message_order, script, series, storm, tables};
use crate::lessons::{Evidence, Finding, seconds};
use crate::messages::Language;
use crate::printable::printable;

const TITLE: &str = "# CampusCafe: what happened here?

A customer sends orders to the order service, which asks the inventory to reserve. The order
service gives up an attempt after a limit (1 s, unless it is set to another one) and may retry
once. `chaos` names a fault that the inventory was asked to have, one for each attempt. Everything
below was measured in one run.
";

/// The heading over the log lines.
const LOGS: &str = "Log lines of the services";

/// The run with this id, as far as it has gone. Its trials are numbered from `first`.
pub(crate) fn text(
    run: &str,
    began_at: &str,
    is_over: bool,
    first: usize,
    findings: &[(&Finding, &LogLines)],
) -> String {
    let mut text = format!("{TITLE}\nRun {run}, began at {began_at}.\n");
    for (number, (finding, lines)) in (first..).zip(findings) {
        let _ = write!(text, "\n## Trial {number}\n\n{}\n", Voice::ENGLISH.say(finding.caption));
        text.push_str(&evidence(&finding.evidence, lines));
        if !finding.verdict.incomplete.is_empty() {
            let missing = finding.verdict.incomplete.iter().map(|it| Voice::ENGLISH.put(it));
            let missing = missing.collect::<Vec<_>>().join("\n");
            let _ = write!(text, "\n### Missing evidence\n\n{}", fenced("text", &missing));
        }
    }
    let counters = counters::sum(findings.iter().map(|(finding, _)| finding.span_counters()));
    if !counters.is_empty() {
        let line = |(series, by): (&String, &u64)| format!("+{by}  {series}");
        let lines: Vec<_> = counters.iter().map(line).collect();
        let lines = fenced("text", &lines.join("\n"));
        let _ = write!(text, "\n## Counters, made from the spans of this run alone\n\n{lines}");
    }
    if !is_over {
        text.push_str("\nThe run is not over: more may follow.\n");
    }
    let _ = write!(text, "\n## Question\n\n{}", question(findings));
    text
}

fn evidence(evidence: &Evidence, lines: &LogLines) -> String {
    match evidence {
        Evidence::Order(one) => order(one, lines),
        Evidence::Pings(held) => batch(held),
        Evidence::Rounds(told) => fence("Rounds", "text", &tables::rounds(told, Voice::ENGLISH)),
        Evidence::Calls(told) => fence("Times", "text", &tables::calls(told, Voice::ENGLISH)),
        Evidence::Series(sent) => fence("Orders", "text", &series::draw(sent, Voice::ENGLISH)),
        Evidence::Script(played) => {
            let blocks = script::open(played).into_iter();
            let blocks = blocks.map(|(heading, block)| fence(heading, "text", &block));
            let logs = played.calls.as_ref().map(|calls| {
                fence(LOGS, "text", &logs(&played.waterfall, lines, |at| calls.ms(at)))
            });
            blocks.chain(logs).collect()
        }
        Evidence::Storm(seen) => fence("Goodput", "text", &storm::draw(seen, Voice::ENGLISH)),
        // It needs a person at a cluster, who has seen it.
        Evidence::PodReplacement(_) => String::new(),
    }
}

fn order(order: &Order, lines: &LogLines) -> String {
    let Order { request, response, later, ledger, order_trace, delivered, .. } = order;
    let asked = serde_json::to_string(request).unwrap_or_default();
    let request = format!("POST /orders\ncontent-type: application/json\n\n{asked}");
    let answer = format!(
        "{} \"{}\" after {}, outcome: {}",
        response.status,
        response.words,
        seconds(response.after),
        response.report.outcome.as_str(),
    );
    let mut text = fence("Request", "http", &request);
    let answer = match later {
        Some(later) => answer + &then(later),
        None => answer,
    };
    text.push_str(&fence("What the customer was told", "text", &answer));
    if let Some(order_trace) = order_trace {
        let drawn: Vec<_> = diagram::draw(order_trace, Language::English)
            .into_iter()
            .map(|line| line.text)
            .collect();
        text.push_str(&fence("Diagram, drawn from the spans", "text", &drawn.join("\n")));
        text.push_str(&fence("Attempts, from the spans", "text", &attempts(order_trace)));
        let logs = logs(&order.waterfall, lines, |at| order_trace.ms(at));
        text.push_str(&fence(LOGS, "text", &logs));
    }
    let mut stock = format!(
        "{} left before: {}\n{} left when all was at rest: {}",
        ledger.item, ledger.stock_before, ledger.item, ledger.stock_after
    );
    if let Some(delivered) = delivered {
        let _ = write!(
            stock,
            "\ndelivered before the order: {}, because {} were left",
            delivered.quantity, delivered.stock_before
        );
    }
    let others = ledger.taken_by_others();
    if others > 0 {
        let _ = write!(stock, "\ntaken by orders of others meanwhile: {others}");
    }
    text.push_str(&fence("Ledger of the stock", "text", &stock));
    text
}

/// What a customer in doubt did, and was told then.
fn then(later: &Later) -> String {
    let did = match later.asked {
        Asked::Again => "ordered the same again",
        Asked::State => "asked GET /orders/{orderId}",
    };
    let (outcome, after) = (later.outcome.as_str(), seconds(later.after));
    format!("\nthen the customer {did}: {} after {after}, outcome: {outcome}", later.status)
}

/// A line for each attempt and each commit; times are counted from the order.
fn attempts(order_trace: &OrderTrace) -> String {
    let ms = |at| format!("{} ms", order_trace.ms(at));
    let mut text = String::new();
    for Attempt { number, sent, ended, end, served } in &order_trace.attempts {
        let end = match end {
            End::Answered(status) => format!("answered {status}"),
            End::Unanswered(reason) => reason.replace('_', " "),
        };
        let _ = writeln!(text, "attempt {number}: sent at {}, {end} at {}", ms(*sent), ms(*ended));
        let Some(served) = served else { continue };
        let _ = write!(text, "  inventory: fault {}, ended at {}", served.fault, ms(served.ended));
        if let Some(left) = served.abandoned {
            let _ = write!(text, ", its caller had left at {}", ms(left));
        }
        if let Some(commit) = &served.commit {
            let (item, before, after) = (&commit.item, commit.before, commit.after);
            let _ = write!(text, "\n  commit at {}: {item} {before} -> {after}", ms(commit.at));
        }
        match served.under_key {
            Some(UnderKey::Replayed) => {
                text.push_str(
                    "\n  no commit: it was decided before under its key, and that is told again",
                );
            }
            Some(UnderKey::Void) => text.push_str("\n  no commit: its key is void"),
            None => {}
        }
        text.push('\n');
    }
    if let Some(settled) = &order_trace.settled {
        let (at, outcome) = (ms(settled.at), &settled.outcome);
        let _ =
            writeln!(text, "the inventory told the order service under the key at {at}: {outcome}");
    }
    let _ = write!(text, "the customer was told at {}", ms(order_trace.told_at));
    text
}

/// A line for each log line, with the name of its span.
fn logs(spans: &Waterfall, lines: &LogLines, ms: impl Fn(u64) -> u64) -> String {
    if lines.count() == 0 {
        return "none arrived".to_owned();
    }
    let mut text = String::new();
    for LogLine { at, service, severity, message, fields, row } in &lines.lines {
        let ms = ms(*at);
        let _ = write!(text, "{ms:>6} ms {service} {severity:<5} {}", printable(message));
        for (name, value) in fields {
            let _ = write!(text, " {name}={}", printable(&value.to_string()));
        }
        let span = spans.rows.get(*row).map_or("", |row| &row.span.name);
        let _ = writeln!(text, " (span: {})", printable(span));
    }
    if lines.left_out > 0 {
        let _ = write!(text, "left out: {} more lines of this trace", lines.left_out);
    }
    text
}

fn batch(batch: &PingBatch) -> String {
    let planned: Vec<_> = batch
        .report
        .planned
        .iter()
        .map(|ping| format!("#{} {} ms", ping.i, ping.delay_ms))
        .collect();
    let answered: Vec<_> =
        batch.report.completed_order.iter().map(|ping| format!("#{}", ping.i)).collect();
    let told = format!(
        "sent, each with its delay: {}\nanswered: {}",
        planned.join(", "),
        answered.join(", ")
    );
    let mut text = fence("Pings", "text", &told);
    if let Some(pings) = &batch.pings {
        text.push_str(&fence(
            "Drawn from the spans",
            "text",
            &message_order::draw(pings, Voice::ENGLISH).join("\n"),
        ));
    }
    text
}

/// What the evidence leaves to its reader.
fn question(findings: &[(&Finding, &LogLines)]) -> String {
    let is_of_orders = |(finding, _): &(&Finding, _)| {
        matches!(finding.evidence, Evidence::Order(_) | Evidence::Series(_) | Evidence::Script(_))
    };
    let mut text = "What happened? ".to_owned();
    if findings.iter().any(is_of_orders) {
        text.push_str(
            "How many pieces did each order take from the stock, and how many does its customer know of? What could \
             the order service know at the moment when it answered? What would you change, so that a \
             retry is safe? ",
        );
    } else {
        text.push_str(
            "What did you expect, and why was it not so? What must a program not rely on? ",
        );
    }
    text + "Name the lines above that your answer rests on, and say what they leave open.\n"
}

fn fence(heading: &str, language: &str, content: &str) -> String {
    format!("\n### {heading}\n\n{}", fenced(language, content))
}

/// Text that may come from outside, as a block which nothing in it can end.
fn fenced(language: &str, content: &str) -> String {
    let longest = content.split(|c| c != '`').map(str::len).max().unwrap_or_default();
    let fence = "`".repeat(longest.max(2) + 1);
    let lines: Vec<_> = content.trim_end().lines().map(printable).collect();
    format!("{fence}{language}\n{}\n{fence}\n", lines.join("\n"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_in_a_block_ends_it_or_steers_a_terminal() {
        let block = fenced("text", "a ```` b\u{1b}[2J\nc\n");
        assert_eq!(block, "`````text\na ```` b\\u{1b}[2J\nc\n`````\n");
        assert_eq!(fenced("http", "x"), "```http\nx\n```\n");
    }
}
