//! Pings sent at once, and the order in which they came back.

use std::time::Duration;

use campuscafe_api::order::Reordering;
use campuscafe_service::Failure;

use super::Bench;
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
}

impl Bench {
    /// Has pings sent at once, and waits for what they leave behind.
    pub(crate) async fn race(&self, count: u32, seed: u64) -> Result<Race, Failure> {
        let counted = self.counters().await?;
        let path = format!("/demo/out-of-order?count={count}&seed={seed}");
        let report: Reordering = self.read_within(&self.order, &path, ANSWER_LIMIT).await?;
        let pings = self.tale::<Pings>(report.trace_id.as_deref()).await;
        let jumps = counters::jumps(&counted, &self.counters().await?);
        Ok(Race { report, jumps, pings })
    }
}
