//! What a load came to, as text and as JSON.

use std::fmt::Write as _;

use campuscafe_evidence::load::metrics::SpanCounts;
use campuscafe_evidence::load::tally::{OrderResult, Times};
use campuscafe_evidence::load::{LoadLedger, LoadReport};
use serde_json::{Map, json};

use crate::lessons::load::LoadPlan;

pub(crate) fn text(plan: &LoadPlan, report: &LoadReport) -> String {
    let tally = &report.tally;
    let seconds = report.took.as_secs_f64();
    let retry = if plan.retry { "retry on timeout" } else { "no retry" };
    let mut text = format!(
        "LOAD {} orders/s for {seconds:.1} s: {}; {retry}; seed {}\n\n",
        plan.rate, plan.mix, plan.seed
    );
    let _ = writeln!(
        text,
        "  answered    {}, that is {:.1} a second",
        tally.answered(),
        tally.answered() as f64 / seconds.max(f64::EPSILON)
    );
    let _ = writeln!(text, "  not sent    {}", not_sent(tally.not_sent, plan.max_in_flight));
    if report.under_way > 0 {
        let _ = writeln!(text, "  under way   {} at the end", report.under_way);
    }
    let _ = writeln!(
        text,
        "\n  {:<11}{:>10}{:>9}{:>11}{:>11}{:>11}{:>11}",
        "", "orders", "share", "p50", "p95", "p99", "max"
    );
    for ended in OrderResult::ALL {
        let count = tally.of(ended);
        let share = 100.0 * count as f64 / tally.over().max(1) as f64;
        let _ = write!(text, "  {:<11}{count:>10}{share:>7.1} %", ended.as_str());
        if let Some(Times { p50_ms, p95_ms, p99_ms, max_ms }) = tally.times(ended) {
            for ms in [p50_ms, p95_ms, p99_ms, max_ms] {
                let _ = write!(text, "{:>11}", format!("{ms:.1} ms"));
            }
        }
        text.push('\n');
    }
    text.push_str("  Times start when an order was due, so time in a queue counts.\n");
    text.push_str("\nLedger\n");
    match &report.after {
        Ok(after) => {
            text.push_str(&ledger(&LoadLedger::of(&after.deltas(&report.before))));
            text.push_str(&supply(report));
            if report.unsettled {
                text.push_str(
                    "  Some work was not finished at the end, so there may be more reservations \
                     by now.\n",
                );
            }
            text.push_str(&spans(after.spans(&report.before)));
        }
        Err(failure) => {
            let _ = writeln!(text, "  the services could not be asked: {failure}");
            text.push_str(&supply(report));
        }
    }
    text
}

fn not_sent(count: u64, max_in_flight: u32) -> String {
    match count {
        0 => "0: every order was sent on time".to_owned(),
        count => format!("{count}: at most {max_in_flight} may be under way (--max-in-flight)"),
    }
}

fn ledger(gap: &LoadLedger) -> String {
    format!(
        "  customers told yes      {}
  reservations made       {}
  the gap                 {} reservations that no customer knows of
    after the caller left {}
    duplicates            {}
",
        gap.confirmed, gap.reservations, gap.gap, gap.late, gap.duplicates
    )
}

fn supply(report: &LoadReport) -> String {
    let mut text = match report.delivered.pieces {
        0 => "  No delivery was necessary: the stock was large enough.\n".to_owned(),
        pieces => {
            format!("  The load delivered {pieces} pieces, so that the stock did not run out.\n")
        }
    };
    if let Some(failure) = &report.delivered.failure {
        let _ = writeln!(text, "  A delivery failed, so the stock may have run out: {failure}");
    }
    text
}

fn spans(spans: Option<SpanCounts>) -> String {
    let Some(spans) = spans else {
        return "\nSpans\n  the services do not count their spans\n".to_owned();
    };
    let mut text = format!("\nSpans\n  exported {}, lost {}", spans.exported, spans.lost_in_all());
    let reasons: Vec<_> =
        spans.lost.iter().map(|(reason, count)| format!("{count} {reason}")).collect();
    if !reasons.is_empty() {
        let _ = write!(text, ": {}; their traces are incomplete", reasons.join(", "));
    }
    text.push('\n');
    text
}

pub(crate) fn json(plan: &LoadPlan, report: &LoadReport) -> String {
    let tally = &report.tally;
    let mut outcomes = Map::new();
    for ended in OrderResult::ALL {
        let name = ended.as_str().replace(' ', "_");
        outcomes.insert(name, json!({ "orders": tally.of(ended), "times": tally.times(ended) }));
    }
    let after = report.after.as_ref().ok();
    let seconds = report.took.as_secs_f64();
    let object = json!({
        "rate": plan.rate,
        "mix": plan.mix.to_string(),
        "retryOnTimeout": plan.retry,
        "seed": plan.seed,
        "seconds": seconds,
        "answered": tally.answered(),
        "throughput": tally.answered() as f64 / seconds.max(f64::EPSILON),
        "arrivals": report.arrivals,
        "notSent": tally.not_sent,
        "underWay": report.under_way,
        "outcomes": outcomes,
        "ledger": after.map(|after| LoadLedger::of(&after.deltas(&report.before))),
        "counters": after.map(|after| after.deltas(&report.before)),
        "spans": after.and_then(|after| after.spans(&report.before)),
        "notAsked": report.after.as_ref().err(),
        "delivered": report.delivered.pieces,
        "deliveryFailure": report.delivered.failure,
        "settled": !report.unsettled,
    });
    format!("{object:#}\n")
}
