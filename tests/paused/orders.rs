//! Orders that the dice make up.

use crate::model::SplitMix64;

/// What a customer wants, and how the inventory is to take it.
#[derive(Debug, Clone)]
pub(crate) struct Order {
    pub(crate) item: &'static str,
    pub(crate) quantity: i64,
    /// At most two steps, since there are at most two attempts.
    pub(crate) plan: Vec<&'static str>,
    pub(crate) retry: bool,
    /// Whether its attempts carry its key: the cured lane.
    pub(crate) keyed: bool,
    /// Whether the customer hangs up before a slow answer comes.
    pub(crate) impatient: bool,
}

impl Order {
    pub(crate) fn lane(&self) -> &'static str {
        if self.keyed { "cured" } else { "naive" }
    }

    /// The step that an attempt takes, 0 for the first; the last step repeats.
    pub(crate) fn step(&self, attempt: usize) -> &'static str {
        self.plan.get(attempt).or(self.plan.last()).expect("a step")
    }
}

/// Healthy, then one of every fault on either side of the limit. No wait ends
/// at the limit or together with another attempt's.
const CERTAIN: [&str; 16] = [
    "none",
    "none",
    "none",
    "none",
    "slow",
    "slow",
    "slow:400",
    "fail",
    "fail:418",
    "slowfail",
    "slowfail:200",
    "abort",
    "lostreply",
    "slowreply",
    "slowreply:200",
    "hold:1700",
];

/// The nth order; one in eight is left to chance.
pub(crate) fn any_order(seed: u64, n: u64) -> Order {
    order(seed, n, |dice| if dice.below(8) == 0 { "flaky" } else { certain(dice) })
}

/// The nth order; nothing about it is left to chance.
pub(crate) fn certain_order(seed: u64, n: u64) -> Order {
    order(seed, n, certain)
}

/// The nth order; nothing about it is left to chance, and two in three have a key. No
/// commit comes at the moment when an order without an answer is settled.
pub(crate) fn keyed_order(seed: u64, n: u64) -> Order {
    let order = order(seed, n, |dice| match certain(dice) {
        "slow" => "slow:1700",
        other => other,
    });
    Order { keyed: !n.is_multiple_of(3), impatient: false, ..order }
}

fn certain(dice: &mut SplitMix64) -> &'static str {
    pick(&CERTAIN, dice)
}

fn pick<T: Copy>(from: &[T], dice: &mut SplitMix64) -> T {
    from[dice.below(from.len() as u64) as usize]
}

fn order(seed: u64, n: u64, mut step: impl FnMut(&mut SplitMix64) -> &'static str) -> Order {
    // Apart from the service's own rolls, which stand under the bare seed.
    let dice = &mut SplitMix64::seeded(!seed ^ (n << 16));
    let steps = 1 + dice.below(2);
    Order {
        item: pick(&["cake", "Cake", "cake", "coffee", "COFFEE", "tea"], dice),
        quantity: pick(&[1, 1, 1, 2, 3, 0], dice),
        plan: (0..steps).map(|_| step(dice)).collect(),
        retry: dice.below(3) > 0,
        keyed: false,
        impatient: dice.below(10) == 0,
    }
}
