#![allow(clippy::unwrap_used)]
use super::*;
use crate::key::OrderId;

const START: UnixMillis = 1_764_367_200_000;
const HORIZON: Duration = Duration::from_mins(10);

type Table = Decisions<(&'static str, i64), u32, &'static str>;
const CAKE: (&str, i64) = ("cake", 1);

fn table() -> Table {
    bounded(100, 10)
}

fn bounded(keys: usize, voids: usize) -> Table {
    Decisions::new(Bounds { horizon: HORIZON, keys, voids })
}

fn after(time: Duration) -> UnixMillis {
    START + time.as_millis() as u64
}

fn other(text: &str) -> IdempotencyKey {
    IdempotencyKey::new(text).unwrap()
}

/// The key of an order that is taken at this time.
fn order(at: UnixMillis, number: u8) -> IdempotencyKey {
    IdempotencyKey::of_order(OrderId::new(at, [number; 10]))
}

fn first<T, E>(decision: Result<T, E>) -> Result<Answer<T, E>, KeyError> {
    Ok(Answer { decision, replayed: false })
}

fn replay<T, E>(decision: Result<T, E>) -> Result<Answer<T, E>, KeyError> {
    Ok(Answer { decision, replayed: true })
}

#[test]
fn the_first_decision_under_a_key_is_made_once_and_told_to_every_request() {
    let mut table = table();
    assert_eq!(table.decide(&other("a"), CAKE, START, || Ok(1)), first(Ok(1)));
    assert_eq!(table.decide(&other("a"), CAKE, START, || panic!("again")), replay(Ok(1)));
    assert_eq!(table.decide(&other("b"), CAKE, START, || Ok(2)), first(Ok(2)));
}

#[test]
fn a_refusal_is_a_decision_and_a_later_request_is_refused_too() {
    let mut table = table();
    assert_eq!(table.decide(&other("a"), CAKE, START, || Err("out")), first(Err("out")));
    assert_eq!(table.decide(&other("a"), CAKE, START, || Ok(1)), replay(Err("out")));
    assert_eq!(table.settle(&other("a"), START), Ok(Decision::Refused("out")));
}

#[test]
fn a_key_that_was_used_for_another_request_is_refused() {
    let mut table = table();
    table.decide(&other("a"), CAKE, START, || Ok(1)).unwrap();
    let found = table.decide(&other("a"), ("cake", 2), START, || Ok(2));
    assert_eq!(found, Err(KeyError::OtherRequest));
}

#[test]
fn a_key_that_was_settled_before_any_request_came_is_void_for_all_of_them() {
    let mut table = table();
    assert_eq!(table.settle(&other("a"), START), Ok(Decision::Void));
    assert_eq!(table.decide(&other("a"), CAKE, START, || Ok(1)), Err(KeyError::Void));
    assert_eq!(table.settle(&other("a"), START), Ok(Decision::Void));
}

#[test]
fn a_settled_key_that_was_decided_tells_the_decision_and_changes_nothing() {
    let mut table = table();
    table.decide(&other("a"), CAKE, START, || Ok(1)).unwrap();
    assert_eq!(table.settle(&other("a"), START), Ok(Decision::Done(1)));
    assert_eq!(table.decide(&other("a"), CAKE, START, || Ok(2)), replay(Ok(1)));
}

#[test]
fn a_cancel_gives_the_effect_to_remove_once_and_a_late_request_finds_the_key_closed() {
    let mut table = table();
    table.decide(&other("a"), CAKE, START, || Ok(1)).unwrap();
    assert_eq!(table.cancel(&other("a"), START), Ok(Some(1)));
    assert_eq!(table.cancel(&other("a"), START), Ok(None));
    assert_eq!(table.decide(&other("a"), CAKE, START, || Ok(2)), Err(KeyError::Cancelled));

    assert_eq!(table.cancel(&other("b"), START), Ok(None));
    assert_eq!(table.decide(&other("b"), CAKE, START, || Ok(2)), Err(KeyError::Void));
}

#[test]
fn a_key_that_carries_a_time_is_refused_after_the_horizon_recorded_or_not() {
    let mut table = table();
    let (recorded, late) = (order(START, 1), order(START, 2));
    table.decide(&recorded, CAKE, START, || Ok(1)).unwrap();

    let just_before = after(HORIZON) - 1;
    assert_eq!(table.decide(&recorded, CAKE, just_before, || Ok(2)), replay(Ok(1)));
    let expired = KeyError::Expired { horizon: HORIZON };
    for key in [&recorded, &late] {
        assert_eq!(table.decide(key, CAKE, after(HORIZON), || Ok(3)), Err(expired));
        assert_eq!(table.settle(key, after(HORIZON)), Err(expired));
    }
    assert!(table.is_empty());
}

#[test]
fn a_key_without_a_time_is_remembered_for_the_horizon_from_its_first_request() {
    let mut table = table();
    table.decide(&other("a"), CAKE, START, || Ok(1)).unwrap();
    assert_eq!(table.decide(&other("a"), CAKE, after(HORIZON) - 1, || Ok(2)), replay(Ok(1)));
    assert_eq!(table.decide(&other("a"), CAKE, after(HORIZON), || Ok(2)), first(Ok(2)));
}

#[test]
fn a_key_may_be_ahead_by_five_minutes_and_lives_until_it_is_refused_for_its_age() {
    let mut table = table();
    let made_at = after(CLOCK_TOLERANCE);
    let key = order(made_at, 1);
    assert_eq!(table.decide(&key, CAKE, START, || Ok(1)), first(Ok(1)));
    let just_before = made_at + HORIZON.as_millis() as u64 - 1;
    assert_eq!(table.decide(&key, CAKE, just_before, || Ok(2)), replay(Ok(1)));

    let ahead = CLOCK_TOLERANCE + Duration::from_millis(1);
    let key = order(just_before + ahead.as_millis() as u64, 2);
    let found = table.decide(&key, CAKE, just_before, || Ok(1));
    assert_eq!(found, Err(KeyError::FromTheFuture { ahead }));
}

#[test]
fn a_clock_that_goes_back_brings_no_expired_key_back() {
    let mut table = table();
    let key = order(START, 1);
    table.decide(&key, CAKE, START, || Ok(1)).unwrap();
    table.settle(&other("later"), after(HORIZON)).unwrap();
    let found = table.decide(&key, CAKE, START, || Ok(2));
    assert_eq!(found, Err(KeyError::Expired { horizon: HORIZON }));
}

#[test]
fn a_full_memory_refuses_new_keys_and_still_replays_settles_and_cancels() {
    let mut table = bounded(2, 2);
    table.decide(&other("a"), CAKE, START, || Ok(1)).unwrap();
    table.decide(&other("b"), CAKE, START, || Err("out")).unwrap();
    let full = |keys| Err(KeyError::Full { keys });
    assert_eq!(table.decide(&other("c"), CAKE, START, || Ok(3)), full(2));
    assert_eq!(table.decide(&other("a"), CAKE, START, || Ok(3)), replay(Ok(1)));
    assert_eq!(table.settle(&other("c"), START), Ok(Decision::Void));
    assert_eq!(table.cancel(&other("d"), START), Ok(None));
    assert_eq!(table.cancel(&other("a"), START), Ok(Some(1)));
    assert_eq!(table.settle(&other("e"), START), Err(KeyError::Full { keys: 4 }));
    // Nothing younger than the horizon was forgotten to make room.
    assert_eq!(table.decide(&other("b"), CAKE, after(HORIZON) - 1, || Ok(3)), replay(Err("out")));
    assert_eq!(table.decide(&other("e"), CAKE, after(HORIZON), || Ok(5)), first(Ok(5)));
}

#[test]
fn a_long_key_takes_the_room_of_several_and_gives_it_back() {
    let mut table = bounded(4, 1);
    let long = |n: u8| other(&format!("{n}{}", "k".repeat(254)));
    assert_eq!(table.decide(&other(&"k".repeat(64)), CAKE, START, || Ok(1)), first(Ok(1)));
    assert_eq!(table.decide(&long(1), CAKE, START, || Ok(2)), Err(KeyError::Full { keys: 1 }));
    assert_eq!(table.settle(&long(1), START), Ok(Decision::Void), "4 and 1 are 5");
    assert_eq!(table.settle(&other("a"), START), Err(KeyError::Full { keys: 2 }));
    let later = after(HORIZON);
    assert_eq!(table.decide(&long(2), CAKE, later, || Ok(3)), first(Ok(3)));
    assert_eq!(table.settle(&other("a"), later), Ok(Decision::Void));
}

#[test]
fn keys_are_listed_from_where_the_last_page_ended_until_they_expire() {
    let mut table = table();
    for (key, at) in [("b", START), ("a", START), ("c", START + 5_000)] {
        table.settle(&other(key), at).unwrap();
    }
    let list = |key: Option<&IdempotencyKey>, now| {
        table.after(key, now).map(|(key, _)| key.to_string()).collect::<Vec<_>>()
    };
    assert_eq!(list(None, START), ["a", "b", "c"]);
    assert_eq!(list(Some(&other("a")), START), ["b", "c"]);
    assert_eq!(list(None, after(HORIZON)), ["c"], "nobody has asked for the others since");
    assert_eq!(table.len(), 3);
}

/// Writes down what is touched, and gives the table that is restored from that.
fn restored(
    table: &mut Table,
    copy: &mut std::collections::BTreeMap<IdempotencyKey, Entry>,
) -> Table {
    for key in table.take_touched() {
        match table.get(&key).cloned() {
            Some(record) => copy.insert(key, record),
            None => copy.remove(&key),
        };
    }
    let mut again = table_like(table);
    for (key, record) in &*copy {
        again.restore(key, record.fingerprint, record.decision.clone(), record.since);
    }
    again.not_before(table.now());
    again
}

type Entry = Record<(&'static str, i64), u32, &'static str>;

fn table_like(table: &Table) -> Table {
    Decisions::new(table.bounds)
}

/// What a table answers, without what only says where it came from.
fn without_touched(mut table: Table) -> Table {
    table.touched = Touched::OFF;
    for keys in table.expiries.values_mut() {
        keys.sort();
    }
    table
}

#[test]
fn a_table_that_is_restored_from_what_was_touched_is_the_same_table() {
    let (mut table, mut copy) = (table(), std::collections::BTreeMap::new());
    table.note_touched();
    let steps: [fn(&mut Table); 9] = [
        |it| {
            let _ = it.decide(&order(START, 1), CAKE, START, || Ok(1));
        },
        |it| {
            let _ = it.decide(&other("a"), CAKE, START + 1_500, || Err("out"));
        },
        |it| {
            let _ = it.settle(&other("b"), START + 2_000);
        },
        |it| {
            let _ = it.cancel(&order(START, 1), START + 3_000);
        },
        |it| {
            let _ = it.cancel(&other(&"k".repeat(200)), START + 4_000);
        },
        |it| {
            let _ = it.decide(&other("e"), CAKE, START + 5_000, || Ok(3));
        },
        |it| it.note_cancelled(&other("e"), |effect| *effect == 3),
        |it| {
            let _ = it.decide(&other("c"), CAKE, after(HORIZON), || Ok(2));
        },
        |it| {
            it.ask(&other("d"), after(2 * HORIZON)).unwrap();
        },
    ];
    for (number, step) in steps.into_iter().enumerate() {
        step(&mut table);
        let again = restored(&mut table, &mut copy);
        assert_eq!(without_touched(again), without_touched(table.clone()), "step {number}");
    }
    assert!(copy.is_empty(), "what is forgotten is touched too: {copy:?}");
}

#[test]
fn keys_of_orders_that_a_shorter_horizon_may_have_forgotten_stay_refused() {
    let mut table = table();
    table.expire_until(START);
    table.expire_until(START - 1);
    let expired = Err(KeyError::Expired { horizon: HORIZON });
    assert_eq!(table.decide(&order(START, 1), CAKE, START + 1, || Ok(1)), expired);
    assert_eq!(table.decide(&order(START + 1, 1), CAKE, START + 1, || Ok(1)), first(Ok(1)));
    assert_eq!(table.decide(&other("a"), CAKE, START + 1, || Ok(1)), first(Ok(1)));
}
