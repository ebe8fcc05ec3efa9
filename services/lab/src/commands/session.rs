//! Experiments at the services that a command found or started: set up, carry out, say,
//! clean up.

use std::process::ExitCode;
use std::time::Duration;

use campuscafe_service::{ExitError, end_signal, ids};
use campuscafe_telemetry::Metrics;
use tokio::time::sleep;

use super::place::Place;
use crate::lessons::{Event, Experiment, StormPlan};
use crate::run::{Decider, RunRequest, StormServices, experiments};
use crate::server::services;
use crate::targets::ExperimentDatabase;
use crate::view::log;
use crate::view::report::Report;
use crate::view::voice::Voice;

/// How long the services of a storm may take to end before they are killed.
const STORM_END: Duration = Duration::from_secs(1);

/// What a person asked for.
pub(super) struct Asked {
    pub(super) experiments: Vec<&'static Experiment>,
    /// Only the trial of this number, counted from 1.
    pub(super) trial: Option<usize>,
    pub(super) seed: Option<u64>,
    pub(super) decider: Decider,
    pub(super) database: ExperimentDatabase,
    pub(super) place: Place,
}

/// Carries them out, one after the other. A seed of our own is said, so that what it led to
/// can be had again.
pub(super) async fn run<'a>(
    asked: Asked,
    voice: Voice,
    report: impl FnOnce(u64) -> Report<'a>,
    metrics: Metrics,
) -> Result<ExitCode, ExitError> {
    let Asked { experiments: wanted, trial, seed, mut decider, database, place } = asked;
    let storm = wanted.iter().find_map(|experiment| experiment.storm());
    if storm.is_some() && place.is_named() {
        return Err(ExitError::Usage(
            "a storm starts services of its own, whose inventory has a capacity; leave out \
             --order-url, --inventory-url and --lab-url"
                .to_owned(),
        ));
    }
    // No experiment kills a service that is not its own, so services that are named are left
    // alone.
    let starts_services = wanted.iter().any(|experiment| experiment.starts_services());
    let place = if starts_services { place.with_own() } else { place };
    let end = end_signal();
    tokio::pin!(end);
    let (targets, mut place) = tokio::select! {
        found = place.find(voice) => found?,
        () = &mut end => return Err(interrupted()),
    };
    let mut settings = environment(seed);
    settings.extend(storm.into_iter().flat_map(StormPlan::settings));
    let find = async || {
        let (env, own) = services::find(&targets, &settings, database, metrics.clone()).await?;
        let Some(_) = storm else { return Ok((env, own, None)) };
        // The lanes must not share a queue.
        let (cured, its) =
            services::find(&targets, &settings, ExperimentDatabase::default(), metrics.clone())
                .await?;
        let (naive, cured) = (env.addresses.clone(), cured.addresses);
        Ok::<_, ExitError>((env, own, Some((StormServices { naive, cured }, its))))
    };
    let (env, own, second) = tokio::select! {
        found = find() => found?,
        () = &mut end => return Err(interrupted()),
    };
    let (of_storm, second) = second.unzip();
    let seed = seed.unwrap_or_else(|| rand::random::<u32>().into());
    let request = RunRequest {
        experiments: wanted,
        trial,
        seed,
        order: None,
        storm: of_storm,
        run: ids::random(),
    };
    let report = report(seed);
    let mut observer = |event: Event<'_>| {
        log::write(event);
        report.tell(event)?;
        match place.take_if(|_| matches!(event, Event::ExperimentBegan(_))) {
            Some(place) => report.tell_place(&place),
            None => Ok(()),
        }
    };
    let result = tokio::select! {
        result = experiments(&request, &env, &mut decider, &mut observer) => result,
        () = end => Err(interrupted()),
    };
    let result = match (&result, &own) {
        (Ok(_), Some(_)) => report.say_farewell(starts_services).and(result),
        _ => result,
    };
    // Services of our own drain and end with us, whichever way we end.
    for services in [own, second.flatten()].into_iter().flatten() {
        match storm {
            // Their queue may be long, and nobody waits for it.
            Some(_) => drop(services.stop_before(sleep(STORM_END)).await),
            None => services.stop().await,
        }
    }
    let shown = result?.iter().all(|findings| findings.conclusion().is_shown());
    Ok(if shown { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn interrupted() -> ExitError {
    ExitError::Failed("interrupted".to_owned())
}

/// What services of our own are told beyond their usual settings.
fn environment(seed: Option<u64>) -> Vec<(&'static str, String)> {
    seed.map(|seed| ("CHAOS_SEED", seed.to_string())).into_iter().collect()
}
