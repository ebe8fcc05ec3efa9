//! Pings sent at once, and the order in which they came back.

use std::time::Duration;

use campuscafe_api::order::Reordering;
use campuscafe_evidence::counters;
use campuscafe_evidence::pings::{Pings, Race};
use campuscafe_evidence::tale::Tale as _;
use campuscafe_service::ExitError;

use super::{Bench, Observer, trace_id};
use crate::lessons::Event;

/// The longest delay is under 2 s, and the pings run side by side.
const ANSWER_LIMIT: Duration = Duration::from_secs(15);

impl Bench {
    /// Has pings sent at once, and waits for what they leave behind.
    pub(super) async fn race(
        &self,
        count: u32,
        seed: u64,
        observer: &mut Observer<'_>,
    ) -> Result<Race, ExitError> {
        let counted = self.counters().await?;
        let path = format!("/demo/out-of-order?count={count}&seed={seed}");
        observer(Event::PingsSent { count })?;
        let mut report: Reordering = self.read_within(&self.order, &path, ANSWER_LIMIT).await?;
        report.trace_id = trace_id(report.trace_id);
        observer(Event::PingsAnswered(&report))?;
        let pings = self.tale::<Pings>(report.trace_id.as_deref(), &report).await;
        let complete = pings.as_ref().is_some_and(Pings::is_complete);
        observer(Event::SpansArrived { complete })?;
        let jumps = counters::jumps(&counted, &self.counters().await?);
        observer(Event::Settled)?;
        let incomplete = self.incomplete(report.trace_id.as_deref(), pings.as_ref());
        Ok(Race { report, jumps, pings, incomplete })
    }
}
