//! Random scripts of what can happen to orders, for tests of every store.

#![allow(clippy::unwrap_used)]

use campuscafe_api::inventory::Reserve;
use campuscafe_api::order::Lane;
use campuscafe_cures::attempts::Knowledge;
use campuscafe_cures::order::Event;
use campuscafe_cures::{IdempotencyKey, OrderId, UnixMillis};
use proptest::prelude::*;

use crate::orders::{Note, Order, Orders};

pub(super) fn id(number: usize) -> OrderId {
    OrderId::new(number as u64, [0; 10])
}

pub(super) fn order(lane: Lane) -> Order {
    let reserve = Reserve { item_id: "cake".to_owned(), quantity: 1 };
    Order::new(&reserve, lane, Some("7f"), 7)
}

pub(super) fn key(text: &str) -> IdempotencyKey {
    IdempotencyKey::new(text).unwrap()
}

/// Something that happens to the orders.
#[derive(Debug, Clone)]
pub(super) enum Happens {
    Begin { number: usize, cured: bool, key: Option<u8>, listener: bool },
    Learn { number: usize, knowledge: Knowledge },
    Cancel { number: usize },
    CancelConfirmed { number: usize },
    GiveUp { number: usize },
    MessageEnds { number: usize, place: u32 },
    TimePasses { ms: u64 },
}

impl Happens {
    pub(super) fn to(&self, orders: &mut Orders, now: UnixMillis) {
        match *self {
            Self::Begin { number, cured, key: name, listener } => {
                let lane = if cured { Lane::Cured } else { Lane::Naive };
                let plan = listener.then(|| "slow:5,none".parse().unwrap());
                let order = order(lane).with_listener(plan);
                let name = name.map(|name| key(&format!("press-{name}")));
                // An id is given once.
                if orders.get(id(number)).is_none() {
                    let once = name.as_ref().map(|name| (name, 1));
                    let _ = orders.begin(id(number), order, once, now);
                }
            }
            Self::Learn { number, knowledge } => {
                orders.learn(id(number), Event::Learnt(knowledge), None, now);
            }
            Self::Cancel { number } => {
                let _ = orders.begin_cancel(id(number), now);
            }
            Self::CancelConfirmed { number } => {
                orders.learn(id(number), Event::CancelConfirmed, None, now);
            }
            Self::GiveUp { number } => orders.give_up(id(number), Note::KeyForgotten),
            Self::MessageEnds { number, place } => orders.end_message(id(number), place),
            Self::TimePasses { .. } => {}
        }
    }

    pub(super) fn any() -> impl Strategy<Value = Self> {
        let knowledge = prop_oneof![
            Just(Knowledge::Reserved),
            Just(Knowledge::NotReserved),
            Just(Knowledge::Unknown)
        ];
        let number = 1..8_usize;
        prop_oneof![
            (number.clone(), any::<bool>(), proptest::option::of(0..4_u8), any::<bool>()).prop_map(
                |(number, cured, key, listener)| Self::Begin { number, cured, key, listener }
            ),
            (number.clone(), knowledge)
                .prop_map(|(number, knowledge)| Self::Learn { number, knowledge }),
            number.clone().prop_map(|number| Self::Cancel { number }),
            number.clone().prop_map(|number| Self::CancelConfirmed { number }),
            number.clone().prop_map(|number| Self::GiveUp { number }),
            (number, 1..4_u32).prop_map(|(number, place)| Self::MessageEnds { number, place }),
            (1..40_000_u64).prop_map(|ms| Self::TimePasses { ms }),
        ]
    }
}
