//! Pings sent at once, and the order in which they came back.

use std::time::Duration;

use campuscafe_api::order::Reordering;
use campuscafe_evidence::counters;
use campuscafe_evidence::from_spans::FromSpans as _;
use campuscafe_evidence::message_order::{MessageOrder, PingBatch, PingRounds};
use campuscafe_service::ExitError;
use tokio::task::JoinSet;

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

    /// Has rounds of pings sent without delays, and reads the spans of each.
    pub(super) async fn rounds(
        &self,
        rounds: usize,
        count: u32,
        observer: &mut Observer<'_>,
    ) -> Result<PingRounds, ExitError> {
        observer(Event::PingsSent { count })?;
        let path = format!("/demo/out-of-order?count={count}&delays=none");
        let mut reading = JoinSet::new();
        let mut reports: Vec<Reordering> = Vec::new();
        for _ in 0..rounds {
            let mut report: Reordering =
                self.read_within(&self.order, &path, ANSWER_TIMEOUT).await?;
            report.trace_id = trace_id(report.trace_id);
            let (runner, told) = (self.clone(), report.clone());
            reading.spawn(async move {
                let trace = told.trace_id.as_deref();
                let pings = runner.read_spans::<MessageOrder>(trace, &told).await;
                let counted = pings.as_ref().map(counters::of_pings).unwrap_or_default();
                (runner.incomplete(trace, pings.as_ref()), counted)
            });
            reports.push(report);
        }
        let (incomplete, counted): (Vec<_>, Vec<_>) = reading.join_all().await.into_iter().unzip();
        let (incomplete, counters) = (incomplete.concat(), counters::sum(counted));
        observer(Event::Settled)?;
        let most = reports.iter().max_by_key(|report| report.inversions);
        let trace_id = most.and_then(|report| report.trace_id.clone());
        let inversions = reports.iter().map(|report| report.inversions).collect();
        Ok(PingRounds { count, inversions, trace_id, counters, incomplete })
    }
}
