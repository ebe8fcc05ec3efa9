//! Open-loop arrivals: orders come when they are due, however slow the answers.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use campuscafe_api::inventory::State;
use campuscafe_api::order::{OrderReport, PlaceOrder};
use campuscafe_chaos::Roll;
use campuscafe_service::Failure;
use reqwest::{Client, Url};
use tokio::sync::Semaphore;
use tokio::time::{Instant, sleep_until, timeout};

use super::Config;
use super::progress::Progress;
use super::tally::{Ended, Tally};
use crate::bench::Bench;
use crate::evidence::counters::Counters;
use crate::evidence::source::Source;
use crate::server::Addresses;

/// Orders under way at one time. Beyond it an order that is due is not sent,
/// and counted as such: memory stays bounded, and nothing is hidden.
const MAX_UNDER_WAY: usize = 10_000;

/// Longer than two attempts of the longest limit that makes sense.
const ANSWER_LIMIT: Duration = Duration::from_secs(130);

/// How long the end waits for orders and for work that nobody waits for.
const SETTLE_LIMIT: Duration = Duration::from_secs(15);

/// How often the ledger is read for the progress.
const LOOK_EVERY: Duration = Duration::from_millis(500);

const IN_PROGRESS: &str = "inventory_work_in_progress";

/// What a run came to.
#[derive(Debug, Clone)]
pub(crate) struct Came {
    pub(crate) tally: Tally,
    /// From the first arrival to the last.
    pub(crate) took: Duration,
    pub(crate) jumps: Counters,
    /// How often the stock was put back.
    pub(crate) resets: u64,
    /// Whether late work was still going on when we stopped waiting for it.
    pub(crate) unsettled: bool,
}

/// A run, ready to start.
pub(crate) struct Drive {
    bench: Bench,
    shared: Arc<Shared>,
    config: Config,
    seed: u64,
    counted: Counters,
}

/// What every order under way needs.
struct Shared {
    http: Client,
    orders: Url,
    item: String,
    retry: bool,
    tally: Mutex<Tally>,
    /// Orders after which half of the stock may be gone.
    half: u64,
}

impl Shared {
    fn tally(&self) -> MutexGuard<'_, Tally> {
        self.tally.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drive {
    pub(crate) async fn new(
        services: &Addresses,
        config: &Config,
        seed: u64,
    ) -> Result<Self, Failure> {
        let bench = Bench::new(services, Source::Nowhere)?;
        let state = bench.reset().await?;
        let (item, half) = most_of(&state)?;
        let orders = services.order.join("/orders");
        let shared = Shared {
            http: crate::bench::http_client()?,
            orders: orders.map_err(|error| Failure::Misuse(error.to_string()))?,
            item,
            retry: config.retry,
            tally: Mutex::new(Tally::new()),
            half,
        };
        let counted = bench.counters().await?;
        Ok(Self { bench, shared: Arc::new(shared), config: config.clone(), seed, counted })
    }

    /// Lets orders arrive for as long as asked, or until `end`; then waits for
    /// what is under way.
    pub(crate) async fn run(self, end: impl Future<Output = ()>) -> Result<Came, Failure> {
        let under_way = Arc::new(Semaphore::new(MAX_UNDER_WAY));
        let begun = Instant::now();
        let until = self.config.duration.map(|duration| begun + duration);
        let mut progress = Progress::new(begun);
        let mut look = tokio::time::interval(LOOK_EVERY);
        let resetting = Arc::new(AtomicBool::new(false));
        let (mut arrivals, mut resets) = (0_u64, 0_u64);
        tokio::pin!(end);
        loop {
            let due = begun + Duration::from_secs_f64(arrivals as f64 / self.config.rate);
            if until.is_some_and(|until| due >= until) {
                break;
            }
            tokio::select! {
                biased;
                () = &mut end => break,
                () = sleep_until(due) => {
                    self.arrive(arrivals, due, &under_way);
                    arrivals += 1;
                    if arrivals.is_multiple_of(self.shared.half) && !resetting.swap(true, Ordering::AcqRel) {
                        resets += 1;
                        self.put_back(resetting.clone());
                    }
                }
                _ = look.tick() => {
                    let now = self.bench.counters().await.unwrap_or_default();
                    let busy = MAX_UNDER_WAY - under_way.available_permits();
                    progress.say(&self.shared.tally(), busy, &self.jumps(&now));
                }
            }
        }
        let took = begun.elapsed();
        progress.end();
        let unsettled = timeout(SETTLE_LIMIT, self.settle(&under_way)).await.is_err();
        let jumps = self.jumps(&self.bench.counters().await?);
        let tally = self.shared.tally().clone();
        Ok(Came { tally, took, jumps, resets, unsettled })
    }

    fn jumps(&self, now: &Counters) -> Counters {
        crate::evidence::counters::jumps(&self.counted, now)
    }

    /// Sends one order, unless too many are under way.
    fn arrive(&self, number: u64, due: Instant, under_way: &Arc<Semaphore>) {
        let Ok(place) = under_way.clone().try_acquire_owned() else {
            self.shared.tally().not_sent += 1;
            return;
        };
        let plan = self.config.mix.choose(Roll::nth(self.seed, number));
        let order = PlaceOrder {
            item_id: self.shared.item.clone(),
            quantity: 1,
            chaos: Some(plan.to_string()),
            retry_on_timeout: self.shared.retry,
        };
        let shared = self.shared.clone();
        tokio::spawn(async move {
            let ended = place_order(&shared, &order).await;
            shared.tally().count(ended, due.elapsed());
            drop(place);
        });
    }

    fn put_back(&self, resetting: Arc<AtomicBool>) {
        let bench = self.bench.clone();
        tokio::spawn(async move {
            // If it fails, orders find an empty stock, and the summary shows that.
            let _ = bench.reset().await;
            resetting.store(false, Ordering::Release);
        });
    }

    /// Waits for every order's end, and then for the work that nobody waits for.
    async fn settle(&self, under_way: &Semaphore) {
        let _all = under_way.acquire_many(u32::try_from(MAX_UNDER_WAY).unwrap_or(u32::MAX)).await;
        let mut again = tokio::time::interval(Duration::from_millis(100));
        loop {
            again.tick().await;
            let at_work = self.bench.inventory_gauge(IN_PROGRESS).await;
            // An inventory that does not tell is not waited for.
            if at_work.is_none_or(|at_work| at_work <= 0.0) {
                return;
            }
        }
    }
}

async fn place_order(shared: &Shared, order: &PlaceOrder) -> Ended {
    let request = shared.http.post(shared.orders.clone()).timeout(ANSWER_LIMIT).json(order);
    let Ok(answer) = request.send().await else { return Ended::NoAnswer };
    match answer.json::<OrderReport>().await {
        Ok(report) => Ended::Told(report.outcome),
        Err(_) => Ended::NoAnswer,
    }
}

/// The item of which there is most, and after how many orders half of it may
/// be gone: each may take two pieces, one for each attempt.
fn most_of(state: &State) -> Result<(String, u64), Failure> {
    let (item, left) = state
        .stock
        .iter()
        .max_by_key(|(_, left)| **left)
        .filter(|(_, left)| **left > 0)
        .ok_or_else(|| {
            Failure::Failed("the opening stock is empty; see INVENTORY_STOCK".to_owned())
        })?;
    Ok((item.clone(), (left / 4).max(1)))
}
