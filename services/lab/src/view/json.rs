//! One JSON object for machines; the fields are those that the text tells.

use campuscafe_evidence::order::Order;
use campuscafe_evidence::pings::Race;
use campuscafe_evidence::story::Story;
use campuscafe_evidence::tale::Tale;
use campuscafe_evidence::turnover::Turnover;
use serde::Serialize;
use serde_json::{Map, Value, json};

use super::{diagram, message_order};
use crate::lessons::{Conclusion, Evidence, Finding, Findings};

/// What was asked for, whether all of it was shown, and each finding.
pub(super) fn report(name: &str, seed: u64, all: &[Findings]) -> String {
    let findings: Vec<Value> = all
        .iter()
        .flat_map(|findings| {
            findings.all.iter().map(|finding| one(findings.experiment.name, finding))
        })
        .collect();
    let conclusion = all.iter().map(Findings::conclusion).max().unwrap_or(Conclusion::Shown);
    let object = json!({
        "experiment": name,
        "seed": seed,
        "shown": conclusion.is_shown(),
        "conclusion": conclusion.code(),
        "findings": findings,
    });
    format!("{object:#}\n")
}

fn one(experiment: &str, finding: &Finding) -> Value {
    let mut object = Map::new();
    object.insert("experiment".to_owned(), experiment.into());
    object.insert("caption".to_owned(), finding.caption.into());
    let verdict = &finding.verdict;
    object.insert("shown".to_owned(), verdict.conclusion.is_shown().into());
    object.insert("conclusion".to_owned(), verdict.conclusion.code().into());
    object.insert("verdict".to_owned(), verdict.sentence.clone().into());
    object.insert("incomplete".to_owned(), verdict.incomplete.clone().into());
    let evidence = match &finding.evidence {
        Evidence::Order(placed) => order(placed),
        Evidence::Race(held) => race(held),
        Evidence::Turnover(came) => turnover(came),
    };
    if let Value::Object(evidence) = evidence {
        object.extend(evidence);
    }
    let links = [("jaeger", &finding.in_jaeger), ("grafana", &finding.in_grafana)];
    let links: Map<String, Value> = links
        .into_iter()
        .filter_map(|(name, link)| Some((name.to_owned(), link.as_ref()?.url()?.into())))
        .collect();
    if !links.is_empty() {
        object.insert("links".to_owned(), links.into());
    }
    object.into()
}

fn order(order: &Order) -> Value {
    let Order { plan, told, ledger, jumps, story, delivered, .. } = order;
    let mut answer = Map::new();
    answer.insert("status".to_owned(), told.status.into());
    answer.insert("words".to_owned(), told.words.clone().into());
    answer.insert("afterMs".to_owned(), json!(told.after.as_millis()));
    if let Value::Object(report) = value(&told.report) {
        answer.extend(report);
    }
    json!({
        "evidence": rests_on(story.as_ref()),
        "chaos": plan.chaos,
        "retryOnTimeout": plan.retry,
        "told": answer,
        "delivered": value(delivered),
        "ledger": value(ledger),
        "counters": value(jumps),
        "commits": story.as_ref().map(commits).unwrap_or_default(),
        "diagram": story.as_ref().map(lines).unwrap_or_default(),
    })
}

fn race(race: &Race) -> Value {
    json!({
        "evidence": rests_on(race.pings.as_ref()),
        "told": value(&race.report),
        "counters": value(&race.jumps),
        "diagram": race.pings.as_ref().map(message_order::draw).unwrap_or_default(),
    })
}

fn turnover(turnover: &Turnover) -> Value {
    let Turnover { plan, customers, old, replaced, remembered } = turnover;
    let customers: Vec<Value> = customers
        .iter()
        .map(|customer| {
            json!({
                "number": customer.number,
                "atMs": customer.came.as_millis(),
                "afterMs": customer.after.as_millis(),
                "told": customer.told.as_str(),
                "pod": customer.pod(plan.watched),
                "traceId": customer.trace_id,
            })
        })
        .collect();
    let telling = turnover.telling().and_then(|customer| customer.story.as_ref());
    json!({
        "evidence": rests_on(telling),
        "service": plan.watched.name(),
        "command": plan.command,
        "oldPods": old,
        "replaced": replaced,
        "customers": customers,
        "ledger": { "known": turnover.told_yes(), "reservations": remembered },
        "diagram": telling.map(lines).unwrap_or_default(),
    })
}

/// What a verdict rests on; without spans there are still answers and totals.
fn rests_on<T: Tale>(tale: Option<&T>) -> &'static str {
    match tale {
        Some(tale) if tale.is_complete() => "spans",
        Some(_) => "some spans",
        None => "ledger",
    }
}

fn commits(story: &Story) -> Vec<Value> {
    let commit = |(attempt, commit): (u32, &campuscafe_evidence::story::Commit)| {
        json!({
            "attempt": attempt,
            "atMs": story.ms(commit.at),
            "item": commit.item,
            "stockBefore": commit.before,
            "stockAfter": commit.after,
            "late": commit.late,
            "duplicate": commit.duplicate,
        })
    };
    story.commits().into_iter().map(commit).collect()
}

fn lines(story: &Story) -> Vec<String> {
    diagram::draw(story).into_iter().map(|line| line.text).collect()
}

/// None of our types fails to serialise.
fn value(of: &impl Serialize) -> Value {
    serde_json::to_value(of).unwrap_or_default()
}
