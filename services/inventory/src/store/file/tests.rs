#![allow(clippy::unwrap_used)]
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use campuscafe_api::inventory::Reserve;
use campuscafe_chaos::SplitMix64;
use campuscafe_cures::versions::Condition;
use campuscafe_cures::{Decision, IdempotencyKey, OrderId};
use campuscafe_file_store::Source as _;
use campuscafe_file_store::testing::{Disk, Fault};
use tokio::time::Instant;

use super::*;
use crate::history::{CommitKey, HORIZON, KeyHasher};
use crate::stock::ReserveError;
use crate::store::script::{START, key, steps, take};
use crate::store::{
    Committed, Fingerprint, NotCommitted, NotSettled, Once, ReserveCommand, Settle, Which,
};

const DAY: Duration = Duration::from_hours(24);

fn bounds(horizon: Duration) -> Bounds {
    Bounds { horizon, keys: 10, voids: 10 }
}

struct Inventory {
    store: FileInventory,
    found: Found,
    hasher: KeyHasher,
}

fn try_open(
    disk: &Disk,
    stock: &str,
    horizon: Duration,
    now: fn() -> UnixMillis,
) -> Result<Inventory, LoadError> {
    let disk = disk.clone();
    let file = FileStore::with_backend(move || Ok(disk.backend()), "inventory.redb", FORMAT)?;
    let (stock, metrics) = (stock.parse().unwrap(), Metrics::new("1"));
    let (store, found) = FileInventory::in_file(file, stock, bounds(horizon), now, &metrics)?;
    let hasher = KeyHasher::new(found.secret);
    Ok(Inventory { store, found, hasher })
}

fn open(disk: &Disk) -> Inventory {
    try_open(disk, "cake=10,coffee=20", DAY, || START).unwrap()
}

impl Inventory {
    fn commit_key(&self, request: &str) -> CommitKey {
        self.hasher.commit_key(request)
    }

    async fn reserve(
        &self,
        request: &str,
        quantity: i64,
        under: Option<&str>,
    ) -> Result<Result<Committed, NotCommitted>, StoreError> {
        let asked = Reserve { item_id: "cake".to_owned(), quantity };
        let fingerprint = Fingerprint::of(&asked, &self.hasher);
        let command = ReserveCommand {
            reservation_id: rand::random(),
            item_id: asked.item_id,
            quantity,
            read: None,
            key: self.commit_key(request),
            at: Instant::now(),
            now: START,
            once: under.map(|text| Once { key: key(text), fingerprint }),
        };
        match self.store.transaction(|state| state.reserve(command)).await? {
            Ok(changed) => Ok(Ok(changed.record(|_| {}).await)),
            Err(not) => Ok(Err(not)),
        }
    }

    async fn reserved(&self, request: &str, quantity: i64, under: Option<&str>) -> Committed {
        self.reserve(request, quantity, under).await.unwrap().unwrap()
    }

    async fn settle(
        &self,
        under: &str,
        settle: Settle,
    ) -> Decision<super::super::Kept, ReserveError> {
        let request = self.commit_key(under);
        let settle = self
            .store
            .transaction(|state| state.settle(&key(under), request, START, Instant::now(), settle));
        settle.await.unwrap().unwrap().record(|_| {}).await.record.decision
    }

    async fn state(&self) -> Snapshot {
        self.store.read(InventoryState::snapshot).await.unwrap()
    }

    /// The process is killed: nothing is closed in order.
    fn killed(self, disk: &Disk) -> Disk {
        let left = disk.cut_at(disk.operations(), |_| true);
        drop(self);
        left
    }
}

#[tokio::test]
async fn what_was_answered_is_there_after_a_kill_and_a_power_cut() {
    let disk = Disk::default();
    let first = open(&disk);
    assert!(first.found.is_new);
    let kept = first.reserved("a", 2, Some("key")).await;
    first.reserved("b", 1, None).await;
    let refused = first.reserve("c", 99, Some("refused")).await.unwrap();
    assert!(matches!(refused, Err(NotCommitted::Refused(_))));
    assert_eq!(first.settle("void", Settle::Keep).await, Decision::Void);
    let change =
        first.store.transaction(|state| state.change_price("cake", 450, &Condition::LastWins));
    change.await.unwrap().unwrap().record(|_| {}).await;
    first
        .store
        .transaction(|state| state.deliver("coffee", 5))
        .await
        .unwrap()
        .unwrap()
        .record(|_| {})
        .await;
    // What was not synced is lost.
    let left = disk.cut_at(disk.operations(), |_| false);
    drop(first);

    let again = open(&left);
    assert!(!again.found.is_new);
    let snapshot = again.state().await;
    assert_eq!((snapshot.left["cake"], snapshot.left["coffee"], snapshot.reservations), (7, 25, 2));
    let replayed = again.reserve("a", 2, Some("key")).await.unwrap().unwrap_err();
    let NotCommitted::Replayed(Ok(same)) = replayed else { panic!("{replayed:?}") };
    assert_eq!((same.id, same.quantity), (kept.reservation_id, 2));
    let other = again.reserve("a", 3, Some("key")).await.unwrap();
    assert!(matches!(other, Err(NotCommitted::Key(_))), "the fingerprint is the same: {other:?}");
    let refused = again.reserve("c", 99, Some("refused")).await.unwrap();
    let told = Err(ReserveError::OutOfStock { left: 7 });
    assert_eq!(refused, Err(NotCommitted::Replayed(told)));
    let void = again.reserve("d", 1, Some("void")).await.unwrap();
    assert!(matches!(void, Err(NotCommitted::Key(_))), "{void:?}");
    assert!(again.reserved("b", 1, None).await.duplicate, "a second commit is a duplicate");
    let price = again.store.read(|state| state.price("cake")).await.unwrap().unwrap();
    assert_eq!((price.price.value, price.price.version.number()), (450, 2));
}

#[tokio::test]
async fn cancels_and_resets_stay_after_a_kill() {
    let disk = Disk::default();
    let first = open(&disk);
    first.reserved("a", 2, Some("key")).await;
    let naive = first.reserved("b", 3, None).await.reservation_id;
    assert!(matches!(first.settle("key", Settle::Cancel).await, Decision::Cancelled(_)));
    let cancel = |which| move |state: &mut InventoryState| state.cancel(which);
    first
        .store
        .transaction(cancel(Which::Reservation(naive)))
        .await
        .unwrap()
        .unwrap()
        .record(|_| {})
        .await;

    let again = open(&first.killed(&disk));
    assert_eq!((again.state().await.left["cake"], again.state().await.reservations), (10, 0));
    let twice = again.store.transaction(cancel(Which::OfRequest(again.commit_key("b"))));
    let twice = twice.await.unwrap().unwrap().record(|_| {}).await;
    assert_eq!((twice.reservations.len(), twice.released.len()), (1, 0), "it is cancelled");
    assert!(matches!(again.settle("key", Settle::Cancel).await, Decision::Cancelled(_)));

    let disk = Disk::default();
    let first = open(&disk);
    let before = first.reserved("a", 4, None).await.reservation_id;
    let reset = first.store.transaction(|state| Ok::<_, std::convert::Infallible>(state.reset()));
    let Ok(changed) = reset.await.unwrap();
    changed.record(|_| {}).await;
    let again = open(&first.killed(&disk));
    assert_eq!(again.state().await.left["cake"], 10);
    let late = again.store.transaction(cancel(Which::Reservation(before))).await.unwrap().unwrap();
    assert!(late.record(|_| {}).await.released.is_empty(), "the reset has removed it");
}

#[tokio::test]
async fn no_answer_leaves_before_its_change_is_durable_and_reads_wait_for_it_too() {
    let disk = Disk::default();
    let inventory = open(&disk);
    inventory.state().await;
    disk.pause();
    let (reserve, state) =
        (inventory.reserve("a", 1, Some("key")), inventory.store.read(InventoryState::snapshot));
    let replay = inventory.reserve("a", 1, Some("key"));
    tokio::pin!(reserve, state, replay);
    let mut pending = async |first: bool| {
        tokio::select! {
            biased;
            _ = &mut reserve, if first => false,
            _ = &mut state, if !first => false,
            _ = &mut replay, if !first => false,
            () = tokio::task::yield_now() => true,
        }
    };
    assert!(pending(true).await);
    assert!(disk.is_syncing());
    assert!(pending(false).await, "what they tell is not durable yet");
    disk.go_on();
    assert!(reserve.await.unwrap().is_ok());
    assert_eq!(state.await.unwrap().left["cake"], 9);
    assert!(matches!(replay.await.unwrap(), Err(NotCommitted::Replayed(Ok(_)))));
}

#[tokio::test]
async fn after_a_full_disk_nothing_half_done_stays_and_it_works_again_without_a_restart() {
    let disk = Disk::default();
    let inventory = open(&disk);
    inventory.reserved("a", 1, Some("a")).await;
    disk.fail(Fault::Full, 0);
    for under in [Some("b"), None] {
        let refused = inventory.reserve("b", 1, under).await;
        assert_eq!(refused, Err(StoreError::Unavailable(Reason::FileFailed)));
    }
    let read = inventory.store.read(InventoryState::snapshot).await;
    assert_eq!(read, Err(StoreError::Unavailable(Reason::FileFailed)));
    inventory.store.failed().await;
    assert!(inventory.store.recover().is_err(), "the disk is still full");
    disk.heal();
    let snapshot = inventory.store.recover().unwrap();
    assert_eq!((snapshot.left["cake"], snapshot.reservations), (9, 1));
    assert_eq!(inventory.state().await, snapshot);
    let committed = inventory.reserved("b", 1, Some("b")).await;
    assert!(!committed.duplicate, "the first attempt has left nothing");
    assert_eq!(open(&inventory.killed(&disk)).state().await.left["cake"], 8);
}

static NOW: AtomicU64 = AtomicU64::new(START);

#[tokio::test]
async fn what_is_forgotten_leaves_the_file_as_well() {
    let at = |time: Duration| START + time.as_millis() as u64;
    let disk = Disk::default();
    let open =
        |disk: &Disk| try_open(disk, "cake=100", DAY, || NOW.load(Ordering::SeqCst)).unwrap();
    let inventory = open(&disk);
    for number in 0..5 {
        inventory.reserved(&format!("r{number}"), 1, Some(&format!("key{number}"))).await;
    }
    let count = |inventory: &Inventory, table| inventory.store.file.rows(table).unwrap().len();
    assert_eq!((count(&inventory, "keys"), count(&inventory, "commits")), (5, 5));
    let again = open(&inventory.killed(&disk));
    NOW.store(at(DAY), Ordering::SeqCst);
    let settle = again.store.transaction(|state| {
        let later = Instant::now() + 2 * HORIZON;
        let request = KeyHasher::new(1).commit_key("new");
        state.settle(&key("new"), request, at(DAY), later, Settle::Keep)
    });
    settle.await.unwrap().unwrap().record(|_| {}).await;
    assert_eq!(count(&again, "keys"), 1, "the five have expired");
}

#[tokio::test]
async fn a_longer_horizon_brings_no_forgotten_key_back() {
    let disk = Disk::default();
    let hour = Duration::from_hours(1);
    let order = |age: Duration| {
        let made_at = START - age.as_millis() as u64;
        IdempotencyKey::of_order(OrderId::new(made_at, [7; 10])).to_string()
    };
    let short = try_open(&disk, "cake=10", hour, || START).unwrap();
    short.state().await;
    let left = short.killed(&disk);
    let long = try_open(&left, "cake=10", DAY, || START).unwrap();
    let expired = long.reserve("a", 1, Some(&order(2 * hour))).await.unwrap();
    assert!(matches!(expired, Err(NotCommitted::Key(_))), "it may be forgotten: {expired:?}");
    assert!(long.reserve("a", 1, Some(&order(hour / 2))).await.unwrap().is_ok());
    let again = try_open(&long.killed(&left), "cake=10", DAY, || START).unwrap();
    let expired = again.reserve("a", 1, Some(&order(2 * hour))).await.unwrap();
    assert!(matches!(expired, Err(NotCommitted::Key(_))), "also after the next restart");
}

#[tokio::test]
async fn a_naive_commit_before_a_restart_cannot_be_settled_under_a_key() {
    let disk = Disk::default();
    let first = open(&disk);
    first.reserved("order-1", 1, None).await;
    let again = open(&first.killed(&disk));
    let request = again.commit_key("order-1");
    let settle = again.store.transaction(|state| {
        state.settle(&key("order-1"), request, START, Instant::now(), Settle::Keep)
    });
    assert_eq!(settle.await.unwrap().unwrap_err(), NotSettled::NeverKeyed);
}

#[tokio::test]
async fn the_file_decides_on_its_items_and_the_setting_on_new_ones() {
    let disk = Disk::default();
    let first = try_open(&disk, "cake=10,tea=5", DAY, || START).unwrap();
    first.reserved("a", 1, None).await;
    let again = try_open(&first.killed(&disk), "cake=99,juice=3", DAY, || START).unwrap();
    let left = again.state().await.left;
    assert_eq!(
        left.into_iter().collect::<Vec<_>>(),
        [("cake".to_owned(), 9), ("juice".to_owned(), 3)]
    );
    assert_eq!(again.found.unknown_items, ["tea"]);
}

#[tokio::test]
async fn a_row_that_this_program_does_not_know_is_refused() {
    for (table, key, value) in [
        ("stock", "cake", r#"{"left":1,"colour":"red"}"#),
        ("keys", "a", r#"{"fingerprint":null,"decision":"postponed","since":1}"#),
        ("prices", "cake", "no JSON"),
        ("commits", "short", r#"{"at":1}"#),
    ] {
        let disk = Disk::default();
        let first = open(&disk);
        let row = campuscafe_file_store::Row { table, key: key.into(), value: Some(value.into()) };
        first.store.file.write(vec![row]).durable().await.unwrap();
        let disk = first.killed(&disk);
        let error = try_open(&disk, "cake=10", DAY, || START).err().unwrap().to_string();
        assert!(error.contains(table), "{error}");
    }
}

/// All that can be asked.
fn view(state: &InventoryState) -> String {
    let of = |id| state.reservations().get(id).map(|made| (made.kept.clone(), made.cancelled));
    let reservations: Vec<_> = (0..200).filter_map(of).collect();
    let prices = ["cake", "coffee"].map(|item| state.price(item));
    format!(
        "{:?}\n{:?}\n{prices:?}\n{reservations:?}\n{}",
        state.snapshot(),
        state.keys(None, 1_000, START),
        state.stock().resets()
    )
}

#[tokio::test]
async fn a_file_and_memory_tell_the_same_whatever_is_asked_and_whenever_the_power_is_cut() {
    for seed in 0..20 {
        let mut memory = InventoryState::new("cake=30,coffee=20".parse().unwrap(), bounds(DAY));
        let mut disk = Disk::default();
        let open = |disk: &Disk| try_open(disk, "cake=30,coffee=20", DAY, || START).unwrap();
        let mut inventory = open(&disk);
        for (nth, step) in steps(seed, 120).into_iter().enumerate() {
            let expected = take(&step, &mut memory);
            let told = inventory.store.transaction(|state| Ok::<_, ()>(take(&step, state)));
            let told = told.await.unwrap().unwrap().record(|_| {}).await;
            assert_eq!(told, expected, "seed {seed}, step {nth}: {step:?}");
            if SplitMix64::nth(seed, 100_000 + nth as u64).below(5) == 0 {
                let left = disk.cut_at(disk.operations(), |_| false);
                drop(inventory);
                disk = left;
                inventory = open(&disk);
                let found = inventory.store.read(view).await.unwrap();
                assert_eq!(found, view(&memory), "seed {seed}, after step {nth}: {step:?}");
            }
        }
    }
}
