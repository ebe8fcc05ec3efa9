use std::sync::atomic::{AtomicUsize, Ordering};

use axum::extract::State;
use campuscafe_api::inventory::Delivery;
use campuscafe_api::order::Lane;
use campuscafe_service::Lifecycle;
use campuscafe_telemetry::Metrics;
use clap::Parser as _;
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};

use super::*;
use crate::store::ReserveCommand;
use crate::{Config, deliveries, state};

/// Stands where the log is written, and looks whether a lock is held there.
struct LockProbe {
    app: Arc<App>,
    lines: Arc<[AtomicUsize; 2]>,
}

impl Subscriber for LockProbe {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, _: &Event<'_>) {
        self.lines[usize::from(self.app.is_unlocked())].fetch_add(1, Ordering::Relaxed);
    }

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

fn counted(max_work: usize, metrics: Metrics) -> Arc<App> {
    let max_work = max_work.to_string();
    let config = ["inventory", "--stock", "cake=2", "--max-work", &max_work];
    let config = Config::try_parse_from(config).unwrap();
    App::new(&config, 1, metrics, Lifecycle::default())
}

fn app(max_work: usize) -> Arc<App> {
    counted(max_work, Metrics::new("1"))
}

async fn reserve_cake(app: &Arc<App>, chaos: &str) -> u16 {
    let answer = reserve(
        State(app.clone()),
        Extension(ClientPresence::default()),
        Extension(Connection::default()),
        None,
        (RequestId("a".to_owned()), KeyHeader(None)),
        Query(ReserveQuery { chaos: Some(chaos.to_owned()) }),
        Json(Reserve { item_id: "cake".to_owned(), quantity: 1 }),
    );
    answer.await.map_or_else(|refused| refused.problem.status, |answer| answer.status().as_u16())
}

#[tokio::test]
async fn no_log_line_is_written_while_a_lock_is_held() {
    let app = app(1);
    let lines = Arc::new([AtomicUsize::new(0), AtomicUsize::new(0)]);
    let probe = LockProbe { app: app.clone(), lines: lines.clone() };
    // With one subscriber in the process, `tracing` asks that of the thread which meets a
    // log line first, and remembers its answer for all: other tests have none.
    let _second = tracing::Dispatch::new(tracing::subscriber::NoSubscriber::default());
    let _guard = tracing::subscriber::set_default(probe);

    let mut told = Vec::new();
    for chaos in ["none", "fail,none", "none", "none", "slow:1"] {
        told.push(reserve_cake(&app, chaos).await);
    }
    assert_eq!(told, [200, 503, 200, 409, 409]);
    let _all_there_is = app.work.try_admit(WorkKind::Ordinary).unwrap();
    assert_eq!(reserve_cake(&app, "none").await, 503);
    for item in ["cake", "tea"] {
        let delivery = Delivery { item_id: item.to_owned(), quantity: 1 };
        let _ = deliveries::deliver(State(app.clone()), Json(delivery)).await;
    }
    let _ = state::reset(State(app.clone())).await;

    let [locked, unlocked] = lines.each_ref().map(|count| count.load(Ordering::Relaxed));
    assert_eq!(locked, 0);
    assert!(unlocked >= 7, "a line for each decision: {unlocked}");
}

#[tokio::test(start_paused = true)]
async fn work_keeps_its_permit_when_its_caller_has_left() {
    let app = app(1);
    let abandoned = tokio::time::timeout(
        std::time::Duration::from_millis(100),
        reserve_cake(&app, "slow:1000"),
    );
    assert!(abandoned.await.is_err(), "the handler is dropped, as by axum");
    assert_eq!(reserve_cake(&app, "none").await, 503);
    tokio::time::sleep(std::time::Duration::from_secs(1)).await;
    assert_eq!(reserve_cake(&app, "none").await, 200);
}

#[tokio::test(start_paused = true)]
async fn a_queue_is_as_long_as_slow_work_may_be_and_further_requests_are_refused() {
    let config = ["inventory", "--stock", "cake=9", "--max-work", "5", "--capacity", "10"];
    let config = Config::try_parse_from(config).unwrap();
    let app = App::new(&config, 1, Metrics::new("1"), Lifecycle::default());
    let mut told = tokio::task::JoinSet::new();
    for _ in 0..6 {
        let app = app.clone();
        told.spawn(async move { reserve_cake(&app, "none").await });
    }
    let mut told = told.join_all().await;
    told.sort_unstable();
    assert_eq!(told, [200, 200, 200, 200, 503, 503]);
}

#[tokio::test(start_paused = true)]
async fn only_faults_that_wait_use_the_slow_share_and_holds_half_of_it() {
    let app = app(5);
    let mut waiting = Vec::new();
    let mut taken = async |chaos: &'static str| {
        let (app, mut answer) = (app.clone(), None);
        let reserve = tokio::spawn(async move { reserve_cake(&app, chaos).await });
        // Long enough to be refused, and too short to be answered.
        tokio::time::sleep(std::time::Duration::from_millis(1)).await;
        if reserve.is_finished() {
            answer = Some(reserve.await.unwrap());
        } else {
            waiting.push(reserve);
        }
        answer
    };
    for chaos in ["hold", "hold"] {
        assert_eq!(taken(chaos).await, None, "{chaos}");
    }
    assert_eq!(taken("hold").await, Some(503));
    for chaos in ["slow", "slowfail"] {
        assert_eq!(taken(chaos).await, None, "{chaos}");
    }
    for chaos in ["hold", "slow", "slowfail", "slowreply", "race"] {
        assert_eq!(taken(chaos).await, Some(503), "{chaos}");
    }
    // Both cakes are held: there is room for the request, and none left for it.
    for (chaos, status) in [("none", 409), ("lostreply", 409), ("fail:418", 418), ("abort", 200)] {
        assert_eq!(taken(chaos).await, Some(status), "{chaos}");
    }
}

#[tokio::test]
async fn the_stock_gauge_ends_at_the_newest_level_when_evidence_is_late() {
    let metrics = Metrics::new("1");
    let app = counted(5, metrics.clone());
    let reserve = ReserveCommand {
        reservation_id: 7,
        item_id: "cake".to_owned(),
        quantity: 1,
        read: None,
        key: app.keys().unwrap().commit_key("a"),
        at: Instant::now(),
        now: 1,
        once: None,
    };
    // It has left 1 in stock, and its task is not scheduled until the delivery is made.
    let late = app.store.reserve(reserve).await.unwrap().unwrap();
    let delivery = Delivery { item_id: "cake".to_owned(), quantity: 5 };
    let delivered = tokio::spawn(deliveries::deliver(State(app.clone()), Json(delivery)));
    while app.store.state().await.unwrap().left["cake"] != 6 {
        tokio::task::yield_now().await;
    }
    assert!(!delivered.is_finished(), "its evidence waits for that of the reservation");
    let count = |it: &_| app.metrics.committed(it, &Fault::None, Lane::Naive, false);
    late.record(count).await;
    delivered.await.unwrap().unwrap();
    let page = metrics.render();
    assert!(page.lines().any(|line| line == "inventory_stock{item=\"cake\"} 6"), "{page}");
}
