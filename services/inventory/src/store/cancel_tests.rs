//! Cancels under the key and by the reservation, in any order and at any time, against a
//! model that keeps every reservation and every decision.

#![allow(clippy::unwrap_used)]

use std::time::Duration;

use campuscafe_api::inventory::Reserve;
use campuscafe_cures::OrderId;
use proptest::collection::vec;
use proptest::prelude::*;

use super::*;
use crate::history::KeyHasher;

const STOCK: u64 = 1_000;
const START: u64 = 1_764_367_200_000;
const MINUTE: u64 = 60_000;
const HORIZON: u64 = 10 * MINUTE;

/// Who asks: two orders whose keys carry the time of the start, a customer's key, which
/// carries none and is new again when it is forgotten, and a request without a key.
const KEYS: usize = 3;
const NO_KEY: usize = 3;

#[derive(Debug, Clone, Copy)]
enum Operation {
    Reserve(usize),
    CancelKey(usize),
    Settle(usize),
    /// The reservation that was made so many before the last one.
    CancelReservation(usize),
    /// All reservations of the request without a key.
    CancelOfRequest,
    Reset,
    Wait(u64),
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Under {
    Reservation(usize),
    Void,
}

#[derive(Debug, Clone, Copy)]
struct Made {
    by: usize,
    cancelled: bool,
    /// Whether its pieces are taken now.
    taken: bool,
}

#[derive(Debug, Default)]
struct Model {
    now: u64,
    made: Vec<Made>,
    /// What is under each key, and until when.
    keys: [Option<(Under, u64)>; KEYS],
}

impl Model {
    fn under(&self, key: usize) -> Option<Under> {
        self.keys[key].filter(|(_, until)| *until > self.now).map(|(under, _)| under)
    }

    fn is_expired(&self, by: usize) -> bool {
        by < 2 && self.now >= START + HORIZON
    }

    fn decide(&mut self, key: usize, under: Under) {
        let from = if key < 2 { START } else { self.now };
        self.keys[key] = Some((under, from + HORIZON));
    }

    /// How many pieces come back.
    fn cancel(&mut self, reservation: usize) -> u64 {
        let made = &mut self.made[reservation];
        made.cancelled = true;
        u64::from(std::mem::replace(&mut made.taken, false))
    }

    /// What the operation is told, in a word, and how many pieces come back.
    fn carry_out(&mut self, operation: Operation) -> (&'static str, u64) {
        match operation {
            Operation::Reserve(by) if self.is_expired(by) => ("expired", 0),
            Operation::Reserve(by) => {
                let known = if by == NO_KEY { None } else { self.under(by) };
                match known {
                    Some(Under::Void) => ("void", 0),
                    Some(Under::Reservation(it)) if self.made[it].cancelled => ("cancelled", 0),
                    Some(Under::Reservation(_)) => ("replayed", 0),
                    None => {
                        self.made.push(Made { by, cancelled: false, taken: true });
                        if by != NO_KEY {
                            self.decide(by, Under::Reservation(self.made.len() - 1));
                        }
                        ("reserved", 0)
                    }
                }
            }
            Operation::CancelKey(key) | Operation::Settle(key) if self.is_expired(key) => {
                ("expired", 0)
            }
            Operation::CancelKey(key) | Operation::Settle(key) => match self.under(key) {
                Some(Under::Reservation(it)) if matches!(operation, Operation::CancelKey(_)) => {
                    ("cancelled", self.cancel(it))
                }
                Some(Under::Reservation(it)) if self.made[it].cancelled => ("cancelled", 0),
                Some(Under::Reservation(_)) => ("reserved", 0),
                Some(Under::Void) => ("void", 0),
                None => {
                    self.decide(key, Under::Void);
                    ("void", 0)
                }
            },
            Operation::CancelReservation(nth) => match self.nth(nth) {
                Some(it) => ("cancelled", self.cancel(it)),
                None => ("none", 0),
            },
            Operation::CancelOfRequest => {
                let all = (0..self.made.len()).filter(|it| self.made[*it].by == NO_KEY);
                let all: Vec<_> = all.collect();
                let told = if all.is_empty() { "none" } else { "cancelled" };
                (told, all.into_iter().map(|it| self.cancel(it)).sum())
            }
            Operation::Reset => {
                self.made.iter_mut().for_each(|made| made.taken = false);
                ("reset", 0)
            }
            Operation::Wait(time) => {
                self.now += time;
                ("later", 0)
            }
        }
    }

    fn nth(&self, before_the_last: usize) -> Option<usize> {
        self.made.len().checked_sub(1 + before_the_last)
    }

    fn taken(&self) -> u64 {
        self.made.iter().map(|made| u64::from(made.taken)).sum()
    }
}

struct Tested {
    store: Store,
    hasher: KeyHasher,
    keys: [IdempotencyKey; KEYS],
}

/// Memory always works.
fn works<T>(result: Result<T, StoreError>) -> T {
    result.unwrap()
}

impl Tested {
    fn new() -> Self {
        let order = |random| IdempotencyKey::of_order(OrderId::new(START, [random; 10]));
        let bounds = Bounds { horizon: Duration::from_millis(HORIZON), keys: KEYS, voids: KEYS };
        Self {
            store: Store::in_memory(format!("cake={STOCK}").parse().unwrap(), bounds),
            hasher: KeyHasher::new(7),
            keys: [order(1), order(2), IdempotencyKey::new("a").unwrap()],
        }
    }

    /// The same operation at the store; `id` is that of the reservation that it makes or names.
    async fn carry_out(&self, operation: Operation, now: u64, id: u128) -> (&'static str, u64) {
        match operation {
            Operation::Reserve(by) => {
                let request = Reserve { item_id: "cake".to_owned(), quantity: 1 };
                let fingerprint = Fingerprint::of(&request, &self.hasher);
                let once = self.keys.get(by).cloned().map(|key| Once { key, fingerprint });
                let command = ReserveCommand {
                    reservation_id: id,
                    item_id: request.item_id,
                    quantity: request.quantity,
                    read: None,
                    key: self.hasher.commit_key("naive"),
                    at: Instant::now(),
                    now,
                    once,
                };
                match works(self.store.reserve(command).await) {
                    Ok(_) => ("reserved", 0),
                    Err(NotCommitted::Replayed(Ok(_))) => ("replayed", 0),
                    Err(NotCommitted::Key(KeyError::Void)) => ("void", 0),
                    Err(NotCommitted::Key(KeyError::Cancelled)) => ("cancelled", 0),
                    Err(NotCommitted::Key(KeyError::Expired { .. })) => ("expired", 0),
                    Err(_) => ("another answer", 0),
                }
            }
            Operation::CancelKey(key) => self.close(key, now, Settle::Cancel).await,
            Operation::Settle(key) => self.close(key, now, Settle::Keep).await,
            Operation::CancelReservation(_) => self.cancel(Which::Reservation(id)).await,
            Operation::CancelOfRequest => {
                self.cancel(Which::OfRequest(self.hasher.commit_key("naive"))).await
            }
            Operation::Reset => {
                works(self.store.reset().await).record(|_| ()).await;
                ("reset", 0)
            }
            Operation::Wait(_) => ("later", 0),
        }
    }

    async fn close(&self, key: usize, now: u64, settle: Settle) -> (&'static str, u64) {
        use campuscafe_cures::Decision;
        let request = self.hasher.commit_key("nobody");
        let closed = self.store.settle(&self.keys[key], request, now, Instant::now(), settle);
        let settled = match works(closed.await) {
            Ok(changed) => changed.record(|_| ()).await,
            Err(NotSettled::Key(KeyError::Expired { .. })) => return ("expired", 0),
            Err(_) => return ("another answer", 0),
        };
        let told = match settled.record.decision {
            Decision::Done(_) => "reserved",
            Decision::Refused(_) => "refused",
            Decision::Cancelled(_) => "cancelled",
            Decision::Void => "void",
        };
        (told, settled.released.map_or(0, |change| change.quantity))
    }

    async fn cancel(&self, which: Which) -> (&'static str, u64) {
        let Ok(changed) = works(self.store.cancel(which).await) else { return ("none", 0) };
        let cancelled = changed.record(|_| ()).await;
        ("cancelled", cancelled.released.iter().map(|it| it.change.quantity).sum())
    }
}

fn operation() -> impl Strategy<Value = Operation> {
    prop_oneof![
        4 => (0..=NO_KEY).prop_map(Operation::Reserve),
        2 => (0..KEYS).prop_map(Operation::CancelKey),
        1 => (0..KEYS).prop_map(Operation::Settle),
        4 => (0_usize..4).prop_map(Operation::CancelReservation),
        1 => Just(Operation::CancelOfRequest),
        1 => Just(Operation::Reset),
        2 => (1_u64..12).prop_map(|minutes| Operation::Wait(minutes * MINUTE)),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 500, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn whichever_way_a_reservation_is_cancelled_its_pieces_come_back_once(
        operations in vec(operation(), 1..50)
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let (tested, mut model) = (Tested::new(), Model { now: START, ..Model::default() });
        for operation in operations {
            let id = match operation {
                Operation::CancelReservation(nth) => model.nth(nth).unwrap_or(usize::MAX),
                _ => model.made.len(),
            };
            let expected = model.carry_out(operation);
            let (told, state) = runtime.block_on(async {
                let told = tested.carry_out(operation, model.now, id as u128).await;
                (told, works(tested.store.state().await))
            });
            prop_assert_eq!(told, expected, "{:?} {:?}", operation, model);
            prop_assert_eq!(state.left["cake"], STOCK - model.taken(), "{:?}", operation);
            prop_assert_eq!(state.reservations, model.taken(), "{:?}", operation);
        }
    }
}
