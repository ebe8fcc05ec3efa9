//! What an experiment says: as text for people, as JSON for machines.

use std::fmt::Write as _;

use serde::Serialize;
use serde_json::{Map, Value, json};

use crate::bench::Observed;
use crate::diagram::{self, Tone, wrap};
use crate::evidence::source::Source;
use crate::evidence::story::Story;
use crate::experiment::{Experiment, Outcomes, Place, Result, Trial, reservations, seconds};
use crate::paint::Paint;

pub(crate) fn heading(experiment: &Experiment, paint: Paint) -> String {
    let text = format!("EXPERIMENT {}: {}", experiment.name, experiment.title);
    format!("\n{}\n", paint.strong(&text))
}

pub(crate) fn announcement(trial: &Trial, paint: Paint) -> String {
    let retry = if trial.plan.retry { "retryOnTimeout" } else { "no retry" };
    let asked = format!("chaos \"{}\", {retry}", trial.plan.chaos);
    format!("\n{}\n{}\n\n", paint.strong(trial.caption), paint.tone(Tone::Faint, &asked))
}

pub(crate) fn result(result: &Result, place: &Place, paint: Paint) -> String {
    let observed = &result.observed;
    let mut text = String::new();
    match &observed.story {
        Some(story) => {
            for line in diagram::draw(story) {
                let _ = writeln!(text, "{}", paint.tone(line.tone, &line.text));
            }
            if !story.is_settled() {
                text.push_str("Some spans have not arrived, so the picture is not complete.\n");
            }
        }
        None => text.push_str(no_spans(observed, place)),
    }
    let _ = write!(text, "\n{}", ledger(observed));
    let _ = write!(text, "\n{}", jumps(observed));
    let (word, tone) =
        if result.verdict.shown { ("SHOWN", Tone::Good) } else { ("NOT SHOWN", Tone::Bad) };
    let sentence = wrap(&result.verdict.sentence, diagram::WIDTH - 2).join("\n  ");
    let _ = writeln!(text, "\n{}\n  {sentence}", paint.tone(tone, word));
    if let Some(trace) = &observed.told.report.trace_id {
        let _ = writeln!(text, "\n{}", where_is(trace, place));
    }
    text
}

pub(crate) fn closing(outcomes: &Outcomes, place: &Place, paint: Paint) -> String {
    let mut text = format!("\n{}\n", paint.strong("Look closer"));
    for hint in outcomes.experiment.look_at {
        let _ = writeln!(text, "  - {hint}");
    }
    if place.passing {
        text.push_str(
            "  - the services of this run are gone now; to keep them and their traces, start \
             `campuscafe`\n    and run this again with --lab-url http://127.0.0.1:5301\n",
        );
    }
    text
}

fn no_spans(observed: &Observed, place: &Place) -> &'static str {
    match (&place.spans, &observed.told.report.trace_id) {
        (_, None) => {
            "The services record no traces (OTEL_SDK_DISABLED?), so the verdict rests on the ledger alone.\n"
        }
        (Source::Nowhere, _) => {
            "No place to read spans from (--lab-url or --jaeger-url), so the verdict rests on the ledger alone.\n"
        }
        _ => "No span of this order arrived in time, so the verdict rests on the ledger alone.\n",
    }
}

fn ledger(observed: &Observed) -> String {
    let ledger = &observed.ledger;
    let told = &observed.told;
    format!(
        "Ledger
  the customer was told   {} \"{}\" after {}: {}
  the customer knows of   {}
  the inventory made      {}, {} left {} -> {}
  the gap                 {}
",
        told.status,
        told.words,
        seconds(told.after),
        ledger.told.as_str(),
        reservations(ledger.known),
        reservations(ledger.reservations),
        ledger.item,
        ledger.stock_before,
        ledger.stock_after,
        ledger.gap_in_words(),
    )
}

fn jumps(observed: &Observed) -> String {
    let mut text = "Counters that jumped\n".to_owned();
    for (series, by) in &observed.jumps {
        let _ = writeln!(text, "  +{by}  {series}");
    }
    text
}

fn where_is(trace: &str, place: &Place) -> String {
    let at = |base: &reqwest::Url, path: &str| {
        format!("Trace {trace}\n  {}{path}{trace}", base.as_str().trim_end_matches('/'))
    };
    match (&place.spans, &place.jaeger) {
        (_, Some(jaeger)) => at(jaeger, "/trace/"),
        (Source::Lab(lab), None) => at(lab, "/api/traces/"),
        _ => format!("Trace {trace}"),
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Machine<'a> {
    experiment: &'a str,
    caption: &'a str,
    chaos: &'a str,
    retry_on_timeout: bool,
    told: Value,
    ledger: &'a crate::evidence::ledger::Ledger,
    counters: &'a crate::evidence::counters::Counters,
    /// `spans`, `some spans` or `ledger`: what the verdict rests on.
    evidence: &'static str,
    commits: Vec<Value>,
    diagram: Vec<String>,
    shown: bool,
    verdict: &'a str,
}

/// One object: what was asked for, whether all of it was shown, and each order.
pub(crate) fn json(name: &str, all: &[Outcomes]) -> String {
    let orders: Vec<Machine<'_>> = all
        .iter()
        .flat_map(|outcomes| {
            outcomes.results.iter().map(|result| machine(outcomes.experiment.name, result))
        })
        .collect();
    let shown = all.iter().all(Outcomes::shown);
    let object = json!({ "experiment": name, "shown": shown, "orders": orders });
    format!("{object:#}\n")
}

fn machine<'a>(experiment: &'a str, result: &'a Result) -> Machine<'a> {
    let Observed { plan, told, ledger, jumps, story } = &result.observed;
    let mut answer = Map::new();
    answer.insert("status".to_owned(), told.status.into());
    answer.insert("words".to_owned(), told.words.clone().into());
    answer.insert("afterMs".to_owned(), json!(told.after.as_millis()));
    if let Ok(Value::Object(report)) = serde_json::to_value(&told.report) {
        answer.extend(report);
    }
    Machine {
        experiment,
        caption: result.caption,
        chaos: plan.chaos,
        retry_on_timeout: plan.retry,
        told: answer.into(),
        ledger,
        counters: jumps,
        evidence: match story {
            Some(story) if story.is_settled() => "spans",
            Some(_) => "some spans",
            None => "ledger",
        },
        commits: story.as_ref().map(commits).unwrap_or_default(),
        diagram: story.as_ref().map(lines).unwrap_or_default(),
        shown: result.verdict.shown,
        verdict: &result.verdict.sentence,
    }
}

fn commits(story: &Story) -> Vec<Value> {
    let commit = |(attempt, commit): (usize, &crate::evidence::story::Commit)| {
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
