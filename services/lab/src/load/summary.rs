//! What a run came to.
use std::fmt::Write as _;

use campuscafe_evidence::counters::Counters;
use serde::Serialize;
use serde_json::{Map, json};

use super::Config;
use super::drive::Came;
use super::reading::Spans;
use super::tally::{Ended, Times};

/// The ledger of many orders, from the services' counters.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Gap {
    /// Orders whose customer was told yes, as the order service counts them.
    pub(crate) confirmed: u64,
    /// Reservations that the inventory made.
    pub(crate) reservations: u64,
    /// Of those, how many came after the caller had left.
    pub(crate) late: u64,
    /// And how many were not the first of their order.
    pub(crate) duplicates: u64,
    /// Reservations that no customer knows of.
    pub(crate) gap: i64,
}

impl Gap {
    pub(crate) fn of(jumps: &Counters) -> Self {
        let sum = |name: &str| -> u64 {
            let ours = jumps.iter().filter(|(series, _)| series.split('{').next() == Some(name));
            ours.map(|(_, by)| by).sum()
        };
        let confirmed =
            jumps.get("order_outcomes_total{outcome=\"confirmed\"}").copied().unwrap_or(0);
        let reservations = sum("inventory_reservations_total");
        Self {
            confirmed,
            reservations,
            late: sum("inventory_late_commits_total"),
            duplicates: sum("inventory_duplicate_reservations_total"),
            gap: reservations.cast_signed() - confirmed.cast_signed(),
        }
    }
}

pub(crate) fn text(config: &Config, seed: u64, came: &Came) -> String {
    let tally = &came.tally;
    let seconds = came.took.as_secs_f64();
    let retry = if config.retry { "retry on timeout" } else { "no retry" };
    let mut text = format!(
        "LOAD {} orders/s for {seconds:.1} s: {}; {retry}; seed {seed}\n\n",
        config.rate, config.mix
    );
    let _ = writeln!(
        text,
        "  answered    {}, that is {:.1} a second",
        tally.answered(),
        tally.answered() as f64 / seconds.max(f64::EPSILON)
    );
    let _ = writeln!(text, "  not sent    {}", not_sent(tally.not_sent, config.max_in_flight));
    if came.under_way > 0 {
        let _ = writeln!(text, "  under way   {} still, at the end", came.under_way);
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
    text.push_str("  Times run from the moment an order was due, so waiting in line counts.\n");
    text.push_str("\nLedger\n");
    match &came.after {
        Ok(after) => {
            text.push_str(&ledger(&Gap::of(&after.jumps(&came.before))));
            text.push_str(&supply(came));
            if came.unsettled {
                text.push_str(
                    "  Some work was still going on at the end, so more may be reserved by now.\n",
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
        0 => "0: every order left when it was due".to_owned(),
        count => format!("{count}: at most {max_in_flight} may be under way (--max-in-flight)"),
    }
}

fn ledger(gap: &Gap) -> String {
    format!(
        "  customers told yes      {}
  reservations made       {}
  the gap                 {} reservations that no customer knows of
    made too late         {}
    not the first of their order  {}
",
        gap.confirmed, gap.reservations, gap.gap, gap.late, gap.duplicates
    )
}

fn supply(came: &Came) -> String {
    let mut text = match came.delivered.pieces {
        0 => "  Nothing had to be delivered: the stock was enough for all.\n".to_owned(),
        pieces => {
            format!("  The load delivered {pieces} pieces, so that the stock did not run out.\n")
        }
    };
    if let Some(failure) = &came.delivered.failure {
        let _ = writeln!(text, "  The stock could not always be kept: {failure}");
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

pub(crate) fn json(config: &Config, seed: u64, came: &Came) -> String {
    let tally = &came.tally;
    let mut outcomes = Map::new();
    for ended in Ended::ALL {
        let name = ended.as_str().replace(' ', "_");
        outcomes.insert(name, json!({ "orders": tally.of(ended), "times": tally.times(ended) }));
    }
    let after = came.after.as_ref().ok();
    let seconds = came.took.as_secs_f64();
    let object = json!({
        "rate": config.rate,
        "mix": config.mix.to_string(),
        "retryOnTimeout": config.retry,
        "seed": seed,
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
        "notAsked": came.after.as_ref().err().map(ToString::to_string),
        "delivered": came.delivered.pieces,
        "deliveryFailure": came.delivered.failure,
        "settled": !came.unsettled,
    });
    format!("{object:#}\n")
}
