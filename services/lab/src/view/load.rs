//! What a load came to, as text and as JSON.

use std::fmt::Write as _;

use campuscafe_evidence::load::reading::Spans;
use campuscafe_evidence::load::tally::{Ended, Times};
use campuscafe_evidence::load::{Came, Gap};
use serde_json::{Map, json};

use crate::lessons::load::LoadPlan;

pub(crate) fn text(plan: &LoadPlan, came: &Came) -> String {
    let tally = &came.tally;
    let seconds = came.took.as_secs_f64();
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
    if came.under_way > 0 {
        let _ = writeln!(text, "  under way   {} at the end", came.under_way);
    }
    let _ = writeln!(
        text,
        "\n  {:<11}{:>10}{:>9}{:>11}{:>11}{:>11}{:>11}",
        "", "orders", "share", "p50", "p95", "p99", "max"
    );
    for ended in Ended::ALL {
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
    match &came.after {
        Ok(after) => {
            text.push_str(&ledger(&Gap::of(&after.jumps(&came.before))));
            text.push_str(&supply(came));
            if came.unsettled {
                text.push_str(
                    "  Some work was not finished at the end, so there may be more reservations \
                     by now.\n",
                );
            }
            text.push_str(&spans(after.spans(&came.before)));
        }
        Err(failure) => {
            let _ = writeln!(text, "  the services could not be asked: {failure}");
            text.push_str(&supply(came));
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

fn ledger(gap: &Gap) -> String {
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

fn supply(came: &Came) -> String {
    let mut text = match came.delivered.pieces {
        0 => "  No delivery was necessary: the stock was large enough.\n".to_owned(),
        pieces => {
            format!("  The load delivered {pieces} pieces, so that the stock did not run out.\n")
        }
    };
    if let Some(failure) = &came.delivered.failure {
        let _ = writeln!(text, "  A delivery failed, so the stock may have run out: {failure}");
    }
    text
}

fn spans(spans: Option<Spans>) -> String {
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

pub(crate) fn json(plan: &LoadPlan, came: &Came) -> String {
    let tally = &came.tally;
    let mut outcomes = Map::new();
    for ended in Ended::ALL {
        let name = ended.as_str().replace(' ', "_");
        outcomes.insert(name, json!({ "orders": tally.of(ended), "times": tally.times(ended) }));
    }
    let after = came.after.as_ref().ok();
    let seconds = came.took.as_secs_f64();
    let object = json!({
        "rate": plan.rate,
        "mix": plan.mix.to_string(),
        "retryOnTimeout": plan.retry,
        "seed": plan.seed,
        "seconds": seconds,
        "answered": tally.answered(),
        "throughput": tally.answered() as f64 / seconds.max(f64::EPSILON),
        "arrivals": came.arrivals,
        "notSent": tally.not_sent,
        "underWay": came.under_way,
        "outcomes": outcomes,
        "ledger": after.map(|after| Gap::of(&after.jumps(&came.before))),
        "counters": after.map(|after| after.jumps(&came.before)),
        "spans": after.and_then(|after| after.spans(&came.before)),
        "notAsked": came.after.as_ref().err(),
        "delivered": came.delivered.pieces,
        "deliveryFailure": came.delivered.failure,
        "settled": !came.unsettled,
    });
    format!("{object:#}\n")
}
