//! Goes through the trials of experiments: does, waits, judges, and tells.

use std::sync::Arc;
use std::time::SystemTime;

use campuscafe_api::order::PlaceOrder;
use campuscafe_service::ExitError;
use campuscafe_telemetry::Baggage;

use super::{Decider, Observer, Runner, StormServices};
use crate::lessons::{Act, Event, Evidence, Experiment, Finding, Findings, Trial};
use crate::targets::{SpanSource, TargetEnv};

/// What is to be run.
pub(crate) struct RunRequest {
    pub(crate) experiments: Vec<&'static Experiment>,
    /// Only the trial of this number, counted from 1.
    pub(crate) trial: Option<usize>,
    pub(crate) seed: u64,
    /// The order of somebody's own, for free play.
    pub(crate) order: Option<PlaceOrder>,
    /// The services of a storm, which it has for itself.
    pub(crate) storm: Option<StormServices>,
    /// What the spans of the run have in common: 32 hexadecimal digits.
    pub(crate) run: String,
}

/// Runs each experiment in turn on these services.
pub(crate) async fn experiments(
    request: &RunRequest,
    env: &TargetEnv,
    decider: &mut Decider,
    observer: &mut Observer<'_>,
) -> Result<Vec<Findings>, ExitError> {
    let runner = Runner::new(&env.addresses, env.spans.clone(), env.people.clone())?;
    let RunRequest { experiments, trial: only, seed, run, .. } = request;
    let mut all = Vec::new();
    for experiment in experiments {
        let runner = runner.on_behalf_of(&Baggage::new(experiment.name, run))?;
        observer(Event::ExperimentBegan(experiment))?;
        env.announce(&runner.http, experiment.name).await;
        let (all_of, skipped) = (Vec::new(), Vec::new());
        let mut findings = Findings { experiment, run: run.clone(), all: all_of, skipped };
        let wanted = |(number, _): &(usize, _)| only.is_none_or(|only| only == *number);
        for (_, trial) in (1..).zip(experiment.trials).filter(wanted) {
            let lacks_database = trial.needs_database() && !env.has_database();
            if lacks_database && only.is_none() {
                observer(Event::TrialSkipped(trial))?;
                findings.skipped.push(trial);
                continue;
            }
            observer(Event::TrialBegan { trial, seed: *seed })?;
            let begun = SystemTime::now();
            let mut finding = carry_out(&runner, trial, request, env, decider, observer).await?;
            // Jaeger and Prometheus do not know of services that an experiment starts.
            let own = experiment.starts_services();
            if let Some(id) = finding.trace_id().map(str::to_owned) {
                finding.in_lab = in_lab(&env.spans, &id);
                if !own {
                    finding.in_jaeger = env.links.trace(&runner.http, &id).await;
                }
            }
            if !own {
                let now = SystemTime::now();
                finding.in_grafana = env.links.dashboard(&runner.http, begun, now).await;
            }
            let finding = Arc::new(finding);
            observer(Event::Judged(&finding))?;
            findings.all.push(finding);
        }
        observer(Event::ExperimentEnded(&findings))?;
        all.push(findings);
    }
    observer(Event::AllEnded(&all))?;
    Ok(all)
}

async fn carry_out(
    runner: &Runner,
    trial: &Trial,
    request: &RunRequest,
    env: &TargetEnv,
    decider: &mut Decider,
    observer: &mut Observer<'_>,
) -> Result<Finding, ExitError> {
    let seed = request.seed;
    let (evidence, verdict) = match trial.act {
        Act::Order(plan, judge) => {
            let order = runner.order(plan, observer).await?;
            let verdict = judge(&order);
            (Evidence::Order(Box::new(order)), verdict)
        }
        Act::HeldOrder(plan, judge) => {
            let order = runner.held_order(plan, &request.run, decider, observer).await?;
            let verdict = judge(&order);
            (Evidence::Order(Box::new(order)), verdict)
        }
        Act::Crash(plan, store, judge) => {
            let own = env
                .for_own
                .as_ref()
                .ok_or_else(|| ExitError::Usage("a crash needs services of its own".to_owned()))?;
            let order = runner.crash(plan, store, &request.run, own, observer).await?;
            let verdict = judge(&order);
            (Evidence::Order(Box::new(order)), verdict)
        }
        Act::FreeOrder(judge) => {
            let order = request.order.clone().ok_or_else(|| {
                ExitError::Usage("free play needs an order; use the page of the lab".to_owned())
            })?;
            let order = runner.free_order(order, observer).await?;
            let verdict = judge(&order);
            (Evidence::Order(Box::new(order)), verdict)
        }
        Act::Pings { count, judge } => {
            let batch = runner.batch(count, seed, observer).await?;
            let verdict = judge(&batch);
            (Evidence::Pings(Box::new(batch)), verdict)
        }
        Act::Rounds { rounds, count, judge } => {
            let rounds = runner.rounds(rounds, count, observer).await?;
            let verdict = judge(&rounds);
            (Evidence::Rounds(Box::new(rounds)), verdict)
        }
        Act::Calls { calls, judge } => {
            let calls = runner.calls(calls, observer).await?;
            let verdict = judge(&calls);
            (Evidence::Calls(Box::new(calls)), verdict)
        }
        Act::Series(plan, judge) => {
            let series = runner.series(plan, seed, observer).await?;
            let verdict = judge(&series);
            (Evidence::Series(Box::new(series)), verdict)
        }
        Act::Script(script, lane, judge) => {
            let played = runner.script(script, lane, observer).await?;
            let verdict = judge(&played);
            (Evidence::Script(Box::new(played)), verdict)
        }
        Act::Storm(plan, judge) => {
            let services = request.storm.as_ref().ok_or_else(|| {
                ExitError::Usage("a storm needs services of its own; use the terminal".to_owned())
            })?;
            let storm = runner.storm(plan, services, observer).await?;
            let verdict = judge(&storm);
            (Evidence::Storm(Box::new(storm)), verdict)
        }
        Act::PodReplacement(plan, judge) => {
            let pod_replacement = runner.pod_replacement(plan, observer).await?;
            let verdict = judge(&pod_replacement);
            (Evidence::PodReplacement(Box::new(pod_replacement)), verdict)
        }
    };
    Ok(Finding {
        caption: trial.caption,
        evidence,
        verdict,
        had_span_source: !matches!(runner.spans, SpanSource::Nowhere),
        in_lab: None,
        in_jaeger: None,
        in_grafana: None,
    })
}

fn in_lab(spans: &SpanSource, trace: &str) -> Option<String> {
    let SpanSource::Lab(lab) = spans else { return None };
    Some(format!("{}/api/traces/{trace}", lab.as_str().trim_end_matches('/')))
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;
    use std::sync::atomic::{AtomicU64, Ordering};

    use axum::http::StatusCode;
    use axum::routing::{get, post};
    use axum::{Json, Router};
    use campuscafe_service::ids;
    use clap::Parser;
    use reqwest::Url;
    use serde_json::json;

    use super::*;
    use crate::lessons::{ALL, Decision};
    use crate::targets::Targets;

    #[derive(Parser)]
    struct Arguments {
        #[command(flatten)]
        targets: Targets,
    }

    /// Both services at one address: every order times out, and is reserved.
    async fn slow_services() -> Url {
        let made = Arc::new(AtomicU64::new(0));
        let counted = made.clone();
        let state = async move || {
            let reservations = made.load(Ordering::Relaxed);
            Json(json!({ "stock": { "cake": 9 }, "reservations": reservations }))
        };
        let order = async move || {
            counted.fetch_add(1, Ordering::Relaxed);
            let attempt = json!({ "number": 1, "result": "timeout", "durationMs": 1000 });
            let report = json!({ "orderId": "1", "outcome": "unknown", "attempts": [attempt] });
            (StatusCode::GATEWAY_TIMEOUT, Json(report))
        };
        let services = Router::new()
            .route("/inventory/state", get(state))
            .route("/orders", post(order))
            .route("/metrics", get(async || ""));
        let listener = tokio::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap()).parse().unwrap();
        tokio::spawn(async move { axum::serve(listener, services).await });
        url
    }

    async fn target_env() -> TargetEnv {
        let url = slow_services().await.to_string();
        let arguments = ["test", "--order-url", &url, "--inventory-url", &url];
        let targets = Arguments::parse_from(arguments).targets;
        TargetEnv::named(&targets).await.unwrap().unwrap()
    }

    fn slow(trial: Option<usize>) -> RunRequest {
        let experiments = ALL.into_iter().filter(|experiment| experiment.name == "slow").collect();
        RunRequest { experiments, trial, seed: 7, order: None, storm: None, run: ids::random() }
    }

    fn nobody() -> Decider {
        Decider::Always(Decision::Wait)
    }

    fn name(event: Event<'_>) -> String {
        match event {
            Event::ExperimentBegan(experiment) => format!("{} began", experiment.name),
            Event::TrialBegan { seed, .. } => format!("trial began, seed {seed}"),
            Event::OrderSent(order) => {
                format!("sent {}, {}", order.item_id, order.chaos.as_deref().unwrap_or_default())
            }
            Event::OrderAnswered(response) => format!("answered {}", response.status),
            Event::SpansArrived { complete } => format!("spans complete: {complete}"),
            Event::Settled => "settled".to_owned(),
            Event::Judged(finding) => finding.verdict.conclusion.code().to_owned(),
            Event::ExperimentEnded(findings) => format!("{} ended", findings.experiment.name),
            Event::AllEnded(all) => format!("{} in all", all.len()),
            _ => "another".to_owned(),
        }
    }

    #[tokio::test]
    async fn an_observer_is_told_what_happens_in_the_order_in_which_it_does() {
        let mut told = Vec::new();
        let mut observer = |event: Event<'_>| {
            told.push(name(event));
            Ok(())
        };
        experiments(&slow(None), &target_env().await, &mut nobody(), &mut observer).await.unwrap();
        let trial = |chaos: &str, verdict: &str| {
            ["trial began, seed 7", &format!("sent cake, {chaos}"), "answered 504"]
                .into_iter()
                .chain(["spans complete: false", "settled", verdict])
                .map(str::to_owned)
                .collect::<Vec<_>>()
        };
        let expected = [
            vec!["slow began".to_owned()],
            trial("slow", "shown"),
            // These services reserve whatever they are asked.
            trial("slowfail", "not_shown"),
            trial("slowreply", "shown"),
            vec!["slow ended".to_owned(), "1 in all".to_owned()],
        ]
        .concat();
        assert_eq!(told, expected);
    }

    #[tokio::test]
    async fn only_the_trial_that_was_asked_for_is_carried_out() {
        let mut sent = Vec::new();
        let mut observer = |event: Event<'_>| {
            sent.extend(matches!(event, Event::OrderSent(_)).then(|| name(event)));
            Ok(())
        };
        experiments(&slow(Some(3)), &target_env().await, &mut nobody(), &mut observer)
            .await
            .unwrap();
        assert_eq!(sent, ["sent cake, slowreply"]);
    }

    #[tokio::test]
    async fn an_observer_that_cannot_tell_ends_the_run() {
        let mut told = 0;
        let mut observer = |event: Event<'_>| {
            told += 1;
            match event {
                Event::TrialBegan { .. } => Err(ExitError::Failed("the disk is full".to_owned())),
                _ => Ok(()),
            }
        };
        let failed =
            experiments(&slow(None), &target_env().await, &mut nobody(), &mut observer).await;
        assert!(failed.is_err_and(|failure| failure.to_string() == "the disk is full"));
        assert_eq!(told, 2, "nothing was done after that");
    }
}
