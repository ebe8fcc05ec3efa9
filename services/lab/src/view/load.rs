//! What a load came to, as text and as JSON.

use std::fmt::Write as _;

use campuscafe_evidence::load::metrics::SpanCounts;
use campuscafe_evidence::load::tally::{OrderResult, Tally, Times};
use campuscafe_evidence::load::{LoadLedger, LoadReport, Settlements};
use serde_json::{Map, json};

use super::columns::{left, right};
use super::series::short;
use super::voice::Voice;
use crate::lessons::load::LoadPlan;
use crate::messages::Message;

/// Columns of a name.
const NAME: usize = 12;

/// Columns of a name in the ledger.
const LEDGER_NAME: usize = 24;

/// Columns of a time.
const TIME: usize = 11;

pub(crate) fn text(plan: &LoadPlan, report: &LoadReport, voice: Voice) -> String {
    let tally = &report.tally;
    let seconds = report.took.as_secs_f64();
    let retry = Message::new(match (plan.retry, plan.idempotent) {
        (true, false) => "load-retry",
        (false, false) => "load-no-retry",
        (true, true) => "load-retry-keyed",
        (false, true) => "load-no-retry-keyed",
    });
    let title = Message::new("load-title")
        .with("rate", plan.rate.to_string())
        .with("seconds", format!("{seconds:.1}"))
        .with("mix", plan.mix.to_string())
        .with("retry", retry)
        .with("seed", plan.seed.to_string());
    let mut text = format!("{}\n\n", voice.put(&title));
    let row = |name: &str, cell: &Message| {
        format!("  {}{}\n", left(&voice.say(name), NAME), voice.put(cell))
    };
    let rate = tally.answered() as f64 / seconds.max(f64::EPSILON);
    let answered = Message::new("load-answered-cell")
        .with("count", tally.answered())
        .with("rate", format!("{rate:.1}"));
    text.push_str(&row("load-answered", &answered));
    text.push_str(&row("load-not-sent", &not_sent(tally.not_sent, plan.max_in_flight)));
    if report.under_way > 0 {
        let under_way = Message::new("load-under-way-cell").with("count", report.under_way);
        text.push_str(&row("load-under-way", &under_way));
    }
    text.push_str(&times(tally, voice));
    let _ = writeln!(text, "  {}\n\n{}", voice.say("load-times"), voice.say("ledger"));
    match &report.after {
        Ok(after) => {
            text.push_str(&ledger(&LoadLedger::of(&after.deltas(&report.before)), voice));
            text.push_str(&settlements(report, voice));
            text.push_str(&supply(report, voice));
            if report.unsettled {
                text.push_str(&indented(&voice.say("load-unsettled")));
            }
            text.push_str(&spans(after.spans(&report.before), voice));
        }
        Err(failure) => {
            let reason = [("reason", failure.to_string().into())];
            text.push_str(&indented(&voice.tell("load-not-asked", &reason)));
            text.push_str(&supply(report, voice));
        }
    }
    text
}

fn indented(line: &str) -> String {
    format!("  {line}\n")
}

/// What a result is called in a narrow column.
pub(super) fn name(result: OrderResult, voice: Voice) -> String {
    match result {
        OrderResult::Answered(outcome) => short(outcome, voice),
        OrderResult::Shed => voice.say("load-shed"),
        OrderResult::NoAnswer => voice.say("load-no-answer"),
    }
}

/// How the orders ended, and after which time.
fn times(tally: &Tally, voice: Voice) -> String {
    let (orders, share) = (voice.say("load-orders"), voice.say("load-share"));
    let heads = ["p50", "p95", "p99", "max"].map(|head| right(head, TIME)).concat();
    let mut text = format!("\n  {:<11}{}{}{heads}\n", "", right(&orders, 10), right(&share, 9));
    for ended in OrderResult::ALL {
        let count = tally.of(ended);
        let share = 100.0 * count as f64 / tally.over().max(1) as f64;
        let _ = write!(text, "  {}{count:>10}{share:>7.1} %", left(&name(ended, voice), 11));
        if let Some(Times { p50_ms, p95_ms, p99_ms, max_ms }) = tally.times(ended) {
            for ms in [p50_ms, p95_ms, p99_ms, max_ms] {
                let _ = write!(text, "{:>TIME$}", format!("{ms:.1} ms"));
            }
        }
        text.push('\n');
    }
    text
}

fn not_sent(count: u64, max_in_flight: u32) -> Message {
    match count {
        0 => Message::new("load-all-sent"),
        count => {
            Message::new("load-some-not-sent").with("count", count).with("most", max_in_flight)
        }
    }
}

fn ledger(gap: &LoadLedger, voice: Voice) -> String {
    let row = |indent: &str, name: &str, cell: String| {
        let name = format!("{indent}{}", voice.say(name));
        format!("  {}{cell}\n", left(&name, LEDGER_NAME))
    };
    let unknown = voice.tell("load-gap", &[("count", gap.gap.to_string().into())]);
    [
        row("", "pods-yes", gap.confirmed.to_string()),
        row("", "load-made", gap.reservations.to_string()),
        row("", "row-gap", unknown),
        row("  ", "load-late", gap.late.to_string()),
        row("  ", "load-duplicates", gap.duplicates.to_string()),
    ]
    .concat()
}

/// What became of the orders that were unknown at first.
fn settlements(report: &LoadReport, voice: Voice) -> String {
    let Some(settled) = report.settlements() else { return String::new() };
    let Settlements { confirmed, failed, still_unknown } = settled;
    let values = [
        ("confirmed", confirmed.into()),
        ("failed", failed.into()),
        ("unknown", still_unknown.into()),
    ];
    indented(&voice.tell("load-settled", &values))
}

fn supply(report: &LoadReport, voice: Voice) -> String {
    let mut text = indented(&match report.delivered.pieces {
        0 => voice.say("load-no-delivery"),
        pieces => voice.tell("load-delivered", &[("pieces", pieces.into())]),
    });
    if let Some(failure) = &report.delivered.failure {
        let reason = [("reason", failure.to_string().into())];
        text.push_str(&indented(&voice.tell("load-delivery-failed", &reason)));
    }
    text
}

fn spans(spans: Option<SpanCounts>, voice: Voice) -> String {
    let said = match spans {
        None => voice.say("load-no-spans"),
        Some(spans) => {
            let reasons = spans.lost.iter().map(|(reason, count)| format!("{count} {reason}"));
            let reasons = reasons.collect::<Vec<_>>().join(", ");
            let id = if reasons.is_empty() { "load-exported" } else { "load-exported-some" };
            let counts = Message::new(id)
                .with("exported", spans.exported)
                .with("lost", spans.lost_in_all())
                .with("reasons", reasons);
            voice.put(&counts)
        }
    };
    format!("\n{}\n{}", voice.say("load-spans"), indented(&said))
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
        "idempotent": plan.idempotent,
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
        "settlements": report.settlements(),
    });
    format!("{object:#}\n")
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use campuscafe_evidence::load::metrics::MetricsReading;

    use super::*;

    /// Twelve orders with keys, of which two were unknown at first and one still is.
    fn keyed() -> (LoadPlan, LoadReport) {
        let plan = LoadPlan {
            rate: 12.0,
            duration: None,
            mix: "lostreply=1".parse().unwrap(),
            retry: true,
            idempotent: true,
            max_in_flight: 1,
            seed: 7,
        };
        let order = "order_outcomes_total{outcome=\"confirmed\"} 10\n\
                     order_settled_total{result=\"confirmed\"} 1\n";
        let after = MetricsReading::of(order, "inventory_reservations_total{item=\"cake\"} 11\n");
        let report = LoadReport {
            tally: Tally::new().unwrap(),
            arrivals: 12,
            under_way: 0,
            took: Duration::from_secs(1),
            delivered: Default::default(),
            before: MetricsReading::default(),
            after: Ok(after),
            unsettled: true,
            still_unknown: Some(1),
        };
        (plan, report)
    }

    #[test]
    fn orders_that_were_unknown_are_told_with_what_became_of_them() {
        let (plan, report) = keyed();
        let text = text(&plan, &report, Voice::ENGLISH);
        for line in [
            "retry on timeout, with idempotency keys; seed 7",
            "customers told yes      11\n",
            "0 reservations that no customer knows of",
            "  Of the orders that were unknown at first, 1 are confirmed now, 0 failed, and 1 are \
             still unknown.\n",
        ] {
            assert!(text.contains(line), "{line}: {text}");
        }
    }

    #[test]
    fn a_load_without_keys_tells_of_no_settlement() {
        let (plan, report) = keyed();
        let report = LoadReport { still_unknown: None, ..report };
        assert!(!text(&plan, &report, Voice::ENGLISH).contains("unknown at first"));
        let json: serde_json::Value = serde_json::from_str(&json(&plan, &report)).unwrap();
        assert_eq!(json["settlements"], serde_json::Value::Null);
    }
}
