//! Open-loop arrivals: orders come when they are due, however slow the answers.
//!
//! Nothing is awaited between two arrivals but the clock. The services are read,
//! the stock is kept and the progress is told by tasks of their own.
//!
//! [`customers`] place the orders, [`supply`] keeps the stock, [`interrupt`] ends
//! it all in time, [`progress`] reads how it goes.

mod customers;
mod interrupt;
mod progress;
mod supply;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use campuscafe_api::order::PlaceOrder;
use campuscafe_chaos::SplitMix64;
use campuscafe_evidence::load::LoadReport;
use campuscafe_evidence::load::metrics::MetricsReading;
use campuscafe_evidence::load::tally::Tally;
use campuscafe_service::ExitError;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time::{Instant, interval, sleep_until, timeout};

use super::Runner;
use crate::lessons::load::{LoadEvent, LoadPlan};
use crate::targets::{Addresses, SpanSource, alone};
use customers::Customers;
use interrupt::{COUNTS_TIMEOUT, ORDERS_TIMEOUT};
use supply::Supply;

pub(crate) use interrupt::{Interrupt, SERVICES_TIMEOUT};

/// How long the end waits for orders and for work that nobody waits for.
const SETTLE_TIMEOUT: Duration = Duration::from_secs(15);

/// How long the end waits for spans to be exported once all work is done.
const EXPORT_TIMEOUT: Duration = Duration::from_secs(2);

/// How often the end asks whether all is done.
const ASK_EVERY: Duration = Duration::from_millis(100);

/// A function that is told how the load goes, and how often.
#[derive(Clone)]
pub(crate) struct LoadObserver {
    pub(crate) every: Duration,
    pub(crate) tell: Arc<dyn Fn(LoadEvent<'_>) + Send + Sync>,
}

/// A run, ready to start.
pub(crate) struct LoadGenerator {
    runner: Runner,
    shared: Arc<Shared>,
    plan: LoadPlan,
    before: MetricsReading,
    observer: LoadObserver,
}

/// What every order under way needs.
pub(super) struct Shared {
    customers: Customers,
    retry: bool,
    idempotent: bool,
    supply: Supply,
    tally: Mutex<Tally>,
    /// A permit for each order that may be under way at one time.
    permits: Arc<Semaphore>,
    max_in_flight: u32,
}

impl Shared {
    pub(super) fn tally(&self) -> MutexGuard<'_, Tally> {
        self.tally.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn under_way(&self) -> u64 {
        (self.max_in_flight as usize).saturating_sub(self.permits.available_permits()) as u64
    }
}

impl LoadGenerator {
    pub(crate) async fn new(
        services: &Addresses,
        plan: &LoadPlan,
        observer: LoadObserver,
    ) -> Result<Self, ExitError> {
        let runner = Runner::new(services, SpanSource::Nowhere, alone())?;
        let before = runner.reading().await?;
        let shared = Shared {
            customers: Customers::of(&services.order)?,
            retry: plan.retry,
            idempotent: plan.idempotent,
            supply: Supply::open(runner.clone(), plan.rate).await?,
            tally: Mutex::new(Tally::new().map_err(no_tally)?),
            permits: Arc::new(Semaphore::new(plan.max_in_flight as usize)),
            max_in_flight: plan.max_in_flight,
        };
        Ok(Self { runner, shared: Arc::new(shared), plan: plan.clone(), before, observer })
    }

    /// Lets orders arrive for as long as asked, or until the interrupt; then
    /// waits for what is under way, after an interrupt only for a moment.
    pub(crate) async fn run(self, interrupt: &Interrupt) -> LoadReport {
        let begun = Instant::now();
        let mut beside = JoinSet::new();
        let supplying = self.shared.clone();
        beside.spawn(async move { supplying.supply.keep().await });
        let (runner, before) = (self.runner.clone(), self.before.clone());
        let observer = self.observer.clone();
        beside.spawn(progress::tell(observer, runner, before, self.shared.clone(), begun));

        let arrivals = self.arrivals(begun, interrupt).await;
        let took = begun.elapsed();
        self.shared.tally().not_sent += arrivals.overdue;
        let settled = tokio::select! {
            settled = timeout(SETTLE_TIMEOUT, self.settle()) => settled.is_ok(),
            () = interrupt.heard_before(ORDERS_TIMEOUT) => false,
        };
        beside.shutdown().await;
        (self.observer.tell)(LoadEvent::Over);
        let counted = tokio::select! {
            counted = self.counted() => counted.map_err(|failure| failure.to_string()),
            () = interrupt.heard_before(COUNTS_TIMEOUT) => {
                Err("no answer before the load had to end".to_owned())
            }
        };
        let still_unknown = counted.as_ref().ok().and_then(|(_, unknown)| *unknown);
        let after = counted.map(|(after, _)| after);
        let tally = self.shared.tally().clone();
        let under_way = self.shared.under_way();
        let delivered = self.shared.supply.delivered();
        let arrivals = arrivals.sent_or_not + arrivals.overdue;
        let unsettled = !settled;
        LoadReport {
            tally,
            arrivals,
            under_way,
            took,
            delivered,
            before: self.before,
            after,
            unsettled,
            still_unknown,
        }
    }

    /// What the services counted, and where orders have keys, how many are unknown.
    async fn counted(&self) -> Result<(MetricsReading, Option<u64>), ExitError> {
        let unknown = if self.plan.idempotent { Some(self.runner.unknown().await?) } else { None };
        Ok((self.runner.reading().await?, unknown))
    }

    async fn arrivals(&self, begun: Instant, interrupt: &Interrupt) -> Arrivals {
        let until = self.plan.duration.map(|duration| begun + duration);
        let heard = interrupt.heard();
        tokio::pin!(heard);
        let mut number = 0_u64;
        loop {
            let due = begun + Duration::from_secs_f64(number as f64 / self.plan.rate);
            if until.is_some_and(|until| due >= until) {
                return Arrivals { sent_or_not: number, overdue: 0 };
            }
            tokio::select! {
                biased;
                () = &mut heard => {
                    let ever = due_within(begun.elapsed(), self.plan.rate);
                    return Arrivals { sent_or_not: number, overdue: ever.saturating_sub(number) };
                }
                () = sleep_until(due) => self.arrive(number, due),
            }
            number += 1;
        }
    }

    /// Sends one order, unless too many are under way.
    fn arrive(&self, number: u64, due: Instant) {
        let Ok(permit) = self.shared.permits.clone().try_acquire_owned() else {
            self.shared.tally().not_sent += 1;
            return;
        };
        let plan = self.plan.mix.choose(SplitMix64::nth(self.plan.seed, number));
        let shared = self.shared.clone();
        tokio::spawn(async move {
            let order = PlaceOrder {
                chaos: Some(plan.to_string()),
                retry_on_timeout: shared.retry,
                idempotent: shared.idempotent,
                ..PlaceOrder::of(shared.supply.item())
            };
            let placed = shared.customers.place(&order).await;
            shared.tally().count(placed.ended, due.elapsed());
            if placed.out_of_stock {
                shared.supply.ran_out();
            }
            drop(permit);
        });
    }

    /// Waits for every order's end, then for the work that nobody waits for and for
    /// orders that are being settled, and then for the spans of all that.
    async fn settle(&self) {
        let under_way = self.shared.under_way();
        if under_way > 0 {
            (self.observer.tell)(LoadEvent::Waiting { under_way, limit: SETTLE_TIMEOUT });
        }
        let mut again = interval(ASK_EVERY);
        let (mut idle_since, mut told) = (None, false);
        loop {
            again.tick().await;
            if self.shared.under_way() > 0 {
                continue;
            }
            let Ok(now) = self.runner.reading().await else { return };
            let unknown = if self.plan.idempotent { now.unknown() } else { 0 };
            if unknown > 0 && !std::mem::replace(&mut told, true) {
                (self.observer.tell)(LoadEvent::Settling { unknown, limit: SETTLE_TIMEOUT });
            }
            if unknown > 0 || !now.is_idle() {
                idle_since = None;
                continue;
            }
            let since = *idle_since.get_or_insert_with(Instant::now);
            // Others may order meanwhile, so that there is always some span on its way.
            if now.has_exported_all() || since.elapsed() > EXPORT_TIMEOUT {
                return;
            }
        }
    }
}

fn no_tally(error: impl std::fmt::Display) -> ExitError {
    ExitError::Failed(format!("cannot keep count of times: {error}"))
}

/// How many orders came due.
struct Arrivals {
    /// Those that were looked at.
    sent_or_not: u64,
    /// Those that were due and had not been looked at when the interrupt came.
    overdue: u64,
}

/// Orders that are due within this time, the first one at its beginning.
fn due_within(time: Duration, rate: f64) -> u64 {
    (time.as_secs_f64() * rate).ceil() as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_clock_alone_says_how_many_orders_were_due() {
        for (millis, rate, expected) in
            [(0, 100.0, 0), (1, 100.0, 1), (9, 100.0, 1), (11, 100.0, 2), (2_000, 50.0, 100)]
        {
            assert_eq!(due_within(Duration::from_millis(millis), rate), expected, "{millis} ms");
        }
    }
}
