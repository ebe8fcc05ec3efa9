//! Orders that the dice make up.

use campuscafe_chaos::SplitMix64;

/// What a customer wants, and how the inventory is to take it.
#[derive(Debug, Clone)]
pub(crate) struct Order {
    pub(crate) item: &'static str,
    pub(crate) quantity: i64,
    /// At most two steps, since there are at most two attempts.
    pub(crate) plan: Vec<&'static str>,
    pub(crate) retry: bool,
    /// Whether the customer hangs up before a slow answer comes.
    pub(crate) impatient: bool,
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

fn certain(dice: SplitMix64) -> &'static str {
    CERTAIN[dice.below(CERTAIN.len() as u64 * 8) as usize / 8]
}

fn order(seed: u64, n: u64, step: impl Fn(SplitMix64) -> &'static str) -> Order {
    // Apart from the service's own rolls, which stand under the bare seed.
    let dice = |side: u64| SplitMix64::nth(!seed, n * 16 + side);
    let item = ["cake", "Cake", "cake", "coffee", "COFFEE", "tea"][dice(0).below(6) as usize];
    let steps = 1 + dice(1).below(2);
    Order {
        item,
        quantity: [1, 1, 1, 2, 3, 0][dice(2).below(6) as usize],
        plan: (0..steps).map(|n| step(dice(3 + n))).collect(),
        retry: dice(5).below(3) > 0,
        impatient: dice(6).below(10) == 0,
    }
}
