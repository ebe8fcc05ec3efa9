//! Pings sent at once, and the order in which they came back.

use std::time::Duration;

use campuscafe_api::order::Reordering;
use campuscafe_evidence::counters;
use campuscafe_evidence::from_spans::FromSpans as _;
use campuscafe_evidence::message_order::{MessageOrder, PingBatch};
use campuscafe_service::ExitError;

use super::{Observer, Runner, trace_id};
use crate::lessons::Event;

/// The longest delay is under 2 s, and the pings run side by side.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(15);

impl Runner {
    /// Has pings sent at once, and waits for what they leave behind.
    pub(super) async fn batch(
        &self,
        count: u32,
        seed: u64,
        observer: &mut Observer<'_>,
    ) -> Result<PingBatch, ExitError> {
        let counted = self.counters().await?;
        let path = format!("/demo/out-of-order?count={count}&seed={seed}");
        observer(Event::PingsSent { count })?;
        let mut report: Reordering = self.read_within(&self.order, &path, ANSWER_TIMEOUT).await?;
        report.trace_id = trace_id(report.trace_id);
        observer(Event::PingsAnswered(&report))?;
        let pings = self.read_spans::<MessageOrder>(report.trace_id.as_deref(), &report).await;
        let complete = pings.as_ref().is_some_and(MessageOrder::is_complete);
        observer(Event::SpansArrived { complete })?;
        let deltas = counters::deltas(&counted, &self.counters().await?);
        observer(Event::Settled)?;
        let incomplete = self.incomplete(report.trace_id.as_deref(), pings.as_ref());
        Ok(PingBatch { report, deltas, pings, incomplete })
    }
}
