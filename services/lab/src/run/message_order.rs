//! Pings sent at once, and the order in which they came back.

use std::time::Duration;

use campuscafe_api::order::Reordering;
use campuscafe_evidence::counters;
use campuscafe_evidence::pings::{Pings, Race};
use campuscafe_service::ExitError;

use super::{Bench, trace_id};

/// The longest delay is under 2 s, and the pings run side by side.
const ANSWER_LIMIT: Duration = Duration::from_secs(15);

impl Bench {
    /// Has pings sent at once, and waits for what they leave behind.
    pub(crate) async fn race(&self, count: u32, seed: u64) -> Result<Race, ExitError> {
        let counted = self.counters().await?;
        let path = format!("/demo/out-of-order?count={count}&seed={seed}");
        let mut report: Reordering = self.read_within(&self.order, &path, ANSWER_LIMIT).await?;
        report.trace_id = trace_id(report.trace_id);
        let pings = self.tale::<Pings>(report.trace_id.as_deref(), &report).await;
        let jumps = counters::jumps(&counted, &self.counters().await?);
        let incomplete = self.incomplete(report.trace_id.as_deref(), pings.as_ref());
        Ok(Race { report, jumps, pings, incomplete })
    }
}
