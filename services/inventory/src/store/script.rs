//! Random scripts for stores: whatever a store is made of, it tells what memory tells.
#![allow(clippy::unwrap_used)]

use campuscafe_api::inventory::Reserve;
use campuscafe_chaos::SplitMix64;
use campuscafe_cures::versions::Condition;
use campuscafe_cures::{IdempotencyKey, UnixMillis};
use tokio::time::Instant;

use super::memory::InventoryState;
use super::{Fingerprint, Once, ReserveCommand, Settle, Which};
use crate::history::{CommitKey, KeyHasher};

/// When every step happens.
pub(super) const START: UnixMillis = 1_800_000_000_000;

pub(super) fn key(text: &str) -> IdempotencyKey {
    IdempotencyKey::new(text).unwrap()
}

/// One step of a random script, with few names, so that they meet.
#[derive(Debug, Clone)]
pub(super) enum Step {
    Reserve(ReserveCommand),
    Settle(IdempotencyKey, CommitKey, Settle),
    Cancel(Which),
    Deliver(i64),
    Price(u64),
    Reset,
}

pub(super) fn steps(seed: u64, count: u64) -> Vec<Step> {
    let hasher = KeyHasher::new(7);
    let step = |nth: u64| {
        let random = |of: u64, most: u64| SplitMix64::nth(seed, nth * 8 + of).below(most);
        let (request, under) = (format!("r{}", random(0, 6)), format!("k{}", random(1, 6)));
        let quantity = random(2, 5) as i64;
        let item = ["cake", "Coffee", "tea"][random(3, 3) as usize].to_owned();
        let commit_key = hasher.commit_key(&request);
        match random(4, 12) {
            0..6 => {
                let asked = Reserve { item_id: item.clone(), quantity };
                let fingerprint = Fingerprint::of(&asked, &hasher);
                let once = Once { key: key(&under), fingerprint };
                Step::Reserve(ReserveCommand {
                    reservation_id: u128::from(nth),
                    item_id: item,
                    quantity,
                    read: (random(5, 6) == 0).then_some(9),
                    key: commit_key,
                    at: Instant::now(),
                    now: START,
                    once: (random(6, 2) == 0).then_some(once),
                })
            }
            6 => Step::Settle(key(&under), commit_key, Settle::Keep),
            7 => Step::Settle(key(&under), commit_key, Settle::Cancel),
            8 => Step::Cancel(Which::OfRequest(commit_key)),
            9 => Step::Cancel(Which::Reservation(u128::from(random(5, nth + 1)))),
            10 => Step::Deliver(quantity),
            _ if random(5, 4) == 0 => Step::Reset,
            _ => Step::Price(random(5, 900)),
        }
    };
    (0..count).map(step).collect()
}

/// What the step says.
pub(super) fn take(step: &Step, state: &mut InventoryState) -> String {
    match step.clone() {
        Step::Reserve(command) => format!("{:?}", state.reserve(command)),
        Step::Settle(key, request, settle) => {
            format!("{:?}", state.settle(&key, request, START, Instant::now(), settle))
        }
        Step::Cancel(which) => format!("{:?}", state.cancel(which)),
        Step::Deliver(quantity) => format!("{:?}", state.deliver("cake", quantity)),
        Step::Price(price) => {
            format!("{:?}", state.change_price("coffee", price, &Condition::LastWins))
        }
        Step::Reset => format!("{:?}", state.reset()),
    }
}
