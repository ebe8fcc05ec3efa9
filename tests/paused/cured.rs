//! Thousands of orders with a key, among naive ones.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use tokio::task::JoinSet;
use tokio::time::Instant;

use crate::audit::Audit;
use crate::cafe::Cafe;
use crate::keyed::Expected;
use crate::model::Ledger;
use crate::network::{Network, Said, Sky};
use crate::orders::{Order, keyed_order};
use crate::{IMPATIENCE, LATE_WORK, same_counts};

/// Change them, and the promises must still hold.
const SEEDS: [u64; 3] = [1, 2, 3];

/// Longer than the inventory remembers a key.
const AFTER_THE_HORIZON: Duration = Duration::from_mins(11);

#[tokio::test(start_paused = true)]
async fn cured_orders_end_as_the_model_says_beside_naive_ones_that_reserve_twice() {
    const WAVES: u64 = 4;
    const ORDERS_A_WAVE: u64 = 120;
    let plenty = BTreeMap::from([("cake", 1_000_000), ("coffee", 1_000_000)]);
    for seed in SEEDS {
        println!("seed {seed}");
        let cafe = Cafe::open("cake=1000000,coffee=1000000", seed).await;
        let mut ledger = Ledger::open(&plenty, seed);
        let mut cured = Vec::new();
        for wave in 0..WAVES {
            let mut customers = JoinSet::new();
            for n in 0..ORDERS_A_WAVE {
                let order = keyed_order(seed, wave * ORDERS_A_WAVE + n);
                let (expected, end) = if order.keyed {
                    let expected = ledger.carry_out_keyed(&order);
                    (expected.told.clone(), Some(expected))
                } else {
                    (ledger.carry_out(&order), None)
                };
                let cafe = cafe.clone();
                customers.spawn(async move {
                    let told = cafe.place(&order, IMPATIENCE, None).await;
                    let (told, id) = told.expect("an answer");
                    assert_eq!(told, expected, "seed {seed}, {order:?}");
                    (id, order, end)
                });
            }
            let ended = customers.join_all().await;
            cured.extend(ended.into_iter().filter_map(|(id, order, end)| Some((id, order, end?))));
            tokio::time::sleep(LATE_WORK).await;
            let (left, reservations) = cafe.state().await;
            let found = (&left, reservations);
            assert_eq!(found, (&ledger.left, ledger.made_today), "seed {seed}, wave {wave}");
        }
        let (records, keys) = (cafe.records().await, cafe.keys().await);
        for (id, order, end) in &cured {
            let (record, key) = (&records[id], keys.get(&format!("order-{id}")));
            assert_eq!(states(record), end.states, "seed {seed}, {order:?}");
            assert_eq!(key.map(|key| &key["state"]), end.key.map(Value::from).as_ref());
            let reserved = end.states.last() == Some(&"confirmed");
            assert_eq!(record["reserved"].is_object(), reserved, "seed {seed}, {record}");
            let under_key = key.map_or(&Value::Null, |key| &key["reservation"]);
            assert_eq!(&record["reserved"], under_key, "seed {seed}, {order:?}");
        }
        same_counts(&cafe, &ledger, WAVES * ORDERS_A_WAVE);
        assert_eq!(cafe.counter("order_unknown"), 0);
        assert_eq!(cafe.counter("inventory_idempotency_keys"), keys.len() as u64);
        the_naive_lane_shows_the_pain(&cafe);
        late_attempts_reserve_nothing(&cafe, &cured).await;
    }
}

#[tokio::test(start_paused = true)]
async fn whatever_a_network_does_to_messages_the_cured_lane_keeps_its_promises() {
    const ORDERS: u64 = 400;
    const CAKES: u64 = 60;
    for seed in SEEDS {
        println!("seed {seed}");
        let (cafe, network) = apart(&format!("cake={CAKES},coffee=1000000"), seed).await;
        let mut customers = JoinSet::new();
        for n in 0..ORDERS {
            let order = keyed_order(seed, n);
            // A cake for every order of the cured lane: what is left then says who has one.
            let item = if order.keyed { "cake" } else { "coffee" };
            let order = Order { item, quantity: order.quantity.max(1), ..order };
            let cafe = cafe.clone();
            customers.spawn(async move {
                tokio::time::sleep(Duration::from_millis(n * 97)).await;
                let key = format!("press-{n}");
                // Some customers press twice, and some cancel.
                let presses_twice = order.keyed && n % 4 == 1;
                let key = presses_twice.then_some(&*key);
                let press = async |wait: u64| {
                    tokio::time::sleep(Duration::from_millis(wait)).await;
                    let told = cafe.place(&order, IMPATIENCE, key).await;
                    let (told, id) = told.expect("an answer");
                    (id, told.status)
                };
                let cancels = async {
                    let (id, status) = press(0).await;
                    if order.keyed && n % 5 == 2 {
                        tokio::time::sleep(Duration::from_millis(n * 53 % 2_500)).await;
                        let told = cafe.cancel(&id).await.0;
                        assert!([200, 202, 409].contains(&told), "{told}");
                    }
                    (id, status)
                };
                if presses_twice {
                    let (first, second) = tokio::join!(cancels, press(1 + n * 37 % 3_000));
                    (first, Some(second))
                } else {
                    (cancels.await, None)
                }
            });
        }
        let mut audit = Audit::default();
        let mut delivered = 0;
        while cafe.counter("order_outcomes_total") < ORDERS {
            tokio::time::sleep(Duration::from_secs(7)).await;
            audit.note(cafe.records().await);
            cafe.deliver("cake", 11).await;
            delivered += 11;
        }
        network.turn(Sky::Clear);
        let told = customers.join_all().await;
        tokio::time::sleep(Duration::from_secs(20)).await;
        audit.note(cafe.records().await);
        let keys = cafe.keys().await;
        audit.finished(&told, &keys, &network.said());
        assert_eq!(cafe.state().await.0["cake"], CAKES + delivered - audit.pieces(), "seed {seed}");
        let ever = keys.values().filter(|key| key["reservation"].is_object()).count() as u64;
        assert_eq!(cafe.counter("inventory_reservations_total{item=\"cake\""), ever);
        let cancelled = cafe.counter("inventory_cancelled_reservations_total{item=\"cake\"");
        assert_eq!(audit.count("cured", "confirmed"), ever - cancelled);
        assert_eq!(cafe.counter("inventory_duplicate_reservations_total{item=\"cake\""), 0);
        for state in ["confirmed", "failed"] {
            let settled = cafe.counter(&format!("order_settled_total{{result=\"{state}\""));
            assert_eq!(settled, audit.were_settled(state), "seed {seed}, {state}");
        }
        assert_eq!(cafe.counter("order_unknown"), 0);
        let coffees = cafe.counter("inventory_reservations_total{item=\"coffee\"");
        assert!(coffees > audit.count("naive", "confirmed"), "the naive lane shows the pain");

        // What the network still holds comes when the keys are forgotten.
        let before = cafe.state().await;
        tokio::time::sleep(AFTER_THE_HORIZON).await;
        let late = network.said().into_values().flatten();
        let expired = Said::Problem("idempotency-key-expired".to_owned());
        assert!(late.filter(|said| *said == expired).count() > 3, "seed {seed}");
        assert_eq!(cafe.state().await.0["cake"], before.0["cake"], "seed {seed}");
        audit.note(cafe.records().await);
    }
}

/// Enough that they wait for each other when they ask the inventory.
const MANY: u64 = 120;

#[tokio::test(start_paused = true)]
async fn a_cancel_is_answered_in_time_while_the_inventory_says_nothing_of_many_orders() {
    let (cafe, network) = apart("cake=1000,coffee=1000", SEEDS[0]).await;
    network.turn(Sky::Dark);
    let order = cake();
    let mut customers = JoinSet::new();
    for _ in 0..MANY {
        let (cafe, order) = (cafe.clone(), order.clone());
        customers
            .spawn(async move { cafe.place(&order, IMPATIENCE, None).await.expect("an answer").1 });
    }
    let ids = customers.join_all().await;
    assert_eq!(cafe.counter("order_unknown"), MANY);

    let asked = Instant::now();
    assert_eq!(cafe.cancel(&ids[0]).await, (202, "cancelling".into()));
    assert!(asked.elapsed() < Duration::from_millis(1_500), "{:?}", asked.elapsed());

    network.turn(Sky::Clear);
    tokio::time::sleep(Duration::from_secs(3)).await;
    let records = cafe.records().await;
    let ended = |id: &String| states(&records[id]).pop().unwrap().to_owned();
    assert_eq!(ended(&ids[0]), "cancelled");
    assert!(ids[1..].iter().all(|id| ended(id) == "failed"), "nothing came through");
    assert_eq!(cafe.counter("order_settled_total"), MANY, "each order once");
    assert_eq!(cafe.counter("order_settlement_duration_seconds_count"), MANY);
    assert_eq!(cafe.state().await.0["cake"], 1_000);
}

#[tokio::test(start_paused = true)]
async fn a_confirmed_order_is_cancelled_by_its_reservation_when_its_key_has_expired() {
    let (cafe, network) = apart("cake=1000,coffee=1000", SEEDS[0]).await;
    network.turn(Sky::Clear);
    let mut ids = Vec::new();
    for _ in 0..2 {
        let (told, id) = cafe.place(&cake(), IMPATIENCE, None).await.expect("an answer");
        assert_eq!(told.outcome, "confirmed");
        ids.push(id);
    }
    tokio::time::sleep(AFTER_THE_HORIZON).await;
    for _ in 0..2 {
        assert_eq!(cafe.cancel(&ids[0]).await, (200, "cancelled".into()));
        assert_eq!(cafe.state().await.0["cake"], 999, "given back once");
    }

    // What has no answer is asked again, in the same way.
    network.turn(Sky::Dark);
    assert_eq!(cafe.cancel(&ids[1]).await, (202, "cancelling".into()));
    network.turn(Sky::Clear);
    tokio::time::sleep(Duration::from_secs(3)).await;
    assert_eq!(cafe.records().await[&ids[1]]["state"], "cancelled");
    assert_eq!(cafe.state().await, (BTreeMap::from([("cake", 1_000), ("coffee", 1_000)]), 0));
    let cancelled = "inventory_cancelled_reservations_total{item=\"cake\",lane=\"cured\"}";
    assert_eq!(cafe.counter(cancelled), 2);
    assert_eq!(cafe.counter("order_settled_total{result=\"cancelled\"}"), 1);
}

#[tokio::test(start_paused = true)]
async fn a_cancel_of_an_order_that_the_inventory_has_forgotten_says_why_it_cannot_be_known() {
    let (cafe, network) = apart("cake=1000,coffee=1000", SEEDS[0]).await;
    network.turn(Sky::Dark);
    let (told, id) = cafe.place(&cake(), IMPATIENCE, None).await.expect("an answer");
    assert_eq!(told.outcome, "unknown");
    tokio::time::sleep(AFTER_THE_HORIZON).await;
    network.turn(Sky::Clear);
    tokio::time::sleep(Duration::from_secs(3)).await;
    assert_eq!(cafe.cancel(&id).await, (202, "cancelling".into()));
    tokio::time::sleep(Duration::from_secs(3)).await;
    let record = &cafe.records().await[&id];
    assert_eq!(states(record), ["placing", "unknown", "cancelling"]);
    assert!(record["note"].as_str().is_some_and(|note| note.contains("forgotten the key")));
}

fn cake() -> Order {
    Order {
        item: "cake",
        quantity: 1,
        plan: vec!["none"],
        retry: false,
        keyed: true,
        impatient: false,
    }
}

/// Both services, with a network between them.
async fn apart(stock: &str, seed: u64) -> (Cafe, Arc<Network>) {
    let mut network = None;
    let cafe = Cafe::open_through(stock, seed, async |inventory| {
        let (opened, address) = Network::open(&inventory, seed).await;
        network = Some(opened);
        address
    });
    (cafe.await, network.expect("a network"))
}

/// Each state that the order was in.
pub(crate) fn states(record: &Value) -> Vec<&str> {
    let history = record["history"].as_array().expect("a history");
    history.iter().map(|change| change["state"].as_str().expect("a state")).collect()
}

fn the_naive_lane_shows_the_pain(cafe: &Cafe) {
    assert!(cafe.counter("inventory_duplicate_reservations_total") > 10);
}

/// An attempt that comes when its order has ended is told what was decided; after the
/// horizon, when that is forgotten, it is refused for its age.
async fn late_attempts_reserve_nothing(cafe: &Cafe, cured: &[(String, Order, Expected)]) {
    let before = cafe.state().await;
    let some = cured.iter().filter(|(.., end)| end.key.is_some()).take(100);
    for (pause, is_forgotten) in [(Duration::ZERO, false), (AFTER_THE_HORIZON, true)] {
        tokio::time::sleep(pause).await;
        for (id, order, end) in some.clone() {
            let told = cafe.late_attempt(id, order.item, order.quantity).await;
            let expected = match end.key {
                Some("reserved") if !is_forgotten => 200,
                Some("refused") if !is_forgotten => 409,
                _ => 410,
            };
            assert_eq!(told, expected, "{order:?}");
        }
        assert_eq!(cafe.state().await, before);
    }
    assert!(cafe.keys().await.is_empty());
}
