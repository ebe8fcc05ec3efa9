//! A storm: the same customers at the order services of both lanes, at the same time.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use campuscafe_api::IDEMPOTENCY_KEY_HEADER;
use campuscafe_api::order::{Lane, OrderReport, Outcome, PlaceOrder};
use campuscafe_evidence::counters::{Counters, deltas};
use campuscafe_service::ExitError;
use tokio::task::JoinSet;
use tokio::time::{Instant, interval_at, sleep, sleep_until};

use super::{Observer, Runner};
use crate::http::at;
use crate::lessons::{Event, Storm, StormLane, StormPlan};
use crate::targets::Addresses;

const ITEM: &str = "cake";

/// The services of each lane, which nobody else uses.
#[derive(Debug, Clone)]
pub(crate) struct StormServices {
    pub(crate) naive: Addresses,
    pub(crate) cured: Addresses,
}

/// A second of a storm.
const SECOND: Duration = Duration::from_secs(1);

/// What the inventory says of its queue.
const QUEUE: &str = "inventory_queue_length";

/// Customers of a lane who were told in each second that their cake is reserved.
struct Told(Vec<AtomicU32>);

impl Told {
    fn of(plan: StormPlan) -> Arc<Self> {
        Arc::new(Self((0..plan.ends).map(|_| AtomicU32::new(0)).collect()))
    }

    /// Counts a customer who is told this long after the first one came.
    fn count(&self, after: Duration) {
        let second = usize::try_from(after.as_secs()).unwrap_or(usize::MAX);
        if let Some(told) = self.0.get(second) {
            told.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// The first so many seconds.
    fn first(&self, seconds: usize) -> Vec<u32> {
        self.0.iter().take(seconds).map(|told| told.load(Ordering::Relaxed)).collect()
    }
}

impl Runner {
    /// Lets the customers of a plan come in both lanes, and tells of each second.
    pub(super) async fn storm(
        &self,
        plan: StormPlan,
        services: &StormServices,
        observer: &mut Observer<'_>,
    ) -> Result<Storm, ExitError> {
        let of =
            |Addresses { order, inventory }: Addresses| Self { order, inventory, ..self.clone() };
        let StormServices { naive, cured } = services.clone();
        let lanes = [of(naive), of(cured)];
        let [naive, cured] = &lanes;
        let before = tokio::try_join!(naive.counters(), cured.counters())?;
        let begun = Instant::now();
        let told = [Told::of(plan), Told::of(plan)];
        // At the same time, so that a busy machine hurts both alike.
        let (_, _, seen) = tokio::try_join!(
            naive.customers(plan, Lane::Naive, begun, &told[0]),
            cured.customers(plan, Lane::Cured, begun, &told[1]),
            watch(plan, begun, &lanes, &told, observer),
        )?;
        let Storm { naive: seen_naive, cured: seen_cured, .. } = seen;
        let after = tokio::try_join!(naive.counters(), cured.counters())?;
        Ok(Storm {
            plan,
            naive: counted(plan, &before.0, &after.0, seen_naive),
            cured: counted(plan, &before.1, &after.1, seen_cured),
        })
    }

    /// Lets the customers of a lane come, until the end of the plan.
    async fn customers(
        &self,
        plan: StormPlan,
        lane: Lane,
        begun: Instant,
        told: &Arc<Told>,
    ) -> Result<(), ExitError> {
        let mut customers = JoinSet::new();
        for due in plan.arrivals() {
            sleep_until(begun + due).await;
            let (runner, told) = (self.clone(), Arc::clone(told));
            customers.spawn(async move {
                if runner.customer(plan, lane).await {
                    told.count(begun.elapsed());
                }
            });
        }
        sleep_until(begun + Duration::from_secs(plan.ends.into())).await;
        customers.shutdown().await;
        Ok(())
    }

    /// Presses, and presses again; gives whether the customer has a cake in the end. In both
    /// lanes customers press as often. In the cured lane each press is known by its key.
    async fn customer(&self, plan: StormPlan, lane: Lane) -> bool {
        let key =
            (lane == Lane::Cured).then(|| format!("\"storm-{:032x}\"", rand::random::<u128>()));
        for press in 0..=plan.presses {
            if press > 0 {
                sleep(plan.pause).await;
            }
            if self.press(key.as_deref()).await {
                return true;
            }
        }
        false
    }

    /// Gives whether the customer is told that the cake is reserved.
    async fn press(&self, key: Option<&str>) -> bool {
        let order = PlaceOrder { retry_on_timeout: true, ..PlaceOrder::of(ITEM) };
        let Ok(url) = at(&self.order, "/orders") else { return false };
        let request = self.http.post(url).json(&order);
        let request = match key {
            Some(key) => request.header(IDEMPOTENCY_KEY_HEADER, key),
            None => request,
        };
        let Ok(answer) = request.send().await else { return false };
        let report = answer.json::<OrderReport>().await;
        report.is_ok_and(|report| report.outcome == Outcome::Confirmed)
    }
}

/// Asks both inventories for their queues at the end of each second, and tells of it.
async fn watch(
    plan: StormPlan,
    begun: Instant,
    [naive, cured]: &[Runner; 2],
    told: &[Arc<Told>; 2],
    observer: &mut Observer<'_>,
) -> Result<Storm, ExitError> {
    let mut storm = Storm::begun(plan);
    let mut again = interval_at(begun + SECOND, SECOND);
    for _ in 0..plan.ends {
        again.tick().await;
        let queues = tokio::join!(naive.inventory_gauge(QUEUE), cured.inventory_gauge(QUEUE));
        for (lane, queue, told) in
            [(&mut storm.naive, queues.0, &told[0]), (&mut storm.cured, queues.1, &told[1])]
        {
            lane.queue.push(queue.map(|length| length as u32));
            lane.goodput = told.first(lane.queue.len());
        }
        observer(Event::StormGrew(&storm))?;
    }
    Ok(storm)
}

/// What was seen of a lane, with what its services have counted meanwhile.
fn counted(plan: StormPlan, before: &Counters, after: &Counters, seen: StormLane) -> StormLane {
    let grown = deltas(before, after);
    let sum = |name: &str| {
        let of = grown.iter().filter(|(series, _)| series.split('{').next() == Some(name));
        of.map(|(_, by)| by).sum()
    };
    StormLane {
        customers: plan.arrivals().len() as u64,
        attempts: sum("order_attempts_total"),
        retries: sum("order_retries_total"),
        refused: sum("order_retries_refused_total"),
        late: sum("inventory_late_commits_total"),
        ..seen
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use axum::extract::State;
    use axum::http::HeaderMap;
    use axum::routing::{get, post};
    use axum::{Json, Router};
    use reqwest::Url;
    use serde_json::json;
    use tokio::net::TcpListener;

    use super::*;
    use crate::targets::{SpanSource, alone};

    /// Two seconds, the second of which is the storm.
    const PLAN: StormPlan = StormPlan {
        rate: 5,
        extra: 5,
        capacity: 9,
        storm_begins: 1,
        storm_ends: 2,
        ends: 2,
        presses: 1,
        pause: Duration::from_millis(1),
    };

    /// What the services of a lane were sent: orders with a key, and without one.
    #[derive(Default)]
    struct Sent {
        keyed: AtomicU32,
        naive: AtomicU32,
    }

    /// Both services of a lane at one address: each order has this outcome, and this many
    /// requests are in the queue. What they count moves with the orders.
    async fn services(outcome: &'static str, queue: u32) -> (Addresses, Arc<Sent>) {
        let sent = Arc::new(Sent::default());
        let order = async move |State(sent): State<Arc<Sent>>, headers: HeaderMap| {
            let is_keyed = headers.contains_key(IDEMPOTENCY_KEY_HEADER);
            let of = if is_keyed { &sent.keyed } else { &sent.naive };
            of.fetch_add(1, Ordering::Relaxed);
            Json(json!({ "orderId": "1", "outcome": outcome, "attempts": [] }))
        };
        let metrics = async move |State(sent): State<Arc<Sent>>| {
            let orders = sent.keyed.load(Ordering::Relaxed) + sent.naive.load(Ordering::Relaxed);
            format!(
                "order_attempts_total{{result=\"ok\"}} {orders}\n\
                 order_retries_refused_total {orders}\n\
                 inventory_queue_length {queue}\n"
            )
        };
        let router = Router::new().route("/orders", post(order)).route("/metrics", get(metrics));
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let url: Url = format!("http://{}", listener.local_addr().unwrap()).parse().unwrap();
        let router = router.with_state(sent.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        (Addresses { order: url.clone(), inventory: url }, sent)
    }

    #[tokio::test]
    async fn each_second_of_both_lanes_is_told_and_nothing_of_one_lane_reaches_the_other() {
        let (naive, of_naive) = services("failed", 7).await;
        let (cured, of_cured) = services("confirmed", 3).await;
        let runner = Runner::new(&naive, SpanSource::Nowhere, alone()).unwrap();
        let mut told = Vec::new();
        let mut observer = |event: Event<'_>| {
            if let Event::StormGrew(storm) = event {
                told.push(storm.clone());
            }
            Ok(())
        };
        let services = StormServices { naive, cured };
        let storm = runner.storm(PLAN, &services, &mut observer).await.unwrap();

        assert_eq!(told.iter().map(Storm::seconds).collect::<Vec<_>>(), [1, 2]);
        assert_eq!(storm.naive.goodput, [0, 0]);
        assert_eq!(
            (&storm.naive.queue, &storm.cured.queue),
            (&vec![Some(7); 2], &vec![Some(3); 2])
        );
        let served: u32 = storm.cured.goodput.iter().sum();
        assert!((12..=15).contains(&served), "all but the last, perhaps: {:?}", storm.cured);
        assert_eq!((storm.naive.customers, storm.cured.customers), (15, 15));
        let sent =
            |sent: &Sent| (sent.keyed.load(Ordering::Relaxed), sent.naive.load(Ordering::Relaxed));
        let (keyed, plain) = sent(&of_naive);
        assert!(keyed == 0 && plain > 20, "who is told no presses again: {plain}");
        let (keyed, plain) = sent(&of_cured);
        assert!(plain == 0 && keyed <= 15, "who has a cake does not: {keyed}");
        // Two services at one address are counted twice or once, and never as the other lane.
        assert!(
            storm.naive.attempts >= plain.into() && storm.naive.attempts > storm.cured.attempts
        );
        assert!(storm.cured.refused > 0 && storm.cured.retries == 0, "{:?}", storm.cured);
    }

    #[tokio::test]
    async fn a_storm_whose_services_are_not_there_fails() {
        let left = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let address = left.local_addr().unwrap().to_string();
        drop(left);
        let nowhere: Url = format!("http://{address}").parse().unwrap();
        let nowhere = Addresses { order: nowhere.clone(), inventory: nowhere };
        let runner = Runner::new(&nowhere, SpanSource::Nowhere, alone()).unwrap();
        let services = StormServices { naive: nowhere.clone(), cured: nowhere };
        let failed = runner.storm(PLAN, &services, &mut |_| Ok(())).await.unwrap_err();
        assert!(failed.to_string().contains(&address), "{failed}");
    }
}
