//! The decisions under keys against a model that keeps everything that ever happened in
//! one list and reads it from the start for each question. It shares no code with the
//! crate: keys and their times are made here.

#![allow(clippy::unwrap_used, clippy::panic)]

use std::time::Duration;

use campuscafe_cures::decisions::{Answer, Bounds};
use campuscafe_cures::{Decision, Decisions, IdempotencyKey, KeyError};
use proptest::collection::vec;
use proptest::prelude::*;

const MINUTE: u64 = 60_000;
const HORIZON: u64 = 10 * MINUTE;
const KEYS: usize = 6;
const VOIDS: usize = 2;
const START: u64 = 1_764_367_200_000;

#[derive(Debug, Clone, Copy)]
enum Operation {
    /// A request with this fingerprint, to which the stock would say yes or no.
    Decide(u8, bool),
    Settle,
    Cancel,
    /// The effect is removed by another name than its key: the last that the key had, or
    /// one of those before.
    Remove(usize),
}

/// What may stand under a key: its number, and the time that it carries.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Key {
    number: u8,
    made_at: Option<u64>,
}

impl Key {
    fn text(self) -> String {
        let number = self.number;
        match self.made_at {
            Some(made_at) => format!("order-{made_at:012x}7abc8{number:015x}"),
            None => format!("cake-{number}").repeat(1 + usize::from(number) * 2),
        }
    }

    /// How much of the memory it takes, in steps of 64 bytes.
    fn size(self) -> usize {
        (self.text().len() - 1) / 64 + 1
    }
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Told {
    Done { effect: u32, replayed: bool },
    Refused { replayed: bool },
    Void,
    Cancelled { effect: u32, now: bool },
    OtherRequest,
    Expired,
    Ahead(u64),
    Full(usize),
    Nothing,
}

/// One change that has happened. Nothing is ever removed from the list of them.
struct Happened {
    key: Key,
    forgotten_at: u64,
    fingerprint: Option<u8>,
    /// The effect, if there is one.
    effect: Option<u32>,
    /// Whether nothing was asked for before it was settled.
    void: bool,
    cancelled: bool,
}

#[derive(Default)]
struct Naive {
    all: Vec<Happened>,
    latest: u64,
}

impl Naive {
    fn carry_out(&mut self, key: Key, at: u64, operation: Operation, effect: u32) -> Told {
        if let Operation::Remove(_) = operation {
            let removed =
                self.all.iter_mut().filter(|it| it.key == key && it.effect == Some(effect));
            removed.for_each(|it| it.cancelled = true);
            return Told::Nothing;
        }
        self.latest = self.latest.max(at);
        let now = self.latest;
        if let Some(made_at) = key.made_at {
            if made_at > now + 5 * MINUTE {
                return Told::Ahead(made_at - now);
            }
            if now >= made_at + HORIZON {
                return Told::Expired;
            }
        }
        let remembered = self.all.iter().filter(|it| it.forgotten_at > now);
        let (count, taken) = remembered.fold((0, 0), |(n, all), it| (n + 1, all + it.key.size()));
        let found = self.all.iter_mut().find(|it| it.key == key && it.forgotten_at > now);
        if let Some(found) = found {
            return found.asked_again(operation);
        }
        let (room, made) = match operation {
            Operation::Decide(fingerprint, yes) => {
                (KEYS, (Some(fingerprint), yes.then_some(effect), false))
            }
            Operation::Settle | Operation::Cancel | Operation::Remove(_) => {
                (KEYS + VOIDS, (None, None, true))
            }
        };
        if taken + key.size() > room {
            return Told::Full(count);
        }
        let (fingerprint, effect, void) = made;
        // A key may be remembered until the next whole second.
        let mut forgotten_at = key.made_at.unwrap_or(now) + HORIZON;
        while !forgotten_at.is_multiple_of(1_000) {
            forgotten_at += 1;
        }
        self.all.push(Happened { key, forgotten_at, fingerprint, effect, void, cancelled: false });
        match (void, effect) {
            (true, _) => Told::Void,
            (false, Some(effect)) => Told::Done { effect, replayed: false },
            (false, None) => Told::Refused { replayed: false },
        }
    }

    /// An effect that the key had, counted from the last one.
    fn effect_of(&self, key: Key, nth: usize) -> Option<u32> {
        let of_key = self.all.iter().rev().filter(|it| it.key == key);
        of_key.filter_map(|it| it.effect).nth(nth)
    }
}

impl Happened {
    fn asked_again(&mut self, operation: Operation) -> Told {
        let other = matches!((operation, self.fingerprint),
            (Operation::Decide(asked, _), Some(first)) if asked != first);
        match (operation, self.effect) {
            _ if other => Told::OtherRequest,
            _ if self.void => Told::Void,
            (_, None) => Told::Refused { replayed: true },
            (_, Some(effect)) if self.cancelled => Told::Cancelled { effect, now: false },
            (Operation::Cancel, Some(effect)) => {
                self.cancelled = true;
                Told::Cancelled { effect, now: true }
            }
            (_, Some(effect)) => Told::Done { effect, replayed: true },
        }
    }
}

type Table = Decisions<u8, u32, ()>;

/// The same operation at the crate's table, told in the words of the model.
fn ask(table: &mut Table, key: Key, at: u64, operation: Operation, effect: u32) -> Told {
    let key = IdempotencyKey::new(&key.text()).unwrap();
    let before = table.get(&key).map(|record| record.decision.clone());
    let told = match operation {
        Operation::Decide(fingerprint, yes) => {
            let decide = || if yes { Ok(effect) } else { Err(()) };
            match table.decide(&key, fingerprint, at, decide) {
                Ok(Answer { decision: Ok(effect), replayed }) => {
                    return Told::Done { effect, replayed };
                }
                Ok(Answer { decision: Err(()), replayed }) => return Told::Refused { replayed },
                Err(error) => Err(error),
            }
        }
        Operation::Settle => table.settle(&key, at),
        Operation::Cancel => match table.cancel(&key, at) {
            Ok(Some(effect)) => return Told::Cancelled { effect, now: true },
            Ok(None) => Ok(table.get(&key).unwrap().decision.clone()),
            Err(error) => Err(error),
        },
        Operation::Remove(_) => {
            table.note_cancelled(&key, |it| *it == effect);
            return Told::Nothing;
        }
    };
    match told {
        Ok(Decision::Done(effect)) => Told::Done { effect, replayed: true },
        Ok(Decision::Refused(())) => Told::Refused { replayed: true },
        Ok(Decision::Cancelled(effect)) => Told::Cancelled { effect, now: false },
        Ok(Decision::Void) | Err(KeyError::Void) => Told::Void,
        Err(KeyError::Cancelled) => match before {
            Some(Decision::Cancelled(effect)) => Told::Cancelled { effect, now: false },
            other => panic!("cancelled, with {other:?} in the table"),
        },
        Err(KeyError::OtherRequest) => Told::OtherRequest,
        Err(KeyError::Expired { horizon }) => {
            assert_eq!(horizon, Duration::from_millis(HORIZON));
            Told::Expired
        }
        Err(KeyError::FromTheFuture { ahead }) => Told::Ahead(ahead.as_millis() as u64),
        Err(KeyError::Full { keys }) => Told::Full(keys),
    }
}

fn operation() -> impl Strategy<Value = Operation> {
    prop_oneof![
        3 => (0_u8..2, any::<bool>()).prop_map(|(asked, yes)| Operation::Decide(asked, yes)),
        1 => Just(Operation::Settle),
        1 => Just(Operation::Cancel),
        1 => (0_usize..3).prop_map(Operation::Remove),
    ]
}

/// A few keys, so that they meet again; half of them carry a time near the start.
fn key() -> impl Strategy<Value = Key> {
    (0_u8..12).prop_map(|number| Key {
        number,
        made_at: number.is_multiple_of(2).then(|| START + u64::from(number) * 2 * MINUTE - 7),
    })
}

/// How far the clock moves: mostly little, now and then over the horizon, and back.
fn pause() -> impl Strategy<Value = i64> {
    prop_oneof![6 => 0_i64..1_500, 3 => 0..180_000_i64, 1 => 590_000..=601_000_i64, 1 => -90_000..0_i64]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_500, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_answer_is_that_of_a_model_that_forgets_nothing(
        steps in vec((key(), pause(), operation()), 1..60)
    ) {
        let bounds = Bounds { horizon: Duration::from_millis(HORIZON), keys: KEYS, voids: VOIDS };
        let (mut table, mut naive) = (Table::new(bounds), Naive::default());
        let mut at = START;
        for (effect, (key, pause, operation)) in (0..).zip(steps) {
            at = at.saturating_add_signed(pause);
            let effect = match operation {
                Operation::Remove(nth) => naive.effect_of(key, nth).unwrap_or(effect),
                _ => effect,
            };
            let expected = naive.carry_out(key, at, operation, effect);
            let told = ask(&mut table, key, at, operation, effect);
            prop_assert_eq!(told, expected, "{} {:?} at +{} ms", key.text(), operation, at - START);
            prop_assert!(table.len() <= KEYS + VOIDS);
        }
    }
}
