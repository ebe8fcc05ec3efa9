//! The order that a run has under way, and the spans of it that have come: what its picture
//! grows from.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use campuscafe_api::order::{OrderReport, PlaceOrder};
use campuscafe_chaos::Plan;
use campuscafe_evidence::diagram::Diagram;
use campuscafe_evidence::order::CustomerResponse;
use campuscafe_evidence::order_trace::{Answered, Crash};
use campuscafe_evidence::so_far;
use campuscafe_evidence::span::{Span, from_otlp};
use campuscafe_otlp_store::{TraceId, TraceStore};
use campuscafe_telemetry::attribute;
use tokio::time::{MissedTickBehavior, interval};

use super::run::Run;
use crate::page::SoFar;

/// How often it is looked for more spans while somebody watches. The services send theirs
/// as often.
const LOOK_EVERY: Duration = Duration::from_millis(200);

/// Among so many of the newest traces that of the order is looked for.
const AMONG: usize = 64;

/// The order that a run has under way.
#[derive(Clone)]
pub(in crate::server) struct Growing {
    /// In nanoseconds since 1970.
    sent_at: u64,
    retries: bool,
    plan: Plan,
    /// When the customer was answered, with which status and with what.
    answer: Option<(u64, u16, OrderReport)>,
    /// Known from the answer, or before it from a span that names the run.
    trace: Option<TraceId>,
    /// Whether the inventory was killed.
    crash: Option<Crash>,
    spans: Arc<[Span]>,
}

impl Growing {
    /// An order that is sent now. Nothing is drawn of one that the order service refuses.
    pub(super) fn sent(order: &PlaceOrder, now: SystemTime) -> Option<Self> {
        Some(Self {
            sent_at: nanoseconds(now),
            retries: order.retry_on_timeout,
            plan: order.chaos.as_deref().unwrap_or_default().parse().ok()?,
            answer: None,
            trace: None,
            crash: None,
            spans: Arc::default(),
        })
    }

    pub(super) fn answered(&mut self, response: &CustomerResponse) {
        let trace = response.report.trace_id.as_deref().and_then(|id| id.parse().ok());
        self.trace = trace.or(self.trace);
        let after = u64::try_from(response.after.as_nanos()).unwrap_or(u64::MAX);
        self.answer =
            Some((self.sent_at.saturating_add(after), response.status, response.report.clone()));
    }

    /// The inventory was killed, or another process is in its place.
    pub(super) fn crashed(&mut self, crash: Crash) {
        self.crash = Some(crash);
    }

    /// Takes what has come, if it is of the same order and there is more of it.
    pub(super) fn take(&mut self, grown: Self) -> bool {
        let more = grown.sent_at == self.sent_at && grown.spans.len() > self.spans.len();
        if more {
            (self.trace, self.spans) = (self.trace.or(grown.trace), grown.spans);
        }
        more
    }

    /// Its picture now.
    pub(in crate::server) fn so_far(self, now: SystemTime) -> SoFar {
        let Self { sent_at, retries, plan, answer, crash, spans, .. } = self;
        let answer = answer.map(|(at, status, report)| {
            (at, status, Answered { report, plan: plan.clone(), crash })
        });
        let answer = answer.as_ref();
        let answer = answer.map(|(at, status, answered)| so_far::Answer {
            at: *at,
            status: *status,
            answered,
        });
        let order = so_far::SoFar { sent_at, retries, plan: &plan, answer, crash, spans: &spans };
        SoFar { diagram: Diagram::so_far(&order), now: nanoseconds(now) }
    }
}

/// Looks for more spans as long as the run goes on and somebody watches it.
pub(super) async fn follow(store: &TraceStore, run: &Run) -> Infallible {
    let mut again = interval(LOOK_EVERY);
    again.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        again.tick().await;
        if run.is_watched() {
            look(store, run);
        }
    }
}

/// Looks once for more spans of the order that the run has under way.
pub(super) fn look(store: &TraceStore, run: &Run) {
    let Some(mut growing) = run.growing() else { return };
    growing.trace = growing.trace.or_else(|| find(store, run));
    let Some(data) = growing.trace.and_then(|trace| store.trace(trace)) else { return };
    growing.spans = from_otlp(&data).into();
    run.grow(growing);
}

/// The trace of the run that is not one of its earlier orders.
fn find(store: &TraceStore, run: &Run) -> Option<TraceId> {
    let findings = run.findings();
    let earlier =
        |id: TraceId| findings.iter().any(|finding| finding.trace_id() == Some(&*id.to_string()));
    // Whatever the lab asks for during a run names it, so the span must be of an order too.
    let is_of_order = |span: &Span| {
        let of_order = [attribute::ORDER_ID, attribute::CHAOS_STEP, attribute::RESERVATION_ID];
        of_order.iter().any(|name| span.attributes.contains_key(*name))
    };
    let names = |span: &Span| span.text(attribute::RUN) == Some(&run.id) && is_of_order(span);
    let found = store.find(AMONG, |data| from_otlp(data).iter().any(names))?;
    Some(found).filter(|id| !earlier(*id))
}

fn nanoseconds(at: SystemTime) -> u64 {
    let since = at.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use campuscafe_evidence::testing::double;

    use super::super::run;
    use super::*;
    use crate::lessons::{ALL, Event};
    use crate::server::runs::State;

    fn run() -> Run {
        let double = ALL.into_iter().find(|experiment| experiment.name == "double");
        let experiment = double.expect("it");
        let plan = run::Plan { experiment, trial: Some(2), seed: 7, order: None };
        Run::new(plan, SystemTime::UNIX_EPOCH).0
    }

    fn with(mut growing: Growing, spans: usize) -> Growing {
        growing.spans = double().into_iter().take(spans).collect();
        growing
    }

    #[test]
    fn a_run_tells_of_a_picture_only_when_more_has_come_of_the_order_under_way() {
        let run = run();
        assert!(run.growing().is_none());
        run.tell(Event::OrderSent(&PlaceOrder::of("cake")));
        let sent = run.growing().expect("an order");
        assert_eq!(run.pictures(), 1);
        for (spans, pictures) in [(0, 1), (2, 2), (2, 2), (1, 2), (3, 3)] {
            run.grow(with(sent.clone(), spans));
            assert_eq!(run.pictures(), pictures, "after {spans} spans");
        }
        // The next order: what is found of the one before is too late.
        let before = Growing { sent_at: 1, ..with(sent, 8) };
        run.grow(before);
        assert_eq!(run.pictures(), 3);
        assert_eq!(run.growing().expect("an order").spans.len(), 3);
        run.end(State::Failed("it".to_owned()));
        assert!(run.growing().is_none(), "nothing is under way");
    }

    #[test]
    fn an_order_with_faults_that_nobody_knows_is_not_drawn() {
        let order = PlaceOrder { chaos: Some("tea".to_owned()), ..PlaceOrder::of("cake") };
        assert!(Growing::sent(&order, SystemTime::UNIX_EPOCH).is_none());
    }
}
