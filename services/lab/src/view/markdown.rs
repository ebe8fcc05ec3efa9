//! A run as Markdown, to be pasted into an assistant: what was asked for and the evidence.
//! It holds no verdict, and ends with the question.

use std::fmt::Write as _;

use campuscafe_evidence::message_order::PingBatch;
use campuscafe_evidence::order::Order;
use campuscafe_evidence::order_trace::{Attempt, End, OrderTrace};

use super::style::Style;
use super::{diagram, message_order, series, tables};
use crate::lessons::{Evidence, Finding, seconds};
use crate::printable::printable;

const TITLE: &str = "# CampusCafe: what happened here?

A customer sends orders to the order service, which asks the inventory to reserve. The order
service gives up an attempt after a limit (1 s, unless it is set to another one) and may retry
once. `chaos` names a fault that the inventory was asked to have, one for each attempt. Everything
below was measured in one run.
";

/// The run with this id, as far as it has gone.
pub(crate) fn text(run: &str, began_at: &str, is_over: bool, findings: &[&Finding]) -> String {
    let mut text = format!("{TITLE}\nRun {run}, began at {began_at}.\n");
    for (number, finding) in (1..).zip(findings) {
        let _ = write!(text, "\n## Trial {number}\n\n{}\n", finding.caption);
        text.push_str(&evidence(&finding.evidence));
        if !finding.verdict.incomplete.is_empty() {
            let missing = finding.verdict.incomplete.join("\n");
            let _ = write!(text, "\n### Missing evidence\n\n{}", fenced("text", &missing));
        }
    }
    if !is_over {
        text.push_str("\nThe run is not over: more may follow.\n");
    }
    let _ = write!(text, "\n## Question\n\n{}", question(findings));
    text
}

fn evidence(evidence: &Evidence) -> String {
    match evidence {
        Evidence::Order(one) => order(one),
        Evidence::Pings(held) => batch(held),
        Evidence::Rounds(told) => fence("Rounds", "text", &tables::rounds(told)),
        Evidence::Calls(told) => fence("Times", "text", &tables::calls(told)),
        Evidence::Series(sent) => fence("Orders", "text", &series::draw(sent, Style::never())),
        // It needs a person at a cluster, who has seen it.
        Evidence::PodReplacement(_) => String::new(),
    }
}

fn order(order: &Order) -> String {
    let Order { request, response, ledger, order_trace, delivered, .. } = order;
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
    text.push_str(&fence("What the customer was told", "text", &answer));
    if let Some(order_trace) = order_trace {
        let lines: Vec<_> = diagram::draw(order_trace).into_iter().map(|line| line.text).collect();
        text.push_str(&fence("Diagram, drawn from the spans", "text", &lines.join("\n")));
        text.push_str(&fence("Attempts, from the spans", "text", &attempts(order_trace)));
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
        text.push('\n');
    }
    let _ = write!(text, "the customer was told at {}", ms(order_trace.told_at));
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
            &message_order::draw(pings).join("\n"),
        ));
    }
    text
}

/// What the evidence leaves to its reader.
fn question(findings: &[&Finding]) -> String {
    let is_of_orders =
        |finding: &&Finding| matches!(finding.evidence, Evidence::Order(_) | Evidence::Series(_));
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
