//! What happens, as log lines; `RUST_LOG=debug` shows them.

use tracing::debug;

use super::voice::Voice;
use crate::lessons::Event;

/// Writes a line for an event.
pub(crate) fn write(event: Event<'_>) {
    match event {
        Event::ExperimentBegan(experiment) => debug!(experiment = experiment.name, "began"),
        Event::TrialBegan { trial, seed } => {
            debug!(seed, "trial began: {}", Voice::ENGLISH.say(trial.caption))
        }
        Event::TrialSkipped(trial) => {
            debug!("trial skipped, no database: {}", Voice::ENGLISH.say(trial.caption));
        }
        Event::InventoryKilled(_) => debug!("inventory killed"),
        Event::InventoryRestarted(crash) => {
            debug!(kept = crash.restart.map(|restart| restart.kept), "inventory restarted");
        }
        Event::OrderSent(order) => {
            debug!(item = order.item_id, chaos = order.chaos, "order sent");
        }
        Event::Delivered { item, delivered } => {
            debug!(item, quantity = delivered.quantity, "delivered");
        }
        Event::SurplusOrdered { item, pieces } => debug!(item, pieces, "surplus ordered"),
        Event::Undecided => debug!("nobody decided"),
        Event::AnswerHeld(held) => debug!(request = held.hold.request_id, "answer held"),
        Event::OrderAnswered(response) => {
            debug!(status = response.status, after = ?response.after, "order answered");
        }
        Event::PingsSent { count } => debug!(count, "pings sent"),
        Event::SeriesSent { orders } => debug!(orders, "a series is sent"),
        Event::PingsAnswered(report) => debug!(inversions = report.inversions, "pings answered"),
        Event::CustomerAnswered(customer) => {
            debug!(customer = customer.number, told = customer.result.as_str(), "order answered");
        }
        Event::StormGrew(storm) => debug!(second = storm.seconds(), "the storm goes on"),
        Event::CommandNeeded { pods, .. } => debug!(pods = pods.len(), "pods may be replaced now"),
        Event::SpansArrived { complete } => debug!(complete, "spans arrived"),
        Event::Settled => debug!("services at rest"),
        Event::Judged(finding) => debug!("judged: {}", finding.verdict.conclusion.code()),
        Event::ExperimentEnded(findings) => debug!("ended: {}", findings.conclusion().code()),
        Event::AllEnded(all) => debug!(experiments = all.len(), "all ended"),
    }
}
