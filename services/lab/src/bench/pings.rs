//! Pings sent at once, and the order in which they came back.

use std::time::Duration;

use campuscafe_api::order::Reordering;
use campuscafe_service::ExitError;

use super::{Bench, trace_id};
use crate::evidence::counters::{self, Counters};
use crate::evidence::pings::Pings;

/// The longest delay is under 2 s, and the pings run side by side.
const ANSWER_LIMIT: Duration = Duration::from_secs(15);

/// A race of answers, and everything it left behind.
#[derive(Debug, Clone)]
pub(crate) struct Race {
    /// What the order service reports.
    pub(crate) report: Reordering,
    pub(crate) jumps: Counters,
    /// What the spans tell, where there are any.
    pub(crate) pings: Option<Pings>,
    /// What keeps the spans from being whole evidence, a sentence each; empty
    /// where nothing does, or where there is no place to read spans.
    pub(crate) incomplete: Vec<String>,
}

impl Bench {
    /// Has pings sent at once, and waits for what they leave behind.
    pub(crate) async fn race(&self, count: u32, seed: u64) -> Result<Race, ExitError> {
        let counted = self.counters().await?;
        let path = format!("/demo/out-of-order?count={count}&seed={seed}");
        let mut report: Reordering = self.read_within(&self.order, &path, ANSWER_LIMIT).await?;
        report.trace_id = trace_id(report.trace_id);
        let pings = self.tale::<Pings>(report.trace_id.as_deref(), &report).await;
        let jumps = counters::jumps(&counted, &self.counters().await?);
        let expected = self.expects_spans(report.trace_id.as_deref());
        let incomplete = if expected { incomplete(pings.as_ref()) } else { Vec::new() };
        Ok(Race { report, jumps, pings, incomplete })
    }
}

/// The pings whose spans are missing, by their numbers from 1.
fn incomplete(pings: Option<&Pings>) -> Vec<String> {
    let Some(pings) = pings else {
        return vec!["the order service's span of the pings is missing".to_owned()];
    };
    let missing = pings.missing.iter();
    missing.map(|place| format!("the span of ping {} is missing", u64::from(*place) + 1)).collect()
}
