#![allow(clippy::unwrap_used)]
use std::sync::Arc;
use std::time::Duration;

use campuscafe_tests::postgres::{Cut, Postgres, cutting, execute, rows, test_database};

use super::*;
use crate::history::KeyHasher;
use crate::stock::ReserveError;
use crate::store::script::{START, Step, key, steps, take};
use crate::store::{Fingerprint, Kept, Once};

const DAY: Duration = Duration::from_hours(24);

/// It is a second, and more on a machine that has other things to do.
const SOON: Duration = Duration::from_secs(3);

fn bounds(horizon: Duration) -> Bounds {
    Bounds { horizon, keys: 10, voids: 10 }
}

fn opened(url: &str, horizon: Duration, now: fn() -> UnixMillis) -> DatabaseInventory {
    // On a machine that has other things to do a statement may take a second.
    let patient = Duration::from_secs(20);
    let limits = Limits { transaction: patient, statement: patient, connection: patient };
    opened_with(limits, url, horizon, now)
}

fn opened_with(
    limits: Limits,
    url: &str,
    horizon: Duration,
    now: fn() -> UnixMillis,
) -> DatabaseInventory {
    let (stock, url) = ("cake=30,coffee=20".parse().unwrap(), url.parse().unwrap());
    DatabaseInventory::new(&url, (4, limits), stock, bounds(horizon), now, &Metrics::new("1"))
}

async fn open(url: &str) -> DatabaseInventory {
    let store = opened(url, DAY, || START);
    store.prepare().await.unwrap();
    store
}

fn command(id: u128, request: &str, under: Option<&str>) -> ReserveCommand {
    let hasher = KeyHasher::new(7);
    let asked = campuscafe_api::inventory::Reserve { item_id: "cake".to_owned(), quantity: 1 };
    let once =
        under.map(|under| Once { key: key(under), fingerprint: Fingerprint::of(&asked, &hasher) });
    ReserveCommand {
        reservation_id: id,
        item_id: asked.item_id,
        quantity: 1,
        read: None,
        key: hasher.commit_key(request),
        at: Instant::now(),
        now: START,
        once,
    }
}

async fn recorded<T>(changed: Changed<T>) -> T {
    changed.record(|_| {}).await
}

async fn reserve(
    store: &DatabaseInventory,
    command: ReserveCommand,
) -> Result<Committed, NotCommitted> {
    match store.reserve(command).await.unwrap() {
        Ok(changed) => Ok(recorded(changed).await),
        Err(not) => Err(not),
    }
}

/// What a step says, in the words of [`take`].
async fn ask(step: &Step, store: &DatabaseInventory) -> String {
    async fn told<T: std::fmt::Debug, E: std::fmt::Debug>(result: Result<Changed<T>, E>) -> String {
        match result {
            Ok(changed) => format!("{:?}", Ok::<_, E>(recorded(changed).await)),
            Err(error) => format!("{:?}", Err::<T, _>(error)),
        }
    }
    match step.clone() {
        Step::Reserve(command) => told(store.reserve(command).await.unwrap()).await,
        Step::Settle(key, request, settle) => {
            told(store.settle(&key, request, START, Instant::now(), settle).await.unwrap()).await
        }
        Step::Cancel(which) => told(store.cancel(which).await.unwrap()).await,
        Step::Deliver(quantity) => told(store.deliver("cake", quantity).await.unwrap()).await,
        Step::Price(price) => {
            let changed = store.change_price("coffee", price, &Condition::LastWins);
            told(changed.await.unwrap()).await
        }
        Step::Reset => format!("{:?}", recorded(store.reset().await.unwrap()).await),
    }
}

/// Memory counts its keys each time.
fn without_keys(told: &str) -> String {
    let (begin, end) = match told.split_once("keys: Some(") {
        None => return told.to_owned(),
        Some((begin, rest)) => (begin, rest.split_once(')').unwrap().1),
    };
    format!("{begin}keys: None{end}")
}

#[tokio::test]
async fn a_database_and_memory_tell_the_same_whatever_is_asked() {
    for seed in 0..8 {
        let Some(url) = test_database().await else { return };
        let mut memory = InventoryState::new("cake=30,coffee=20".parse().unwrap(), bounds(DAY));
        let store = open(&url).await;
        for (nth, step) in steps(seed, 100).into_iter().enumerate() {
            let expected = without_keys(&take(&step, &mut memory));
            assert_eq!(ask(&step, &store).await, expected, "seed {seed}, step {nth}: {step:?}");
        }
        assert_eq!(store.state().await.unwrap(), memory.snapshot());
        let keys = store.keys(None, 100, START).await.unwrap();
        assert_eq!(keys, memory.keys(None, 100, START));
        for item in ["cake", "coffee", "tea"] {
            assert_eq!(store.price(item).await.unwrap(), memory.price(item));
        }
    }
}

#[tokio::test]
async fn many_attempts_under_few_keys_at_two_inventories_reserve_once_under_each() {
    let Some(url) = test_database().await else { return };
    let stores = [Arc::new(open(&url).await), Arc::new(open(&url).await)];
    let mut attempts = Vec::new();
    for number in 0..80_u128 {
        let store = stores[usize::try_from(number % 2).unwrap()].clone();
        let under = format!("order-{}", number % 5);
        attempts.push(tokio::spawn(async move {
            loop {
                let command = command(number, &under, Some(&under));
                match store.reserve(command).await {
                    Ok(Ok(changed)) => break (under, true, recorded(changed).await.reservation_id),
                    Ok(Err(NotCommitted::Replayed(Ok(Kept { id, .. })))) => {
                        break (under, false, id);
                    }
                    Ok(other) => panic!("{other:?}"),
                    // So many at once are too many for four connections.
                    Err(StoreError::Unavailable(_)) => {}
                    Err(unknown) => panic!("{unknown:?}"),
                }
            }
        }));
    }
    let mut told = std::collections::BTreeMap::<String, Vec<(bool, u128)>>::new();
    for attempt in attempts {
        let (under, first, id) = attempt.await.unwrap();
        told.entry(under).or_default().push((first, id));
    }
    for (under, told) in &told {
        assert_eq!(told.iter().filter(|(first, _)| *first).count(), 1, "{under}: {told:?}");
        assert!(told.iter().all(|(_, id)| *id == told[0].1), "{under}: {told:?}");
    }
    let state = stores[0].state().await.unwrap();
    assert_eq!((told.len(), state.left["cake"], state.reservations), (5, 25, 5));
}

#[tokio::test]
async fn a_key_that_is_closed_at_one_inventory_while_another_reserves_is_closed_or_reserved_for_both()
 {
    let Some(url) = test_database().await else { return };
    let (one, other) = (open(&url).await, open(&url).await);
    for round in 0..100 {
        let under = format!("key-{round}");
        let under_key = key(&under);
        let request = KeyHasher::new(7).commit_key(&under);
        let settle = one.settle(&under_key, request, START, Instant::now(), Settle::Cancel);
        let (settled, reserved) =
            tokio::join!(settle, other.reserve(command(round, &under, Some(&under))));
        let settled = recorded(settled.unwrap().unwrap()).await;
        let is_reserved = match reserved.unwrap() {
            Ok(changed) => recorded(changed).await.reservation_id == round,
            Err(NotCommitted::Key(_)) => false,
            Err(other) => panic!("{other:?}"),
        };
        // Whichever came first, nothing is reserved under a cancelled key.
        assert_eq!(settled.released.is_some(), is_reserved, "{under}: {settled:?}");
    }
    let state = one.state().await.unwrap();
    assert_eq!((state.left["cake"], state.reservations), (30, 0));
}

#[tokio::test]
async fn twenty_at_once_never_sell_more_than_there_is() {
    let Some(url) = test_database().await else { return };
    let store = Arc::new(open(&url).await);
    recorded(store.reset().await.unwrap()).await;
    execute(&url, "UPDATE inventory.stock SET pieces = 10").await;
    let attempts: Vec<_> = (0..20_u128)
        .map(|number| {
            let store = store.clone();
            tokio::spawn(async move {
                let request = number.to_string();
                loop {
                    match store.reserve(command(number, &request, None)).await {
                        Err(StoreError::Unavailable(_)) => {}
                        told => break told.unwrap().is_ok(),
                    }
                }
            })
        })
        .collect();
    let mut reserved = 0;
    for attempt in attempts {
        reserved += u32::from(attempt.await.unwrap());
    }
    let state = store.state().await.unwrap();
    assert_eq!((reserved, state.left["cake"], state.reservations), (10, 0, 10));
}

#[tokio::test]
async fn a_newer_schema_is_refused_and_left_as_it_is() {
    let Some(url) = test_database().await else { return };
    open(&url).await;
    execute(&url, "INSERT INTO inventory.migrations VALUES (7, now())").await;
    let refused = opened(&url, DAY, || START).prepare().await.unwrap_err();
    assert_eq!(
        refused,
        MigrateError::Newer { schema: "inventory", found: 7, known: MIGRATIONS.len() as i32 }
    );
}

#[tokio::test]
async fn a_role_that_may_only_change_rows_can_sell_and_one_without_rights_is_told_so() {
    let Some(url) = test_database().await else { return };
    let name = url.rsplit('/').next().unwrap();
    let role = format!("seller_of_{name}");
    let (_, address) = url.split_once('@').unwrap();
    let of_role = format!("postgres://{role}:secret@{address}");
    execute(
        &url,
        &format!("DROP ROLE IF EXISTS {role}; CREATE ROLE {role} LOGIN PASSWORD 'secret'"),
    )
    .await;
    let refused = opened(&of_role, DAY, || START).prepare().await.unwrap_err();
    assert!(matches!(refused, MigrateError::Refused { .. }), "{refused:?}");
    let said = refused.to_string();
    assert!(said.contains("permission denied") && !said.contains("secret"), "{said}");

    open(&url).await;
    execute(
        &url,
        &format!(
            "GRANT USAGE ON SCHEMA inventory TO {role};
             GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA inventory TO {role}"
        ),
    )
    .await;
    let store = open(&of_role).await;
    assert_eq!(reserve(&store, command(1, "a", Some("a"))).await.unwrap().change.after, 29);
}

#[tokio::test]
async fn inventories_that_start_at_once_make_one_schema_and_share_one_secret() {
    let Some(url) = test_database().await else { return };
    let stores = [(); 4].map(|()| opened(&url, DAY, || START));
    let [a, b, c, d] = &stores;
    let (a, b, c, d) = tokio::join!(a.prepare(), b.prepare(), c.prepare(), d.prepare());
    let secrets = [a, b, c, d].map(|settings| settings.unwrap().secret);
    assert!(secrets.iter().all(|secret| *secret == secrets[0] && *secret != 0), "{secrets:?}");
    let stock = rows(&url, "SELECT item, pieces FROM inventory.stock ORDER BY item").await;
    let stock: Vec<_> = stock.iter().map(|row| row[1].as_deref().unwrap()).collect();
    assert_eq!(stock, ["30", "20"]);
}

#[tokio::test]
async fn what_has_expired_is_removed_and_a_longer_horizon_brings_no_key_back() {
    let Some(url) = test_database().await else { return };
    let minutes = |minutes| Duration::from_mins(minutes);
    let order = campuscafe_cures::OrderId::new(START, [1; 10]);
    let under = IdempotencyKey::of_order(order).to_string();

    let short = opened(&url, minutes(10), || START);
    short.prepare().await.unwrap();
    reserve(&short, command(1, "a", Some(&under))).await.unwrap();
    assert_eq!(short.count_keys().await.unwrap(), 1);

    let later = opened(&url, minutes(10), || START + 11 * 60_000);
    later.prepare().await.unwrap();
    assert!(!later.forget().await.unwrap());
    assert_eq!(later.count_keys().await.unwrap(), 0);

    let longer = opened(&url, minutes(60), || START + 11 * 60_000);
    longer.prepare().await.unwrap();
    let late = ReserveCommand { now: START + 11 * 60_000, ..command(2, "b", Some(&under)) };
    let refused = reserve(&longer, late).await;
    assert!(matches!(refused, Err(NotCommitted::Key(_))), "{refused:?}");
    assert_eq!(longer.state().await.unwrap().reservations, 1);
}

#[tokio::test]
async fn a_refusal_under_a_key_stays_after_a_delivery() {
    let Some(url) = test_database().await else { return };
    let store = open(&url).await;
    execute(&url, "UPDATE inventory.stock SET pieces = 0").await;
    let refused = Err(NotCommitted::Refused(ReserveError::OutOfStock { left: 0 }));
    assert_eq!(reserve(&store, command(1, "a", Some("key"))).await, refused);
    recorded(store.deliver("cake", 5).await.unwrap().unwrap()).await;
    let replayed = Err(NotCommitted::Replayed(Err(ReserveError::OutOfStock { left: 0 })));
    assert_eq!(reserve(&store, command(2, "a", Some("key"))).await, replayed);
}

#[tokio::test]
async fn a_database_that_hangs_or_is_gone_is_said_within_a_second_and_used_again_when_it_is_back() {
    let Some(mut server) = Postgres::start().await else { return };
    let url = server.database().await;
    open(&url).await;
    let store = opened_with(Limits::OF_A_SERVICE, &url, DAY, || START);
    until_it_works(&store, command(1, "a", Some("a"))).await.unwrap();

    server.freeze();
    let begun = Instant::now();
    let hangs = store.reserve(command(2, "b", Some("b"))).await;
    assert!(matches!(hangs, Err(StoreError::Unavailable(_))), "{hangs:?}");
    assert!(begun.elapsed() < SOON, "{:?}", begun.elapsed());
    server.thaw();
    let again = until_it_works(&store, command(3, "b", Some("b"))).await;
    assert!(matches!(again, Ok(_) | Err(NotCommitted::Replayed(Ok(_)))), "{again:?}");

    server.kill();
    let begun = Instant::now();
    let gone = store.reserve(command(4, "c", Some("c"))).await;
    assert!(matches!(gone, Err(StoreError::Unavailable(_))), "{gone:?}");
    assert!(begun.elapsed() < SOON, "{:?}", begun.elapsed());
    server.go_on().await;
    let again = until_it_works(&store, command(5, "a", Some("a"))).await;
    assert!(matches!(again, Err(NotCommitted::Replayed(Ok(Kept { id: 1, .. })))), "{again:?}");
    let state = open(&url).await.state().await.unwrap();
    assert_eq!((state.left["cake"], state.reservations), (28, 2));
}

/// Connections of before may still be in the pool.
async fn until_it_works(
    store: &DatabaseInventory,
    command: ReserveCommand,
) -> Result<Committed, NotCommitted> {
    let begun = Instant::now();
    loop {
        match store.reserve(command.clone()).await {
            Ok(Ok(changed)) => return Ok(recorded(changed).await),
            Ok(Err(not)) => return Err(not),
            Err(error) => assert!(begun.elapsed() < Duration::from_secs(20), "{error:?}"),
        }
    }
}

#[tokio::test]
async fn a_commit_without_an_answer_is_looked_up_and_only_without_a_key_and_a_trace_it_is_unknown()
{
    for (cut, under) in [
        (Cut::ForGood, Some("key")),
        (Cut::ForGood, None),
        (Cut::After, Some("key")),
        (Cut::After, None),
        (Cut::Before, Some("key")),
        (Cut::Before, None),
    ] {
        let Some(url) = test_database().await else { return };
        let (through, scissors) = cutting(&url, cut).await;
        let store = open(&through).await;
        scissors.arm();
        let told = store.reserve(command(7, "a", under)).await;
        assert!(scissors.have_cut(), "no commit was cut");
        let reservations = open(&url).await.state().await.unwrap().reservations;
        match (cut, under) {
            (Cut::ForGood, _) => {
                assert!(matches!(told, Err(StoreError::Unknown(_))), "{told:?}");
                assert_eq!(reservations, 1);
            }
            (Cut::Before, None) => {
                assert!(matches!(told, Err(StoreError::Unknown(_))), "{told:?}");
                assert_eq!(reservations, 0);
            }
            _ => {
                let committed = recorded(told.unwrap().unwrap()).await;
                assert_eq!((committed.reservation_id, committed.change.after), (7, 29), "{cut:?}");
                assert_eq!((committed.duplicate, reservations), (false, 1), "{cut:?} {under:?}");
            }
        }
    }
}
