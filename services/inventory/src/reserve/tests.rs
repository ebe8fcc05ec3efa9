use std::sync::atomic::{AtomicUsize, Ordering};

use axum::extract::State;
use campuscafe_api::inventory::Delivery;
use campuscafe_service::Lifecycle;
use campuscafe_telemetry::Metrics;
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};

use super::*;
use crate::store::ReserveCommand;
use crate::{deliveries, state};

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

fn app(max_work: usize) -> Arc<App> {
    let opening = "cake=2".parse().unwrap();
    App::new(&opening, 1, max_work, Metrics::new("1"), Lifecycle::default())
}

async fn reserve_cake(app: &Arc<App>, chaos: &str) -> u16 {
    let answer = reserve(
        State(app.clone()),
        Extension(ClientPresence::default()),
        Extension(Connection::default()),
        None,
        RequestId("a".to_owned()),
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
    for chaos in ["hold", "slow", "slowfail", "slowreply"] {
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
    let opening = "cake=2".parse().unwrap();
    let app = App::new(&opening, 1, 5, metrics.clone(), Lifecycle::default());
    let reserve = ReserveCommand {
        reservation_id: "late".to_owned(),
        item_id: "cake".to_owned(),
        quantity: 1,
        key: app.keys.commit_key("a"),
        at: Instant::now(),
    };
    // It has left 1 in stock, and its task is not scheduled until the delivery is made.
    let late = app.store.reserve(reserve).await.unwrap();
    let delivery = Delivery { item_id: "cake".to_owned(), quantity: 5 };
    let delivered = tokio::spawn(deliveries::deliver(State(app.clone()), Json(delivery)));
    while app.store.state().await.left["cake"] != 6 {
        tokio::task::yield_now().await;
    }
    assert!(!delivered.is_finished(), "its evidence waits for that of the reservation");
    late.record(|committed| app.metrics.committed(committed, &Fault::None, false)).await;
    delivered.await.unwrap().unwrap();
    let page = metrics.render();
    assert!(page.lines().any(|line| line == "inventory_stock{item=\"cake\"} 6"), "{page}");
}
