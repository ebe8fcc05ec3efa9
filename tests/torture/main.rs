//! The torture test: real processes, random faults, `kill -9`, cut connections and impatient
//! customers, and a checker that reads what the customers were told. `docs/torture.md` tells
//! how to read it.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "helpers of tests fail like tests"
)]

mod checker;
mod customers;
mod dice;
mod ending;
mod history;
mod link;
mod run;
mod sabotage;
mod script;
mod services;

use std::time::Duration;

use run::Run;
use sabotage::Sabotage;
use script::Trouble;
use services::Store;

/// The seed of the runs in `cargo test`.
const SEED: u64 = 7;

/// How long such a run goes on before it is healed.
const LENGTH: Duration = Duration::from_secs(10);

/// The same where something is missing.
const SHORT: Duration = Duration::from_secs(8);

/// The longest run that is checked at once: the order service remembers 20,000 orders.
const ROUND: Duration = Duration::from_secs(30);

#[test]
fn the_checker_finds_each_violation_in_a_history_made_for_it_and_none_in_a_good_one() {
    let Some(tests) = checker::own_tests() else { return };
    let said = String::from_utf8_lossy(&tests.stdout).into_owned();
    assert!(tests.status.success(), "{said}{}", String::from_utf8_lossy(&tests.stderr));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn with_stores_in_memory_the_cured_lane_keeps_its_promises() {
    let run = Run::cured(SEED, LENGTH, Store::Memory);
    let Some(verdict) = run.verdict().await else { return };
    assert!(verdict.violations.is_empty(), "{}", verdict.text);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn with_stores_in_files_the_cured_lane_keeps_its_promises_through_kill_9() {
    let Some(verdict) = Run::cured(SEED, 2 * LENGTH, Store::File).verdict().await else { return };
    assert!(verdict.violations.is_empty(), "{}", verdict.text);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn with_two_processes_of_each_service_over_one_database_the_cured_lane_keeps_its_promises() {
    let run = Run::cured(SEED, 2 * LENGTH, Store::Postgres);
    let Some(verdict) = run.verdict().await else { return };
    assert!(verdict.violations.is_empty(), "{}", verdict.text);
}

/// Runs the seed with something missing, which must break the cured lane's promises in one
/// of these ways at least.
async fn must_break(run: Run, ways: &[&str]) {
    let Some(verdict) = run.verdict().await else { return };
    for way in ways {
        assert!(verdict.violations.contains_key(*way), "no {way}: {}", verdict.text);
    }
}

/// Nothing but the missing cure does harm here.
fn without(cure: Sabotage, length: Duration) -> Run {
    let cured = Run::cured(SEED, length, Store::Memory);
    Run { sabotage: Some(cure), trouble: Trouble::Calm, ..cured }
}

async fn must_break_without(cure: Sabotage, ways: &[&str]) {
    must_break(without(cure, SHORT), ways).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_naive_lane_breaks_the_promises_of_the_cured_lane() {
    let run = Run { cured: false, ..Run::cured(SEED, SHORT, Store::Memory) };
    must_break(run, &["not-ended", "reservations", "stock"]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn without_keys_orders_do_not_end_and_reservations_belong_to_nobody() {
    must_break_without(Sabotage::Key, &["not-ended", "reservations", "stock"]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn without_the_fence_of_settlement_a_failed_order_is_reserved_later() {
    must_break_without(Sabotage::Fence, &["failed-and-reserved", "reservations", "stock"]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn where_a_refusal_is_not_recorded_a_failed_order_is_reserved_later() {
    // It needs a refusal, then a delivery, then a commit: that takes two of the script's cycles.
    must_break(without(Sabotage::Refusals, 2 * SHORT), &["failed-and-reserved"]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn without_a_tombstone_a_cancelled_order_is_reserved_later() {
    must_break_without(Sabotage::Tombstone, &["cancelled-and-reserved"]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn where_a_forgotten_key_is_a_new_one_an_order_reserves_twice() {
    must_break_without(Sabotage::TimeInKeys, &["reservation-of-nobody", "reservations"]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn without_settlement_orders_do_not_end() {
    must_break_without(Sabotage::Settlement, &["not-ended"]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn without_customers_keys_two_clicks_are_two_orders() {
    must_break_without(Sabotage::CustomersKeys, &["key-of-two-orders"]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_store_in_memory_does_not_survive_kill_9() {
    let run = Run { trouble: Trouble::Kills, ..Run::cured(SEED, SHORT, Store::Memory) };
    must_break(run, &["order-lost"]).await;
}

/// What `make torture` runs.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
#[ignore = "takes as long as MINUTES says: make torture SEED=7 MINUTES=5"]
async fn as_the_environment_says() {
    let setting = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    let number = |name: &str, usual: f64| {
        let value = setting(name);
        let read = value.as_ref().map_or(Some(usual), |value| value.parse().ok());
        read.filter(|it| it.is_finite() && *it >= 0.0)
            .unwrap_or_else(|| panic!("{name} is {value:?}; expected a number, such as {usual}"))
    };
    let seed = setting("SEED").map_or(Ok(SEED), |seed| seed.parse());
    let seed = seed.expect("SEED is a whole number from 0");
    let store = setting("STORE").unwrap_or_else(|| "file".to_owned());
    let found = Store::ALL.into_iter().find(|it| it.name() == store);
    let store =
        found.unwrap_or_else(|| panic!("STORE is {store:?}; expected file, memory or postgres"));
    let sabotage = setting("SABOTAGE").filter(|name| name != "none").map(|name| {
        let found = Sabotage::ALL.into_iter().find(|it| it.name() == name);
        let names = Sabotage::ALL.map(Sabotage::name).join(", ");
        found.unwrap_or_else(|| panic!("SABOTAGE is {name:?}; expected none or one of {names}"))
    });
    let lane = setting("LANE").unwrap_or_else(|| "cured".to_owned());
    assert!(
        ["cured", "naive"].contains(&lane.as_str()),
        "LANE is {lane:?}; expected cured or naive"
    );
    let trouble = setting("TROUBLE").map(|name| {
        let found = Trouble::ALL.into_iter().find(|it| it.name() == name);
        found.unwrap_or_else(|| panic!("TROUBLE is {name:?}; expected calm, cuts or kills"))
    });
    // In whole seconds: the command that repeats a run names its minutes with few digits.
    let seconds = (number("MINUTES", 1.0) * 60.0).round();
    let mut left = Duration::from_secs_f64(seconds);
    let mut broken = Vec::new();
    let mut round = seed;
    while !left.is_zero() {
        let length = left.min(ROUND);
        let run = Run::cured(round, length, store);
        let trouble = trouble.unwrap_or(run.trouble);
        let run = Run { cured: lane == "cured", sabotage, trouble, ..run };
        let Some(verdict) = run.verdict().await else { return };
        if !verdict.violations.is_empty() {
            broken.push(round);
        }
        left -= length;
        round += 1;
    }
    assert!(broken.is_empty(), "violations with the seeds {broken:?}");
}
