//! Thousands of orders in a few seconds: both services in one process, over
//! real sockets, under a clock that stands still while anyone works and jumps
//! when everyone waits. What [`model`] says must happen is then exact.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "helpers of tests fail like tests"
)]

mod audit;
mod cafe;
mod cured;
mod keyed;
mod model;
mod network;
mod orders;
mod retries;

use std::collections::BTreeMap;
use std::time::Duration;

use cafe::Cafe;
use model::Ledger;
use orders::{Order, any_order, certain_order};
use tokio::task::JoinSet;

/// Change it, and the promises must still hold.
const SEED: u64 = 4;

/// Longer than any order and the work it leaves behind.
const LATE_WORK: Duration = Duration::from_secs(5);

/// How long a customer waits who will not wait for the answer.
const IMPATIENCE: Duration = Duration::from_millis(300);

#[tokio::test(start_paused = true)]
async fn two_thousand_orders_of_mixed_faults_end_as_told_and_the_ledger_adds_up() {
    const DAYS: u64 = 40;
    const ORDERS_A_DAY: u64 = 50;
    // Few enough that a day ends with empty shelves, and orders are refused.
    let opening = BTreeMap::from([("cake", 30), ("coffee", 15)]);
    let cafe = Cafe::open("cake=30,coffee=15", SEED).await;
    let mut ledger = Ledger::open(&opening, SEED);
    for day in 0..DAYS {
        for n in 0..ORDERS_A_DAY {
            if n == ORDERS_A_DAY / 2 {
                cafe.deliver("cake", 7).await;
                ledger.deliver("cake", 7);
            }
            let order = any_order(SEED, day * ORDERS_A_DAY + n);
            let expected = ledger.carry_out(&order);
            let told = cafe.order(&order, IMPATIENCE).await;
            if order.impatient {
                // An answer may have come within the customer's patience.
                assert!(told.is_none_or(|told| told == expected), "{order:?}: {expected:?}");
            } else {
                assert_eq!(told, Some(expected), "{order:?}");
            }
            tokio::time::sleep(LATE_WORK).await;
        }
        let (left, reservations) = cafe.state().await;
        assert_eq!((&left, reservations), (&ledger.left, ledger.made_today), "day {day}");
        cafe.reset().await;
        ledger.reset(&opening);
    }
    same_counts(&cafe, &ledger, DAYS * ORDERS_A_DAY);
    assert!(ledger.rolls > 100, "chance has its part in it: {}", ledger.rolls);
    explained(&cafe);
}

#[tokio::test(start_paused = true)]
async fn a_thousand_orders_in_waves_end_as_told_and_the_ledger_adds_up() {
    const WAVES: u64 = 5;
    const ORDERS_A_WAVE: u64 = 200;
    let plenty = BTreeMap::from([("cake", 1_000_000), ("coffee", 1_000_000)]);
    let cafe = Cafe::open("cake=1000000,coffee=1000000", SEED).await;
    let mut ledger = Ledger::open(&plenty, SEED);
    for wave in 0..WAVES {
        let mut customers = JoinSet::new();
        for n in 0..ORDERS_A_WAVE {
            // Which of them comes first is not said, and with enough for all,
            // and nothing left to chance, it does not matter.
            let order: Order = certain_order(SEED, wave * ORDERS_A_WAVE + n);
            let expected = ledger.carry_out(&order);
            let cafe = cafe.clone();
            customers.spawn(async move {
                let told = cafe.order(&order, IMPATIENCE).await;
                let as_told = told.as_ref() == Some(&expected);
                assert!(as_told || order.impatient, "{order:?}: {told:?}, not {expected:?}");
            });
        }
        while let Some(customer) = customers.join_next().await {
            customer.unwrap();
        }
        tokio::time::sleep(LATE_WORK).await;
        let (left, reservations) = cafe.state().await;
        assert_eq!((&left, reservations), (&ledger.left, ledger.made_today), "wave {wave}");
    }
    same_counts(&cafe, &ledger, WAVES * ORDERS_A_WAVE);
    explained(&cafe);
}

#[tokio::test(start_paused = true)]
async fn a_reset_or_a_delivery_between_the_two_commits_of_a_double_hides_no_duplicate() {
    const DOUBLES: u64 = 100;
    let plenty = BTreeMap::from([("cake", 1_000), ("coffee", 1_000)]);
    let cafe = Cafe::open("cake=1000,coffee=1000", SEED).await;
    let mut ledger = Ledger::open(&plenty, SEED);
    let double = Order {
        item: "cake",
        quantity: 1,
        plan: vec!["slow", "none"],
        retry: true,
        keyed: false,
        impatient: false,
    };
    for n in 0..DOUBLES {
        let before = cafe.state().await;
        let expected = ledger.carry_out(&double);
        assert_eq!(cafe.order(&double, IMPATIENCE).await, Some(expected));
        // The retry has committed at 1 s; the first attempt will commit at 2 s.
        let (cakes, made) = if n % 2 == 0 {
            cafe.reset().await;
            (1_000 - 1, 1)
        } else {
            cafe.deliver("cake", 5).await;
            ledger.deliver("cake", 5);
            (before.0["cake"] + 5 - 2, before.1 + 2)
        };
        tokio::time::sleep(LATE_WORK).await;
        let (left, reservations) = cafe.state().await;
        assert_eq!((left["cake"], reservations), (cakes, made), "double {n}");
    }
    assert_eq!(cafe.counter("inventory_duplicate_reservations_total"), DOUBLES);
    same_counts(&cafe, &ledger, DOUBLES);
}

/// What both services counted is what the model says, to the last one.
fn same_counts(cafe: &Cafe, ledger: &Ledger, orders: u64) {
    assert_eq!(cafe.counter("inventory_work_in_progress"), 0);
    assert_eq!(cafe.counter("order_outcomes_total"), orders, "no order is lost");
    for (series, expected) in ledger.series() {
        assert_eq!(cafe.counter(&series), expected, "{series}");
    }
}

/// The arithmetic that needs no model: what a learner can check by eye.
fn explained(cafe: &Cafe) {
    let reservations = cafe.counter("inventory_reservations_total");
    let confirmed = cafe.counter("order_outcomes_total{outcome=\"confirmed\"");
    let timeouts = cafe.counter("order_attempts_total{result=\"timeout\"");
    let cuts = cafe.counter("order_attempts_total{result=\"connection_lost\"");
    let surplus = reservations.checked_sub(confirmed).expect("no confirmation without a cake");
    assert!(surplus > 0, "something went wrong on the way, as it should");
    assert!(surplus <= timeouts + cuts, "{surplus} surplus, {timeouts} timeouts, {cuts} cuts");
}
