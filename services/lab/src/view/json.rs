//! JSON for machines; the fields are those that the text tells.
//!
//! The command line prints a [`Document`] and the lab's API answers the same one. While
//! a run goes on, the API tells each [`event`] of it.

use std::sync::Arc;

use campuscafe_api::inventory::Key;
use campuscafe_evidence::counters::{self, Counters};
use campuscafe_evidence::from_spans::FromSpans;
use campuscafe_evidence::message_order::PingBatch;
use campuscafe_evidence::order::{CustomerResponse, Delivered, Later, Order};
use campuscafe_evidence::order_trace::{Commit, OrderTrace};
use campuscafe_evidence::pod_replacement::PodReplacement;
use serde::Serialize;
use serde_json::{Map, Value, json};
use utoipa::ToSchema;

use super::voice::Voice;
use super::{diagram, message_order, same_view, script, storm};
use crate::lessons::{
    Calls, Conclusion, Event, Evidence, Experiment, Finding, Findings, SameView, Series, Tally,
    Trial,
};
use crate::messages::Language;

/// What was asked for, whether all of it was shown, and each finding.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Document {
    /// The name of the experiment.
    #[schema(example = "double")]
    experiment: String,
    /// What made the random choices.
    #[schema(example = 7, format = "uint64")]
    seed: u64,
    /// What the spans of this run have in common: 32 hexadecimal digits.
    #[schema(example = "0af7651916cd43dd8448eb211c80319c")]
    run: Option<String>,
    /// Whether all findings are as the experiment promises; null before its end.
    shown: Option<bool>,
    /// `shown`, `incomplete` (spans are missing, and without them nobody can say) or
    /// `not_shown`; null before its end.
    #[schema(example = "shown")]
    conclusion: Option<&'static str>,
    /// What each trial came to: what was asked for, what the customer was told, what the
    /// inventory holds, the evidence and the verdict.
    #[schema(value_type = Vec<FindingDocument>)]
    findings: Vec<Value>,
    /// What the spans of this run make of the counters. The `counters` of a finding are
    /// differences of totals, which orders of others move too.
    #[serde(rename = "spanCounters")]
    #[schema(value_type = Object, example = json!({"inventory_reservations_total{item=\"cake\",lane=\"naive\"}": 2}))]
    span_counters: Counters,
    /// Whether the order service can tell trials apart that differ only in the inventory:
    /// what it sent, received and did in each of them.
    #[serde(rename = "sameViews")]
    #[schema(value_type = Vec<Object>)]
    same_views: Vec<Value>,
    /// What was left out, because it needs a database and there is none for it, in English.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    skipped: Vec<String>,
    /// The ledgers of both lanes, if the same script went through both.
    #[serde(skip_serializing_if = "Option::is_none")]
    lanes: Option<Lanes>,
}

/// What a trial came to. It has more members, which depend on what was done.
#[derive(ToSchema)]
#[schema(as = Finding)]
#[allow(dead_code, reason = "it is read for its schema only")]
struct FindingDocument {
    /// The name of the experiment.
    #[schema(example = "settle")]
    experiment: String,
    /// What was done, in English.
    caption: String,
    /// Whether it is as the experiment promises.
    shown: bool,
    /// `shown`, `incomplete` or `not_shown`.
    #[schema(example = "shown")]
    conclusion: String,
    /// Why, in English.
    verdict: String,
    /// What is missing or contradicts itself in the spans, in English.
    incomplete: Vec<String>,
    /// Only of a script of calls: what was decided under the idempotency keys that its calls
    /// carried, as the inventory told it when the script was over. Empty if no call carried one.
    #[schema(nullable = false)]
    keys: Option<Vec<Key>>,
}

/// The ledgers of both lanes.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Lanes {
    /// Without a key.
    naive: Tally,
    /// With the cure.
    cured: Tally,
}

impl Lanes {
    /// Those of a comparison that is over.
    fn of(experiment: &Experiment, findings: &[Arc<Finding>]) -> Option<Self> {
        let [naive, cured] = findings else { return None };
        let tallies = naive.tally().zip(cured.tally()).filter(|_| experiment.compares());
        tallies.map(|(naive, cured)| Self { naive, cured })
    }
}

impl Document {
    /// The document of a run; without a conclusion if it is not over.
    pub(crate) fn new(
        asked: &str,
        seed: u64,
        run: Option<&str>,
        conclusion: Option<Conclusion>,
        findings: Vec<Value>,
        span_counters: Counters,
        same_views: Vec<Value>,
    ) -> Self {
        Self {
            experiment: asked.to_owned(),
            seed,
            run: run.map(str::to_owned),
            shown: conclusion.map(Conclusion::is_shown),
            conclusion: conclusion.map(Conclusion::code),
            findings,
            span_counters,
            same_views,
            skipped: Vec::new(),
            lanes: None,
        }
    }

    /// The same, when these trials were left out.
    pub(crate) fn without(self, skipped: &[&Trial]) -> Self {
        let skipped = skipped.iter().map(|trial| Voice::ENGLISH.say(trial.caption)).collect();
        Self { skipped, ..self }
    }

    /// The same with the ledgers of both lanes, if it is of a comparison that is over.
    pub(crate) fn comparing(self, experiment: &Experiment, findings: &[Arc<Finding>]) -> Self {
        Self { lanes: Lanes::of(experiment, findings), ..self }
    }
}

/// The document of a run that is over.
pub(super) fn report(name: &str, seed: u64, all: &[Findings]) -> String {
    let each = |of: &Findings| {
        of.all.iter().map(|one| finding(of.experiment.name, one)).collect::<Vec<_>>()
    };
    let findings = all.iter().flat_map(each).collect();
    let same_views = all.iter().filter_map(|of| same_view(of.experiment, &of.all)).collect();
    let conclusion = all.iter().map(Findings::conclusion).max().unwrap_or(Conclusion::Shown);
    let run = all.first().map(|findings| &*findings.run);
    let counters = counters::sum(all.iter().flat_map(|of| &of.all).map(|one| one.span_counters()));
    let document = Document::new(name, seed, run, Some(conclusion), findings, counters, same_views);
    let skipped: Vec<_> = all.iter().flat_map(|of| of.skipped.iter().copied()).collect();
    let document = document.without(&skipped);
    let document = match all {
        [of] => document.comparing(of.experiment, &of.all),
        _ => document,
    };
    format!("{:#}\n", value(&document))
}

/// The name of the event that an answer is held.
pub(crate) const HELD: &str = "answer_held";

/// The name of an event and what it tells. The findings and the ends are told by whoever
/// keeps the run.
pub(crate) fn event(event: Event<'_>) -> Option<(&'static str, Value)> {
    Some(match event {
        Event::ExperimentBegan(experiment) => (
            "began",
            json!({
                "experiment": experiment.name,
                "title": Voice::ENGLISH.put(&experiment.title()),
                "trials": experiment.trials.len(),
            }),
        ),
        Event::TrialBegan { trial, seed } => {
            ("trial_began", json!({ "caption": Voice::ENGLISH.say(trial.caption), "seed": seed }))
        }
        Event::OrderSent(order) => (
            "order_sent",
            json!({
                "item": order.item_id,
                "chaos": order.chaos,
                "retryOnTimeout": order.retry_on_timeout,
            }),
        ),
        Event::Delivered { item, delivered: Delivered { quantity, stock_before } } => (
            "delivered",
            json!({ "item": item, "quantity": quantity, "stockBefore": stock_before }),
        ),
        Event::SurplusOrdered { item, pieces } => {
            ("surplus_ordered", json!({ "item": item, "quantity": pieces }))
        }
        Event::Undecided => ("undecided", json!({})),
        Event::AnswerHeld(held) => {
            (HELD, json!({ "hold": value(&held.hold), "limitMs": held.limit.as_millis() }))
        }
        Event::TrialSkipped(trial) => {
            ("trial_skipped", json!({ "caption": Voice::ENGLISH.say(trial.caption) }))
        }
        Event::InventoryKilled(_) => ("inventory_killed", json!({ "signal": "SIGKILL" })),
        Event::InventoryRestarted(crash) => (
            "inventory_restarted",
            json!({ "kept": crash.restart.is_some_and(|restart| restart.kept) }),
        ),
        Event::OrderAnswered(response) => ("order_answered", told(response)),
        Event::SeriesSent { orders } => ("series_sent", json!({ "orders": orders })),
        Event::PingsSent { count } => ("pings_sent", json!({ "pings": count })),
        Event::PingsAnswered(report) => ("pings_answered", value(report)),
        Event::SpansArrived { complete } => ("spans_arrived", json!({ "complete": complete })),
        Event::Settled => ("settled", json!({})),
        Event::StormGrew(seen) => ("storm_second", storm::second(seen)),
        Event::CustomerAnswered(_)
        | Event::CommandNeeded { .. }
        | Event::Judged(_)
        | Event::ExperimentEnded(_)
        | Event::AllEnded(_) => return None,
    })
}

/// What the order service knows of trials that only the inventory can tell apart, if the
/// experiment has any.
pub(crate) fn same_view(experiment: &Experiment, findings: &[Arc<Finding>]) -> Option<Value> {
    let view = SameView::of(experiment, findings)?;
    Some(same_view::json(experiment.name, &view))
}

/// What a trial came to.
pub(crate) fn finding(experiment: &str, finding: &Finding) -> Value {
    let mut object = Map::new();
    object.insert("experiment".to_owned(), experiment.into());
    object.insert("caption".to_owned(), Voice::ENGLISH.say(finding.caption).into());
    let verdict = &finding.verdict;
    object.insert("shown".to_owned(), verdict.conclusion.is_shown().into());
    object.insert("conclusion".to_owned(), verdict.conclusion.code().into());
    object.insert("verdict".to_owned(), Voice::ENGLISH.put(&verdict.why).into());
    let incomplete: Vec<_> = verdict.incomplete.iter().map(|it| Voice::ENGLISH.put(it)).collect();
    object.insert("incomplete".to_owned(), incomplete.into());
    let evidence = match &finding.evidence {
        Evidence::Order(placed) => order(placed),
        Evidence::Pings(held) => batch(held),
        Evidence::Rounds(told) => json!({
            "pings": told.count,
            "inversions": told.inversions,
            "reorderedRounds": told.reordered(),
        }),
        Evidence::Calls(told) => {
            json!({ "local": calls(&told.local), "remote": calls(&told.remote) })
        }
        Evidence::Series(sent) => series(sent),
        Evidence::Script(played) => script::json(played),
        Evidence::Storm(seen) => storm::json(seen),
        Evidence::PodReplacement(seen) => pod_replacement(seen),
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
    let Order { request, response, later, ledger, deltas, order_trace, delivered, .. } = order;
    json!({
        "evidence": rests_on(order_trace.as_ref()),
        "chaos": order.chaos(),
        "retryOnTimeout": request.retry_on_timeout,
        "idempotent": request.idempotent,
        "told": told(response),
        "later": later.as_ref().map(told_later),
        "delivered": value(delivered),
        "ledger": value(ledger),
        "takenByOthers": ledger.taken_by_others(),
        "counters": value(deltas),
        "crash": order_trace.as_ref().and_then(crash),
        "commits": order_trace.as_ref().map(commits).unwrap_or_default(),
        "diagram": order_trace.as_ref().map(lines).unwrap_or_default(),
    })
}

/// When the inventory was killed, if it was, and what the next process had.
fn crash(order_trace: &OrderTrace) -> Option<Value> {
    let crash = order_trace.crash?;
    Some(json!({
        "killedAtMs": order_trace.ms(crash.killed_at),
        "restartedAtMs": crash.restart.map(|restart| order_trace.ms(restart.at)),
        "kept": crash.restart.map(|restart| restart.kept),
    }))
}

/// What a customer was told.
fn told(response: &CustomerResponse) -> Value {
    let mut answer = Map::new();
    answer.insert("status".to_owned(), response.status.into());
    answer.insert("words".to_owned(), response.words.clone().into());
    answer.insert("afterMs".to_owned(), json!(response.after.as_millis()));
    if let Value::Object(report) = value(&response.report) {
        answer.extend(report);
    }
    answer.into()
}

/// What a customer in doubt did, and was told then.
fn told_later(later: &Later) -> Value {
    json!({
        "asked": value(&later.asked),
        "status": later.status,
        "outcome": value(&later.outcome),
        "afterMs": later.after.as_millis(),
        "history": value(&later.history),
    })
}

fn calls(calls: &Calls) -> Value {
    let us = |percent| calls.percentile(percent).as_secs_f64() * 1e6;
    json!({
        "calls": calls.times.len() + calls.failures,
        "failures": calls.failures,
        "p50Us": us(50),
        "p99Us": us(99),
        "maxUs": us(100),
    })
}

fn series(series: &Series) -> Value {
    let orders = series.results.iter().map(|one| {
        json!({
            "group": Voice::ENGLISH.say(one.sent.group),
            "order": value(&one.sent.order),
            "told": value(&one.response.report),
            "status": one.response.status,
            "afterMs": one.response.after.as_millis(),
            "commits": one.commits,
        })
    });
    let groups = series.groups().into_iter().map(|group| {
        json!({
            "group": Voice::ENGLISH.say(group.name),
            "orders": group.orders,
            "confirmed": group.confirmed,
            "failed": group.failed,
            "unknown": group.unknown,
            "doubled": group.doubled,
            "p95Ms": group.p95.as_millis(),
            "calls": group.attempts,
            "reservations": group.reservations,
        })
    });
    json!({
        "delivered": value(&series.delivered),
        "orders": orders.collect::<Vec<_>>(),
        "groups": groups.collect::<Vec<_>>(),
    })
}

fn batch(batch: &PingBatch) -> Value {
    json!({
        "evidence": rests_on(batch.pings.as_ref()),
        "told": value(&batch.report),
        "counters": value(&batch.deltas),
        "diagram": batch.pings.as_ref().map(|pings| message_order::draw(pings, Voice::ENGLISH)).unwrap_or_default(),
    })
}

fn pod_replacement(pod_replacement: &PodReplacement) -> Value {
    let PodReplacement { plan, customers, old, replaced, remembered } = pod_replacement;
    let customers: Vec<Value> = customers
        .iter()
        .map(|customer| {
            json!({
                "number": customer.number,
                "atMs": customer.arrived.as_millis(),
                "afterMs": customer.after.as_millis(),
                "told": customer.result.as_str(),
                "pod": customer.pod(plan.service),
                "traceId": customer.trace_id,
            })
        })
        .collect();
    let last_of_old_pods =
        pod_replacement.last_of_old_pods().and_then(|customer| customer.order_trace.as_ref());
    json!({
        "evidence": rests_on(last_of_old_pods),
        "service": plan.service.name(),
        "command": plan.command,
        "oldPods": old,
        "replaced": replaced,
        "customers": customers,
        "ledger": { "known": pod_replacement.told_yes(), "reservations": remembered },
        "diagram": last_of_old_pods.map(lines).unwrap_or_default(),
    })
}

/// What a verdict rests on; without spans there are still answers and totals.
pub(super) fn rests_on<T: FromSpans>(read_spans: Option<&T>) -> &'static str {
    match read_spans {
        Some(read_spans) if read_spans.is_complete() => "spans",
        Some(_) => "some spans",
        None => "ledger",
    }
}

fn commits(order_trace: &OrderTrace) -> Vec<Value> {
    let commits = order_trace.commits().into_iter();
    commits.map(|(number, it)| commit("attempt", number, order_trace.ms(it.at), it)).collect()
}

/// A commit, and the number of the attempt or call that made it.
pub(super) fn commit(of: &str, number: u32, at_ms: u64, commit: &Commit) -> Value {
    json!({
        of: number,
        "atMs": at_ms,
        "item": commit.item,
        "stockBefore": commit.before,
        "stockAfter": commit.after,
        "late": commit.late,
        "duplicate": commit.duplicate,
    })
}

fn lines(order_trace: &OrderTrace) -> Vec<String> {
    diagram::draw(order_trace, Language::English).into_iter().map(|line| line.text).collect()
}

/// None of our types fails to serialise.
pub(super) fn value(of: &impl Serialize) -> Value {
    serde_json::to_value(of).unwrap_or_default()
}
